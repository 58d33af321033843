"""The shipped table, boundary by boundary: against exchange_calendars, by hand, and real tapes.

What the package lacks stands here by hand once more, apart from deploy/tools/market_hours.yaml.
"""

import csv
import json
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import pytest

from signals.market.markets import mic_of
from signals.market.sessions import SessionLabel, Sessions
from signals.messages import Micros
from signals.policy import MINUTE_US
from streams.tables import load_sessions
from tests.builders import us

# exchange_calendars itself draws it from pandas.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")

_SESSIONS = load_sessions()
_NEW_YORK, _SEOUL = ZoneInfo("America/New_York"), ZoneInfo("Asia/Seoul")
_EXAM_DAYS = {date(2025, 11, 13), date(2026, 11, 19)}
_FIRST_DAYS = {date(2025, 1, 2), date(2026, 1, 2)}
_CLOSED = {date(2026, 6, 3), date(2026, 7, 17)}
_NEXTRADE = date(2025, 3, 4)


def _us(day: date, clock: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, clock, tzinfo=zone).timestamp()) * 1_000_000


@cache
def _package(mic: str, year: int) -> tuple[tuple[date, int, int], ...]:
    calendar = exchange_calendars.get_calendar(mic, start=f"{year}-01-01", end=f"{year}-12-31")
    return tuple(
        (row.Index.date(), *(int(at.timestamp()) * 1_000_000 for at in (row.open, row.close)))
        for row in calendar.schedule.itertuples()
    )


def _new_york(year: int) -> list[tuple[int, int, int, int]]:
    return [
        (_us(day, time(4), _NEW_YORK), opened, closed, closed + 240 * MINUTE_US)
        for day, opened, closed in _package("XNYS", year)
    ]


def _seoul(year: int) -> list[tuple[int, int, int, int]]:
    rows = []
    for day, opened, closed in _package("XKRX", year):
        if day in _CLOSED:
            continue
        if day in _EXAM_DAYS:
            opened, closed = (_us(day, at, _SEOUL) for at in (time(10), time(16, 30)))
        begin = time(9) if day in _EXAM_DAYS | _FIRST_DAYS else time(8)
        end = time(20) if day >= _NEXTRADE else time(18)
        rows.append((_us(day, begin, _SEOUL), opened, closed, _us(day, end, _SEOUL)))
    return rows


@pytest.mark.parametrize("year", [2025, 2026])
@pytest.mark.parametrize("ticker", ["IREN", "DELL", "005930.KS", "247540.KQ"])
def test_every_boundary_of_a_year_is_where_the_calendar_has_it(ticker: str, year: int) -> None:
    expected = _new_york(year) if "." not in ticker else _seoul(year)

    for begin, opened, closed, end in expected:
        labels = [
            _SESSIONS.label(ticker, Micros(moment + step))
            for moment in (begin, opened, closed, end)
            for step in (-1, 0)
        ]
        assert labels == [
            "closed", "pre", "pre", "regular", "regular", "post", "post", "closed",
        ]  # fmt: skip
        session = _SESSIONS.at(ticker, Micros(opened))
        assert session is not None
        assert (session.open_us, session.close_us) == (opened, closed)
        assert _SESSIONS.at(ticker, Micros(opened - 1)) is None
        assert _SESSIONS.at(ticker, Micros(closed - 1)) == session
        assert _SESSIONS.at(ticker, Micros(closed)) is None
        assert _SESSIONS.session_of(ticker, Micros(begin)) == session
        assert _SESSIONS.session_of(ticker, Micros(end - 1)) == session
        assert _SESSIONS.session_of(ticker, Micros(end)) is None
        assert _SESSIONS.previous(ticker, Micros(closed)) == session
        assert _SESSIONS.previous(ticker, Micros(closed - 1)) != session


@pytest.mark.parametrize("year", [2025, 2026])
@pytest.mark.parametrize("ticker", ["IREN", "005930.KS"])
def test_a_year_has_the_days_of_the_calendar_and_no_others(ticker: str, year: int) -> None:
    zone, expected = (_NEW_YORK, _new_york) if ticker == "IREN" else (_SEOUL, _seoul)
    expected_opens = [opened for _, opened, _, _ in expected(year)]
    january, next_january = (_us(date(y, 1, 1), time(0), zone) for y in (year, year + 1))

    days = _SESSIONS.by_market[mic_of(ticker) or ""]
    opens = [day.open_us for day in days if january <= day.open_us < next_january]
    assert opens == expected_opens


