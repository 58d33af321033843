"""The words of a clause, with names and figures masked: what no concept of the rules names.

A Latin word is itself; a Korean one, which carries particles and endings, is also its beginning
(``공급~``) and its pieces of two and three syllables (``~공급~``); two that follow each other are
one more. Companies, places, money, quantities and numbers are the same word each (``<company>``),
so that no name is learned as a type.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise, repeat
from math import sqrt

from signals.reading.match import Hit, is_hangul

__all__ = ["find_word", "weigh_words", "words_of"]

# Longer ones are no words, and are cut: a text of one sign must not take forever.
_WORD = re.compile(r"<[a-z]+>|[가-힣]{1,16}|[^\W\d_가-힣]{1,32}(?:'[a-z]+)?|\d[\d,.]*|[$%]")
_MASKS = {"company": " <company> ", "place": " <place> ", "government": " <place> "}
_FIGURES = {"money": " <money> ", "quantity": " <quantity> "}
_SYLLABLES = (2, 3)  # of a piece
_KNOWN = 1 << 16  # words whose parts are remembered


def words_of(
    low: str,
    span: tuple[int, int],
    hits: Iterable[Hit],
    figures: Mapping[str, Sequence[tuple[int, int]]],
) -> tuple[str, ...]:
    """Return the words of a clause, each once.

    Args:
        low: the text in lower case.
        span: the clause in it, in code points.
        hits: those of the clause.
        figures: its ``money`` and ``quantity``, by name.
    """
    words = _WORD.findall(_masked(low, span, hits, figures))
    whole = ["<number>" if word[0].isdigit() else word for word in words]
    pairs = map(" ".join, pairwise(whole))
    return tuple(dict.fromkeys(chain(chain.from_iterable(map(_parts, whole)), pairs)))


def weigh_words(words: Sequence[str], weights: Mapping[str, float]) -> float:
    """Return what the words of a clause say for a type, in logits.

    Each has its weight over the square root of their number: a long clause says no more.
    """
    if not weights or not words:
        return 0.0
    return sum(map(weights.get, words, repeat(0.0))) / sqrt(len(words))


def find_word(word: str, low: str, span: tuple[int, int]) -> tuple[int, int] | None:
    """Return where a word of a clause stands first, None for a mask or a pair with one."""
    if "<" in word:
        return None
    plain = r"\s+".join(map(re.escape, word.strip("~").split(" ")))
    is_piece = word.startswith("~") or is_hangul(word[0])
    found = re.compile(plain if is_piece else rf"\b{plain}\b").search(low, *span)
    return None if found is None else found.span()


def _masked(
    low: str,
    span: tuple[int, int],
    hits: Iterable[Hit],
    figures: Mapping[str, Sequence[tuple[int, int]]],
) -> str:
    masks = [(hit.start, -hit.end, _MASKS[hit.kind]) for hit in hits if hit.kind in _MASKS]
    for name, mask in _FIGURES.items():
        masks += [(start, -end, mask) for start, end in figures.get(name, ())]
    place, end = span
    if not masks:
        return low[place:end]
    masks.sort()
    pieces: list[str] = []
    for start, minus_end, mask in masks:
        if start >= place:
            pieces += (low[place:start], mask)
            place = -minus_end
    return "".join((*pieces, low[place:end]))


@lru_cache(maxsize=_KNOWN)
def _parts(word: str) -> tuple[str, ...]:
    """Return a word and, of a Korean one, its beginning and its pieces."""
    if not is_hangul(word[0]):
        return (word,)
    pieces = [
        f"~{word[at : at + length]}~"
        for length in _SYLLABLES
        for at in range(len(word) - length + 1)
    ]
    return (word, f"{word[:2]}~", *pieces)
