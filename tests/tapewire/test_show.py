from collections.abc import Callable
from decimal import Decimal

import pytest

from signals.messages import (
    Alert,
    Amount,
    Claim,
    Confounder,
    Evidence,
    Micros,
    Move,
    Novelty,
    NoveltyCount,
)
from tapewire.columns import table
from tapewire.figures import clock_line, money, percent, price
from tapewire.labels import milestone_label
from tapewire.show import (
    ANSI,
    PLAIN,
    alert_lines,
    brief_line,
    explain_lines,
    leading_moves,
    mark_spans,
)

Build = Callable[..., Alert]
BuildMove = Callable[..., Move]


def test_alert_says_when_what_who_how_much_and_what_the_tape_did(alert: Build) -> None:
    text = "\n".join(alert_lines(alert()))

    assert "Mon 03 Nov 2025 09:30:01 New York · 14:30:01 UTC" in text
    assert "CONFIRMED · deal · signed · severity high" in text
    assert "Grid One «signs» «$9.7bn» contract with Big Cloud" in text
    assert "IREN (supplier, IREN) · Microsoft (buyer, MSFT)" in text
    assert "$9.7bn (deal value)" in text
    assert "IREN  +20.3 %  past +20 %  03 Nov 09:30:00 (the open)" in text
    assert "60.75 → 73.07 (since 31 Oct 15:59:59)  adjusted +20.1 %  z +4.2" in text
    assert "2, first wire:1" in text


def test_alert_in_korean(alert: Build) -> None:
    text = "\n".join(alert_lines(alert(), lang="ko"))

    assert "2025-11-03(월) 서울 23:30:01 · 뉴욕 09:30:01 · UTC 14:30:01" in text
    assert "주가 확인 · 거래 · 체결 · 중요도 높음" in text
    assert "Microsoft (구매, MSFT)" in text
    assert "97억 달러 (거래액)" in text
    assert "+20 % 돌파  11-03 09:30:00 (개장)" in text


def test_a_brief_line_shows_the_move_that_the_revision_before_it_did_not_have(
    alert: Build, move: BuildMove
) -> None:
    old, new = move(ticker="CIFR", raw=0.23), move(ticker="AMZN", raw=0.046)

    assert "CIFR +23.0 %" in brief_line(alert(moves=(old, new)))
    assert "AMZN +4.6 %" in brief_line(alert(moves=(old, new)), before=alert(moves=(old,)))


def test_evidence_of_another_text_is_shown_beside_the_title(alert: Build) -> None:
    plain = alert()
    span = Evidence(field="body", start=3, end=12, text="five-year", rule="term")
    explain = type(plain.explain)(
        summary="", rules=(), evidence=(("wire:2", span),), thresholds=(), score=1.0
    )

    lines = alert_lines(alert(explain=explain))

    assert any("evidence" in line and "«five-year»" in line for line in lines)
    assert "  Grid One signs $9.7bn contract with Big Cloud" in lines


def test_marks_overlapping_spans_as_one() -> None:
    spans = [
        Evidence(field="title", start=start, end=end, text="abcdef"[start:end], rule="r")
        for start, end in ((1, 3), (2, 4), (5, 6))
    ]
    stray = Evidence(field="title", start=0, end=1, text="z", rule="r")

    assert mark_spans("abcdef", [*spans, stray], PLAIN) == "a«bcd»e«f»"
    assert mark_spans("ab", spans[:0], ANSI) == "ab"


def test_leading_moves_are_the_farthest_level_and_the_last_horizon(move: BuildMove) -> None:
    near = move(milestone="level:+0.03", raw=0.031)
    far = move(milestone="level:+0.20")
    close = move(milestone="close", to_us=Micros(move().to_us + 1), raw=0.11)
    other = move(ticker="MSFT", milestone="PT5M", raw=-0.002)

    assert leading_moves([near, close, far, other]) == [far, close, other]


def test_a_move_without_a_price_says_why(alert: Build, move: BuildMove) -> None:
    unknown = move(raw=None, abnormal=None, z=None, note="no price in the last 15 min")

    text = "\n".join(alert_lines(alert(moves=(unknown,))))

    assert "no price in the last 15 min" in text


def test_an_alert_without_facts_has_no_empty_lines(alert: Build) -> None:
    bare = alert(
        type=None, status=None, parties=(), tickers=(), amounts=(), moves=(), term=None, title=""
    )

    lines = alert_lines(bare)

    assert not any(line.strip() in ("parties", "amounts", "moves", "term") for line in lines)


def test_paired_and_qualified_amounts(alert: Build) -> None:
    won = Amount(
        value=Decimal("15000000000000"),
        currency="KRW",
        usd=Decimal(10_000_000_000),
        kind="deal_value",
        text="15조원",
        qualifier="approx",
    )

    assert "약 15조원 = 100억 달러 (거래액)" in "\n".join(
        alert_lines(alert(amounts=(won,)), lang="ko")
    )
    assert "about ₩15tn = $10bn (deal value)" in "\n".join(alert_lines(alert(amounts=(won,))))


