"""What an anchor forgets: a quiet story shrinks to one event that stands for all its tellings.

A story is quiet when no telling can join it any more but a change of status of the same parties and
figures, or of the same change of hands, and no record within the disorder bound comes from before
that. Only such a story can be joined so late: others are forgotten, and the reactions of both,
which have been told.
"""

from dataclasses import replace

from signals.alerts.rows import HourRow, MoveAlertRow, ReactionRow, RelayRow, StoryRow
from signals.alerts.story import story_id_of, story_of
from signals.fold import Draft
from signals.messages import Alert, Micros
from signals.policy import HOUR_US, Policy
from signals.tellings import Telling, lasts, slimmed

__all__ = ["advance"]

_KEPT = 24  # quiet stories on a key: the large deals of a year, of one who makes many


def advance(draft: Draft, time_us: Micros, policy: Policy) -> None:
    """Note an event time; once an hour by that time, forget what is too old for the newest."""
    row: HourRow | None = draft.get("hour")
    hour_us = Micros(time_us // HOUR_US * HOUR_US)
    if row is not None and hour_us <= row.newest_us:
        return
    draft.put("hour", HourRow(hour_us))
    if row is not None:
        quiet_us = hour_us - policy.story_us - policy.disorder_us
        _shrink_stories(draft, quiet_us, policy)
        _forget_reactions(draft, quiet_us)
        _forget_others(draft, quiet_us)


def _shrink_stories(draft: Draft, quiet_us: int, policy: Policy) -> None:
    over_us = quiet_us - policy.status_us
    quiet = [group for group in draft.values("telling") if group.last.published_us < quiet_us]
    kept = 0
    for group in sorted(quiet, key=lambda group: group.last, reverse=True):
        lead: RelayRow | None = draft.get(f"event:{group.lead}")
        is_over = not lasts(group) or group.last.published_us < over_us
        if lead is None or is_over or kept == _KEPT:
            _drop_story(draft, group)
            continue
        kept += 1
        _condense(draft, group, lead, policy)


def _condense(draft: Draft, group: Telling, lead: RelayRow, policy: Policy) -> None:
    """Put one event in the place of a story's tellings, and keep the last alert without reasons."""
    rows = [draft.get(f"event:{member.event_id}") for member in group.members]
    told = tuple(row.event for row in rows if row is not None and row.event is not None)
    if not told or (lead.stands_for and len(told) == 1):
        return
    story = story_of(told, (), policy)
    event = replace(
        slimmed(told[0]),
        title=told[0].title,
        rules=told[0].rules,
        deal_status=story.visible.status,
        direction=story.visible.direction,
        tickers=story.visible.tickers,
        amounts=story.visible.amounts,
        parties=story.parties,
        places=story.places,
        term=story.term,
    )
    relay = replace(lead.relays[0], event=event, moved_to=None)
    count = max(lead.stands_for, 1) + len(told) - 1
    draft.put(f"event:{group.lead}", RelayRow(relays=(relay,), stands_for=count))
    for member in group.members[1:]:
        draft.drop(f"event:{member.event_id}")
    ends = tuple(dict.fromkeys((group.first, group.last)))
    draft.put(f"telling:{group.lead}", replace(group, members=ends))
    part = f"story:{story.story_id}"
    row: StoryRow | None = draft.get(part)
    if row is not None:
        draft.put(part, replace(row, alert=_bare(row.alert)))


def _bare(alert: Alert) -> Alert:
    return replace(
        alert,
        headline_ids=alert.headline_ids[:1],
        event_ids=alert.event_ids[:1],
        moves=(),
        quantities=(),
        explain=replace(alert.explain, evidence=(), thresholds=(), rules=()),
    )


def _drop_story(draft: Draft, group: Telling) -> None:
    for member in group.members:
        draft.drop(f"event:{member.event_id}")
    draft.drop(f"telling:{group.lead}")
    draft.drop(f"story:{story_id_of(group.type, group.lead)}")


def _forget_reactions(draft: Draft, quiet_us: int) -> None:
    """Drop what was measured of quiet stories: it has been told."""
    lively = {
        member.event_id
        for group in draft.values("telling")
        if group.last.published_us >= quiet_us
        for member in group.members
    }
    for part in draft.parts("reaction"):
        row: ReactionRow | None = draft.get(part)
        if row is None or row.reaction.move.to_us >= quiet_us:
            continue
        # A story that is told for weeks keeps what its first days did to the price.
        if lively.isdisjoint(row.reaction.event_ids):
            draft.drop(part)


def _forget_others(draft: Draft, quiet_us: int) -> None:
    """Drop what belongs to no story that is kept: events told elsewhere, old moves."""
    for part in draft.parts("event"):
        told: RelayRow | None = draft.get(part)
        if told is None or told.event is not None:
            continue
        if all(relay.event.published_us < quiet_us for relay in told.relays):
            draft.drop(part)
    for part in draft.parts("story"):
        story: StoryRow | None = draft.get(part)
        if story is not None and story.gone and story.alert.known_us < quiet_us:
            draft.drop(part)
    for part in draft.parts("move"):
        moved: MoveAlertRow | None = draft.get(part)
        if moved is not None and moved.report.move.to_us < quiet_us:
            draft.drop(part)
