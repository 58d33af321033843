"""A worker of toy agents on a broker, from its start to its end."""

import asyncio
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from agents.records import INGESTED
from signals.names import DEAD_LETTERS
from streams.codec import encode
from streams.settings import Settings
from tests.agents.toys import BASE_US, A, B, D, toy
from tests.chaos.harness import (
    WorkerProcess,
    check_outputs,
    check_state,
    ends,
    fill,
    left_at_the_end,
    make_topics,
    read_all,
    toys,
    wait_until_drained,
)

NUMBERS = 300


def key(number: int) -> str:
    return f"K{number % 7}"


def _settings(broker, prefix: str) -> Settings:
    found = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix.strip("."))
    make_topics(found)
    return found


async def _send(settings: Settings, topic: str, records: list[tuple]) -> None:
    largest = 17 * 1024 * 1024
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, max_request_size=largest)
    await producer.start()
    for record_key, value, more in records:
        await producer.send_and_wait(settings.prefix + topic, value, key=record_key, **more)
    await producer.stop()


def test_chain_of_three_counts_every_record_and_stops_in_good_order(broker, prefix, tmp_path):
    settings = _settings(broker, prefix)
    asyncio.run(fill(settings, range(NUMBERS), key))
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_until_ready()
        wait_until_drained(settings, NUMBERS, [worker])
        assert worker.metric("tapewire_state_rows") > 0
        assert worker.get("/livez")[0] == 200
        assert worker.stop() == 0
    assert check_outputs(settings, NUMBERS, key) == 0
    check_state(settings, NUMBERS, key)
    assert not Path(f"{settings.group}-data").exists()  # it leaves nothing where it was started


def test_a_restart_goes_on_where_the_stop_was(embedded_broker, prefix, tmp_path):
    settings = _settings(embedded_broker, prefix)
    for part in (range(NUMBERS), range(NUMBERS, 2 * NUMBERS)):
        asyncio.run(fill(settings, part, key))
        with WorkerProcess(settings, tmp_path) as worker:
            worker.wait_until_ready()
            wait_until_drained(settings, part.stop, [worker])
            assert worker.stop() == 0
    assert check_outputs(settings, 2 * NUMBERS, key) == 0


def test_outputs_are_cloud_events_and_carry_when_the_first_input_came_in(
    embedded_broker, prefix, tmp_path
):
    settings = _settings(embedded_broker, prefix)
    header = {"headers": [(INGESTED, b"1760000000123456")]}
    asyncio.run(_send(settings, A.name, [(b"K", encode(toy(5)), header)]))
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, 1, [worker])
    (record,) = asyncio.run(read_all(settings, D.name))
    assert record.timestamp == BASE_US // 1000 + 5
    headers = dict(record.headers)
    assert headers["ce_id"] == b"d:5"
    assert headers["ce_type"] == b"tapewire.toy"
    assert headers["ce_source"] == b"/tapewire/count_again"
    assert headers["ce_time"] == b"2025-10-09T08:53:20.005000Z"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["content-type"] == b"application/json"
    assert headers[INGESTED] == b"1760000000123456"


BAD = {
    "not_json": (b"K", b'{"id": "a:1", '),
    "wrong_type": (b"K", b'{"id": "a:1", "number": "1", "received_us": 1}'),
    "missing_field": (b"K", b'{"id": "a:1", "number": 1}'),
    "invalid_utf8": (b"K", b'{"id": "\xff\xfe"}'),
    "null_value": (b"K", None),
    "too_large": (b"K", encode(toy(1, pad="x" * 10_000_000))),
    "future_publish_time": (b"K", encode(toy(1, pad="bad"))),
    "step_failed": (b"K", encode(toy(1, pad="bug"))),
    "output_too_large": (b"K", encode(toy(1, pad="large"))),
    "bad_value": (b"K\x00", encode(toy(1))),
}


