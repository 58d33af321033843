"""An alert's words and figures: what a story or a move says, and why it went out."""

from collections.abc import Iterable
from dataclasses import replace

from signals.alerts.severity import Terms, level_of, move_terms, score_of, story_terms
from signals.alerts.story import Story
from signals.ids import derive_id
from signals.messages import (
    Alert,
    AlertKind,
    Explain,
    Micros,
    Move,
    MoveReport,
    RuleSetId,
    Threshold,
)
from signals.policy import Policy

__all__ = ["move_alert", "story_alert", "vanished_alert"]


def story_alert(
    story: Story,
    *,
    kind: AlertKind,
    revision: int,
    anchor: str,
    known_us: Micros,
    supersedes: tuple[str, ...],
    policy: Policy,
) -> Alert:
    """Return the alert of a story's transition."""
    visible = story.visible
    explain = _explain_story(story, kind=kind, supersedes=supersedes, policy=policy)
    return Alert(
        # Two anchors may tell of one event in turn, each in revisions of its own.
        alert_id=derive_id("al", story.story_id, anchor),
        revision=revision,
        kind=kind,
        type=story.type,
        status=visible.status,
        direction=visible.direction,
        story_id=story.story_id,
        anchor=anchor,
        title=story.title,
        parties=story.parties,
        tickers=visible.tickers,
        amounts=visible.amounts,
        headline_ids=tuple(dict.fromkeys(event.headline_id for event in story.events)),
        event_ids=tuple(event.event_id for event in story.events),
        moves=visible.moves,
        known_us=known_us,
        severity=level_of(explain.score),
        explain=explain,
        rules=story.events[0].rules,
        quantities=story.quantities,
        places=story.places,
        term=story.term,
        novelty=story.novelty,
        confounders=visible.confounders,
        claims=story.claims,
        langs=story.langs,
    )


def _explain_story(
    story: Story, *, kind: AlertKind, supersedes: tuple[str, ...], policy: Policy
) -> Explain:
    terms = story_terms(story)
    surest = max(story.events, key=lambda event: (event.confidence, event.event_id))
    return Explain(
        summary=f"{kind}: {story.type} told by {len(story.events)}",
        rules=tuple(dict.fromkeys(span.rule for _, span in story.evidence)),
        evidence=story.evidence,
        thresholds=(
            Threshold(name="confidence", value=surest.confidence, limit=surest.threshold),
            *_thresholds(story.visible.moves, story.spilled, policy),
        ),
        score=score_of(terms),
        terms=terms,
        supersedes=supersedes,
    )


def vanished_alert(
    last: Alert, *, heirs: Iterable[str], anchors: Iterable[str], known_us: Micros
) -> Alert:
    """Return the last alert of a story that is no more: superseded by others, or retracted."""
    heirs, anchors = tuple(heirs), tuple(anchors)
    superseded = bool(heirs or anchors)
    if heirs:
        summary = f"superseded by {', '.join(heirs)}"
    elif anchors:
        summary = f"superseded: told on {', '.join(anchors)}"
    else:
        summary = "retracted: no headline tells it any more"
    return replace(
        last,
        revision=last.revision + 1,
        kind="superseded" if superseded else "retracted",
        known_us=Micros(max(last.known_us, known_us)),
        explain=replace(last.explain, summary=summary),
    )


def move_alert(
    report: MoveReport, *, kind: AlertKind, revision: int, policy: Policy, rules: RuleSetId
) -> Alert:
    """Return the alert of a move past the threshold, explained or not."""
    move = report.move
    story_id = derive_id("st", "move", report.move_id)
    terms: Terms = move_terms((move,))
    raw = 0.0 if move.raw is None else move.raw
    is_far = abs(raw) >= policy.unexplained_alone
    limit = policy.unexplained_alone if is_far else policy.unexplained_raw
    thresholds = [Threshold(name="abs(raw)", value=abs(raw), limit=limit)]
    if move.z is not None and not is_far:
        thresholds.append(Threshold(name="abs(z)", value=abs(move.z), limit=policy.unexplained_z))
    by = ", ".join(report.explained_by)
    explain = Explain(
        summary=f"{kind}: explained by {by}" if by else f"{kind}: no event explains it",
        rules=("market.move_since_previous_close",),
        evidence=(),
        thresholds=tuple(thresholds),
        score=score_of(terms),
        terms=terms,
    )
    return Alert(
        alert_id=derive_id("al", story_id, report.ticker),
        revision=revision,
        kind=kind,
        type=None,
        status=None,
        direction=None,
        story_id=story_id,
        anchor=report.ticker,
        title=f"{report.ticker} {raw:+.1%} since the previous close",
        parties=(),
        tickers=(report.ticker,),
        amounts=(),
        headline_ids=report.explained_headlines,
        event_ids=report.explained_by,
        moves=(move,),
        known_us=move.known_us,
        severity=level_of(explain.score),
        explain=explain,
        rules=rules,
        confounders=report.confounders,
    )


def _thresholds(
    moves: Iterable[Move], spilled: frozenset[str], policy: Policy
) -> Iterable[Threshold]:
    for move in moves:
        if move.raw is None:
            continue
        if move.milestone.startswith("level:"):
            limit = abs(float(move.milestone.removeprefix("level:")))
            yield Threshold(name=f"abs(raw) {move.ticker}", value=abs(move.raw), limit=limit)
        if move.ticker in spilled:
            limit = policy.spill_over_raw
            yield Threshold(name=f"spill-over {move.ticker}", value=abs(move.raw), limit=limit)
