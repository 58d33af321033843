"""How new a telling is: the earlier tellings of its story, in windows."""

from dataclasses import replace
from itertools import permutations

from signals.alerts.novelty import novelty_of
from signals.alerts.story import story_of
from signals.messages import Event, Micros, Novelty
from signals.policy import DAY_US, HOUR_US, Policy
from tests.builders import event, us

_AT = us("2025-11-03T12:00:00Z")


def _told(*hours: float) -> tuple[Event, ...]:
    """Tellings so many hours before the newest, which is the last."""
    events = [
        event(f"e{n}", "IREN", "MSFT", at=Micros(round(_AT - before * HOUR_US)))
        for n, before in enumerate((*hours, 0))
    ]
    return tuple(sorted(events, key=lambda one: (one.published_us, one.event_id)))


def _counts(novelty: Novelty) -> list[int]:
    return [one.count for one in novelty.counts]


def test_the_first_telling_is_all_new() -> None:
    novelty = novelty_of(_told())

    assert [one.window for one in novelty.counts] == ["PT12H", "PT24H", "P3D", "P5D", "P7D"]
    assert _counts(novelty) == [0, 0, 0, 0, 0]
    assert (novelty.headline_ids, novelty.days_since) == ((), None)


def test_windows_are_nested_and_share_one_list_of_headlines() -> None:
    novelty = novelty_of(_told(12, 12.1, 24, 71, 120, 168, 168.1))

    assert _counts(novelty) == [1, 3, 4, 5, 6]
    assert novelty.headline_ids == tuple(f"wire:e{n}" for n in range(6))
    assert novelty.days_since == 0.5


def test_a_telling_after_a_long_time_is_new_and_says_how_long_it_was_quiet() -> None:
    novelty = novelty_of(_told(10 * 24))

    assert _counts(novelty) == [0, 0, 0, 0, 0]
    assert (novelty.headline_ids, novelty.days_since) == ((), 10.0)


def test_the_list_is_bounded_and_the_counts_are_not() -> None:
    novelty = novelty_of(_told(*(n / 10 for n in range(1, 51))))

    assert _counts(novelty)[0] == 50
    assert novelty.headline_ids == tuple(f"wire:e{n}" for n in range(20))


def test_a_headline_that_gives_two_events_is_one_telling() -> None:
    first, second, newest = _told(2, 1)
    twice = replace(second, event_id="e9", headline_id=first.headline_id)
    own = replace(newest, event_id="e8", published_us=Micros(newest.published_us - HOUR_US))

    assert _counts(novelty_of((first, twice, newest)))[0] == 1
    assert _counts(novelty_of((own, newest)))[0] == 0


def test_novelty_is_a_function_of_the_set_of_tellings() -> None:
    found = {
        story_of(
            tuple(sorted(order, key=lambda one: (one.published_us, one.event_id))), (), Policy()
        ).novelty
        for order in permutations(_told(1, 30, 2 * DAY_US / HOUR_US))
    }

    assert len(found) == 1
