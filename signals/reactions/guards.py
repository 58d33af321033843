"""When a new second can make a difference: to a group of tellings, or at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from signals.fold import Draft
from signals.market.path import ended_us
from signals.messages import Micros, Second
from signals.policy import SECOND_US
from signals.reactions.measure import Milestones
from signals.reactions.rows import Guard, GuardsRow

__all__ = ["Bounds", "calm_bounds", "guard_of", "set_guard", "touched_groups"]

_NEAR = 1e-9  # floats to pass most seconds by, the measuring to decide


@dataclass(slots=True)
class Bounds:
    """Where a second makes no difference, narrowed by everything that watches the prices.

    Attributes:
        after_us, until_us: times between which it begins, both excluded and included.
        low, high: prices, both excluded.
    """

    after_us: int = 0
    until_us: float = inf
    low: float = 0.0
    high: float = inf

    def watch_band(self, base: float, down: float | None, up: float | None) -> None:
        """Narrow the prices to those that are not yet ``down`` or ``up`` (ratios) from a base."""
        if down is not None:
            self.low = max(self.low, base * (1 + down + _NEAR))
        if up is not None:
            self.high = min(self.high, base * (1 + up - _NEAR))


def guard_of(lead: str, from_us: Micros, milestones: Milestones) -> Guard:
    """Return the guard of a group, told by its first event, as it was measured last."""
    base = milestones.base
    return Guard(
        lead=lead,
        from_us=from_us,
        until_us=milestones.until_us,
        base_us=None if base is None else base.second_us,
        base=0.0 if base is None else float(base.last) / milestones.scale,
        pending_us=milestones.pending_us,
        up=milestones.up,
        down=milestones.down,
        uses=tuple(sorted({move.to_us for move in milestones.moves})),
    )


def set_guard(draft: Draft, lead: str, guard: Guard | None) -> None:
    """Set the guard of a group, or remove it."""
    guards = dict(_guards(draft))
    guards.pop(lead, None)
    if guard is not None:
        guards[lead] = guard
    if guards or draft.get("guards") is not None:
        ordered = tuple(guards[name] for name in sorted(guards))
        draft.put("guards", GuardsRow(guards=ordered))


def touched_groups(draft: Draft, second: Second, *, is_late: bool) -> frozenset[str]:
    """Return the groups, by their first event, that a second can make a difference to."""
    return frozenset(
        lead
        for lead, guard in _guards(draft).items()
        if _may_change(guard, second, is_late=is_late)
    )


def calm_bounds(draft: Draft, reached_us: Micros) -> Bounds:
    """Return where a second that is the newest makes no difference to any group."""
    bounds = Bounds()
    for guard in _guards(draft).values():
        # Before the anchor it could become the price that is measured from.
        bounds.after_us = max(bounds.after_us, guard.from_us - SECOND_US, *guard.uses)
        if guard.pending_us is not None:
            bounds.until_us = min(bounds.until_us, guard.pending_us)
        if guard.base_us is not None and guard.until_us > reached_us:
            bounds.watch_band(guard.base, guard.down, guard.up)
    return bounds


def _guards(draft: Draft) -> Mapping[str, Guard]:
    row: GuardsRow | None = draft.get("guards")
    return {} if row is None else {guard.lead: guard for guard in row.guards}


def _may_change(guard: Guard, second: Second, *, is_late: bool) -> bool:
    if ended_us(second) <= guard.from_us:
        return guard.base_us is None or second.second_us >= guard.base_us
    if guard.pending_us is not None and second.second_us >= guard.pending_us:
        return True
    if is_late or second.second_us in guard.uses:
        return True
    if guard.base_us is None or second.second_us >= guard.until_us:
        return False
    up, down = guard.up, guard.down
    return (up is not None and float(second.high) / guard.base - 1 >= up - _NEAR) or (
        down is not None and float(second.low) / guard.base - 1 <= down + _NEAR
    )
