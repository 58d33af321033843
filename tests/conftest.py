"""Brokers for the tests, unique topic prefixes, and the line that says whether Kafka was tested."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.brokers import Broker, kafka_available, start_broker

_BROKERS = ("embedded", "kafka")
_START_S = 120.0  # 4 s where nothing else runs
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker("embedded", tmp_path_factory.mktemp("embedded"), timeout_s=_START_S)
    yield broker
    broker.kill()  # its folder is thrown away: nothing to save


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    require_kafka()
    broker = start_broker("kafka", tmp_path_factory.mktemp("kafka"), timeout_s=_START_S)
    yield broker
    broker.kill()  # its folder is thrown away: nothing to save


@pytest.fixture(scope="session", params=_BROKERS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn: what holds on one must hold on the other."""
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found


@pytest.fixture(params=_BROKERS)
def broker_name(request: pytest.FixtureRequest) -> str:
    """For tests that start a broker of their own."""
    if request.param == "kafka":
        require_kafka()
    name: str = request.param
    return name


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has, in this run or in one beside it."""
    return f"t{os.getpid()}-{next(_numbers)}."


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that is not part of the repository."""
    folder = os.environ.get("TAPEWIRE_SHARED")
    if not folder:
        pytest.skip("TAPEWIRE_SHARED names no folder of shared data")
    return Path(folder)


def require_kafka() -> None:
    reason = kafka_available()
    if reason is None:
        return
    if os.environ.get("TAPEWIRE_REQUIRE_KAFKA") == "1":
        pytest.fail(f"Apache Kafka is required (TAPEWIRE_REQUIRE_KAFKA=1) and cannot run: {reason}")
    pytest.skip(f"Apache Kafka cannot run here: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        chosen = getattr(getattr(item, "callspec", None), "params", {})
        names = {chosen.get("broker"), chosen.get("broker_name")}
        for name in _BROKERS:
            if name in names or f"{name}_broker" in fixtures:
                item.add_marker(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = {
        outcome: sum(
            "kafka" in getattr(report, "keywords", ())
            for report in terminalreporter.stats.get(outcome, ())
        )
        for outcome in ("passed", "failed", "error", "skipped")
    }
    ran = counts["passed"] + counts["failed"] + counts["error"]
    if reason := kafka_available():
        told = f"NOT tested, {counts['skipped']} tests skipped: {reason}"
    elif ran:
        told = f"tested on the local JVM, {ran} tests, {ran - counts['passed']} failed"
    else:
        told = "not tested: no test that needs it was selected"
    terminalreporter.write_line(f"Apache Kafka: {told}")
