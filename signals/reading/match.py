"""One Aho-Corasick pass over a text, and the boundary rules that make names of substrings."""

import re
from dataclasses import dataclass

from signals.reading.normalise import Text
from signals.reading.ruleset import Pattern, RuleSet

__all__ = ["Hit", "find_hits", "is_hangul"]

_LONGEST_TAIL = 6
_PREPOSITION = re.compile(
    r"(?:^|\s)(from|by|with|and|to|for|in|into|of|through|via|at|on|against)"
    r"(?:\s(?:the|a|an|its|u\.s\.|us|chinese|german|japanese|rival|startup|chipmaker|ai))*\s?['\"]?$"
)
_CASES = {
    "from": "from", "by": "by", "with": "with", "and": "with", "to": "to", "for": "to",
    "in": "in", "into": "in", "through": "through", "via": "through", "of": "of",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern found: code points of ``Text.shown``. ``case`` is a name's grammatical case."""

    start: int
    end: int
    kind: str
    ref: str
    case: str = ""


def is_hangul(sign: str) -> bool:
    """Tell whether a sign is a Hangul syllable."""
    return "가" <= sign <= "힣"


def find_hits(text: Text, rules: RuleSet) -> list[Hit]:
    """Return what stands in the text, by start and then the longest first.

    Names inside longer names, and concepts inside names or inside a phrase to ignore, are gone.
    """
    low = text.low
    found: list[Hit] = []
    for index, start, end in rules.matcher.find_matches_as_indexes(low, overlapping=True):
        for pattern in rules.patterns[index]:
            hit = _check(text, rules, pattern, start, end)
            if hit is not None:
                found.append(hit)
    if not found:
        return found
    found.sort(key=lambda hit: (hit.start, -hit.end, hit.kind, hit.ref))
    return _drop_covered(found)


def _check(text: Text, rules: RuleSet, pattern: Pattern, start: int, end: int) -> Hit | None:
    low, case = text.low, ""
    if pattern.left and start and _glued_left(low, start):
        return None
    if pattern.prefix:
        end = _word_end(low, end)
    elif pattern.right and end < len(low):
        after = _tail_case(low, start, end, rules)
        if after is None:
            return None
        case = after
    if not _is_allowed(text, pattern, start, end):
        return None
    if case in ("", "object") and pattern.kind in ("company", "place"):
        case = _phrase_case(low, start, end) or case
    return Hit(start, end, pattern.kind, pattern.ref, case)


def _is_allowed(text: Text, pattern: Pattern, start: int, end: int) -> bool:
    """Tell whether case and guards let a form stand for what it names."""
    low = text.low
    if pattern.case and text.shown[start:end] != pattern.text:
        return False
    if pattern.capital and text.shown[start].islower():
        return False
    if pattern.block_next and low.startswith(pattern.block_next, end):
        return False
    if pattern.block_prev and low.endswith(pattern.block_prev, 0, start):
        return False
    return not pattern.require_any or any(word in low for word in pattern.require_any)


def _phrase_case(low: str, start: int, end: int) -> str:
    """Return the case that a word beside the name gives: "델 통해", "with Dell"."""
    if low[end : end + 5].lstrip(" )을를").startswith(("통해", "통한")):
        return "through"
    before = _PREPOSITION.search(low, max(0, start - 24), start)
    return _CASES.get(before[1], "") if before is not None else ""


def _glued_left(low: str, start: int) -> bool:
    before = low[start - 1]
    if "\u4e00" <= before <= "\u9fff":
        return False  # 美엔비디아: a Chinese sign stands for a country, and is no part of the name
    if before.isalnum():
        return True
    # Dell'Oro, e-Apple: a sign that glues a word to the one before.
    return before in "'&@#" and start > 1 and low[start - 2].isalnum()


def _word_end(low: str, end: int) -> int:
    stop = min(len(low), end + 24)
    while end < stop and low[end].isalpha() and not is_hangul(low[end]):
        end += 1
    return end


def _tail_case(low: str, start: int, end: int, rules: RuleSet) -> str | None:
    """Return the case of the particle after a name, "" for none, None if the word goes on."""
    sign = low[end]
    if is_hangul(sign):
        stop = end
        while stop < len(low) and stop - end <= _LONGEST_TAIL and is_hangul(low[stop]):
            stop += 1
        return rules.tails.get(low[end:stop])
    if "\u4e00" <= sign <= "\u9fff":
        return ""
    if sign.isalnum():
        return None
    if sign == "'" and low[end + 1 : end + 2].isalpha() and not is_hangul(low[end + 1]):
        return "of" if low.startswith("'s", end) else None
    if sign == "&" and low[end + 1 : end + 2].isalnum():
        return None
    if sign == "-" and is_hangul(low[start]) and low[end + 1 : end + 2].isdigit():
        return None
    return ""


def _drop_covered(found: list[Hit]) -> list[Hit]:
    """Keep what no name or phrase to ignore covers, and of each concept the longest form."""
    cover_start, cover_end = 0, 0
    reach: dict[tuple[str, str], int] = {}
    kept: list[Hit] = []
    for hit in found:
        length = hit.end - hit.start
        if hit.end <= cover_end and length < cover_end - cover_start:
            continue
        if hit.kind in ("company", "ignore") and hit.end > cover_end:
            cover_start, cover_end = hit.start, hit.end
        # "공급계약" and "계약" are one contract.
        if hit.end <= reach.get((hit.kind, hit.ref), 0):
            continue
        reach[(hit.kind, hit.ref)] = hit.end
        kept.append(hit)
    return kept
