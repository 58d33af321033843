"""Make signals/subjects/relations.json of relations.yaml: who is tied to whom, from which day.

    python deploy/tools/make_relations.py > signals/subjects/relations.json

Each tie is told once, "X supplies Y", and gives an entry for each side whose other side is listed:
what a listed company is to an organisation. The ticker is the one that trades in New York or Seoul,
where there is one, else the home listing. Refused, each with its line: a company that the gazetteer
does not know, a tie that is told twice or ties a company to itself or two that are not listed, a
day after as_of, and an empty source.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPANIES = ROOT / "signals" / "reading" / "rules" / "companies.yaml"
TIES = Path(__file__).with_name("relations.yaml")
ABOUT = (
    "What a listed company is to an organisation: its supplier, its customer, its peer or its "
    "investor. Made of deploy/tools/relations.yaml; since is a day on which it was known."
)

Tickers = Mapping[str, Sequence[str]]


class Tie(NamedTuple):
    """One fact: what ``first`` is to ``second``, and the other way round."""

    first: str
    second: str
    reason: str  # what the first is to the second
    mirror: str | None  # what the second is to the first, None where that is no relation
    since: date
    source: str


def main() -> None:
    """Write the table to standard output, or what is wrong to standard error."""
    document = yaml.safe_load(TIES.read_text(encoding="utf-8"))
    try:
        text = table(document, known_tickers())
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(text)


def known_tickers() -> dict[str, list[str]]:
    """Return the tickers of each organisation of the gazetteer; units stand for their owner."""
    companies = yaml.safe_load(COMPANIES.read_text(encoding="utf-8"))["companies"]
    return {
        entry["id"].removeprefix("org:"): [str(ticker) for ticker in entry.get("tickers", ())]
        for entry in companies
        if "parent" not in entry
    }


def table(document: Mapping[str, Any], tickers: Tickers) -> str:
    """Return the JSON text of the table.

    Raises: ValueError that names every tie that is refused.
    """
    as_of: date = document["as_of"]
    found = list(ties(document))
    faults = [*_faults(found, tickers, as_of)]
    if faults:
        raise ValueError("\n".join(faults))
    entries = sorted(
        (entry for tie in found for entry in _entries(tie, tickers)),
        key=lambda entry: (entry["org"], entry["ticker"], entry["reason"]),
    )
    rows = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    head = f'{{\n  "about": {json.dumps(ABOUT)},\n  "as_of": "{as_of}",\n  "entries": [\n'
    return f"{head}{rows}\n  ]\n}}\n"


def ties(document: Mapping[str, Any]) -> Iterator[Tie]:
    """Yield each tie once; a group of peers has one for every two of them."""
    for first, second, since, source in document.get("supplies", ()):
        yield Tie(first, second, "supplier", "customer", since, source)
    for first, second, since, source in document.get("invests", ()):
        yield Tie(first, second, "investor", None, since, source)
    for group, since, source in document.get("peers", ()):
        for first, second in combinations(group, 2):
            yield Tie(first, second, "peer", "peer", since, source)


def _faults(found: Sequence[Tie], tickers: Tickers, as_of: date) -> Iterator[str]:
    seen: set[tuple[str, ...]] = set()
    for tie in found:
        said = f"{tie.first}, {tie.reason} of {tie.second}"
        unknown = [name for name in (tie.first, tie.second) if name not in tickers]
        if unknown:
            yield f"{said}: the gazetteer does not know {', '.join(unknown)}"
            continue
        names = (tie.first, tie.second)
        key = (*sorted(names), tie.reason) if tie.reason == tie.mirror else (*names, tie.reason)
        if key in seen:
            yield f"{said}: told twice"
        seen.add(key)
        if tie.first == tie.second:
            yield f"{said}: a company is not tied to itself"
        elif not any(_entries(tie, tickers)):
            yield f"{said}: no listed company comes of it"
        if not isinstance(tie.since, date) or tie.since > as_of:
            yield f"{said}: since must be a day up to {as_of}, was {tie.since}"
        if not str(tie.source).strip():
            yield f"{said}: a source is needed"


def _entries(tie: Tie, tickers: Tickers) -> Iterator[dict[str, str]]:
    sides = [(tie.second, tie.first, tie.reason)]
    if tie.mirror is not None:
        sides.append((tie.first, tie.second, tie.mirror))
    for org, related, reason in sides:
        listed = tickers[related]
        if listed:
            yield {
                "org": f"org:{org}",
                "related": f"org:{related}",
                "ticker": _measured(listed),
                "reason": reason,
                "since": str(tie.since),
                "source": tie.source,
            }


def _measured(listed: Sequence[str]) -> str:
    """Return the ticker of a market whose sessions are known, else the home listing."""
    known = [one for one in listed if "." not in one or one.endswith((".KS", ".KQ"))]
    return (known or list(listed))[0]


if __name__ == "__main__":
    main()
