"""What track_reactions remembers under a subject's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from signals.frozen import fast_init
from signals.market.measures import Statistics
from signals.market.packing import PackedRow
from signals.market.path import Close, DaysRow, PathRow
from signals.market.splits import SplitsRow
from signals.messages import EventEntry, Micros, Move, MoveReport
from signals.tellings import Telling

__all__ = [
    "ROWS",
    "CalmRow",
    "ClockRow",
    "EntryRow",
    "Guard",
    "GuardsRow",
    "MoveRow",
    "Sent",
    "Told",
    "TrackRow",
    "WatchRow",
]


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An event on this key.

    ``relayed_to`` is the anchor that this key has passed it to, if any; ``relays`` counts how often
    it has passed it on.
    """

    entry: EventEntry
    relayed_to: str | None = None
    relays: int = 0


class ClockRow(NamedTuple):
    """The newest event time seen on the key, and the newest of its prices (0: none yet).

    Calm seconds that follow in the same row of the path may be newer than both: see ``View.clock``.
    """

    newest_us: Micros
    reached_us: Micros


class CalmRow(NamedTuple):
    """What the next second may be without a difference to anything: most need no looking at.

    A second that begins after ``after_us`` and before ``until_us``, the newest on the key, with all
    its prices between ``low`` and ``high``, only lengthens the path.
    """

    after_us: Micros
    until_us: Micros
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last revision of one reaction that was sent."""

    reaction_id: str
    revision: int
    live: bool
    anchor: str
    move: Move


class Told(NamedTuple):
    """An event whose telling shares a measure, and its anchor time."""

    anchor_us: Micros
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """One group of tellings, named by its first timely event, and what was sent for it.

    A group that is no more keeps its row, without events, so that its revisions go on counting.

    Attributes:
        told: its timely events in order, each with its anchor time, as they were last measured.
        anchor: the key that the moves were sent to.
        from_us: the time that moves are measured from.
        sent: the last revision of each reaction.
        role, reason: how the ticker is tied to the events.
    """

    told: tuple[Told, ...]
    anchor: str
    from_us: Micros
    sent: tuple[Sent, ...]
    role: str = "party"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """When a new second can make a difference to a group, so that most need no measuring.

    Attributes:
        lead: the group's first timely event.
        from_us, until_us: levels are watched between them.
        base_us: the second that the moves are measured from; None where no price is known.
        base: its price, on as many shares as the newest price stands on.
        pending_us: the next horizon or split.
        up, down: ratios of the next level each way.
        uses: the seconds that a known move rests on.
    """

    lead: str
    from_us: Micros
    until_us: Micros
    base_us: Micros | None
    base: float
    pending_us: Micros | None
    up: float | None
    down: float | None
    uses: tuple[Micros, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardsRow:
    """The guards of every group on the key."""

    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """What a session's prices are compared with, so that a second need not find it again.

    ``near`` is whether all its prices so far lie so near to the close before that no step between
    any two of them looks like a split.
    """

    open_us: Micros
    previous: Close
    statistics: Statistics
    near: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """The move of one session that went past the threshold, as last sent."""

    open_us: Micros
    report: MoveReport


ROWS: Mapping[str, type] = {
    "event": EntryRow,
    "path": PathRow,
    "packed": PackedRow,
    "days": DaysRow,
    "clock": ClockRow,
    "splits": SplitsRow,
    "calm": CalmRow,
    "telling": Telling,
    "track": TrackRow,
    "guards": GuardsRow,
    "watch": WatchRow,
    "move": MoveRow,
}
