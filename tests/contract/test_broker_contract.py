"""What Tapewire leans on in a broker: the same suite on the embedded one and on Apache Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from streams.brokers import Broker, start_broker
from streams.topic_admin import apply_topics
from streams.topics import CHANGELOG_CONFIG, DEAD_LETTERS, HEADLINES, JOURNAL, Topic

MEBIBYTE = 1024 * 1024
MARCH_2020_MS = 1_583_020_800_000  # 2020-03-01 00:00 UTC
CHANGELOG = Topic(
    name="folds-changelog", key="the input's key", message=None, config=CHANGELOG_CONFIG
)


@asynccontextmanager
async def producing(broker: Broker, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        acks="all",
        max_request_size=64 * MEBIBYTE,
        **options,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(
    broker: Broker, *topics: str, **options: object
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=broker.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **options,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_all(broker: Broker, topic: str, partitions: int) -> list[ConsumerRecord]:
    """Return every record of a topic, partition by partition, in the order of the log."""
    parts = [TopicPartition(topic, number) for number in range(partitions)]
    async with consuming(broker) as consumer:
        consumer.assign(parts)
        count = sum((await consumer.end_offsets(parts)).values())
        records = await _take(consumer, count)
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def end_offset(broker: Broker, topic: str, partition: int = 0) -> int:
    part = TopicPartition(topic, partition)
    async with consuming(broker) as consumer:
        offset: int = (await consumer.end_offsets([part]))[part]
        return offset


@pytest.fixture
async def journal(broker: Broker, prefix: str) -> str:
    """Three partitions, kept for ever."""
    await apply_topics(broker.bootstrap, prefix, partitions=3)
    return f"{prefix}{JOURNAL.name}"


@pytest.fixture
async def changelog(broker: Broker, prefix: str) -> str:
    """Three partitions, compacted."""
    await apply_topics(broker.bootstrap, prefix, [CHANGELOG], partitions=3)
    return f"{prefix}{CHANGELOG.name}"


@pytest.fixture(params=[HEADLINES, DEAD_LETTERS], ids=lambda topic: topic.name)
async def large_topic(request: pytest.FixtureRequest, broker: Broker, prefix: str) -> str:
    await apply_topics(broker.bootstrap, prefix, partitions=1)
    return f"{prefix}{request.param.name}"


# ---- records are kept as they were sent ----------------------------------------------------------


async def test_bytes_keys_and_headers_are_kept(broker: Broker, journal: str) -> None:
    headers = [("ce_type", b"deal"), ("ce_id", b"1"), ("ce_type", b"twice"), ("empty", b"")]
    async with producing(broker) as producer:
        await producer.send_and_wait(
            journal, b"\xff\x00{", key="키".encode(), partition=1, headers=headers
        )

    (record,) = await read_all(broker, journal, 3)
    assert (record.key, record.value) == ("키".encode(), b"\xff\x00{")
    assert list(record.headers) == headers


async def test_timestamps_of_years_ago_are_kept(broker: Broker, journal: str) -> None:
    async with producing(broker) as producer:
        for minute in range(100):
            await producer.send(
                journal, b"v", partition=0, timestamp_ms=MARCH_2020_MS + minute * 60_000
            )
        await producer.flush()

    records = await read_all(broker, journal, 3)
    assert [r.timestamp for r in records] == [MARCH_2020_MS + m * 60_000 for m in range(100)]
    assert {r.timestamp_type for r in records} == {0}  # CreateTime: the producer's


async def test_an_empty_value_is_not_a_tombstone(broker: Broker, changelog: str) -> None:
    async with producing(broker) as producer:
        for value in (b"row", b"", None):
            await producer.send_and_wait(changelog, value, key=b"k", partition=2)

    assert [r.value for r in await read_all(broker, changelog, 3)] == [b"row", b"", None]


async def test_a_partition_keeps_the_order_of_sending(broker: Broker, journal: str) -> None:
    async with producing(broker, linger_ms=2) as producer:
        for number in range(5000):
            await producer.send(journal, b"%d" % number, partition=number % 3)
        await producer.flush()

    records = await read_all(broker, journal, 3)
    for partition in range(3):
        seen = [int(r.value) for r in records if r.partition == partition]
        assert seen == list(range(partition, 5000, 3))


async def test_a_key_goes_to_one_partition(broker: Broker, journal: str) -> None:
    async with producing(broker) as producer:
        for number in range(300):
            await producer.send(journal, b"v", key=b"ticker-%d" % (number % 30))
        await producer.flush()

    places = {(r.key, r.partition) for r in await read_all(broker, journal, 3)}
    assert len(places) == 30
    assert {partition for _, partition in places} == {0, 1, 2}


# ---- offsets -------------------------------------------------------------------------------------


async def test_the_end_of_a_partition_counts_its_records(broker: Broker, journal: str) -> None:
    assert await end_offset(broker, journal, 1) == 0
    async with producing(broker) as producer:
        for count in (1, 250, 7):
            await asyncio.gather(
                *[await producer.send(journal, b"v", partition=1) for _ in range(count)]
            )

    assert await end_offset(broker, journal, 1) == 258
    assert await end_offset(broker, journal, 0) == 0


async def test_an_offset_is_found_by_its_time(broker: Broker, journal: str) -> None:
    # Times go back and forth, as late news does; two batches, so that one lies behind the other.
    minutes = [0, 5, 3, 9, 7, 20, 15, 30, 25, 40]
    async with producing(broker) as producer:
        for half in (minutes[:5], minutes[5:]):
            for minute in half:
                await producer.send(
                    journal, b"v", partition=0, timestamp_ms=MARCH_2020_MS + minute * 60_000
                )
            await producer.flush()

    part = TopicPartition(journal, 0)
    async with consuming(broker) as consumer:
        for wanted in (0, 1, 5, 6, 10, 21, 40):
            time_ms = MARCH_2020_MS + wanted * 60_000
            found = (await consumer.offsets_for_times({part: time_ms}))[part]
            first = next(i for i, minute in enumerate(minutes) if minute >= wanted)
            assert found.offset == first, f"from minute {wanted}"
            assert found.timestamp == MARCH_2020_MS + minutes[first] * 60_000
        beyond = await consumer.offsets_for_times({part: MARCH_2020_MS + 41 * 60_000})
        assert beyond[part] is None


async def test_a_group_goes_on_after_what_it_committed(
    broker: Broker, journal: str, prefix: str
) -> None:
    group = {"group_id": f"{prefix}group"}
    async with producing(broker) as producer:
        for number in range(90):
            await producer.send(journal, b"%d" % number, partition=number % 3)
        await producer.flush()

    async with consuming(broker, journal, **group) as consumer:
        seen = await _take(consumer, 60)
        await consumer.commit(_next_offsets(seen))
        committed = {p: await consumer.committed(p) for p in _next_offsets(seen)}
    async with consuming(broker, journal, **group) as consumer:
        rest = await _take(consumer, 30)

    assert committed == _next_offsets(seen)
    assert sorted(int(r.value) for r in (*seen, *rest)) == list(range(90))


async def test_a_partition_without_a_commit_has_none(
    broker: Broker, journal: str, prefix: str
) -> None:
    async with consuming(broker, journal, group_id=f"{prefix}group") as consumer:
        assert await consumer.committed(TopicPartition(journal, 0)) is None


async def _take(consumer: AIOKafkaConsumer, count: int) -> list[ConsumerRecord]:
    taken: list[ConsumerRecord] = []
    while len(taken) < count:
        found = await consumer.getmany(timeout_ms=5000, max_records=count - len(taken))
        assert found, f"only {len(taken)} of {count} records came"
        for records in found.values():
            taken += records
    return taken


def _next_offsets(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    return {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}


# ---- sizes ---------------------------------------------------------------------------------------


async def test_ten_megabytes_are_taken(broker: Broker, large_topic: str) -> None:
    body = bytes(range(256)) * (10 * 4096)
    async with producing(broker) as producer:
        await producer.send_and_wait(large_topic, body, partition=0)

    (record,) = await read_all(broker, large_topic, 1)
    assert record.value == body


async def test_more_than_sixteen_mebibytes_are_refused(broker: Broker, large_topic: str) -> None:
    async with producing(broker) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(large_topic, bytes(17 * MEBIBYTE), partition=0)
        await producer.send_and_wait(large_topic, b"next", partition=0)

    (record,) = await read_all(broker, large_topic, 1)
    assert record.value == b"next"


async def test_other_topics_take_no_more_than_a_mebibyte(broker: Broker, journal: str) -> None:
    async with producing(broker) as producer:
        await producer.send_and_wait(journal, bytes(1_000_000), partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(journal, bytes(MEBIBYTE + 1), partition=0)


# ---- a batch of state rows is appended whole or not at all ---------------------------------------


async def _send_batch(
    producer: AIOKafkaProducer, topic: str, rows: Sequence[tuple[bytes, bytes | None]]
) -> int:
    batch = producer.create_batch()
    for key, value in rows:
        assert batch.append(key=key, value=value, timestamp=MARCH_2020_MS) is not None
    batch.close()
    sent = await producer.send_batch(batch, topic, partition=0)
    first: int = (await sent).offset
    return first


async def test_a_batch_is_appended_whole(broker: Broker, changelog: str) -> None:
    # Two producers at once: the rows of one batch still lie beside each other.
    async def send_ten(name: bytes) -> list[int]:
        async with producing(broker, max_batch_size=MEBIBYTE) as producer:
            rows = [(b"%s-%d" % (name, row), name) for row in range(200)]
            return [await _send_batch(producer, changelog, rows) for _ in range(10)]

    firsts = await asyncio.gather(send_ten(b"one"), send_ten(b"two"))

    records = [r for r in await read_all(broker, changelog, 3) if r.partition == 0]
    assert len(records) == 2 * 10 * 200
    assert sorted(firsts[0] + firsts[1]) == list(range(0, 4000, 200))
    for name, own in zip((b"one", b"two"), firsts, strict=True):
        for first in own:
            keys = [r.key for r in records[first : first + 200]]
            assert keys == [b"%s-%d" % (name, row) for row in range(200)]
    assert {r.timestamp for r in records} == {MARCH_2020_MS}


async def test_a_batch_that_is_too_large_leaves_nothing(broker: Broker, changelog: str) -> None:
    async with producing(broker, max_batch_size=32 * MEBIBYTE) as producer:
        rows = [(b"%d" % row, bytes(MEBIBYTE)) for row in range(17)]
        with pytest.raises(MessageSizeTooLargeError):
            await _send_batch(producer, changelog, rows)
        assert await end_offset(broker, changelog) == 0
        assert await _send_batch(producer, changelog, rows[:15]) == 0

    assert await end_offset(broker, changelog) == 15


# ---- a broker of its own -------------------------------------------------------------------------


async def test_data_and_commits_outlast_a_restart(
    broker_name: str, prefix: str, tmp_path: Path
) -> None:
    topic = f"{prefix}{JOURNAL.name}"
    part = TopicPartition(topic, 0)
    with start_broker(broker_name, tmp_path) as broker:
        await apply_topics(broker.bootstrap, prefix, [CHANGELOG], partitions=1)
        async with producing(broker) as producer:
            for number in range(100):
                await producer.send(
                    topic, b"%d" % number, key=b"k", timestamp_ms=MARCH_2020_MS + number
                )
            await producer.flush()
        async with consuming(broker, topic, group_id="group") as consumer:
            await _take(consumer, 40)
            await consumer.commit({part: 40})

    with start_broker(broker_name, tmp_path) as broker:
        changes = await apply_topics(broker.bootstrap, prefix, [CHANGELOG], partitions=1)
        records = await read_all(broker, topic, 1)
        async with consuming(broker, topic, group_id="group") as consumer:
            rest = await _take(consumer, 60)

    assert {change.action for change in changes} == {"unchanged"}
    assert [(int(r.value), r.timestamp) for r in records] == [
        (number, MARCH_2020_MS + number) for number in range(100)
    ]
    assert [r.offset for r in rest] == list(range(40, 100))
