"""tapewire backtest from files to a page, as a user runs it and a browser shows it."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow.parquet as pq
import pytest
from matplotlib.image import imread

from signals.backtest.forward import Reason
from signals.messages import Alert
from streams.backtest.tables import TABLES
from streams.backtest.words import Words
from streams.codec import encode
from tapewire.cli import main
from tests.backtest.worlds import Market, alert

ROOT = Path(__file__).resolve().parents[2]


def _write_world(folder: Path) -> list[str]:
    """Write alerts with a planted effect and their prices; return the arguments for them."""
    market = Market(shares=8, days=230)
    alerts: list[Alert] = []
    for i, ticker in enumerate(market.tickers):
        for day in range(130 + i, 205, 19):
            market.add_effect(ticker, day, 0.02)
            title = f"{ticker}, 공급 계약 <{day}>" if i % 2 else f"{ticker} signs & seals {day}"
            alerts.append(alert(ticker, market.night_before(day), number=day, title=title))
    alerts.append(alert("GONE", market.night_before(150)))
    (folder / "alerts.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in alerts))
    return ["--alerts", str(folder / "alerts.jsonl"), *_write_prices(market, folder)]


def _write_prices(market: Market, folder: Path) -> list[str]:
    lines = ["time,ticker,open,high,low,close,volume"]
    for ticker in [*market.tickers, "SPY"]:
        table = market.benchmark if ticker == "SPY" else market.prices(ticker)
        for session, (opened, closed) in zip(market.sessions, table, strict=True):
            day = np.datetime64(session.open_us, "us").astype("datetime64[D]")
            high, low = max(opened, closed), min(opened, closed)
            lines.append(f"{day},{ticker},{opened:.4f},{high:.4f},{low:.4f},{closed:.4f},1000")
    (folder / "prices.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["--prices", str(folder / "prices.csv"), "--bar", "1d"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return _write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def studies(world: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of the command, in processes of their own with other hash seeds."""
    folders = []
    for seed in ("1", "2"):
        folder = tmp_path_factory.mktemp(f"study{seed}")
        done = subprocess.run(
            [sys.executable, "-m", "tapewire", "backtest", *world, "--out", str(folder)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        assert "without a price" in done.stdout
        folders.append(folder)
    return folders


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _main_cell(folder: Path) -> dict[str, str]:
    wanted = ("signed_abnormal", "all", "all", "day+1")
    (found,) = [
        row
        for row in _rows(folder, "cells")
        if (row["measure"], row["group"], row["value"], row["horizon"]) == wanted
    ]
    return found


def _percent(text: str) -> str:
    return f"{float(text) * 100:+.2f} %".replace("-", "−")


def test_two_runs_give_the_same_bytes(studies: list[Path]) -> None:
    names = sorted(path.name for path in studies[0].iterdir())

    assert names == sorted(
        [f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")]
        + ["report.en.html", "report.ko.html"]
    )
    for name in names:
        assert (studies[0] / name).read_bytes() == (studies[1] / name).read_bytes(), name


@pytest.mark.parametrize("name", TABLES)
def test_csv_and_parquet_hold_the_same(studies: list[Path], name: str) -> None:
    table = pq.read_table(studies[0] / f"{name}.parquet").to_pylist()

    shown = [{k: "" if v is None else str(v) for k, v in row.items()} for row in table]
    assert shown == _rows(studies[0], name)
    assert shown or name == "missing"


def test_the_planted_effect_stands_in_the_table(studies: list[Path]) -> None:
    cell = _main_cell(studies[0])

    assert float(cell["low"]) < 0.02 < float(cell["high"])
    assert float(cell["low"]) > 0.0
    missing = _rows(studies[0], "missing")
    assert {
        "horizon": "entry",
        "reason": "not_in_files",
        "count": "1",
        "tickers": "GONE",
    } in missing


class _Links(HTMLParser):
    """Collects what a page would fetch or lead to, and which elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.elements: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                self.targets.append(value or "")
            if name == "id":
                self.ids.append(value or "")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_asks_for_nothing_and_runs_nothing(studies: list[Path], lang: str) -> None:
    text = (studies[0] / f"report.{lang}.html").read_text(encoding="utf-8")
    links = _Links()
    links.feed(text)

    other = {"en": "ko", "ko": "en"}[lang]
    outside = {target for target in links.targets if not target.startswith(("#", "data:,"))}
    assert outside == {f"report.{other}.html"}
    assert not links.elements & {"script", "iframe", "object", "embed", "img"}
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert len(links.ids) == len(set(links.ids))
    assert str(ROOT) not in text


@pytest.mark.parametrize(("lang", "other"), [("en", "공급"), ("ko", "English")])
def test_both_languages_are_written_out(studies: list[Path], lang: str, other: str) -> None:
    text = (studies[0] / f"report.{lang}.html").read_text(encoding="utf-8")

    assert other in text  # titles stay as they are, and the other page has a link
    assert "공급 계약 &lt;" in text
    assert ("위약" in text) == (lang == "ko")
    assert ("Placebo" in text) == (lang == "en")
    assert "toy abab" in text  # the rule set
    assert "--seed 7" in text
    assert 'id="training"' in text


def test_every_reason_is_told_in_both_languages_and_on_the_page_of_the_documents() -> None:
    page = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")

    for reason in (*get_args(Reason), "no_ticker"):
        assert f"`{reason}`" in page
        texts = {Words(lang, str)(reason) for lang in ("en", "ko")}
        assert len(texts) == 2


# ---- in a browser ----


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, list[str]]]:
    """Return what opens a file in Chromium without a network: its output, and the console's."""
    program = shutil.which("chromium")
    if program is None:
        reason = "chromium is not installed; apt-get install chromium"
        if os.environ.get("TAPEWIRE_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    def show(page: Path, *options: str) -> tuple[str, list[str]]:
        done = subprocess.run(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr", f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
                "--window-size=1200,1800", *options, page.as_uri(),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return show


def test_a_console_error_would_be_seen(
    browser: Callable[..., tuple[str, list[str]]], studies: list[Path], tmp_path: Path
) -> None:
    text = (studies[0] / "report.en.html").read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(text.replace("</body>", '<img src="http://127.0.0.1:9/x.png"></body>'))

    assert browser(bad, "--dump-dom")[1]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_browser_shows_the_key_figures(
    browser: Callable[..., tuple[str, list[str]]], studies: list[Path], lang: str
) -> None:
    dom, console = browser(studies[0] / f"report.{lang}.html", "--dump-dom")
    cell = _main_cell(studies[0])
    (placebo,) = [row for row in _rows(studies[0], "placebo") if row["horizon"] == "day+1"]

    assert console == []
    cards = dict(re.findall(r'id="(\w+)"><div class="label">.*?"figure">(.*?)</div>', dom))
    assert cards["main"] == _percent(cell["mean"])
    assert cards["net"] == _percent(cell["net"])
    assert cards["placebo"] == _percent(placebo["mean"])
    assert cards["hits"] == f"{float(cell['hit_rate']) * 100:.2f} %"
    assert dom.count("<svg") == 2
    signals = {(row["story_id"], row["ticker"]) for row in _rows(studies[0], "observations")}
    (table,) = re.findall(r'<table class="observations">.*?</table>', dom, re.DOTALL)
    assert table.count("<tr>") == len(signals) + 1
    assert ("가격 파일에 없음" if lang == "ko" else "hold nothing of it") in table


def test_the_page_is_light_or_dark_as_the_reader_likes(
    browser: Callable[..., tuple[str, list[str]]], studies: list[Path], tmp_path: Path
) -> None:
    corners = []
    for scheme in (0, 1):
        picture = tmp_path / f"{scheme}.png"
        browser(
            studies[0] / "report.ko.html",
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--screenshot={picture}",
        )
        pixels = imread(picture)[:, :, :3]
        colours = (pixels * 255).astype(np.int64) @ np.array([65536, 256, 1])
        assert len(np.unique(colours)) > 50
        corners.append(float(pixels[2, 2].mean()))

    assert corners[0] < 0.2
    assert corners[1] > 0.9


# ---- what goes wrong ----


@pytest.fixture
def quiet(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        assert main(["backtest", *words]) == 2
        return capsys.readouterr().err

    return run


def test_wrong_usage_says_how_to_mend_it(
    quiet: Callable[..., str], world: list[str], tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path / "out")]
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"alert_id": 1}\n')
    prices = world[2:]

    assert "--alerts FILE or --headlines FILE" in quiet(*prices, *out)
    assert "torn.jsonl:1 is no alert" in quiet("--alerts", str(torn), *prices, *out)
    assert "cannot be read" in quiet("--alerts", str(tmp_path / "none"), *prices, *out)
    assert "'sometimes' is none of new" in quiet(*world, *out, "--on", "sometimes")
    assert "must be a ratio" in quiet(*world, *out, "--cost", "5 %")
    assert "whole number" in quiet(*world, *out, "--seed", "-1")
    assert not (tmp_path / "out").exists()


def test_no_alert_at_all_is_said(
    quiet: Callable[..., str], world: list[str], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")

    said = quiet("--alerts", str(empty), *world[2:], "--out", str(tmp_path))

    assert "no alerts" in said


def test_headlines_are_replayed_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = Market(shares=2, days=40)
    market.tickers = ["IREN", "MSFT"]
    market.returns = dict(zip(market.tickers, market.returns.values(), strict=True))
    words = _write_prices(market, tmp_path)
    published = np.datetime64(market.night_before(20), "us")
    title = "IREN signs $9.7bn AI cloud contract with Microsoft"
    line = f'{{"title": "{title}", "published_at": "{published}Z", "source": "wire"}}\n'
    (tmp_path / "news.jsonl").write_text(line, encoding="utf-8")

    assert main(["backtest", "--headlines", str(tmp_path / "news.jsonl"), *words,
                 "--out", str(tmp_path / "out")]) == 0  # fmt: skip

    assert "2 signals from" in capsys.readouterr().out
    rows = _rows(tmp_path / "out", "observations")
    opened = market.sessions[20].open_us
    assert {(row["ticker"], int(row["entry_us"])) for row in rows} == {
        ("IREN", opened),
        ("MSFT", opened),
    }
    text = (tmp_path / "out" / "report.en.html").read_text(encoding="utf-8")
    # The rule set that ships says what its weights were learned from.
    assert "The training window of this rule set is not known" not in text


def test_a_transition_that_never_happened_gives_a_report_of_nothing(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    assert main(["backtest", *world, "--out", str(out), "--on", "retracted", "--lang", "en"]) == 0
    assert "0 signals from" in capsys.readouterr().out
    text = (out / "report.en.html").read_text(encoding="utf-8")
    assert "Too few signals" in text
    assert not (out / "report.ko.html").exists()
    assert "report.ko.html" not in text


def test_a_price_that_cannot_be_read_is_told_and_the_rest_is_used(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text(Path(world[3]).read_text() + "2024-01-05,S00,x,1,1,1,1\n")
    words = [*world[:3], str(prices), *world[4:], "--out", str(tmp_path / "out")]

    assert main(["backtest", *words]) == 1
    assert "refused: " in capsys.readouterr().err
    assert (tmp_path / "out" / "report.ko.html").exists()
