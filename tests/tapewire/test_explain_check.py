"""``tapewire explain --check``: an alert decided again, from files and from recorded topics."""

import asyncio
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from streams.brokers import Broker
from streams.settings import Settings
from streams.topic_admin import apply_topics
from tapewire.cli import main
from tapewire.recorded import write_headlines, write_tape
from tests.chaos.real import recorded_world, send

pytest.importorskip("pyarrow")
_DAYS = (date(2025, 10, 31), date(2025, 11, 3))
_TICKERS = ("IREN", "MSFT", "SPY")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Headlines, prices, and the alerts that a replay gives of them."""
    folder = tmp_path_factory.mktemp("files")
    write_headlines(folder / "news.jsonl")
    write_tape(folder / "tape.csv", days=_DAYS, tickers=_TICKERS)
    files = ["--headlines", str(folder / "news.jsonl"), "--prices", str(folder / "tape.csv")]
    assert main(["replay", *files, "--out", str(folder / "alerts.jsonl")]) == 0
    return folder


@pytest.fixture
def confirmed(folder: Path) -> dict[str, Any]:
    """The alert of IREN's contract when its price had moved."""
    lines = (folder / "alerts.jsonl").read_bytes().splitlines()
    found = (json.loads(line) for line in lines)
    return next(
        a for a in found if a["kind"] == "confirmed" and a["anchor"] == "IREN" and a["type"]
    )


def check(alert: dict[str, Any], *words: str) -> int:
    named = [alert["alert_id"], "--revision", str(alert["revision"])]
    return main(["explain", *named, "--check", *words])


def inputs(folder: Path) -> list[str]:
    return ["--headlines", str(folder / "news.jsonl"), "--prices", str(folder / "tape.csv")]


def changed(alert: dict[str, Any], folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    change(alert)
    path = folder / "changed.jsonl"
    path.write_text(json.dumps(alert) + "\n", encoding="utf-8")
    return str(path)


def test_files_give_the_alert_again(
    folder: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(confirmed, "--alerts", str(folder / "alerts.jsonl"), *inputs(folder)) == 0

    text = capsys.readouterr().out
    assert "agrees with itself" in text
    assert "the same, byte for byte" in text
    assert "news.headlines.v1, market.prices.v1" in text or "market.prices.v1, news" in text


def test_without_inputs_only_what_it_says_is_checked(
    folder: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(confirmed, "--alerts", str(folder / "alerts.jsonl"), "--lang", "ko") == 0

    text = capsys.readouterr().out
    assert "스스로 일치합니다" in text
    assert "다시 판정하지 않았습니다" in text


def test_what_was_changed_is_named(
    folder: Path, tmp_path: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(confirmed, tmp_path, lambda alert: alert.update(severity="low", title="other"))

    assert check(confirmed, "--alerts", path, *inputs(folder)) == 1

    text = capsys.readouterr().out
    assert "severity says low, must be high" in text
    assert "2 fields differ" in text
    assert '$.title: "other" / "' in text


def test_as_json(
    folder: Path, tmp_path: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(confirmed, tmp_path, lambda alert: alert.update(severity="low"))

    assert check(confirmed, "--alerts", path, *inputs(folder), "--json") == 1

    found = json.loads(capsys.readouterr().out)
    assert [fault["path"] for fault in found["faults"]] == ["severity"]
    assert found["decided_again"]["differences"] == ["$.severity"]
    assert found["decided_again"]["records"] > 100


def test_a_revision_that_never_was(
    folder: Path, tmp_path: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(confirmed, tmp_path, lambda alert: alert.update(revision=99))

    assert check(confirmed, "--alerts", path, *inputs(folder)) == 1

    text = capsys.readouterr().out
    assert "this revision does not come of them" in text
    assert "they give the revisions 1" in text


def test_an_alert_of_other_rules_is_refused(
    folder: Path, tmp_path: Path, confirmed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(confirmed, tmp_path, lambda alert: alert["rules"].update(hash="f" * 64))

    assert check(confirmed, "--alerts", path, *inputs(folder)) == 2
    assert "was decided by rule set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--raw"], "go with --check"),
        (["--check", "--headlines", "n.jsonl"], "give --headlines FILE and --prices FILE"),
        (
            ["--check", "--headlines", "n", "--prices", "p", "--recording", "r"],
            "--recording stands alone",
        ),
    ],
)
def test_what_does_not_go_together(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "al_1", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.embedded
def test_a_broker_and_a_recording_of_it_give_the_alert_again(
    embedded_broker: Broker, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(broker=embedded_broker.bootstrap, prefix=prefix)
    asyncio.run(apply_topics(settings.broker, settings.prefix, partitions=3))
    asyncio.run(send(settings, recorded_world([date(2025, 11, 3)], _TICKERS)))
    theirs, out, recording = f"{prefix}again.", tmp_path / "alerts.jsonl", tmp_path / "recording"
    address = ["--broker", settings.broker]
    raw = ["replay", *address, "--prefix", prefix, "--raw"]
    assert main([*raw, "--to-prefix", theirs, "--all", "--out", str(out)]) == 0
    assert main(["record", *address, "--prefix", theirs, "--out", str(recording)]) == 0
    last = [json.loads(line) for line in out.read_bytes().splitlines()][-1]
    capsys.readouterr()

    assert check(last, *address, "--prefix", theirs) == 0
    assert check(last, "--alerts", str(out), "--recording", str(recording)) == 0
    assert check(last, "--alerts", str(out), *address, "--prefix", prefix, "--raw") == 0

    assert capsys.readouterr().out.count("the same, byte for byte") == 3
