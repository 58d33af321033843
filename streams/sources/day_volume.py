"""The volume of a session so far, added up from the rows of a file that do not say it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from signals.messages import Micros
from streams.sources.sessions import Market, market_of

__all__ = ["DayVolumes"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Day:
    open_us: int
    close_us: int
    newest_us: int
    volume: Decimal


class DayVolumes:
    """What has been traded in the regular session that each ticker is in.

    One session a ticker is held. It is added up from the session's first row in the file: whether
    the market had traded before that, a file cannot say.
    """

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

    def add(self, ticker: str, moment_us: Micros, volume: Decimal) -> Decimal | None:
        """Return the volume of the session so far, this one included.

        None outside of a regular session, and for a row that stands behind a later one: what had
        been traded by then is no longer known.
        """
        day = self._days.get(ticker)
        if day is None or not day.open_us <= moment_us < day.close_us:
            day = self._day_at(ticker, moment_us, day)
            if day is None:
                return None
            self._days[ticker] = day
        day.volume += volume
        if moment_us < day.newest_us:
            return None
        day.newest_us = moment_us
        return day.volume

    def _day_at(self, ticker: str, moment_us: Micros, newest: _Day | None) -> _Day | None:
        if newest is not None and moment_us < newest.open_us:
            return None
        market = market_of(ticker)
        if market is None:
            return None
        local = (_EPOCH + timedelta(microseconds=moment_us)).astimezone(ZoneInfo(market.zone))
        open_us, close_us = _session(market, local.date())
        if not open_us <= moment_us < close_us:
            return None
        return _Day(open_us, close_us, moment_us, Decimal(0))


@lru_cache(maxsize=1024)
def _session(market: Market, day: date) -> tuple[Micros, Micros]:
    return market.session(day)
