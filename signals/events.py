"""read_headlines: from a headline's revision to the events that it reports, on their subjects.

The step keeps, by headline id, what the last revision gave, so that a correction or a withdrawal
sends revisions, and retractions to the subjects that are no longer named.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from signals import names
from signals.dates import utc_day
from signals.errors import BadMessage
from signals.fold import EMPTY, NO_CHANGE, Output, Result, Rows, Step
from signals.frozen import fast_init
from signals.ids import derive_id
from signals.messages import Event, EventEntry, Headline, RuleSetId, Subject
from signals.policy import Policy
from signals.reading.model import Reading
from signals.subjects import SubjectTables, anchor_of, subjects_of

__all__ = ["GivenRow", "HeadlineReader", "read_headlines_step"]

HeadlineReader = Callable[[Headline], tuple[Reading, ...]]
_GIVEN = "given"


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRow:
    """What the last revision of a headline gave."""

    revision: int
    received_us: int
    events: tuple[Event, ...]


def read_headlines_step(
    read: HeadlineReader, *, rules: RuleSetId, tables: SubjectTables, policy: Policy
) -> Step:
    """Return the step of read_headlines: state per headline id, events out."""

    def step(rows: Rows, key: str, headline: Headline) -> Result:
        _check(headline, policy)
        before: GivenRow | None = rows.get(_GIVEN)
        if before is not None and not _is_news(headline, before):
            return EMPTY
        readings = () if headline.status == "withdrawn" else read(headline)
        events = tuple(_events(headline, readings, rules, tables, policy))
        outputs = tuple(_outputs(headline, events, () if before is None else before.events))
        row = GivenRow(revision=headline.revision, received_us=headline.received_us, events=events)
        if headline.revision == 1 and headline.status == "usable" and not events:
            # Nothing to retract later: an ordinary headline leaves no state behind.
            return NO_CHANGE, outputs
        return {_GIVEN: row}, outputs

    return step


def _check(headline: Headline, policy: Policy) -> None:
    ahead_us = headline.published_us - headline.received_us
    if ahead_us > policy.future_us:
        detail = (
            f"published_us must be at most {policy.future_us} after received_us, "
            f"was {ahead_us} after it"
        )
        raise BadMessage("future_publish_time", "$.published_us", detail)
    size = len(headline.title.encode()) + len((headline.body or "").encode())
    if size > policy.headline_bytes:
        detail = f"title and body must have at most {policy.headline_bytes} bytes, had {size}"
        raise BadMessage("too_large", "$.body", detail)


def _is_news(headline: Headline, before: GivenRow) -> bool:
    if headline.revision != before.revision:
        return headline.revision > before.revision
    # Of two inputs with one id the earlier receipt stands.
    return headline.received_us < before.received_us


def _events(
    headline: Headline,
    readings: Iterable[Reading],
    rules: RuleSetId,
    tables: SubjectTables,
    policy: Policy,
) -> Iterable[Event]:
    counts: dict[str, int] = {}
    day = utc_day(headline.published_us)
    alone = f"headline:{headline.id}"  # a story of its own: nobody is named who could share it
    for reading in readings:
        ordinal = counts[reading.type] = counts.get(reading.type, 0) + 1
        event_id = derive_id("ev", headline.id, reading.type, ordinal)
        yield Event(
            id=derive_id("er", event_id, headline.revision, rules.version, rules.hash),
            event_id=event_id,
            headline_id=headline.id,
            revision=headline.revision,
            status="live",
            type=reading.type,
            confidence=reading.confidence,
            title=headline.title,
            lang=headline.lang or "und",
            source=headline.source,
            published_us=headline.published_us,
            received_us=headline.received_us,
            rules=rules,
            anchor=anchor_of(reading, tables, alone=alone),
            subjects=_subjects(reading, tables, day=day, alone=alone),
            deal_status=reading.deal_status,
            direction=reading.direction,
            authority=reading.authority,
            counterpart=reading.counterpart,
            parties=reading.parties,
            tickers=reading.tickers,
            amounts=reading.amounts,
            term=reading.term,
            quantities=reading.quantities,
            places=reading.places,
            evidence=reading.evidence,
            late=headline.received_us - headline.published_us > policy.headline_late_us,
            claims=reading.claims,
            keywords=reading.keywords,
            weak=reading.weak,
            threshold=reading.threshold,
        )


def _subjects(
    reading: Reading, tables: SubjectTables, *, day: str, alone: str
) -> tuple[Subject, ...]:
    """Return the keys that an event goes to: a weak one is no news of whom it does not name."""
    found = subjects_of(reading, tables, day=day, alone=alone)
    return tuple(one for one in found if one.role == "party") if reading.weak else found


def _outputs(
    headline: Headline, events: tuple[Event, ...], before: tuple[Event, ...]
) -> Iterable[Output]:
    now = {event.event_id: event for event in events}
    for old in before:
        new = now.get(old.event_id)
        kept = {subject.key for subject in new.subjects} if new is not None else set()
        gone = _retracted(old, headline)
        if not old.weak and (new is None or new.weak):
            yield _to_events(gone)
        for subject in old.subjects:
            if subject.key not in kept:
                yield _to_journal(gone, subject)
    for event in events:
        if not event.weak:
            yield _to_events(event)
        for subject in event.subjects:
            yield _to_journal(event, subject)


def _retracted(event: Event, headline: Headline) -> Event:
    rules = event.rules
    record = derive_id(
        "er", event.event_id, headline.revision, rules.version, rules.hash, "retracted"
    )
    return replace(
        event,
        id=record,
        revision=headline.revision,
        status="retracted",
        received_us=headline.received_us,
    )


def _to_events(event: Event) -> Output:
    return Output(topic=names.EVENTS, key=event.event_id, message=event, event_us=event.anchor_us)


def _to_journal(event: Event, subject: Subject) -> Output:
    entry = EventEntry(subject=subject, event=event)
    return Output(topic=names.JOURNAL, key=subject.key, message=entry, event_us=event.anchor_us)