def test_bad_input_ends_in_dead_letters_untouched_and_the_stream_goes_on(broker, prefix, tmp_path):
    settings = _settings(broker, prefix)
    sent = []
    own = [("ce_id", b"x"), ("reason", b"theirs"), ("none", None)]
    for i, (record_key, value) in enumerate([*BAD.values(), (None, encode(toy(1)))]):
        sent += [
            (b"G", encode(toy(i)), {"partition": 2}),
            (record_key, value, {"partition": 2, "headers": own}),
        ]
    sent.append((b"G", encode(toy(len(BAD) + 1)), {"partition": 2}))
    asyncio.run(_send(settings, A.name, sent))
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, len(BAD) + 2, [worker])
        assert worker.metric("tapewire_dead_letters_total") == len(BAD) + 1
        assert worker.stop() == 0
    letters = asyncio.run(read_all(settings, DEAD_LETTERS))
    reasons = [dict(letter.headers)["reason"].decode() for letter in letters]
    assert reasons == [*BAD, "missing_field"]
    for letter in letters:
        assert list(letter.headers[: len(own)]) == own
        headers = {name: text.decode() for name, text in letter.headers[len(own) :]}
        record_key, value, _ = sent[int(headers["offset"])]
        assert (letter.key, letter.value) == (record_key, value)
        assert headers["topic"] == A.name
        assert headers["partition"] == "2"
        assert headers["agent"] == "forward"
        assert headers["path"].startswith("$")
        assert headers["detail"]
    assert dict(letters[7].headers)["exception"] == b"RuntimeError"
    good = [message.number for _, message in asyncio.run(toys(settings, D.name))]
    assert good == list(range(len(BAD) + 2))


def test_the_largest_record_that_a_topic_takes_fits_the_dead_letters(broker, prefix, tmp_path):
    settings = _settings(broker, prefix)
    value = b"{" * (16 * 1024 * 1024 - 200)
    asyncio.run(_send(settings, A.name, [(b"K", value, {}), (b"K", encode(toy(1)), {})]))
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, 1, [worker])
        assert worker.metric("tapewire_dead_letters_total") == 1
    (letter,) = asyncio.run(read_all(settings, DEAD_LETTERS))
    assert letter.value == value


async def _make_again(settings: Settings, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    await admin.delete_topics([settings.prefix + name])
    await admin.close()


@pytest.mark.parametrize("refill", [0, NUMBERS], ids=["shorter", "as long"])
def test_a_topic_made_again_under_its_state_is_refused(embedded_broker, prefix, tmp_path, refill):
    settings = _settings(embedded_broker, prefix)
    asyncio.run(fill(settings, range(NUMBERS), key))
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, NUMBERS, [worker])
        assert worker.stop() == 0
    asyncio.run(_make_again(settings, B.name))
    time.sleep(1)
    make_topics(settings)
    others = [(key(n).encode(), encode(toy(n + 1)), {}) for n in range(refill)]
    asyncio.run(_send(settings, B.name, others))
    with WorkerProcess(settings, tmp_path) as worker:
        assert worker.process.wait(30) == 2
        assert f"{prefix}{B.name} was created again under the state of count" in worker.tail()
        assert "TAPEWIRE_GROUP" in worker.tail()


def test_a_changelog_that_is_gone_is_refused(embedded_broker, prefix, tmp_path):
    settings = _settings(embedded_broker, prefix)
    asyncio.run(fill(settings, range(NUMBERS), key))
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, NUMBERS, [worker])
        assert worker.stop() == 0
    asyncio.run(_make_again(settings, f"{settings.group}-count-changelog"))
    time.sleep(1)
    make_topics(settings)
    with WorkerProcess(settings, tmp_path) as worker:
        assert worker.process.wait(30) == 2
        assert "the state of count is gone" in worker.tail()


def test_missing_topics_are_named(embedded_broker, prefix, tmp_path):
    settings = Settings(broker=embedded_broker.bootstrap, prefix=prefix, group=prefix.strip("."))
    with WorkerProcess(settings, tmp_path) as worker:
        assert worker.process.wait(30) == 2
        assert f"topics are missing: {prefix}{A.name}" in worker.tail()


def test_a_backlog_does_not_starve_the_stages_behind(embedded_broker, prefix, tmp_path):
    settings, count = _settings(embedded_broker, prefix), 200_000
    asyncio.run(fill(settings, range(count), key))
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_for(lambda: left_at_the_end(settings)[1] > 0, 40)
        (forwarded,) = asyncio.run(ends(settings, B.name))
        assert forwarded < count, "the first stage must not have read all before the last began"
