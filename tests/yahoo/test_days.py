"""Daily records and splits: as traded on the day, once the session is over."""

import json
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.messages import Micros, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from streams.sources.yahoo_numbers import decimal_of, rounded
from tests.builders import us
from tests.yahoo.server import Row, Yahoo, single
from tests.yahoo.test_bars import Tape, ends

# New York's sessions around the day on which the clocks went back.
OPENS = [us(f"2025-10-{day}T13:30:00Z") for day in (29, 30, 31)] + [
    us(f"2025-11-{day}T14:30:00Z") for day in ("03", "04")
]
CLOSES = [Micros(opened + 390 * MINUTE_US) for opened in OPENS]


def sessions(*closes: float, volume: int = 1200) -> list[Row]:
    """One row a session, at its open as Yahoo dates them."""
    return [
        (opened // SECOND_US, close, close * 1.5, close / 2, close, volume)
        for opened, close in zip(OPENS, closes, strict=False)
    ]


def days(yahoo: Yahoo, now_us: Micros, **options: object) -> Tape:
    return Tape(yahoo, now_us, **{"interval": "1d", "backlog_us": 20 * DAY_US, **options})


async def test_a_daily_record_runs_from_the_open_to_the_close(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(60.75, 61, 62, 67.75)
    tape = days(yahoo, Micros(CLOSES[3] + HOUR_US))
    given_ = await tape.run(tape.has(4))
    assert [(sample.event_us, sample.end_us) for sample in given_] == list(
        zip(OPENS[:4], CLOSES[:4], strict=True)
    )
    assert {sample.kind for sample in given_} == {"daily"}
    assert [sample.close for sample in given_][::3] == [Decimal("60.75"), Decimal("67.75")]
    assert given_[0].volume == Decimal(1200)


async def test_a_session_that_is_not_over_or_settled_is_not_given(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(60.75, 61, 62, 67.75)
    tape = days(yahoo, Micros(CLOSES[3] + 14 * MINUTE_US))
    rounds = 0

    def later() -> bool:
        nonlocal rounds
        if rounds == 0 and len(yahoo.requests) >= 3:
            rounds = len(tape.samples)
            tape.now_us = Micros(CLOSES[3] + 15 * MINUTE_US)
        return len(tape.samples) == 4

    await tape.run(later)
    assert rounds == 3


async def test_a_split_is_undone_in_what_was_traded_before_it(yahoo: Yahoo) -> None:
    # Traded at 100.01 and 99.95 before a three-for-one split on the 31st: Yahoo shows thirds.
    yahoo.rows["IREN", "1d"] = sessions(100.01 / 3, 99.95 / 3, 33.5, 34.0, volume=3600)
    yahoo.splits["IREN"] = [(OPENS[2] // SECOND_US, 3, 1)]
    tape = days(yahoo, Micros(CLOSES[3] + HOUR_US))
    given_ = await tape.run(tape.has(5))
    assert [(sample.kind, sample.close) for sample in given_] == [
        ("daily", Decimal("100.01")),
        ("daily", Decimal("99.95")),
        ("split", None),
        ("daily", Decimal("33.5")),
        ("daily", Decimal("34")),
    ]
    assert [sample.volume for sample in given_] == [1200, 1200, None, 3600, 3600]
    assert (given_[2].event_us, given_[2].ratio) == (OPENS[2], Decimal(3))


async def test_two_splits_multiply_and_a_reverse_split_divides(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(40, 40, 40, 40)
    yahoo.splits["IREN"] = [(OPENS[1] // SECOND_US, 10, 1), (OPENS[2] // SECOND_US, 1, 20)]
    tape = days(yahoo, Micros(CLOSES[3] + HOUR_US))
    given_ = await tape.run(tape.has(6))
    closes = [sample.close for sample in given_ if sample.kind == "daily"]
    assert closes == [20, 2, 40, 40]
    ratios = [sample.ratio for sample in given_ if sample.kind == "split"]
    assert ratios == [Decimal(10), Decimal("0.05")]


async def test_a_split_is_given_at_its_open_before_its_session_is_over(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(5, 5, 5, 5)
    yahoo.splits["IREN"] = [(OPENS[3] // SECOND_US, 10, 1)]
    tape = days(yahoo, Micros(OPENS[3] + MINUTE_US))
    given_ = await tape.run(tape.has(1), {"IREN": CLOSES[2]})
    assert [(sample.kind, sample.ratio) for sample in given_] == [("split", Decimal(10))]
    tape = days(yahoo, Micros(CLOSES[3] + HOUR_US))
    given_ = await tape.run(tape.has(1), {"IREN": OPENS[3]})
    assert [sample.kind for sample in given_] == ["daily"]


async def test_daily_restarts_lose_and_double_nothing(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(5, 6, 7, 8, 9)
    yahoo.splits["IREN"] = [(OPENS[2] // SECOND_US, 2, 1)]
    kept: list[PriceSample] = []
    for _ in range(6):
        tape = days(yahoo, Micros(CLOSES[4] + HOUR_US))
        moment = (kept[-1].end_us or kept[-1].event_us) if kept else None
        after = {} if moment is None else {"IREN": moment}
        kept += (await tape.run(tape.has(1), after))[:1]
    assert [sample.kind for sample in kept] == ["daily", "daily", "split", *["daily"] * 3]
    assert [sample.close for sample in kept] == [10, 12, None, 7, 8, 9]


async def test_a_daily_record_has_its_benchmarks_close_of_the_same_session(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(60, 61, 62)
    spy = sessions(680, 681, 682)
    yahoo.rows["SPY", "1d"] = [spy[0], spy[2]]
    tape = days(yahoo, Micros(CLOSES[2] + HOUR_US), benchmarks={"XNAS": "SPY", "XNYS": "SPY"})
    given_ = await tape.run(tape.has(5))
    stamped = [sample.benchmark_price for sample in given_ if sample.ticker == "IREN"]
    assert stamped == [680, None, 682]


async def test_seouls_late_day_ends_an_hour_later(yahoo: Yahoo) -> None:
    # 13 November 2025 was an exam day: 10:00 to 16:30 in Seoul. Hand-made prices.
    opened, closed = us("2025-11-13T01:00:00Z"), us("2025-11-13T07:30:00Z")
    yahoo.rows["005930.KS", "1d"] = [
        (us("2025-11-13T00:00:00Z") // SECOND_US, 102_900, 103_400, 100_600, 102_800, 1_000)
    ]
    tape = days(yahoo, Micros(closed + HOUR_US), tickers=["005930.KS"])
    (sample,) = await tape.run(tape.has(1))
    assert (sample.event_us, sample.end_us, sample.close) == (opened, closed, 102_800)


async def test_a_split_without_a_sensible_ratio_is_refused(yahoo: Yahoo) -> None:
    yahoo.rows["IREN", "1d"] = sessions(5, 6, 7)
    yahoo.splits["IREN"] = [(OPENS[1] // SECOND_US, 1, 100_000)]
    tape = days(yahoo, Micros(CLOSES[2] + HOUR_US))
    given_ = await tape.run(tape.has(3))
    assert [sample.kind for sample in given_] == ["daily"] * 3
    assert "$.split: must be a ratio" in str(tape.faults[0])


async def test_a_recorded_year_with_a_split(yahoo: Yahoo, shared: Path) -> None:
    folder = shared / "data" / "yahoo" / "tests" / "fixtures" / "http"
    name = "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json"
    recorded = json.loads((folder / name).read_text("utf-8"))["response"]["bodyJson"]
    quote = recorded["chart"]["result"][0]["indicators"]["quote"][0]
    yahoo.bodies["NVDA"] = json.dumps(recorded).encode()
    tape = days(yahoo, us("2025-02-22T10:01:31Z"), tickers=["NVDA"], backlog_us=1500 * DAY_US)
    given_ = await tape.run(tape.has(253))
    daily = [sample for sample in given_ if sample.kind == "daily"]
    (split,) = (sample for sample in given_ if sample.kind == "split")
    assert (split.event_us, split.ratio) == (us("2021-07-20T13:30:00Z"), Decimal(4))
    # The ten-for-one split of 2024 is not in the recorded reply, so a tenth of 529.48 is left.
    assert daily[0].close == Decimal("52.95")
    later = [sample.close for sample in daily if sample.event_us >= split.event_us]
    shown = quote["close"][-len(later) :]
    assert [single(float(cast(Decimal, close))) for close in later] == shown
    assert ends(daily) == sorted(ends(daily))


async def test_recorded_replies_without_rows_are_told(yahoo: Yahoo, shared: Path) -> None:
    folder = shared / "data" / "yahoo" / "tests" / "fixtures" / "http"
    name = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json"
    recorded = json.loads((folder / name).read_text("utf-8"))["response"]["bodyJson"]
    yahoo.bodies["AAPL"] = json.dumps(recorded).encode()
    tape = Tape(yahoo, us("2025-02-20T17:00:00Z"), tickers=["AAPL"])
    await tape.run(lambda: len(tape.faults) >= 2)
    assert "AAPL" in str(tape.faults[0])
    assert tape.samples == []


@given(st.decimals(min_value="0.0001", max_value="99999", places=2))
def test_a_price_of_seven_digits_survives_single_precision(price: Decimal) -> None:
    if price > 0:
        assert decimal_of(cast(float, single(float(price)))) == price


@given(st.floats(min_value=2**-16, max_value=2.0**127, width=32))
def test_the_decimal_is_the_same_single_and_has_no_exponent(value: float) -> None:
    found = decimal_of(value)
    assert single(float(found)) == value
    assert "E" not in str(found)
    assert len(found.as_tuple().digits) <= 9 or value > 1e9


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e39])
def test_what_is_no_number_is_no_price(value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        decimal_of(value)


def test_rounding_leaves_no_zeros() -> None:
    assert [str(rounded(Decimal(text), 2)) for text in ("100.01001", "34.000", "1200")] == [
        "100.01",
        "34",
        "1200",
    ]
