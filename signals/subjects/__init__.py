"""Which keys of the journal an event goes to, and which of them its story lives on.

Listings and relations are dated tables that are passed in: a party's listings, and the companies
that public facts tie to it. ``signals/subjects/spills.py`` says to which of those an event goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from signals.messages import Party, Subject
from signals.reading.model import Reading
from signals.subjects.spills import spills

__all__ = ["Relation", "SubjectTables", "anchor_of", "control_key", "subjects_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A listed company that a public fact ties to an organisation.

    ``reason`` is what it is to the organisation: supplier, customer, peer or investor. ``since`` is
    the day (``2025-11-03``) from which the fact was known.
    """

    ticker: str
    reason: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTables:
    """The tables, by organisation id: its tickers on the tape, and its relations."""

    listings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relations: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)


# Whom controls are aimed at: of news about them the authority is often not named, or others are.
# China, as often an authority itself, is none of them.
_SANCTIONED = ("KP", "IR", "RU", "VE", "CU", "SY", "BY", "MM")
# The nearest first: it is the reason given where a company is tied to an event in several ways.
_TIES = ("supplier", "investor", "peer", "customer")


def control_key(authority: str | None, counterpart: str | None) -> str:
    """Return the subject of an export control: ``gov:US>AE``, with ``*`` for what is not named."""
    return f"gov:{authority or '*'}>{counterpart or '*'}"


def anchor_of(reading: Reading, tables: SubjectTables, *, alone: str = "none") -> str:
    """Return the subject that the reading's story lives on; ``alone`` if it names nobody at all.

    A deal's least prominent party that the gazetteer knows: nearly all tellings name it. Where it
    knows none, the likeliest name of the title (``name:railway``), since how an unknown party is
    written differs from telling to telling. An export control's authority and counterpart, of news
    about a sanctioned country that country alone (``gov:*>IR``). For any other type the owner, else
    the first party.
    """
    if reading.type == "export_control":
        return _control_anchor(reading)
    parties = reading.parties
    if not any(party.known for party in parties):
        names = _name_keys(reading)
        if names or not parties:
            return names[0] if names else alone
    if reading.type != "deal":
        owners = [party for party in parties if party.role == "owner"]
        return _keys(owners[0] if owners else parties[0], tables)[0]
    least = min(parties, key=lambda party: (not party.known, party.prominence, party.id))
    return _keys(least, tables)[0]


def subjects_of(
    reading: Reading, tables: SubjectTables, *, day: str, alone: str = "none"
) -> tuple[Subject, ...]:
    """Return the keys that an event goes to, its anchor first, each once, parties before relations.

    Args:
        reading: what was read.
        tables: listings and relations.
        day: the publish day (``2025-11-03``); relations known later are left out.
        alone: the subject of a reading that names nobody.
    """
    found: dict[str, Subject] = {}
    for party in reading.parties:
        for key in _keys(party, tables):
            found.setdefault(key, Subject(key=key, role="party", reason=party.role))
    for ticker in reading.tickers:
        found.setdefault(ticker, Subject(key=ticker, role="party", reason="named"))
    if reading.type != "export_control" and not any(party.known for party in reading.parties):
        for key in _name_keys(reading):
            found.setdefault(key, Subject(key=key, role="party", reason="named"))
    anchor = anchor_of(reading, tables, alone=alone)
    first = found.pop(anchor, Subject(key=anchor, role="party", reason="anchor"))
    found = {anchor: first, **found}
    for relation, party in _relations(reading, tables, day):
        subject = Subject(key=relation.ticker, role="related", reason=relation.reason, of=party.id)
        found.setdefault(relation.ticker, subject)
    return tuple(found.values())


def _control_anchor(reading: Reading) -> str:
    named = {reading.counterpart, *(place.country for place in reading.places)}
    for country in _SANCTIONED:
        if country in named and country != reading.authority:
            return control_key(None, country)
    return control_key(reading.authority, reading.counterpart)


def _name_keys(reading: Reading) -> list[str]:
    """Return the keys where tellings of nobody that the gazetteer knows can meet."""
    return [name if name.startswith("org:") else f"name:{name}" for name in reading.names]


def _keys(party: Party, tables: SubjectTables) -> tuple[str, ...]:
    listed = dict.fromkeys((*party.tickers, *tables.listings.get(party.id, ())))
    return tuple(listed) or (party.id,)


def _relations(reading: Reading, tables: SubjectTables, day: str) -> list[tuple[Relation, Party]]:
    """Return the companies that the reading's news spills over to, each with whom it is tied to."""
    known = [
        (relation, party)
        for party in reading.parties
        for relation in tables.relations.get(party.id, ())
        if relation.since <= day and spills(reading.type, role=party.role, reason=relation.reason)
    ]
    return sorted(known, key=lambda tie: (tie[0].ticker, _TIES.index(tie[0].reason), tie[1].id))
