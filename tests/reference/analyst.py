"""Moves as an analyst would work them out: pandas, numpy and statsmodels, nothing of signals.

Written from the design and the docstrings, to check the product by. A tick is one second with
prices: its start, its end, its first, high, low and last price, and the benchmark's price that its
record carries. All times are integer microseconds.
"""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import statsmodels.api as sm

LEVELS = (0.03, 0.05, 0.10, 0.20)
MINUTES = {"PT1M": 1, "PT5M": 5, "PT30M": 30, "PT1H": 60}
SECOND, MINUTE = 1_000_000, 60_000_000
STALE = 15 * MINUTE
_BORDER = 1e-6  # nearer to a level than the prices are exact


@cache
def read_daily(folder: Path, ticker: str) -> pd.DataFrame:
    """The days of a ticker, with each session's open and close."""
    frame = pd.read_csv(folder / "data" / "prices_daily" / f"{ticker}.csv", parse_dates=["Date"])
    return frame.merge(new_york(), on="Date", how="left", validate="one_to_one").set_index("Date")


def read_hourly(folder: Path, ticker: str) -> pd.DataFrame:
    """The hours of a ticker; the last of a session is cut off by its close."""
    frame = pd.read_csv(
        folder / "data" / "prices_hourly" / f"{ticker}_1h.csv", parse_dates=["timestamps"]
    )
    frame["start_us"] = _us(frame.pop("timestamps"))
    days = new_york()[["open_us", "close_us"]]
    frame = pd.merge_asof(frame, days, left_on="start_us", right_on="open_us")
    frame["end_us"] = np.minimum(frame.start_us + 60 * MINUTE, frame.close_us)
    # A bar that begins at the close would be the auction alone.
    frame = frame[frame.start_us < frame.close_us].reset_index(drop=True)
    frame["day_volume"] = frame.groupby("open_us").volume.cumsum()
    return frame


@cache
def new_york() -> pd.DataFrame:
    """The sessions of New York: Date, open_us, close_us."""
    schedule = exchange_calendars.get_calendar("XNYS", start="2019-01-02").schedule
    return pd.DataFrame(
        {
            "Date": schedule.index,
            "open_us": _us(schedule["open"]).to_numpy(),
            "close_us": _us(schedule["close"]).to_numpy(),
        }
    )


def _us(times: pd.Series) -> pd.Series:
    return times.dt.tz_convert(None).dt.as_unit("us").astype("int64")


def daily_ticks(days: pd.DataFrame, benchmark: pd.DataFrame) -> pd.DataFrame:
    """The first and the last second of each daily bar, with the benchmark's open and close."""
    return _ticks(
        pd.DataFrame(
            {
                "start_us": days.open_us,
                "end_us": days.close_us,
                "open": days.Open,
                "high": days.High,
                "low": days.Low,
                "close": days.Close,
                "benchmark_open": benchmark.Open.reindex(days.index),
                "benchmark": benchmark.Close.reindex(days.index),
                "day_volume": days.Volume,
            }
        )
    )


def hourly_ticks(hours: pd.DataFrame, benchmark: pd.DataFrame) -> pd.DataFrame:
    """The first and the last second of each hourly bar."""
    market = benchmark.set_index("start_us")
    return _ticks(
        hours.assign(
            benchmark_open=hours.start_us.map(market.open),
            benchmark=hours.start_us.map(market.close),
        )
    )


def _ticks(bars: pd.DataFrame) -> pd.DataFrame:
    first = pd.DataFrame(
        {
            "start_us": bars.start_us,
            **dict.fromkeys(("first", "high", "low", "last"), bars.open),
            "benchmark": bars.benchmark_open,
            "day_volume": np.nan,  # a bar tells the volume of its end
        }
    )
    last = pd.DataFrame(
        {
            "start_us": bars.end_us - SECOND,
            "first": bars.close,
            "high": bars.high,
            "low": bars.low,
            "last": bars.close,
            "benchmark": bars.benchmark,
            "day_volume": bars.day_volume,
        }
    )
    ticks = pd.concat([first, last]).sort_values("start_us", ignore_index=True)
    return ticks.assign(end_us=ticks.start_us + SECOND)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    beta: float
    deviation: float
    volume: float


