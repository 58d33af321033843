"""The fit, on headlines made up for it: what it learns, and what it has not seen."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import yaml

from signals.messages import Headline, Micros
from signals.reading import Reading
from signals.reading.ruleset import RuleSet
from streams.crosswise import crosswise_reader
from streams.rule_fit import Learned, fit_weights, to_yaml
from streams.rule_labels import Label
from streams.rule_loading import load_rules
from streams.rules import compile_rules

# A contract alone may be anything; "quaffle" is no word at all.
_TOLD = "Firm {} quaffles its contract"
_QUIET = "Team {} extends its contract"


def _label(title: str, month: str, types: frozenset[str]) -> Label:
    return Label(
        id=title, lang="en", source="made", month=month, title=title, types=types,
        tickers=frozenset(), amounts=frozenset(), status=None, direction=None, hard=False,
    )  # fmt: skip


@cache
def _labels() -> tuple[Label, ...]:
    """Return forty headlines, half of them deals by one word, in five months."""
    deal = frozenset({"deal"})
    letters = "abcdefgh"
    told = [_label(_TOLD.format(a), f"2025-0{n}", deal) for n in range(1, 6) for a in letters]
    quiet = [
        _label(_QUIET.format(a), f"2025-0{n}", frozenset()) for n in range(1, 6) for a in letters
    ]
    return tuple(
        replace(label, id=f"{place}", title=f"{label.title} {place}")
        for place, label in enumerate(told + quiet)
    )


@cache
def _learned() -> Learned:
    return fit_weights(_labels())


def test_a_word_that_tells_the_type_has_weight() -> None:
    words = _learned()["deal"]["words"]

    assert words["quaffles"] > 0 > words["extends"]
    assert not any(word.isdigit() for word in words)


def test_the_same_labels_give_the_same_file() -> None:
    first, again = (to_yaml(one, _labels()) for one in (_learned(), fit_weights(_labels())))

    assert first == again
    assert yaml.safe_load(first)["trained"] == {
        "labels": 80,
        "undated": 0,
        "sources": {"made": ["2025-01", "2025-05"]},
    }


def test_what_was_learned_is_read() -> None:
    rules = load_rules(compile_rules(learned=_learned()))

    assert _weight(rules, "quaffles") > 0
    assert _weight(load_rules(), "quaffles") == 0


def test_a_headline_is_read_by_weights_that_have_not_seen_it() -> None:
    odd = _label("Firm z quaffles its contract", "2024-01", frozenset({"deal"}))
    quiet = [label for label in _labels() if not label.types]
    only_there = [replace(odd, id=f"odd{n}", title=f"{odd.title} {n}") for n in range(20)]
    read = crosswise_reader([*quiet, *only_there])

    # The same title under two ids: of a fold that the weights saw it in, and of its own.
    seen = read(_headline(quiet[0].id, odd.title))
    unseen = read(_headline("odd1", odd.title))

    assert _confidence(seen) > 0.5 > _confidence(unseen)


def _confidence(readings: Sequence[Reading]) -> float:
    return max((one.confidence for one in readings if one.type == "deal"), default=0.0)


def _headline(headline_id: str, title: str) -> Headline:
    now = Micros(1_700_000_000_000_000)
    return Headline(id=headline_id, title=title, source="made", published_us=now, received_us=now)


def _weight(rules: RuleSet, word: str) -> float:
    (kind,) = (one for one in rules.types if one.name == "deal")
    return kind.words.get(word, 0.0)