# Day by day, by hand: local times of the ticker's market. None where it has no session.
_DAYS = [
    # The first New York day after the clock went back, and the last one before.
    ("IREN", "2025-11-03", ("09:00Z", "14:30Z", "21:00Z", "+01:00Z")),
    ("IREN", "2025-10-31", ("08:00Z", "13:30Z", "20:00Z", "+00:00Z")),
    # The first after it went forward, and the last before.
    ("IREN", "2025-03-10", ("08:00Z", "13:30Z", "20:00Z", "+00:00Z")),
    ("IREN", "2025-03-07", ("09:00Z", "14:30Z", "21:00Z", "+01:00Z")),
    # Half days: after Thanksgiving, before Independence Day, Christmas Eve.
    ("IREN", "2025-11-28", ("09:00Z", "14:30Z", "18:00Z", "22:00Z")),
    ("IREN", "2025-07-03", ("08:00Z", "13:30Z", "17:00Z", "21:00Z")),
    ("IREN", "2025-12-24", ("09:00Z", "14:30Z", "18:00Z", "22:00Z")),
    # Labor Day, Thanksgiving, the day of mourning for a president.
    ("IREN", "2025-09-01", None),
    ("IREN", "2025-11-27", None),
    ("IREN", "2025-01-09", None),
    # Seoul knows no summer time and trades on Labor Day.
    ("005930.KS", "2025-09-01", ("-23:00Z", "00:00Z", "06:30Z", "11:00Z")),
    ("005930.KS", "2025-11-03", ("-23:00Z", "00:00Z", "06:30Z", "11:00Z")),
    # Exam day: an hour late at both ends, no Nextrade before the open.
    ("005930.KS", "2025-11-13", ("00:00Z", "01:00Z", "07:30Z", "11:00Z")),
    # The year's first day: a late opening, the usual close. There was no Nextrade yet.
    ("005930.KS", "2025-01-02", ("00:00Z", "01:00Z", "06:30Z", "09:00Z")),
    # The last day before Nextrade, after a long weekend, and its first.
    ("005930.KS", "2025-02-28", ("-23:00Z", "00:00Z", "06:30Z", "09:00Z")),
    ("005930.KS", "2025-03-04", ("-23:00Z", "00:00Z", "06:30Z", "11:00Z")),
    # Chuseok week, from National Foundation Day to Hangeul Day; then it trades again.
    *(("005930.KS", f"2025-10-{day}", None) for day in ("03", "06", "07", "08", "09")),
    ("005930.KS", "2025-10-10", ("-23:00Z", "00:00Z", "06:30Z", "11:00Z")),
    # The presidential election, local elections, Constitution Day, the year's last day.
    ("005930.KS", "2025-06-03", None),
    ("005930.KS", "2026-06-03", None),
    ("005930.KS", "2026-07-17", None),
    ("005930.KS", "2025-12-31", None),
]


def _moments(day: str, clocks: tuple[str, ...]) -> list[int]:
    """Return the microseconds of UTC times; "-" is on the day before, "+" on the day after."""
    found = []
    for clock in clocks:
        shift = {"-": -1, "+": 1}.get(clock[0], 0)
        on = date.fromisoformat(day) + timedelta(days=shift)
        found.append(us(f"{on}T{clock.lstrip('+-').removesuffix('Z')}:00Z"))
    return found


@pytest.mark.parametrize(("ticker", "day", "clocks"), _DAYS)
def test_named_days_are_as_the_exchanges_announced(
    ticker: str, day: str, clocks: tuple[str, ...] | None
) -> None:
    zone = _SEOUL if ticker.endswith(".KS") else _NEW_YORK
    if clocks is None:
        start = _us(date.fromisoformat(day), time(0), zone)
        hours = [_SESSIONS.label(ticker, Micros(start + n * 30 * MINUTE_US)) for n in range(48)]
        assert set(hours) == {"closed"}
        return

    begin, opened, closed, end = _moments(day, clocks)
    changes: list[tuple[int, SessionLabel]] = [
        (begin - 1, "closed"), (begin, "pre"), (opened - 1, "pre"), (opened, "regular"),
        (closed - 1, "regular"), (closed, "post"), (end - 1, "post"), (end, "closed"),
    ]  # fmt: skip
    assert [(at, _SESSIONS.label(ticker, Micros(at))) for at, _ in changes] == changes


