"""Weights learned from labels: logistic regression over what the clauses of headlines show.

First the features are chosen, by a penalty that makes most weights zero (L1). Then those that are
left and all the words are weighed together, by one that makes them small (L2).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import yaml

from signals.reading.words import weigh_words
from streams.logistic import Sample, fit_logistic, fit_platt
from streams.ridge import Case, fit_ridge
from streams.rule_labels import Label, fold_of_groups, group_of
from streams.rule_tables import Table, tables_of
from streams.rules import RULES_FOLDER, TRAINED, hand_weights, own_examples

__all__ = ["fit_folds", "fit_weights", "to_yaml"]

_LEAST_ROWS = 12  # a feature that fewer clauses show is not learned
_LEAST_WORD_ROWS = 5  # nor a word that fewer clauses have
_LEAST_WEIGHT = 0.02  # logits; smaller ones only cost time
_LEAST_WORD = 0.4  # before it is divided by the square root of the words
_EXAMPLE_WEIGHT = 10  # an example of a rule file counts like so many headlines
_THRESHOLDS = (40, 60)  # percent
_ROUNDS = 2  # how often the clause that speaks for a headline is chosen anew
_L1, _L2 = 0.19, 0.1  # to choose features; the first times the square root of what there is to tell
_L2_CHOSEN, _L2_WORD = 0.9, 0.15  # to weigh them
_BIAS = "bias"

Learned = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Weights:
    """What is learned of a type, before calibration; ``pinned`` weights are given by hand."""

    features: Mapping[str, float]
    pinned: Mapping[str, float]
    words: Mapping[str, float] = field(default_factory=dict)

    def best(self, table: Table, place: int) -> tuple[float, int] | None:
        """Return the highest logit of a headline's clauses, and which clause has it."""
        best: tuple[float, int] | None = None
        for number, shown in enumerate(table.rows[place]):
            logit = self.features.get(_BIAS, 0.0) + self._of(table.shown[shown])
            logit += weigh_words(table.words[place][number], self.words)
            if best is None or logit > best[0]:
                best = (logit, number)
        return best

    def _of(self, names: Iterable[str]) -> float:
        return sum(
            self.pinned[name] if name in self.pinned else self.features.get(name, 0.0)
            for name in names
        )


def fit_weights(labels: Sequence[Label], folder: Path = RULES_FOLDER) -> Learned:
    """Return weights, calibration and threshold by type, fitted on all labels.

    The calibration is Platt's, over the logits of rows that the weights of their fold did not see.
    The same labels and rules always give the same weights.

    Raises: ConfigError where scipy is missing.
    """
    folds = fold_of_groups(labels)
    fit = _Fit(labels, [folds[group_of(label)] for label in labels], folder)
    return fit.learn(frozenset())


def fit_folds(
    labels: Sequence[Label], fold_of_row: Sequence[int], folder: Path = RULES_FOLDER
) -> dict[int, Learned]:
    """Return for each fold the weights learned from the other folds alone.

    Raises: ConfigError where scipy is missing.
    """
    fit = _Fit(labels, fold_of_row, folder)
    return {fold: fit.learn(frozenset([fold])) for fold in sorted(set(fold_of_row))}


class _Fit:
    """Labels as the rules see them, and the weights fitted without some of the folds."""

    def __init__(self, labels: Sequence[Label], fold_of_row: Sequence[int], folder: Path) -> None:
        self.labels, self.fold_of_row = labels, fold_of_row
        self.hand = hand_weights(folder)
        self.examples = own_examples(folder)
        self.tables = tables_of(labels, self.examples, folder)
        self.fitted: dict[tuple[str, frozenset[int]], _Weights] = {}

    def learn(self, without: frozenset[int]) -> Learned:
        """Return what the other folds teach.

        The two numbers of the calibration and the threshold come from how each of them is scored by
        weights that did not see it (but saw the folds left out: to fit those anew for every pair
        of folds would take three times as long).
        """
        return {kind: self._learn_type(kind, without) for kind in self.tables}

    def _learn_type(self, kind: str, without: frozenset[int]) -> dict[str, Any]:
        table = self.tables[kind]
        judged: list[tuple[float, bool, bool]] = []
        missed = 0
        for place, own in enumerate(self.fold_of_row):
            if own in without:
                continue
            label = self.labels[place]
            truth = kind in label.types
            best = self._weights(kind, frozenset([own])).best(table, place)
            if best is not None:
                judged.append((best[0], truth, label.hard))
            else:
                missed += truth and not label.hard
        scale, shift = fit_platt([(logit, truth) for logit, truth, _ in judged])
        own_weights = self._weights(kind, without)
        confidences = [(scale * logit + shift, truth, hard) for logit, truth, hard in judged]
        return _rounded(own_weights.features) | {
            "calibration": [round(scale, 3), round(shift, 3)],
            "threshold": _best_threshold(confidences, missed),
            "words": _rounded(own_weights.words),
        }

    def _weights(self, kind: str, without: frozenset[int]) -> _Weights:
        key = (kind, without)
        if key not in self.fitted:
            kept = [place for place, own in enumerate(self.fold_of_row) if own not in without]
            truth = [kind in label.types for label in self.labels]
            truth += [holds for _, holds in self.examples[kind]]
            kept += [*range(len(self.labels), len(truth))] * _EXAMPLE_WEIGHT
            table = self.tables[kind]
            rows = [place for place in kept if table.rows[place]]
            hand, pinned = self.hand[kind]
            start = _Weights(hand, {name: hand[name] for name in pinned})
            self.fitted[key] = _weighed(table, truth, rows, _chosen(table, truth, rows, start))
        return self.fitted[key]


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: round(weights[name], 3) for name in sorted(weights)}


