"""How a run ended: the last state of every story, every reaction and every unexplained move.

This is what the convergent promise is about: of a story its id, anchor, type, status, direction,
tickers, amounts and moves; of a reaction and of a report all but the record's id and revision.
``known_us`` of a move depends on what came first, and is left out. Stories that were superseded or
retracted on the way, reactions and reports that were withdrawn, are no part of the end. Nor is the
alert of an unexplained move: whether there was one depends on what came first, and the report says
how it ended.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from signals import names
from streams.codec import encode

__all__ = ["KINDS", "LastState", "Subject", "state_of"]

KINDS = ("story", "reaction", "report")
_STORY_FIELDS = ("story_id", "anchor", "type", "status", "direction", "tickers", "amounts")
_OF_THE_RECORD = frozenset({"id", "revision"})


class Subject(NamedTuple):
    """What has a last state: its kind (one of ``KINDS``) and its id.

    A story that was superseded on one anchor lives on with another, so both are its id.
    """

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class _Seen:
    revision: int
    digest: bytes | None  # None where it stands no more


def state_of(value: bytes | None) -> tuple[Subject, int, Mapping[str, Any] | None] | None:
    """Return what a record is about, its revision, and the state that it tells.

    The state is None where the record takes its subject back; None alone for a record that tells
    of no subject.
    """
    try:
        plain = orjson.loads(value or b"")
        if not isinstance(plain, dict) or type(plain.get("revision")) is not int:
            return None
        if "alert_id" in plain:
            return _story(plain)
        if plain.get("kind") == "reaction":
            return _measured(Subject("reaction", str(plain["reaction_id"])), plain)
        if plain.get("kind") == "move":
            return _measured(Subject("report", str(plain["move_id"])), plain)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        pass  # a record that no reader of the topic can use says nothing about any story
    return None


def _story(plain: dict[str, Any]) -> tuple[Subject, int, Mapping[str, Any] | None] | None:
    if plain["type"] is None:
        return None
    subject = Subject("story", f"{plain['story_id']} on {plain['anchor']}")
    if plain["kind"] in ("retracted", "superseded"):
        return subject, plain["revision"], None
    told = {name: plain[name] for name in _STORY_FIELDS}
    return subject, plain["revision"], told | {"moves": [_timeless(m) for m in plain["moves"]]}


def _measured(
    subject: Subject, plain: dict[str, Any]
) -> tuple[Subject, int, Mapping[str, Any] | None]:
    if plain["status"] != "live":
        return subject, plain["revision"], None
    told = {name: value for name, value in plain.items() if name not in _OF_THE_RECORD}
    return subject, plain["revision"], told | {"move": _timeless(plain["move"])}


def _timeless(move: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in move.items() if name != "known_us"}


class LastState:
    """The last state of one run, from its records in any order; 32 bytes are held of each."""

    TOPICS = (names.REACTIONS, names.ALERTS)

    def __init__(self) -> None:
        self._seen: dict[Subject, _Seen] = {}

    def add(self, value: bytes | None) -> None:
        """Take in a record. Of two with one revision, which no run gives, the first stands."""
        found = state_of(value)
        if found is None:
            return
        subject, revision, state = found
        known = self._seen.get(subject)
        if known is None or revision > known.revision:
            digest = None if state is None else hashlib.sha256(encode(state)).digest()
            self._seen[subject] = _Seen(revision, digest)

    def standing(self) -> dict[Subject, str]:
        """Return the SHA-256 of each state, by kind and id."""
        return {
            subject: seen.digest.hex()
            for subject, seen in sorted(self._seen.items())
            if seen.digest is not None
        }

    def revision(self, subject: Subject) -> int:
        """Return the revision that tells the last state."""
        return self._seen[subject].revision

    def counts(self) -> Counter[str]:
        """Return how many of each kind stand."""
        return Counter(subject.kind for subject in self.standing())

    def sha256(self) -> str:
        """Return one hash over all of it: of a line ``kind id hash`` for each, in that order."""
        digest = hashlib.sha256()
        for line in self._lines():
            digest.update(line)
        return digest.hexdigest()

    def _lines(self) -> Iterator[bytes]:
        for subject, state in self.standing().items():
            yield f"{subject.kind} {subject.id} {state}\n".encode()
