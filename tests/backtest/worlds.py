"""Made-up markets with a known effect, and alerts about them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from signals.backtest.prices import Prices, collect_prices
from signals.market.sessions import Session
from signals.messages import Alert, Explain, Micros, Party, PriceSample, RuleSetId
from signals.policy import MINUTE_US, Policy
from streams.tables import load_sessions

RULES = RuleSetId(version="toy", hash="ab" * 32)
FIRST = Micros(1_704_205_800_000_000)  # 2 January 2024, 09:30 in New York


def new_york(count: int, *, from_us: int = FIRST) -> list[Session]:
    """So many sessions of New York from a time on."""
    found = [day for day in load_sessions().by_market["XNYS"] if day.open_us >= from_us]
    return found[:count]


def price(value: float) -> Decimal:
    return Decimal(f"{value:.4f}")


def bar(
    ticker: str, start_us: int, end_us: int, prices: Sequence[float], **more: Any
) -> PriceSample:
    """A bar of an open and a close, and what the benchmark was then."""
    opened, closed, *benchmark = prices
    fields: dict[str, Any] = {
        "ticker": ticker,
        "kind": "bar",
        "event_us": Micros(start_us),
        "end_us": Micros(end_us),
        "received_us": Micros(end_us),
        "source": "made",
        "open": price(opened),
        "high": price(max(opened, closed)),
        "low": price(min(opened, closed)),
        "close": price(closed),
    }
    if benchmark:
        fields |= {
            "benchmark": "SPY",
            "benchmark_open": price(benchmark[0]),
            "benchmark_price": price(benchmark[1]),
        }
    return PriceSample(**(fields | more))


def close_of(ticker: str, session: Session, closed: float, benchmark: float, **more: Any) -> Any:
    """The daily record of a session."""
    prices = (closed, closed, benchmark, benchmark)
    sample = bar(ticker, session.open_us, session.close_us, prices, kind="daily", **more)
    return replace(sample, benchmark_open=None)


def trade(ticker: str, at_us: int, value: float, benchmark: float = 500.0, **more: Any) -> Any:
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=Micros(at_us),
        received_us=Micros(at_us),
        source="made",
        price=price(value),
        benchmark="SPY",
        benchmark_price=price(benchmark),
        **more,
    )


def collect(*samples: PriceSample) -> dict[str, Prices]:
    def refuse(error: Exception) -> None:
        raise error

    return collect_prices(samples, load_sessions(), Policy(), refuse)


def alert(ticker: str, known_us: int, *, number: int = 1, **changes: Any) -> Alert:
    """An alert about a deal of one company, the first of its story."""
    plain = Alert(
        alert_id=f"al_{ticker}_{number}",
        revision=1,
        kind="new",
        type="deal",
        status="signed",
        direction=None,
        story_id=f"st_{ticker}_{number}",
        anchor=ticker,
        title=f"{ticker} signs contract {number}",
        parties=(Party(id=f"org:{ticker}", name=ticker, role="supplier", tickers=(ticker,)),),
        tickers=(ticker,),
        amounts=(),
        headline_ids=(f"wire:{ticker}:{number}",),
        event_ids=(),
        moves=(),
        known_us=Micros(known_us),
        severity="low",
        explain=Explain(summary="", rules=(), evidence=(), thresholds=(), score=1.0),
        rules=RULES,
    )
    return replace(plain, **changes)


class Market:
    """Daily prices of shares and their benchmark, drawn at random, with an effect where wanted.

    Each share's return is ``beta`` times the benchmark's and noise; where there is an alert
    overnight, ``effect`` is added to the return from the next open to that close.
    """

    def __init__(self, *, shares: int = 12, days: int = 260, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.sessions = new_york(days)
        self.tickers = [f"S{number:02d}" for number in range(shares)]
        self.benchmark = 500 * np.exp(np.cumsum(self.random.normal(0, 0.008, (days, 2)).ravel()))
        self.benchmark = self.benchmark.reshape(days, 2)  # open, close
        steps = np.diff(np.log(self.benchmark.ravel()), prepend=np.log(500.0))
        beta = np.linspace(0.5, 1.6, shares)
        self.returns = {
            ticker: beta[i] * steps + self.random.normal(0, 0.012, days * 2)
            for i, ticker in enumerate(self.tickers)
        }

    def add_effect(self, ticker: str, day: int, effect: float) -> None:
        """Add to the return from a day's open to its close."""
        self.returns[ticker][2 * day + 1] += effect

    def prices(self, ticker: str) -> np.ndarray[Any, Any]:
        """(days, 2): open and close."""
        return (50 * np.exp(np.cumsum(self.returns[ticker]))).reshape(-1, 2)

    def samples(self) -> list[PriceSample]:
        found = []
        for ticker in self.tickers:
            for session, own, other in zip(
                self.sessions, self.prices(ticker), self.benchmark, strict=True
            ):
                found.append(bar(ticker, session.open_us, session.close_us, (*own, *other)))
                found.append(close_of(ticker, session, own[1], other[1]))
        return found

    def night_before(self, day: int) -> Micros:
        """An hour before the open of a day."""
        return Micros(self.sessions[day].open_us - 60 * MINUTE_US)
