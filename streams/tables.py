"""Read the dated tables that ship as package data, for the core to be given."""

from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from signals.subjects import Relation, SubjectTables

__all__ = ["load_subject_tables"]


@cache
def load_subject_tables() -> SubjectTables:
    """Return the listings and relations of ``signals/subjects``, by organisation id."""
    listings = {entry["org"]: tuple(entry["tickers"]) for entry in _entries("listings.json")}
    relations: dict[str, list[Relation]] = defaultdict(list)
    for entry in _entries("relations.json"):
        relation = Relation(ticker=entry["ticker"], reason=entry["reason"], since=entry["since"])
        relations[entry["org"]].append(relation)
    return SubjectTables(
        listings=listings, relations={org: tuple(found) for org, found in relations.items()}
    )


def _entries(name: str) -> list[Any]:
    document = orjson.loads((files("signals.subjects") / name).read_bytes())
    entries: list[Any] = document["entries"]
    return entries
