"""The price path: as of a time, between times, and what its rows keep."""

from dataclasses import replace
from decimal import Decimal

from signals.fold import Draft
from signals.market.path import (
    Path,
    add_day,
    add_second,
    days_part,
    days_until,
    path_part,
)
from signals.messages import Daily, Micros, Second
from signals.policy import DAY_US, MINUTE_US, SECOND_US
from tests.builders import OPEN, second, us

_AT = us(OPEN)


def _path(*seconds: Second) -> Path:
    draft = Draft({})
    for item in seconds:
        part = path_part(item.second_us)
        added = add_second(draft.get(part), item)
        assert added is not None
        draft.put(part, added[0])
    return Path(draft)


def test_price_at_a_time_is_that_of_the_last_second_that_has_ended() -> None:
    path = _path(second(_AT, "100"), second(_AT + 5 * SECOND_US, "101"))

    assert path.at(Micros(_AT)) is None
    assert path.at(Micros(_AT + SECOND_US - 1)) is None
    for at, price in ((1, 100), (5, 100), (6, 101), (86_400, 101)):
        found = path.at(Micros(_AT + at * SECOND_US))
        assert found is not None
        assert found.last == price


def test_price_at_a_time_looks_back_over_minutes() -> None:
    path = _path(second(_AT, "100"), second(_AT + 90 * MINUTE_US, "101"))
    found = path.at(Micros(_AT + 90 * MINUTE_US))

    assert found is not None
    assert found.last == 100


def test_seconds_between_two_times_come_in_order() -> None:
    numbers = [90, 0, 61, 59, 60, 1]
    path = _path(*(second(_AT + n * SECOND_US, str(100 + n)) for n in numbers))
    found = path.between(Micros(_AT + SECOND_US), Micros(_AT + 90 * SECOND_US))

    assert [item.last - 100 for item in found] == [1, 59, 60, 61]


def test_second_that_says_nothing_new_is_no_change() -> None:
    row = (second(_AT, "100"),)

    assert add_second(row, second(_AT, "100")) is None
    assert add_second(row, second(_AT, "101")) is not None


def test_of_two_records_of_one_close_the_earlier_receipt_stands() -> None:
    first = Daily(ticker="IREN", close_us=_AT, close=Decimal(60), received_us=Micros(_AT + 5))
    rewritten = replace(first, close=Decimal(61), received_us=Micros(_AT + DAY_US))

    row = add_day(None, first)
    assert add_day(row, rewritten) is None
    assert add_day(add_day(None, rewritten), first) == row


def test_closes_are_read_back_in_order_from_the_rows_of_sixteen_days() -> None:
    draft = Draft({})
    for number in (30, 10, 40, 20, 0):
        day = Daily(
            ticker="IREN",
            close_us=Micros(_AT + number * DAY_US),
            close=Decimal(60),
            received_us=Micros(_AT + number * DAY_US),
        )
        part = days_part(day.close_us)
        draft.put(part, add_day(draft.get(part), day))

    newest_us = Micros(_AT + 40 * DAY_US)
    days = days_until(draft, newest_us, count=130)
    assert [(day.close_us - _AT) // DAY_US for day in days] == [0, 10, 20, 30, 40]
    assert [(day.close_us - _AT) // DAY_US for day in days_until(draft, newest_us, count=1)][
        -1
    ] == 40
