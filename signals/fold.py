"""What an agent is: a pure step over the state of one key.

``step(rows, key, message) -> Result``. No clock, no timer, no I/O, no randomness; the step never
changes the rows that it was given. State is rows: a mapping of part name to a frozen dataclass
("open:ev_12…", "path:29369310"), so that a step writes what it changed, not all that a key
remembers. A change of None removes the part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from signals.messages import Message, Micros

__all__ = ["EMPTY", "Agent", "Draft", "Output", "Result", "Row", "Rows", "Step", "apply_changes"]

Row = Any  # a frozen dataclass; which one follows from the part's name, see Agent.rows
Rows = Mapping[str, Row]


class Output(NamedTuple):
    """A message for a topic.

    Attributes:
        topic: the topic's name in the registry, without prefix (``journal.v1``).
        key: the record's key.
        message: what is sent.
        event_us: the record's Kafka timestamp: the earlier of event time and receipt.
    """

    topic: str
    key: str
    message: Message
    event_us: Micros


class Result(NamedTuple):
    """What a step gives: the rows that it changed, and its outputs in order.

    A tuple, as ``Output`` is, because one is made for every record: in half a microsecond.
    """

    changes: Mapping[str, Row | None] = MappingProxyType({})
    outputs: tuple[Output, ...] = ()


EMPTY = Result()

Step = Callable[[Rows, str, Any], Result]


def apply_changes(rows: Rows, changes: Mapping[str, Row | None]) -> dict[str, Row]:
    """Return the rows after the changes; neither argument is touched."""
    merged = dict(rows)
    for part, row in changes.items():
        if row is None:
            merged.pop(part, None)
        else:
            merged[part] = row
    return merged


class Draft:
    """A step's own view of the rows: its changes over what it was given, and its outputs."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._changes: dict[str, Row | None] = {}
        self._kinds: dict[str, list[str]] | None = None  # part names by prefix, found when asked
        self.outputs: list[Output] = []

    def get(self, part: str) -> Row | None:
        """Return a row as it stands now, None where there is none."""
        return self._changes[part] if part in self._changes else self._rows.get(part)

    def put(self, part: str, row: Row) -> None:
        """Set a row; one that is equal to what stands there is no change."""
        if self.get(part) != row:
            self._changes[part] = row

    def drop(self, part: str) -> None:
        """Remove a row if it is there."""
        if self.get(part) is not None:
            self._changes[part] = None

    def was_changed(self, part: str) -> bool:
        """Return whether this step has set the row."""
        return part in self._changes

    def parts(self, prefix: str) -> list[str]:
        """Return the parts of a kind (``event:``) that stand now, in order."""
        if self._kinds is None:
            self._kinds = {}
            for part in self._rows:
                self._kinds.setdefault(part.partition(":")[0], []).append(part)
        names = set(self._kinds.get(prefix.rstrip(":"), ()))
        names |= {part for part in self._changes if part.startswith(prefix)}
        return sorted(part for part in names if self.get(part) is not None)

    def result(self) -> Result:
        """Return the step's result."""
        return Result(changes=dict(self._changes), outputs=tuple(self.outputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The declaration of an agent: what it reads, its step, and the rows that it keeps.

    Attributes:
        name: a verb phrase, ``read_headlines``; names the table and the metric label too.
        reads: the registry name of its one input topic; a key of that topic is a key of its state.
        step: the fold.
        rows: the row type by the part's prefix (before the first ``:``); empty for no state.
    """

    name: str
    reads: str
    step: Step
    rows: Mapping[str, type] = field(default_factory=dict)
