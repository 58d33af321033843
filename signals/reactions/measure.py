"""What a ticker did after the tellings of one event: every milestone, from the whole path.

A pure function of the tellings, the price path and the daily closes, so that it does not matter
which of them came first.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from signals.market.bands import band_of
from signals.market.basis import Basis, basis_after
from signals.market.measures import (
    Statistics,
    abnormal_of,
    ratio,
    score_of,
    statistics_at,
    volume_ratio_of,
)
from signals.market.path import anywhere, ended_us
from signals.market.sessions import Sessions
from signals.market.splits import extremes_of
from signals.market.tape import Market
from signals.messages import Micros, Move, MoveFlag, Second
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy

__all__ = ["Milestones", "horizons_of", "level_name", "measure_milestones"]

_NEAR = 1e-9  # floats to pass most seconds by, decimals to decide
_FAR_US = Micros(6 * DAY_US)  # how long levels are watched where the calendar ends
_NOTES: Mapping[tuple[MoveFlag, str], str] = {
    ("no_price", "event"): "no price is known before the event",
    ("stale", "event"): "the price at the event is stale",
    ("no_price", "horizon"): "no price between the event and the horizon",
    ("stale", "horizon"): "the price at the horizon is stale",
    ("split_like", "horizon"): "the price jumped as in a split, and no record tells of one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """The moves that are known, and what the next price must do to make another one.

    Attributes:
        moves: by milestone, levels first, the highest first.
        base: the second that the moves are measured from; None where no price is known.
        scale: by how much later prices stand lower than the base's for splits, told and suspected.
        pending_us: the next horizon or split that is not reached; None when all are.
        until_us: levels are watched until then.
        up, down: the next level that is not crossed (ratio), None when all are.
    """

    moves: tuple[Move, ...]
    base: Second | None
    pending_us: Micros | None
    until_us: Micros
    up: float | None
    down: float | None
    scale: float = 1.0


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
    pending += [x.effective_us for x in market.splits if x.effective_us > market.reached_us]
    pending_us = Micros(min(pending)) if pending else None
    base = market.path.at(from_us)
    flag: MoveFlag | None = None
    if base is None:
        flag = "no_price"
    elif _is_stale(market, base, from_us):
        flag = "stale"
    if base is None or flag is not None:
        moves = tuple(
            _unknown(market, name, from_us, Micros(time_us), flag or "no_price", "event")
            for name, time_us in horizons.items()
            if time_us <= market.reached_us
        )
        return Milestones(
            moves=moves, base=base, pending_us=pending_us, until_us=until_us, up=None, down=None
        )
    ruler = _Ruler(market, base, from_us, until_us)
    levels = ruler.crossings()
    reached = ruler.horizons(horizons)
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
        scale=ruler.scale(Micros(market.reached_us + SECOND_US)),  # of what comes next
    )


class _Ruler:
    """What is measured from one base price on."""

    def __init__(self, market: Market, base: Second, from_us: Micros, until_us: Micros) -> None:
        self._market, self._base = market, base
        self._from_us, self._until_us = from_us, until_us
        self._statistics: Statistics = statistics_at(
            market.days, from_us, market.policy, market.splits
        )
        self._since_us, self._until_us = ended_us(base), until_us
        seconds = market.path.between(self._since_us, until_us, quiet=anywhere)
        self._basis: Basis = basis_after(base.last, base.second_us, seconds, market.splits)

    def scale(self, second_us: Micros) -> float:
        """Return by how much the prices of a second stand lower than the base's."""
        return float(self._basis.factor(second_us)) * float(self._basis.suspected(second_us))

    def crossings(self) -> list[Move]:
        """Return the first crossing of each level, the highest level first."""
        found: dict[float, Move] = {}
        levels, from_us = self._market.policy.levels, self._from_us
        waiting = {*levels, *(-level for level in levels)}
        low, high = self._band(waiting)
        lowest_calm, highest_calm = band_of(low, high)

        def is_quiet(lowest: float, highest: float) -> bool:
            return low < lowest and highest < high  # as they are by then

        path = self._market.path
        for second in path.between(self._since_us, self._until_us, quiet=is_quiet):
            if lowest_calm < second.low and second.high < highest_calm:
                continue  # nearly all of them
            if second.second_us < from_us or self._basis.is_suspect(second.second_us):
                continue
            for level in self._crossed(second, waiting):
                waiting.discard(level)
                found[level] = self._crossing(second, level)
                low, high = self._band(waiting)
                lowest_calm, highest_calm = band_of(low, high)
            if not waiting:
                break
        ordered = sorted(found, key=lambda level: (-abs(level), level))
        return [found[level] for level in ordered]

    def _band(self, waiting: Collection[float]) -> tuple[float, float]:
        """Return the prices that cross none of the levels, as far as floats can tell."""
        if self._basis.splits:
            return inf, -inf
        base = float(self._base.last)
        up = min((level for level in waiting if level > 0), default=inf)
        down = max((level for level in waiting if level < 0), default=-inf)
        return base * (1 + down + _NEAR), base * (1 + up - _NEAR)

    def _crossed(self, second: Second, waiting: Collection[float]) -> list[float]:
        """Return the levels that a second crosses, the lowest first."""
        factor, base = self._basis.factor(second.second_us), self._base.last
        high, low = extremes_of(second)
        highest, lowest = ratio(high * factor, base), ratio(low * factor, base)
        return sorted(x for x in waiting if (highest >= x if x > 0 else lowest <= x))

    def _crossing(self, second: Second, level: float) -> Move:
        # A gap is dated to the second's first price; otherwise the extreme is what crossed.
        opened = ratio(second.first * self._basis.factor(second.second_us), self._base.last)
        gapped = opened >= level if level > 0 else opened <= level
        high, low = extremes_of(second)
        price = second.first if gapped else (high if level > 0 else low)
        return self._move(level_name(level), second.second_us, price, second)

    def horizons(self, horizons: dict[str, int]) -> Iterator[Move]:
        """Yield the move at each horizon that the prices have reached."""
        market, from_us = self._market, self._from_us
        for name, time in horizons.items():
            time_us = Micros(time)
            if time_us > market.reached_us:
                continue
            second = market.path.at(time_us)
            if second is None or ended_us(second) <= from_us:
                yield _unknown(market, name, from_us, time_us, "no_price", "horizon")
            elif _is_stale(market, second, time_us):
                yield _unknown(market, name, from_us, time_us, "stale", "horizon")
            elif self._basis.is_suspect(second.second_us):
                yield _unknown(market, name, from_us, time_us, "split_like", "horizon")
            else:
                yield self._move(name, time_us, second.last, second)

    def _move(self, milestone: str, to_us: Micros, price: Decimal, second: Second) -> Move:
        market, base, statistics = self._market, self._base, self._statistics
        raw = ratio(price * self._basis.factor(second.second_us), base.last)
        benchmark_raw = None
        if base.benchmark_price is not None and second.benchmark_price is not None:
            benchmark_raw = ratio(second.benchmark_price, base.benchmark_price)
        abnormal = abnormal_of(raw, benchmark_raw, statistics.beta)
        days = market.sessions.span_days(market.ticker, ended_us(base), to_us)
        splits_us = self._basis.received_us(second.second_us)
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
            known_us=Micros(max(base.received_us, second.received_us, splits_us)),
            volume_ratio=self._volume_ratio(second, to_us),
            session=market.sessions.label(market.ticker, second.second_us),
            flags=("split",) if self._basis.factor(second.second_us) != 1 else (),
        )

    def _volume_ratio(self, second: Second, to_us: Micros) -> float | None:
        """Return the volume since the base, or since the open where the base is before it."""
        market, base = self._market, self._base
        session = market.sessions.at(market.ticker, second.second_us)
        if session is None or second.day_volume is None or self._statistics.volume is None:
            return None
        shares, since_us = second.day_volume, session.open_us
        if base.second_us >= session.open_us:
            if base.day_volume is None:
                return None
            shares, since_us = shares - base.day_volume, ended_us(base)
        # A level is crossed in a second that has not ended, a horizon lies after its second.
        until_us = min(max(to_us, ended_us(second)), session.close_us)
        part = (until_us - since_us) / (session.close_us - session.open_us)
        daily = self._statistics.volume * float(self._basis.factor(second.second_us))
        return volume_ratio_of(shares, daily, part)


def _unknown(
    market: Market, milestone: str, from_us: Micros, to_us: Micros, flag: MoveFlag, where: str
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
        note=_NOTES[flag, where],
        flags=(flag,),
    )


def _is_stale(market: Market, second: Second, time_us: Micros) -> bool:
    """Return whether the market was open for too long since a second's end."""
    since_us = ended_us(second)
    if time_us - since_us <= market.policy.stale_us:
        return False
    open_us = market.sessions.open_us(market.ticker, since_us, time_us)
    return open_us > market.policy.stale_us + SECOND_US
