"""Small agents on small topics: a chain of three, of which two keep a count for each key."""

from collections.abc import Mapping
from dataclasses import dataclass

from signals.errors import BadMessage
from signals.fold import EMPTY, NO_CHANGE, Agent, Output, Result, Row
from signals.messages import Micros
from streams.topics import DEAD_LETTERS, Topic

BASE_US = 1_760_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """A number on a key; ``n`` and ``total`` are what the last stage knew of that key."""

    id: str
    number: int
    received_us: Micros
    n: int = 0
    total: int = 0
    pad: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many numbers a key has had, the highest, their sum."""

    last: int
    n: int
    total: int
    pad: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One of the last numbers of a key."""

    number: int


def _topic(name: str, largest: str | None = None, partitions: int = 4) -> Topic:
    config = {"retention.ms": "-1"} | ({"max.message.bytes": largest} if largest else {})
    return Topic(
        name=name, key="a key", message=Toy, partitions=partitions, stateful=True, config=config
    )


A = _topic("toy-a.v1", largest=str(16 * 1024 * 1024))
B, C, D = _topic("toy-b.v1"), _topic("toy-c.v1"), _topic("toy-d.v1")
TOYS = (A, B, C, D, DEAD_LETTERS)
KEPT = 3


def forward(rows: Mapping[str, Row], key: str, toy: Toy) -> Result:
    """Pass a number on; the words in ``pad`` make it fail in the ways of a step."""
    if toy.pad == "bad":
        raise BadMessage("future_publish_time", "$.pad", "must not be bad")
    if len(toy.pad) > 1_000_000:
        raise BadMessage("too_large", "$.pad", f"must be short, was {len(toy.pad)} characters")
    if toy.pad == "bug":
        raise RuntimeError("a bug in the step")
    pad = "x" * 2_000_000 if toy.pad == "large" else ""
    message = Toy(id=f"b:{toy.number}", number=toy.number, received_us=toy.received_us, pad=pad)
    return NO_CHANGE, (_output(B, key, message),)


def count(to: Topic, stage: str, *, pad: str = "") -> object:
    """Return a step that counts the numbers of a key; a number that comes again changes nothing."""

    def step(rows: Mapping[str, Row], key: str, toy: Toy) -> Result:
        before = rows.get("count") or Count(last=-1, n=0, total=0)
        if toy.number <= before.last:
            return EMPTY
        n, total = before.n + 1, before.total + toy.number
        changes: dict[str, Row | None] = {
            "count": Count(last=toy.number, n=n, total=total, pad=pad),
            f"seen:{n}": Seen(number=toy.number),
        }
        if n > KEPT:
            changes[f"seen:{n - KEPT}"] = None
        message = Toy(
            id=f"{stage}:{toy.number}",
            number=toy.number,
            received_us=toy.received_us,
            n=n,
            total=total,
        )
        return changes, (_output(to, key, message),)

    return step


def _output(topic: Topic, key: str, toy: Toy) -> Output:
    return Output(topic=topic.name, key=key, message=toy, event_us=toy.received_us)


ROWS = {"count": Count, "seen": Seen}
FORWARD = Agent(name="forward", reads=A.name, step=forward)
COUNT = Agent(name="count", reads=B.name, step=count(C, "c"), rows=ROWS)
COUNT_AGAIN = Agent(name="count_again", reads=C.name, step=count(D, "d"), rows=ROWS)
CHAIN = (FORWARD, COUNT, COUNT_AGAIN)


def toy(number: int, *, pad: str = "") -> Toy:
    """Return the toy of a number, received a millisecond after the one before."""
    return Toy(
        id=f"a:{number}", number=number, received_us=Micros(BASE_US + 1000 * number), pad=pad
    )
