"""Physical figures, durations and end dates, as they stand in headlines."""

import re
from dataclasses import dataclass
from decimal import Decimal

from signals.messages import Quantity, Term
from signals.reading.normalise import Text

__all__ = ["Figure", "find_quantities", "find_term"]

_NUMBER = r"(?P<digits>\d[\d,]{0,14}(?:\.\d{1,6})?)"
_UNIT_PATTERNS = (
    ("GW", r"\s?-?(?:gw|gigawatts?|기가와트)(?!h)"),
    ("MW", r"\s?-?(?:mw|megawatts?|메가와트)(?!h)"),
    (
        "chips",
        r"\s?(?:개\s?(?:이상의?\s?)?(?:의\s?)?(?:[a-z0-9]{0,10}\s?)?(?:칩|gpu)|장의?\s?(?:gpu|칩)"
        r"|(?:[a-z0-9]+\s){0,3}(?:chips|gpus)\b)",
    ),
    ("vehicles", r"\s?(?:(?:[a-z-]+\s){0,2}(?:vehicles|cars|trucks|robotaxis)\b)"),
    ("wafers", r"\s?(?:장(?!의?\s?(?:gpu|칩))|wafers)"),
    ("people", r"\s?(?:명(?!\w)|(?:[a-z-]+\s)?(?:people|jobs|employees|workers)\b)"),
    ("m2", r"\s?(?:㎡|m2|제곱미터|평방미터|square met(?:er|re)s)"),
)
_SCALE = {
    "만": 10**4,
    "억": 10**8,
    "천": 1000,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
}
_UNITS = tuple(
    (
        unit,
        re.compile(rf"(?<![\w.,$]){_NUMBER}\s?(?P<scale>만|억|천|thousand|million|billion)?{tail}"),
    )
    for unit, tail in _UNIT_PATTERNS
)
_HINTS = (
    "gw", "mw", "와트", "watt", "칩", "gpu", "chips", "vehicles", "cars", "trucks", "robotaxi",
    "장", "wafers", "명", "people", "jobs", "employees", "workers", "㎡", "m2", "미터", "square",
)  # fmt: skip

_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
          "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20}  # fmt: skip
_COUNT = rf"(?P<count>\d{{1,2}}|{'|'.join(_WORDS)})"
_DURATIONS = (
    # "7년간", "15년 임대", and "7년" with the money right behind it.
    re.compile(
        r"(?<![\d.])(?P<count>\d{1,2})\s?(?P<unit>년|개월)\s?(?:간|짜리|동안|장기|계약|약정|임대|공급"
        r"|(?=\s총?\s?약?\s?\$?\d[\d,.]*\s?[조억만천]))"
    ),
    re.compile(rf"\b{_COUNT}[\s-](?P<unit>year|month)(?![a-z]*\shigh|s?[\s-]old)(?:s)?[\s,-]"),
    re.compile(
        rf"\b(?:for|over|lasting|spanning|across|next)\s(?:the next\s|more than\s)?"
        rf"{_COUNT}\s(?P<unit>year|month)s\b"
    ),
)
_UNTIL = re.compile(
    r"(?P<korean>20\d\d)년\s?(?:말)?까지"
    r"|\b(?:through|until|by|to)\s(?:the end of\s|end-)?(?P<english>20\d\d)\b"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity and its span in ``Text.shown``."""

    start: int
    end: int
    quantity: Quantity


def find_quantities(text: Text) -> list[Figure]:
    """Return the physical figures of a text, by their place."""
    low = text.low
    if not any(hint in low for hint in _HINTS):
        return []
    found: list[Figure] = []
    for unit, pattern in _UNITS:
        for match in pattern.finditer(low):
            value = Decimal(match["digits"].replace(",", "")) * _SCALE.get(match["scale"], 1)
            start, end = text.origin(match.start(), match.end())
            written = text.source[start:end]
            figure = Figure(
                match.start(), match.end(), Quantity(value=value, unit=unit, text=written)
            )
            found.append(figure)
    found.sort(key=lambda figure: (figure.start, figure.end))
    return found


def find_term(text: Text) -> tuple[Term, int, int] | None:
    """Return the first duration of a commitment, else the year that it runs until, and its span."""
    duration, until = None, _UNTIL.search(text.low)
    for pattern in _DURATIONS:
        match = pattern.search(text.low)
        if match is not None and (duration is None or match.start() < duration.start()):
            duration = match
    found = duration or until
    if found is None:
        return None
    start, end = text.origin(found.start(), found.end())
    written = text.source[start:end].strip(" ,-")
    year = None if until is None else until["korean"] or until["english"]
    iso = None if duration is None else _iso(duration)
    return Term(duration=iso, until=year, text=written), found.start(), found.end()


def _iso(match: re.Match[str]) -> str:
    count = _WORDS.get(match["count"]) or int(match["count"])
    return f"P{count}{'M' if match['unit'] in ('개월', 'month') else 'Y'}"