def test_friday_afternoon_in_new_york_is_saturday_in_seoul() -> None:
    at = us("2025-08-29T17:30:00Z")

    assert _SESSIONS.label("IREN", at) == "regular"
    assert _SESSIONS.label("005930.KS", at) == "closed"
    # Seoul opens on Monday, when New York has Labor Day and opens only on Tuesday.
    seoul, york = (_SESSIONS.following(ticker, at) for ticker in ("005930.KS", "IREN"))
    assert seoul is not None
    assert york is not None
    assert seoul.open_us == us("2025-09-01T00:00:00Z")
    assert york.open_us == us("2025-09-02T13:30:00Z")


@pytest.mark.parametrize(
    ("year", "exam_day"),
    [
        (2018, "11-15"), (2019, "11-14"), (2020, "12-03"), (2021, "11-18"), (2022, "11-17"),
        (2023, "11-16"), (2024, "11-14"), (2025, "11-13"), (2026, "11-19"), (2027, "11-18"),
    ],
)  # fmt: skip
def test_exam_days_are_late_in_every_year(year: int, exam_day: str) -> None:
    day = date.fromisoformat(f"{year}-{exam_day}")

    session = _SESSIONS.at("^KS11", Micros(_us(day, time(12), _SEOUL)))
    assert session is not None
    assert session.open_us == _us(day, time(10), _SEOUL)
    assert session.close_us == _us(day, time(16, 30), _SEOUL)


def test_seoul_traded_before_the_open_from_half_past_seven_until_april_2019() -> None:
    friday, monday = (_us(date(2019, 4, day), time(7, 45), _SEOUL) for day in (26, 29))

    assert _SESSIONS.label("^KS11", Micros(friday)) == "pre"
    assert _SESSIONS.label("^KS11", Micros(monday)) == "closed"


@pytest.mark.parametrize("mic", ["XKRX", "XNYS"])
def test_the_table_is_ascending_and_no_two_days_touch(mic: str) -> None:
    days = _SESSIONS.by_market[mic]

    assert all(day.open_us < day.close_us for day in days)
    assert all(day.pre_us > 0 and day.post_us > 0 for day in days)
    for earlier, later in pairwise(days):
        assert earlier.close_us + earlier.post_us < later.open_us - later.pre_us
    assert days[0].open_us < us("2018-01-03T00:00:00Z")
    assert days[-1].open_us > us("2028-12-27T00:00:00Z")


def test_the_shipped_table_is_the_one_that_the_tool_makes() -> None:
    tool = Path(__file__).parents[3] / "deploy" / "tools" / "make_sessions.py"
    made = subprocess.run([sys.executable, str(tool)], capture_output=True, check=True)

    assert made.stdout == (files("signals.market") / "sessions.json").read_bytes()


def test_the_table_names_its_sources() -> None:
    package = exchange_calendars.__version__

    assert _SESSIONS.version.startswith(f"exchange_calendars {package}, hours 20")
    assert Sessions().version == ""


def test_the_list_of_nasdaq_names_its_source_and_is_in_order() -> None:
    document = json.loads((files("signals.market") / "nasdaq.json").read_text(encoding="utf-8"))

    assert "SEC" in document["source"]
    assert document["tickers"] == sorted(set(document["tickers"]))
    assert len(document["tickers"]) > 4000


@pytest.mark.parametrize(
    ("mic", "zone", "pattern"),
    [
        ("XKRX", _SEOUL, "krx_index/ks11_*.csv"),
        ("XKRX", _SEOUL, "krx_index/kq11_*.csv"),
        ("XNYS", _NEW_YORK, "prices_daily/SPY.csv"),
    ],
)
def test_real_tapes_have_a_price_on_each_session_and_on_no_other_day(
    mic: str, zone: ZoneInfo, pattern: str, shared: Path
) -> None:
    traded: set[date] = set()
    for path in sorted((shared / "data").glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as file:
            traded |= {date.fromisoformat(row["Date"]) for row in csv.DictReader(file)}

    known = {
        datetime.fromtimestamp(session.open_us // 1_000_000, zone).date()
        for session in _SESSIONS.by_market[mic]
    }
    assert len(traded) > 400
    assert {day for day in known if min(traded) <= day <= max(traded)} == traded
