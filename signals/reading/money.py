"""Money as Korean and English headlines write it: ``14조8000억원``, ``$9.7bn``, ``EUR 70mn``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from signals.messages import Amount, AmountKind, Micros
from signals.reading.normalise import Text
from signals.reading.rates import Rates

__all__ = ["Money", "find_money", "same_money", "to_amount"]

Qualifier = Literal["exact", "approx", "at_least", "up_to"]

_KOREAN_UNITS = {"십": 10, "백": 100, "천": 1000, "만": 10**4, "억": 10**8, "조": 10**12}
_KOREAN_CURRENCIES = {
    "원": "KRW", "달러": "USD", "불": "USD", "위안": "CNY", "엔": "JPY", "유로": "EUR",
    "파운드": "GBP", "루피": "INR", "프랑": "CHF", "홍콩달러": "HKD", "대만달러": "TWD",
    "캐나다달러": "CAD", "호주달러": "AUD", "싱가포르달러": "SGD", "디르함": "AED", "리얄": "SAR",
    "루블": "RUB", "동": "VND", "크로나": "SEK", "크로네": "NOK", "링깃": "MYR", "바트": "THB",
}  # fmt: skip
_NUMBER = r"\d[\d,]{0,20}(?:\.\d{1,8})?"
_KOREAN_GROUP = rf"{_NUMBER}\s?[십백천]{{0,2}}\s?[조억만천백]"
_KOREAN_NAMES = "|".join(sorted(_KOREAN_CURRENCIES, key=len, reverse=True))
_KOREAN = re.compile(
    rf"(?P<number>(?:{_KOREAN_GROUP}\s?){{0,4}}(?:{_NUMBER})?)\s?(?:여|가량|대|남짓)?\s?"
    rf"(?P<country>미국|미|홍콩|대만|캐나다|호주|싱가포르)?\s?(?P<currency>{_KOREAN_NAMES})"
)
_KOREAN_PART = re.compile(rf"(?P<digits>{_NUMBER})\s?(?P<unit>[십백천]{{0,2}}\s?[조억만천백]?)")
# "190억 규모": hundred millions without a currency are won, unless something else is counted.
_BARE_WON = re.compile(
    rf"(?<![\d.,$€£¥])(?P<number>(?:{_KOREAN_GROUP}\s?){{0,3}}{_NUMBER}\s?[십백천]{{0,2}}\s?[조억])"
    r"(?P<suffix>여|대)?(?=\s?(?:규모|투자|투입|들여|들인|쏟|수주|계약|공급|베팅|유치|매각|인수|어치|이상|[',.\"…)\]·]|\.\.|$|에\s))"
)
_DIGIT = re.compile(r"\d")

_SCALES = {
    "trillion": 10**12, "trn": 10**12, "tn": 10**12, "t": 10**12, "billion": 10**9,
    "bln": 10**9, "bn": 10**9, "b": 10**9, "million": 10**6, "mln": 10**6, "mn": 10**6,
    "m": 10**6, "thousand": 1000, "k": 1000, "crore": 10**7, "lakh": 10**5,
}  # fmt: skip
_SCALE = r"trillion|trn|tn|billion|bln|bn|million|mln|mn|thousand|crore|lakh|[bmkt](?![a-z])"
_SYMBOLS = {
    "$": "USD", "us$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "₩": "KRW", "krw": "KRW", "a$": "AUD", "au$": "AUD",
    "aud": "AUD", "c$": "CAD", "ca$": "CAD", "cad": "CAD", "hk$": "HKD", "hkd": "HKD",
    "s$": "SGD", "sgd": "SGD", "nt$": "TWD", "twd": "TWD", "₹": "INR", "inr": "INR",
    "rs": "INR", "cny": "CNY", "rmb": "CNY", "chf": "CHF", "sek": "SEK", "nok": "NOK",
    "dkk": "DKK", "aed": "AED", "sar": "SAR", "rub": "RUB", "brl": "BRL", "r$": "BRL",
}  # fmt: skip
_WORDS = {
    "us dollars": "USD", "u.s. dollars": "USD", "dollars": "USD", "dollar": "USD", "usd": "USD",
    "euros": "EUR", "euro": "EUR", "eur": "EUR", "pounds": "GBP", "sterling": "GBP",
    "won": "KRW", "krw": "KRW", "yen": "JPY", "yuan": "CNY", "renminbi": "CNY", "rmb": "CNY",
    "rupees": "INR", "swiss francs": "CHF", "francs": "CHF", "swedish crowns": "SEK",
    "crowns": "SEK", "kronor": "SEK", "riyals": "SAR", "dirhams": "AED", "roubles": "RUB",
    "rubles": "RUB", "reais": "BRL", "canadian dollars": "CAD", "australian dollars": "AUD",
    "hong kong dollars": "HKD", "taiwan dollars": "TWD", "chf": "CHF", "sek": "SEK",
}  # fmt: skip
_SYMBOL = "|".join(re.escape(sign) for sign in sorted(_SYMBOLS, key=len, reverse=True))
_WORD = "|".join(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))
_BEFORE = re.compile(
    rf"(?<![a-z])(?P<currency>{_SYMBOL})\.?\s?(?P<low>{_NUMBER})(?P<more>-?\s?(?:{_SCALE}))?"
    rf"(?:(?:\s?-\s?|\s(?:to|or|and)\s)(?:{_SYMBOL})?\s?(?P<high>{_NUMBER})"
    rf"(?P<scale>-?\s?(?:{_SCALE})))?(?![\da-z%])(?P<korean>\s?[십백천]?[조억만])?"
)
_AFTER = re.compile(
    rf"(?<![\w.,])(?P<low>{_NUMBER})(?P<more>-?\s?(?:{_SCALE}))?"
    rf"(?:(?:\s?-\s?|\s(?:to|or|and)\s)(?P<high>{_NUMBER})(?P<scale>-?\s?(?:{_SCALE})))?"
    rf"[\s-]?(?P<currency>{_WORD})(?![a-z])"
)
_PAIR_OPEN = re.compile(
    r"\s?(?:이상|가량)?\s?\(\s?(?:약|한화|한화 약|우리 돈|about|around|approximately|or)?\s?"
)

_APPROX = (
    "약",
    "대략",
    "about",
    "around",
    "nearly",
    "roughly",
    "approximately",
    "some",
    "almost",
    "~",
)
_AT_LEAST = ("more than", "over", "at least", "above", "최소", "최저", "no less than", "exceeding")
_UP_TO = ("최대", "up to", "as much as", "최고", "as high as")


@dataclass(frozen=True, slots=True)
class Money:
    """A money amount found: its span in ``Text.shown`` (with its pair), value and currency."""

    start: int
    end: int
    value: Decimal
    currency: str
    qualifier: Qualifier
    own_end: int
    paired_value: Decimal | None = None
    paired_currency: str | None = None


def find_money(text: Text) -> list[Money]:
    """Return the amounts of a text by their place, a pair of currencies as one."""
    if not _DIGIT.search(text.low):
        return []
    found = _find_english(text.low) + _find_korean(text.low)
    found.sort(key=lambda money: (money.start, -money.end))
    kept: list[Money] = []
    for money in found:
        if kept and money.start < kept[-1].end:
            continue
        if kept and _is_pair(text.low, kept[-1], money):
            kept[-1] = replace(
                kept[-1],
                end=money.end,
                paired_value=money.value,
                paired_currency=money.currency,
            )
            continue
        kept.append(money)
    return kept


def _is_pair(low: str, first: Money, second: Money) -> bool:
    gap = low[first.end : second.start]
    return (
        first.currency != second.currency
        and first.paired_value is None
        and len(gap) <= 16
        and _PAIR_OPEN.fullmatch(gap) is not None
    )


def _find_korean(low: str) -> list[Money]:
    found = []
    for match in _KOREAN.finditer(low):
        digits = match["number"].strip()
        value = _korean_value(digits)
        start = match.start() + len(match["number"]) - len(match["number"].lstrip())
        if value is None or _goes_on(low, match):
            continue
        country = match["country"] or ""
        currency = _KOREAN_CURRENCIES.get(
            country + match["currency"], _KOREAN_CURRENCIES[match["currency"]]
        )
        qualifier = _qualify(low, start, match.end())
        found.append(Money(start, match.end(), value, currency, qualifier, match.end()))
    for match in _BARE_WON.finditer(low):
        value = _korean_value(match["number"])
        if value is not None:
            qualifier = _qualify(low, match.start(), match.end())
            found.append(Money(match.start(), match.end(), value, "KRW", qualifier, match.end()))
    return found


def _goes_on(low: str, match: re.Match[str]) -> bool:
    """Tell whether the currency is the start of another word: ``2원화``, ``1동``, ``3엔진``."""
    currency, after = match["currency"], low[match.end() : match.end() + 2]
    if currency in ("동", "불", "프랑", "엔"):
        return match["number"].strip()[-1:] not in "조억만천" or after[:1] in ("진", "터")
    if currency == "원":
        return after[:1] in ("칙", "자", "인", "료", "유", "전", "격", "점", "룸", "팀", "톱", "주")
    return False


def _korean_value(digits: str) -> Decimal | None:
    """Return the value of "4천95억": thousands add up to what 만, 억 and 조 multiply."""
    total = section = Decimal(0)
    for part in _KOREAN_PART.finditer(digits):
        number, small = Decimal(part["digits"].replace(",", "")), 1
        large = 0
        for unit in part["unit"].replace(" ", ""):
            factor = _KOREAN_UNITS[unit]
            if factor < 10**4:
                small *= factor
            else:
                large = factor
        section += number * small
        if large:
            total, section = total + section * large, Decimal(0)
    total += section
    return _plain(total) if total > 0 else None


def _plain(value: Decimal) -> Decimal:
    """Return 9700000000 for 9700000000.0: one value has one text."""
    whole = value.to_integral_value()
    return whole if whole == value else value.normalize()


def _find_english(low: str) -> list[Money]:
    found: list[Money] = []
    for match in _BEFORE.finditer(low):
        found += _english(low, match, _SYMBOLS[match["currency"]], match["korean"])
    for match in _AFTER.finditer(low):
        found += _english(low, match, _WORDS[match["currency"]], None)
    return found


def _english(low: str, match: re.Match[str], currency: str, korean: str | None) -> list[Money]:
    scale = _scale(match["scale"] or match["more"])
    values = [
        Decimal(match["low"].replace(",", "")) * (_scale(match["more"]) if match["more"] else scale)
    ]
    if korean:
        value = _korean_value(match["low"] + korean)
        values = [] if value is None else [value]
    if match["high"]:
        values.append(Decimal(match["high"].replace(",", "")) * scale)
    qualifier = _qualify(low, match.start(), match.end())
    middle = match.start("high") if match["high"] else match.end()
    spans = [(match.start(), middle), (middle, match.end())]
    return [
        Money(start, end, _plain(value), currency, qualifier, end)
        for (start, end), value in zip(spans, values, strict=False)
        if value > 0
    ]


def _scale(word: str | None) -> int:
    return _SCALES[word.strip(" -")] if word else 1


def _qualify(low: str, start: int, end: int) -> Qualifier:
    before = low[max(0, start - 14) : start].rstrip(" (총")
    after = low[end : end + 14]
    if before.endswith(_AT_LEAST) or "이상" in after[:4] or "넘" in after[:4]:
        return "at_least"
    if before.endswith(_UP_TO):
        return "up_to"
    if before.endswith(_APPROX) or "여" in low[max(start, end - 4) : end]:
        return "approx"
    return "exact"


def same_money(one: Amount, other: Amount) -> bool:
    """Tell whether two amounts may be one, written in two currencies or rounded (within 4 %)."""
    for value, currency in _sides(one):
        for other_value, other_currency in _sides(other):
            if currency == other_currency:
                return abs(value - other_value) * 25 <= max(value, other_value)
    return False


def _sides(amount: Amount) -> list[tuple[Decimal, str]]:
    sides = [(amount.value, amount.currency)]
    if amount.paired_value is not None and amount.paired_currency is not None:
        sides.append((amount.paired_value, amount.paired_currency))
    if amount.usd is not None and amount.currency != "USD":
        sides.append((amount.usd, "USD"))
    return sides


def to_amount(
    text: Text,
    money: Money,
    kind: AmountKind,
    *,
    rates: Rates,
    published_us: Micros | None,
    stated: Sequence[Money] = (),
) -> Amount:
    """Return the amount with its dollars: the text's own rate first, else the dated one.

    Args:
        text: the text that the amount was found in.
        money: the amount.
        kind: what it is, see ``signals.reading.kinds``.
        rates: the dated table.
        published_us: the time whose day dates the rate; None for no rate but the text's own.
        stated: the paired amounts of the whole document, whose ratio is its own rate.
    """
    start, end = text.origin(money.start, money.own_end)
    usd = _own_rate(money, stated)
    if usd is None:
        usd = rates.to_usd(money.value, money.currency, published_us)
    return Amount(
        value=money.value,
        currency=money.currency,
        usd=usd,
        kind=kind,
        text=text.source[start:end],
        qualifier=money.qualifier,
        paired_value=money.paired_value,
        paired_currency=money.paired_currency,
    )


def _own_rate(money: Money, stated: Sequence[Money]) -> Decimal | None:
    if money.currency == "USD":
        return money.value
    if money.paired_currency == "USD":
        return money.paired_value
    for pair in stated:
        if pair.paired_value is None:
            continue
        if (pair.currency, pair.paired_currency) == ("USD", money.currency):
            return (money.value * pair.value / pair.paired_value).quantize(Decimal(1))
        if (pair.paired_currency, pair.currency) == ("USD", money.currency):
            return (money.value * pair.paired_value / pair.value).quantize(Decimal(1))
    return None
