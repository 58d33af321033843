"""Labelled headlines through the agents, and what the stories that they tell are worth."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from signals import names
from signals.errors import ConfigError
from signals.events import HeadlineReader
from signals.fold import Agent
from signals.messages import EventEntry, Headline
from signals.policy import Policy
from signals.tellings import Telling
from streams.assemble import assemble_agents, rule_set_id
from streams.replay import Pipeline
from streams.story_labels import StoryLabel, is_held_out
from streams.story_scores import Merge, Pairs, Split, StoryScores, score_stories

__all__ = ["StoryEvaluation", "evaluate_stories", "to_lines"]

_SOURCE = "labels"
_MISTAKES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEvaluation:
    """The scores by part of the labels: ``development``, ``held out`` and ``all``."""

    rule_set: str
    parts: Mapping[str, StoryScores]


def evaluate_stories(
    labels: Sequence[StoryLabel],
    titles: Mapping[str, str],
    policy: Policy,
    read: HeadlineReader | None = None,
) -> StoryEvaluation:
    """Return how the stories that raise_alerts tells agree with the labels.

    All headlines are read, by their titles alone, in the order of time, through the reader, the
    subjects and the folds that live runs execute; the halves are scored apart.

    Args:
        labels: the truth, in any order.
        titles: by id, of every label at least.
        policy: thresholds and spans.
        read: how a headline is read; by the rules that ship where left out.
    Raises: ConfigError for a label whose title is not given.
    """
    ordered = sorted(labels, key=lambda label: (label.published_us, label.id))
    unknown = [label.id for label in ordered if label.id not in titles]
    if unknown:
        raise ConfigError(
            f"{len(unknown)} labels have no title, {unknown[0]} the first; name their headline file"
        )
    headlines = (_headline(label, titles) for label in ordered)
    told = _stories(headlines, assemble_agents(policy, read=read))
    rows = [(label, frozenset(told.get(label.id, ()))) for label in ordered]
    parts = {
        "development": [row for row in rows if not is_held_out(row[0].story)],
        "held out": [row for row in rows if is_held_out(row[0].story)],
        "all": rows,
    }
    return StoryEvaluation(
        rule_set=rule_set_id().hash,
        parts={
            name: score_stories([label for label, _ in part], [ids for _, ids in part])
            for name, part in parts.items()
            if part
        },
    )


def _headline(label: StoryLabel, titles: Mapping[str, str]) -> Headline:
    return Headline(
        id=label.id,
        title=titles[label.id],
        source=_SOURCE,
        published_us=label.published_us,
        received_us=label.published_us,
        lang=label.lang,
    )


def _stories(headlines: Iterable[Headline], agents: Iterable[Agent]) -> dict[str, set[str]]:
    """Return the ids of the stories that tell each headline; none where no event was read of it.

    An event that joins no story that is told is one of its own. What a quiet story has forgotten
    of its tellings is remembered here.
    """
    pipeline = Pipeline(agents)
    headline_of: dict[str, str] = {}
    story_of: dict[str, str] = {}  # by event: the first event of its story
    for headline in headlines:
        keys: set[str] = set()
        for output in pipeline.feed(names.HEADLINES, headline.id, headline):
            message = output.message
            if isinstance(message, EventEntry):
                event = message.event
                headline_of[event.event_id] = headline.id
                if not event.weak:
                    story_of.setdefault(event.event_id, event.event_id)
            if output.topic == names.REACTIONS:
                keys.add(output.key)
        for key in sorted(keys):
            for group in _groups(pipeline.state("raise_alerts", key)):
                for member in group.members:
                    story_of[member.event_id] = group.lead
    told: dict[str, set[str]] = {}
    for event_id, story in story_of.items():
        told.setdefault(headline_of[event_id], set()).add(_first(story, story_of))
    return told


def _groups(rows: Mapping[str, object]) -> list[Telling]:
    return [row for row in rows.values() if isinstance(row, Telling) and not row.is_weak]


def _first(story: str, story_of: Mapping[str, str]) -> str:
    """Return the first event of the story that a story has become."""
    while (later := story_of.get(story, story)) != story:
        story = later
    return story


# ---- telling -------------------------------------------------------------------------------------


def to_lines(evaluation: StoryEvaluation, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield the tables as Markdown; mistakes are listed with the titles that are given."""
    for name, scores in evaluation.parts.items():
        yield f"### Stories, {name}"
        yield ""
        yield from _figures(scores)
        yield ""
        yield from _mistakes(scores, titles)


def _figures(scores: StoryScores) -> Iterator[str]:
    yield "| pairs of headlines | P | 95 % | R | 95 % | right | wrong | missed | unread |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for key, one in scores.pairs.items():
        yield f"| {key} | {_told(one)} |"
    cubed = scores.cubed
    yield ""
    yield "| figure | value |"
    yield "| --- | ---: |"
    yield f"| headlines | {scores.headlines} |"
    yield f"| stories | {scores.stories} |"
    yield f"| stories with more than one headline | {scores.told_together} |"
    yield f"| headlines of which no event was read | {scores.unread} |"
    yield f"| B-cubed precision | {cubed.precision:.3f} |"
    yield f"| B-cubed recall | {cubed.recall:.3f} |"
    yield f"| B-cubed F1 | {cubed.f1:.3f} |"


def _told(one: Pairs) -> str:
    return (
        f"{one.precision:.3f} | {one.precision_low:.2f}-{one.precision_high:.2f} |"
        f" {one.recall:.3f} | {one.recall_low:.2f}-{one.recall_high:.2f} |"
        f" {one.right} | {one.wrong} | {one.missed} | {one.unread}"
    )


def _mistakes(scores: StoryScores, titles: Mapping[str, str]) -> Iterator[str]:
    for merge in scores.merges[:_MISTAKES]:
        yield from _merge_lines(merge, titles)
    for split in scores.splits[:_MISTAKES]:
        yield from _split_lines(split, titles)
    yield ""


def _merge_lines(merge: Merge, titles: Mapping[str, str]) -> Iterator[str]:
    one, two = merge.stories
    yield f"- told as one, {merge.pairs} pairs: {one}, {two}"
    yield from (f"  - {_named(id_, titles)}" for id_ in merge.ids)


def _split_lines(split: Split, titles: Mapping[str, str]) -> Iterator[str]:
    yield f"- told as {len(split.parts)}, {split.missed} pairs missed: {split.story}"
    for number, part in enumerate(split.parts, 1):
        yield from (f"  - part {number}: {_named(id_, titles)}" for id_ in part)
    yield from (f"  - unread: {_named(id_, titles)}" for id_ in split.unread)


def _named(id_: str, titles: Mapping[str, str]) -> str:
    title = titles.get(id_)
    return id_ if title is None else f"{id_} {title}"
