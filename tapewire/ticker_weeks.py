"""How many alerts a ticker had in a week."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from signals.messages import Alert
from signals.policy import DAY_US

__all__ = ["TickerWeeks"]

_WEEK_US = 7 * DAY_US
_MONDAY_US = 3 * DAY_US  # 1970 began on a Thursday


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerWeeks:
    """Alerts a ticker and week (Monday to Sunday, UTC), over those that had any.

    An alert counts for each ticker that it names, and for its anchor where it names none.
    """

    median: int
    p99: int
    most: int

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> "TickerWeeks":
        """Return the figures of some alerts; zeros where there are none."""
        counts = Counter(
            (ticker, (alert.known_us + _MONDAY_US) // _WEEK_US)
            for alert in alerts
            for ticker in alert.tickers or (alert.anchor,)
        )
        ascending = sorted(counts.values()) or [0]
        last = len(ascending) - 1
        return cls(
            median=ascending[last // 2],
            p99=ascending[-(-last * 99 // 100)],
            most=ascending[last],
        )
