"""Forward returns: what followed a decision, from a price at which one could have traded.

**Entry** is the first price of the first second that begins after the decision, in a regular
session, in which a trade was made or a bar began. A bar that began before the decision is no entry:
its open was past, and its close stands for no trade of its own. The entry must come before the next
whole session after the decision ends; later the share was halted.

**Horizons** count from the entry: so many minutes after it within its session, that session's
close, the close of the 1st, 5th and 20th session after it. The price at a horizon is the last one
by then; it must be younger than the policy's ``stale_us`` and later than the entry.

What the figures rest on: beta and volatility as of the decision, splits counted in, the benchmark
between the same two moments. Whatever is not known has no figure and a reason, never a guess.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from signals.backtest.prices import Price, Prices, price_of
from signals.market.markets import mic_of
from signals.market.measures import Statistics, abnormal_of, ratio, score_of, statistics_at
from signals.market.path import ended_us
from signals.market.sessions import Session
from signals.market.splits import factor_between
from signals.messages import Micros
from signals.policy import MINUTE_US, SECOND_US

__all__ = [
    "HORIZONS",
    "Entry",
    "Forward",
    "ForwardReturn",
    "Reason",
    "forward_of",
    "nth_session",
    "statistics_before",
]

Reason = Literal[
    "not_in_files",  # the price files hold nothing of the ticker
    "no_market",  # its market is in no calendar
    "beyond_data",  # the moment lies after the last price of the market
    "ended",  # the market's prices go on and the ticker's do not: delisted, or its file ends
    "halted",  # nothing was traded until the next whole session was over
    "past_close",  # the session ended before the horizon
    "no_price",  # no price after the entry by then
    "stale",  # the last price was too old
    "split_like",  # the price jumped as in a split, and no record tells of one
    "no_benchmark",  # a raw return is known, the benchmark's is not
]
_MINUTES: Mapping[str, int] = {"PT1M": 1, "PT5M": 5, "PT30M": 30, "PT1H": 60}
_SESSIONS: Mapping[str, int] = {"close": 0, "day+1": 1, "day+5": 5, "day+20": 20}
HORIZONS: tuple[str, ...] = (*_MINUTES, *_SESSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where one could have traded first."""

    at_us: Micros
    second_us: Micros
    session: Session
    price: Decimal
    benchmark: str | None
    benchmark_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardReturn:
    """The return from the entry to one horizon.

    Attributes:
        to_us: the horizon's time; None without an entry.
        price: as traded; raw counts splits in.
        raw, abnormal: ratios; abnormal is raw less beta times the benchmark's.
        z: abnormal over the deviation of the span.
        reason: why raw is not known, or ``no_benchmark`` where only abnormal is not.
    """

    horizon: str
    to_us: Micros | None = None
    price: Decimal | None = None
    raw: float | None = None
    abnormal: float | None = None
    z: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """What followed a decision on one ticker.

    Attributes:
        entry: None where there was none, for ``reason``.
        returns: one for each of ``HORIZONS``.
        beta, volatility: as of the decision.
    """

    ticker: str
    decided_us: Micros
    entry: Entry | None
    reason: Reason | None
    returns: tuple[ForwardReturn, ...]
    beta: float = 1.0
    volatility: float | None = None


def forward_of(ticker: str, prices: Prices | None, decided_us: Micros) -> Forward:
    """Return the forward returns of a decision; ``prices`` is None for a ticker without any."""
    if prices is None:
        return _nothing(ticker, decided_us, "not_in_files")
    if mic_of(ticker) is None:
        return _nothing(ticker, decided_us, "no_market")
    found = _entry(prices, decided_us)
    if isinstance(found, str):
        return _nothing(ticker, decided_us, found)
    statistics = statistics_before(prices, decided_us)
    ruler = _Ruler(prices, found, statistics)
    return Forward(
        ticker=ticker,
        decided_us=decided_us,
        entry=found,
        reason=None,
        returns=(
            *(ruler.after_minutes(name, minutes) for name, minutes in _MINUTES.items()),
            *(ruler.at_close(name, sessions) for name, sessions in _SESSIONS.items()),
        ),
        beta=statistics.beta,
        volatility=statistics.volatility,
    )


def statistics_before(prices: Prices, decided_us: Micros) -> Statistics:
    """Return beta and volatility from the closes that were known at a decision."""
    market = prices.market
    policy = market.policy
    # More closes than are used, since some may have been received after the decision.
    reach = 2 * (max(policy.beta_days, policy.volatility_days, policy.volume_days) + 1)
    last = bisect_right(market.days, decided_us, key=lambda day: day.close_us)
    return statistics_at(
        market.days[max(0, last - reach) : last], decided_us, policy, market.splits
    )


