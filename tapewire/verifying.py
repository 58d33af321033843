"""Two runs compared: an alert log, a recording or the topics of a broker, against another one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from signals import names
from signals.errors import ConfigError
from streams.compare import (
    Comparison,
    Difference,
    Found,
    Identity,
    Side,
    differences,
    identify,
    record_digest,
)
from streams.last_state import LastState, Subject, state_of
from streams.recording import open_recording

__all__ = [
    "WRITTEN",
    "AlertLog",
    "Compared",
    "Endings",
    "OtherEnd",
    "Recording",
    "Run",
    "Shown",
    "Take",
    "compare_endings",
    "compare_topic",
]

# What the agents write: a broker's topics are compared by these unless others are named.
WRITTEN = (names.EVENTS, names.JOURNAL, names.REACTIONS, names.ALERTS, names.DEAD_LETTERS)

Take = Callable[[bytes | None, bytes | None], None]  # a record's key and value
OnRecord = Callable[[], None]
_SIDES: tuple[Side, Side] = ("a", "b")


class Run(Protocol):
    """The records of a run, by topic; they can be read again."""

    @property
    def name(self) -> str:
        """Return what the user calls it."""

    def topics(self) -> Sequence[str]:
        """Return the topics that it holds, without prefix."""

    def read(self, topic: str, take: Take) -> None:
        """Hand each record of a topic to ``take``, in order; none where it is not held."""


# ---- the kinds of run that are files -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertLog:
    """Alerts as JSON lines, as ``tapewire replay`` and ``tapewire tail --json`` write them."""

    path: Path

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self.path)

    def topics(self) -> Sequence[str]:
        """Return the alerts' topic."""
        return (names.ALERTS,)

    def read(self, topic: str, take: Take) -> None:
        """Hand over each line under its anchor. Raises: ConfigError for a line that is no alert."""
        if topic != names.ALERTS:
            return
        try:
            with self.path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    take(self._anchor(number, line), line.removesuffix(b"\n"))
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror}") from error

    def _anchor(self, number: int, line: bytes) -> bytes:
        try:
            plain = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if line.endswith(b"\n"):
                raise ConfigError(f"{self.path}:{number} is no alert: {error}") from error
            raise ConfigError(
                f"{self.path}:{number} is torn, the file ends in the middle of an alert; "
                "write it again"
            ) from error
        if not isinstance(plain, dict):
            raise ConfigError(f"{self.path}:{number} is no alert, it is not an object")
        for name, kind in (("alert_id", str), ("revision", int), ("anchor", str)):
            if type(plain.get(name)) is not kind:
                seen = plain.get(name, "not there")
                raise ConfigError(f"{self.path}:{number} is no alert: {name} was {seen!r:.60}")
        anchor: str = plain["anchor"]
        return anchor.encode()


@dataclass(frozen=True, slots=True)
class Recording:
    """A folder that ``tapewire record`` or ``tapewire demo`` has written."""

    folder: Path

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self.folder)

    def topics(self) -> Sequence[str]:
        """Return the recorded topics. Raises: ConfigError for a folder that is no recording."""
        return open_recording(self.folder).topics

    def read(self, topic: str, take: Take) -> None:
        """Hand over each record. Raises: ConfigError for a recording that is not whole."""
        recording = open_recording(self.folder)
        for record in recording.read(topic) if topic in recording.topics else ():
            take(record.key, record.value)


