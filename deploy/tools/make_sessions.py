"""Make signals/market/sessions.json: the regular sessions of XNYS and XKRX.

    pip install exchange_calendars==4.13.2
    python deploy/tools/make_sessions.py > signals/market/sessions.json

The table is data that ships: exchange_calendars is needed to make it, not to run Tapewire. Times
are minutes since 1970 UTC, [open, close] a session. The package's Korean calendar lacks the late
hours of some exam days since 2021; they are not mended here.
"""

import json
import sys

import exchange_calendars

FIRST, LAST = "2018-01-01", "2027-06-30"


def main() -> None:
    """Write the table to standard output, a session a line."""
    tables = {}
    for mic in ("XKRX", "XNYS"):
        calendar = exchange_calendars.get_calendar(mic, start=FIRST, end=LAST)
        schedule = calendar.schedule
        pairs = zip(schedule["open"], schedule["close"], strict=True)
        tables[mic] = [[int(a.timestamp()) // 60, int(b.timestamp()) // 60] for a, b in pairs]
    document = {
        "source": f"exchange_calendars {exchange_calendars.__version__}",
        "unit": "minutes since 1970-01-01T00:00Z",
        "sessions": tables,
    }
    json.dump(document, sys.stdout, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
