"""What a ticker did after the tellings of one event: every milestone, from the whole path.

A pure function of the tellings, the price path and the daily closes, so that it does not matter
which of them came first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from signals.market.measures import Statistics, abnormal_of, ratio, score_of, statistics_at
from signals.market.path import Path, ended_us
from signals.market.sessions import Sessions
from signals.messages import Daily, Micros, Move, Second
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy

__all__ = ["Market", "Milestones", "horizons_of", "level_name", "measure_milestones"]

_FAR_US = Micros(6 * DAY_US)  # how long levels are watched where the calendar ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of one ticker's market when a step measures.

    ``reached_us``: the newest event time of a price on the key; a horizon up to it is reached.
    """

    ticker: str
    path: Path
    days: Sequence[Daily]
    reached_us: Micros
    sessions: Sessions
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """The moves that are known, and what the next price must do to make another one.

    Attributes:
        moves: by milestone, levels first, the highest first.
        base: the second that the moves are measured from; None where no price is known.
        pending_us: the next horizon that is not reached; None when all are.
        until_us: levels are watched until then.
        up, down: the next level that is not crossed (ratio), None when all are.
    """

    moves: tuple[Move, ...]
    base: Second | None
    pending_us: Micros | None
    until_us: Micros
    up: float | None
    down: float | None


def level_name(level: float) -> str:
    """Return the milestone of a level, like ``level:+0.20``."""
    return f"level:{level:+.2f}"


def horizons_of(ticker: str, from_us: Micros, sessions: Sessions, policy: Policy) -> dict[str, int]:
    """Return the time of each horizon, ascending: ``PT5M`` …, ``close``, ``next_close``."""
    times: dict[str, int] = {}
    for minutes in policy.horizons:
        whole_hours = minutes % 60 == 0
        name = f"PT{minutes // 60}H" if whole_hours else f"PT{minutes}M"
        times[name] = from_us + minutes * MINUTE_US
    names = ("close", "next_close")
    times |= zip(names, sessions.next_closes(ticker, from_us), strict=False)
    return times


def measure_milestones(market: Market, from_us: Micros) -> Milestones:
    """Return every milestone of a ticker after an anchor time that the prices have reached."""
    horizons = horizons_of(market.ticker, from_us, market.sessions, market.policy)
    until_us = Micros(horizons.get("next_close", from_us + _FAR_US))
    pending = [time_us for time_us in horizons.values() if time_us > market.reached_us]
    pending_us = Micros(min(pending)) if pending else None
    base = market.path.at(from_us)
    note = None
    if base is None:
        note = "no price is known before the event"
    elif _is_stale(market, base, from_us):
        note = "the price at the event is stale"
    if base is None or note is not None:
        moves = tuple(
            _unknown(market, name, from_us, Micros(time_us), note)
            for name, time_us in horizons.items()
            if time_us <= market.reached_us
        )
        return Milestones(
            moves=moves, base=base, pending_us=pending_us, until_us=until_us, up=None, down=None
        )
    statistics = statistics_at(market.days, from_us, market.policy)
    levels = _crossings(market, base, from_us, until_us, statistics)
    reached = _horizon_moves(market, base, from_us, horizons, statistics)
    crossed = {move.milestone for move in levels}
    open_up = [x for x in market.policy.levels if level_name(x) not in crossed]
    open_down = [x for x in market.policy.levels if level_name(-x) not in crossed]
    return Milestones(
        moves=(*levels, *reached),
        base=base,
        pending_us=pending_us,
        until_us=until_us,
        up=open_up[0] if open_up else None,
        down=-open_down[0] if open_down else None,
    )


def _crossings(
    market: Market, base: Second, from_us: Micros, until_us: Micros, statistics: Statistics
) -> list[Move]:
    """Return the first crossing of each level, the highest level first."""
    found: dict[float, Move] = {}
    levels = market.policy.levels
    waiting = {*levels, *(-level for level in levels)}
    for second in market.path.between(from_us, until_us):
        highest, lowest = ratio(second.high, base.last), ratio(second.low, base.last)
        for level in [x for x in waiting if (highest >= x if x > 0 else lowest <= x)]:
            waiting.discard(level)
            found[level] = _crossing(market, base, second, level, statistics)
        if not waiting:
            break
    ordered = sorted(found, key=lambda level: (-abs(level), level))
    return [found[level] for level in ordered]


def _crossing(
    market: Market, base: Second, second: Second, level: float, statistics: Statistics
) -> Move:
    # A gap is dated to the second's first price; otherwise the extreme is what crossed.
    opened = ratio(second.first, base.last)
    gapped = opened >= level if level > 0 else opened <= level
    price = second.first if gapped else (second.high if level > 0 else second.low)
    return _move(market, level_name(level), base, second.second_us, price, second, statistics)


def _horizon_moves(
    market: Market,
    base: Second,
    from_us: Micros,
    horizons: dict[str, int],
    statistics: Statistics,
) -> Iterator[Move]:
    for name, time in horizons.items():
        time_us = Micros(time)
        if time_us > market.reached_us:
            continue
        second = market.path.at(time_us)
        if second is None or ended_us(second) <= from_us:
            note = "no price between the event and the horizon"
            yield _unknown(market, name, from_us, time_us, note)
        elif _is_stale(market, second, time_us):
            yield _unknown(market, name, from_us, time_us, "the price at the horizon is stale")
        else:
            yield _move(market, name, base, time_us, second.last, second, statistics)


def _move(
    market: Market,
    milestone: str,
    base: Second,
    to_us: Micros,
    price: Decimal,
    second: Second,
    statistics: Statistics,
) -> Move:
    raw = ratio(price, base.last)
    benchmark_raw = None
    if base.benchmark_price is not None and second.benchmark_price is not None:
        benchmark_raw = ratio(second.benchmark_price, base.benchmark_price)
    abnormal = abnormal_of(raw, benchmark_raw, statistics.beta)
    days = market.sessions.span_days(market.ticker, ended_us(base), to_us)
    return Move(
        ticker=market.ticker,
        milestone=milestone,
        relation="after",
        from_us=ended_us(base),
        to_us=to_us,
        from_price=base.last,
        to_price=price,
        raw=raw,
        abnormal=abnormal,
        z=score_of(abnormal, statistics.volatility, days),
        beta=statistics.beta if benchmark_raw is not None else None,
        benchmark=base.benchmark,
        known_us=Micros(max(base.received_us, second.received_us)),
    )


def _unknown(
    market: Market, milestone: str, from_us: Micros, to_us: Micros, note: str | None
) -> Move:
    return Move(
        ticker=market.ticker,
        milestone=milestone,
        relation="after",
        from_us=from_us,
        to_us=to_us,
        from_price=None,
        to_price=None,
        raw=None,
        abnormal=None,
        z=None,
        beta=None,
        benchmark=None,
        known_us=to_us,
        note=note,
    )


def _is_stale(market: Market, second: Second, time_us: Micros) -> bool:
    """Return whether the market was open for too long since a second's end."""
    since_us = ended_us(second)
    if time_us - since_us <= market.policy.stale_us:
        return False
    open_us = market.sessions.open_us(market.ticker, since_us, time_us)
    return open_us > market.policy.stale_us + SECOND_US
