"""What raise_alerts remembers under an anchor's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from signals.frozen import fast_init
from signals.messages import Alert, Event, EventRelay, Micros, MoveReport, Reaction
from signals.tellings import Telling

__all__ = ["ROWS", "HourRow", "MoveAlertRow", "ReactionRow", "RelayRow", "StoryRow"]


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRow:
    """An event of this anchor, as each subject that passes it on did so last.

    ``stands_for`` counts the tellings of a quiet story that the event has taken the place of, with
    itself; it is 0 for an event as it came.
    """

    relays: tuple[EventRelay, ...]
    stands_for: int = 0

    @property
    def event(self) -> Event | None:
        """Return the newest revision of the event that is told here, None if none is."""
        if len(self.relays) == 1:  # nearly always
            relay = self.relays[0]
            is_told = relay.moved_to is None and relay.event.status == "live"
            return relay.event if is_told else None
        live = [r.event for r in self.relays if r.event.status == "live" and r.moved_to is None]
        return max(live, key=lambda event: (event.revision, -event.received_us), default=None)

    @property
    def moved_to(self) -> str | None:
        """Return the anchor that has the event now, if it went to one."""
        return next((r.moved_to for r in self.relays if r.moved_to is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRow:
    """A reaction, as last sent, less what alerts do not ask for: see ``raise_alerts``."""

    reaction: Reaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """The last alert of a story; ``gone`` where it was taken back, its revisions go on counting."""

    alert: Alert
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAlertRow:
    """A move report, and the last alert that went out for it, if any."""

    report: MoveReport
    alert: Alert | None


class HourRow(NamedTuple):
    """The hour of the newest event time on the key, from its beginning."""

    newest_us: Micros


ROWS: Mapping[str, type] = {
    "event": RelayRow,
    "telling": Telling,
    "reaction": ReactionRow,
    "story": StoryRow,
    "move": MoveAlertRow,
    "hour": HourRow,
}
