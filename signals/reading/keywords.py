"""The words of a title that tell one story from another: names, products, sites, no common ones.

Parties are only those that the gazetteer knows. "Sprint" or "테일러메이드" is none, and is yet
what every telling of its story has. What the rules themselves look for (verbs, deals, goods),
places, money and the words that many headlines have say nothing, and are left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from signals.reading.match import Hit, is_hangul
from signals.reading.normalise import Text, fold_case
from signals.reading.ruleset import RuleSet

__all__ = ["Keywords", "find_keywords", "word_stem"]

_MOST = 16
_LONGEST = 32
_WORD = re.compile(
    r"[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f&]*(?:\.[A-Za-z0-9]+)*"
    r"|[0-9]+[가-힣A-Za-z][가-힣A-Za-z0-9]*|[가-힣][가-힣0-9A-Za-z]*"
)
_SHORTEST = 2
_MOST_NAMES = 2
# What may stand behind a Korean noun, the longest first.
_TAILS = (
    "에서도", "에서의", "으로의", "이라는", "하는데", "과의", "까지", "께서", "되는", "된다",
    "라는", "로의", "보다", "부터", "에게", "에는", "에도", "에서", "에선", "와의", "으로",
    "이라", "처럼", "하고", "하는", "하며", "한다", "해야", "했다", "했던", "가", "과", "는",
    "로", "를", "서", "에", "엔", "와", "은", "을", "의", "이",
)  # fmt: skip


class Keywords(NamedTuple):
    """The keywords of a title, in its order, and the names among them by which it may be found.

    ``names`` are organisations without a listing, then words: what is written like a name first, in
    a Korean title a word in Latin letters, the longest first, so that tellings that share some of
    them are likely to agree on the first.
    """

    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def find_keywords(
    text: Text, hits: Sequence[Hit], money: Iterable[tuple[int, int]], rules: RuleSet
) -> Keywords:
    """Return a title's keywords, each once.

    A company that the gazetteer knows is its id, however it is written and whether or not it takes
    part, and the brand that stands for it, if any; any other word is in lower case, without its
    ending.
    """
    found: dict[str, int] = {}
    orgs: list[str] = []
    taken = list(money)
    for hit in hits:
        if hit.kind == "company":
            found.setdefault(hit.ref, hit.start)
            brand = _brand(text, hit, rules)
            if brand is not None and brand not in rules.common_words:
                found.setdefault(brand, hit.start)
            if not rules.companies[hit.ref].tickers:
                orgs.append(hit.ref)
        if hit.kind != "concept" or not hit.ref.startswith("="):
            taken.append((hit.start, hit.end))
    written: dict[str, str] = {}
    for match in _WORD.finditer(text.shown):
        start, end = match.span()
        if any(first < end and start < last for first, last in taken):
            continue
        word = word_stem(match[0])
        if _SHORTEST <= len(word) <= _LONGEST and word not in rules.common_words:
            found.setdefault(word, start)
            written.setdefault(word, match[0])
    words = tuple(sorted(found, key=lambda word: found[word]))[:_MOST]
    return Keywords(words, (*dict.fromkeys(orgs), *_names(written)))


def _names(written: Mapping[str, str]) -> list[str]:
    """Return the likeliest names of some words, by the word as it is written in the title."""
    is_korean = any(is_hangul(word[-1]) for word in written)

    def is_name(word: str) -> bool:
        return word.isascii() if is_korean else written[word][0].isupper()

    return sorted(written, key=lambda word: (not is_name(word), -len(word), word))[:_MOST_NAMES]


def _brand(text: Text, hit: Hit, rules: RuleSet) -> str | None:
    """Return the Latin name that is not the company's own: "Fitbit" tells more than Alphabet."""
    low = text.low[hit.start : hit.end]
    if not low.isascii() or low in fold_case(rules.companies[hit.ref].name):
        return None
    return low.replace(" ", "-")


@lru_cache(maxsize=4096)
def word_stem(word: str) -> str:
    """Return a word in lower case, without a plural's s or a Korean particle."""
    if is_hangul(word[0]) or is_hangul(word[-1]):
        for tail in _TAILS:
            if word.endswith(tail) and len(word) - len(tail) >= _SHORTEST:
                return fold_case(word[: -len(tail)])
        return fold_case(word)
    low = fold_case(word)
    if low.endswith("ies") and len(low) > 4:
        return f"{low[:-3]}y"
    if low.endswith("s") and not low.endswith("ss") and len(low) > 3:
        return low[:-1]
    return low
