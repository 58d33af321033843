"""How long a headline takes from its append to the receipt of its alert, on Apache Kafka.

One worker runs the four agents. Headlines are appended at an even rate, each with the wall clock of
its append in the header ``tapewire-ingested-us``, which the agents carry on to what they derive; a
consumer in this process notes when it holds the alert. The first two seconds are left out. What
must come of the headlines is computed by a replay first, so that the end can say what is lost.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.headlines import draw_headlines, names_of
from signals import names
from signals.messages import Alert, Headline
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.clients import partitions_of
from streams.clock import monotonic_s, now_us
from streams.codec import decode, encode
from streams.ingest import INGESTED
from streams.replay import Pipeline
from streams.rule_loading import load_rules
from tapewire.live_run import LiveRun, live_run

_WARM_UP_S = 2.0
_PARTITIONS = 12
_IDLE_S = 3.0


@dataclass(frozen=True, slots=True)
class Received:
    """An alert as it came: when it was held, when its headline was appended, its bytes."""

    at_us: int
    appended_us: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """How the appending went: when it began, and by how much it was ever behind its pace."""

    started_us: int
    behind_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where a story is missing."""
    options = _parser().parse_args(arguments)
    count = options.rate * options.seconds
    drawn = draw_headlines(
        names_of(load_rules()),
        count,
        rate=options.rate,
        start_us=now_us(),
        seed=options.seed,
        deals=options.deals,
    )
    headlines = list(drawn)
    say(f"replaying {count:,} headlines to know what must come of them")
    begun_s = time.process_time()
    expected = _replayed(headlines)
    fold_us = (time.process_time() - begun_s) / count * 1e6
    with tempfile.TemporaryDirectory(prefix="tapewire-bench-") as folder:
        agents = assemble_agents(Policy())
        run = live_run(
            options.broker, Path(folder), agents, partitions=_PARTITIONS, tell=lambda _: None
        )
        with run as live:
            say(f"sending {options.rate:,} a second for {options.seconds} s")
            result = asyncio.run(_measure(live, headlines, options.rate))
            figures = _figures(*result, expected=expected)
            figures |= _worker_figures(live, count)
    figures = {
        "benchmark": "latency",
        "broker": options.broker,
        "rate": options.rate,
        "seconds": options.seconds,
        "deals": options.deals,
        "sent": count,
        **figures,
        "replay_us_per_headline": round(fold_us),
        "load": [round(load, 1) for load in os.getloadavg()],
    }
    _show(figures)
    return 1 if figures["stories_missing"] or figures["stories_extra"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks latency")
    parser.add_argument("--rate", type=int, default=1000, help="headlines a second (default: 1000)")
    parser.add_argument("--seconds", type=int, default=20, help="how long (default: 20)")
    parser.add_argument(
        "--deals", type=float, default=1.0, help="share that reports a deal (default: 1.0)"
    )
    parser.add_argument("--broker", default="kafka", help="kafka or embedded (default: kafka)")
    parser.add_argument("--seed", type=int, default=1, help="of the headlines (default: 1)")
    return parser


def say(text: str) -> None:
    """Tell on stderr what is going on."""
    print(text, file=sys.stderr, flush=True)


# ---- what must come out --------------------------------------------------------------------------


def _replayed(headlines: Sequence[Headline]) -> dict[str, object]:
    pipeline = Pipeline(assemble_agents(Policy()))
    alerts = [
        output.message
        for headline in headlines
        for output in pipeline.feed(names.HEADLINES, headline.id, headline)
        if isinstance(output.message, Alert)
    ]
    return _standing(alerts)


def _standing(alerts: Sequence[Alert]) -> dict[str, object]:
    """Return the stories that stand at the end, each with what it says."""
    last = {a.alert_id: a for a in sorted(alerts, key=lambda alert: alert.revision)}
    return {
        f"{a.story_id} {a.anchor}": (a.status, a.tickers, a.amounts)
        for a in last.values()
        if a.kind not in ("retracted", "superseded")
    }


# ---- the run -------------------------------------------------------------------------------------


async def _measure(
    live: LiveRun, headlines: Sequence[Headline], rate: int
) -> tuple[Sent, list[Received]]:
    received: list[Received] = []
    async with _alert_consumer(live) as consumer:
        consuming = asyncio.create_task(_consume(consumer, received))
        try:
            sent = await _send(live, headlines, rate)
            say("waiting for the rest")
            await asyncio.to_thread(live.wait_until_done, lambda _: None)
            count = -1
            while count != len(received):
                count = len(received)
                await asyncio.sleep(_IDLE_S)
        finally:
            consuming.cancel()
    return sent, received


@asynccontextmanager
async def _alert_consumer(live: LiveRun) -> AsyncIterator[AIOKafkaConsumer]:
    settings = live.settings
    partitions = await partitions_of(settings.broker, [settings.prefix + names.ALERTS])
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield consumer
    finally:
        await consumer.stop()


async def _consume(consumer: AIOKafkaConsumer, received: list[Received]) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            at_us = now_us()
            for record in records:
                appended_us = int(dict(record.headers)[INGESTED])
                received.append(Received(at_us, appended_us, record.value))


async def _send(live: LiveRun, headlines: Sequence[Headline], rate: int) -> Sent:
    topic = live.settings.prefix + names.HEADLINES
    bodies = [(headline.id.encode(), encode(headline)) for headline in headlines]
    producer = AIOKafkaProducer(bootstrap_servers=live.settings.broker, acks="all", linger_ms=1)
    await producer.start()
    behind_s = 0.0
    started_us, started_s = now_us(), monotonic_s()
    try:
        for number, (key, value) in enumerate(bodies):
            ahead_s = started_s + number / rate - monotonic_s()
            behind_s = max(behind_s, -ahead_s)
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            elif number % 20 == 0:
                await asyncio.sleep(0)
            await producer.send(topic, value, key=key, headers=[(INGESTED, b"%d" % now_us())])
    finally:
        await producer.stop()
    return Sent(started_us, behind_s)


# ---- the figures ---------------------------------------------------------------------------------


def _figures(
    sent: Sent, received: Sequence[Received], *, expected: dict[str, object]
) -> dict[str, object]:
    alerts = [decode(one.value, Alert) for one in received]
    found = _standing(alerts)
    from_us = sent.started_us + _WARM_UP_S * 1_000_000
    waits = sorted(
        (one.at_us - one.appended_us) / 1000 for one in received if one.appended_us >= from_us
    )
    return {
        "stories_expected": len(expected),
        "stories_received": len(found),
        "stories_missing": sum(found.get(name) != said for name, said in expected.items()),
        "stories_extra": len(found.keys() - expected.keys()),
        "alerts_received": len(received),
        "alerts_new": sum(alert.kind == "new" for alert in alerts),
        "alerts_timed": len(waits),
        **{
            f"p{name}_ms": _quantile(waits, part)
            for name, part in (("50", 0.5), ("99", 0.99), ("99_9", 0.999))
        },
        "max_ms": round(waits[-1], 1) if waits else None,
        "producer_behind_ms": round(sent.behind_s * 1000, 1),
    }


def _quantile(ordered: Sequence[float], part: float) -> float | None:
    """Return the value below which a part (0 to 1) of ordered values lies."""
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1) if ordered else None


