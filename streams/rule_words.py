"""The words that many headlines have, whatever they tell: counted, and written as a rule file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from signals.reading.keywords import find_keywords
from signals.reading.match import find_hits, is_hangul
from signals.reading.money import find_money
from signals.reading.normalise import normalise_text
from signals.reading.ruleset import RuleSet

__all__ = ["count_words", "to_word_file"]

_COMMON = 40  # of the labelled headlines, some 27,000
_WIDTH = 96


def count_words(titles: Iterable[str], rules: RuleSet) -> Counter[str]:
    """Return in how many titles each word stands that is no name, place, money or rule word."""
    bare = replace(rules, common_words=frozenset())
    counts: Counter[str] = Counter()
    for title in titles:
        text = normalise_text("title", title)
        money = ((one.start, one.end) for one in find_money(text))
        words = find_keywords(text, find_hits(text, rules), money, bare).words
        counts.update(word for word in words if not word.startswith("org:"))
    return counts


def to_word_file(counts: Counter[str], headlines: int) -> Iterator[str]:
    """Yield the lines of ``common_words.yaml``."""
    yield f"# Words that {_COMMON} and more of {headlines:,} headlines have, in alphabetical order,"
    yield "# by `tapewire rules words`: they tell no story from another. A name is none of them."
    common = sorted(word for word, count in counts.items() if count >= _COMMON)
    for language, is_own in (("en", False), ("ko", True)):
        own = [word for word in common if is_hangul(word[-1]) == is_own]
        yield f"{language}:"
        yield from _folded(own)


def _folded(words: Sequence[str]) -> Iterator[str]:
    line = "  ["
    for place, word in enumerate(words):
        piece = f"'{word}'" + ("]" if place == len(words) - 1 else ", ")
        if len(line) + len(piece) > _WIDTH:
            yield line.rstrip()
            line = "   "
        line += piece
    yield line if words else "  []"
