import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signals.errors import Unavailable
from tapewire import live_run
from tapewire.cli import main

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo once: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "kept"
    done = subprocess.run(
        [sys.executable, "-m", "tapewire", "demo", "--keep", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.mark.embedded
def test_tells_the_story_of_iren(demo: tuple[Path, str]) -> None:
    blocks = re.split(r"\n\n+", demo[1])
    told = [block for block in blocks if "IREN (supplier, IREN) · Microsoft (buyer, MSFT)" in block]
    first = told[0]
    confirmed = next(block for block in told if "CONFIRMED" in block)

    assert "Mon 03 Nov 2025 06:37:03 New York · 11:37:03 UTC" in first
    assert "NEW · deal · signed" in first
    assert "$9.7bn (deal value)" in confirmed
    assert "«$9.7 billion»" in confirmed
    assert re.search(r"IREN  \+20\.3 %  past \+20 %  03 Nov 09:30:00 \(the open\)", confirmed)
    assert "60.75 → 73.07 (since 31 Oct" in confirmed
    assert re.search(r"headlines   \d \(en, ko\), first ", confirmed)
    assert "severity high" in confirmed


@pytest.mark.embedded
def test_says_what_went_through_and_how_to_go_on(demo: tuple[Path, str]) -> None:
    folder, out = demo
    alerts = (folder / "alerts.jsonl").read_bytes().splitlines()

    assert f"{len(alerts)} alerts out" in out
    assert re.search(r"68 headlines and [\d,]+ prices in", out)
    explain = re.search(r"tapewire (explain \S+ --alerts \S+)", out)
    assert explain is not None
    assert main(explain[1].split()) == 0


@pytest.mark.embedded
def test_recorded_topics_give_the_alerts_byte_for_byte(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    folder, again = demo[0], tmp_path / "again.jsonl"

    assert main(["replay", "--recording", str(folder / "recording"), "--out", str(again)]) == 0
    assert again.read_bytes() == (folder / "alerts.jsonl").read_bytes()


@pytest.mark.embedded
def test_files_give_the_same_last_state_of_every_story(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    folder, again = demo[0], tmp_path / "again.jsonl"
    files = ["--headlines", str(folder / "headlines.jsonl"), "--prices", str(folder / "prices.csv")]

    assert main(["replay", *files, "--out", str(again)]) == 0
    assert last_states(again) == last_states(folder / "alerts.jsonl")


def last_states(path: Path) -> dict[str, object]:
    """Return, by story, what the convergent promise covers: of the stories that live at the end."""
    fields = ("anchor", "type", "status", "direction", "tickers", "amounts")
    last: dict[str, dict[str, Any]] = {}
    for line in path.read_bytes().splitlines():
        alert = json.loads(line)
        if alert["revision"] >= last.get(alert["story_id"], {"revision": 0})["revision"]:
            last[alert["story_id"]] = alert
    return {
        story_id: {name: alert[name] for name in fields}
        | {"moves": [measured(move) for move in alert["moves"]]}
        for story_id, alert in last.items()
        if alert["kind"] not in ("superseded", "retracted")
    }


def measured(move: dict[str, Any]) -> dict[str, Any]:
    """Return a move without when it was known, which is of the exact promise alone."""
    return {name: value for name, value in move.items() if name != "known_us"}


def test_a_folder_that_is_in_use_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    assert main(["demo", "--keep", str(tmp_path)]) == 2
    assert "must be an empty folder or a new one" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")

    assert main(["demo", "--keep", str(tmp_path / "file" / "demo")]) == 2
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.embedded
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_leaves_nothing_behind_when_it_is_stopped(number: int, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tapewire", "demo", "--keep", str(folder)],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell that starts a test in the background has SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_for(lambda: list(tmp_path.glob("tapewire-run-*/worker.log")), process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in command_lines()


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, "the demo has ended"
        time.sleep(0.05)


def command_lines() -> str:
    """Return the command lines of all processes: the broker's names its folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_a_broker_that_does_not_come_up_is_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("the embedded broker ended; the end of its log:\nno space left")

    monkeypatch.setattr(live_run, "start_broker", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert main(["demo"]) == 1
    assert "no space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
