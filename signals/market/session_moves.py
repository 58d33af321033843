"""A session against the close before it: its gap at the open, its extremes, its return.

Each is a ``Move`` from the previous regular close, as a move that no event explains is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from signals.market.basis import Basis, basis_after
from signals.market.measures import (
    Statistics,
    abnormal_of,
    ratio,
    score_of,
    statistics_at,
    volume_ratio_of,
)
from signals.market.path import Close, ended_us
from signals.market.sessions import Session
from signals.market.splits import extremes_of
from signals.market.tape import Market
from signals.messages import Micros, Move, Second

__all__ = ["SessionBase", "SessionMoves", "previous_day", "session_base", "session_moves"]

_SUSPECTED = "the price jumped as in a split, and no record tells of one"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBase:
    """What a session's prices are compared with.

    Attributes:
        previous: the close before the session.
        statistics: as of the session's open, by which that close is known.
        basis: the splits since it, told and suspected.
    """

    session: Session
    previous: Close
    statistics: Statistics
    basis: Basis

    def move(self, milestone: str, second: Second, price: Decimal, to_us: Micros) -> Move:
        """Return the move from the previous close to a price of the session.

        A price that may stand on another number of shares gives a move without figures.
        """
        previous, statistics = self.previous, self.statistics
        splits_us = self.basis.received_us(second.second_us)
        move = Move(
            ticker=second.ticker,
            milestone=milestone,
            relation="before",
            from_us=previous.close_us,
            to_us=to_us,
            from_price=previous.close,
            to_price=price,
            raw=None,
            abnormal=None,
            z=None,
            beta=None,
            benchmark=second.benchmark,
            known_us=Micros(max(previous.received_us, second.received_us, splits_us)),
            session="regular",
        )
        if self.basis.is_suspect(second.second_us):
            return replace(move, note=_SUSPECTED, flags=("split_like",))
        raw, abnormal, z = self.figures(second, price)
        return replace(
            move,
            raw=raw,
            abnormal=abnormal,
            z=z,
            beta=None if abnormal is None else statistics.beta,
            volume_ratio=self._volume_ratio(second, to_us),
            flags=("split",) if self.basis.factor(second.second_us) != 1 else (),
        )

    def figures(self, second: Second, price: Decimal) -> tuple[float, float | None, float | None]:
        """Return raw, abnormal and z of the move to a price of a second."""
        previous, statistics = self.previous, self.statistics
        raw = ratio(price * self.basis.factor(second.second_us), previous.close)
        benchmark_raw = None
        if previous.benchmark_close is not None and second.benchmark_price is not None:
            benchmark_raw = ratio(second.benchmark_price, previous.benchmark_close)
        abnormal = abnormal_of(raw, benchmark_raw, statistics.beta)
        # Without a benchmark the raw move has to do: the score says how unusual it is.
        unusual = raw if abnormal is None else abnormal
        return raw, abnormal, score_of(unusual, statistics.volatility, 1.0)

    def _volume_ratio(self, second: Second, to_us: Micros) -> float | None:
        """Return the session's volume so far over that of as much of an average day."""
        if self.statistics.volume is None:
            return None
        session = self.session
        until_us = min(max(to_us, ended_us(second)), session.close_us)
        part = (until_us - session.open_us) / (session.close_us - session.open_us)
        daily = self.statistics.volume * float(self.basis.factor(second.second_us))
        return volume_ratio_of(second.day_volume, daily, part)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMoves:
    """The moves of one session since the close before it.

    Attributes:
        previous: that close; None where it is not known, and then nothing is measured.
        gap: to the first price; high and low: to the extremes; close: to the last price, or to the
            official close where a daily record gives it. None without a price.
        is_over: whether the prices have reached the session's close.
    """

    ticker: str
    session: Session
    previous: Close | None
    gap: Move | None = None
    high: Move | None = None
    low: Move | None = None
    close: Move | None = None
    is_over: bool = False


def previous_day(days: Sequence[Close], session: Session, before: Session | None) -> Close | None:
    """Return the close of the session before, None where it is not known.

    Args:
        days: ascending by close.
        session: the session that is measured.
        before: the one before it; the close of a still earlier one is no guess for its close.
    """
    for day in reversed(days):
        if day.close_us <= session.open_us:
            return day if before is not None and day.close_us > before.open_us else None
    return None


def session_base(market: Market, session: Session, seconds: Iterable[Second]) -> SessionBase | None:
    """Return what the prices of a session are compared with, None without a close before it."""
    before = market.sessions.previous(market.ticker, session.open_us)
    previous = previous_day(market.days, session, before)
    if previous is None:
        return None
    return SessionBase(
        session=session,
        previous=previous,
        statistics=statistics_at(market.days, session.open_us, market.policy, market.splits),
        basis=basis_after(previous.close, previous.close_us, seconds, market.splits),
    )


def session_moves(market: Market, session: Session) -> SessionMoves:
    """Return how a session opened, went and closed against the close before it."""
    seconds = tuple(market.path.between(session.open_us, session.close_us))
    base = session_base(market, session, seconds)
    is_over = market.reached_us >= session.close_us
    if base is None or not seconds:
        previous = None if base is None else base.previous
        return SessionMoves(
            ticker=market.ticker, session=session, previous=previous, is_over=is_over
        )
    first, last = seconds[0], seconds[-1]
    basis = base.basis
    sound = [second for second in seconds if not basis.is_suspect(second.second_us)] or seconds
    tops = [(extremes_of(second), basis.factor(second.second_us), second) for second in sound]
    (high, _), _, highest = max(tops, key=lambda top: top[0][0] * top[1])
    (_, low), _, lowest = min(tops, key=lambda top: top[0][1] * top[1])
    return SessionMoves(
        ticker=market.ticker,
        session=session,
        previous=base.previous,
        gap=base.move("gap", first, first.first, first.second_us),
        high=base.move("high", highest, high, highest.second_us),
        low=base.move("low", lowest, low, lowest.second_us),
        close=_closing_move(market, base, last, is_over=is_over),
        is_over=is_over,
    )


def _closing_move(market: Market, base: SessionBase, last: Second, *, is_over: bool) -> Move:
    close_us = base.session.close_us
    official = [day for day in market.days if day.close_us == close_us]
    if official:
        day = official[0]
        last = last._replace(
            last=day.close,
            received_us=max(last.received_us, day.received_us),
            benchmark=day.benchmark or last.benchmark,
            benchmark_price=day.benchmark_close or last.benchmark_price,
            day_volume=day.volume or last.day_volume,
        )
    to_us = close_us if is_over or official else last.second_us
    return base.move("close", last, last.last, Micros(to_us))
