"""Delivery: which alerts reach a reader at once, and which wait for a digest.

``alerts.v1`` holds every transition. This fold stands in front of a sink and only chooses, so that
quiet is a reader's choice and never a gap in the record: what it holds back is named in a digest,
with the reason. One fold sees all the alerts of its reader, as the budget of a ticker is spent by
stories of many anchors; a reader of some tickers (``watched``) has the budget of those alone.

In this order, the first that applies:

    outdated   a later revision of it came before: held back
    ending     retracts or supersedes what the reader was told: passes
    untold     retracts or supersedes what the reader was never told: held back
    kind       of a kind in ``always``: passes; a correction or an explanation only of what was told
    heir       takes the place of a story that the reader was told of: passes
    severity   from ``always_severity`` up, and higher than the story was told at so far: passes
    cooldown   every ticker that it is about was told of in this story a moment ago: held back
    budget     every ticker that it is about has had its alerts of these seven days: held back
    due        passes

What a transition is about: the tickers whose moves are new in it, else all that the alert names,
else its anchor. Whatever passes is counted. The reader was told of a story when an alert of it has
passed, or has been named in a digest that went out, until it is retracted.

Time is the latest ``known_us`` seen; there is no timer. A digest goes out before the alert that
shows it to be due, when it is full, or at the end (``flush_delivery``). A story is forgotten when
nothing has come of it for as long as a story waits for a change of status (``Policy.status_us``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, get_args

from signals.alerts.notices import PASSED_FOR, Digest, Held, HeldFor, Notice, Verdict
from signals.fold import Draft, Row, Rows
from signals.ids import derive_id
from signals.messages import Alert, Micros, Move
from signals.policy import DAY_US, Policy, Severity

__all__ = ["ROWS", "Decision", "deliver_step", "flush_delivery"]

_WEEK_US = 7 * DAY_US
_UNTOLD = -1  # below every severity
_MISSING_MOST = 8  # revisions that may still come after a later one
_RANKS: Mapping[str, int] = {name: rank for rank, name in enumerate(get_args(Severity))}
_ENDS = frozenset({"retracted", "superseded"})
_ANSWERS = frozenset({"corrected", "explained"})  # they say nothing to who was not told
_MOVES = frozenset({"confirmed", "spill_over", "corrected"})  # kinds that new moves may be in


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """What a reader knows of a story.

    Attributes:
        last_us: when it was heard of last.
        revisions: by alert id, the last one that came, as a story may be told on two anchors.
        missing: earlier ones that have not come.
        told: the rank of the highest severity it was told at, -1 for never.
        told_us: by subject, when it was told of last, as long as that is a cooldown ago at most.
        moves: by ticker, a digest of its moves in the last revision.
    """

    last_us: Micros
    revisions: tuple[tuple[str, int], ...] = ()
    missing: tuple[tuple[str, int], ...] = ()
    told: int = _UNTOLD
    told_us: tuple[tuple[str, Micros], ...] = ()
    moves: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerRow:
    """When a ticker was told of: the newest times, as many as its budget has."""

    told_us: tuple[Micros, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """An alert that the next digest names."""

    held: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """The latest time seen, when old rows were dropped last, and since when a digest waits."""

    now_us: Micros
    swept_us: Micros
    since_us: Micros | None = None
    waiting: int = 0


ROWS: Mapping[str, type] = {
    "story": StoryRow,
    "ticker": TickerRow,
    "held": HeldRow,
    "clock": ClockRow,
}


class Decision(NamedTuple):
    """What a step gives: the rows that it changed, what the reader gets in order, and why.

    ``verdict`` is about the alert that was given; None at the end, where there is none.
    """

    changes: Mapping[str, Row | None]
    outputs: tuple[Notice, ...]
    verdict: Verdict | None


DeliverStep = Callable[[Rows, str, Alert], Decision]


def deliver_step(policy: Policy, watched: Iterable[str] = ()) -> DeliverStep:
    """Return the step of a reader's delivery: ``step(rows, reader, alert) -> Decision``.

    Args:
        policy: its ``delivery``, and how long a story waits for a change.
        watched: the tickers that the reader asks for; all where there are none.
    """
    wanted = frozenset(watched)

    def step(rows: Rows, reader: str, alert: Alert) -> Decision:
        return _Desk(rows, reader, policy, wanted).on_alert(alert)

    return step


def flush_delivery(rows: Rows, reader: str, policy: Policy) -> Decision:
    """Return what a reader still has to get when nothing more comes: the digest that waits."""
    return _Desk(rows, reader, policy, frozenset()).on_end()


class _Desk:
    """One step of a reader's delivery."""

    def __init__(self, rows: Rows, reader: str, policy: Policy, watched: frozenset[str]) -> None:
        self._draft = Draft(rows)
        self._reader = reader
        self._policy = policy
        self._rules = policy.delivery
        self._watched = watched
        self._clock: ClockRow = rows.get("clock") or ClockRow(now_us=Micros(0), swept_us=Micros(0))
        self._sent: list[Notice] = []

    def on_alert(self, alert: Alert) -> Decision:
        part = f"story:{alert.story_id}"
        before: StoryRow | None = self._draft.get(part)
        if before is not None and _is_repeated(before, alert):
            return Decision({}, (), "repeated")
        self._tick(alert)
        # Only now: a digest that has just gone out may have told of it.
        story: StoryRow = self._draft.get(part) or StoryRow(last_us=alert.known_us)
        story = replace(story, told=max(story.told, self._inherited(alert)))
        moves = _digests(alert.moves)
        subjects = self._subjects(alert, dict(story.moves), moves)
        if not subjects and story.told == _UNTOLD:
            return self._decided("unwatched")
        subjects = subjects or alert.tickers or (alert.anchor,)
        verdict = self._judge(alert, story, subjects)
        story = _with_revision(story, alert)
        if verdict != "outdated":
            story = replace(story, moves=tuple(sorted(moves.items())))
        if verdict in PASSED_FOR:
            story = self._tell(alert, story, subjects)
        self._draft.put(part, story)
        if verdict not in PASSED_FOR:
            self._hold(alert, verdict, subjects)
        return self._decided(verdict)

    def on_end(self) -> Decision:
        self._send_digest()
        return self._decided(None)

    def _decided(self, verdict: Verdict | None) -> Decision:
        self._draft.put("clock", self._clock)
        changes, _ = self._draft.result()
        return Decision(changes, tuple(self._sent), verdict)

    # ---- the decision ----------------------------------------------------------------------------

    def _judge(self, alert: Alert, story: StoryRow, subjects: tuple[str, ...]) -> Verdict:
        """Return the first of the rules above that applies."""
        is_told = story.told != _UNTOLD
        rank = _RANKS[alert.severity]
        if (alert.alert_id, alert.revision) in story.missing:
            return "outdated"
        if alert.kind in _ENDS:
            return "ending" if is_told else "untold"
        if alert.kind in self._rules.always and (is_told or alert.kind not in _ANSWERS):
            return "kind"
        if is_told and alert.explain.supersedes and _is_first(story, alert):
            return "heir"
        least = self._rules.always_severity
        if least is not None and rank >= _RANKS[least] and rank > story.told:
            return "severity"
        if self._is_cooling(alert, story, subjects):
            return "cooldown"
        return "budget" if self._is_spent(alert, subjects) else "due"

    def _subjects(
        self, alert: Alert, before: Mapping[str, str], after: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return what a transition is about, of that what is watched."""
        named = alert.tickers or (alert.anchor,)
        if alert.kind in _MOVES:
            changed = {t for t in before.keys() | after.keys() if before.get(t) != after.get(t)}
            named = tuple(sorted(changed)) or named
        if not self._watched:
            return named
        return tuple(subject for subject in named if subject in self._watched)

    def _is_cooling(self, alert: Alert, story: StoryRow, subjects: tuple[str, ...]) -> bool:
        told = dict(story.told_us)
        since_us = alert.known_us - self._rules.cooldown_us
        return all(subject in told and told[subject] > since_us for subject in subjects)

    def _is_spent(self, alert: Alert, subjects: tuple[str, ...]) -> bool:
        since_us = alert.known_us - _WEEK_US
        return all(
            sum(us > since_us for us in self._told_us(subject)) >= self._rules.budget
            for subject in subjects
        )

    def _told_us(self, subject: str) -> tuple[Micros, ...]:
        row: TickerRow | None = self._draft.get(f"ticker:{subject}")
        return () if row is None else row.told_us

    def _inherited(self, alert: Alert) -> int:
        """Return the severity at which the stories were told whose place this one takes."""
        rows = [self._draft.get(f"story:{story_id}") for story_id in alert.explain.supersedes]
        return max((row.told for row in rows if isinstance(row, StoryRow)), default=_UNTOLD)

    # ---- what follows from it --------------------------------------------------------------------

    def _tell(self, alert: Alert, story: StoryRow, subjects: tuple[str, ...]) -> StoryRow:
        """Send an alert, count it, and return what the reader knows of its story now."""
        self._sent.append(alert)
        for subject in subjects:
            times = sorted((*self._told_us(subject), alert.known_us))
            kept = tuple(times[-max(self._rules.budget, 1) :])
            self._draft.put(f"ticker:{subject}", TickerRow(told_us=kept))
        if alert.kind in _ENDS:  # what comes next of it is not to be held back by its end
            told_at = _UNTOLD if alert.kind == "retracted" else story.told
            return replace(story, told=told_at, told_us=())
        since_us = alert.known_us - self._rules.cooldown_us
        told = {subject: us for subject, us in story.told_us if us > since_us}
        told |= {subject: Micros(max(alert.known_us, told.get(subject, 0))) for subject in subjects}
        return replace(
            story,
            told=max(story.told, _RANKS[alert.severity]),
            told_us=tuple(sorted(told.items())),
        )

    def _hold(self, alert: Alert, verdict: Verdict, subjects: tuple[str, ...]) -> None:
        held_for: HeldFor = verdict  # type: ignore[assignment]  # no other verdict comes here
        held = Held(
            alert_id=alert.alert_id,
            revision=alert.revision,
            held_for=held_for,
            kind=alert.kind,
            severity=alert.severity,
            status=alert.status,
            known_us=alert.known_us,
            subjects=subjects,
            title=alert.title,
            story_id=alert.story_id,
        )
        part = f"held:{alert.known_us:020d}:{alert.alert_id}:{alert.revision:06d}"
        self._draft.put(part, HeldRow(held=held))
        clock = self._clock
        since_us = clock.now_us if clock.since_us is None else clock.since_us
        self._clock = replace(clock, since_us=since_us, waiting=clock.waiting + 1)
        if self._clock.waiting >= self._rules.digest_most:
            self._send_digest()

    def _send_digest(self) -> None:
        parts = self._draft.parts("held")
        if not parts:
            return
        held = tuple(self._draft.get(part).held for part in parts)  # type: ignore[union-attr]  # they stand
        for part in parts:
            self._draft.drop(part)
        names = [f"{each.alert_id}.{each.revision}" for each in held]
        self._sent.append(
            Digest(
                digest_id=derive_id("dg", self._reader, *names),
                from_us=held[0].known_us,
                to_us=held[-1].known_us,
                known_us=self._clock.now_us,
                held=held,
            )
        )
        self._clock = replace(self._clock, since_us=None, waiting=0)
        for each in held:
            self._mark_told(each)

    def _mark_told(self, held: Held) -> None:
        part = f"story:{held.story_id}"
        story: StoryRow | None = self._draft.get(part)
        if story is not None and held.kind not in _ENDS:
            told = max(story.told, _RANKS[held.severity])
            self._draft.put(part, replace(story, told=told))

    # ---- time ------------------------------------------------------------------------------------

    def _tick(self, alert: Alert) -> None:
        """Move the time on, send the digest that is due, and drop what is over."""
        self._clock = clock = replace(
            self._clock, now_us=Micros(max(self._clock.now_us, alert.known_us))
        )
        if clock.since_us is not None and clock.now_us - clock.since_us >= self._rules.digest_us:
            self._send_digest()
        # Once a day: it looks at every row.
        if clock.now_us - clock.swept_us >= DAY_US:
            self._sweep()
            self._clock = replace(self._clock, swept_us=clock.now_us)

    def _sweep(self) -> None:
        now_us = self._clock.now_us
        for part in self._draft.parts("story"):
            story: StoryRow | None = self._draft.get(part)
            if story is not None and now_us - story.last_us > self._policy.status_us:
                self._draft.drop(part)
        for part in self._draft.parts("ticker"):
            row: TickerRow | None = self._draft.get(part)
            if row is not None and now_us - row.told_us[-1] > _WEEK_US:
                self._draft.drop(part)


def _is_first(story: StoryRow, alert: Alert) -> bool:
    return alert.alert_id not in dict(story.revisions)


def _is_repeated(story: StoryRow, alert: Alert) -> bool:
    last = dict(story.revisions).get(alert.alert_id, 0)
    return alert.revision <= last and (alert.alert_id, alert.revision) not in story.missing


def _with_revision(story: StoryRow, alert: Alert) -> StoryRow:
    """Return what has come of a story, with this alert; of what has not, the newest revisions."""
    revisions = dict(story.revisions)
    last, revision = revisions.get(alert.alert_id, 0), alert.revision
    missing = set(story.missing) - {(alert.alert_id, revision)}
    first = max(last + 1, revision - _MISSING_MOST)
    missing |= {(alert.alert_id, number) for number in range(first, revision)}
    revisions[alert.alert_id] = max(last, revision)
    return replace(
        story,
        last_us=Micros(max(story.last_us, alert.known_us)),
        revisions=tuple(sorted(revisions.items())),
        missing=tuple(sorted(missing)[-_MISSING_MOST:]),
    )


def _digests(moves: Iterable[Move]) -> dict[str, str]:
    """Return a digest of each ticker's moves, whenever they became known."""
    by_ticker: dict[str, list[object]] = {}
    for move in moves:
        figures = (move.milestone, move.relation, move.from_us, move.to_us, move.raw)
        by_ticker.setdefault(move.ticker, []).extend(figures)
    return {ticker: derive_id("mv", *seen)[3:15] for ticker, seen in by_ticker.items()}
