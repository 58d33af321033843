"""Read the dated tables that ship as package data, for the core to be given."""

import hashlib
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from signals.market.sessions import Session, Sessions
from signals.messages import Micros
from signals.policy import MINUTE_US
from signals.subjects import Relation, SubjectTables

__all__ = ["load_nasdaq", "load_sessions", "load_subject_tables", "tables_hash"]


# Those that the core is given. Which tickers are Nasdaq's is the sources' business.
_TABLES = (
    ("signals.market", "sessions.json"),
    ("signals.subjects", "listings.json"),
    ("signals.subjects", "relations.json"),
)


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


@cache
def load_sessions() -> Sessions:
    """Return the sessions of ``signals/market/sessions.json``, by market."""
    document = orjson.loads((files("signals.market") / "sessions.json").read_bytes())
    by_market = {
        mic: tuple(
            Session(
                open_us=Micros(opened * MINUTE_US),
                close_us=Micros(closed * MINUTE_US),
                pre_us=before * MINUTE_US,
                post_us=after * MINUTE_US,
            )
            for opened, closed, before, after in rows
        )
        for mic, rows in document["sessions"].items()
    }
    by_market |= {mic: by_market[same] for mic, same in document["same"].items()}
    return Sessions(by_market=by_market, version=document["version"])


@cache
def load_nasdaq() -> frozenset[str]:
    """Return the tickers that ``signals/market/nasdaq.json`` says are listed on Nasdaq."""
    document = orjson.loads((files("signals.market") / "nasdaq.json").read_bytes())
    return frozenset(document["tickers"])


@cache
def tables_hash() -> str:
    """Return the SHA-256 of every table that a decision can rest on."""
    digest = hashlib.sha256()
    for package, name in _TABLES:
        digest.update(hashlib.sha256((files(package) / name).read_bytes()).digest())
    return digest.hexdigest()


def _entries(name: str) -> list[Any]:
    document = orjson.loads((files("signals.subjects") / name).read_bytes())
    entries: list[Any] = document["entries"]
    return entries
