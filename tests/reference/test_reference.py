"""The measures against statsmodels, numpy and pandas on real prices of seven years.

The prices of the files are split-adjusted doubles that went through single precision; the product
gets their shortest text, the reference the doubles.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from signals import names
from signals.market.session_moves import SessionMoves, session_moves
from signals.market.tape import Tape
from signals.messages import Move, PriceSample
from signals.policy import HOUR_US, MINUTE_US, SECOND_US, Policy
from streams.replay import Pipeline
from streams.tables import load_sessions
from tests.builders import as_input
from tests.reference import analyst, feeds

_BASIS_POINT = 1e-4
_RETURN = 0.1 * _BASIS_POINT
_BETA = 1e-6
_SCORE = 1e-4
_HISTORY, _AROUND = 126, 4  # sessions before an event with closes; with bars
_KINDS = ("before", "early", "inside", "after", "weekend", "at the open", "at the close", "closing")
_HOURLY = ("AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA")


@dataclass(frozen=True, kw_only=True)
class _Case:
    ticker: str
    benchmark: str
    at: int  # position of its session
    kind: str
    event_us: int
    delay_us: int


def _tickers(shared: Path) -> list[str]:
    return sorted(path.stem for path in (shared / "data" / "prices_daily").glob("*.csv"))


def _event_us(days: pd.DataFrame, at: int, kind: str, random: Random) -> int:
    """A whole second about the session; some have a part of a second beyond it."""
    opened, closed = int(days.open_us.iloc[at]), int(days.close_us.iloc[at])
    spans = {
        "before": (opened - 9 * HOUR_US, opened - SECOND_US),
        "early": (opened + 2 * SECOND_US, opened + 14 * MINUTE_US),
        "inside": (opened + 17 * MINUTE_US, closed - 2 * SECOND_US),
        "after": (closed + SECOND_US, closed + 5 * HOUR_US),
        "weekend": (closed + 12 * HOUR_US, closed + 48 * HOUR_US),
        "at the open": (opened, opened),
        "at the close": (closed, closed),
        # After the close, before the daily record of it came.
        "closing": (closed + SECOND_US, closed + 290 * SECOND_US),
    }
    return random.randint(*spans[kind])


def _cases(shared: Path, seed: int, tickers: list[str], each: int) -> Iterator[_Case]:
    random = Random(seed)
    kinds = 0
    for ticker in tickers:
        days = analyst.read_daily(shared, ticker)
        for _ in range(each):
            kind = _KINDS[kinds % len(_KINDS)]
            kinds += 1
            at = random.randrange(_HISTORY, len(days) - _AROUND - 1)
            if kind == "weekend":
                while days.open_us.iloc[at + 1] - days.close_us.iloc[at] < 60 * HOUR_US:
                    at -= 1
            others = [name for name in ("SPY", "SPY", "QQQ") if name != ticker]
            yield _Case(
                ticker=ticker,
                benchmark=random.choice(others),
                at=at,
                kind=kind,
                event_us=_event_us(days, at, kind, random),
                delay_us=random.choice((0, 0, 3 * SECOND_US, 30 * HOUR_US)),
            )


class _Comparison:
    """Compares move with move, and counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.largest: dict[str, float] = {}

    def milestones(
        self,
        case: _Case,
        found: dict[str, Move],
        expected: dict[str, analyst.Expected],
        unclear: set[str],
        beta: float,
    ) -> None:
        self.counts["events"] += 1
        self.counts["unclear levels"] += len(unclear)
        if found.keys() - unclear != expected.keys() - unclear:
            self.faults.append(f"{case}: {sorted(found)} for {sorted(expected)}")
            return
        for name in expected.keys() - unclear:
            move, wanted = found[name], expected[name]
            where = f"{case} {name}"
            self.counts["milestones"] += 1
            self.same(where, "to_us", move.to_us, wanted.to_us)
            self.same(where, "flags", move.flags, () if wanted.flag is None else (wanted.flag,))
            self.near(where, "raw", move.raw, wanted.raw, _RETURN)
            self.near(where, "abnormal", move.abnormal, wanted.abnormal, _RETURN)
            self.near(where, "z", move.z, wanted.z, _SCORE)
            self.near(where, "volume", move.volume_ratio, wanted.volume_ratio, _SCORE)
            self.near(where, "beta", move.beta, None if wanted.raw is None else beta, _BETA)

    def near(
        self, where: str, what: str, found: float | None, expected: float | None, within: float
    ) -> None:
        if found is None or expected is None:
            self.same(where, what, found, expected)
            return
        self.counts[what] += 1
        apart = abs(found - expected)
        self.largest[what] = max(apart, self.largest.get(what, 0.0))
        if not apart <= within:
            self.faults.append(f"{where}: {what} {found}, expected {expected}")

    def same(self, where: str, what: str, found: object, expected: object) -> None:
        self.counts[f"same {what}"] += 1
        if found != expected:
            self.faults.append(f"{where}: {what} {found}, expected {expected}")

    def check(self) -> None:
        print(dict(self.counts), {name: f"{value:.1e}" for name, value in self.largest.items()})
        assert not self.faults, "\n".join([f"{len(self.faults)} differ", *self.faults[:20]])


