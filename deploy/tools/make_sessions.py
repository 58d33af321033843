"""Make signals/market/sessions.json: the sessions of XNYS and XKRX, regular, pre and post.

    pip install exchange_calendars==4.13.2
    python deploy/tools/make_sessions.py > signals/market/sessions.json

The table is data that ships: exchange_calendars is needed to make it, not to run Tapewire. Its
regular sessions are mended and completed by market_hours.yaml, beside this file. A session is
[open, close, pre, post]: minutes since 1970 UTC, then the minutes that trading begins before the
open and goes on after the close.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars
import yaml

# The New York exchanges have announced their days up to 2028.
FIRST, LAST = "2018-01-01", "2028-12-31"
ZONES = {"XKRX": ZoneInfo("Asia/Seoul"), "XNYS": ZoneInfo("America/New_York")}
SAME_DAYS = {"XKOS": "XKRX", "XNAS": "XNYS"}
HOURS = Path(__file__).with_name("market_hours.yaml")

Days = dict[date, tuple[datetime, datetime]]


def main() -> None:
    """Write the table to standard output."""
    hours = yaml.safe_load(HOURS.read_text(encoding="utf-8"))
    document = {
        "version": f"exchange_calendars {exchange_calendars.__version__}, hours {hours['as_of']}",
        "unit": "minutes: open and close since 1970-01-01T00:00Z, before the open, after the close",
        "same": SAME_DAYS,
        "sessions": {
            mic: _rows(mic, hours["days"].get(mic, ()), hours["around"][mic])
            for mic in sorted(ZONES)
        },
    }
    json.dump(document, sys.stdout, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")


def _rows(
    mic: str, changes: Sequence[Mapping[str, Any]], around: Sequence[Mapping[str, Any]]
) -> list[list[int]]:
    """Return the market's sessions, ascending, each [open, close, pre, post]."""
    rows = []
    for day, (opened, closed) in _mended(mic, changes).items():
        rule = [rule for rule in around if rule["since"] <= day][-1]
        pre, post = rule["pre"], rule["post"]
        before = pre.get("before") or _minutes(opened) - _minutes(_local(mic, day, pre["from"]))
        after = post.get("after") or _minutes(_local(mic, day, post["until"])) - _minutes(closed)
        rows.append([_minutes(opened), _minutes(closed), before, after])
    return rows


def _mended(mic: str, changes: Sequence[Mapping[str, Any]]) -> Days:
    """Return the package's regular sessions with what it lacks, ascending by local date.

    Raises: SystemExit for a change that changes nothing, since a later package may know it.
    """
    days = _days(mic)
    for change in changes:
        day = change["day"]
        hours = None
        if not change.get("closed"):
            hours = _local(mic, day, change["open"]), _local(mic, day, change["close"])
        if days.get(day) == hours:
            raise SystemExit(f"{mic} knows {day} by now: take its line out of {HOURS.name}")
        if hours is None:
            del days[day]
        else:
            days[day] = hours
    return dict(sorted(days.items()))


def _days(mic: str) -> Days:
    calendar = exchange_calendars.get_calendar(mic, start=FIRST, end=LAST)
    schedule = calendar.schedule
    sessions = zip(schedule.index, schedule["open"], schedule["close"], strict=True)
    return {
        day.date(): (opened.to_pydatetime(), closed.to_pydatetime())
        for day, opened, closed in sessions
    }


def _local(mic: str, day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=ZONES[mic]).astimezone(UTC)


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


if __name__ == "__main__":
    main()
