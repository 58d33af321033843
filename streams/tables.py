"""Read the dated tables that ship as package data, or those of a pack, for the core to be given."""

from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from signals.market.sessions import Session, Sessions
from signals.messages import Micros
from signals.policy import MINUTE_US
from signals.subjects import Relation, SubjectTables
from streams.rule_files import RuleFiles, shipped_files

__all__ = [
    "load_nasdaq",
    "load_sessions",
    "load_subject_tables",
    "read_sessions",
    "read_subject_tables",
]


@cache
def load_subject_tables() -> SubjectTables:
    """Return the listings and relations of ``signals/subjects``, by organisation id."""
    return read_subject_tables(shipped_files())


@cache
def load_sessions() -> Sessions:
    """Return the sessions of ``signals/market/sessions.json``, by market."""
    return read_sessions(shipped_files())


def read_subject_tables(rules: RuleFiles) -> SubjectTables:
    """Return the listings and relations of a rule set, by organisation id."""
    listings = {entry["org"]: tuple(entry["tickers"]) for entry in _entries(rules.listings)}
    relations: dict[str, list[Relation]] = defaultdict(list)
    for entry in _entries(rules.relations):
        relation = Relation(ticker=entry["ticker"], reason=entry["reason"], since=entry["since"])
        relations[entry["org"]].append(relation)
    return SubjectTables(
        listings=listings, relations={org: tuple(found) for org, found in relations.items()}
    )


def read_sessions(rules: RuleFiles) -> Sessions:
    """Return the sessions of a rule set, by market."""
    document = orjson.loads(rules.sessions)
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


def _entries(raw: bytes) -> list[Any]:
    entries: list[Any] = orjson.loads(raw)["entries"]
    return entries