def _known(days: pd.DataFrame, benchmark: pd.DataFrame, case: _Case) -> analyst.Statistics:
    """The statistics at the event, from the closes that had been received by then."""
    return analyst.statistics(
        days.Close,
        benchmark.Close,
        days.Volume,
        days.close_us + round(feeds.DAILY_DELAY_S * SECOND_US),
        case.event_us,
    )


def test_every_milestone_of_daily_bars_is_that_of_the_reference(shared: Path) -> None:
    comparison = _Comparison()
    benchmarks = {name: analyst.read_daily(shared, name) for name in ("SPY", "QQQ")}
    for case in _cases(shared, 5, _tickers(shared), each=2):
        market = benchmarks[case.benchmark]
        days = analyst.read_daily(shared, case.ticker)
        history = days.iloc[case.at - _HISTORY : case.at + _AROUND]
        around = days.iloc[case.at - _AROUND : case.at + _AROUND]
        market_close = market.Close.reindex(days.index)
        inputs = [
            *feeds.daily_records(case.ticker, history, case.benchmark, market_close),
            *feeds.daily_bars(case.ticker, around, case.benchmark, market),
            feeds.news(case.ticker, case.event_us, delay_us=case.delay_us),
        ]
        known = _known(history, market.reindex(history.index), case)
        expected, unclear = analyst.Analyst(analyst.daily_ticks(around, market)).milestones(
            case.event_us, known
        )
        found = feeds.moves_after(inputs, case.ticker)
        comparison.milestones(case, found, expected, unclear, known.beta)

    comparison.check()
    assert comparison.counts["events"] >= 210
    for what in ("raw", "abnormal", "beta", "z"):
        assert comparison.counts[what] >= 500, comparison.counts
    assert comparison.counts["volume"] >= 250


def test_every_milestone_of_hourly_bars_is_that_of_the_reference(shared: Path) -> None:
    # There are no hours of SPY or QQQ: another large company stands in for the benchmark.
    comparison = _Comparison()
    hours = {name: analyst.read_hourly(shared, name) for name in _HOURLY}
    for case in _cases(shared, 7, list(_HOURLY) * 8, each=2):
        benchmark = "GOOGL" if case.ticker == "MSFT" else "MSFT"
        days, market = (analyst.read_daily(shared, name) for name in (case.ticker, benchmark))
        at = len(days) - 1 - _AROUND - (case.at % 230)  # the hours are those of the last year
        event_us = _event_us(days, at, case.kind, Random(case.event_us))
        if case.kind == "weekend" and days.open_us.iloc[at + 1] < event_us:
            continue
        case = _Case(
            ticker=case.ticker, benchmark=benchmark, at=at, kind=case.kind, event_us=event_us,
            delay_us=case.delay_us,
        )  # fmt: skip
        history = days.iloc[at - _HISTORY : at + _AROUND]
        first_us, last_us = days.open_us.iloc[at - _AROUND], days.close_us.iloc[at + _AROUND]
        own = hours[case.ticker]
        around = own[(own.start_us >= first_us) & (own.start_us < last_us)]
        bars = hours[benchmark].set_index("start_us")
        inputs = [
            *feeds.daily_records(case.ticker, history, benchmark, market.Close),
            *feeds.hourly_bars(case.ticker, around, benchmark, bars),
            feeds.news(case.ticker, event_us, delay_us=case.delay_us),
        ]
        known = _known(history, market.reindex(history.index), case)
        ticks = analyst.hourly_ticks(around, hours[benchmark])
        expected, unclear = analyst.Analyst(ticks).milestones(event_us, known)
        found = feeds.moves_after(inputs, case.ticker)
        comparison.milestones(case, found, expected, unclear, known.beta)

    comparison.check()
    assert comparison.counts["events"] >= 100
    for what in ("raw", "abnormal", "beta", "z", "volume"):
        assert comparison.counts[what] >= 150, comparison.counts


