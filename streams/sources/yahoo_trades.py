"""Read the messages of Yahoo's stream into trades, and know the ones that were given already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from signals.errors import BadMessage
from signals.messages import Micros, PriceSample
from signals.policy import MINUTE_US
from streams.sources.times import to_iso
from streams.sources.yahoo_numbers import decimal_of

__all__ = ["STREAM", "Repeats", "Trade", "read_trade"]

STREAM = "yahoo-stream"
_MILLISECOND_US = 1000
# A trade that is dated later than this would hide all that come after it.
_FUTURE_US = 5 * MINUTE_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One price of the stream; ``day_volume`` as sent, whatever the hour."""

    ticker: str
    event_us: Micros
    received_us: Micros
    price: Decimal
    volume: Decimal | None
    day_volume: Decimal | None

    def sample(self, *, is_regular: bool) -> PriceSample:
        """Return the record; the day's volume only where the session is regular."""
        return PriceSample(
            ticker=self.ticker,
            kind="trade",
            event_us=self.event_us,
            received_us=self.received_us,
            source=STREAM,
            price=self.price,
            volume=self.volume,
            day_volume=self.day_volume if is_regular else None,
        )


def read_trade(
    fields: Mapping[str, Any], *, tickers: Collection[str], received_us: Micros
) -> Trade:
    """Return the trade in a decoded message.

    Args:
        fields: as yfinance decodes it: 64-bit numbers are text, zeros are left out, ``time`` is in
            milliseconds, the price a float of single precision.
        tickers: what was subscribed to.
        received_us: the clock when the message was held.
    Raises: BadMessage for anything else than a price of these tickers.
    """
    ticker = fields.get("id")
    if not isinstance(ticker, str) or ticker not in tickers:
        raise BadMessage(
            "bad_value", f"{STREAM} $.id", f"must be subscribed to, was {ticker!r:.60}"
        )
    place = f"{STREAM}:{ticker}"
    event_us = Micros((_whole(fields, place, "time") or 0) * _MILLISECOND_US)
    if not 0 < event_us <= received_us + _FUTURE_US:
        detail = f"must not be after the receipt, {to_iso(received_us)}, was {fields.get('time')!r}"
        raise BadMessage("bad_value", f"{place} $.time", detail)
    return Trade(
        ticker=ticker,
        event_us=event_us,
        received_us=received_us,
        price=_price(fields, place),
        volume=_count(fields, place, "last_size"),
        day_volume=_count(fields, place, "day_volume"),
    )


def _price(fields: Mapping[str, Any], place: str) -> Decimal:
    seen = fields.get("price")
    try:
        price = decimal_of(float(seen))  # type: ignore[arg-type] # None is a TypeError
        if price > 0:
            return price
    except (TypeError, ValueError):
        pass
    raise BadMessage("bad_value", f"{place} $.price", f"must be finite and positive, was {seen!r}")


def _count(fields: Mapping[str, Any], place: str, name: str) -> Decimal | None:
    number = _whole(fields, place, name)
    if number is None:
        return None
    if number < 0:
        raise BadMessage("bad_value", f"{place} $.{name}", f"must be 0 or more, was {number}")
    return Decimal(number)


def _whole(fields: Mapping[str, Any], place: str, name: str) -> int | None:
    seen = fields.get(name)
    try:
        return None if seen is None else int(seen)
    except (TypeError, ValueError):
        detail = f"must be a whole number, was {seen!r:.60}"
        raise BadMessage("wrong_type", f"{place} $.{name}", detail) from None


class Repeats:
    """What was given already, ticker by ticker: the newest time and day's volume, and its prices.

    The stream sends the last price again at each subscription, and whenever a bid changes. Several
    trades may share a millisecond; they differ by the day's volume or the price.
    """

    def __init__(self, after: Mapping[str, Micros]) -> None:
        """Begin after the newest trade's time that is held, by ticker."""
        self._after = dict(after)
        self._newest: dict[str, tuple[Micros, Decimal]] = {}
        self._prices: dict[str, set[Decimal]] = {}

    def is_new(self, trade: Trade) -> bool:
        """Return whether a trade has not been given, and note it.

        What is dated before the newest counts as given.
        """
        if trade.event_us <= self._after.get(trade.ticker, 0):
            return False
        moment = (trade.event_us, trade.day_volume or Decimal(0))
        newest = self._newest.get(trade.ticker)
        if newest is None or moment > newest:
            self._newest[trade.ticker] = moment
            self._prices[trade.ticker] = {trade.price}
            return True
        if moment < newest or trade.price in self._prices[trade.ticker]:
            return False
        self._prices[trade.ticker].add(trade.price)
        return True
