"""What one event says that can tell its story from another: the facts that agreement weighs."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from signals.messages import Event, Micros, RuleSetId

__all__ = ["FIGURES", "Facts", "facts_of", "slimmed"]

FIGURES = frozenset({"deal_value", "capex", "stake", "loan", "other"})
# Rules of words by which companies and stakes change hands: of two parties that happens once.
_OWNERSHIP = re.compile(
    r"acquire|takeover|sell_unit|deal\.buy|stake|=(?:bid|offer|merger|인수|합병|매각|지분)"
)
_NUMBERED = re.compile(r"[가-힣].*\d|\d(?:차|호|공구|단지|호기|기)$")  # "개포우성7차"
_SITE = re.compile(
    r"^[가-힣]{1,6}(?:동|구|군|읍|역|점|지구|단지|공항|항)$|^[가-힣]+\d+(?:차|단지|호기)$"
)
_NO_RULES = RuleSetId(version="", hash="")
_ONLY_NAMED = 100  # who takes no part says little, however small


class Facts(NamedTuple):
    """The facts of an event.

    Attributes:
        parties: organisations that take part and that the gazetteer knows.
        orgs: those, and the others that the title names.
        prominence: of the least prominent of ``orgs`` that it is known of: id and rank, ascending.
        words: keywords that are no organisations.
        numbered, sites: words like "7차" and "미성동", by which projects of one owner differ.
        figures: what it is said to be worth in dollars, each once, ascending.
        countries, places: by code, the authority and counterpart of a control too; by name.
        is_ownership: whether a company, a unit or a stake changes hands.
    """

    published_us: Micros
    lang: str
    parties: frozenset[str]
    orgs: frozenset[str]
    prominence: tuple[tuple[int, str], ...]
    words: frozenset[str]
    numbered: frozenset[str]
    sites: frozenset[str]
    figures: tuple[Decimal, ...]
    countries: frozenset[str]
    places: frozenset[str]
    direction: str | None
    authority: str | None
    is_ownership: bool
    is_weak: bool

    def names(self, type_: str) -> frozenset[str]:
        """Return by what another telling of a type may be found: one of them it must share."""
        if type_ == "export_control":
            return self.orgs | self.words | frozenset(f"place:{code}" for code in self.countries)
        return self.orgs | self.words


def slimmed(event: Event) -> Event:
    """Return an event without what is only shown: with the same facts, in a third of the bytes."""
    return replace(
        event,
        title="",
        rules=_NO_RULES,
        parties=tuple(replace(party, name="", tickers=()) for party in event.parties),
        tickers=(),
        term=None,
        evidence=tuple(span for span in event.evidence if _OWNERSHIP.search(span.rule))[:1],
        subjects=(),
        quantities=(),
        claims=(),
    )


def facts_of(event: Event) -> Facts:
    """Return the facts of an event."""
    known = {party.id: party.prominence for party in event.parties if party.known}
    parties = frozenset(known)
    named = [word for word in event.keywords if word.startswith("org:")]
    orgs = parties if parties.issuperset(named) else parties.union(named)
    words = frozenset(word for word in event.keywords if not word.startswith("org:"))
    if not words:  # of a title these are among its words
        words = frozenset(party.id for party in event.parties if not party.known)
    countries = {place.country for place in event.places if place.country is not None}
    countries.update(one for one in (event.authority, event.counterpart) if one is not None)
    figures = {a.usd for a in event.amounts if a.usd is not None and a.kind in FIGURES}
    direction = None if event.direction == "unclear" else event.direction
    return Facts(
        published_us=event.published_us,
        lang=event.lang,
        parties=parties,
        orgs=orgs,
        prominence=tuple(sorted((known.get(org, _ONLY_NAMED), org) for org in orgs)),
        words=words,
        numbered=frozenset(word for word in words if _NUMBERED.search(word)),
        sites=frozenset(word for word in words if _SITE.search(word)),
        figures=tuple(sorted(figures)),
        countries=frozenset(countries),
        places=frozenset(place.name for place in event.places),
        direction=direction,
        authority=event.authority,
        is_ownership=any(_OWNERSHIP.search(span.rule) for span in event.evidence),
        is_weak=event.weak,
    )