def _worker_figures(live: LiveRun, count: int) -> dict[str, object]:
    """Return the worker's CPU seconds, and what each agent's folds took of the clock."""
    address = f"http://{live.settings.web_host}:{live.settings.web_port}/metrics"
    with urlopen(address, timeout=10) as answer:
        text = answer.read().decode()
    stages = re.findall(r'^tapewire_stage_seconds_sum\{agent="(\w+)"\} (\S+)$', text, re.M)
    cpu_s = _cpu_s(live.settings.web_port)
    return {
        "worker_cpu_s": cpu_s,
        "worker_cpu_us_per_headline": None if cpu_s is None else round(cpu_s / count * 1e6),
        "fold_us_per_headline": {
            name: round(float(seconds) / count * 1e6) for name, seconds in stages
        },
    }


def _cpu_s(web_port: int) -> float | None:
    """Return the CPU seconds of the worker that serves on a port; None but on Linux."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        process = environment.parent
        try:
            variables = environment.read_bytes().split(b"\0")
            command = (process / "cmdline").read_bytes().split(b"\0")
            numbers = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended, or is not ours
        is_worker = command[-2:-1] == [b"worker"] and not any(b"supervisor" in c for c in command)
        if is_worker and b"TAPEWIRE_WEB_PORT=%d" % web_port in variables:
            ticks = int(numbers[11]) + int(numbers[12])  # user and system
            return round(ticks / os.sysconf("SC_CLK_TCK"), 2)
    return None


def _show(figures: dict[str, object]) -> None:
    say(
        "p50 {p50_ms} ms, p99 {p99_ms} ms, p99.9 {p99_9_ms} ms over {alerts_timed} alerts; "
        "{stories_missing} of {stories_expected} stories missing; the producer was behind by "
        "{producer_behind_ms} ms at most".format_map(figures)
    )
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    sys.exit(main())
