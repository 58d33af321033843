"""A run that lies on a broker: the topics under one prefix."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.clients import open_consumer, partitions_of, read_to_end
from tapewire.running import run_quietly
from tapewire.verifying import WRITTEN, Take

__all__ = ["StoredRun"]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What the agents wrote under a prefix, up to the topics' ends as they are when it is read."""

    bootstrap: str
    prefix: str

    @property
    def name(self) -> str:
        """Return where it lies."""
        return f"{self.prefix} at {self.bootstrap}"

    def topics(self) -> Sequence[str]:
        """Return the topics that the agents write."""
        return WRITTEN

    def read(self, topic: str, take: Take) -> None:
        """Hand over each record, by partition and offset.

        Raises: Unavailable for a broker that does not answer, or has no such topic.
        """
        run_quietly(self._read(topic, take))

    async def _read(self, topic: str, take: Take) -> None:
        partitions = await partitions_of(self.bootstrap, [f"{self.prefix}{topic}"])
        async with open_consumer(self.bootstrap) as consumer:
            for partition in partitions:  # one by one, so that the order is always the same
                async for record in read_to_end(consumer, [partition]):
                    take(record.key, record.value)
