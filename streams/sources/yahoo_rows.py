"""Read Yahoo's rows into price records: bars that are over, daily records as traded, splits.

Pure: the clock is in the chart. What a row lacks is told, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import isfinite, isnan
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo

from signals.errors import BadMessage
from signals.market.sessions import Session, Sessions
from signals.messages import Micros, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from streams.sources.sessions import Market
from streams.sources.times import to_iso
from streams.sources.yahoo_client import Chart, Row
from streams.sources.yahoo_numbers import decimal_of, rounded

__all__ = ["BARS", "INTERVALS_US", "BadRow", "YahooInterval", "read_bars", "read_days"]

BARS = "yahoo-bars"
YahooInterval = Literal["1m", "5m", "1h", "1d"]
INTERVALS_US: Mapping[YahooInterval, int] = {
    "1m": MINUTE_US,
    "5m": 5 * MINUTE_US,
    "1h": HOUR_US,
    "1d": DAY_US,
}
# A ratio comes as a double: 2/3 as 0.6666666666666666. Nobody splits finer than this.
_FINEST_SPLIT = 10_000
_RATIO_DECIMALS = 12


class _Prices(TypedDict):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused row: when it would have been known, and its fault."""

    end_us: Micros
    error: BadMessage


def read_bars(
    chart: Chart, *, interval_us: int, sessions: Sessions, known_us: Micros
) -> tuple[list[PriceSample], list[BadRow]]:
    """Return the bars that had ended by a time, ascending, and the rows refused.

    A bar ends after its interval, but never reaches over the session's open or close: Yahoo's last
    hourly bar of New York is the half hour from 15:30. Its ``day_volume`` is the sum of the
    session's bars up to it; without the bars from the session's open on, or with a refused one
    among them, it is None, and so it is before the open and after the close. A minute that Yahoo
    leaves out is one without a trade.

    Args:
        chart: rows of one ticker from ``chart.start_us`` on.
        interval_us: how long a bar is.
        sessions: the regular sessions.
        known_us: the time up to which Yahoo's prices are complete.
    """
    samples: list[PriceSample] = []
    refused: list[BadRow] = []
    volume = _DayVolume(chart.start_us)
    for row in chart.rows:
        # The price of the moment has the time of its trade; a bar begins with a minute.
        if not row.has_prices() or row.start_us % MINUTE_US:
            continue
        session = sessions.at(chart.ticker, Micros(row.start_us))
        end_us = _end(chart.ticker, row, interval_us, session=session, sessions=sessions)
        if end_us > known_us:
            break
        try:
            prices = _checked(chart.ticker, row)
        except BadMessage as error:
            refused.append(BadRow(end_us, error))
            volume.add(session, None)
            continue
        samples.append(
            PriceSample(
                ticker=chart.ticker,
                kind="bar",
                event_us=Micros(row.start_us),
                end_us=end_us,
                received_us=chart.received_us,
                source=BARS,
                day_volume=volume.add(session, prices["volume"]),
                **prices,
            )
        )
    return samples, refused


class _DayVolume:
    """The volume of a session's bars so far, None once it is not known."""

    def __init__(self, start_us: Micros) -> None:
        self._start_us = start_us
        self._session: Session | None = None
        self._total: Decimal | None = None

    def add(self, session: Session | None, volume: Decimal | None) -> Decimal | None:
        """Return the session's total with a bar's volume (None: not known) added."""
        if session != self._session:
            is_whole = session is not None and session.open_us >= self._start_us
            self._session, self._total = session, Decimal(0) if is_whole else None
        known = self._total is not None and volume is not None
        self._total = self._total + volume if known else None  # type: ignore[operator] # known
        return self._total


def read_days(
    chart: Chart, *, market: Market, known_us: Micros
) -> tuple[list[PriceSample], list[BadRow]]:
    """Return the splits and daily records of sessions that were over by a time, ascending.

    Yahoo's daily prices and volumes are adjusted for every split up to the request, so that they
    are not what was traded. The splits of the same reply undo that: a session's prices are
    multiplied by the ratio of each later split, and rounded to the decimals that Yahoo shows for
    the ticker (at least two, four under 1.00), which takes the rounding of the division out. The
    reply must therefore reach to the request. A split is given at its session's open, before the
    record of that session, as soon as that open is past.

    Args:
        chart: daily rows of one ticker, up to the receipt; a row begins at its local midnight.
        market: tells a date's open and close.
        known_us: the time up to which Yahoo's prices are complete.
    """
    samples: list[PriceSample] = []
    refused: list[BadRow] = []
    later = Fraction(1)
    for row in reversed(chart.rows):
        open_us, close_us = market.session(_local_date(row, market))
        try:
            if row.has_prices() and close_us <= known_us:
                prices = _as_traded(_checked(chart.ticker, row), later, decimals=chart.decimals)
                samples.append(_daily(chart, prices, open_us=open_us, close_us=close_us))
        except BadMessage as error:
            refused.append(BadRow(close_us, error))
        try:
            ratio = _ratio(chart.ticker, row)
        except BadMessage as error:
            refused.append(BadRow(open_us, error))
            continue
        if ratio is not None and open_us <= chart.received_us:
            later *= ratio
            samples.append(_split(chart, ratio, open_us))
    return samples[::-1], refused[::-1]


