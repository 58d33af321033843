"""Forward returns and windows against a naive reader of the same rows, and mutants that differ.

The reference knows nothing of seconds, paths or measures: it looks rows up in plain lists.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from signals.backtest import forward as forward_module
from signals.backtest.forward import HORIZONS, Forward, forward_of
from signals.backtest.prices import Price, Prices
from signals.backtest.window import AFTER, BEFORE, window_of
from signals.market.path import Path
from signals.messages import Micros, PriceSample, Second
from signals.policy import MINUTE_US, SECOND_US
from tests.backtest.worlds import bar, close_of, collect, new_york

MINUTE_DAYS = range(80, 84)  # sessions with minute bars; the others have one bar
SPLIT_DAY, RATIO = 92, 4
SESSIONS = new_york(130)
EXACT = 1e-9


@dataclass(frozen=True)
class Row:
    """A bar: prices are those of the day's own shares, ``scale`` makes them comparable."""

    day: int
    start: int
    end: int
    open: float
    close: float
    benchmark_open: float
    benchmark_close: float

    @property
    def scale(self) -> int:
        return RATIO if self.day >= SPLIT_DAY else 1


def _rows() -> list[Row]:
    random = np.random.default_rng(11)
    level, benchmark = 80.0, 500.0
    rows = []

    def step(day: int, start: int, end: int, size: float) -> None:
        nonlocal level, benchmark
        quotes = []
        for _ in range(2):
            shock = random.normal(0, size)
            benchmark *= 1 + shock
            level *= 1 + 1.3 * shock + random.normal(0, size)
            shown = level / (RATIO if day >= SPLIT_DAY else 1)
            quotes.append((round(shown, 4), round(benchmark, 4)))
        (o, bo), (c, bc) = quotes
        rows.append(Row(day, start, end, o, c, bo, bc))

    for day, session in enumerate(SESSIONS):
        if day not in MINUTE_DAYS:
            step(day, session.open_us, session.close_us, 0.01)
            continue
        for start in range(session.open_us, session.close_us, MINUTE_US):
            minute = (start - session.open_us) // MINUTE_US
            if 100 <= minute < 125 or random.random() < 0.1:
                continue  # a gap
            step(day, start, start + MINUTE_US, 0.0007)
    return rows


ROWS = _rows()
CLOSES = {row.day: (row.close * row.scale, row.benchmark_close) for row in ROWS}


def _samples() -> list[PriceSample]:
    found = [
        bar("IREN", row.start, row.end,
            (row.open, row.close, row.benchmark_open, row.benchmark_close))
        for row in ROWS
    ]  # fmt: skip
    for day, (closed, benchmark) in CLOSES.items():
        own = closed / (RATIO if day >= SPLIT_DAY else 1)
        found.append(close_of("IREN", SESSIONS[day], own, benchmark))
    split = PriceSample(
        ticker="IREN",
        kind="split",
        event_us=SESSIONS[SPLIT_DAY].open_us,
        received_us=SESSIONS[SPLIT_DAY].open_us,
        source="made",
        ratio=Decimal(RATIO),
    )
    return [*found, split]


PRICES = collect(*_samples())["IREN"]


def _decisions() -> list[int]:
    """Nights, moments within minutes, the very start of bars, and the middle of daily bars."""
    random = np.random.default_rng(3)
    found = [SESSIONS[day].open_us - 3_600_000_000 for day in (75, 80, 82, 85, 90)]
    found += [SESSIONS[day].open_us + 5_000_000_000 for day in (76, 84, 88)]
    for day in MINUTE_DAYS:
        session = SESSIONS[day]
        span = session.close_us - session.open_us
        found += [session.open_us + int(random.integers(0, span)) for _ in range(25)]
        found += [session.open_us + int(random.integers(0, 389)) * MINUTE_US for _ in range(15)]
    return found


DECISIONS = _decisions()


def _beta(decided: int) -> float:
    """The slope over the last 120 daily returns whose closes were known."""
    days = [day for day in sorted(CLOSES) if SESSIONS[day].close_us <= decided][-121:]
    own = np.array([CLOSES[day][0] for day in days])
    other = np.array([CLOSES[day][1] for day in days])
    y, x = own[1:] / own[:-1] - 1, other[1:] / other[:-1] - 1
    return float(sm.OLS(y, sm.add_constant(x)).fit().params[1]) if len(y) >= 60 else 1.0


def _expected(decided: int) -> dict[str, tuple[float, float] | None]:
    entry = next(row for row in ROWS if row.start > decided)
    beta = _beta(decided)

    def figures(price: float, benchmark: float) -> tuple[float, float]:
        raw = price / (entry.open * entry.scale) - 1
        return raw, raw - beta * (benchmark / entry.benchmark_open - 1)

    found: dict[str, tuple[float, float] | None] = {}
    for horizon, minutes in (("PT1M", 1), ("PT5M", 5), ("PT30M", 30), ("PT1H", 60)):
        time = entry.start + minutes * MINUTE_US
        # A bar that is under way has shown its open.
        shown = [(r.end, r.close, r.benchmark_close) for r in ROWS if entry.start < r.end <= time]
        shown += [
            (r.start + SECOND_US, r.open, r.benchmark_open)
            for r in ROWS
            if entry.start < r.start and r.start + SECOND_US <= time
        ]
        last = max(shown, default=None)
        known = (
            last is not None
            and time <= SESSIONS[entry.day].close_us
            and time - last[0] <= 15 * MINUTE_US + SECOND_US
        )
        found[horizon] = figures(last[1], last[2]) if known and last is not None else None
    for horizon, days in (("close", 0), ("day+1", 1), ("day+5", 5), ("day+20", 20)):
        found[horizon] = figures(*CLOSES[entry.day + days])
    return found


