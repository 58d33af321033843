"""Weights learned from labels: logistic regression over what the clauses of headlines show."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from signals.reading.candidates import part_text
from signals.reading.documents import LONGEST_TITLE
from signals.reading.grammar import Clause, score_clause, stand_together
from signals.reading.normalise import normalise_text
from signals.reading.ruleset import RuleSet
from streams.logistic import Sample, fit_logistic, fit_platt
from streams.rule_labels import Label, fold_of_groups, group_of
from streams.rule_loading import load_rules
from streams.rules import (
    RULES_FOLDER,
    TRAINED,
    compile_rules,
    hand_weights,
    own_examples,
    rule_terms,
)

__all__ = ["fit_folds", "fit_weights", "to_yaml"]

_LEAST_ROWS = 12  # a feature that fewer clauses show is not learned
_LEAST_WEIGHT = 0.02  # logits; smaller ones only cost time
_EXAMPLE_WEIGHT = 10  # an example of a rule file counts like so many headlines
_PAIR_WITHIN = 30  # code points, as streams.rules takes a learned pair
_THRESHOLDS = (40, 60)  # percent
_ROUNDS = 2  # how often the clause that speaks for a headline is chosen anew
_L1, _L2 = 2.0, 0.1
_BIAS = "bias"

Learned = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Table:
    """What the clauses of each headline show, by type; equal clauses are one.

    ``rows`` has for each headline the places in ``shown`` of its clauses.
    """

    shown: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[int, ...], ...]


def fit_weights(labels: Sequence[Label], folder: Path = RULES_FOLDER) -> Learned:
    """Return weights, calibration and threshold by type, fitted on all labels.

    The calibration is Platt's, over the logits of rows that the weights of their fold did not see.
    The same labels and rules always give the same weights.
    """
    folds = fold_of_groups(labels)
    fit = _Fit(labels, [folds[group_of(label)] for label in labels], folder)
    return fit.learn(frozenset())


def fit_folds(
    labels: Sequence[Label], fold_of_row: Sequence[int], folder: Path = RULES_FOLDER
) -> dict[int, Learned]:
    """Return for each fold the weights learned from the other folds alone."""
    fit = _Fit(labels, fold_of_row, folder)
    return {fold: fit.learn(frozenset([fold])) for fold in sorted(set(fold_of_row))}


class _Fit:
    """Labels as the rules see them, and the weights fitted without some of the folds."""

    def __init__(self, labels: Sequence[Label], fold_of_row: Sequence[int], folder: Path) -> None:
        self.labels, self.fold_of_row = labels, fold_of_row
        self.hand = hand_weights(folder)
        self.examples = own_examples(folder)
        self.tables = _tables(labels, self.examples, folder)
        self.fitted: dict[tuple[str, frozenset[int]], dict[str, float]] = {}

    def learn(self, without: frozenset[int]) -> Learned:
        """Return what the other folds teach.

        The two numbers of the calibration and the threshold come from how each of them is scored by
        weights that did not see it (but saw the folds left out: to fit those anew for every pair
        of folds would take three times as long).
        """
        return {kind: self._learn_type(kind, without) for kind in self.tables}

    def _learn_type(self, kind: str, without: frozenset[int]) -> dict[str, Any]:
        table = self.tables[kind]
        pinned = self._pinned(kind)
        judged: list[tuple[float, bool, bool]] = []
        missed = 0
        for place, own in enumerate(self.fold_of_row):
            if own in without:
                continue
            label = self.labels[place]
            truth = kind in label.types
            weights = self._weights(kind, frozenset([own]))
            logit = _best(table, place, weights, pinned)
            if logit is not None:
                judged.append((logit[0], truth, label.hard))
            else:
                missed += truth and not label.hard
        scale, shift = fit_platt([(logit, truth) for logit, truth, _ in judged])
        own_weights = self._weights(kind, without)
        confidences = [(scale * logit + shift, truth, hard) for logit, truth, hard in judged]
        return {name: round(own_weights[name], 3) for name in sorted(own_weights)} | {
            "calibration": [round(scale, 3), round(shift, 3)],
            "threshold": _best_threshold(confidences, missed),
        }

    def _pinned(self, kind: str) -> dict[str, float]:
        hand, names = self.hand[kind]
        return {name: hand[name] for name in names}

    def _weights(self, kind: str, without: frozenset[int]) -> dict[str, float]:
        key = (kind, without)
        if key not in self.fitted:
            kept = [place for place, own in enumerate(self.fold_of_row) if own not in without]
            truth = [kind in label.types for label in self.labels]
            truth += [holds for _, holds in self.examples[kind]]
            kept += [*range(len(self.labels), len(truth))] * _EXAMPLE_WEIGHT
            self.fitted[key] = _fit_type(
                self.tables[kind], truth, kept, self.hand[kind][0], self._pinned(kind)
            )
        return self.fitted[key]


def _fit_type(
    table: _Table,
    truth: Sequence[bool],
    kept: Sequence[int],
    hand: Mapping[str, float],
    pinned: Mapping[str, float],
) -> dict[str, float]:
    """Return the weights of one type, the bias among them, and zeros that undo a hand weight.

    A headline counts by the clause that looks most like the type, chosen anew in each round.
    """
    rows = [place for place in kept if table.rows[place]]
    seen = Counter(
        name for place in rows for shown in table.rows[place] for name in table.shown[shown]
    )
    names = sorted(name for name, count in seen.items() if count >= _LEAST_ROWS)
    names = [_BIAS, *(name for name in names if name not in pinned)]
    number = {name: index for index, name in enumerate(names)}
    weights = dict(hand)
    for _ in range(_ROUNDS):
        counts: dict[int, list[int]] = {}
        for place in rows:
            best = _best(table, place, weights, pinned)
            if best is not None:
                counts.setdefault(best[1], [0, 0])[0 if truth[place] else 1] += 1
        samples = [
            Sample(
                (0, *(number[name] for name in table.shown[shown] if name in number)),
                positive,
                negative,
                sum(pinned.get(name, 0.0) for name in table.shown[shown]),
            )
            for shown, (positive, negative) in counts.items()
        ]
        start = [weights.get(name, 0.0) for name in names]
        fitted = fit_logistic(samples, start, l1=_L1, l2=_L2)
        weights = dict(zip(names, fitted, strict=True))
    undone = {name: 0.0 for name in hand if name not in pinned}
    return undone | {
        name: weight for name, weight in weights.items() if abs(weight) >= _LEAST_WEIGHT
    }


def _best(
    table: _Table, place: int, weights: Mapping[str, float], pinned: Mapping[str, float]
) -> tuple[float, int] | None:
    """Return the highest logit of a headline's clauses, and the clause's place in ``shown``."""
    best: tuple[float, int] | None = None
    for shown in table.rows[place]:
        logit = weights.get(_BIAS, 0.0)
        for name in table.shown[shown]:
            logit += pinned[name] if name in pinned else weights.get(name, 0.0)
        if best is None or logit > best[0]:
            best = (logit, shown)
    return best


def _best_threshold(judged: Iterable[tuple[float, bool, bool]], missed: int) -> float:
    """Return the confidence from which on a reading counts, by the F1 of held-out rows.

    Args:
        judged: logit, whether it is one, and whether that is borderline: then it may be passed by.
        missed: how many show nothing at all and are no borderline ones.
    """
    ordered = [
        (1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))), truth, hard)
        for logit, truth, hard in judged
    ]
    best = (0.0, 0.5)
    for percent in range(_THRESHOLDS[0], _THRESHOLDS[1] + 1):
        least = percent / 100
        right = sum(truth for confidence, truth, _ in ordered if confidence >= least)
        wrong = sum(not truth for confidence, truth, _ in ordered if confidence >= least)
        passed = sum(
            truth and not hard for confidence, truth, hard in ordered if confidence < least
        )
        best = max(best, (2 * right / max(1, 2 * right + wrong + passed + missed), least))
    return best[1]


# ---- what clauses show ---------------------------------------------------------------------------


def _tables(
    labels: Sequence[Label], examples: Mapping[str, Sequence[tuple[str, bool]]], folder: Path
) -> dict[str, _Table]:
    """Return the clauses of the labels and, behind them, of each type's own examples."""
    learned: Learned = {kind: {} for kind in hand_weights(folder)}
    words = rule_terms(folder)
    rules = load_rules(compile_rules(folder, learned=learned, words=words, keep_idle=True))
    numbers: dict[str, dict[tuple[str, ...], int]] = {kind.name: {} for kind in rules.types}
    rows: dict[str, list[tuple[int, ...]]] = {kind.name: [] for kind in rules.types}
    for label in labels:
        by_type = _shown(label.title, rules)
        for kind, shown in by_type.items():
            known = numbers[kind]
            rows[kind].append(tuple(known.setdefault(names, len(known)) for names in shown))
    for kind, known in numbers.items():
        for text, _ in examples[kind]:
            shown = _shown(text, rules)[kind]
            rows[kind].append(tuple(known.setdefault(names, len(known)) for names in shown))
    return {kind: _Table(tuple(numbers[kind]), tuple(rows[kind])) for kind in numbers}


