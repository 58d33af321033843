"""What holds for any text: it returns, its evidence is a slice, and time grows linearly."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.messages import Headline, Micros
from signals.reading import Document, Reading, read_document, read_headline
from streams.rule_loading import load_rules

RULES = load_rules()
WORDS = st.sampled_from(
    ["Microsoft", "IREN", "signs", "$9.7 billion", "deal", "to buy", "AI chips", "export ban", "…",
     "엔비디아", "델", "를", "통해", "100억 달러(약 14조8000억원)",
     "투자", "수출 허가", "공장", "㎿", "200",
     "미국", ", ", "ﬀ", "İ", "\ud800", "\u202e", "\n", "## ", "\u1100\u1161"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("".join))


def read(title: str, body: str | None = None) -> tuple[Reading, ...]:
    return read_document(Document(title=title, body=body, published_us=Micros(10**15)), RULES)


@settings(max_examples=200, deadline=None)
@given(title=TEXTS, body=st.one_of(st.none(), TEXTS))
def test_any_text_is_read_with_evidence_that_is_its_slice(title: str, body: str | None) -> None:
    readings = read(title, body)

    assert readings == read(title, body)
    for reading in readings:
        assert 0.0 <= reading.confidence <= 1.0
        for span in reading.evidence:
            source = title if span.field == "title" else body or ""
            assert source[span.start : span.end] == span.text
            assert span.text


@pytest.mark.parametrize(
    "piece", ["1", "a", "가", "억", "(", "$1 ", "Dell ", "- ", "계약, ", "é́", "\n"]
)
def test_time_grows_no_faster_than_the_length(piece: str) -> None:
    short_s, long_s = (_reading_s(piece * (length // len(piece))) for length in (10**5, 10**6))

    assert long_s < 40 * short_s  # 10 times the length; a square would take 100 times as long


def _reading_s(text: str) -> float:
    """The processor's seconds, the lesser of two."""
    took_s = []
    for _ in range(2):
        started_s = time.process_time()
        read(text, text)
        took_s.append(time.process_time() - started_s)
    return min(took_s)


def test_a_headline_is_read_as_its_document() -> None:
    headline = Headline(
        id="h1",
        title="Pfizer completes acquisition of Metsera",
        source="wire",
        published_us=Micros(10**15),
        received_us=Micros(10**15),
    )

    assert read_headline(headline, RULES) == read(headline.title)


def test_an_older_deal_in_the_body_is_background() -> None:
    (deal,) = read(
        "Amazon in talks to invest $10 billion in OpenAI",
        "Amazon is in talks to invest $10 billion in OpenAI.\n"
        "OpenAI signed a $38 billion cloud contract with Amazon in November.",
    )

    assert [amount.value for amount in deal.amounts] == [Decimal(10_000_000_000)]
    assert deal.deal_status == "in_talks"


def test_a_valuation_is_no_deal_value() -> None:
    (deal,) = read("SoftBank to invest $2 billion in Anthropic at a valuation of $300 billion")

    assert [amount.kind for amount in deal.amounts] == ["deal_value", "valuation"]


def test_an_unknown_company_is_a_party_of_its_own() -> None:
    (deal,) = read("Halden Systems to buy rival Norvik for $420 million")

    assert [(party.id, party.role, party.known) for party in deal.parties] == [
        ("org:~halden systems", "acquirer", False),
        ("org:~norvik", "target", False),
    ]


def test_who_rents_out_computing_is_the_supplier() -> None:
    (deal,) = read("Microsoft signs $9.7 billion cloud contract with IREN")

    assert {party.id: party.role for party in deal.parties} == {
        "org:microsoft": "buyer",
        "org:iren": "supplier",
    }


def test_a_unit_stands_for_its_owner() -> None:
    (deal,) = read("Cipher Mining signs $5.5 billion, 15-year lease with AWS")

    assert deal.tickers == ("CIFR", "AMZN")
    assert deal.term is not None
    assert deal.term.duration == "P15Y"


def test_prominence_puts_the_lesser_known_party_below() -> None:
    rank = {company.id: company.prominence for company in RULES.companies.values()}

    assert rank["org:openai"] < min(rank["org:amazon"], rank["org:microsoft"])
    assert rank["org:iren"] < min(rank["org:openai"], rank["org:dell"], rank["org:microsoft"])
    assert rank["org:cipher"] < rank["org:amazon"]
