"""What to ask Yahoo for next, ticker by ticker: how far its bars are held, and when to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from signals.market.sessions import Sessions
from signals.messages import Micros
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from streams.sources.sessions import Market
from streams.sources.times import instant_us
from streams.sources.yahoo_rows import YahooInterval

__all__ = ["Progress", "Window", "is_due", "is_silent", "window_of"]

# What Yahoo's chart says when it is asked for more ("1m data must be within the last 30 days",
# "only 7 days worth of 1m granularity data"), 2025; the other spans keep a reply small.
_REACH_US: Mapping[YahooInterval, int] = {"1m": 30 * DAY_US, "5m": 60 * DAY_US, "1h": 730 * DAY_US}
_SPAN_US: Mapping[YahooInterval, int] = {"1m": 7 * DAY_US, "5m": 30 * DAY_US, "1h": 180 * DAY_US}
_MARGIN_US = 10 * MINUTE_US  # the request takes time, and clocks differ
_LATE_US = HOUR_US  # after a market's last hour Yahoo may still add to it
_GRACE_US = 5 * MINUTE_US  # the first bars of a session may be slow


class Window(NamedTuple):
    """A span to ask for; ``is_last`` where it ends now and not with the longest span."""

    start_us: Micros
    end_us: Micros
    is_last: bool


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far one ticker is.

    Attributes:
        given_us: the newest moment given; nothing up to it is given again.
        asked_us: what comes up to here need not be asked for again.
        checked_us: what Yahoo had up to here has been seen.
        refused_us: the faults of rows up to here have been told.
        failures: requests without rows that can be read, one after the other.
        empties: those of them that were answered, with nothing.
        skipped_us: how much of what comes after ``asked_us`` is left out, to see whether Yahoo has
            anything later.
    """

    ticker: str
    market: Market
    given_us: Micros
    asked_us: Micros
    checked_us: Micros
    refused_us: int = 0
    failures: int = 0
    empties: int = 0
    skipped_us: int = 0

    def replied(self, window: Window, last_us: Micros | None) -> None:
        """Note a reply with rows: its newest moment, or None where all were in progress."""
        self.failures = self.empties = self.skipped_us = 0
        self.pass_over(window)
        if last_us is not None:
            self.asked_us = max(self.asked_us, last_us)

    def pass_over(self, window: Window) -> None:
        """Note that there is nothing more in a window."""
        self.checked_us = Micros(window.end_us - _LATE_US)
        if not window.is_last:
            self.asked_us = max(self.asked_us, window.end_us)

    def came_empty(self, window: Window, *, tries: int) -> None:
        """Note a window that ought to have rows and has none; after some tries look beyond it."""
        self.failures += 1
        self.empties += 1
        if window.is_last:
            self.skipped_us = 0
        elif self.empties >= tries:
            self.skipped_us = window.end_us - self.asked_us


def window_of(progress: Progress, interval: YahooInterval, now_us: Micros) -> Window:
    """Return what to ask for next.

    It begins with the local day, so that the day's volume can be added up, but not before the
    oldest that Yahoo still has, and spans no more than Yahoo gives at once.
    """
    zone = ZoneInfo(progress.market.zone)
    from_us = progress.asked_us + progress.skipped_us
    local = datetime.fromtimestamp(from_us // SECOND_US, zone)
    start_us = instant_us(datetime.combine(local.date(), time(0), tzinfo=zone))
    if interval in _REACH_US:
        start_us = max(start_us, Micros(now_us - _REACH_US[interval] + _MARGIN_US))
    if interval not in _SPAN_US or start_us + _SPAN_US[interval] >= now_us:
        return Window(start_us, now_us, is_last=True)
    return Window(start_us, Micros(start_us + _SPAN_US[interval]), is_last=False)


def is_due(progress: Progress, sessions: Sessions, now_us: Micros) -> bool:
    """Return whether anything may have been traded that has not been seen.

    A market is closed most of the week. Where the table of sessions ends, it may always be open.
    """
    ticker = progress.ticker
    latest = sessions.session_of(ticker, now_us) or sessions.previous(ticker, now_us)
    if latest is None or sessions.following(ticker, now_us) is None:
        return True
    return latest.close_us + latest.post_us + _LATE_US > progress.checked_us


def is_silent(ticker: str, window: Window, sessions: Sessions, known_us: Micros) -> bool:
    """Return whether a window without rows is a fault: the market was open in it."""
    until_us = Micros(min(window.end_us, known_us) - _GRACE_US)
    return sessions.open_us(ticker, window.start_us, until_us) > 0