# ---- exact: by id and content --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One difference, with what is needed to look at it.

    ``a`` and ``b`` are the distinct contents under the id, at most two a side: two on one side
    contradict each other.
    """

    topic: str
    key: str
    identity: Identity
    a: Sequence[bytes | None] = ()
    b: Sequence[bytes | None] = ()

    @property
    def what(self) -> Literal["differing", "only_a", "only_b", "contradicted"]:
        """Return the kind of difference."""
        if len(self.a) > 1 or len(self.b) > 1:
            return "contradicted"
        if self.a and self.b:
            return "differing"
        return "only_a" if self.a else "only_b"

    def places(self) -> list[Difference]:
        """Return where the two contents differ; none where one JSON is written in two ways."""
        one, other = self.a, self.b
        if len(one) > 1 or not other:
            other = one[1:]
        elif not one:
            one, other = other, other[1:]
        return list(differences(_plain(one[0]), _plain(other[0]))) if one and other else []


@dataclass(frozen=True, slots=True)
class Compared:
    """How one topic compares, and its first differences."""

    topic: str
    found: Found
    shown: Sequence[Shown]


def compare_topic(
    a: Run, b: Run, topic: str, *, most: int, on_record: OnRecord | None = None
) -> Compared:
    """Compare a topic of two runs by id and content.

    Args:
        a: read once, and once more where it differs.
        b: likewise.
        topic: its name without prefix; a run that does not hold it has no records of it.
        most: how many differences of each kind are given.
        on_record: called for each record that is read.

    Raises: ConfigError for a file that is no run; Unavailable for a broker that does not answer.
    """
    comparison = Comparison()
    for side, run in zip(_SIDES, (a, b), strict=True):
        run.read(topic, _taking(partial(comparison.add, side), on_record))
    found = comparison.found()
    wanted = list(comparison.first(most)) if found.different else []
    return Compared(topic, found, _fetch(a, b, topic, wanted))


def _fetch(a: Run, b: Run, topic: str, wanted: Sequence[bytes]) -> Sequence[Shown]:
    """Return the records of these digests, from a second reading."""
    if not wanted:
        return ()
    keys: dict[bytes, bytes] = {}
    contents: dict[tuple[bytes, Side], list[bytes | None]] = {
        (name, side): [] for name in wanted for side in _SIDES
    }

    def take(side: Side, key: bytes | None, value: bytes | None) -> None:
        name = record_digest(key, value)
        held = contents.get((name, side))
        if held is not None and value not in held and len(held) < 2:
            held.append(value)
            keys[name] = key or b""

    for side, run in zip(_SIDES, (a, b), strict=True):
        run.read(topic, partial(take, side))
    if any(name not in keys for name in wanted):
        raise ConfigError(f"{topic} of {a.name} or {b.name} was changed while it was read")
    return [
        Shown(
            topic,
            keys[name].decode(errors="replace"),
            identify((contents[name, "a"] + contents[name, "b"])[0]),
            contents[name, "a"],
            contents[name, "b"],
        )
        for name in wanted
    ]


def _plain(value: bytes | None) -> object:
    try:
        return orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return (value or b"").decode(errors="replace")


def _taking(take: Take, on_record: OnRecord | None) -> Take:
    if on_record is None:
        return take

    def take_and_tell(key: bytes | None, value: bytes | None) -> None:
        take(key, value)
        on_record()

    return take_and_tell


# ---- convergent: how it ended --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OtherEnd:
    """A subject whose last state differs; a side on which it does not stand has None."""

    subject: Subject
    a: Mapping[str, Any] | None
    b: Mapping[str, Any] | None

    def places(self) -> list[Difference]:
        """Return where the two states differ; none where one side has none."""
        return [] if self.a is None or self.b is None else list(differences(self.a, self.b))


@dataclass(frozen=True, slots=True)
class Endings:
    """The last states of two runs; ``different`` are all that differ, ``shown`` the first."""

    a: LastState
    b: LastState
    different: Sequence[Subject]
    shown: Sequence[OtherEnd]


def compare_endings(
    a: Run, b: Run, topics: Sequence[str], *, most: int, on_record: OnRecord | None = None
) -> Endings:
    """Compare the last state of every story, reaction and report of a move.

    Args and Raises: as ``compare_topic``.
    """
    ends = LastState(), LastState()
    for end, run in zip(ends, (a, b), strict=True):
        for topic in topics:
            run.read(topic, _taking(partial(_add_to, end), on_record))
    one, other = (end.standing() for end in ends)
    different = [
        subject
        for subject in sorted(one.keys() | other.keys())
        if one.get(subject) != other.get(subject)
    ]
    wanted = different[:most]
    states = [_states(run, end, topics, wanted) for run, end in zip((a, b), ends, strict=True)]
    shown = [OtherEnd(subject, *(held.get(subject) for held in states)) for subject in wanted]
    return Endings(*ends, different, shown)


def _add_to(end: LastState, _: bytes | None, value: bytes | None) -> None:
    end.add(value)


def _states(
    run: Run, end: LastState, topics: Sequence[str], wanted: Sequence[Subject]
) -> Mapping[Subject, Mapping[str, Any]]:
    """Return the last states of these subjects, from a second reading."""
    standing = end.standing()
    left = {(subject, end.revision(subject)) for subject in wanted if subject in standing}
    states: dict[Subject, Mapping[str, Any]] = {}

    def take(_: bytes | None, value: bytes | None) -> None:
        told = state_of(value)
        if told is not None and told[2] is not None and told[:2] in left:
            states.setdefault(told[0], told[2])

    for topic in topics if left else ():
        run.read(topic, take)
    return states