@pytest.mark.parametrize(
    ("value", "currency", "english", "korean"),
    [
        ("9700000000", "USD", "$9.7bn", "97억 달러"),
        ("38000000000", "USD", "$38bn", "380억 달러"),
        ("15200000000", "USD", "$15.2bn", "152억 달러"),
        ("14800000000000", "KRW", "₩14.8tn", "14조8000억원"),
        ("250000000", "EUR", "€250m", "2억5000만 유로"),
        ("30000", "CHF", "CHF 30,000", "3만 CHF"),
        ("999.5", "USD", "$999.5", "999.5 달러"),
    ],
)
def test_money(value: str, currency: str, english: str, korean: str) -> None:
    assert money(Decimal(value), currency) == english
    assert money(Decimal(value), currency, "ko") == korean


def test_numbers() -> None:
    assert (percent(0.2034), percent(-0.0041)) == ("+20.3 %", "-0.4 %")
    assert (price(Decimal("73.07")), price(Decimal("60.7"))) == ("73.07", "60.70")


def test_another_day_is_said() -> None:
    evening = Micros(1_762_220_000_000_000)  # 3 November 20:33:20 in New York

    assert "20:33:20 New York · 04 Nov 01:33:20 UTC" in clock_line(evening)


@pytest.mark.parametrize(
    ("milestone", "english", "korean"),
    [
        ("level:-0.05", "past -5 %", "-5 % 돌파"),
        ("PT5M", "5 min after", "5분 뒤"),
        ("PT60M", "1 h after", "1시간 뒤"),
        ("PT1H", "1 h after", "1시간 뒤"),
        ("next_close", "next close", "다음 종가"),
        ("other", "other", "other"),
    ],
)
def test_milestones(milestone: str, english: str, korean: str) -> None:
    assert milestone_label(milestone, "en") == english
    assert milestone_label(milestone, "ko") == korean


def test_columns_count_korean_signs_twice() -> None:
    assert list(table([("종가", "a"), ("xy", "b")])) == ["종가  a", "xy    b"]
    assert list(table([("a", "종가"), ("b", "xy")], left=1)) == ["a  종가", "b    xy"]
    assert list(table([])) == []


def _novelty(*counts: int, days: float | None) -> Novelty:
    names = ("PT12H", "PT24H", "P3D", "P5D", "P7D")
    windows = tuple(
        NoveltyCount(window=name, count=count) for name, count in zip(names, counts, strict=True)
    )
    return Novelty(counts=windows, headline_ids=(), days_since=days)


@pytest.mark.parametrize(
    ("novelty", "english", "korean"),
    [
        (_novelty(0, 0, 0, 0, 0, days=None), "first telling", "첫 보도"),
        (
            _novelty(2, 2, 5, 5, 5, days=0.1),
            "2 earlier in 12 h, 5 in 3 d",
            "앞선 보도 12시간 내 2건, 3일 내 5건",
        ),
        (
            _novelty(0, 0, 0, 0, 0, days=9.6),
            "first in 7 d, the one before 10 d earlier",
            "7일 내 첫 보도, 앞선 보도는 10일 전",
        ),
    ],
)
def test_an_alert_says_how_new_it_is(
    alert: Build, novelty: Novelty, english: str, korean: str
) -> None:
    told = alert(novelty=novelty)

    assert f"  novelty     {english}" in alert_lines(told)
    assert f"  novelty     {english}" in explain_lines(told)
    assert f"  신규성      {korean}" in alert_lines(told, lang="ko")


def test_claimed_moves_stand_apart_from_measured_ones(alert: Build) -> None:
    span = Evidence(field="title", start=0, end=1, text="x", rule="claim.move")
    rise = Claim(party="org:iren", ticker="IREN", direction="up", ratio=0.2, evidence=span)
    fall = Claim(party="org:xai", ticker=None, direction="down", ratio=None, evidence=span)
    told = alert(claims=(("wire:1", rise), ("wire:2", fall)), langs=("en", "ko"))

    assert "  claimed     IREN +20.0 % (wire:1) · org:xai down (wire:2)" in alert_lines(told)
    korean = "\n".join(alert_lines(told, lang="ko"))
    assert "  기사상 등락 IREN +20.0 % (wire:1) · org:xai 하락 (wire:2)" in korean
    assert "  headlines   2 (en, ko), first wire:1" in alert_lines(told)


def test_stories_that_could_explain_a_move_are_listed_with_their_scores(alert: Build) -> None:
    own = alert().event_ids[0]
    one = Confounder(
        ticker="IREN", event_id=own, headline_id="wire:1", type="deal", role="party", score=3.25
    )
    other = Confounder(
        ticker="IREN", event_id="ev_x", headline_id="wire:9", type="expansion", role="related",
        score=2.5,
    )  # fmt: skip
    told = alert(confounders=(one, other))

    lines = alert_lines(told)
    assert "  causes      IREN  3.25  deal       wire:1  this story" in lines
    assert "              IREN  2.50  expansion  wire:9  related" in lines
    assert "  가능 원인   IREN  3.25  거래  wire:1  이 건" in alert_lines(told, lang="ko")
