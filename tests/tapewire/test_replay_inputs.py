"""Which records a replay uses, and that their order in the files changes nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from random import Random

import pytest

from signals.errors import BadMessage
from streams.replay import alert_lines
from streams.tables import load_sessions
from tapewire import replay
from tapewire.cli import main
from tapewire.recorded import write_headlines, write_tape
from tapewire.replay_inputs import Span
from tests.builders import OPEN, us

DAYS = (date(2025, 11, 3), date(2025, 11, 4))
TICKERS = ("CIFR", "IREN", "MSFT", "SPY")
AS_OF = "2025-11-03T14:40:00Z"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str], str]:
    """The demo's headlines and prices as lines, and the prices' header."""
    folder = tmp_path_factory.mktemp("world")
    write_headlines(folder / "headlines.jsonl")
    write_tape(folder / "prices.csv", days=DAYS, tickers=TICKERS, minutes=30)
    headlines = (folder / "headlines.jsonl").read_text(encoding="utf-8").splitlines()
    header, *prices = (folder / "prices.csv").read_text(encoding="utf-8").splitlines()
    # Volumes are added up row by row, in the order of the file; here they would be another input.
    return headlines, prices, header.replace(",volume,", ",shares,")


World = tuple[list[str], list[str], str]
Write = Callable[..., tuple[Path, list[Path]]]


@pytest.fixture
def write(tmp_path: Path, world: World) -> Write:
    """Write headlines and prices into files of a folder, the prices dealt out to several."""

    def write(
        name: str, headlines: Sequence[str], prices: Sequence[str], *, files: int = 1
    ) -> tuple[Path, list[Path]]:
        folder = tmp_path / name
        folder.mkdir()
        news = folder / "headlines.jsonl"
        news.write_text("\n".join(headlines) + "\n", encoding="utf-8")
        tapes = [folder / f"prices-{number}.csv" for number in range(files)]
        for number, path in enumerate(tapes):
            lines = [world[2], *prices[number::files]]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return news, tapes

    return write


def received_us(line: str) -> int:
    """When a headline of the demo was received."""
    return us(json.loads(line)["received_at"])


def price_received_us(line: str, header: str) -> int:
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    return max(us(cells["end"]), us(cells["time"]), us(cells.get("received_at") or cells["end"]))


def test_the_order_in_files_and_their_number_change_nothing(
    world: World, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    headlines, prices, _ = world
    draw = Random(5)
    plain = write("plain", headlines, prices)
    mixed = write(
        "mixed", draw.sample(headlines, len(headlines)), draw.sample(prices, len(prices)), files=3
    )
    out = plain[0].parent / "alerts.jsonl"
    files = [str(path) for path in mixed[1]]

    expected = b"".join(alert_lines(replay(*plain).alerts))

    words = ["replay", "--headlines", str(mixed[0]), "--prices", *files, "--out", str(out)]
    assert main(words) == 0
    assert out.read_bytes() == expected != b""
    errors = capsys.readouterr().err
    for path in (mixed[0], *mixed[1]):
        assert f"{path} is not in the order of receipt; it is sorted in memory" in errors


def test_files_in_order_are_not_sorted(
    world: World, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    news, tapes = write("plain", *world[:2])
    words = ["replay", "--headlines", str(news), "--prices", *map(str, tapes), "--out", "/dev/null"]

    assert main(words) == 0
    assert "sorted in memory" not in capsys.readouterr().err


def test_as_of_is_as_if_later_inputs_were_not_there(world: World, write: Write) -> None:
    headlines, prices, header = world
    moment_us = us(AS_OF)
    known = write(
        "known",
        [line for line in headlines if received_us(line) <= moment_us],
        [line for line in prices if price_received_us(line, header) <= moment_us],
    )
    every = write("every", headlines, prices)

    as_of = replay(*every, span=Span(as_of_us=moment_us))

    expected = replay(*known)
    assert as_of.alerts == expected.alerts != []
    assert as_of.read == expected.read
    assert as_of.sha256() != replay(*every).sha256()


def test_a_span_is_as_if_only_its_inputs_were_there(world: World, write: Write) -> None:
    headlines, prices, header = world
    from_us, to_us = us("2025-11-03T12:00:00Z"), us("2025-11-04T12:00:00Z")
    inside = write(
        "inside",
        [line for line in headlines if from_us <= received_us(line) < to_us],
        [line for line in prices if from_us <= price_received_us(line, header) < to_us],
    )
    every = write("every", headlines, prices)

    found = replay(*every, span=Span(from_us=from_us, to_us=to_us))

    expected = replay(*inside)
    assert found.alerts == expected.alerts != []
    assert found.read == expected.read


def test_a_span_holds_what_comes_out_of_order_behind_its_end(world: World, write: Write) -> None:
    headlines, prices, _ = world
    every = write("every", headlines, prices)
    # The first rows stand at the end of the file, behind those of later days.
    turned = write("turned", headlines, [*prices[500:], *prices[:500]])
    span = Span(as_of_us=us(AS_OF))

    assert replay(*turned, span=span).sha256() == replay(*every, span=span).sha256()


def test_a_line_that_is_read_twice_is_refused_once(world: World, write: Write) -> None:
    headlines, prices, _ = world
    news, tapes = write("plain", [*headlines, "not json"], [*reversed(prices), "what,is,this"])
    refused: list[BadMessage] = []

    replay(news, tapes, on_bad=refused.append)

    assert len(refused) == 2


def test_with_a_speed_alerts_are_written_as_they_come(
    world: World, write: Write, tmp_path: Path
) -> None:
    news, tapes = write("plain", *world[:2])
    out = tmp_path / "alerts.jsonl"
    words = ["replay", "--headlines", str(news), "--prices", *map(str, tapes)]

    assert main([*words, "--speed", "1e12", "--out", str(out)]) == 0

    expected = list(alert_lines(replay(news, tapes).alerts))
    assert sorted(out.read_bytes().splitlines(keepends=True)) == sorted(expected)


@pytest.mark.parametrize("name", ["--from", "--to", "--as-of"])
def test_a_time_without_an_offset_is_refused(
    name: str, capsys: pytest.CaptureFixture[str], write: Write, world: World
) -> None:
    news, tapes = write("plain", *world[:2])
    words = ["replay", "--headlines", str(news), "--prices", str(tapes[0])]

    assert main([*words, name, "2025-11-03"]) == 2
    assert f"{name} must be an ISO 8601 time with an offset" in capsys.readouterr().err


# ---- memory --------------------------------------------------------------------------------------

# Prints the most memory that a replay has taken, in kilobytes.
_MEASURED = """
import resource, sys
from tapewire.cli import main
code = main(["replay", "--headlines", sys.argv[1], "--prices", sys.argv[2], "--out", "/dev/null"])
assert code == 0
print("KB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _long_tape(path: Path, days: int) -> None:
    """Write trades of ten tickers, two a minute, on so many trading days."""
    draw = Random(1)
    opens = [s.open_us for s in load_sessions().by_market["XNYS"] if s.open_us >= us(OPEN)]
    with path.open("w", encoding="utf-8") as file:
        file.write("time_us,ticker,price\n")
        for open_us in opens[:days]:
            for half_minute in range(780):
                time_us = open_us + half_minute * 30_000_000
                file.write(f"{time_us},T{draw.randrange(10)},{100 + draw.randrange(100) / 100}\n")


def _most_memory_kb(folder: Path, days: int) -> int:
    tape, news = folder / f"tape-{days}.csv", folder / "news.jsonl"
    _long_tape(tape, days)
    news.write_text(
        '{"id": "w:1", "title": "A quiet day", "published_at": "2025-11-03T12:00:00Z"}\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(news), str(tape)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split("KB ")[1])


def test_memory_does_not_grow_with_the_length_of_the_run(tmp_path: Path) -> None:
    short, long = (_most_memory_kb(tmp_path, days) for days in (20, 60))

    # 31,200 rows more would take 25 MB, if they were held.
    assert long < short + 8_000