def statistics(
    closes: pd.Series, benchmark: pd.Series, volume: pd.Series, receipts: pd.Series, at_us: int
) -> Statistics:
    """Beta over 120 daily returns, the deviation of 60, the volume of 20 days, known at a time."""
    known = pd.DataFrame({"own": closes, "market": benchmark, "volume": volume})[receipts <= at_us]
    returns = known[["own", "market"]].pct_change().iloc[1:]
    recent = returns.tail(120)
    line = sm.OLS(recent.own.to_numpy(), sm.add_constant(recent.market.to_numpy())).fit()
    return Statistics(
        beta=float(line.params[1]),
        deviation=float(np.std(returns.own.tail(60).to_numpy(), ddof=1)),
        volume=float(known.volume.tail(20).mean()),
    )


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One milestone; ``flag`` says why it has no figure."""

    to_us: int
    raw: float | None = None
    abnormal: float | None = None
    z: float | None = None
    volume_ratio: float | None = None
    flag: str | None = None


class Analyst:
    """One ticker's prices, and what an event at a time did to them."""

    def __init__(self, ticks: pd.DataFrame) -> None:
        self._ticks = ticks
        days = new_york()
        self._opens, self._closes = days.open_us.to_numpy(), days.close_us.to_numpy()

    def milestones(self, event_us: int, known: Statistics) -> tuple[dict[str, Expected], set[str]]:
        """Every milestone after an event, and the levels that were too near to tell."""
        first, second = self._closes[self._closes > event_us][:2]
        times = {name: event_us + n * MINUTE for name, n in MINUTES.items()}
        times |= {"close": int(first), "next_close": int(second)}
        base = self._as_of(event_us)
        fault = "no_price" if base is None else None
        if base is not None and self._is_stale(base, event_us):
            fault = "stale"
        if base is None or fault is not None:
            return {n: Expected(to_us=t, flag=fault) for n, t in times.items()}, set()
        found = {n: self._horizon(base, event_us, t, known) for n, t in times.items()}
        levels, unclear = self._levels(base, event_us, int(second), known)
        return found | levels, unclear

    def _as_of(self, at_us: int) -> pd.Series | None:
        i = self._ticks.end_us.searchsorted(at_us, side="right")
        return None if i == 0 else self._ticks.iloc[i - 1]

    def _horizon(self, base: pd.Series, event_us: int, at_us: int, known: Statistics) -> Expected:
        tick = self._as_of(at_us)
        assert tick is not None
        if tick.end_us <= event_us:
            return Expected(to_us=at_us, flag="no_price")
        if self._is_stale(tick, at_us):
            return Expected(to_us=at_us, flag="stale")
        return self._measured(base, tick, float(tick["last"]), at_us, known)

    def _levels(
        self, base: pd.Series, event_us: int, until_us: int, known: Statistics
    ) -> tuple[dict[str, Expected], set[str]]:
        ticks = self._ticks
        watched = ticks[(ticks.start_us >= event_us) & (ticks.start_us < until_us)]
        found, unclear = {}, set()
        for level in (*LEVELS, *(-level for level in LEVELS)):
            sign, name = np.sign(level), f"level:{level:+.2f}"
            extremes = (watched.high if level > 0 else watched.low) / base["last"] - 1
            if (abs(extremes - level) < _BORDER).any():
                unclear.add(name)
                continue
            crossed = watched[sign * extremes >= sign * level]
            if crossed.empty:
                continue
            tick = crossed.iloc[0]
            gapped = sign * (tick["first"] / base["last"] - 1) >= sign * level
            price = tick["first"] if gapped else (tick.high if level > 0 else tick.low)
            found[name] = self._measured(base, tick, float(price), int(tick.start_us), known)
        return found, unclear

    def _measured(
        self, base: pd.Series, tick: pd.Series, price: float, to_us: int, known: Statistics
    ) -> Expected:
        raw = price / base["last"] - 1
        market = tick.benchmark / base.benchmark - 1
        abnormal = raw - known.beta * market
        span = self._sessions_between(int(base.end_us), to_us)
        return Expected(
            to_us=to_us,
            raw=raw,
            abnormal=abnormal,
            z=abnormal / (known.deviation * sqrt(span)) if span > 0 else None,
            volume_ratio=self._volume_ratio(base, tick, to_us, known.volume),
        )

    def _volume_ratio(
        self, base: pd.Series, tick: pd.Series, to_us: int, daily: float
    ) -> float | None:
        i = self._opens.searchsorted(tick.start_us, side="right") - 1
        opened, closed = self._opens[i], self._closes[i]
        shares, since = tick.day_volume, opened
        if base.start_us >= opened:
            shares, since = shares - base.day_volume, base.end_us
        if np.isnan(shares):
            return None
        part = (min(max(to_us, tick.end_us), closed) - since) / (closed - opened)
        return float(shares / (daily * part))

    def _open_parts(self, from_us: int, to_us: int) -> np.ndarray:
        """How long each session was open between two times."""
        return np.clip(np.minimum(self._closes, to_us) - np.maximum(self._opens, from_us), 0, None)

    def _is_stale(self, tick: pd.Series, at_us: int) -> bool:
        return bool(self._open_parts(int(tick.end_us), at_us).sum() > STALE)

    def _sessions_between(self, from_us: int, to_us: int) -> float:
        """The trading time between two times in sessions; over a night at least one."""
        whole = self._closes - self._opens
        total = float((self._open_parts(from_us, to_us) / whole).sum())
        inside = (self._opens <= from_us) & (from_us < self._closes) & (to_us <= self._closes)
        return total if inside.any() else max(total, 1.0)
