"""Headlines in our own words, in both languages, with what a reader must make of them."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from signals.reading import Document, read_document
from streams.rule_loading import load_rules

RULES = load_rules()
GOLDEN = Path(__file__).parent / "golden.tsv"


@dataclass(frozen=True)
class Case:
    title: str
    types: list[str]
    status: str | None
    direction: str | None
    tickers: list[str]
    amounts: list[tuple[Decimal, str]]


def cases() -> list[Case]:
    found = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        title, types, status, direction, tickers, amounts = (line.split("\t") + [""] * 6)[:6]
        pairs = [amount.split() for amount in amounts.split(";") if amount.strip()]
        found.append(
            Case(
                title,
                sorted(types.split()),
                status or None,
                direction or None,
                sorted(tickers.split()),
                [(Decimal(value), currency) for value, currency in pairs],
            )
        )
    return found


def test_the_list_is_long_and_bilingual() -> None:
    korean = [case for case in cases() if any("가" <= sign <= "힣" for sign in case.title)]

    assert len(cases()) >= 120
    assert len(korean) >= 60


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_a_golden_headline_reads_as_it_says(case: Case) -> None:
    readings = read_document(Document(title=case.title), RULES)

    assert sorted({reading.type for reading in readings}) == case.types
    found = {amount.text: (amount.value, amount.currency) for r in readings for amount in r.amounts}
    tickers = {ticker for reading in readings for ticker in reading.tickers}
    assert sorted(tickers) == case.tickers
    assert sorted(found.values()) == sorted(case.amounts)
    if case.status is not None:
        assert {reading.deal_status for reading in readings} == {case.status}
    if case.direction is not None:
        controls = {r.direction for r in readings if r.type == "export_control"}
        assert controls == {case.direction}
