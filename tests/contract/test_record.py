"""Recording topics, and reading them back, on each broker."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from signals import names
from signals.errors import ConfigError, Unavailable
from streams.brokers import Broker
from streams.clients import describe_partitions, open_admin, open_producer
from streams.recorder import ALL, Recorder, Tally
from streams.recording import open_recording, read_recording
from streams.recordings.manifest import ParquetManifest, Request
from streams.recordings.records import Recorded
from streams.topic_admin import apply_topics, wait_until_ready
from streams.topic_reader import StoredTopics, TopicReader

pytest.importorskip("pyarrow")

PARTITIONS = 3
FIRST_MS = 1_762_180_200_000


async def make_topics(broker: Broker, *names_: str) -> None:
    # The records are of last year: a topic with the usual retention would lose them at any moment.
    kept = {"retention.ms": "-1"}
    new = [NewTopic(name, PARTITIONS, 1, topic_configs=kept) for name in names_]
    async with open_admin(broker.bootstrap) as admin:
        await admin.create_topics(new)
    await wait_until_ready(broker.bootstrap, dict.fromkeys(names_, PARTITIONS))


async def fill(broker: Broker, topic: str, numbers: Sequence[int]) -> list[Recorded]:
    """Append records of any kind, a second apart; return them, without prefix."""
    draw = random.Random(numbers[0])
    sent = []
    async with open_producer(broker.bootstrap) as producer:
        for number in numbers:
            key = draw.choice([None, b"", b"IREN", b"\xff\x00"])
            # The client refuses a record with neither.
            nothing = [] if key is None else [None]
            value = draw.choice([*nothing, b"", b"%d" % number, draw.randbytes(300)])
            headers = [("h", draw.randbytes(3)), ("h", b"")][: draw.randrange(3)]
            stamp = FIRST_MS + number * 1000
            acknowledged = await producer.send(
                topic, key=key, value=value, headers=headers, timestamp_ms=stamp,
                partition=number % PARTITIONS,
            )  # fmt: skip
            sent.append((acknowledged, key, value, stamp, tuple(headers)))
        await producer.flush()
    return [
        Recorded(
            topic=topic.split(".", 1)[1],
            partition=place.partition,
            offset=place.offset,
            key=key,
            value=value,
            timestamp_ms=stamp,
            headers=headers,
        )
        for acknowledged, key, value, stamp, headers in sent
        for place in (acknowledged.result(),)
    ]


async def record(
    broker: Broker,
    prefix: str,
    folder: Path,
    *,
    topics: tuple[str, ...] = (ALL,),
    **changes: object,
) -> tuple[ParquetManifest, Tally]:
    bounds = {name: changes.pop(name) for name in ("from_ms", "to_ms") if name in changes}
    request = Request(prefix=prefix, topics=topics, **bounds)  # type: ignore[arg-type]  # as named
    recorder = Recorder(broker.bootstrap, request, folder, **changes)  # type: ignore[arg-type]  # as named
    manifest = await recorder.run(asyncio.Event(), lambda _: None)
    return manifest, recorder.tally


def in_order(records: Sequence[Recorded]) -> list[Recorded]:
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def test_a_recording_holds_the_bytes_of_the_topics(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a", f"{prefix}b", f"{prefix}empty")
    one = await fill(broker, f"{prefix}a", range(900))
    other = await fill(broker, f"{prefix}b", range(5))

    manifest, tally = await record(broker, prefix, tmp_path / "r", file_bytes=20_000)

    assert list(read_recording(tmp_path / "r", "a")) == in_order(one)
    assert list(read_recording(tmp_path / "r", "b")) == in_order(other)
    assert list(read_recording(tmp_path / "r", "empty")) == []
    assert tally.records == 905
    assert manifest.complete
    assert manifest.gaps("a") == 0
    assert open_recording(tmp_path / "r").starts("a") == {0: 0, 1: 0, 2: 0}


async def test_a_record_larger_than_what_is_fetched_at_once_is_held_too(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    topic = f"{prefix}{names.HEADLINES}"
    values = [b"small", b"x" * 5_000_000, b"y" * 3_000_000, b"small"]
    async with open_producer(broker.bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k", partition=1)

    def read() -> list[bytes | None]:
        with TopicReader(broker.bootstrap, [topic]) as reader:
            return [record.value for record in StoredTopics(reader, prefix).read(names.HEADLINES)]

    await record(broker, prefix, tmp_path / "r", topics=(names.HEADLINES,))

    held = [item.value for item in read_recording(tmp_path / "r", names.HEADLINES)]
    assert held == values
    assert await asyncio.to_thread(read) == values


async def test_a_second_run_goes_on_after_the_last_record(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a")
    before = await fill(broker, f"{prefix}a", range(300))
    await record(broker, prefix, tmp_path / "r")
    after = await fill(broker, f"{prefix}a", range(300, 400))

    _, tally = await record(broker, prefix, tmp_path / "r")
    _, idle = await record(broker, prefix, tmp_path / "r")

    assert list(read_recording(tmp_path / "r", "a")) == in_order([*before, *after])
    assert (tally.held, tally.records) == (300, 100)
    assert (idle.held, idle.records) == (400, 0)


async def test_bounds_go_by_the_records_timestamps(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a")
    sent = await fill(broker, f"{prefix}a", range(300))
    from_ms, to_ms = FIRST_MS + 100_000, FIRST_MS + 200_000

    manifest, _ = await record(broker, prefix, tmp_path / "r", from_ms=from_ms, to_ms=to_ms)

    expected = [item for item in sent if from_ms <= item.timestamp_ms < to_ms]
    assert list(read_recording(tmp_path / "r", "a")) == in_order(expected)
    assert all(span.first > 0 for span in manifest.topics["a"].values())
    with pytest.raises(ConfigError, match="another from"):
        await record(broker, prefix, tmp_path / "r", to_ms=to_ms)


async def test_what_comes_is_followed_until_it_is_stopped(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a")
    before = await fill(broker, f"{prefix}a", range(30))
    request = Request(prefix=prefix, topics=("a",))
    recorder = Recorder(broker.bootstrap, request, tmp_path / "r", follow=True)
    stop = asyncio.Event()

    def until_all_is_there(tally: Tally) -> None:
        if tally.records == 60:
            stop.set()

    running = asyncio.create_task(recorder.run(stop, until_all_is_there))
    after = await fill(broker, f"{prefix}a", range(30, 60))
    manifest = await asyncio.wait_for(running, 60)

    assert manifest.complete
    assert list(read_recording(tmp_path / "r", "a")) == in_order([*before, *after])


async def test_a_run_that_is_stopped_keeps_what_is_whole_and_says_so(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a")
    sent = await fill(broker, f"{prefix}a", range(30))
    request = Request(prefix=prefix, topics=("a",))
    stop = asyncio.Event()
    stop.set()

    stopped = await Recorder(broker.bootstrap, request, tmp_path / "r").run(stop, lambda _: None)
    whole, _ = await record(broker, prefix, tmp_path / "r", topics=("a",))

    assert not stopped.complete
    assert {span.end for span in stopped.topics["a"].values()} == {0}
    assert whole.complete
    assert list(read_recording(tmp_path / "r", "a")) == in_order(sent)


async def test_a_topic_that_was_created_again_is_not_gone_on_with(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    await make_topics(broker, f"{prefix}a")
    await fill(broker, f"{prefix}a", range(30))
    await record(broker, prefix, tmp_path / "r")
    async with open_admin(broker.bootstrap) as admin:
        await admin.delete_topics([f"{prefix}a"])
    while f"{prefix}a" in await describe_partitions(broker.bootstrap):
        pass
    await make_topics(broker, f"{prefix}a")
    await fill(broker, f"{prefix}a", range(1, 60))

    with pytest.raises(ConfigError, match="was created again"):
        await record(broker, prefix, tmp_path / "r")


async def test_a_topic_that_is_not_there_is_named(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match=f"{prefix}none is not there"):
        await record(broker, prefix, tmp_path / "r", topics=("none",))
    with pytest.raises(Unavailable, match=f"no topic begins with '{prefix}'"):
        await record(broker, prefix, tmp_path / "r")


async def test_topics_are_read_from_the_broker_as_from_a_recording(
    broker: Broker, prefix: str
) -> None:
    await make_topics(broker, f"{prefix}a")
    sent = await fill(broker, f"{prefix}a", range(1200))

    def read() -> tuple[list[Recorded], list[Recorded], list[Recorded]]:
        with TopicReader(broker.bootstrap, [f"{prefix}a"]) as reader:
            topics = StoredTopics(reader, prefix)
            late = StoredTopics(reader, prefix, since_ms=FIRST_MS + 600_000)
            # Two partitions in turns, as a merge reads them.
            pairs = zip(topics.read("a", 0), topics.read("a", 1), strict=True)
            turns = [record for pair in pairs for record in pair]
            return list(topics.read("a")), turns, list(late.read("a"))

    every, turns, late = await asyncio.to_thread(read)

    assert every == in_order(sent)
    assert in_order(turns) == [item for item in in_order(sent) if item.partition < 2]
    assert late == [i for i in in_order(sent) if i.timestamp_ms >= FIRST_MS + 600_000]