def _ratio(ticker: str, row: Row) -> Fraction | None:
    """Return the ratio of a row's split, None without one. Raises: BadMessage."""
    if not row.split or isnan(row.split):
        return None
    finest = 1 / _FINEST_SPLIT
    if not finest <= row.split <= _FINEST_SPLIT:
        detail = f"must be a ratio from {finest} to {_FINEST_SPLIT}, was {row.split!r}"
        raise _fault(ticker, row, "split", detail)
    return Fraction(row.split).limit_denominator(_FINEST_SPLIT)


def _daily(chart: Chart, prices: _Prices, *, open_us: Micros, close_us: Micros) -> PriceSample:
    return PriceSample(
        ticker=chart.ticker,
        kind="daily",
        event_us=open_us,
        end_us=close_us,
        received_us=chart.received_us,
        source=BARS,
        **prices,
    )


def _split(chart: Chart, ratio: Fraction, open_us: Micros) -> PriceSample:
    return PriceSample(
        ticker=chart.ticker,
        kind="split",
        event_us=open_us,
        received_us=chart.received_us,
        source=BARS,
        ratio=rounded(Decimal(ratio.numerator) / ratio.denominator, _RATIO_DECIMALS),
    )


def _as_traded(prices: _Prices, later: Fraction, *, decimals: int) -> _Prices:
    """Return prices and volume before the splits that came later."""
    if later == 1:
        return prices

    def undone(price: Decimal) -> Decimal:
        traded = price * later.numerator / later.denominator
        return rounded(traded, max(decimals, 2 if traded >= 1 else 4))

    return _Prices(
        open=undone(prices["open"]),
        high=undone(prices["high"]),
        low=undone(prices["low"]),
        close=undone(prices["close"]),
        volume=rounded(prices["volume"] * later.denominator / later.numerator, 0),
    )


def _checked(ticker: str, row: Row) -> _Prices:
    """Return a row's prices and volume. Raises: BadMessage naming ticker, time, field and value."""
    if not (isfinite(row.volume) and row.volume >= 0):
        raise _fault(ticker, row, "volume", f"must be 0 or more, was {row.volume!r}")
    prices = _Prices(
        open=_price(ticker, row, "open"),
        high=_price(ticker, row, "high"),
        low=_price(ticker, row, "low"),
        close=_price(ticker, row, "close"),
        # A count of shares is whole, and exact in the double that it comes in.
        volume=Decimal(int(row.volume)),
    )
    if prices["high"] < prices["low"]:
        detail = f"must not be below the low, was {prices['high']}, the low {prices['low']}"
        raise _fault(ticker, row, "high", detail)
    return prices


def _price(ticker: str, row: Row, field: str) -> Decimal:
    value: float = getattr(row, field)
    try:
        price = decimal_of(value)
    except ValueError as error:
        raise _fault(ticker, row, field, str(error)) from None
    if price <= 0:
        raise _fault(ticker, row, field, f"must be positive, was {value!r}")
    return price


def _fault(ticker: str, row: Row, field: str, detail: str) -> BadMessage:
    return BadMessage("bad_value", f"{BARS}:{ticker} {to_iso(row.start_us)} $.{field}", detail)


def _end(
    ticker: str, row: Row, interval_us: int, *, session: Session | None, sessions: Sessions
) -> Micros:
    end_us = row.start_us + interval_us
    if session is not None:
        return Micros(min(end_us, session.close_us))
    coming = sessions.following(ticker, Micros(row.start_us))
    return Micros(end_us if coming is None else min(end_us, coming.open_us))


def _local_date(row: Row, market: Market) -> date:
    return datetime.fromtimestamp(row.start_us // SECOND_US, ZoneInfo(market.zone)).date()
