"""One step's view of a subject: the rows of its key, and what goes out."""

from dataclasses import dataclass

from signals import names
from signals.fold import Draft, Output
from signals.market.path import Close, Path, PathRow, days_until, path_part
from signals.market.sessions import Sessions
from signals.market.splits import SplitsRow
from signals.market.tape import Market
from signals.messages import (
    Event,
    EventEntry,
    EventRelay,
    Micros,
    MoveReport,
    Reaction,
    Split,
)
from signals.policy import DAY_US, Policy
from signals.reactions.rows import ClockRow, EntryRow
from signals.tellings import Telling

__all__ = ["NO_TIME", "SPAN_US", "View", "is_measured"]

SPAN_US = 6 * DAY_US  # the longest measuring span: the next close but one over a long weekend
NO_TIME = Micros(0)


def is_measured(event: Event) -> bool:
    """Return whether what prices did after an event is measured: it came in time, and is sure."""
    return not (event.late or event.weak)


@dataclass(slots=True)
class View:
    """What one step sees of a key.

    Attributes:
        draft: the rows as the step has changed them so far, and its outputs.
        key: the subject.
        received_us: the receipt of the record that is folded.
    """

    draft: Draft
    key: str
    received_us: Micros
    policy: Policy
    sessions: Sessions

    @property
    def clock(self) -> ClockRow:
        """Return the newest times seen on the key."""
        clock: ClockRow | None = self.draft.get("clock")
        if clock is None:
            return ClockRow(newest_us=NO_TIME, reached_us=NO_TIME)
        row: PathRow | None = self.draft.get(path_part(clock.reached_us))
        if row is None:
            return clock
        reached_us = Micros(max(clock.reached_us, row[-1].second_us))
        return ClockRow(Micros(max(clock.newest_us, reached_us)), reached_us)

    @property
    def measured_us(self) -> Micros:
        """Return the time before which no record within the disorder bound changes a measure."""
        return Micros(self.clock.newest_us - SPAN_US - self.policy.disorder_us)

    def entries(self) -> list[EntryRow]:
        """Return the events on the key, retracted ones too, in no order that means anything."""
        return self.draft.values("event")

    def entry(self, event_id: str) -> EntryRow:
        """Return an event of the key that is known to be there."""
        row: EntryRow | None = self.draft.get(f"event:{event_id}")
        if row is None:
            raise LookupError(f"{self.key} holds no event {event_id}")
        return row

    def groups(self) -> list[Telling]:
        """Return the live events, grouped by what they tell, in no order that means anything."""
        return self.draft.values("telling")

    def timely(self, group: Telling) -> list[EventEntry]:
        """Return the events of a group that are measured, in order: not the late, nor the weak."""
        entries = [self.entry(member.event_id).entry for member in group.members]
        return [entry for entry in entries if is_measured(entry.event)]

    def days(self) -> tuple[Close, ...]:
        """Return the daily closes that measures need, ascending."""
        policy = self.policy
        count = max(policy.beta_days, policy.volatility_days, policy.volume_days) + 10
        return days_until(self.draft, self.clock.reached_us, count=count)

    def splits(self) -> tuple[Split, ...]:
        """Return the splits of the key's ticker, ascending."""
        row: SplitsRow | None = self.draft.get("splits")
        return () if row is None else row.splits

    def path(self) -> Path:
        """Return the seconds of the key."""
        return Path(self.draft)

    def market(self) -> Market:
        """Return the prices of the key."""
        return Market(
            ticker=self.key,
            path=self.path(),
            days=self.days(),
            reached_us=self.clock.reached_us,
            sessions=self.sessions,
            policy=self.policy,
            splits=self.splits(),
        )

    def emit(self, anchor: str, message: EventRelay | Reaction | MoveReport, us: Micros) -> None:
        """Send a message to an anchor's key."""
        output = Output(topic=names.REACTIONS, key=anchor, message=message, event_us=us)
        self.draft.outputs.append(output)
