"""Made-up headlines: deals between companies that the rules know and others that nobody knows.

A share of them may be ordinary news instead, of which no event comes. Names come from the loaded
rules, so that the load follows them; words and figures are drawn from a seed. What the headlines
say is invented.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from signals.messages import Headline, Micros
from signals.reading.ruleset import RuleSet

__all__ = ["Names", "draw_headlines", "names_of"]

_HANGUL = re.compile("[가-힣]")
_ENGLISH = (
    "{one} signs ${value} billion {what} contract with {other}",
    "{one} wins ${value} billion {what} order from {other}",
    "{one} signs {years}-year, ${value} billion {what} deal with {other}",
)
_KOREAN = (
    "{one}, {other}와 {value}억달러 규모 {what} 공급 계약 체결",
    "{one}, {other}와 {years}년 {value}억달러 {what} 계약 체결",
)
_ENGLISH_OTHER = (
    "Shares of {one} close little changed as investors wait for results",
    "{one} names new chief financial officer",
    "What to know about {one} before the market opens",
)
_KOREAN_OTHER = (
    "{one}, 임직원 봉사활동…지역 아동센터에 도서 전달",
    "[특징주] {one}, 장 초반 보합세",
    "{one} 주주총회 날짜 확정",
)
_ENGLISH_WHATS = ("cloud", "data center", "GPU", "chip supply", "power supply")
_KOREAN_WHATS = ("클라우드", "데이터센터", "반도체", "서버", "전력")
_FIRST = ("North", "Stone", "Silver", "Harbor", "Granite", "Maple", "Summit", "Copper")
_SECOND = ("field", "bridge", "gate", "ridge", "brook", "haven", "crest", "ford")
_THIRD = ("Compute", "Systems", "Grid", "Photonics", "Robotics", "Datacenters")
_UNKNOWN_SHARE = 0.3  # of the second parties


@dataclass(frozen=True, slots=True)
class Names:
    """Written forms of known companies, by language."""

    english: tuple[str, ...]
    korean: tuple[str, ...]


def names_of(rules: RuleSet) -> Names:
    """Return one unguarded written form of each known company, in each language that has one."""
    english: dict[str, str] = {}
    korean: dict[str, str] = {}
    for pattern in chain.from_iterable(rules.patterns):
        guarded = pattern.block_next or pattern.block_prev or pattern.require_any
        if pattern.kind != "company" or guarded or len(pattern.text) < 3:
            continue
        found = korean if _HANGUL.search(pattern.text) else english
        found.setdefault(pattern.ref, pattern.text)
    return Names(tuple(english.values()), tuple(korean.values()))


def draw_headlines(
    names: Names, count: int, *, rate: int, start_us: int, seed: int, deals: float = 1.0
) -> Iterator[Headline]:
    """Yield headlines in both languages, published and received at an even rate.

    Args:
        names: of the companies that the rules know.
        count: how many headlines.
        rate: a second, in their own times.
        start_us: when the first one is published.
        seed: the same seed gives the same headlines.
        deals: which share (0 to 1) reports a deal.
    """
    draw = random.Random(seed)
    for number in range(count):
        is_korean = draw.random() < 0.5
        at_us = start_us + number * 1_000_000 // rate
        yield Headline(
            id=f"bench:{seed}-{number}",
            title=(_deal if draw.random() < deals else _ordinary)(names, draw, is_korean=is_korean),
            lang="ko" if is_korean else "en",
            source="bench",
            published_us=Micros(at_us),
            received_us=Micros(at_us),
        )


def _deal(names: Names, draw: random.Random, *, is_korean: bool) -> str:
    one, other = draw.sample(names.korean if is_korean else names.english, 2)
    if draw.random() < _UNKNOWN_SHARE:
        other = f"{draw.choice(_FIRST)}{draw.choice(_SECOND)} {draw.choice(_THIRD)}"
    digits = draw.randrange(100, 1000)
    return draw.choice(_KOREAN if is_korean else _ENGLISH).format(
        one=one,
        other=other,
        value=f"{digits / 10:.1f}" if not is_korean else digits,
        what=draw.choice(_KOREAN_WHATS if is_korean else _ENGLISH_WHATS),
        years=draw.randrange(2, 16),
    )


def _ordinary(names: Names, draw: random.Random, *, is_korean: bool) -> str:
    one = draw.choice(names.korean if is_korean else names.english)
    return draw.choice(_KOREAN_OTHER if is_korean else _ENGLISH_OTHER).format(one=one)