def _shown(title: str, rules: RuleSet) -> dict[str, list[tuple[str, ...]]]:
    """Return by type, for each clause of a title, the names of the features that fire."""
    parts = part_text(normalise_text("title", title, 0, LONGEST_TITLE), rules)
    found: dict[str, list[tuple[str, ...]]] = {kind.name: [] for kind in rules.types}
    if parts is None:
        return found
    for clause in parts.clauses:
        common = set(_common(clause))
        for kind in rules.types:
            score = score_clause(kind, clause, parts.whole)
            fired = () if score is None else score.fired
            own = {feature.id.removeprefix(f"{kind.name}.") for feature, _ in fired}
            found[kind.name].append(tuple(sorted(common | own)))
    return found


def _common(clause: Clause) -> Iterator[str]:
    """Yield the features that no event file names: single concepts and words, and pairs.

    None looks at the whole text: the news of one clause must not tinge the next.
    """
    for name in clause.spans:
        yield f"has:{name}"
    paired = sorted(name for name in clause.spans if not name.startswith("=") and ":" not in name)
    for one, other in combinations(paired, 2):
        if stand_together([clause.spans[one], clause.spans[other]], _PAIR_WITHIN) is not None:
            yield f"pair:{one}+{other}"


# ---- writing -------------------------------------------------------------------------------------

_HEADER = """\
# Made by `tapewire rules fit` from labelled headlines (docs/rules.md says what the names mean);
# companies and places are masked. A feature of an event file that stands here takes this weight;
# zero takes it out. calibration: scale and shift of the logit; threshold: by held-out F1.
"""


def to_yaml(learned: Learned, labels: Sequence[Label]) -> str:
    """Return the text of ``weights.yaml``: the weights, and which labels they are from."""
    whole = {**learned, TRAINED: _trained_on(labels)}
    body = yaml.safe_dump(whole, allow_unicode=True, sort_keys=True, width=100)
    return _HEADER + str(body)


def _trained_on(labels: Sequence[Label]) -> dict[str, Any]:
    months: dict[str, list[str]] = {}
    for label in labels:
        if label.month:
            months.setdefault(label.source, []).append(label.month)
    return {
        "labels": len(labels),
        "undated": sum(not label.month for label in labels),
        "sources": {name: [min(found), max(found)] for name, found in months.items()},
    }
