"""What a topic holds of a source already, so that the source goes on where it was cut off.

Each record says in its headers which source it comes from and where in it. A source sends to one
partition in order, so of each partition its last record there tells the rest.
"""

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import lru_cache

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from signals.errors import BadMessage, ConfigError
from signals.messages import Headline, Micros, PriceSample
from streams.codec import decode

__all__ = [
    "POSITION",
    "SOURCE",
    "FilePositions",
    "address_of",
    "event_us_of",
    "file_source",
    "moment_us_of",
    "newest_moments",
    "partition_of",
    "position_headers",
    "timestamp_ms",
]

SOURCE = "tapewire-source"  # header: which source a record comes from
POSITION = "tapewire-position"  # header: where in it, see FilePositions and newest_moments
_FIRST_SPAN, _LONGEST_SPAN = 500, 64_000
_POLL_MS = 200
# Files in order of time are the rule; one that goes back further is searched for anew.
_DISORDER_MS = 3 * 86_400_000
_partition = DefaultPartitioner()

Message = Headline | PriceSample


def address_of(message: Message) -> str:
    """Return a message's key: a headline's id, a price's ticker."""
    return message.id if isinstance(message, Headline) else message.ticker


def event_us_of(message: Message) -> Micros:
    """Return when a message happened: a headline's publish time, a price's event time."""
    return message.published_us if isinstance(message, Headline) else message.event_us


def moment_us_of(message: Message) -> Micros:
    """Return when a message's content held: a bar's end, else when it happened."""
    end_us = None if isinstance(message, Headline) else message.end_us
    return event_us_of(message) if end_us is None else end_us


def timestamp_ms(message: Message) -> int:
    """Return a record's Kafka timestamp: the earlier of event time and receipt."""
    return min(event_us_of(message), message.received_us) // 1000


