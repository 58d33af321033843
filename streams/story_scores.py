"""How well stories agree with labels: every figure of ``tapewire stories eval``, pure."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from streams.story_labels import StoryLabel

__all__ = ["Cubed", "Merge", "Pairs", "Split", "StoryScores", "score_stories"]

_RESAMPLES = 1000
_SEED = 20261126


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of headlines: in one story rightly, wrongly, and not although they should be.

    ``unread`` are the missed ones of which a headline gave no event at all. The bounds are at
    95 %, by stories drawn anew. A ratio of nothing is 1.
    """

    right: int
    wrong: int
    missed: int
    unread: int
    precision: float
    recall: float
    precision_low: float
    precision_high: float
    recall_low: float
    recall_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cubed:
    """B-cubed: the mean over headlines of how much of their story is right, and how much is found.

    A headline that gave no event is a story of its own.
    """

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two stories that were told as one, with ids of theirs, ``pairs`` of them in all."""

    stories: tuple[str, str]
    pairs: int
    ids: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A story that was told as several, largest part first; ``unread`` gave no event."""

    story: str
    missed: int
    parts: tuple[tuple[str, ...], ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryScores:
    """Every figure; the keys of ``pairs`` are ``all``, types and language mixes (``en-ko``)."""

    headlines: int
    stories: int
    told_together: int
    unread: int
    pairs: Mapping[str, Pairs]
    cubed: Cubed
    merges: tuple[Merge, ...]
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two headlines that are one story by label, by what was found, or both."""

    one: StoryLabel
    two: StoryLabel
    is_true: bool
    is_found: bool
    is_unread: bool

    @property
    def keys(self) -> tuple[str, ...]:
        mix = "-".join(sorted((self.one.lang, self.two.lang)))
        return ("all", self.one.type, mix)


def score_stories(labels: Sequence[StoryLabel], found: Sequence[frozenset[str]]) -> StoryScores:
    """Return every figure for labels and the ids of the stories that tell them.

    Args:
        labels: the truth.
        found: of the same length and order; empty for a headline that gave no event.
    """
    rows = list(zip(labels, found, strict=True))
    pairs = [
        _Pair(one, two, one.story == two.story, not here.isdisjoint(there), not (here and there))
        for (one, here), (two, there) in combinations(rows, 2)
        if one.story == two.story or not here.isdisjoint(there)
    ]
    keys = sorted({key for pair in pairs for key in pair.keys})
    sizes = Counter(label.story for label in labels)
    return StoryScores(
        headlines=len(labels),
        stories=len(sizes),
        told_together=sum(size > 1 for size in sizes.values()),
        unread=sum(not ids for ids in found),
        pairs={key: _score([pair for pair in pairs if key in pair.keys]) for key in keys},
        cubed=_cubed(rows),
        merges=_merges(pairs),
        splits=_splits(rows, pairs),
    )


def _score(pairs: Sequence[_Pair]) -> Pairs:
    by_story: dict[str, tuple[int, int, int]] = {}
    unread = 0
    for pair in pairs:
        right, wrong, missed = by_story.get(pair.one.story, (0, 0, 0))
        by_story[pair.one.story] = (
            right + (pair.is_true and pair.is_found),
            wrong + (not pair.is_true),
            missed + (pair.is_true and not pair.is_found),
        )
        unread += pair.is_true and not pair.is_found and pair.is_unread
    right, wrong, missed = _sums(by_story.values())
    precisions, recalls = _drawn([by_story[story] for story in sorted(by_story)])
    return Pairs(
        right=right,
        wrong=wrong,
        missed=missed,
        unread=unread,
        precision=_ratio(right, wrong),
        recall=_ratio(right, missed),
        precision_low=precisions[len(precisions) // 40],
        precision_high=precisions[-1 - len(precisions) // 40],
        recall_low=recalls[len(recalls) // 40],
        recall_high=recalls[-1 - len(recalls) // 40],
    )


def _drawn(outcomes: Sequence[tuple[int, int, int]]) -> tuple[list[float], list[float]]:
    draw = random.Random(_SEED)
    precisions, recalls = [], []
    for _ in range(_RESAMPLES):
        right, wrong, missed = _sums(draw.choices(outcomes, k=len(outcomes)))
        precisions.append(_ratio(right, wrong))
        recalls.append(_ratio(right, missed))
    return sorted(precisions), sorted(recalls)


def _sums(outcomes: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    right, wrong, missed = (sum(column) for column in zip(*outcomes, strict=True))
    return right, wrong, missed


def _ratio(right: int, other: int) -> float:
    return right / (right + other) if right + other else 1.0


def _cubed(rows: Sequence[tuple[StoryLabel, frozenset[str]]]) -> Cubed:
    precision = recall = 0.0
    for place, (label, ids) in enumerate(rows):
        together = [
            other
            for number, (other, there) in enumerate(rows)
            if number == place or not ids.isdisjoint(there)
        ]
        right = sum(other.story == label.story for other in together)
        precision += right / len(together)
        recall += right / sum(other.story == label.story for other, _ in rows)
    precision, recall = precision / len(rows), recall / len(rows)
    return Cubed(
        precision=precision, recall=recall, f1=2 * precision * recall / (precision + recall)
    )


def _merges(pairs: Iterable[_Pair]) -> tuple[Merge, ...]:
    wrong: dict[tuple[str, str], list[_Pair]] = {}
    for pair in pairs:
        if not pair.is_true:
            first, second = sorted((pair.one.story, pair.two.story))
            wrong.setdefault((first, second), []).append(pair)
    merges = [
        Merge(stories=stories, pairs=len(found), ids=(found[0].one.id, found[0].two.id))
        for stories, found in wrong.items()
    ]
    return tuple(sorted(merges, key=lambda merge: (-merge.pairs, merge.stories)))


def _splits(
    rows: Sequence[tuple[StoryLabel, frozenset[str]]], pairs: Iterable[_Pair]
) -> tuple[Split, ...]:
    missed = Counter(pair.one.story for pair in pairs if pair.is_true and not pair.is_found)
    splits = []
    for story in missed:
        parts: list[tuple[set[str], list[str]]] = []
        unread = []
        for label, ids in rows:
            if label.story != story:
                continue
            if not ids:
                unread.append(label.id)
                continue
            met = [part for part in parts if not part[0].isdisjoint(ids)]
            parts = [part for part in parts if part not in met]
            names = set(ids).union(*(part[0] for part in met))
            parts.append((names, [*(one for part in met for one in part[1]), label.id]))
        ordered = sorted((tuple(members) for _, members in parts), key=lambda p: (-len(p), p))
        splits.append(
            Split(story=story, missed=missed[story], parts=tuple(ordered), unread=tuple(unread))
        )
    return tuple(sorted(splits, key=lambda split: (-split.missed, split.story)))
