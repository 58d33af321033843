"""The short cut of nearly all seconds: those that only lengthen the path."""

from signals.fold import EMPTY, Draft, Result, Row, Rows
from signals.market.bands import band_of
from signals.market.packing import packed_until
from signals.market.path import PathRow, add_second, pack_path, path_part
from signals.market.splits import LEAST_STEP, MOST_STEP
from signals.messages import Micros, Second
from signals.policy import HOUR_US, SECOND_US
from signals.reactions.guards import calm_bounds
from signals.reactions.reports import watch_session
from signals.reactions.rows import CalmRow, ClockRow
from signals.reactions.view import View

__all__ = ["calmed", "fold_calm", "stays_watched"]

_LOWEST, _HIGHEST = 0.75 - 1, 0.75 * MOST_STEP - 1  # of the newest price


def fold_calm(rows: Rows, second: Second) -> Result | None:
    """Return the longer path, where a second makes no other difference; None where it may.

    Nearly all seconds go this way.
    """
    calm: CalmRow | None = rows.get("calm")
    if calm is None:
        return None
    after_us, until_us, low, high = calm
    second_us = second.second_us
    if not after_us < second_us < until_us:
        return None
    if second.low <= low or second.high >= high:
        return None
    part = path_part(second_us)
    row: PathRow | None = rows.get(part)
    clock: ClockRow = rows["clock"]
    if second_us < clock.reached_us:
        return None
    if row is None:
        return _begin_row(rows, part, second)
    last_us = row[-1].second_us
    if second_us > last_us:
        return {part: (*row, second)}, ()
    if second_us < last_us:
        return None
    added = add_second(row, second)
    return EMPTY if added is None else ({part: added[0]}, ())


def _begin_row(rows: Rows, part: str, second: Second) -> Result:
    """Return the path with another row, and the clock, which is not set again until the next."""
    clock: ClockRow = rows["clock"]
    second_us = second.second_us
    changes: dict[str, Row | None] = {
        part: (second,),
        "clock": ClockRow(Micros(max(clock.newest_us, second_us)), second_us),
    }
    if packed_until(second_us) != packed_until(clock.reached_us):
        draft = Draft(rows)
        pack_path(draft, second_us)
        changes |= draft.result()[0]
    return changes, ()


def stays_watched(view: View, second: Second) -> bool:
    """Return whether the key's band of calm prices holds on after a second that lies out of it.

    It must be in the band's time, and no step to or from it may look like a split.
    """
    calm: CalmRow | None = view.draft.get("calm")
    if calm is None or not calm.after_us < second.second_us < calm.until_us:
        return False
    low, high = float(second.low), float(second.high)
    return float(calm.low) > LEAST_STEP * high and float(calm.high) < MOST_STEP * low


def calmed(view: View, newest: Second | None = None) -> Result:
    """Return the step's result, with what the next second may be to make no difference.

    ``newest`` is the newest second on the key, where the caller has it.
    """
    clock = view.clock
    if clock.reached_us:
        if newest is None:
            newest = view.path().at(Micros(clock.reached_us + SECOND_US))
        bounds = calm_bounds(view.draft, clock.reached_us)
        watch_session(view, bounds, newest)
        if newest is not None:
            # From the newest price to any in the band, and from there to any other, no step looks
            # like a split: one would change what all later prices are compared with.
            bounds.watch_band(float(newest.last), _LOWEST, _HIGHEST)
        next_hour_us = (clock.newest_us // HOUR_US + 1) * HOUR_US  # then old rows are forgotten
        low, high = band_of(bounds.low, bounds.high)
        calm = CalmRow(
            after_us=Micros(bounds.after_us),
            until_us=Micros(int(min(bounds.until_us, next_hour_us))),
            low=low,
            high=high,
        )
        view.draft.put("calm", calm)
    return view.draft.result()
