"""What a money amount is: the value of the deal, or a valuation or loan that stands beside it."""

import re

from signals.messages import AmountKind
from signals.reading.money import Money
from signals.reading.normalise import Text

__all__ = ["amount_kind"]

_BEFORE = 40
_AFTER = 30


def _ahead(words: str, reach: int) -> re.Pattern[str]:
    """Match words that stand before an amount, at most ``reach`` code points away."""
    return re.compile(rf"(?:{words})[^.]{{0,{reach}}}$")


def _behind(words: str) -> re.Pattern[str]:
    """Match words that follow an amount at once."""
    return re.compile(rf"\W{{0,3}}(?:이상|규모|어치)?\s?(?:의 )?(?:{words})")


# The first kind whose words stand beside the amount wins.
_KINDS: tuple[tuple[AmountKind, re.Pattern[str], re.Pattern[str]], ...] = (
    (
        "valuation",
        _ahead("기업가치|몸값|시가총액|시총|valued|valuing|valuation|worth|market cap", 24),
        _behind("기업가치|몸값|시총|시가총액|valuation|market (?:cap|value)"),
    ),
    (
        "prepayment",
        _ahead("선결제|선급금?|선불|prepay(?:ment)?|upfront", 12),
        _behind("선결제|선급|prepayment|upfront"),
    ),
    (
        "revenue",
        _ahead("매출|영업이익|순이익|revenue|sales of|profits? of|earnings of", 12),
        _behind("매출|영업이익|순이익|in (?:annual )?(?:revenue|sales)|revenue|profit"),
    ),
    (
        "loan",
        _ahead("대출|차입|loan of", 8),
        _behind("대출|차입|loan|credit (?:line|facility)|in debt|debt"),
    ),
    (
        "price",
        _ahead("주당|per share|share price", 8),
        _behind("(?:per|a|each) (?:share|barrel|unit|piece)|apiece"),
    ),
    ("stake", _ahead(r"지분 ?\d[\d.]*%|stake (?:for|worth)", 2), _behind("지분|stake")),
)


def amount_kind(text: Text, money: Money, own: AmountKind) -> AmountKind:
    """Return the amount's kind by the words beside it, ``own`` where none says another."""
    before = text.low[max(0, money.start - _BEFORE) : money.start]
    after = text.low[money.end : money.end + _AFTER]
    for kind, ahead, behind in _KINDS:
        if ahead.search(before) or behind.match(after):
            return kind
    return own
