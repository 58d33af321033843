"""Clauses, and what a clause scores for each event type: features with weights, and evidence."""

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, KeysView, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from signals.reading.match import Hit
from signals.reading.normalise import Text
from signals.reading.ruleset import EventType, Feature
from signals.reading.words import weigh_words, words_of

__all__ = ["Clause", "Score", "make_clause", "score_clause", "split_clauses", "stand_together"]

_BREAK = re.compile(r"\.{2,}|[;|]|\s-{1,2}\s|\s/\s|(?<=[가-힣])\.\s|[?!]\s")
_COMMA = re.compile(r",\s")
_NAME = re.compile(r"(?<![\w'])[A-Z][\w&.'-]*(?:\s(?:of|and|&|de)?\s?[A-Z][\w&.'-]*){0,5}")
_EVIDENCE = 6
_CLAUSES = 100  # of one text that are read: the time grows with their number times its length
_ROUNDING = 1e-2  # in logits: a confidence is rounded to four digits


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a text, its hits by what they stand for, each list ascending by place.

    ``words`` are those of ``signals.reading.words``.
    """

    text: Text
    start: int
    end: int
    hits: tuple[Hit, ...]
    spans: Mapping[str, Sequence[tuple[int, int]]]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How far a clause is an event of one type."""

    logit: float
    fired: tuple[tuple[Feature, tuple[tuple[int, int], ...]], ...]

    @property
    def confidence(self) -> float:
        """Return the logit as a probability, rounded so that it has one text."""
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, self.logit)))), 4)


def split_clauses(text: Text, hits: Sequence[Hit]) -> list[tuple[int, int]]:
    """Return the spans of the clauses: parted by "…", dashes, and commas between two predicates.

    Of a text that has hundreds, which is no sentence, the first hundred.
    """
    cuts = [(match.start(), match.end()) for match in _BREAK.finditer(text.shown)]
    triggers = [hit.start for hit in hits if hit.kind == "concept"]
    if any("가" <= sign <= "힣" for sign in text.shown):
        cuts = _with_commas(text, cuts, triggers)
    spans = []
    start = 0
    for cut_start, cut_end in cuts:
        if cut_start > start:
            spans.append((start, cut_start))
        start = max(start, cut_end)
    if start < len(text.shown):
        spans.append((start, len(text.shown)))
    return spans[:_CLAUSES]


def _with_commas(
    text: Text, cuts: list[tuple[int, int]], triggers: list[int]
) -> list[tuple[int, int]]:
    """Add the commas that part two predicates of one stretch; "MS, 152억 달러 투자" has one."""
    ends = [start for start, _ in cuts] + [len(text.shown)]
    commas: list[tuple[int, int]] = []
    start, index = 0, 0
    for match in _COMMA.finditer(text.shown):
        while match.start() >= ends[index]:
            start = cuts[index][1]
            index += 1
        before = _has_between(triggers, start, match.start())
        if before and _has_between(triggers, match.end(), ends[index]):
            commas.append((match.start(), match.end()))
            start = match.end()
    return sorted(cuts + commas)


def _has_between(places: list[int], start: int, end: int) -> bool:
    index = bisect_left(places, start)
    return index < len(places) and places[index] < end


def make_clause(
    text: Text,
    span: tuple[int, int],
    hits: Iterable[Hit],
    more: Mapping[str, Sequence[tuple[int, int]]],
) -> Clause:
    """Return the clause with its hits by name.

    Args:
        text: the text that the clause is part of.
        span: the clause, in code points of ``Text.shown``.
        hits: all hits of the text.
        more: spans of the whole text that are no hits: ``money``, ``quantity``.
    """
    start, end = span
    inside = tuple(hit for hit in hits if start <= hit.start and hit.end <= end)
    spans: dict[str, list[tuple[int, int]]] = {}
    for hit in inside:
        name = hit.ref if hit.kind == "concept" else hit.kind
        spans.setdefault(name, []).append((hit.start, hit.end))
        if hit.kind == "government":
            spans.setdefault("place", []).append((hit.start, hit.end))
        if hit.case and hit.kind != "concept":
            spans.setdefault(f"{hit.kind}:{hit.case}", []).append((hit.start, hit.end))
    for name, found in more.items():
        kept = [one for one in found if start <= one[0] and one[1] <= end]
        if kept:
            spans[name] = kept
    names = _names(text, start, end)
    if names:
        spans["name"] = names
    if len(spans.get("company", ())) > 1:
        spans["companies"] = spans["company"][1:]
    return Clause(text, start, end, inside, spans, words_of(text.low, span, inside, spans))


