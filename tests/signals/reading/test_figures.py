"""Money, quantities and terms, in the forms that headlines write."""

from decimal import Decimal

import pytest

from signals.messages import Micros
from signals.reading import Document, read_document
from signals.reading.money import find_money
from signals.reading.normalise import normalise_text
from signals.reading.quantities import find_quantities, find_term
from signals.reading.rates import DAY_US, Rates
from streams.rule_loading import load_rules

MONEY = [
    ("380억 달러", [("38000000000", "USD")]),
    ("1조5000억달러", [("1500000000000", "USD")]),
    ("14조8000억원", [("14800000000000", "KRW")]),
    ("4천95억원에", [("409500000000", "KRW")]),
    ("1천336억 규모", [("133600000000", "KRW")]),
    ("7천만 유로", [("70000000", "EUR")]),
    ("1만5천 달러", [("15000", "USD")]),
    ("4兆원", [("4000000000000", "KRW")]),
    ("$380억", [("38000000000", "USD")]),
    ("5천만 원", [("50000000", "KRW")]),
    ("$9.7bn", [("9700000000", "USD")]),
    ("US$1.2 billion", [("1200000000", "USD")]),
    ("EUR 70mn", [("70000000", "EUR")]),
    ("£5bn", [("5000000000", "GBP")]),
    ("10 billion won", [("10000000000", "KRW")]),
    ("1.1 billion euros", [("1100000000", "EUR")]),
    ("$10-15 million", [("10000000", "USD"), ("15000000", "USD")]),
    ("$10 million to $15 million", [("10000000", "USD"), ("15000000", "USD")]),
    ("100명이 3년 동안", []),
    ("2025년 11월 3일", []),
    ("NOK1V", []),
    ("50% of sales", []),
]


@pytest.mark.parametrize(("text", "wanted"), MONEY)
def test_money_is_read_in_both_languages(text: str, wanted: list[tuple[str, str]]) -> None:
    found = find_money(normalise_text("title", text))

    assert [(str(one.value), one.currency) for one in found] == wanted


def test_two_currencies_of_one_amount_are_one() -> None:
    (money,) = find_money(normalise_text("title", "100억 달러(약 14조8000억원) 이상을 투자"))

    assert (money.value, money.currency) == (Decimal(10**10), "USD")
    assert (money.paired_value, money.paired_currency) == (Decimal(14_800_000_000_000), "KRW")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("약 58억 달러", "approx"), ("up to $2 billion", "up_to"), ("최대 3조원", "up_to"),
     ("more than $5bn", "at_least"), ("100억 달러 이상", "at_least"), ("$5bn", "exact")],
)  # fmt: skip
def test_the_qualifier_is_read(text: str, wanted: str) -> None:
    (money,) = find_money(normalise_text("title", text))

    assert money.qualifier == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("200MW급", ("200", "MW")), ("750-megawatt campus", ("750", "MW")), ("2 GW", ("2", "GW")),
     ("6만 개 이상의 칩", ("60000", "chips")), ("60,000 Nvidia chips", ("60000", "chips")),
     ("100㎿", ("100", "MW"))],
)  # fmt: skip
def test_quantities_are_read_with_their_unit(text: str, wanted: tuple[str, str]) -> None:
    (figure,) = find_quantities(normalise_text("title", text))

    assert (str(figure.quantity.value), figure.quantity.unit) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("7년간 총", "P7Y"), ("7년 380억 달러", "P7Y"), ("five-year deal", "P5Y"),
     ("15-year lease", "P15Y"), ("for seven years", "P7Y"), ("a 20-year-old", None),
     ("a 6-year high", None), ("3년물 국채", None)],
)  # fmt: skip
def test_a_duration_is_read(text: str, wanted: str | None) -> None:
    found = find_term(normalise_text("title", text))

    assert (None if found is None else found[0].duration) == wanted


def test_a_rate_is_the_last_one_before_the_publish_day() -> None:
    rates = Rates("toy", [100, 101], {"USD": ["1.0", "2.0"], "KRW": ["1000", "1000"]})

    assert rates.to_usd(Decimal(1000), "KRW", Micros(101 * DAY_US)) == Decimal(1)
    assert rates.to_usd(Decimal(1000), "KRW", Micros(102 * DAY_US)) == Decimal(2)
    assert rates.to_usd(Decimal(1000), "KRW", Micros(100 * DAY_US)) is None
    assert rates.to_usd(Decimal(1000), "TWD", Micros(102 * DAY_US)) is None
    assert rates.to_usd(Decimal(1000), "KRW", None) is None


def test_the_texts_own_rate_comes_first() -> None:
    document = Document(
        title="카카오, 로봇 기업에 1조5000억원 투자해 지분 인수",
        body="카카오가 로봇 기업 지분을 10억 달러(약 1조5000억원)에 인수한다.",
        published_us=Micros(1_765_951_122_000_000),
    )

    (deal,) = read_document(document, load_rules())

    assert [amount.usd for amount in deal.amounts] == [Decimal(10**9)]