def _tape(ticker: str, samples: list[PriceSample]) -> Tape:
    """A ticker's tape, as sample_prices makes it."""
    (sampling,) = (agent for agent in feeds.agents_of(ticker) if agent.reads == names.PRICES)
    pipeline, tape = Pipeline([sampling]), Tape(ticker, load_sessions(), Policy())
    for sample in samples:
        for output in pipeline.feed(*as_input(sample)):
            tape.add(output.message)  # type: ignore[arg-type]  # sample_prices gives no other
    return tape


def _sessions_expected(days: pd.DataFrame, benchmark: pd.DataFrame) -> pd.DataFrame:
    """A row a session: its four moves since the close before, and the measures of each."""
    own = days.Close.pct_change()
    market = benchmark.Close
    against = market.pct_change()
    opened = benchmark.Open / market.shift(1) - 1
    paired = pd.DataFrame({"own": own, "market": against}).rolling(120, min_periods=60)
    covariance = paired.cov(pairwise=True)
    beta = (
        covariance.own.xs("market", level=1) / covariance.market.xs("market", level=1)
    ).fillna(1.0).shift(1)  # fmt: skip
    deviation = own.rolling(60, min_periods=20).std(ddof=1).shift(1)
    volume = days.Volume.rolling(20, min_periods=5).mean().shift(1)
    before = days.Close.shift(1)
    frame = pd.DataFrame({"open_us": days.open_us, "beta": beta})
    for name, column in (("gap", "Open"), ("high", "High"), ("low", "Low"), ("close", "Close")):
        raw = days[column] / before - 1
        frame[f"{name} raw"] = raw
        # A session that never went beyond its open had the benchmark of the open there.
        at_open = name == "gap" or (days[column] == days.Open if name != "close" else False)
        frame[f"{name} abnormal"] = raw - beta * np.where(at_open, opened, against)
        frame[f"{name} z"] = frame[f"{name} abnormal"] / deviation
        # At its open a bar tells no volume; all of a day's is known at its end.
        frame[f"{name} volume"] = np.nan if name == "gap" else days.Volume / volume
    return frame.iloc[1:]


def _compare_session(comparison: _Comparison, found: SessionMoves, row: dict[str, float]) -> None:
    comparison.counts["sessions"] += 1
    for name, move in (
        ("gap", found.gap), ("high", found.high), ("low", found.low), ("close", found.close),
    ):  # fmt: skip
        assert move is not None
        where = f"{found.ticker} {found.session.open_us} {name}"
        wanted = {
            what: None if np.isnan(row[f"{name} {what}"]) else row[f"{name} {what}"]
            for what in ("raw", "abnormal", "z", "volume")
        }
        if name in ("high", "low") and row[f"{name} raw"] == row["gap raw"]:
            wanted["volume"] = None  # the open was the extreme, and first
        comparison.near(where, "raw", move.raw, wanted["raw"], _RETURN)
        comparison.near(where, "abnormal", move.abnormal, wanted["abnormal"], _RETURN)
        comparison.near(where, "z", move.z, wanted["z"], _SCORE)
        comparison.near(where, "volume", move.volume_ratio, wanted["volume"], _SCORE)
        comparison.near(where, "beta", move.beta, row["beta"], _BETA)


def test_sessions_against_the_close_before_are_those_of_the_reference(shared: Path) -> None:
    comparison, random = _Comparison(), Random(11)
    market = analyst.read_daily(shared, "SPY")
    for ticker in random.sample([t for t in _tickers(shared) if t != "SPY"], 9):
        days = analyst.read_daily(shared, ticker)
        at = random.randrange(len(days) - 280) if len(days) > 280 else 0
        days = days.iloc[at : at + 280]
        bars = feeds.daily_bars(ticker, days, "SPY", market)
        records = feeds.daily_records(ticker, days, "SPY", market.Close)
        samples = [*bars, *records]
        random.shuffle(samples)
        now = _tape(ticker, samples).market()
        expected = _sessions_expected(days, market.reindex(days.index))
        for row in expected.to_dict("records"):
            session = now.sessions.at(ticker, row["open_us"])
            assert session is not None
            _compare_session(comparison, session_moves(now, session), row)

    comparison.check()
    assert comparison.counts["sessions"] > 2500
    for what in ("raw", "abnormal", "beta", "z", "volume"):
        assert comparison.counts[what] > 5000
