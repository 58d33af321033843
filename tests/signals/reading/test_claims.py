"""A move that a text tells of is a claim: whose shares, which way, how far."""

import pytest

from signals.messages import Claim, Headline, Micros
from signals.reading import read_headline
from signals.reading.claims import find_claims
from signals.reading.normalise import normalise_text
from streams.rule_loading import load_rules


def _claims(title: str, *sentences: str) -> list[tuple[str | None, float | str | None]]:
    """By ticker: the ratio, or which way where no figure is told."""
    texts = [normalise_text("body", sentence) for sentence in sentences]
    found = find_claims(normalise_text("title", title), texts, load_rules())
    return [(one.ticker, one.direction if one.ratio is None else one.ratio) for one in found]


@pytest.mark.parametrize(
    ("title", "claims"),
    [
        ("IREN soars 20% on Microsoft contract", [("IREN", 0.2)]),
        ("IREN soars on Microsoft contract", [("IREN", "up")]),
        ("Dell shares rise after IREN order", [("DELL", "up")]),
        ("Shares of Dell fell as much as 5 percent after IREN order", [("DELL", -0.05)]),
        ("IREN lands Microsoft contract, shares jump 11.5%", [("IREN", 0.115)]),
        ("Oracle wins order, sending shares down 3%", [("ORCL", -0.03)]),
        ("아이렌, MS와 97억달러 계약 소식에 20% 급등", [("IREN", 0.2)]),
        ("[특징주] 한화오션, 수주 소식에 5%대 약세", [("042660.KS", -0.05)]),
        ("델, 아이렌에 서버 공급 계약…주가 상승", [("DELL", "up")]),
        ("IREN 주가 20% 넘게 상승, MS와 계약", [("IREN", 0.2)]),
    ],
)
def test_a_title_tells_of_a_move(
    title: str, claims: list[tuple[str | None, float | str | None]]
) -> None:
    assert _claims(title) == claims


@pytest.mark.parametrize(
    "title",
    [
        "Microsoft cloud revenue jumps 20% on OpenAI contract",
        "Nvidia surges ahead in the race for AI data centers",
        "Walmart gains 5% stake in Dell",
        "Airline shares tumble as Oracle signs contract",
        "Chip demand soars after OpenAI orders from AMD",
        "Fossil to sell watch unit to Google, shares rise",
        "엔비디아 공급 계약에 반도체주 급등",
        "삼성전자 수출 20% 상승, 공급 계약 덕분",
        "현대로템, 전차 공급 계약…목표 주가 20%↑",
        "SK하이닉스, 수요 급증에 공장 증설",
    ],
)
def test_what_is_no_move_of_a_share_is_no_claim(title: str) -> None:
    assert _claims(title) == []


def test_sentences_of_a_digest_tell_of_the_companies_right_before_the_verb() -> None:
    sentence = "주가 측면에선 IREN이 급등(약 20%대), 델도 동반 강세를 보이며 시장이 반응했습니다."

    assert _claims("마이크로소프트, IREN과 계약", sentence) == [("IREN", 0.2), ("DELL", "up")]


def test_a_figure_is_preferred_to_none_and_a_move_is_told_once() -> None:
    claims = _claims("IREN soars on Microsoft contract", "IREN shares rose 18%, then IREN fell 2%.")

    assert claims == [("IREN", 0.18), ("IREN", -0.02)]


def test_a_claim_rests_on_a_span_of_the_source_and_is_on_each_event() -> None:
    title = "IREN soars 20% after signing $9.7bn cloud contract with Microsoft"
    at = Micros(1_762_169_820_000_000)
    headline = Headline(id="w:1", title=title, source="w", published_us=at, received_us=at)

    readings = read_headline(headline, load_rules())

    assert readings
    for reading in readings:
        (claim,) = reading.claims
        assert isinstance(claim, Claim)
        span = claim.evidence
        assert title[span.start : span.end] == span.text == "soars 20%"
        assert (claim.party, claim.evidence.rule) == ("org:iren", "claim.move")


def test_an_event_without_a_claim_has_none() -> None:
    at = Micros(1_762_169_820_000_000)
    title = "Microsoft signs $9.7bn cloud contract with IREN"
    headline = Headline(id="w:1", title=title, source="w", published_us=at, received_us=at)

    assert [reading.claims for reading in read_headline(headline, load_rules())] == [()]
