"""What an agent is: a pure step over the state of one key.

``step(rows, key, message) -> Result``. No clock, no timer, no I/O, no randomness; the step never
changes the rows that it was given. State is rows: a mapping of part name to a frozen dataclass
("open:ev_12…", "path:29369310"), so that a step writes what it changed, not all that a key
remembers. A change of None removes the part.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from signals.messages import Message, Micros

__all__ = [
    "EMPTY",
    "NO_CHANGE",
    "Agent",
    "Draft",
    "KeyRows",
    "Output",
    "Result",
    "Row",
    "Rows",
    "Step",
    "apply_changes",
    "kind_of",
]

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


# What a step gives: the rows that it changed, and its outputs in order. A plain tuple, because one
# is made for every record.
Result = tuple[Mapping[str, Row | None], tuple[Output, ...]]

NO_CHANGE: Mapping[str, Row | None] = MappingProxyType({})
EMPTY: Result = (NO_CHANGE, ())

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


def kind_of(part: str) -> str:
    """Return what a row is, which is the beginning of its part: ``event:ev_12`` is an ``event``."""
    return part.partition(":")[0]


_set = dict[str, Row].__setitem__


class KeyRows(dict[str, Row]):
    """The rows of a key, and the names of its parts by kind, so that a step need not look for them.

    Whoever keeps the state sets rows with ``put``; a step is given it to read.
    """

    __slots__ = ("kinds",)

    def __init__(self, rows: Rows = MappingProxyType({})) -> None:
        super().__init__()
        self.kinds: dict[str, dict[str, None]] = {}
        for part, row in rows.items():
            self.put(part, row)

    def put(self, part: str, row: Row | None) -> None:
        """Set a row, or take it out."""
        if row is None:
            if self.pop(part, None) is not None:
                del self.kinds[kind_of(part)][part]
            return
        if part not in self:
            self.kinds.setdefault(kind_of(part), {})[part] = None
        _set(self, part, row)

    def apply(self, changes: Mapping[str, Row | None]) -> None:
        """Set and take out what a step has changed."""
        for part, row in changes.items():
            if row is not None and part in self:
                _set(self, part, row)  # nearly all of them
            else:
                self.put(part, row)

    def __setitem__(self, part: str, row: Row) -> None:
        raise TypeError("a step does not change the rows that it is given")

    def __delitem__(self, part: str) -> None:
        raise TypeError("a step does not change the rows that it is given")


class Draft:
    """A step's own view of the rows: its changes over what it was given, and its outputs."""

    __slots__ = ("_changes", "_kinds", "_rows", "outputs")

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._changes: dict[str, Row | None] = {}
        self._kinds: Mapping[str, Mapping[str, None]] | None = getattr(rows, "kinds", None)
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

    def parts(self, kind: str) -> list[str]:
        """Return the parts of a kind (``event``) that stand now, in order."""
        return sorted(part for part in self._names(kind) if self.get(part) is not None)

    def values(self, kind: str) -> list[Row]:
        """Return the rows of a kind that stand now, in no order that means anything."""
        return [row for part in self._names(kind) if (row := self.get(part)) is not None]

    def result(self) -> Result:
        """Return the step's result."""
        return self._changes, tuple(self.outputs)

    def _names(self, kind: str) -> Iterable[str]:
        if self._kinds is None:
            self._kinds = KeyRows(self._rows).kinds
        before = self._kinds.get(kind, {})
        made = [p for p in self._changes if p not in before and kind_of(p) == kind]
        return (*before, *made) if made else before


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The declaration of an agent: what it reads, its step, and the rows that it keeps.

    Attributes:
        name: a verb phrase, ``read_headlines``; names the table and the metric label too.
        reads: the registry name of its one input topic; a key of that topic is a key of its state.
        step: the fold.
        rows: the type of a row by the part's prefix (before the first ``:``); empty for no state.
    """

    name: str
    reads: str
    step: Step
    rows: Mapping[str, Any] = field(default_factory=dict)