@lru_cache(maxsize=16_384)  # 4 us, and a tape repeats its tickers
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, as every Kafka client chooses it."""
    chosen: int = _partition(key, list(range(partitions)), None)
    return chosen


def position_headers(source: str, position: int) -> list[tuple[str, bytes]]:
    """Return the headers that a record of a source has."""
    return [(SOURCE, source.encode()), (POSITION, b"%d" % position)]


def file_source(name: str, first: Message) -> str:
    """Return the name of a file as a source: its own, and 12 hex digits of its first message.

    A file that grows stays the same source, wherever it lies. Another day's prices under the same
    name begin otherwise, and are another source.
    """
    text = repr(_content(first))
    return f"file:{name}#{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class FilePositions:
    """Which messages of a file a topic holds. A position is a message's number, from 1."""

    def __init__(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], source: str
    ) -> None:
        """Begin knowing nothing; the consumer is started and nobody else's.

        Args:
            consumer: of raw bytes, without a group.
            partitions: all of one topic.
            source: as ``file_source`` names it.
        """
        self._consumer = consumer
        self._partitions = partitions
        self._source = source
        self._since_ms: int | None = None  # timestamps from here on have been searched
        self._begins: Mapping[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._last: dict[int, int] = {}  # position by partition
        self._values: dict[int, bytes] = {}  # of those records, by position

    async def holds(self, message: Message, position: int) -> bool:
        """Return whether the topic holds a message, the next one of the file.

        Raises: ConfigError where it holds something else at that position.
        """
        moment_ms = timestamp_ms(message)
        if self._since_ms is None or moment_ms < self._since_ms:
            await self._search(moment_ms - _DISORDER_MS)
        # Whichever partition it was: a row that is put in moves the others on to other positions.
        value = self._values.get(position)
        if value is not None and not _is_same(message, value):
            raise ConfigError(
                f"{self._source} has changed since it was sent: its message {position} is another "
                "one; send it anew with --again, or give the file another name"
            )
        number = partition_of(address_of(message).encode(), len(self._partitions))
        return position <= self._last.get(number, 0)

    def check_end(self, position: int) -> None:
        """Raise ConfigError for a file that has ended before the last message that was sent."""
        longest = max(self._last.values(), default=0)
        if longest > position:
            raise ConfigError(
                f"{self._source} has changed since it was sent: it had {longest} messages and has "
                f"{position} now; send it anew with --again, or give the file another name"
            )

    async def _search(self, since_ms: int) -> None:
        """Find the last record of each partition with a timestamp from here on, from the end."""
        partitions = [at for at in self._partitions if at.partition not in self._last]
        if self._since_ms is None:
            self._begins = await self._consumer.beginning_offsets(partitions)
            floors, self._ends = await _floors(self._consumer, partitions, since_ms)
        else:  # second thoughts: all of it
            floors = {at: self._begins[at] for at in partitions}
            since_ms = 0
        self._since_ms = since_ms
        size = _FIRST_SPAN
        while spans := {
            at: (max(floors[at], self._ends[at] - size), self._ends[at])
            for at in partitions
            if at.partition not in self._last and self._ends[at] > floors[at]
        }:
            await self._search_spans(spans)
            size = min(size * 4, _LONGEST_SPAN)

    async def _search_spans(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> None:
        found: dict[int, tuple[int, bytes]] = {}  # the last one of each partition stays
        async for record in _read_spans(self._consumer, spans):
            position = _position_of(record, self._source)
            if position is not None:
                found[record.partition] = (position, record.value)
        for number, (position, value) in found.items():
            self._last[number] = position
            self._values[position] = value
        for at, (start, _) in spans.items():
            self._ends[at] = start


async def newest_moments(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    source: str,
    *,
    tickers: Collection[str],
    since_ms: int,
) -> dict[str, Micros]:
    """Return by ticker the newest moment of a live source among a topic's records.

    The position of a live record is its moment in microseconds (``moment_us_of``). Each partition
    is read from its end backwards until every ticker of it has been seen.

    Args:
        consumer: of raw bytes, without a group, nobody else's.
        partitions: all of one topic.
        source: its name in the headers.
        tickers: whose moments are wanted; others may be among what is returned.
        since_ms: records with an earlier timestamp are not looked for.
    """
    missing: dict[TopicPartition, set[str]] = {at: set() for at in partitions}
    for ticker in tickers:
        missing[partitions[partition_of(ticker.encode(), len(partitions))]].add(ticker)
    floors, ends = await _floors(consumer, partitions, since_ms)
    newest: dict[str, Micros] = {}
    size = _FIRST_SPAN
    while spans := {
        at: (max(floors[at], ends[at] - size), ends[at])
        for at in partitions
        if missing[at] and ends[at] > floors[at]
    }:
        async for record in _read_spans(consumer, spans):
            moment_us = _position_of(record, source)
            if moment_us is not None and record.key is not None:
                ticker = record.key.decode(errors="replace")
                newest[ticker] = Micros(max(moment_us, newest.get(ticker, 0)))
        for at, (start, _) in spans.items():
            ends[at] = start
            missing[at] -= newest.keys()
        size = min(size * 4, _LONGEST_SPAN)
    return newest


async def _floors(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], since_ms: int
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Return of each partition the first offset with a timestamp from there on, and the end."""
    ends = dict(await consumer.end_offsets(partitions))
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(since_ms, 0)))
    return {at: found[at].offset if found[at] else ends[at] for at in partitions}, ends


async def _read_spans(
    consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, tuple[int, int]]
) -> AsyncIterator[ConsumerRecord]:
    """Yield the records of each partition from an offset to before another one."""
    left = {at for at, (start, end) in spans.items() if start < end}
    consumer.assign(sorted(left))
    for at in sorted(left):
        consumer.seek(at, spans[at][0])
    while left:
        batches = await consumer.getmany(*sorted(left), timeout_ms=_POLL_MS)
        for at, records in batches.items():
            for record in records:
                if record.offset < spans[at][1]:
                    yield record
        for at in sorted(left):
            if await consumer.position(at) >= spans[at][1]:
                left.discard(at)


def _position_of(record: ConsumerRecord, source: str) -> int | None:
    """Return where in a source a record is, None for a record of another one."""
    headers = dict(record.headers)
    position = headers.get(POSITION)
    if headers.get(SOURCE) != source.encode() or position is None or not position.isdigit():
        return None
    return int(position)


def _is_same(message: Message, value: bytes) -> bool:
    try:
        held = decode(value, type(message))
    except BadMessage:
        return False
    return _content(held) == _content(message)


def _content(message: Message) -> tuple[object, ...]:
    """Return what makes a message this one, without what was stamped on or added up."""
    if isinstance(message, Headline):
        return ("headline", message.id, message.revision, message.title, message.published_us)
    figures = (message.price, message.open, message.high, message.low, message.close, message.ratio)
    texts = tuple(None if figure is None else format(figure.normalize(), "f") for figure in figures)
    return (message.kind, message.ticker, message.event_us, message.end_us, *texts)
