"""The words of a title by which its story is found again."""

import pytest

from signals.reading.keywords import Keywords, find_keywords, word_stem
from signals.reading.match import find_hits
from signals.reading.money import find_money
from signals.reading.normalise import normalise_text
from streams.rule_loading import load_rules


def _found(title: str) -> Keywords:
    rules, text = load_rules(), normalise_text("title", title)
    money = [(one.start, one.end) for one in find_money(text)]
    return find_keywords(text, find_hits(text, rules), money, rules)


def test_companies_stand_by_their_ids_and_other_words_as_stems_in_order() -> None:
    words = _found("Quelltal Group to buy IREN for $2 billion, Zephyrine says").words

    assert words == ("quelltal", "org:iren", "zephyrine")


def test_what_rules_places_and_money_say_is_no_keyword() -> None:
    assert _found("삼성전자, 미국에 20억달러 투자").words == ("org:samsung-electronics",)


def test_a_brand_says_more_than_its_company_unless_all_say_it() -> None:
    assert _found("Google parent Alphabet bids for Quelltal").words[:2] == (
        "org:alphabet",
        "parent",
    )
    assert "fitbit" in _found("Alphabet takes Fitbit for $2 billion").words
    assert "google" not in _found("Google buys a startup").words


@pytest.mark.parametrize(
    ("title", "names"),
    [
        # An organisation that is known and not listed, then what is written like a name.
        ("Zephyrine agrees to sell its quibbling unit to OpenAI", ["org:openai", "zephyrine"]),
        # In a Korean title a word in Latin letters is a name; the longest comes first.
        ("클라우드 지각변동, Quelltal 1억달러 투자 유치", ["quelltal", "지각변동"]),
        ("도리마을, 파라스테파 리조트 인수", ["파라스테파", "도리마"]),
    ],
)
def test_names_are_where_tellings_of_unknown_parties_meet(title: str, names: list[str]) -> None:
    assert list(_found(title).names[:2]) == names


def test_the_first_name_does_not_depend_on_its_place_in_the_title() -> None:
    one, two = "Zephyrine bids for Quell", "Quell rejects bid of Zephyrine"

    assert _found(one).names[0] == _found(two).names[0] == "zephyrine"


@pytest.mark.parametrize(
    "title",
    [
        "New Quelltal plant opens next year",  # the film distributor is NEW
        "AI 모델 출시 경쟁",  # no 델
    ],
)
def test_no_company_hides_in_an_ordinary_word(title: str) -> None:
    assert [word for word in _found(title).words if word.startswith("org:")] == []


@pytest.mark.parametrize(
    ("word", "stem"),
    [("Quells", "quell"), ("Companies", "company"), ("테일러메이드는", "테일러메이드"),
     ("리조트에서", "리조트"), ("boss", "boss")],
)  # fmt: skip
def test_stems(word: str, stem: str) -> None:
    assert word_stem(word) == stem
