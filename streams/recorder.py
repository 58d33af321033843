"""Topics of a broker into a recording."""

from collections.abc import Sequence
from pathlib import Path

from streams.clients import open_consumer, partitions_of, read_to_end
from streams.recording import Manifest, Recorded, write_recording

__all__ = ["record_topics"]


async def record_topics(
    bootstrap: str, prefix: str, topics: Sequence[str], folder: Path
) -> Manifest:
    """Write the topics, from their beginning to their end as it is now, into a folder.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        prefix: what stands before every topic name; the recording is without it.
        topics: names in the registry.
        folder: made if missing.
    Raises: Unavailable where the broker does not answer or a topic is not there.
    """
    held: dict[str, list[Recorded]] = {}
    async with open_consumer(bootstrap) as consumer:
        for topic in topics:
            partitions = await partitions_of(bootstrap, [f"{prefix}{topic}"])
            held[topic] = [
                Recorded(
                    topic=topic,
                    partition=record.partition,
                    offset=record.offset,
                    key=record.key,
                    value=record.value,
                    timestamp_ms=record.timestamp,
                    headers=tuple(record.headers),
                )
                async for record in read_to_end(consumer, partitions)
            ]
    return write_recording(folder, held)
