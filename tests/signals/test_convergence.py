"""Whatever the interleaving and the repeats, every story and reaction ends the same.

Small random worlds are folded through the four agents in several orders. What the log itself keeps
in order stays so: the records of one key in one topic, as the stage before wrote them.
``TAPEWIRE_EXAMPLES`` asks for more worlds, drawn anew each time.
"""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals import names
from streams.replay import Pipeline
from tests.builders import agents, as_input, feed
from tests.interleavings import (
    EXAMPLES,
    ORDERS,
    Given,
    at_random,
    depth_first,
    fold_given,
    fold_in_order,
)
from tests.signals.worlds import POLICY, READINGS, TABLES, World, worlds

_AGENTS = agents(READINGS, policy=POLICY, tables=TABLES)
_JOIN = _AGENTS[2:]
_SETTINGS = settings(
    max_examples=EXAMPLES or 40,
    deadline=None,
    derandomize=EXAMPLES is None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _shuffled(world: World, random: Random) -> World:
    """Any order at all: a world is shorter than the disorder that the policy allows."""
    found = list(world)
    random.shuffle(found)
    return found


@_SETTINGS
@given(world=worlds(), seed=st.integers(0, 2**16))
def test_any_interleaving_ends_in_the_same_stories_and_reactions(world: World, seed: int) -> None:
    expected = fold_in_order(world, _AGENTS, depth_first(), repeats=False)
    for name, order in ORDERS.items():
        assert fold_in_order(world, _AGENTS, order(), repeats=False) == expected, name
    shuffled = _shuffled(world, Random(seed))
    assert fold_in_order(shuffled, _AGENTS, at_random(seed), repeats=False) == expected
    assert fold_in_order(shuffled, _AGENTS, at_random(seed + 1), repeats=True) == expected


def _journal(world: World) -> list[Given]:
    """What the first two agents make of a world."""
    pipeline = Pipeline(_AGENTS[:2])
    return [
        (output.topic, output.key, output.message)
        for message in world
        for output in pipeline.feed(*as_input(message))
        if output.topic == names.JOURNAL
    ]


@_SETTINGS
@given(world=worlds(), seed=st.integers(0, 2**16), repeats=st.integers(0, 20))
def test_read_events_and_seconds_may_come_in_any_order_and_again(
    world: World, seed: int, repeats: int
) -> None:
    # Not even the records of one key are in order here: an older revision after a newer one, the
    # whole of a second before its half.
    journal = _journal(world)
    expected = fold_given(journal, _JOIN, depth_first())
    random = Random(seed)
    again = [*journal, *random.choices(journal, k=min(repeats, len(journal)))]
    random.shuffle(again)

    assert fold_given(again, _JOIN, at_random(seed)) == expected


@_SETTINGS
@given(world=worlds())
def test_an_alert_is_known_from_the_receipt_of_the_record_that_raised_it(world: World) -> None:
    # In order of receipt, what a record raises rests on it and on what was received before it:
    # deleting every later input leaves the alert as it is.
    pipeline = Pipeline(_AGENTS)
    seen: set[tuple[str, int]] = set()
    for message in world:
        for alert in feed(pipeline, [message]):
            assert alert.known_us == message.received_us, alert.kind
            assert (alert.alert_id, alert.revision) not in seen
            seen.add((alert.alert_id, alert.revision))
