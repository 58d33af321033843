"""Places of a clause, and the two countries of an export control."""

import re

from signals.messages import Place
from signals.reading.grammar import Clause
from signals.reading.match import Hit

__all__ = ["find_places", "read_countries"]

_LONGEST = 8
_TOWARDS = re.compile(
    r"\W?(?:행|향|向|에 |에게|로의|으로의|산 |기업|업체| ?수출| ?반출| ?판매| 내 | ?공장| ?반입"
    r"| firms| compan| buyers| customers)"
)
_SAYS = re.compile(r"(?:,| )\s?(?:official\s)?(?:says|said)\b")
_TO = re.compile(r"(?:\bto|\bfor|\bon|\bagainst|\bin|\bwith|對|대)\s?(?:the\s)?$")


def find_places(clause: Clause) -> tuple[Place, ...]:
    """Return the places of a clause as written, each once, in order."""
    found: dict[str, Place] = {}
    for hit in clause.hits:
        if hit.kind == "place" and len(found) < _LONGEST:
            name = clause.text.shown[hit.start : hit.end]
            found.setdefault(name, Place(name=name, country=hit.ref))
    return tuple(found.values())


def read_countries(clause: Clause, whole: Clause) -> tuple[str | None, str | None]:
    """Return the country that controls and the one that the goods may (not) go to.

    A government named is the authority; a country that something goes to is the counterpart;
    else the first country named is the authority and the next one the counterpart. A clause that
    only says where goods go has its authority from the clauses before it.
    """
    authority = counterpart = None
    rest: list[str] = []
    for hit in _countries(clause) or _countries(whole):
        if hit.kind == "government" and _SAYS.match(clause.text.low, hit.end):
            continue  # who tells it is not who decides it
        if hit.kind == "government":
            authority = authority or hit.ref
        elif _is_destination(clause, hit):
            counterpart = counterpart or hit.ref
        elif hit.ref not in rest:
            rest.append(hit.ref)
    if authority is None:
        before = [hit.ref for hit in _countries(whole) if hit.end <= clause.start]
        countries = (*rest, *before)
        authority = next((country for country in countries if country != counterpart), None)
    if counterpart is None:
        counterpart = next((country for country in rest if country != authority), None)
    return authority, None if counterpart == authority else counterpart


def _countries(clause: Clause) -> list[Hit]:
    return [hit for hit in clause.hits if hit.kind in ("place", "government")]


def _is_destination(clause: Clause, hit: Hit) -> bool:
    low = clause.text.low
    if hit.case == "to":
        return True
    if low[max(0, hit.start - 12) : hit.start] and _TO.search(
        low, max(0, hit.start - 12), hit.start
    ):
        return True
    return _TOWARDS.match(low[hit.end : hit.end + 12]) is not None
