"""The days around an event: abnormal returns from close to close, for an event study.

Day 0 is the session in which, or before which, the alert became known: the first one whose close
comes after the decision. Whether one could have traded plays no part here: the days before 0 show
what the tape had done before anybody was told.
"""

from dataclasses import dataclass
from itertools import pairwise

from signals.backtest.forward import nth_session, statistics_before
from signals.backtest.prices import Price, Prices
from signals.market.measures import abnormal_of, ratio
from signals.market.sessions import Session
from signals.market.splits import factor_between
from signals.messages import Micros

__all__ = ["AFTER", "BEFORE", "Window", "event_session", "window_of"]

BEFORE, AFTER = 5, 20  # sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The abnormal returns of the days -``BEFORE`` to +``AFTER``, None where one is not known."""

    abnormal: tuple[float | None, ...]


def event_session(prices: Prices, decided_us: Micros) -> Session | None:
    """Return day 0 of a decision; None where the table of sessions has no such day."""
    sessions, ticker = prices.market.sessions, prices.market.ticker
    return sessions.at(ticker, decided_us) or sessions.following(ticker, decided_us)


def window_of(prices: Prices, decided_us: Micros) -> Window | None:
    """Return the days around a decision; None where its day 0 lies in no known session."""
    session = event_session(prices, decided_us)
    if session is None:
        return None
    beta = statistics_before(prices, decided_us).beta
    here = nth_session(prices, session, -BEFORE - 1)
    closes: list[Price | None] = []
    for _ in range(BEFORE + AFTER + 2):
        closes.append(None if here is None else prices.close_of(here))
        here = None if here is None else nth_session(prices, here, 1)
    return Window(abnormal=tuple(_abnormal(prices, a, b, beta) for a, b in pairwise(closes)))


def _abnormal(
    prices: Prices, earlier: Price | None, later: Price | None, beta: float
) -> float | None:
    if earlier is None or later is None or prices.jumped(earlier.at_us, later.at_us):
        return None
    if earlier.benchmark_price is None or later.benchmark_price is None:
        return None
    factor = factor_between(prices.market.splits, earlier.at_us, later.at_us)
    raw = ratio(later.price * factor, earlier.price)
    return abnormal_of(raw, ratio(later.benchmark_price, earlier.benchmark_price), beta)
