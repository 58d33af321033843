"""When a market is open: the table that ships, and what is read from it."""

import pytest

from signals.market.sessions import Session, Sessions
from signals.policy import HOUR_US, MINUTE_US
from streams.tables import load_sessions
from tests.builders import us

_SESSIONS = load_sessions()


def _hours(ticker: str, at: str) -> tuple[int, int] | None:
    found = _SESSIONS.at(ticker, us(at))
    return None if found is None else (found.open_us, found.close_us)


def test_open_is_in_the_session_and_the_close_is_not() -> None:
    opened, closed = us("2025-11-03T14:30:00Z"), us("2025-11-03T21:00:00Z")

    session = Session(open_us=opened, close_us=closed, pre_us=330 * MINUTE_US, post_us=4 * HOUR_US)
    assert _SESSIONS.at("IREN", opened - 1) is None
    assert _SESSIONS.at("IREN", opened) == session
    assert _SESSIONS.at("IREN", closed - 1) == session
    assert _SESSIONS.at("IREN", closed) is None


def test_labor_day_closes_new_york_and_not_seoul() -> None:
    assert _hours("IREN", "2025-09-01T15:00:00Z") is None
    assert _hours("005930.KS", "2025-09-01T02:00:00Z") == (
        us("2025-09-01T00:00:00Z"),
        us("2025-09-01T06:30:00Z"),
    )


def test_half_day_ends_early() -> None:
    assert _hours("IREN", "2025-11-28T15:00:00Z") == (
        us("2025-11-28T14:30:00Z"),
        us("2025-11-28T18:00:00Z"),
    )


def test_hours_follow_the_clock_change() -> None:
    friday, monday = (_hours("IREN", f"2025-{day}T16:00:00Z") for day in ("10-31", "11-03"))

    assert friday == (us("2025-10-31T13:30:00Z"), us("2025-10-31T20:00:00Z"))
    assert monday == (us("2025-11-03T14:30:00Z"), us("2025-11-03T21:00:00Z"))


def test_next_closes_of_a_time_before_the_open_are_today_and_tomorrow() -> None:
    assert _SESSIONS.next_closes("IREN", us("2025-11-03T11:37:00Z")) == (
        us("2025-11-03T21:00:00Z"),
        us("2025-11-04T21:00:00Z"),
    )


def test_news_at_the_close_waits_for_the_next_one() -> None:
    close = us("2025-10-31T20:00:00Z")

    assert _SESSIONS.next_closes("IREN", close)[0] == us("2025-11-03T21:00:00Z")
    assert _SESSIONS.previous_close("IREN", close) == close
    assert _SESSIONS.previous_close("IREN", close - 1) == us("2025-10-30T20:00:00Z")


def test_following_session_opens_at_or_after_a_time() -> None:
    opened = us("2025-11-03T14:30:00Z")

    for at in ("2025-10-31T20:00:00Z", "2025-11-03T14:30:00Z"):
        found = _SESSIONS.following("IREN", us(at))
        assert found is not None
        assert found.open_us == opened
    later = _SESSIONS.following("IREN", opened + 1)
    assert later is not None
    assert later.open_us == us("2025-11-04T14:30:00Z")


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2025-11-03T14:30:00Z", "2025-11-03T14:31:00Z", 1 / 390),
        ("2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z", 1.0),
        ("2025-11-03T20:30:00Z", "2025-11-04T14:31:00Z", 1.0),  # over a night
        ("2025-10-31T20:00:00Z", "2025-11-03T14:30:00Z", 1.0),  # over a weekend
        ("2025-11-03T14:30:00Z", "2025-11-04T21:00:00Z", 2.0),
        ("2025-11-28T14:30:00Z", "2025-11-28T16:15:00Z", 0.5),  # of a half day
    ],
)
def test_span_is_told_in_sessions(start: str, end: str, days: float) -> None:
    assert _SESSIONS.span_days("IREN", us(start), us(end)) == pytest.approx(days)


def test_open_time_leaves_the_night_out() -> None:
    open_us = _SESSIONS.open_us("IREN", us("2025-11-03T20:00:00Z"), us("2025-11-04T15:00:00Z"))

    assert open_us == HOUR_US + 30 * MINUTE_US


def test_unknown_market_is_never_open() -> None:
    empty, at = Sessions(), us("2025-11-03T16:00:00Z")

    assert empty.at("IREN", at) is None
    assert empty.following("IREN", at) is None
    assert empty.next_closes("IREN", at) == ()
    assert empty.previous_close("IREN", at) is None
