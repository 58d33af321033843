"""What the doctor says of the table of sessions."""

import pytest

from signals.messages import Micros
from signals.policy import DAY_US
from streams.tables import load_sessions
from tapewire.checks import sessions_check

_LAST_US = min(days[-1].close_us for days in load_sessions().by_market.values())


@pytest.mark.parametrize(("days_left", "state"), [(400, "ok"), (30, "warn"), (-1, "fail")])
def test_the_end_of_the_sessions_is_told_before_it_comes(days_left: int, state: str) -> None:
    found = sessions_check(Micros(_LAST_US - days_left * DAY_US))

    assert found.state == state
    assert "exchange_calendars" in found.detail
    assert bool(found.mend) == (state != "ok")
