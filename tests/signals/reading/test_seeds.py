"""The two documents that the project starts from; their text stays outside the repository."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from signals.messages import Micros
from signals.reading import Document, Reading, read_document, split_document
from streams.rule_loading import load_rules

SHARED = os.environ.get("TAPEWIRE_SHARED")
pytestmark = pytest.mark.skipif(SHARED is None, reason="TAPEWIRE_SHARED names no folder")
RULES = load_rules()
DIGEST_US = Micros(1_762_182_392_000_000)  # 2025-11-04 00:06:32 +09:00
ARTICLE_US = Micros(1_765_951_122_000_000)  # 2025-12-17 14:58:42 +09:00


def seed(start: str) -> str:
    folder = Path(SHARED or "") / "data" / "seeds"
    (path,) = folder.glob(f"{start}_*.txt")
    return path.read_text(encoding="utf-8")


def read_digest() -> tuple[Document, tuple[Reading, ...]]:
    document = Document(title="2025-11-04 AI 뉴스", body=seed("000"), published_us=DIGEST_US)
    return document, read_document(document, RULES)


def parties(reading: Reading) -> dict[str, str]:
    return {party.id: party.role for party in reading.parties}


def amounts(reading: Reading) -> list[tuple[Decimal, str]]:
    return [(amount.value, amount.currency) for amount in reading.amounts]


def test_the_digest_gives_its_seven_events_in_order() -> None:
    _, readings = read_digest()

    assert [reading.type for reading in readings] == [
        "deal", "deal", "deal", "expansion", "export_control", "expansion", "export_control",
        "expansion",
    ]  # fmt: skip


def test_the_first_section_is_the_lease_of_computing() -> None:
    lease = read_digest()[1][0]

    assert parties(lease) == {"org:openai": "buyer", "org:amazon": "supplier"}
    assert lease.tickers == ("AMZN",)
    assert amounts(lease) == [(Decimal(38_000_000_000), "USD")]
    assert lease.deal_status == "signed"
    assert lease.term is not None
    assert lease.term.duration == "P7Y"


def test_the_second_section_is_two_deals_and_an_expansion() -> None:
    cloud, servers, campus = read_digest()[1][1:4]

    assert parties(cloud) == {"org:microsoft": "buyer", "org:iren": "supplier"}
    assert amounts(cloud) == [(Decimal(9_700_000_000), "USD")]
    assert cloud.term is not None
    assert cloud.term.duration == "P5Y"
    assert parties(servers) == {"org:dell": "supplier", "org:iren": "buyer"}
    assert amounts(servers) == [(Decimal(5_800_000_000), "USD")]
    assert parties(campus) == {"org:iren": "owner"}
    assert [(one.value, one.unit) for one in campus.quantities] == [(Decimal(200), "MW")]
    assert [place.country for place in campus.places] == ["US"]
    assert campus.amounts == ()


def test_the_third_section_relaxes_a_control_and_invests() -> None:
    control, campus = read_digest()[1][4:6]

    assert control.direction == "relax"
    assert (control.authority, control.counterpart) == ("US", "AE")
    assert parties(control) == {"org:nvidia": "affected"}
    assert parties(campus) == {"org:microsoft": "owner"}
    assert amounts(campus) == [(Decimal(15_200_000_000), "USD")]
    assert [place.country for place in campus.places] == ["AE"]


def test_the_fourth_section_tightens_a_control() -> None:
    control = read_digest()[1][6]

    assert control.direction == "tighten"
    assert control.authority == "US"
    assert control.tickers == ("NVDA",)


def test_the_fifth_section_expands_to_three_cities() -> None:
    cities = read_digest()[1][7]

    assert parties(cities) == {"org:alphabet": "owner"}
    assert cities.tickers == ("GOOGL",)
    assert [place.country for place in cities.places] == ["US", "US", "US"]


def test_every_evidence_span_is_a_slice_of_the_digest() -> None:
    document, readings = read_digest()

    for reading in readings:
        assert reading.evidence
        for span in reading.evidence:
            assert span.field == "body"
            assert (document.body or "")[span.start : span.end] == span.text


def test_the_sections_of_the_digest_are_slices_of_its_body() -> None:
    document, _ = read_digest()
    sections = split_document(document)

    assert len(sections) == 5
    for section in sections:
        body = document.body or ""
        assert body[section.title_start :].startswith(section.title)
        assert body[section.text_start :].startswith(section.text)
        assert "](http" not in section.text[:40]


@pytest.mark.parametrize("titled", [True, False])
def test_the_article_is_one_deal_in_talks(titled: bool) -> None:
    body = seed("003")
    title = next(line for line in body.splitlines() if line.startswith("아마존, "))
    document = Document(title=title if titled else "", body=body, published_us=ARTICLE_US)

    (deal,) = read_document(document, RULES)

    assert deal.type == "deal"
    assert deal.deal_status == "in_talks"
    assert parties(deal) == {"org:amazon": "investor", "org:openai": "investee"}
    assert deal.tickers == ("AMZN",)
    (amount,) = deal.amounts
    assert (amount.value, amount.currency) == (Decimal(15_000_000_000_000), "KRW")
    assert amount.usd == Decimal(10_000_000_000)
