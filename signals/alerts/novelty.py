"""How new a story's newest telling is: its earlier tellings in windows of 12 h to 7 days.

The windows are those of the field (item counts and linked ids over 12 h, 24 h, 3, 5 and 7 days),
and so are the days since the last telling. A pure function of the set of a story's events.
"""

from collections.abc import Sequence

from signals.messages import Event, Novelty, NoveltyCount
from signals.policy import DAY_US, HOUR_US

__all__ = ["novelty_of"]

_WINDOWS = (
    ("PT12H", 12 * HOUR_US),
    ("PT24H", DAY_US),
    ("P3D", 3 * DAY_US),
    ("P5D", 5 * DAY_US),
    ("P7D", 7 * DAY_US),
)
_MOST_IDS = 20


def novelty_of(events: Sequence[Event]) -> Novelty:
    """Return the novelty of the last of a story's events, which are in the order (published, id).

    A headline is one telling, however many of the story's events it gives.
    """
    newest = events[-1]
    ages: dict[str, int] = {}  # by headline, the newest first
    for event in reversed(events):
        if event.headline_id != newest.headline_id:
            ages.setdefault(event.headline_id, newest.published_us - event.published_us)
    counts = tuple(
        NoveltyCount(window=name, count=sum(age <= span_us for age in ages.values()))
        for name, span_us in _WINDOWS
    )
    last_us = min(ages.values(), default=None)
    return Novelty(
        counts=counts,
        headline_ids=tuple(ages)[: min(counts[-1].count, _MOST_IDS)],
        days_since=None if last_us is None else round(last_us / DAY_US, 4),
    )
