"""When a new second can make a difference to a group of tellings: most need no measuring."""

from collections.abc import Mapping

from signals.fold import Draft
from signals.market.path import ended_us
from signals.messages import Micros, Second
from signals.reactions.measure import Milestones
from signals.reactions.rows import Guard, GuardsRow

__all__ = ["guard_of", "set_guard", "touched_groups"]

_NEAR = 1e-9  # floats to pass most seconds by, the measuring to decide


def guard_of(lead: str, from_us: Micros, milestones: Milestones) -> Guard:
    """Return the guard of a group, told by its first event, as it was measured last."""
    base = milestones.base
    return Guard(
        lead=lead,
        from_us=from_us,
        until_us=milestones.until_us,
        base_us=None if base is None else base.second_us,
        base=0.0 if base is None else float(base.last),
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
