"""How far a consumer group has come on a topic."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from signals.errors import Unavailable
from streams.clients import open_consumer, partitions_of

__all__ = ["GroupLag"]


class GroupLag:
    """Asks one broker about one group; it never joins it."""

    def __init__(self, bootstrap: str, group: str) -> None:
        """Prepare to ask; nothing is opened until then."""
        self._bootstrap = bootstrap
        self._group = group

    async def ask(self, topic: str) -> tuple[int, int]:
        """Return how many records of a topic the group has committed, and how many there are.

        Raises: Unavailable where the broker does not answer or the topic is not there.
        """
        partitions = await partitions_of(self._bootstrap, [topic])
        async with open_consumer(self._bootstrap) as consumer:
            consumer.assign(partitions)
            starts = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            found = await admin.list_consumer_group_offsets(self._group, partitions=partitions)
        except GroupCoordinatorNotAvailableError:  # a broker on which no group has ever been
            found = {}
        except KafkaError as error:
            raise Unavailable(f"the broker at {self._bootstrap} refused: {error}") from error
        finally:
            await admin.close()
        committed = sum(
            max(found[partition].offset, starts[partition]) - starts[partition]
            for partition in partitions
            if partition in found
        )
        return committed, sum(ends[partition] - starts[partition] for partition in partitions)
