"""Listings and relations are whole, dated and sourced."""

import json
import re
import runpy
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.tables import load_subject_tables

TOOL = Path(__file__).parents[2] / "deploy" / "tools" / "make_relations.py"
DAY = date(2025, 11, 3)


def entries(name: str) -> list[dict[str, Any]]:
    document = json.loads((files("signals.subjects") / name).read_text(encoding="utf-8"))
    return list(document["entries"])


def test_home_listing_comes_first() -> None:
    listings = load_subject_tables().listings
    assert listings["org:alphabet"] == ("GOOGL", "GOOG")
    assert listings["org:tsmc"] == ("2330.TW", "TSM")
    assert "org:openai" not in listings


def test_a_ticker_belongs_to_one_organisation() -> None:
    tickers = [ticker for entry in entries("listings.json") for ticker in entry["tickers"]]
    assert len(tickers) == len(set(tickers))


def test_organisations_are_those_of_the_reader() -> None:
    text = (files("signals.reading") / "rules" / "companies.yaml").read_text(encoding="utf-8")
    companies = {entry["id"]: entry for entry in yaml.safe_load(text)["companies"]}
    for entry in entries("listings.json"):
        assert companies[entry["org"]]["tickers"][0] == entry["tickers"][0]
    for entry in entries("relations.json"):
        assert entry["org"] in companies
        assert "parent" not in companies[entry["org"]]


def test_relations_name_listed_companies_with_date_and_source() -> None:
    text = (files("signals.reading") / "rules" / "companies.yaml").read_text(encoding="utf-8")
    companies = {entry["id"]: entry for entry in yaml.safe_load(text)["companies"]}
    for entry in entries("relations.json"):
        assert entry["ticker"] in companies[entry["related"]]["tickers"]
        assert entry["org"] != entry["related"]
        assert entry["reason"] in {"supplier", "customer", "peer", "investor"}
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", entry["since"])
        assert entry["source"]


def test_relations_are_unique_and_in_order() -> None:
    keys = [(entry["org"], entry["ticker"], entry["reason"]) for entry in entries("relations.json")]
    assert keys == sorted(set(keys))


def test_both_sides_of_a_relation_between_listed_companies_agree() -> None:
    mirror = {"supplier": "customer", "customer": "supplier", "peer": "peer"}
    found = entries("relations.json")
    listed = {entry["related"] for entry in found}
    held = {(e["org"], e["related"], e["reason"], e["since"]) for e in found}
    for org, related, reason, since in held:
        if reason in mirror and org in listed:
            assert (related, org, mirror[reason], since) in held


def test_the_shipped_relations_are_those_that_the_tool_makes() -> None:
    made = subprocess.run([sys.executable, str(TOOL)], capture_output=True, check=True)

    assert made.stdout == (files("signals.subjects") / "relations.json").read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"supplies": [["dell", "nobody", DAY, "x"]]}, "does not know nobody"),
        ({"supplies": [["dell", "iren", DAY, "x"], ["dell", "iren", DAY, "y"]]}, "told twice"),
        ({"peers": [[["dell", "hpe"], DAY, "x"], [["hpe", "dell"], DAY, "x"]]}, "told twice"),
        ({"invests": [["dell", "dell", DAY, "x"]]}, "not tied to itself"),
        ({"invests": [["openai", "anthropic", DAY, "x"]]}, "no listed company"),
        ({"supplies": [["dell", "iren", date(2025, 12, 18), "x"]]}, "up to 2025-12-17"),
        ({"supplies": [["dell", "iren", DAY, " "]]}, "a source is needed"),
    ],
)
def test_the_tool_refuses_what_is_no_fact(changes: dict[str, Any], said: str) -> None:
    tool = runpy.run_path(str(TOOL))
    tickers = {"dell": ["DELL"], "hpe": ["HPE"], "iren": ["IREN"], "openai": [], "anthropic": []}

    with pytest.raises(ValueError, match=said):
        tool["table"]({"as_of": date(2025, 12, 17)} | changes, tickers)


def test_the_tool_tells_a_tie_from_both_sides_under_the_ticker_that_is_measured() -> None:
    tool = runpy.run_path(str(TOOL))
    tickers = {"tsmc": ["2330.TW", "TSM"], "nvidia": ["NVDA"], "openai": []}
    document = {
        "as_of": DAY,
        "supplies": [["tsmc", "nvidia", DAY, "x"], ["nvidia", "openai", DAY, "x"]],
        "invests": [["nvidia", "openai", DAY, "x"]],
    }

    found = json.loads(tool["table"](document, tickers))["entries"]

    assert [(one["org"], one["ticker"], one["reason"]) for one in found] == [
        ("org:nvidia", "TSM", "supplier"),
        ("org:openai", "NVDA", "investor"),
        ("org:openai", "NVDA", "supplier"),
        ("org:tsmc", "NVDA", "customer"),
    ]


def test_the_names_of_the_ai_story_are_tied() -> None:
    document = yaml.safe_load(TOOL.with_name("relations.yaml").read_text(encoding="utf-8"))
    ties = list(runpy.run_path(str(TOOL))["ties"](document))

    assert len(ties) >= 120
    assert {tie.reason for tie in ties} == {"supplier", "investor", "peer"}
    tickers = {entry["ticker"] for entry in entries("relations.json")}
    assert {"NVDA", "TSM", "000660.KS", "005930.KS", "IREN", "HUT", "GEV", "9984.T"} <= tickers


def test_dell_supplies_iren_from_the_day_of_the_order() -> None:
    relations = load_subject_tables().relations["org:iren"]
    assert [(one.reason, one.since) for one in relations if one.ticker == "DELL"] == [
        ("supplier", "2025-11-03")
    ]
