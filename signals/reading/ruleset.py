"""The compiled rules: what ``rules.json`` holds, as frozen objects and one matcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick

from signals.messages import RuleSetId
from signals.reading.normalise import fold_case
from signals.reading.rates import Rates

__all__ = [
    "ENGINE",
    "Company",
    "EventType",
    "Feature",
    "Pattern",
    "Role",
    "RuleSet",
    "Training",
    "build_rules",
]

# What the rules are made for: raised whenever one rule set would give another alert log than
# before, by a change of the code of reading, measuring or telling (tests/golden/test_engine.py).
ENGINE = 1


# Tuples, since there are ten thousand of them: a frozen dataclass takes five times as long to make.
class Company(NamedTuple):
    """An organisation that the gazetteer knows; ``sells`` names what it is the supplier of."""

    id: str
    name: str
    tickers: tuple[str, ...]
    prominence: int
    sells: tuple[str, ...]


class Pattern(NamedTuple):
    """One written form and what it stands for.

    Attributes:
        text: as written in the rule file, without its marks.
        kind: company, concept, ignore or place.
        ref: the company's id, the concept's name, or the country.
        prefix: the word may go on (``acquir*``).
        left, right: a boundary is required on that side.
        case: the case must be as written; ``capital``: only its first letter's.
        block_next, block_prev: lower-case text that must not follow or precede it.
        require_any: lower-case words of which one must occur in the text.
    """

    text: str
    kind: str
    ref: str
    prefix: bool
    left: bool
    right: bool
    case: bool
    capital: bool
    block_next: tuple[str, ...]
    block_prev: tuple[str, ...]
    require_any: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a clause shows, with its weight (in logits) for one event type.

    Attributes:
        id: the rule's name in evidence, ``deal.acquire_name``.
        items: what must be there; each is a set of alternatives (concepts or kinds of hits).
        ordered: the items follow each other in this order.
        within: the largest gap between one item and the next, in code points.
        none: what must not be in the clause.
        whole: looked for in the whole text rather than in one clause.
        names: the items as sets.
    """

    id: str
    items: tuple[tuple[str, ...], ...]
    ordered: bool
    within: int
    none: tuple[str, ...]
    whole: bool
    weight: float
    names: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Role:
    """Who plays what around a trigger, by grammatical case (see ``signals.reading.roles``)."""

    trigger: tuple[str, ...]
    cases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type: its features, threshold, and how its attributes are read.

    ``words`` are the weights of single words (see ``signals.reading.words``). ``near`` and ``far``
    give, by what a clause or the whole text must hold first, the places of the features that then
    may fire.
    """

    name: str
    bias: float
    threshold: float
    features: tuple[Feature, ...]
    words: Mapping[str, float]
    status: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    default_status: str | None
    direction: Mapping[str, tuple[str, ...]]
    roles: tuple[Role, ...]
    lead_role: str
    other_role: str
    amount_kind: str
    separate: bool
    geographic: bool
    near: Mapping[str, tuple[int, ...]]
    far: Mapping[str, tuple[int, ...]]


_EVERYWHERE = frozenset(
    {"companies", "company", "government", "money", "name", "place", "quantity"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Which headlines the weights were learned from: what a backtest on them would not be worth.

    Attributes:
        labels: how many, ``undated`` of them without a date.
        sources: the first and the last month (``2025-09``) by source, for those that have dates.
    """

    labels: int
    undated: int
    sources: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that reading depends on; ``id`` names and hashes it.

    ``training`` is None for weights that were written by hand. ``common_words`` are those that many
    headlines have, whatever they tell.
    """

    id: RuleSetId
    companies: Mapping[str, Company]
    types: tuple[EventType, ...]
    patterns: tuple[tuple[Pattern, ...], ...]
    matcher: AhoCorasick
    tails: Mapping[str, str]
    rates: Rates
    training: Training | None = None
    common_words: frozenset[str] = frozenset()


def build_rules(plain: Mapping[str, Any], rates: Rates, content_hash: str) -> RuleSet:
    """Build the rule set from compiled JSON, already parsed.

    Args:
        plain: what ``streams.rules.compile_rules`` gives.
        rates: the dated exchange rates.
        content_hash: SHA-256 over the compiled bytes, in hex.
    """
    grouped: dict[str, list[Pattern]] = {}
    for row in plain["patterns"]:
        pattern = _pattern(row)
        grouped.setdefault(fold_case(pattern.text), []).append(pattern)
    return RuleSet(
        id=RuleSetId(version=plain["version"], hash=content_hash),
        companies={row["id"]: _company(row) for row in plain["companies"]},
        types=tuple(_event_type(row) for row in plain["events"]),
        patterns=tuple(tuple(group) for group in grouped.values()),
        matcher=AhoCorasick(list(grouped)),
        tails=dict(plain["particles"]),
        rates=rates,
        training=_training(plain.get("trained")),
        common_words=frozenset(plain.get("common_words", ())),
    )


def _training(row: Mapping[str, Any] | None) -> Training | None:
    if row is None:
        return None
    sources = {name: (first, last) for name, (first, last) in row["sources"].items()}
    return Training(labels=row["labels"], undated=row["undated"], sources=sources)


def _company(row: Mapping[str, Any]) -> Company:
    return Company(
        row["id"], row["name"], tuple(row["tickers"]), row["prominence"], tuple(row["sells"])
    )


def _pattern(row: Sequence[Any]) -> Pattern:
    text, kind, ref, flags, block_next, block_prev, require_any = row
    return Pattern(
        text,
        kind,
        ref,
        *_flags(flags),
        tuple(block_next),
        tuple(block_prev),
        tuple(require_any),
    )


@cache
def _flags(flags: str) -> tuple[bool, bool, bool, bool, bool]:
    return ("*" in flags, "<" in flags, ">" in flags, "c" in flags, "u" in flags)


def _items(rows: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.split("|")) for row in rows)


def _event_type(row: Mapping[str, Any]) -> EventType:
    features = tuple(_feature(item) for item in row["features"])
    return EventType(
        name=row["type"],
        bias=row["bias"],
        threshold=row["threshold"],
        features=features,
        words=dict(row.get("words", {})),
        status=tuple((item["value"], _items(item["has"])) for item in row["status"]),
        default_status=row["default_status"],
        direction={name: tuple(refs) for name, refs in row["direction"].items()},
        roles=tuple(Role(tuple(item["trigger"]), dict(item["cases"])) for item in row["roles"]),
        lead_role=row["lead_role"],
        other_role=row["other_role"],
        amount_kind=row["amount_kind"],
        separate=row["separate"],
        geographic=row["geographic"],
        near=_index(features, whole=False),
        far=_index(features, whole=True),
    )


def _feature(item: Mapping[str, Any]) -> Feature:
    items = _items(item["items"])
    return Feature(
        item["id"],
        items,
        item["ordered"],
        item["within"],
        tuple(item["none"]),
        item["whole"],
        item["weight"],
        tuple(map(frozenset, items)),
    )


def _rarest(items: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the item to look a feature up by: one that not nearly every clause has."""
    for item in items:
        if _EVERYWHERE.isdisjoint(item):
            return item
    return items[0]


def _index(features: Sequence[Feature], *, whole: bool) -> dict[str, tuple[int, ...]]:
    index: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        if feature.whole == whole:
            for name in _rarest(feature.items):
                index.setdefault(name, []).append(place)
    return {name: tuple(places) for name, places in index.items()}
