"""Listings and relations are whole, dated and sourced."""

import json
import re
from importlib.resources import files
from typing import Any

import yaml

from streams.tables import load_subject_tables


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
    listings = load_subject_tables().listings
    for entry in entries("relations.json"):
        assert entry["ticker"] == listings[entry["related"]][0]
        assert entry["org"] != entry["related"]
        assert entry["reason"] in {"supplier", "customer", "peer"}
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", entry["since"])
        assert entry["source"]


def test_relations_are_unique_and_in_order() -> None:
    keys = [(entry["org"], entry["ticker"], entry["reason"]) for entry in entries("relations.json")]
    assert keys == sorted(set(keys))


def test_both_sides_of_a_relation_between_listed_companies_agree() -> None:
    mirror = {"supplier": "customer", "customer": "supplier", "peer": "peer"}
    listings = load_subject_tables().listings
    held = {(e["org"], e["related"], e["reason"], e["since"]) for e in entries("relations.json")}
    for org, related, reason, since in held:
        back = (related, org, mirror[reason], since)
        assert back in held or org not in listings


def test_dell_supplies_iren_from_the_day_of_the_order() -> None:
    relations = load_subject_tables().relations["org:iren"]
    assert [(one.reason, one.since) for one in relations if one.ticker == "DELL"] == [
        ("supplier", "2025-11-03")
    ]
