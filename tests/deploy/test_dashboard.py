"""Every query of the dashboard and of the alert rules, on a real Prometheus and a real worker."""

import asyncio
import json
import math
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from signals.messages import Headline, Micros, PriceSample
from signals.policy import SECOND_US
from streams.brokers import Broker
from streams.brokers.process import Supervised, free_port
from streams.clients import open_producer
from streams.clock import monotonic_s
from streams.codec import encode
from streams.topics import HEADLINES, PRICES

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "deploy" / "grafana" / "dashboards" / "tapewire.json"
OPENING_US = 1_762_180_200_000_000  # 3 November 2025, 14:30 UTC
# Four scrapes of one second, as Grafana would choose it.
VARIABLES = {"$__rate_interval": "4s", "$__interval": "1s", "$__range": "60s"}


@dataclass(frozen=True, slots=True)
class Watched:
    """A worker with records flowing through it, and the Prometheus that scrapes it."""

    worker: str
    prometheus: str
    processes: Mapping[str, Supervised] = field(default_factory=dict)

    def check(self) -> None:
        for name, process in self.processes.items():
            assert process.is_alive(), f"{name} ended:\n{process.last_lines()}"


def _get(url: str) -> str:
    with urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def _ask(watched: Watched, expression: str) -> list[float]:
    """Return the values that an instant query gives; those that are no number are left out."""
    for name, text in VARIABLES.items():
        expression = expression.replace(name, text)
    try:
        answer = json.loads(_get(f"{watched.prometheus}/api/v1/query?query={quote(expression)}"))
    except URLError as error:
        raise AssertionError(f"{expression}: {error}") from error
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    return [value for value in values if not math.isnan(value)]


async def _until(found: Callable[[], Any], watched: Watched, *, timeout_s: float) -> Any:
    """Return the first truth that ``found`` gives, or its last answer when the time is over."""
    deadline = monotonic_s() + timeout_s
    while True:
        watched.check()
        answer = None
        with suppress(URLError, ConnectionError, TimeoutError):
            answer = await asyncio.to_thread(found)
        if answer or monotonic_s() > deadline:
            return answer
        await asyncio.sleep(0.25)


async def _send_round(producer: AIOKafkaProducer, prefix: str, number: int) -> None:
    """Send one headline, a price of two tickers, and a line that is not JSON."""
    at_us = Micros(OPENING_US + number * SECOND_US)
    headline = Headline(
        id=f"sample:{number}",
        title="IREN signs $9.7bn AI cloud contract with Microsoft",
        source="sample",
        lang="en",
        published_us=at_us,
        received_us=at_us,
    )
    await producer.send(prefix + HEADLINES.name, encode(headline), key=headline.id.encode())
    await producer.send(prefix + HEADLINES.name, b'{"id": ', key=b"broken")
    for ticker in ("IREN", "MSFT"):
        price = PriceSample(
            ticker=ticker,
            kind="trade",
            event_us=at_us,
            received_us=at_us,
            source="sample",
            price=Decimal(60 + number % 20),
        )
        await producer.send(prefix + PRICES.name, encode(price), key=ticker.encode())
    await producer.flush()


async def _keep_sending(bootstrap: str, prefix: str) -> None:
    async with open_producer(bootstrap) as producer:
        for number in range(2_000):
            await _send_round(producer, prefix, number)
            await asyncio.sleep(0.2)


def _prometheus_config(folder: Path, target: str) -> Path:
    """Write the shipped configuration with our worker's address and a quicker scrape."""
    shipped = ROOT / "deploy" / "prometheus"
    config = yaml.safe_load((shipped / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(shipped / name) for name in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@asynccontextmanager
async def _watched(
    broker: Broker, prefix: str, folder: Path, prometheus: str
) -> AsyncIterator[Watched]:
    web, watch = free_port(), free_port()
    settings = {
        "TAPEWIRE_BROKER": broker.bootstrap,
        "TAPEWIRE_PREFIX": prefix,
        "TAPEWIRE_GROUP": prefix.rstrip("."),
        "TAPEWIRE_WEB_PORT": str(web),
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TAPEWIRE_")} | settings
    command = [sys.executable, "-m", "tapewire"]
    topics = Supervised(
        [*command, "topics", "apply"], log=folder / "topics.log", environment=environment
    )
    assert await asyncio.to_thread(topics.wait, 60) == 0, topics.last_lines()
    processes = {
        "worker": Supervised(
            [*command, "worker"], log=folder / "worker.log", environment=environment
        ),
        "prometheus": Supervised(
            [
                prometheus,
                f"--config.file={_prometheus_config(folder, f'127.0.0.1:{web}')}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{watch}",
            ],
            log=folder / "prometheus.log",
        ),
    }
    sending = asyncio.create_task(_keep_sending(broker.bootstrap, prefix))
    try:
        yield Watched(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{watch}", processes)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        for process in processes.values():
            await asyncio.to_thread(process.stop)


def _queries() -> dict[str, str]:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }


@pytest.mark.timeout(240)
async def test_every_query_of_the_dashboard_finds_something(
    embedded_broker: Broker, prefix: str, tmp_path: Path, debian_tool: Callable[[str], str]
) -> None:
    async with _watched(embedded_broker, prefix, tmp_path, debian_tool("prometheus")) as watched:
        ready = await _until(lambda: _get(f"{watched.worker}/readyz"), watched, timeout_s=60)
        assert ready, watched.processes["worker"].last_lines()

        flowing = "sum(tapewire_alerts_total) > 0 and sum(tapewire_dead_letters_total) > 0"
        assert await _until(lambda: _ask(watched, flowing), watched, timeout_s=60)
        for title, expression in _queries().items():
            found = await _until(partial(_ask, watched, expression), watched, timeout_s=20)
            assert found, f"{title} finds nothing: {expression}"

        await _check_rules(watched)
        exposed = set(re.findall(r"^# TYPE (\w+)", _get(f"{watched.worker}/metrics"), re.M))
    _check_names(exposed)


async def _check_rules(watched: Watched) -> None:
    """Every rule is evaluated without error, and the broken lines raise their alert."""
    firing = 'ALERTS{alertname="TapewireDeadLetters", alertstate="firing"}'
    assert await _until(lambda: _ask(watched, firing), watched, timeout_s=20)
    (group,) = json.loads(_get(f"{watched.prometheus}/api/v1/rules"))["data"]["groups"]
    assert {rule["health"] for rule in group["rules"]} == {"ok"}


def _check_names(exposed: set[str]) -> None:
    """Every metric that a query or a rule names is one that the worker has."""
    texts = BOARD.read_text(encoding="utf-8")
    texts += (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    named = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in re.findall(r"\btapewire_[a-z_]+", texts)
    }

    assert named - exposed == set()
