"""Moves past the threshold since the previous close, and the events that explain them.

One report a session and ticker, at the first second that is past both the raw and the z threshold.
An event explains it that was known at most a day before the previous close and comes at most a
day after the second; a related company's event does only where no direct one is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from signals.ids import derive_id
from signals.market.basis import Basis, basis_after
from signals.market.measures import (
    Statistics,
    abnormal_of,
    ratio,
    score_of,
    statistics_at,
    volume_ratio_of,
)
from signals.market.path import ended_us
from signals.market.sessions import Session
from signals.messages import Daily, Event, Micros, Move, Second, Subject
from signals.policy import DAY_US, Policy
from signals.reactions.measure import Market

__all__ = [
    "Candidate",
    "explaining",
    "find_move",
    "move_id_of",
    "move_past",
    "previous_day",
    "price_past",
]

_OLDEST_CLOSE_US = 7 * DAY_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An event that could explain a move, and how the ticker is tied to it."""

    event: Event
    subject: Subject


def move_id_of(ticker: str, session: Session) -> str:
    """Return the identity of a ticker's move in a session."""
    return derive_id("mv", ticker, session.open_us)


def previous_day(days: Sequence[Daily], session: Session) -> Daily | None:
    """Return the close before a session, None where it is not known or too old to be it."""
    for day in reversed(days):
        if day.close_us <= session.open_us:
            return day if session.open_us - day.close_us <= _OLDEST_CLOSE_US else None
    return None


def find_move(market: Market, session: Session) -> Move | None:
    """Return the session's first move past both thresholds, None while there is none."""
    previous = previous_day(market.days, session)
    if previous is None:
        return None
    statistics = statistics_at(market.days, previous.close_us, market.policy, market.splits)
    seconds = tuple(market.path.between(session.open_us, session.close_us))
    basis = basis_after(previous.close, previous.close_us, seconds, market.splits)
    for second in seconds:
        if basis.is_suspect(second.second_us):
            continue
        move = move_past(second, previous, statistics, market.policy, basis)
        if move is not None:
            volume_ratio = _volume_ratio(second, session, statistics, basis)
            return replace(move, volume_ratio=volume_ratio)
    return None


def move_past(
    second: Second, previous: Daily, statistics: Statistics, policy: Policy, basis: Basis
) -> Move | None:
    """Return the move from the previous close to a second if it is past both thresholds."""
    price = price_past(second, previous, policy, basis)
    if price is None:
        return None
    raw = ratio(price * basis.factor(second.second_us), previous.close)
    benchmark_raw = None
    if previous.benchmark_close is not None and second.benchmark_price is not None:
        benchmark_raw = ratio(second.benchmark_price, previous.benchmark_close)
    abnormal = abnormal_of(raw, benchmark_raw, statistics.beta)
    # Without a benchmark the raw move has to do: the score says how unusual it is.
    score = score_of(raw if abnormal is None else abnormal, statistics.volatility, 1.0)
    if score is None or abs(score) < policy.unexplained_z:
        return None
    splits_us = basis.received_us(second.second_us)
    return Move(
        ticker=second.ticker,
        milestone="session",
        relation="before",
        from_us=previous.close_us,
        to_us=second.second_us,
        from_price=previous.close,
        to_price=price,
        raw=raw,
        abnormal=abnormal,
        z=score,
        beta=statistics.beta if benchmark_raw is not None else None,
        benchmark=second.benchmark,
        known_us=Micros(max(previous.received_us, second.received_us, splits_us)),
        session="regular",
        flags=("split",) if splits_us else (),
    )


def price_past(second: Second, previous: Daily, policy: Policy, basis: Basis) -> Decimal | None:
    """Return the second's first price past the raw threshold: its first, else its high or low."""
    factor = basis.factor(second.second_us)
    base = float(previous.close) / float(factor)
    near = policy.unexplained_raw - 1e-6  # floats to pass most by, decimals to decide
    if float(second.high) < base * (1 + near) and float(second.low) > base * (1 - near):
        return None
    for price in (second.first, second.high, second.low):
        if abs(ratio(price * factor, previous.close)) >= policy.unexplained_raw:
            return price
    return None


def _volume_ratio(
    second: Second, session: Session, statistics: Statistics, basis: Basis
) -> float | None:
    """Return the session's volume up to a second over that of as much of an average day."""
    if statistics.volume is None:
        return None
    part = (ended_us(second) - session.open_us) / (session.close_us - session.open_us)
    daily = statistics.volume * float(basis.factor(second.second_us))
    return volume_ratio_of(second.day_volume, daily, part)


def explaining(
    move: Move, candidates: Iterable[Candidate], policy: Policy
) -> tuple[Candidate, ...]:
    """Return the events that explain a move, the nearest in time first.

    Direct events come before none: those of related companies count only where no direct one does.
    """
    within = [
        candidate
        for candidate in candidates
        if not candidate.event.late
        and move.from_us - policy.explained_us
        <= candidate.event.anchor_us
        <= move.to_us + policy.explained_us
    ]
    direct = [candidate for candidate in within if candidate.subject.role == "party"]
    return tuple(
        sorted(
            direct or within,
            key=lambda candidate: (
                abs(candidate.event.anchor_us - move.to_us),
                candidate.event.event_id,
            ),
        )
    )
