"""An ingest that is killed at any point, and started again, loses nothing and repeats nothing."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from signals.messages import PriceSample
from streams.brokers import Broker
from streams.clients import open_consumer, partitions_of, read_to_end
from streams.clock import monotonic_s
from streams.codec import decode
from streams.settings import PREFIX
from streams.topic_admin import apply_topics
from streams.topics import PRICES

ROWS = 12_000
START_S = 60.0
TICKERS = [f"T{number}" for number in range(23)]

pytestmark = pytest.mark.chaos


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    draw = random.Random(11)
    lines = ["time,ticker,price,volume"]
    lines += [
        f"2025-11-03T14:{30 + number // 1000}:{number // 17 % 60:02d}Z,{draw.choice(TICKERS)},"
        f"{number + 1},{draw.randint(1, 9)}"
        for number in range(ROWS)
    ]
    path = tmp_path / "tape.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def ingesting(broker: Broker, prefix: str, tape: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    address = ["--broker", broker.bootstrap, "--prefix", prefix]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tapewire", "ingest", "prices", str(tape), *address],
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


async def wait_for(broker: Broker, topic: str, count: int, process: subprocess.Popen[str]) -> None:
    """Return once the topic has so many records, or the process has ended."""
    until_s = monotonic_s() + START_S
    async with open_consumer(broker.bootstrap) as consumer:
        partitions = await partitions_of(broker.bootstrap, [topic])
        while sum((await consumer.end_offsets(partitions)).values()) < count:
            if process.poll() is not None:
                return
            assert monotonic_s() < until_s, f"no {count} records within {START_S:.0f} s"
            await asyncio.sleep(0.01)


async def held_in(broker: Broker, topic: str) -> dict[str, list[Decimal | None]]:
    found: dict[str, list[Decimal | None]] = defaultdict(list)
    async with open_consumer(broker.bootstrap) as consumer:
        async for record in read_to_end(consumer, await partitions_of(broker.bootstrap, [topic])):
            sample: PriceSample = decode(record.value, PriceSample)
            found[sample.ticker].append(sample.price)
    return found


def rows_of(tape: Path) -> dict[str, list[Decimal | None]]:
    found: dict[str, list[Decimal | None]] = defaultdict(list)
    for line in tape.read_text().splitlines()[1:]:
        _, ticker, price, _ = line.split(",")
        found[ticker].append(Decimal(price))
    return found


async def test_ingest_killed_at_random_points_sends_each_row_once_in_order(
    broker: Broker, prefix: str, tape: Path
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    topic = f"{prefix}{PRICES.name}"
    draw = random.Random(os.getpid())
    kills = 0
    for share in sorted(draw.random() for _ in range(5)):
        with ingesting(broker, prefix, tape) as process:
            await wait_for(broker, topic, 1 + int(share * (ROWS - 1000)), process)
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()

    with ingesting(broker, prefix, tape) as process:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
    with ingesting(broker, prefix, tape) as process:
        again, _ = process.communicate(timeout=120)

    assert kills >= 3
    assert f"already there {ROWS}," in again
    assert "sent 0 prices" in again
    assert "already there 0," not in out
    assert await held_in(broker, topic) == rows_of(tape)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_a_file_in_good_order_and_says_what_was_sent(
    embedded_broker: Broker, prefix: str, tape: Path, number: signal.Signals
) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix)
    topic = f"{prefix}{PRICES.name}"
    with ingesting(embedded_broker, prefix, tape) as process:
        await wait_for(embedded_broker, topic, 500, process)
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)

    held = sum(map(len, (await held_in(embedded_broker, topic)).values()))
    assert process.returncode == 130
    assert errors == ""
    assert out.startswith(f"sent {held} prices, refused 0, already there 0, in ")
    assert out.endswith("; stopped, the same command goes on from here\n")
    assert 500 <= held < ROWS
