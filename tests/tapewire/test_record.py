"""The command that records: what it says, and what it refuses."""

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest

from signals import names
from streams.brokers import Broker
from streams.settings import Settings
from streams.topic_admin import apply_topics
from tapewire.cli import main
from tests.chaos.real import recorded_world, send

pytest.importorskip("pyarrow")


@pytest.fixture
def raw(embedded_broker: Broker, prefix: str) -> Settings:
    settings = Settings(broker=embedded_broker.bootstrap, prefix=prefix)
    asyncio.run(apply_topics(settings.broker, settings.prefix, partitions=2))
    asyncio.run(send(settings, recorded_world([date(2025, 11, 3)], ("IREN", "SPY"))))
    return settings


def words(settings: Settings, folder: Path, *more: str) -> list[str]:
    place = ["--broker", settings.broker, "--prefix", settings.prefix]
    return ["record", "--out", str(folder), *place, *more]


def test_the_last_line_says_what_was_recorded(
    raw: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--topics", f"{names.PRICES},{names.HEADLINES}"]

    assert main(words(raw, tmp_path / "r", *chosen, "--json")) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(words(raw, tmp_path / "r", *chosen)) == 0
    second = capsys.readouterr().out

    assert first["records"] > 1000
    assert (first["already_there"], first["torn"], first["gaps"], first["gone"]) == (0, [], {}, 0)
    assert first["from_zero"]
    assert first["complete"]
    assert second.startswith(
        f"recorded 0 records, already there {first['records']}, 2 topics in {first['files']} files"
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--topics", ","], "--topics must be names or all"),
        (["--topics", "all,journal.v1"], "--topics must be names or all"),
        (["--follow", "--to", "2025-11-03T00:00:00Z"], "--follow has no end; leave --to out"),
        (["--from", "2025-11-03"], "--from must be an ISO 8601 time with an offset"),
        (
            ["--from", "2025-11-03T00:00:00Z", "--to", "2025-11-03T00:00:00Z"],
            "must be before --to",
        ),
    ],
)
def test_wrong_usage(more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--out", "unused", *more]) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("unused").exists()


def test_a_folder_of_something_else_is_left_alone(
    raw: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    assert main(words(raw, tmp_path)) == 2

    assert "is no recording and not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_said(
    raw: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")

    assert main(words(raw, tmp_path / "file" / "r")) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err