def nth_session(prices: Prices, session: Session, count: int) -> Session | None:
    """Return the session so many after (or, below 0, before) one; None where the table ends."""
    sessions, ticker = prices.market.sessions, prices.market.ticker
    found: Session | None = session
    for _ in range(abs(count)):
        if found is None:
            return None
        if count > 0:
            found = sessions.following(ticker, found.close_us)
        else:
            found = sessions.previous(ticker, found.open_us)
    return found


def _nothing(ticker: str, decided_us: Micros, reason: Reason) -> Forward:
    returns = tuple(ForwardReturn(horizon=horizon, reason=reason) for horizon in HORIZONS)
    return Forward(ticker=ticker, decided_us=decided_us, entry=None, reason=reason, returns=returns)


def _entry(prices: Prices, decided_us: Micros) -> Entry | Reason:
    if decided_us >= prices.until_us:
        return "beyond_data"
    market = prices.market
    second = prices.first_after(decided_us)
    last = market.sessions.following(market.ticker, Micros(decided_us + 1))
    if second is None:
        over = last is not None and last.close_us <= prices.until_us
        return "ended" if over else "beyond_data"
    if last is not None and second.second_us >= last.close_us:
        return "halted"
    session = market.sessions.at(market.ticker, second.second_us)
    assert session is not None  # as first_after looks for it
    return Entry(
        at_us=second.first_us,
        second_us=second.second_us,
        session=session,
        price=second.first,
        benchmark=second.benchmark,
        benchmark_price=second.benchmark_price,
    )


class _Ruler:
    """Measures from one entry."""

    def __init__(self, prices: Prices, entry: Entry, statistics: Statistics) -> None:
        self._prices, self._entry, self._statistics = prices, entry, statistics

    def after_minutes(self, horizon: str, minutes: int) -> ForwardReturn:
        """Return the return after so many minutes of the entry's session."""
        prices, entry = self._prices, self._entry
        time_us = Micros(entry.at_us + minutes * MINUTE_US)
        if time_us > entry.session.close_us:
            return ForwardReturn(horizon=horizon, to_us=time_us, reason="past_close")
        second = prices.market.path.at(time_us)
        if second is None or second.second_us <= entry.second_us:
            reason: Reason = "no_price" if time_us <= prices.until_us else "beyond_data"
            return ForwardReturn(horizon=horizon, to_us=time_us, reason=reason)
        if time_us - ended_us(second) > prices.market.policy.stale_us + SECOND_US:
            reason = "stale" if time_us <= prices.until_us else "beyond_data"
            return ForwardReturn(horizon=horizon, to_us=time_us, reason=reason)
        return self._return(horizon, time_us, price_of(second))

    def at_close(self, horizon: str, sessions: int) -> ForwardReturn:
        """Return the return at the close of the entry's session, or so many sessions later."""
        prices, entry = self._prices, self._entry
        session = nth_session(prices, entry.session, sessions)
        if session is None or session.close_us > prices.until_us:
            to_us = None if session is None else session.close_us
            return ForwardReturn(horizon=horizon, to_us=to_us, reason="beyond_data")
        price = prices.close_of(session)
        if price is None or price.at_us <= entry.second_us:
            reason = self._why_no_close(session)
            return ForwardReturn(horizon=horizon, to_us=session.close_us, reason=reason)
        return self._return(horizon, session.close_us, price)

    def _why_no_close(self, session: Session) -> Reason:
        if self._prices.reached_us <= session.open_us:
            return "ended"
        last = self._prices.market.path.at(session.close_us)
        since_us = max(session.open_us, self._entry.second_us + 1)
        return "stale" if last is not None and last.second_us >= since_us else "no_price"

    def _return(self, horizon: str, to_us: Micros, later: Price) -> ForwardReturn:
        prices, entry, statistics = self._prices, self._entry, self._statistics
        market = prices.market
        if prices.jumped(entry.second_us, later.at_us):
            return ForwardReturn(
                horizon=horizon, to_us=to_us, price=later.price, reason="split_like"
            )
        factor = factor_between(market.splits, entry.at_us, later.at_us)
        raw = ratio(later.price * factor, entry.price)
        benchmark_raw = _benchmark_return(entry, later)
        abnormal = abnormal_of(raw, benchmark_raw, statistics.beta)
        days = market.sessions.span_days(market.ticker, entry.at_us, to_us)
        return ForwardReturn(
            horizon=horizon,
            to_us=to_us,
            price=later.price,
            raw=raw,
            abnormal=abnormal,
            z=score_of(abnormal, statistics.volatility, days),
            reason="no_benchmark" if abnormal is None else None,
        )


def _benchmark_return(entry: Entry, later: Price) -> float | None:
    if entry.benchmark_price is None or later.benchmark_price is None:
        return None
    if entry.benchmark != later.benchmark:
        return None
    return ratio(later.benchmark_price, entry.benchmark_price)
