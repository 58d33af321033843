"""The words of a clause: what is masked, what a Korean word is parted into, what words weigh."""

import pytest

from signals.reading import Document, read_document
from signals.reading.candidates import part_text
from signals.reading.normalise import normalise_text
from signals.reading.words import find_word, weigh_words, words_of
from streams.rule_loading import load_rules

RULES = load_rules()


def words(title: str) -> set[str]:
    parts = part_text(normalise_text("title", title), RULES)
    assert parts is not None
    return {word for clause in parts.clauses for word in clause.words}


def test_names_and_figures_are_masked() -> None:
    found = words("Oracle signs $3 billion contract in Texas over 7 sites for 200 MW")

    assert {"<company>", "<money>", "<quantity>", "<number>", "signs", "signs <money>"} <= found
    assert not found & {"oracle", "3", "7", "200", "billion"}


def test_two_companies_are_one_word() -> None:
    signed, bought = words("Oracle signs contract"), words("Pfizer signs contract")

    assert signed == bought


def test_a_korean_word_is_also_its_parts() -> None:
    found = set(words_of("공급계약 체결", (0, 7), (), {}))

    assert found == {
        "공급계약", "공급~", "~공급~", "~급계~", "~계약~", "~공급계~", "~급계약~",
        "체결", "체결~", "~체결~", "공급계약 체결",
    }  # fmt: skip


def test_only_the_clause_is_looked_at() -> None:
    text = "first part; second part"

    assert set(words_of(text, (12, 23), (), {})) == {"second", "part", "second part"}


def test_a_word_without_end_is_cut() -> None:
    found = words_of("가" * 100_000, (0, 100_000), (), {})

    assert max(map(len, found)) <= 2 * 16 + 1


def test_a_long_clause_says_no_more_than_a_short_one() -> None:
    weights = {"signs": 2.0}

    assert weigh_words(("signs",), weights) == 2.0
    assert weigh_words(("signs", "a", "new", "deal"), weights) == 1.0
    assert weigh_words((), weights) == 0.0
    assert weigh_words(("signs",), {}) == 0.0


@pytest.mark.parametrize(
    ("word", "text", "place"),
    [
        ("deal", "dealer has a deal", (13, 17)),
        ("new deal", "a new  deal", (2, 11)),
        ("~계약~", "공급계약 체결", (2, 4)),
        ("공급~", "공급계약 체결", (0, 2)),
        ("<company>", "a company", None),
        ("<company> signs", "it signs", None),
        ("gone", "not here", None),
    ],
)
def test_a_word_is_found_where_it_stands(
    word: str, text: str, place: tuple[int, int] | None
) -> None:
    assert find_word(word, text, (0, len(text))) == place


def test_a_function_word_is_no_evidence() -> None:
    title = (
        "MS and IREN sign a five-year contract for cloud with data centres at a cost of $9 billion"
    )

    (reading,) = read_document(Document(title=title), RULES)

    shown = {span.text for span in reading.evidence}
    assert "contract" in shown
    assert not shown & {"and", "a", "for", "with", "at", "of"}
