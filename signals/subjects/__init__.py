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


# The nearest first: it is the reason given where a company is tied to an event in several ways.
_TIES = ("supplier", "investor", "peer", "customer")


def control_key(authority: str | None, counterpart: str | None) -> str:
    """Return the subject of an export control: ``gov:US>AE``, with ``*`` for what is not named."""
    return f"gov:{authority or '*'}>{counterpart or '*'}"


def anchor_of(reading: Reading, tables: SubjectTables, *, alone: str = "none") -> str:
    """Return the subject that the reading's story lives on; ``alone`` if it names nobody at all.

    A deal's least prominent party that the gazetteer knows (an unknown one only if there is no
    other): nearly all tellings name it. An export control's authority and counterpart. For any
    other type the owner, else the first party.
    """
    if reading.type == "export_control":
        return control_key(reading.authority, reading.counterpart)
    parties = reading.parties
    if not parties:
        return alone
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
    anchor = anchor_of(reading, tables, alone=alone)
    first = found.pop(anchor, Subject(key=anchor, role="party", reason="anchor"))
    found = {anchor: first, **found}
    for relation, party in _relations(reading, tables, day):
        subject = Subject(key=relation.ticker, role="related", reason=relation.reason, of=party.id)
        found.setdefault(relation.ticker, subject)
    return tuple(found.values())


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
