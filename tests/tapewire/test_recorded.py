"""The demo's input: real days, synthetic minutes between them, headlines in our own words."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from signals.errors import ConfigError
from signals.messages import Headline, PriceSample
from streams.sources import read_prices
from tapewire.reading import classify
from tapewire.recorded import (
    DAYS,
    TICKERS,
    read_recorded_headlines,
    read_tape,
    write_headlines,
    write_tape,
)
from tapewire.recorded.minutes import Figures, draw_minutes

# SHA-256 of the whole tape as CSV: the same on every machine and Python.
_TAPE = "a2a0fe6715a66e0fefea2229e8ea313b86bb2da4ebdb61ef92ea7b4640073639"
# The least type-F1 of the reader on these headlines: raised as it gets better, never lowered.
_TYPE_F1 = 0.75
_SMALL = ("IREN", "SPY")
Minutes = dict[tuple[date, str], list[PriceSample]]
_NOVEMBER_3 = date(2025, 11, 3)


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def day_of(sample: PriceSample) -> date:
    return datetime.fromtimestamp(sample.event_us / 1e6, tz=UTC).date()


def daily_figures() -> dict[tuple[date, str], dict[str, str]]:
    text = (files("tapewire.recorded") / "daily.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    return {(date.fromisoformat(row["date"]), row["ticker"]): row for row in rows}


@pytest.fixture(scope="module")
def tape() -> list[PriceSample]:
    return list(read_tape())


@pytest.fixture(scope="module")
def headlines() -> list[Headline]:
    return list(read_recorded_headlines())


@pytest.fixture(scope="module")
def minutes_of(tape: list[PriceSample]) -> Minutes:
    found: Minutes = {}
    for sample in tape:
        if sample.kind == "bar":
            found.setdefault((day_of(sample), sample.ticker), []).append(sample)
    return found


# ---- the tape ------------------------------------------------------------------------------------


def test_minutes_reach_the_figures_of_every_day(minutes_of: Minutes) -> None:
    assert set(minutes_of) == {(day, ticker) for day in DAYS for ticker in TICKERS}
    figures = daily_figures()
    for key, minutes in minutes_of.items():
        row = figures[key]
        assert len(minutes) == 390
        assert str(minutes[0].open) == row["open"]
        assert str(minutes[-1].close) == row["close"]
        assert str(max(minute.high or 0 for minute in minutes)) == row["high"]
        assert str(min(minute.low or 0 for minute in minutes)) == row["low"]
        assert sum(minute.volume or 0 for minute in minutes) == int(row["volume"])


def test_a_minute_goes_on_where_the_last_one_ended(minutes_of: Minutes) -> None:
    for minutes in minutes_of.values():
        for before, after in pairwise(minutes):
            assert before.close == after.open
            assert before.end_us == after.event_us
        for minute in minutes:
            body = sorted((minute.open or Decimal(0), minute.close or Decimal(0)))
            assert (minute.low or 0) <= body[0] <= body[1] <= (minute.high or 0)


def test_extremes_lie_inside_the_session_unless_the_day_opened_or_closed_there(
    minutes_of: Minutes,
) -> None:
    figures = daily_figures()
    for key, minutes in minutes_of.items():
        row = figures[key]
        for extreme in ("high", "low"):
            if row[extreme] in (row["open"], row["close"]):
                continue
            reached = Decimal(row[extreme])
            hit = [at for at, minute in enumerate(minutes) if getattr(minute, extreme) == reached]
            assert len(hit) == 1
            assert 10 <= hit[0] < 380


def test_iren_gaps_up_a_fifth_at_the_open(minutes_of: Minutes) -> None:
    first, *rest = minutes_of[_NOVEMBER_3, "IREN"]
    assert first.event_us == us("2025-11-03T14:30:00Z")
    assert first.received_us == us("2025-11-03T14:31:00Z") + 500_000
    assert first.open == Decimal("73.07")
    previous = Decimal("60.75")
    assert all((minute.close or 0) / previous > Decimal("1.2") for minute in [first, *rest[:30]])


@pytest.mark.parametrize(
    ("day", "opened"),
    [(date(2025, 10, 31), "13:30"), (_NOVEMBER_3, "14:30"), (date(2025, 12, 17), "14:30")],
)
def test_sessions_follow_the_clocks_of_new_york(
    minutes_of: Minutes, day: date, opened: str
) -> None:
    minutes = minutes_of[day, "SPY"]
    assert minutes[0].event_us == us(f"{day}T{opened}:00Z")
    assert (minutes[-1].end_us or 0) - minutes[0].event_us == 390 * 60_000_000


def test_prices_carry_the_benchmark_that_was_known(tape: list[PriceSample]) -> None:
    closes = {
        (sample.kind, sample.end_us): sample.close for sample in tape if sample.ticker == "SPY"
    }
    for sample in tape:
        if sample.ticker == "SPY":
            assert sample.benchmark is None
        else:
            assert sample.benchmark == "SPY"
            assert sample.benchmark_price == closes[sample.kind, sample.end_us]


def test_history_is_long_enough_for_beta_before_the_first_day(tape: list[PriceSample]) -> None:
    before = Counter(
        sample.ticker for sample in tape if sample.kind == "daily" and day_of(sample) < DAYS[0]
    )
    assert set(before) == set(TICKERS)
    assert min(before.values()) > 120


def test_records_come_in_order_of_receipt_and_say_what_they_are(tape: list[PriceSample]) -> None:
    received = [sample.received_us for sample in tape]
    assert received == sorted(received)
    assert {(sample.kind, sample.source) for sample in tape} == {
        ("bar", "synthetic-minutes"),
        ("daily", "daily-figures"),
    }
    assert len(tape) == 17 * 390 * 6 + 17 * 160


def test_file_holds_the_same_records_as_the_tape(tmp_path: Path, tape: list[PriceSample]) -> None:
    path = tmp_path / "tape.csv"
    assert write_tape(path) == len(tape)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == _TAPE
    assert list(read_prices(path)) == tape


def test_tape_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tapewire.recorded import write_tape;"
        f"write_tape(Path(sys.argv[1]), tickers={_SMALL!r})"
    )
    written = []
    for seed in ("0", "1"):
        path = tmp_path / f"{seed}.csv"
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_part_of_the_tape_holds_the_same_records_as_the_whole(tape: list[PriceSample]) -> None:
    part = list(read_tape(days=[_NOVEMBER_3], tickers=["IREN"]))
    wanted = [
        sample
        for sample in tape
        if sample.ticker == "IREN"
        and day_of(sample) <= _NOVEMBER_3
        and (sample.kind == "daily" or day_of(sample) == _NOVEMBER_3)
    ]
    assert part == wanted


def test_day_or_ticker_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(ConfigError, match="no minutes of 2025-11-06"):
        list(read_tape(days=[date(2025, 11, 6)]))
    with pytest.raises(ConfigError, match="no 'IBM'"):
        list(read_tape(tickers=["IBM"]))


@pytest.mark.parametrize(
    "day",
    [
        Figures(open=100, high=100, low=100, close=100, volume=0),
        Figures(open=100, high=101, low=100, close=101, volume=7),
        Figures(open=200, high=200, low=100, close=100, volume=390),
        Figures(open=100, high=200, low=100, close=200, volume=10**9),
        Figures(open=200, high=200, low=100, close=200, volume=5000),
        Figures(open=100, high=200, low=100, close=100, volume=5000),
        Figures(open=150, high=200, low=100, close=200, volume=5000),
        Figures(open=150, high=200, low=100, close=100, volume=5000),
    ],
)
def test_days_that_open_or_close_at_an_extreme_are_drawn_too(day: Figures) -> None:
    minutes = draw_minutes(day, seed="x")
    assert (minutes[0].open, minutes[-1].close) == (day.open, day.close)
    assert max(minute.high for minute in minutes) == day.high
    assert min(minute.low for minute in minutes) == day.low
    assert sum(minute.volume for minute in minutes) == day.volume
    for minute in minutes:
        assert minute.low <= min(minute.open, minute.close)
        assert minute.high >= max(minute.open, minute.close)


# ---- the headlines -------------------------------------------------------------------------------


def test_headlines_are_in_both_languages_and_in_order_of_receipt(
    headlines: list[Headline],
) -> None:
    languages = Counter(headline.lang for headline in headlines)
    assert set(languages) == {"ko", "en"}
    assert min(languages.values()) >= 30
    received = [headline.received_us for headline in headlines]
    assert received == sorted(received)
    assert all(headline.received_us >= headline.published_us for headline in headlines)


def test_contract_is_told_before_the_market_opens(headlines: list[Headline]) -> None:
    (first,) = [one for one in headlines if one.published_us == us("2025-11-03T11:37:00Z")]
    assert "IREN" in first.title
    assert "$9.7 billion" in first.title


def test_digest_has_five_sections_at_its_minute(headlines: list[Headline]) -> None:
    (digest,) = [one for one in headlines if one.published_us == us("2025-11-03T15:06:32Z")]
    assert digest.body is not None
    assert digest.body.count("## ") == 5
    for fact in ("380억 달러", "97억 달러", "58억 달러", "200MW", "152억 달러"):
        assert fact in digest.body


def test_talks_of_december_are_told_in_both_languages(headlines: list[Headline]) -> None:
    (korean,) = [one for one in headlines if one.published_us == us("2025-12-17T05:58:42Z")]
    assert "15조원" in korean.title
    english = [
        one
        for one in headlines
        if one.lang == "en"
        and "OpenAI" in one.title
        and us("2025-12-16T00:00:00Z") <= one.published_us < us("2025-12-17T00:00:00Z")
    ]
    assert len(english) == 2


def test_one_item_is_corrected_and_one_withdrawn(headlines: list[Headline]) -> None:
    revisions = Counter(one.id for one in headlines)
    twice = {name for name, count in revisions.items() if count > 1}
    assert twice == {"wire-b:1103-09", "paper-ko:1103-17"}
    corrected = [one for one in headlines if one.id == "wire-b:1103-09"]
    assert [(one.revision, one.status) for one in corrected] == [(1, "usable"), (2, "usable")]
    withdrawn = [one for one in headlines if one.id == "paper-ko:1103-17"]
    assert [(one.revision, one.status) for one in withdrawn] == [(1, "usable"), (2, "withdrawn")]


def test_every_line_holds_the_fields_of_a_headline_file(tmp_path: Path) -> None:
    path = tmp_path / "headlines.jsonl"
    count = write_headlines(path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count
    wanted = {"id", "revision", "status", "title", "lang", "source", "url"}
    for row in rows:
        assert set(row) - {"body"} == wanted | {"published_at", "received_at"}
        assert row["url"] is None
        assert row["id"].startswith(f"{row['source']}:")


# ---- what the reader makes of them ---------------------------------------------------------------


def _labels() -> dict[str, list[dict[str, object]]]:
    """Return, by headline id, the events that a person reads in it: type and tickers."""
    path = Path(__file__).with_name("recorded_labels.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["id"]: row["events"] for row in rows}


def test_every_headline_is_labelled(headlines: list[Headline]) -> None:
    labels = _labels()
    assert set(labels) == {headline.id for headline in headlines}
    assert sum(not events for events in labels.values()) >= 15


def test_types_of_the_recorded_headlines_are_read(headlines: list[Headline]) -> None:
    labels = _labels()
    right = wrong = missed = 0
    mistakes = []
    for headline in headlines:
        if headline.status != "usable":
            continue
        wanted = {event["type"] for event in labels[headline.id]}
        read = {reading.type for reading in classify(headline.title, body=headline.body)}
        right += len(read & wanted)
        wrong += len(read - wanted)
        missed += len(wanted - read)
        if read != wanted:
            mistakes.append(f"{headline.id}: {sorted(read)}, wanted {sorted(map(str, wanted))}")
    assert 2 * right / (2 * right + wrong + missed) >= _TYPE_F1, "\n".join(mistakes)


def test_contract_of_the_demo_is_read_with_its_parties_and_amount(
    headlines: list[Headline],
) -> None:
    (first,) = [one for one in headlines if one.id == "wire-a:1103-07"]
    (reading,) = classify(first.title)
    assert reading.type == "deal"
    assert sorted(reading.tickers) == ["IREN", "MSFT"]
    assert [amount.usd for amount in reading.amounts] == [Decimal("9700000000")]
