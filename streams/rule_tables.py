"""What the clauses of labelled headlines show, by event type: what a fit learns from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from signals.reading.candidates import part_text
from signals.reading.documents import LONGEST_TITLE
from signals.reading.grammar import Clause, score_clause, stand_together
from signals.reading.normalise import normalise_text
from signals.reading.ruleset import RuleSet
from streams.rule_labels import Label
from streams.rule_loading import load_rules
from streams.rules import compile_rules, hand_weights, rule_terms

__all__ = ["Table", "tables_of"]

_PAIR_WITHIN = 30  # code points, as streams.rules takes a learned pair
_Clauses = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What each clause of each headline shows of one type; equal sets of features are one.

    Attributes:
        shown: the names of features that fire together.
        rows: for each headline the places in ``shown`` of its clauses.
        words: for each headline the words of its clauses, in the same order.
    """

    shown: _Clauses
    rows: tuple[tuple[int, ...], ...]
    words: tuple[_Clauses, ...]


def tables_of(
    labels: Sequence[Label], examples: Mapping[str, Sequence[tuple[str, bool]]], folder: Path
) -> dict[str, Table]:
    """Return the clauses of the labels and, behind them, of each type's own examples.

    Args:
        labels: headlines; what they are labelled as is not looked at.
        examples: texts by type, and whether they are of the type.
        folder: of rule files.
    """
    rules = load_rules(
        compile_rules(
            folder,
            learned={kind: {} for kind in hand_weights(folder)},
            words=rule_terms(folder),
            keep_idle=True,
        )
    )
    told = [_shown(label.title, rules) for label in labels]
    return {
        kind.name: _table(
            kind.name, told + [_shown(text, rules) for text, _ in examples[kind.name]]
        )
        for kind in rules.types
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """What a headline shows: the words of its clauses, and by type the features of each."""

    words: _Clauses
    shown: Mapping[str, list[tuple[str, ...]]]


def _table(kind: str, told: Sequence[_Told]) -> Table:
    places: dict[tuple[str, ...], int] = {}
    rows = [
        tuple(places.setdefault(names, len(places)) for names in one.shown[kind]) for one in told
    ]
    return Table(tuple(places), tuple(rows), tuple(one.words for one in told))


def _shown(title: str, rules: RuleSet) -> _Told:
    parts = part_text(normalise_text("title", title, 0, LONGEST_TITLE), rules)
    found: dict[str, list[tuple[str, ...]]] = {kind.name: [] for kind in rules.types}
    if parts is None:
        return _Told((), found)
    for clause in parts.clauses:
        common = set(_common(clause))
        for kind in rules.types:
            score = score_clause(kind, clause, parts.whole)
            fired = () if score is None else score.fired
            own = {feature.id.removeprefix(f"{kind.name}.") for feature, _ in fired}
            found[kind.name].append(tuple(sorted(common | own)))
    return _Told(tuple(clause.words for clause in parts.clauses), found)


def _common(clause: Clause) -> Iterator[str]:
    """Yield the features that no event file names: single concepts and terms, and pairs.

    None looks at the whole text: the news of one clause must not tinge the next.
    """
    for name in clause.spans:
        yield f"has:{name}"
    paired = sorted(name for name in clause.spans if not name.startswith("=") and ":" not in name)
    for one, other in combinations(paired, 2):
        if stand_together([clause.spans[one], clause.spans[other]], _PAIR_WITHIN) is not None:
            yield f"pair:{one}+{other}"
