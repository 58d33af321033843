"""Replays that a broker has a part in: topics in, topics out, and an isolated run of agents."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from signals import names
from signals.messages import Alert
from streams.brokers import Broker
from streams.clients import describe_partitions
from streams.clock import monotonic_s
from streams.codec import decode
from streams.recorder import record_topics
from streams.recording import read_recording
from streams.replay import alert_lines, order_alerts, replay_raw
from streams.rule_files import pack_rules, shipped_files
from streams.settings import Settings
from streams.topic_admin import apply_topics
from tapewire.cli import main
from tapewire.recorded import write_headlines, write_tape
from tests.builders import as_input
from tests.chaos.real import World, real_agents, recorded_world, send

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def world() -> World:
    return recorded_world([date(2025, 11, 3)], ("IREN", "MSFT", "SPY"))


@pytest.fixture(scope="module")
def expected(world: World) -> bytes:
    """The alerts of the world, folded without a broker."""
    return b"".join(alert_lines(replay_raw(map(as_input, world), real_agents()).alerts))


@pytest.fixture
def raw(broker: Broker, prefix: str, world: World) -> Settings:
    """The world on the raw topics of a broker."""
    settings = Settings(broker=broker.bootstrap, prefix=prefix)
    asyncio.run(apply_topics(settings.broker, settings.prefix, partitions=3))
    asyncio.run(send(settings, world))
    return settings


def address(settings: Settings) -> list[str]:
    return ["--broker", settings.broker, "--prefix", settings.prefix]


def test_topics_a_recording_of_them_and_files_give_the_same_alerts(
    raw: Settings, tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "alerts.jsonl", tmp_path / "recording"
    again = tmp_path / "again.jsonl"

    assert main(["replay", *address(raw), "--raw", "--out", str(out)]) == 0
    assert main(["record", *address(raw), "--out", str(folder)]) == 0
    assert main(["replay", "--recording", str(folder), "--raw", "--out", str(again)]) == 0

    assert out.read_bytes() == again.read_bytes() == expected
    assert "sorted in memory" not in capsys.readouterr().err


def test_a_span_of_topics_is_that_span_of_a_recording(raw: Settings, tmp_path: Path) -> None:
    out, folder, again = (tmp_path / name for name in ("a.jsonl", "recording", "b.jsonl"))
    span = ["--from", "2025-11-03T12:00:00Z", "--as-of", "2025-11-03T18:00:00Z"]
    assert main(["record", *address(raw), "--out", str(folder)]) == 0

    assert main(["replay", *address(raw), "--raw", *span, "--out", str(out)]) == 0
    assert main(["replay", "--recording", str(folder), "--raw", *span, "--out", str(again)]) == 0

    assert out.read_bytes() == again.read_bytes() != b""


def test_a_replay_into_topics_is_a_run_that_can_be_replayed_exactly(
    raw: Settings, tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, out = f"{raw.prefix}replay.", tmp_path / "alerts.jsonl"
    lines, recorded = tmp_path / "lines", tmp_path / "parquet"
    given = ["replay", *address(raw), "--raw"]

    assert main([*given, "--to-prefix", theirs, "--all"]) == 0
    assert main(["record", "--broker", raw.broker, "--prefix", theirs, "--out", str(recorded)]) == 0
    asyncio.run(
        record_topics(raw.broker, theirs, (names.JOURNAL, names.REACTIONS, names.ALERTS), lines)
    )

    for folder in (recorded, lines):
        assert main(["replay", "--recording", str(folder), "--out", str(out)]) == 0
        assert out.read_bytes() == expected
    assert capsys.readouterr().out.count("reactions recomputed from the journal: equal") == 2
    assert main(["replay", "--broker", raw.broker, "--prefix", theirs, "--out", str(out)]) == 0
    assert out.read_bytes() == expected
    alerts = [decode(item.value, Alert) for item in read_recording(recorded, names.ALERTS)]
    assert b"".join(alert_lines(order_alerts(alerts))) == expected
    assert len(alerts) == len(expected.splitlines())
    # Once more would mix two runs.
    assert main([*given, "--to-prefix", theirs]) == 2
    assert "holds records already" in capsys.readouterr().err


def test_only_the_alerts_go_out_unless_all_are_asked_for(
    raw: Settings, tmp_path: Path, expected: bytes
) -> None:
    theirs, folder, out = f"{raw.prefix}replay.", tmp_path / "recording", tmp_path / "alerts.jsonl"

    given = ["replay", *address(raw), "--raw", "--to-prefix", theirs, "--out", str(out)]
    assert main(given) == 0
    assert main(["record", "--broker", raw.broker, "--prefix", theirs, "--out", str(folder)]) == 0

    assert out.read_bytes() == expected
    assert list(read_recording(folder, names.REACTIONS)) == []
    assert len(list(read_recording(folder, names.ALERTS))) == len(expected.splitlines())


def test_the_live_prefix_is_not_written_to(
    raw: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *address(raw), "--raw", "--to-prefix", raw.prefix]) == 2
    assert "is the live one" in capsys.readouterr().err


def test_a_recording_that_begins_late_is_not_told_exactly(
    raw: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, folder = f"{raw.prefix}replay.", tmp_path / "recording"
    assert main(["replay", *address(raw), "--raw", "--to-prefix", theirs, "--all"]) == 0
    place = ["--broker", raw.broker, "--prefix", theirs, "--out", str(folder)]
    assert main(["record", *place, "--from", "2025-11-03T15:00:00Z"]) == 0

    assert main(["replay", "--recording", str(folder)]) == 2

    captured = capsys.readouterr()
    assert f"not from offset 0: {names.ALERTS}" in captured.err
    assert "has reactions.v1 only from offset" in captured.err


def test_through_agents_everything_ends_as_without_a_broker(
    raw: Settings, tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "alerts.jsonl"
    before = asyncio.run(describe_partitions(raw.broker))

    given = ["replay", *address(raw), "--through-agents", "--compare", "--json"]
    assert main([*given, "--out", str(out)]) == 0

    told, last = capsys.readouterr().out.splitlines()
    assert "last states, through the agents and without a broker: equal" in told
    summary = json.loads(last)
    assert sum(summary["read"].values()) > 1000
    assert summary["alerts"] == len(out.read_bytes().splitlines()) > 0
    assert _last(out.read_bytes()) == _last(expected)
    # Its topics are gone again, whatever they were called.
    assert asyncio.run(describe_partitions(raw.broker)).keys() - {"__consumer_offsets"} == (
        before.keys() - {"__consumer_offsets"}
    )


def test_through_agents_the_rules_of_a_pack_decide(embedded_broker: Broker, tmp_path: Path) -> None:
    write_headlines(tmp_path / "news.jsonl")
    write_tape(tmp_path / "tape.csv", days=[date(2025, 11, 3)], tickers=("IREN", "SPY"), minutes=30)
    shipped = shipped_files()
    other = json.loads(shipped.rules) | {"version": "2020.01.1"}
    pack = tmp_path / "rules.pack"
    pack.write_bytes(pack_rules(replace(shipped, rules=json.dumps(other).encode())))
    files = ["--headlines", str(tmp_path / "news.jsonl"), "--prices", str(tmp_path / "tape.csv")]
    given = ["replay", *files, "--bar", "1m", "--rules", str(pack), "--through-agents"]
    out = tmp_path / "alerts.jsonl"

    assert main([*given, "--broker", embedded_broker.bootstrap, "--out", str(out)]) == 0

    alerts = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert {alert["rules"]["version"] for alert in alerts} == {"2020.01.1"}


def _last(lines: bytes) -> set[str]:
    """The stories that stand in the end.

    Not the alerts of moves: one is raised where the prices came before the news that explains them,
    and a live run decides anew which comes first.
    """
    last = {alert["alert_id"]: alert for alert in map(json.loads, lines.splitlines())}
    return {
        alert["story_id"]
        for alert in last.values()
        if alert["type"] is not None and alert["kind"] not in ("superseded", "retracted")
    }


def test_a_run_that_is_stopped_leaves_nothing_on_the_broker(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    write_headlines(tmp_path / "news.jsonl")
    write_tape(tmp_path / "tape.csv", days=[date(2025, 11, 3)], tickers=("IREN", "SPY"))
    files = ["--headlines", str(tmp_path / "news.jsonl"), "--prices", str(tmp_path / "tape.csv")]
    given = ["replay", *files, "--broker", embedded_broker.bootstrap, "--through-agents"]
    before = _replays(embedded_broker)
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        # As it happened: it would take days.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tapewire", *given, "--speed", "1"], stderr=stderr
        )
        try:
            deadline_s = monotonic_s() + 60
            while _replays(embedded_broker) == before and monotonic_s() < deadline_s:
                time.sleep(0.1)
            begun = _replays(embedded_broker) - before
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
        finally:
            process.kill()

    assert begun
    assert code == 130, log.read_text()
    assert _replays(embedded_broker) == before


def _replays(broker: Broker) -> set[str]:
    found = asyncio.run(describe_partitions(broker.bootstrap))
    return {name for name in found if name.startswith("replay-")}
