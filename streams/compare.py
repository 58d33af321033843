"""Two runs compared, record by record: by id, and then by content, byte for byte.

A record's id is its topic, its key and what its message says of itself: an alert's id and revision,
the id of a headline, an event, a reaction or a report, and what tells the relays of one event
apart. A message that says nothing (a second, a price, a dead letter) is known by its content. A
record that comes again under its id with the same content is a repeat, and counts once.

Of each id 16 bytes are held, of each content 16, and of no record the bytes: a second reading
fetches the few records that are shown.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import orjson

from streams.codec import encode

__all__ = [
    "MISSING",
    "Comparison",
    "Difference",
    "Found",
    "Identity",
    "Missing",
    "Side",
    "differences",
    "identify",
    "record_digest",
]

Side = Literal["a", "b"]
_DIGEST_SIZE = 16
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


# ---- what a record is called ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """What a message says that it is; ``id`` is empty where it says nothing."""

    id: str = ""
    revision: int | None = None
    part: str = ""

    def __str__(self) -> str:
        words = (self.id, "" if self.revision is None else f"revision {self.revision}", self.part)
        return ", ".join(word for word in words if word)


_NAMELESS = Identity()


def identify(value: bytes | None) -> Identity:
    """Return the identity that a record's value tells, of whichever topic it is."""
    try:
        plain = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return _NAMELESS
    if not isinstance(plain, dict):
        return _NAMELESS
    event = plain.get("event")
    if isinstance(event, dict):
        relay = f"{plain['via']} #{plain.get('sequence')}" if "via" in plain else ""
        return _identity(event, "id", part=relay)
    return _identity(plain, "alert_id" if "alert_id" in plain else "id")


def _identity(plain: dict[str, Any], name: str, *, part: str = "") -> Identity:
    named, revision = plain.get(name), plain.get("revision")
    if not isinstance(named, str):
        return _NAMELESS
    return Identity(named, revision if type(revision) is int else None, part)


# ---- where two messages differ -------------------------------------------------------------------


class Missing:
    """What stands for a field or an item that one side does not have."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two JSON values differ; a side that has nothing there is ``MISSING``."""

    path: str
    a: Any
    b: Any


def differences(a: object, b: object) -> Iterator[Difference]:
    """Yield where two JSON values differ, fields by name and items by place.

    Values are the same if their JSON is: 1 is not 1.0, and true is not 1.
    """
    open_: list[tuple[str, Any, Any]] = [("$", a, b)]
    while open_:
        path, one, other = open_.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            inner = [
                (_below(path, name), one.get(name, MISSING), other.get(name, MISSING))
                for name in sorted(one.keys() | other.keys())
            ]
        elif isinstance(one, list) and isinstance(other, list):
            inner = [
                (f"{path}[{at}]", _item(one, at), _item(other, at))
                for at in range(max(len(one), len(other)))
            ]
        else:
            if _is_other(one, other):
                yield Difference(path, one, other)
            continue
        open_ += reversed(inner)


def _below(path: str, name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}"
    return f"{path}[{encode(name).decode()}]"


def _item(items: list[Any], at: int) -> Any:
    return items[at] if at < len(items) else MISSING


def _is_other(one: object, other: object) -> bool:
    if one is MISSING or other is MISSING:
        return one is not other
    return encode(one) != encode(other)


# ---- two runs ------------------------------------------------------------------------------------


class _State(IntEnum):
    ONLY_A, ONLY_B, EQUAL, DIFFERING = range(4)


@dataclass(slots=True)
class Found:
    """How the records of one topic compare, each id counted once.

    ``differing`` have one id and two contents. ``repeated`` and ``contradicted`` are by side:
    records that came again under their id, with the same content and with another one.
    """

    equal: int = 0
    only_a: int = 0
    only_b: int = 0
    differing: int = 0
    repeated: dict[Side, int] = field(default_factory=lambda: {"a": 0, "b": 0})
    contradicted: dict[Side, int] = field(default_factory=lambda: {"a": 0, "b": 0})

    @property
    def different(self) -> int:
        """Return how many records are not the same: 0 where both sides hold one run."""
        return self.only_a + self.only_b + self.differing + sum(self.contradicted.values())


class Comparison:
    """The records of one topic of two runs: all of side a first, then all of side b."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}  # by the digest of the id, in order of first sight
        self._contents = bytearray()
        self._states = bytearray()
        self._others: dict[int, bytes] = {}  # what side b holds instead, by place
        self._contradicted: dict[Side, dict[int, None]] = {"a": {}, "b": {}}
        self._found = Found()

    def add(self, side: Side, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of a side."""
        name = record_digest(key, value)
        content = _digest(value)
        place = self._places.get(name)
        if place is None:
            self._places[name] = len(self._states)
            self._contents += content
            self._states.append(_State.ONLY_A if side == "a" else _State.ONLY_B)
            return
        state = self._states[place]
        held = self._others.get(place) if side == "b" else None
        if held is None:
            start = place * _DIGEST_SIZE
            held = bytes(self._contents[start : start + _DIGEST_SIZE])
        if side == "b" and state == _State.ONLY_A:
            self._meet(place, held, content)
        elif held == content:
            self._found.repeated[side] += 1
        else:
            self._found.contradicted[side] += 1
            self._contradicted[side].setdefault(place)

    def _meet(self, place: int, held: bytes, content: bytes) -> None:
        if held == content:
            self._states[place] = _State.EQUAL
        else:
            self._states[place] = _State.DIFFERING
            self._others[place] = content

    def found(self) -> Found:
        """Return how the records compare that have been taken in."""
        count = self._states.count
        found = self._found
        found.equal, found.differing = count(_State.EQUAL), count(_State.DIFFERING)
        found.only_a, found.only_b = count(_State.ONLY_A), count(_State.ONLY_B)
        return found

    def first(self, most: int) -> dict[bytes, None]:
        """Return the digests of the first records of each kind of difference, in their order."""
        left = dict.fromkeys((_State.DIFFERING, _State.ONLY_A, _State.ONLY_B), most)
        contradicted = {
            *list(self._contradicted["a"])[:most],
            *list(self._contradicted["b"])[:most],
        }
        chosen: list[tuple[int, int, bytes]] = []
        for name, place in self._places.items():
            state = _State(self._states[place])
            if left.get(state, 0) > 0:
                left[state] -= 1
            elif place not in contradicted:
                continue
            rank = (_State.DIFFERING, _State.ONLY_A, _State.ONLY_B, _State.EQUAL).index(state)
            chosen.append((rank, place, name))
        return dict.fromkeys(name for _, _, name in sorted(chosen))


def record_digest(key: bytes | None, value: bytes | None) -> bytes:
    """Return the 16 bytes that a record is known by within its topic: of its key and identity."""
    identity = identify(value)
    if identity.id:
        told = encode([identity.id, identity.revision, identity.part])
    else:
        told = _digest(value)
    return _digest(b"%d:" % len(key or b"") + (key or b"") + told)


def _digest(raw: bytes | None) -> bytes:
    if raw is None:
        return bytes(_DIGEST_SIZE)
    return hashlib.blake2b(raw, digest_size=_DIGEST_SIZE).digest()
