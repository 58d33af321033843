"""Numbers and times as people read them, in English and Korean."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from signals.messages import Micros
from streams.sources.sessions import market_of

__all__ = [
    "Lang",
    "clock_line",
    "market_day",
    "market_time",
    "money",
    "percent",
    "price",
    "short_time",
    "volume",
]

Lang = Literal["en", "ko"]

_NEW_YORK = ZoneInfo("America/New_York")
_SEOUL = ZoneInfo("Asia/Seoul")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KRW": "₩"}
_SCALES = ((Decimal(10) ** 12, "tn"), (Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "m"))
_KOREAN_CURRENCIES = {
    "KRW": "원",
    "USD": " 달러",
    "EUR": " 유로",
    "JPY": " 엔",
    "CNY": " 위안",
    "GBP": " 파운드",
    "TWD": " 대만달러",
}
_KOREAN_UNITS = ((10**12, "조"), (10**8, "억"), (10**4, "만"))
_KOREAN_DAYS = "월화수목금토일"


def money(value: Decimal, currency: str, lang: Lang = "en") -> str:
    """Return an amount with at most two decimals of its scale: ``$9.7bn``, ``97억 달러``."""
    if lang == "ko":
        return _korean_number(value) + _KOREAN_CURRENCIES.get(currency, f" {currency}")
    sign = _SIGNS.get(currency, f"{currency} ")
    for scale, name in _SCALES:
        if abs(value) >= scale:
            return f"{sign}{_trim(value / scale)}{name}"
    return f"{sign}{_trim(value)}"


def _korean_number(value: Decimal) -> str:
    """Return 조, 억 and 만 of a number, its two largest: ``14조8000억``."""
    rest = int(value)
    parts = []
    for unit, name in _KOREAN_UNITS:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    if not parts:
        return _trim(value)
    return "".join(parts[:2])


def _trim(value: Decimal) -> str:
    rounded = value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".")


def percent(ratio: float) -> str:
    """Return a ratio with its sign in percent: 0.2034 is ``+20.3 %``."""
    return f"{ratio * 100:+.1f} %"


def volume(ratio: float, lang: Lang = "en") -> str:
    """Return how much was traded, against an average day: ``3.2× volume``, ``거래량 3.2배``."""
    return f"거래량 {ratio:.1f}배" if lang == "ko" else f"{ratio:.1f}× volume"


def price(value: Decimal) -> str:
    """Return a price with at least its cents, and no more digits than it has."""
    return f"{value:,f}" if value.as_tuple().exponent == 0 and value >= 1000 else f"{value:,.2f}"


def clock_line(at_us: Micros, lang: Lang = "en") -> str:
    """Return a time in New York, for Korean readers in Seoul too, and in UTC, to the second."""
    moment = _moment(at_us)
    new_york, seoul = moment.astimezone(_NEW_YORK), moment.astimezone(_SEOUL)
    if lang == "ko":
        return (
            f"{seoul:%Y-%m-%d}({_KOREAN_DAYS[seoul.weekday()]}) 서울 {seoul:%H:%M:%S} · "
            f"뉴욕 {_beside(new_york, seoul)} · UTC {_beside(moment, seoul)}"
        )
    return f"{new_york:%a %d %b %Y %H:%M:%S} New York · {_beside(moment, new_york)} UTC"


def short_time(at_us: Micros, lang: Lang = "en") -> str:
    """Return the day and time in New York."""
    moment = _moment(at_us).astimezone(_NEW_YORK)
    return f"{moment:%m-%d %H:%M:%S}" if lang == "ko" else f"{moment:%d %b %H:%M:%S}"


def market_day(ticker: str, at_us: Micros) -> date:
    """Return the day of a time where the ticker is traded."""
    return _moment(at_us).astimezone(_zone(ticker)).date()


def market_time(ticker: str, at_us: Micros) -> str:
    """Return the time of day where the ticker is traded, to the second where it has any."""
    moment = _moment(at_us).astimezone(_zone(ticker))
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _zone(ticker: str) -> ZoneInfo:
    market = market_of(ticker)
    return _NEW_YORK if market is None else ZoneInfo(market.zone)


def _beside(moment: datetime, first: datetime) -> str:
    """Return the clock time; with its day where that differs from the first one's."""
    same_day = moment.date() == first.date()
    return f"{moment:%H:%M:%S}" if same_day else f"{moment:%d %b %H:%M:%S}"


def _moment(at_us: Micros) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
