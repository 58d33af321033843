"""The four real agents: workers killed while headlines and prices flow, and bad input."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from signals import names
from signals.messages import Alert, Headline
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import decode, encode
from streams.settings import Settings
from tests.chaos.harness import WorkerProcess, lags, read_all
from tests.chaos.outcome import (
    check_exact,
    check_once,
    check_same_ending,
    recorded_run,
    replayed_run,
)
from tests.chaos.real import (
    STAGES,
    Bursts,
    RealWorker,
    World,
    make_real_topics,
    out,
    recorded_world,
    settings_for,
    wait_until_done,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(420)]

_GROWN = 100  # outputs that a worker must have added before it is killed


@pytest.fixture(scope="module")
def world() -> World:
    return recorded_world([date(2025, 11, 3)], ("AMZN", "CIFR", "IREN", "MSFT", "SPY"))


def test_three_kills_lose_nothing_and_double_nothing(
    broker: Broker, prefix: str, tmp_path: Path, world: World
) -> None:
    settings = settings_for(broker, prefix)
    make_real_topics(settings)
    feed = Bursts(settings, world)
    feed.start()
    written = 0
    for kill in (1, 2, 3):
        with RealWorker(settings, tmp_path) as worker:
            feed.allow(kill / 4)
            _wait_for_outputs([worker], settings, written + _GROWN)
            feed.allow(kill / 4 + 1 / 8)
            worker.kill_behind(lambda: feed.sent, more=100)
        assert sum(asyncio.run(lags(settings, STAGES))) > 0, "work must be left at the kill"
        written = out(settings)
    with RealWorker(settings, tmp_path) as worker:
        feed.finish()
        wait_until_done(settings, [worker])
        assert worker.stop() == 0
    _check(settings, tmp_path, world, written)


def test_one_of_two_workers_is_killed(
    kafka_broker: Broker, prefix: str, tmp_path: Path, world: World
) -> None:
    settings = settings_for(kafka_broker, prefix)
    other = replace(settings, worker="worker-1")
    make_real_topics(settings)
    feed = Bursts(settings, world)
    feed.start()
    with RealWorker(settings, tmp_path) as survivor, RealWorker(other, tmp_path) as killed:
        for worker in (survivor, killed):
            worker.wait_until_ready(90)
        feed.allow(1 / 2)
        _wait_for_share(killed)
        feed.allow(5 / 8)
        killed.kill_behind(lambda: feed.sent, more=100)
        assert sum(asyncio.run(lags(settings, STAGES))) > 0, "work must be left at the kill"
        written = out(settings)
        feed.finish()
        wait_until_done(settings, [survivor])
        assert survivor.stop() == 0
    _check(settings, tmp_path, world, written)


def _wait_for_outputs(workers: Sequence[WorkerProcess], settings: Settings, more_than: int) -> None:
    workers[0].wait_for(lambda: out(settings) > more_than, 120)


def _wait_for_share(worker: WorkerProcess) -> None:
    """Return when a worker has folded some of what flows, of the agents with state too."""
    worker.wait_for(lambda: worker.metric("tapewire_records_out_total") > _GROWN, 120)


def _check(settings: Settings, folder: Path, world: World, written: int) -> None:
    live, replayed = recorded_run(settings, folder / "recording"), replayed_run(world)
    repeats = check_once(live, replayed)
    after = sum(len(live.topics[t]) for t in (names.JOURNAL, names.REACTIONS, names.ALERTS))
    assert after > written + repeats, "outputs must grow after the last kill"
    check_exact(live)
    check_same_ending(live, replayed)
    assert live.topics[names.DEAD_LETTERS] == []


# ---- bad input -----------------------------------------------------------------------------------

_AT_US = 1_762_169_823_000_000
_GOOD: dict[str, Any] = {
    "id": "wire:good",
    "title": "",
    "source": "wire",
    "published_us": _AT_US,
    "received_us": _AT_US + 5_000_000,
}


def _without(name: str) -> bytes:
    return _plain({key: value for key, value in _GOOD.items() if key != name})


def _with(**changes: object) -> bytes:
    return _plain(_GOOD | changes)


def _plain(value: object) -> bytes:
    return json.dumps(value).encode()


@dataclass(frozen=True)
class Bad:
    """A record that no agent can use, and what its dead letter says."""

    value: bytes | None
    reason: str
    path: str


BAD = {
    "broken JSON": Bad(b'{"id": "wire:1", "title', "not_json", "$"),
    "no object": Bad(b"[1, 2]", "wrong_type", "$"),
    "a number for a title": Bad(_with(title=12), "wrong_type", "$.title"),
    "no title": Bad(_without("title"), "missing_field", "$.title"),
    "invalid UTF-8": Bad(b'{"id": "wire:\xff\xfe"}', "invalid_utf8", "$"),
    "null value": Bad(None, "null_value", "$"),
    "10 MB body": Bad(_with(body="x" * 10_000_000), "too_large", "$.body"),
    "no publish time": Bad(_without("published_us"), "no_publish_time", "$.published_us"),
    "publish time as text": Bad(
        _with(published_us="3 November"), "bad_publish_time", "$.published_us"
    ),
    "publish time in the future": Bad(
        _with(published_us=_AT_US + 3_600_000_000), "future_publish_time", "$.published_us"
    ),
    "unknown status": Bad(_with(status="lost"), "bad_value", "$.status"),
}
_PARTIES = (
    ("IREN", "Microsoft"), ("Cipher Mining", "Amazon"), ("Dell", "Nvidia"), ("AMD", "OpenAI"),
    ("Oracle", "Meta"), ("CoreWeave", "Google"), ("Intel", "Apple"), ("Tesla", "Samsung"),
    ("SK hynix", "Broadcom"), ("Micron", "Microsoft"), ("Nebius", "Meta"),
    ("Applied Digital", "AMD"),
)  # fmt: skip


def test_bad_headlines_end_in_dead_letters_and_the_good_ones_in_alerts(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    settings = settings_for(broker, prefix)
    make_real_topics(settings)
    good = [_deal(number, *_PARTIES[number]) for number in range(len(BAD) + 1)]
    sent: list[tuple[bytes, bytes | None]] = []
    for headline, bad in zip(good, [*BAD.values(), None], strict=True):
        sent.append((headline.id.encode(), encode(headline)))
        if bad is not None:
            sent.append((b"wire:bad", bad.value))
    asyncio.run(_send_raw(settings, sent))
    with RealWorker(settings, tmp_path) as worker:
        wait_until_done(settings, [worker])
        assert worker.metric("tapewire_dead_letters_total") == len(BAD)
        assert worker.stop() == 0
    _check_letters(settings, sent)
    alerts = [decode(r.value, Alert) for r in asyncio.run(read_all(settings, names.ALERTS))]
    told = {headline_id for alert in alerts for headline_id in alert.headline_ids}
    assert told == {headline.id for headline in good}


def _deal(number: int, one: str, other: str) -> Headline:
    title = f"{one} signs ${number + 2}.4 billion cloud contract with {other}"
    return decode(_with(id=f"wire:{number}", title=title), Headline)


async def _send_raw(settings: Settings, records: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Append to one partition, so that whatever stops at a bad record stops the good ones."""
    topic = settings.prefix + names.HEADLINES
    async with open_producer(settings.broker) as producer:
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key, partition=1)


def _check_letters(settings: Settings, sent: Sequence[tuple[bytes, bytes | None]]) -> None:
    letters = asyncio.run(read_all(settings, names.DEAD_LETTERS))
    headers = [{name: text.decode() for name, text in letter.headers} for letter in letters]
    said = [(header["reason"], header["path"]) for header in headers]
    assert said == [(bad.reason, bad.path) for bad in BAD.values()]
    for number, (letter, header) in enumerate(zip(letters, headers, strict=True)):
        offset = 2 * number + 1
        assert (letter.key, letter.value) == sent[offset]
        where = {"topic": names.HEADLINES, "partition": "1", "offset": str(offset)}
        assert where.items() <= header.items()
        assert header["agent"] == "read_headlines"
        assert header["detail"]
