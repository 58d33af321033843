"""Moves of shares that a text tells of: "IREN soars 20%", "델도 동반 강세".

They are recorded as claims beside what is measured. A claim needs a verb of the tape, and whose
shares it means: the company right before the verb (or before "shares", "주가"), in a title also the
first company named where the verb is plainly of shares. Sales, prices, indices and whole sectors
that rise are none.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from signals.messages import Claim, Evidence
from signals.reading.match import Hit, find_hits
from signals.reading.normalise import Text
from signals.reading.ruleset import RuleSet

__all__ = ["find_claims"]

_FIGURE = r"(?P<figure>\d{1,3}(?:\.\d{1,2})?)\s?"
_ENGLISH = re.compile(
    r"(?<![\w-])(?:"
    r"(?P<up>soar(?:s|ed|ing)?|surg(?:es?|ed|ing)|jump(?:s|ed|ing)?|skyrocket(?:s|ed|ing)?"
    r"|rocket(?:s|ed|ing)?|rall(?:y|ies|ied|ying)"
    r"|(?P<mild_up>climb(?:s|ed|ing)?|ris(?:es?|ing)|rose|gain(?:s|ed|ing)?|up))"
    r"|(?P<down>plung(?:es?|ed|ing)|tumbl(?:es?|ed|ing)|slump(?:s|ed|ing)?|plummet(?:s|ed|ing)?"
    r"|crash(?:es|ed|ing)?|sank|sinks?|sinking"
    r"|(?P<mild_down>slid(?:es?|ing)?|fall(?:s|ing)?|fell|drop(?:s|ped|ping)?|declin(?:es?|ed|ing)"
    r"|dip(?:s|ped|ping)?|los(?:es?|ing)|lost|down)))(?!\w)"
    r"(?:\s(?:(?:as much as|by|about|nearly|almost|around|over|more than|some|roughly|up to)\s)?"
    + _FIGURE
    + r"(?:%|percent|per cent|pct))?"
)
_KOREAN = re.compile(
    r"(?:" + _FIGURE + r"(?:%|퍼센트|프로)\s?(?:대|가량|가까이|넘게|이상|안팎)?(?:로|나|까지)?\s?)?"
    r"(?:(?P<up>급등|폭등|상한가|강세|치솟|(?P<mild_up>상승|올랐|올라|오른|오름세|뛰었|뛰어|뛴|↑))"
    r"|(?P<down>급락|폭락|하한가|약세|추락|(?P<mild_down>하락|떨어|내렸|내린|내림세|빠졌|↓)))세?"
    r"(?:\((?:약|장중|최대)?\s?(?P<behind>\d{1,3}(?:\.\d{1,2})?)\s?%[^)]{0,6}\))?"
)
_TIED_EN = re.compile(
    r"(?:'s)?(?P<stock>\s(?:shares?|stock)(?:\sprices?)?)?(?:\s(?:also|have|has|are|were|had))?\s"
)
_TIED_KO = re.compile(
    r"(?:이|가|은|는|도|의)?,?\s?(?P<stock>주가|주식|주)?(?:이|가|은|는|도)?\s?"
    r"(?:동반|장중|장 ?초반|시간외|일제히|한때|나란히|모두|거래서)?(?:에서)?\s?"
)
_SHARES_OF = re.compile(r"(?:shares|stock) (?:of|in) $")
# "…, shares surge": of the one that the title is about.
_BARE_EN = re.compile(
    r"(?:^|[,;:-]\s|\s(?:as|its|sends?|sending|push(?:es|ing|ed)|lifts?|lifting|boosts?|with)\s)"
    r"(?:shares|stock)\s$"
)
_BARE_KO = re.compile(r"(?<!목표 )(?<!목표)주가(?:는|가|도)?\s?(?:장 ?초반|장중|시간외)?\s?$")
_FEATURED = ("[특징주]", "<특징주>", "특징주")
_BECAUSE = re.compile(r"\s(?:on|after|as|following|amid)\s")
_NOT_SHARES = re.compile(r"\s?(?:stake|of\s|in (?:revenue|sales|profit)|short|point)")
_SECTOR_KO = re.compile(
    r"(?:[가-힣][주株]|지수|코스피|코스닥|나스닥|코인|유가|금값|집값|환율|가격|매출|이익|수출|수요|생산"
    r"|목표 ?주가)(?:이|가|은|는|도)?\s?$"
)
_OTHER_KO = re.compile(r"\S(?:은|는|도)\s$")  # a name that no one knows is the topic
_FAR = 24  # signs between a company and its verb that are looked at


class _Told(NamedTuple):
    """A verb of the tape in a text: where it stands, and whose shares it means."""

    start: int
    end: int
    company: str
    direction: Literal["up", "down"]
    ratio: float | None


def find_claims(title: Text, sentences: Iterable[Text], rules: RuleSet) -> tuple[Claim, ...]:
    """Return the moves that a title, and sentences below it, tell of; each once, as first told."""
    found: dict[tuple[str, str], Claim] = {}
    for text, is_title in ((title, True), *((sentence, False) for sentence in sentences)):
        for one in _told(text, rules, is_title=is_title):
            company = rules.companies[one.company]
            first, last = text.origin(one.start, one.end)
            claim = Claim(
                party=company.id,
                ticker=company.tickers[0] if company.tickers else None,
                direction=one.direction,
                ratio=one.ratio,
                evidence=Evidence(
                    field=text.field,
                    start=first,
                    end=last,
                    text=text.source[first:last],
                    rule="claim.move",
                ),
            )
            known = found.get((claim.party, claim.direction))
            if known is None or (known.ratio is None and claim.ratio is not None):
                found[claim.party, claim.direction] = claim
    return tuple(found.values())


def _told(text: Text, rules: RuleSet, *, is_title: bool) -> Iterator[_Told]:
    matches = [*_ENGLISH.finditer(text.low), *_KOREAN.finditer(text.low)]
    if not matches:
        return
    companies = [hit for hit in find_hits(text, rules) if hit.kind == "company"]
    if not companies:
        return
    for match in matches:
        is_english = match.re is _ENGLISH
        whose = _whose_en if is_english else _whose_ko
        company = whose(text.low, match, companies, is_title)
        if company is not None:
            figure = match["figure"] or (None if is_english else match["behind"])
            direction: Literal["up", "down"] = "up" if match["up"] else "down"
            sign = 1 if direction == "up" else -1
            ratio = None if figure is None else round(sign * float(figure) / 100, 6)
            yield _Told(match.start(), match.end(), company, direction, ratio)


def _whose_en(
    low: str, match: re.Match[str], companies: Sequence[Hit], is_title: bool
) -> str | None:
    start, end = match.span()
    if _NOT_SHARES.match(low, end):
        return None
    before = _last_before(companies, start)
    if before is not None:
        tie = _TIED_EN.fullmatch(low, before.end, start)
        is_of_shares = _SHARES_OF.search(low, max(0, before.start - 12), before.start)
        if tie is not None and (tie["stock"] or is_of_shares):
            return before.ref
        is_mild = match["mild_up"] or match["mild_down"]
        if tie is not None and (match["figure"] or (not is_mild and _BECAUSE.match(low, end))):
            return before.ref
    if is_title and _BARE_EN.search(low, max(0, start - _FAR), start):
        return _subject(companies)
    return None


def _whose_ko(
    low: str, match: re.Match[str], companies: Sequence[Hit], is_title: bool
) -> str | None:
    start = match.start()
    is_mild = match["mild_up"] or match["mild_down"]
    figure = match["figure"] or match["behind"]
    before = _last_before(companies, start)
    if before is not None:
        tie = _TIED_KO.fullmatch(low, before.end, start)
        if tie is not None and (tie["stock"] or not is_mild or (figure and is_title)):
            return before.ref
    if not is_title or _SECTOR_KO.search(low, max(0, start - _FAR), start):
        return None
    if _BARE_KO.search(low, max(0, start - _FAR), start):
        return _subject(companies)
    if _OTHER_KO.search(low, max(0, start - _FAR), start):
        return None
    is_featured = low.lstrip().startswith(_FEATURED)
    return _subject(companies) if not is_mild and (is_featured or figure) else None


def _subject(companies: Sequence[Hit]) -> str | None:
    """Return the first company named, unless its case says that it is no subject."""
    first = companies[0]
    return None if first.case in ("to", "from", "by", "with", "through") else first.ref


def _last_before(companies: Sequence[Hit], start: int) -> Hit | None:
    near = [hit for hit in companies if hit.end <= start and start - hit.end <= _FAR]
    return max(near, key=lambda hit: hit.end, default=None)
