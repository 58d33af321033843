"""Tellings that share few words and are one story; filings that share nearly all and are two."""

import re

import pytest

from tests.golden.folding import Folded, case, fold

_SAME = {"uae": "export_control", "openai": "deal", "sdi": "deal"}
_OTHER = ("hd", "hanmi")


@pytest.fixture(scope="module")
def folded() -> Folded:
    return fold(case("near_duplicates"))


def _stories(folded: Folded, name: str, type_: str) -> list[set[str]]:
    told = [folded.told_by(alert) for alert in folded.standing() if alert.type == type_]
    return [ids for ids in told if any(f":{name}-" in headline_id for headline_id in ids)]


def _overlap(one: str, other: str) -> float:
    """Words in both over words in either."""
    first, second = (set(re.findall(r"\w+", title.casefold())) for title in (one, other))
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("name", _SAME)
def test_few_words_in_common_are_one_story(folded: Folded, name: str) -> None:
    titles = {h.id: h.title for h in case("near_duplicates") if f":{name}-" in h.id}
    (story,) = _stories(folded, name, _SAME[name])

    assert story == titles.keys()
    first, *others = titles.values()
    assert max(_overlap(first, other) for other in others) <= 0.40


@pytest.mark.parametrize("name", _OTHER)
def test_two_contracts_of_one_company_on_one_day_are_two_stories(folded: Folded, name: str) -> None:
    one, other = (h for h in case("near_duplicates") if f":{name}-" in h.id)

    assert sorted(_stories(folded, name, "deal"), key=sorted) == [{one.id}, {other.id}]
    assert _overlap(one.title, other.title) >= 0.40
