"""What a money amount is: the value of the deal, or a valuation or loan that stands beside it."""

import re

from signals.messages import AmountKind
from signals.reading.money import Money
from signals.reading.normalise import Text

__all__ = ["amount_kind"]

_BEFORE = 40
_AFTER = 30
_SHARE_PRICE = 100_000  # more than that a share's price is none
# "surges 23.26% to $74.88", "23% 오른 74.88달러에 마감".
_MOVED_TO = re.compile(r"\d ?(?:%|percent|per cent|pct),? (?:higher |lower )?(?:to|at) $")
_TRADED_AT = re.compile(
    r"(?:로|에|까지) ?(?:장을 )?(?:\d[\d.]*% ?)?(?:마감|거래|급등|급락|상승|하락|올|뛰)"
)


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
        # "a deal worth $9.7bn" is the deal's value; "OpenAI, worth $500bn," is a company's.
        _ahead(
            r"기업가치|몸값|시가총액|시총|valued|valuing|valuation|market cap"
            r"|(?:[,(]|\b(?:now|is|are|be|company|firm|start-?up|maker|group|business)) ?worth",
            24,
        ),
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
    if money.value < _SHARE_PRICE and (_MOVED_TO.search(before) or _TRADED_AT.match(after)):
        return "price"
    for kind, ahead, behind in _KINDS:
        if ahead.search(before) or behind.match(after):
            return kind
    return own
