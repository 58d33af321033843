"""Differences of two runs, as lines for people."""

from collections.abc import Iterator, Sequence

from streams.codec import to_json
from streams.compare import MISSING, Difference
from tapewire.columns import cut
from tapewire.verifying import OtherEnd, Shown

__all__ = ["ending_lines", "record_lines"]

_WIDEST = 72  # of a value, in places of a terminal
_WHAT = {
    "differing": "differs",
    "only_a": "only in A",
    "only_b": "only in B",
    "contradicted": "contradicts itself",
}


def record_lines(shown: Shown) -> Iterator[str]:
    """Yield what a record is called, and the first place where it differs with both values."""
    told = f", {shown.identity}" if shown.identity.id else ""
    yield f"{_WHAT[shown.what]}: {shown.topic}, key {shown.key}{told}"
    if shown.what in ("only_a", "only_b"):
        value = (*shown.a, *shown.b)[0]
        yield "  " + cut(
            "a tombstone" if value is None else value.decode(errors="replace"), _WIDEST
        )
        return
    labels = ("A", "B")
    if shown.what == "contradicted":
        side = "A" if len(shown.a) > 1 else "B"
        labels = (f"{side} first", f"{side} later")
    yield from _place_lines(shown.places(), labels)


def _place_lines(
    places: Sequence[Difference], labels: tuple[str, str] = ("A", "B")
) -> Iterator[str]:
    if not places:
        yield "  the same JSON, written in another way"
        return
    first = places[0]
    rest = len(places) - 1
    more = f"   (and {rest} more place{'' if rest == 1 else 's'})" if rest else ""
    yield f"  {first.path}{more}"
    for label, value in zip(labels, (first.a, first.b), strict=True):
        yield f"    {label} {_value(value)}"


def _value(value: object) -> str:
    return "is not there" if value is MISSING else cut(to_json(value), _WIDEST)


def ending_lines(other: OtherEnd) -> Iterator[str]:
    """Yield what ends otherwise, and the first place where it does with both values."""
    if other.a is None or other.b is None:
        side = "A" if other.b is None else "B"
        yield f"stands only in {side}: {other.subject.kind} {other.subject.id}"
        return
    yield f"ends otherwise: {other.subject.kind} {other.subject.id}"
    yield from _place_lines(other.places())