def _names(text: Text, start: int, end: int) -> list[tuple[int, int]]:
    return [match.span() for match in _NAME.finditer(text.shown, start, end)]


def score_clause(
    kind: EventType, clause: Clause, whole: Clause, *, least: float = 0.0
) -> Score | None:
    """Return the clause's logit for a type, with the features that fired and where.

    None where the confidence cannot reach ``least`` (0..1), whatever stands together: of most
    clauses that is known before any distance is measured.
    """
    asked = {place for name in clause.spans for place in kind.near.get(name, ())}
    asked.update(place for name in whole.spans for place in kind.far.get(name, ()))
    here, everywhere = clause.spans.keys(), whole.spans.keys()
    logit = reach = kind.bias + weigh_words(clause.words, kind.words)
    shown = []
    for index in sorted(asked):
        feature = kind.features[index]
        if _is_shown(feature, everywhere if feature.whole else here):
            shown.append(feature)
            if feature.weight > 0:
                reach += feature.weight
    if reach < _logit(least) - _ROUNDING:
        return None
    fired = []
    for feature in shown:
        found = _find(feature, whole.spans if feature.whole else clause.spans)
        if found is not None:
            logit += feature.weight
            fired.append((feature, found))
    return Score(logit, tuple(fired))


def _is_shown(feature: Feature, present: KeysView[str]) -> bool:
    """Return whether all items of a feature are there, wherever, and nothing that forbids it."""
    for names in feature.names:
        if present.isdisjoint(names):
            return False
    return not feature.none or present.isdisjoint(feature.none)


@cache
def _logit(confidence: float) -> float:
    return -inf if confidence <= 0.0 else math.log(confidence / (1 - confidence))


def _find(
    feature: Feature, spans: Mapping[str, Sequence[tuple[int, int]]]
) -> tuple[tuple[int, int], ...] | None:
    items = feature.items
    if len(items) == 1:
        return (next(spans[name][0] for name in items[0] if name in spans),)
    candidates: list[Sequence[tuple[int, int]]] = []
    for names in items:
        if len(names) == 1:
            candidates.append(spans[names[0]])
        else:
            candidates.append(sorted(span for name in names for span in spans.get(name, ())))
    if feature.ordered:
        return _in_order(candidates, feature.within)
    return stand_together(candidates, feature.within)


def _in_order(
    candidates: list[Sequence[tuple[int, int]]], within: int
) -> tuple[tuple[int, int], ...] | None:
    """Return the first chain of spans in order whose gaps are small enough."""
    chains: list[tuple[tuple[int, int], ...]] = [(span,) for span in candidates[0][:_EVIDENCE]]
    for later in candidates[1:]:
        longer = []
        for chain in chains:
            end = chain[-1][1]
            follow = next((span for span in later if end <= span[0] <= end + within), None)
            if follow is not None:
                longer.append((*chain, follow))
        if not longer:
            return None
        chains = longer
    return chains[0]


def stand_together(
    candidates: list[Sequence[tuple[int, int]]], within: int
) -> tuple[tuple[int, int], ...] | None:
    """Return spans of every item, each near the first item's, in any order."""
    for first in candidates[0][:_EVIDENCE]:
        chain = [first]
        for other in candidates[1:]:
            near = next((span for span in other if _gap(first, span) <= within), None)
            if near is None or near == first:
                break
            chain.append(near)
        else:
            return tuple(chain)
    return None


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(other[0] - one[1], one[0] - other[1], 0)
