"""The set-ups that must all end alike: orders of a replay, brokers, partitions, workers, kills."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from signals.messages import Headline, PriceSample
from signals.policy import MINUTE_US
from tests.chaos.real import World
from tests.interleavings import ORDERS, Chooser, at_random

_DISORDER_US = 20 * MINUTE_US  # of records that lie beside each other; the policy allows three days


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One way from raw inputs to alerts.

    ``broker`` is None for a replay without one, and then ``order`` says which queue is next.
    ``shuffled`` inputs do not come by their receipt, ``repeated`` records come twice.
    """

    broker: Literal["embedded", "kafka"] | None = None
    partitions: int = 0
    workers: int = 0
    kills: int = 0
    order: str = "prices first"
    shuffled: bool = False
    repeated: bool = False

    def __str__(self) -> str:
        if self.broker is None:
            words = [f"replay, {self.order}"]
        else:
            words = [f"{self.broker}, {_of(self.partitions, 'partition')}"]
            words.append(_of(self.workers, "worker"))
        words += ["shuffled"] * self.shuffled + ["all twice"] * self.repeated
        return ", ".join(words)


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


CHOOSERS: Mapping[str, Callable[[int], Chooser]] = {
    **{name: lambda _, order=order: order() for name, order in ORDERS.items()},
    "at random": at_random,
}

_REPLAYS = (
    *(Setup(order=name) for name in ("prices first", "news first", "alerts last", "round robin")),
    Setup(order="at random"),
    Setup(order="prices first", shuffled=True),
    Setup(order="at random", shuffled=True),
    Setup(order="at random", shuffled=True, repeated=True),
)
_SHAPES = ((1, 1), (3, 1), (12, 1), (1, 2), (3, 2), (12, 2))
_SHUFFLED = ((1, 1), (3, 1), (12, 2))
_LIVE = (
    *(Setup(broker="kafka", partitions=p, workers=w) for p, w in _SHAPES),
    *(
        Setup(broker="kafka", partitions=p, workers=w, kills=3, shuffled=(p, w) in _SHUFFLED)
        for p, w in _SHAPES
    ),
    Setup(broker="embedded", partitions=4, workers=1),
    Setup(broker="embedded", partitions=4, workers=1, kills=3, shuffled=True),
)
ALL = _REPLAYS + _LIVE
SHORT = (
    Setup(order="prices first"),
    Setup(order="at random", shuffled=True),
    Setup(broker="embedded", partitions=4, workers=1, kills=1),
    Setup(broker="kafka", partitions=3, workers=2, kills=1, shuffled=True),
)


def as_sent(world: World, setup: Setup, random: Random) -> World:
    """Return the inputs in the order in which this set-up gets them."""
    if not setup.shuffled:
        return world

    def place(message: Headline | PriceSample) -> int:
        return message.received_us + random.randrange(_DISORDER_US)

    return sorted(world, key=place)
