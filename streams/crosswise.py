"""Headlines read by weights that have not seen them: what a score on labelled ones is worth."""

from collections.abc import Sequence

from signals.events import HeadlineReader
from signals.messages import Headline
from signals.reading import Reading, read_tellings
from signals.reading.ruleset import RuleSet
from streams.rule_fit import fit_folds
from streams.rule_labels import Label, fold_of_groups, group_of
from streams.rule_loading import load_rules
from streams.rules import compile_rules

__all__ = ["crosswise_reader", "rules_by_fold"]


def rules_by_fold(labels: Sequence[Label]) -> list[tuple[RuleSet, list[int]]]:
    """Return a rule set for each fold, fitted on the other ones, and the places of its labels."""
    folds = fold_of_groups(labels)
    of_row = [folds[group_of(label)] for label in labels]
    return [
        (
            load_rules(compile_rules(learned=learned)),
            [place for place, own in enumerate(of_row) if own == fold],
        )
        for fold, learned in sorted(fit_folds(labels, of_row).items())
    ]


def crosswise_reader(labels: Sequence[Label]) -> HeadlineReader:
    """Return a reader whose weights are, for each labelled headline, of the other folds.

    A headline whose id is not that of a label is read by the rules that ship.
    """
    shipped = load_rules()
    rules_of = {
        labels[place].id: rules for rules, places in rules_by_fold(labels) for place in places
    }

    def read(headline: Headline) -> tuple[Reading, ...]:
        return read_tellings(headline, rules_of.get(headline.id, shipped))

    return read