def _chosen(
    table: Table, truth: Sequence[bool], rows: Sequence[int], weights: _Weights
) -> _Weights:
    """Return the weights of the features that tell the type, and zeros that undo hand weights.

    A headline counts by the clause that looks most like the type, chosen anew in each round.
    """
    hand, pinned = weights.features, weights.pinned
    seen = Counter(
        name for place in rows for shown in table.rows[place] for name in table.shown[shown]
    )
    names = sorted(name for name, count in seen.items() if count >= _LEAST_ROWS)
    names = [_BIAS, *(name for name in names if name not in pinned)]
    l1 = _L1 * sqrt(sum(truth[place] for place in rows))
    number = {name: index for index, name in enumerate(names)}
    for _ in range(_ROUNDS):
        counts: dict[int, list[int]] = {}
        for place in rows:
            best = weights.best(table, place)
            if best is not None:
                shown = table.rows[place][best[1]]
                counts.setdefault(shown, [0, 0])[0 if truth[place] else 1] += 1
        samples = [
            Sample(
                (0, *(number[name] for name in table.shown[shown] if name in number)),
                positive,
                negative,
                sum(pinned.get(name, 0.0) for name in table.shown[shown]),
            )
            for shown, (positive, negative) in counts.items()
        ]
        start = [weights.features.get(name, 0.0) for name in names]
        fitted = fit_logistic(samples, start, l1=l1, l2=_L2)
        weights = _Weights(dict(zip(names, fitted, strict=True)), pinned)
    undone = {name: 0.0 for name in hand if name not in pinned}
    return _Weights(undone | _notable(weights.features, _LEAST_WEIGHT), pinned)


def _weighed(
    table: Table, truth: Sequence[bool], rows: Sequence[int], chosen: _Weights
) -> _Weights:
    """Return the weights of the chosen features and of the words, fitted together."""
    clauses = [(place, best[1]) for place in rows if (best := chosen.best(table, place))]
    seen = Counter(word for place, clause in clauses for word in table.words[place][clause])
    words = sorted(word for word, count in seen.items() if count >= _LEAST_WORD_ROWS)
    names = sorted(name for name, weight in chosen.features.items() if weight and name != _BIAS)
    feature_at = {name: number for number, name in enumerate(names, 1)}
    word_at = {word: number for number, word in enumerate(words, len(names) + 1)}
    cases = []
    for place, clause in clauses:
        shown, said = table.shown[table.rows[place][clause]], table.words[place][clause]
        share = 1 / sqrt(max(1, len(said)))
        values = [(0, 1.0)]
        values += [(feature_at[name], 1.0) for name in shown if name in feature_at]
        values += [(word_at[word], share) for word in said if word in word_at]
        offset = sum(chosen.pinned.get(name, 0.0) for name in shown)
        cases.append(Case(tuple(values), truth[place], offset))
    start = [chosen.features.get(name, 0.0) for name in (_BIAS, *names)] + [0.0] * len(words)
    penalties = [0.0] + [_L2_CHOSEN] * len(names) + [_L2_WORD] * len(words)
    fitted = fit_ridge(cases, start, penalties)
    undone = {name: 0.0 for name, weight in chosen.features.items() if not weight}
    features = dict(zip((_BIAS, *names), fitted, strict=False))
    by_word = dict(zip(words, fitted[len(names) + 1 :], strict=True))
    return _Weights(undone | features, chosen.pinned, _notable(by_word, _LEAST_WORD))


def _notable(weights: Mapping[str, float], least: float) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if abs(weight) >= least}


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


# ---- writing -------------------------------------------------------------------------------------

_HEADER = """\
# Made by `tapewire rules fit` from labelled headlines (docs/rules.md says what the names mean);
# companies and places are masked. A feature of an event file that stands here takes this weight;
# zero takes it out. calibration: scale and shift of the logit; threshold: by held-out F1.
# words: their weights, each divided by the square root of the words of a clause.
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