def _differences(prices: Prices = PRICES) -> int:
    """How many figures are not the reference's to 1e-9."""
    wrong = 0
    for decided in DECISIONS:
        got, expected = forward_of("IREN", prices, Micros(decided)), _expected(decided)
        wrong += sum(not _same(got, horizon, expected[horizon]) for horizon in HORIZONS)
    return wrong


def _same(got: Forward, horizon: str, expected: tuple[float, float] | None) -> bool:
    found = next(one for one in got.returns if one.horizon == horizon)
    if expected is None or found.raw is None or found.abnormal is None:
        return expected is None and found.raw is None
    return abs(found.raw - expected[0]) < EXACT and abs(found.abnormal - expected[1]) < EXACT


def test_every_figure_is_the_references() -> None:
    assert _differences() == 0
    figures = [figure for decided in DECISIONS for figure in _expected(decided).values()]
    assert sum(figure is None for figure in figures) > 20  # closes and gaps are among them
    assert sum(figure is not None for figure in figures) > 1000


# ---- mutants: each looks ahead, or at prices that nobody saw ----


def _own_bar(self: Prices, time_us: Micros) -> Second | None:
    """Enter at the open of the bar in which the decision falls."""
    before = [start for start in self.starts if start <= time_us]
    path: Path = self.market.path
    return next(path.between(before[-1], Micros(before[-1] + SECOND_US)), None)


def _own_close(self: Prices, time_us: Micros) -> Second | None:
    """Enter at the next price of any kind, which may end a bar that had begun."""
    return next(
        second
        for second in self.market.path.between(Micros(time_us + 1), self.until_us)
        if second.second_us > time_us
    )


def _at_once(self: Prices, time_us: Micros) -> Second | None:
    """Enter at a bar that opens in the moment of the decision."""
    return _FIRST_AFTER(self, Micros(time_us - 1))


_FIRST_AFTER = Prices.first_after
_CLOSE_OF = Prices.close_of
_STATISTICS = forward_module.statistics_before
_BENCHMARK = forward_module._benchmark_return


def _adjusted(self: Prices, session: Any) -> Price | None:
    """Take closes as adjusted for splits that came later, beside prices as traded."""
    found = _CLOSE_OF(self, session)
    later = session.close_us < SESSIONS[SPLIT_DAY].open_us
    return replace(found, price=found.price / RATIO) if found is not None and later else found


def _beta_from_later(prices: Prices, decided_us: Micros) -> Any:
    return _STATISTICS(prices, Micros(decided_us + 10 * 86_400_000_000))


def _benchmark_from_later(entry: Any, later: Price) -> float | None:
    """Take the benchmark of the day after the horizon."""
    after = [day for day in sorted(CLOSES) if SESSIONS[day].close_us > later.at_us]
    return _BENCHMARK(entry, replace(later, benchmark_price=Decimal(str(CLOSES[after[0]][1]))))


def _benchmark_at_the_decision(entry: Any, later: Price) -> float | None:
    """Take the benchmark's close before the entry, a night earlier than the share's price."""
    before = [day for day in sorted(CLOSES) if SESSIONS[day].close_us <= entry.session.open_us]
    early = Decimal(str(CLOSES[before[-1]][1]))
    return _BENCHMARK(replace(entry, benchmark_price=early), later)


@pytest.mark.parametrize(
    ("owner", "name", "mutant"),
    [
        (Prices, "first_after", _own_bar),
        (Prices, "first_after", _own_close),
        (Prices, "first_after", _at_once),
        (Prices, "close_of", _adjusted),
        (forward_module, "statistics_before", _beta_from_later),
        (forward_module, "_benchmark_return", _benchmark_from_later),
        (forward_module, "_benchmark_return", _benchmark_at_the_decision),
        (forward_module, "factor_between", lambda *_: Decimal(1)),
    ],
    ids=lambda value: value.__name__.strip("_<>") if callable(value) else None,
)
def test_a_planted_mutant_is_caught(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, mutant: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, mutant)

    assert _differences() > 0


# ---- the days around the event ----


@pytest.mark.parametrize(("day", "minutes"), [(82, -60), (82, 30), (81, 391), (90, 10)])
def test_the_window_is_that_of_closes_around_the_first_close_after_the_decision(
    day: int, minutes: int
) -> None:
    decided = SESSIONS[day].open_us + minutes * MINUTE_US
    zero = next(d for d in sorted(CLOSES) if SESSIONS[d].close_us > decided)
    beta = _beta(decided)
    expected = []
    for d in range(zero - BEFORE, zero + AFTER + 1):
        (own, other), (own_before, other_before) = CLOSES[d], CLOSES[d - 1]
        expected.append(own / own_before - 1 - beta * (other / other_before - 1))

    found = window_of(PRICES, Micros(decided))

    assert found is not None
    assert found.abnormal == pytest.approx(expected, abs=EXACT)
