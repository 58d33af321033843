"""The verb over Yahoo's bars, killed and started again: each bar once, in order, on the topic."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signals.messages import PriceSample
from signals.policy import MINUTE_US, SECOND_US
from streams.brokers import Broker
from streams.clients import open_consumer, partitions_of, read_to_end
from streams.codec import decode
from streams.settings import PREFIX
from streams.topic_admin import apply_topics
from streams.topics import PRICES
from tests.builders import us
from tests.yahoo.server import Row, Yahoo, until

OPEN = us("2025-11-03T14:30:00Z")
NOW = us("2025-11-03T21:30:00Z")
TICKERS = ("DELL", "IREN", "SPY")  # SPY is asked for as the benchmark of the others
BARS = 390

# The real verb and the real source, on the test's server and at the test's time.
SCRIPT = """\
import sys
from streams.sources import live
from streams.sources.yahoo_bars import YahooBars
from tapewire import cli, ingesting
url, now = sys.argv[1], int(sys.argv[2])
ingesting.now_us = lambda: now
live.LIVE_SOURCES["yahoo"] = lambda options: YahooBars(
    tickers=options.tickers, on_fault=options.on_fault, interval=options.interval,
    benchmarks=options.benchmarks, clock=lambda: now, base_url=url, poll_s=0.05,
    backlog_us=12 * 3_600_000_000, backoff_s=(0.02, 0.1),
)
sys.exit(cli.main(sys.argv[3:]))
"""

pytestmark = pytest.mark.chaos


def minutes(price: float) -> list[Row]:
    begin = OPEN // SECOND_US
    return [
        (begin + 60 * at, price, price + 0.07, price - 0.03, price + 0.01, 100 + at)
        for at in range(BARS)
    ]


@contextmanager
def ingesting(
    broker: Broker, prefix: str, yahoo: Yahoo, cache: Path
) -> Iterator[subprocess.Popen[str]]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    environment["XDG_CACHE_HOME"] = str(cache)
    words = ["ingest", "prices", "--yahoo", "IREN,DELL", "--broker", broker.bootstrap]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", SCRIPT, yahoo.url, str(NOW), *words, "--prefix", prefix],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def held_in(broker: Broker, topic: str) -> list[PriceSample]:
    found: list[PriceSample] = []
    async with open_consumer(broker.bootstrap) as consumer:
        async for record in read_to_end(consumer, await partitions_of(broker.bootstrap, [topic])):
            found.append(decode(record.value, PriceSample))
    return found


async def wait_for(broker: Broker, topic: str, count: int, also: Callable[[], bool]) -> None:
    async with open_consumer(broker.bootstrap) as consumer:
        partitions = await partitions_of(broker.bootstrap, [topic])
        held = 0

        async def ask() -> None:
            nonlocal held
            while held < count:
                held = sum((await consumer.end_offsets(partitions)).values())
                await asyncio.sleep(0.005)

        asking = asyncio.create_task(ask())
        try:
            await until(lambda: held >= count and also(), timeout_s=60)
        finally:
            asking.cancel()


async def test_yahoos_bars_are_each_sent_once_whatever_kills_the_ingest(
    embedded_broker: Broker, prefix: str, yahoo: Yahoo, tmp_path: Path
) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=3)
    topic = f"{prefix}{PRICES.name}"
    for at, ticker in enumerate(TICKERS):
        yahoo.rows[ticker, "1m"] = minutes(50.0 + at)
        yahoo.answers[ticker] = deque(["429", "cut"])

    for count in (1, 150, 500, 900):
        with ingesting(embedded_broker, prefix, yahoo, tmp_path) as process:
            await wait_for(embedded_broker, topic, count, lambda: True)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with ingesting(embedded_broker, prefix, yahoo, tmp_path) as process:
        await wait_for(embedded_broker, topic, BARS * len(TICKERS), lambda: True)
        asked = len(yahoo.requests)
        await until(lambda: len(yahoo.requests) >= asked + 2 * len(TICKERS))
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)

    ends: dict[str, list[int]] = defaultdict(list)
    for sample in await held_in(embedded_broker, topic):
        ends[sample.ticker].append(sample.end_us or 0)
    wanted = [OPEN + MINUTE_US * at for at in range(1, BARS + 1)]
    assert ends == dict.fromkeys(TICKERS, wanted)
    assert process.returncode == 0
    assert out.startswith("sent ")
    assert "refused 0, already there 0" in out
