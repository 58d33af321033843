"""The canonical order of raw records, in which a replay folds them.

Inputs that are in the order of their receipt each are merged lazily, so that a run of any length
takes the memory of a short one; others are sorted in memory.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest

from signals import names
from signals.messages import Headline, PriceSample
from streams.codec import encode

__all__ = [
    "NotInOrder",
    "Place",
    "canonical_order",
    "is_in_order",
    "merge_in_order",
    "place_in_order",
]

_Message = Headline | PriceSample
Place = tuple[int, int, str, str, int]
_HEADLINE_RANK, _PRICE_RANK = 0, 1
_END: tuple[Place, int] = ((0, 0, "", "", 0), 0)  # the place of no record


def canonical_order(
    headlines: Iterable[Headline], prices: Iterable[PriceSample]
) -> Iterator[tuple[str, str, Headline | PriceSample]]:
    """Yield topic name, key and message by (received_us, topic rank, key, id).

    Headlines go before prices of the same receipt. A headline's id is followed by its revision; a
    price has no id, so its kind and event time stand for it, and after that its bytes: the order
    does not depend on that of the inputs. All records are held in memory while they are sorted.
    """
    for _, record in _in_order([*headlines, *prices]):
        yield _as_input(record)


class NotInOrder(Exception):  # noqa: N818 - a condition that the caller mends
    """An input holds a record that was received before the one ahead of it.

    Attributes:
        number: which of the inputs.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"input {number} is not in the order of receipt")
        self.number = number


def merge_in_order(
    inputs: Sequence[Iterable[_Message]],
) -> Iterator[tuple[str, str, _Message]]:
    """Yield what ``canonical_order`` yields, of inputs that are in the order of receipt each.

    Records of one receipt are held in memory together, no others.

    Raises: NotInOrder at the first record that comes too late; what was yielded before is then not
        the canonical order.
    """
    for _, record in place_in_order(inputs):
        yield _as_input(record)


def place_in_order(inputs: Sequence[Iterable[_Message]]) -> Iterator[tuple[Place, _Message]]:
    """Yield each record as ``merge_in_order`` does, with what the order goes by."""
    group: list[_Message] = []  # what was received together
    group_us = -1
    for received_us, record in _by_receipt(inputs):
        if received_us != group_us:
            if len(group) == 1:  # most of them: as fast as it goes
                yield _place_of(group[0]), group[0]
            elif group:
                yield from _in_order(group)
            group, group_us = [], received_us
        group.append(record)
    yield from _in_order(group)


def is_in_order(messages: Iterable[_Message]) -> bool:
    """Return whether records come in the order of their receipt."""
    last_us = 0
    for message in messages:
        if message.received_us < last_us:
            return False
        last_us = message.received_us
    return True


def _by_receipt(inputs: Sequence[Iterable[_Message]]) -> Iterator[tuple[int, _Message]]:
    """Yield records with their receipt; of one receipt, those of the first input first."""
    if len(inputs) == 1:
        last_us = 0
        for record in inputs[0]:
            if record.received_us < last_us:
                raise NotInOrder(0)
            last_us = record.received_us
            yield last_us, record
        return
    follow = [iter(messages).__next__ for messages in inputs]
    heap: list[tuple[int, int, _Message]] = []  # no two have one number: records never compare
    for number in range(len(inputs)):
        with suppress(StopIteration):
            record = follow[number]()
            heap.append((record.received_us, number, record))
    heapq.heapify(heap)
    while heap:
        received_us, number, record = heap[0]
        yield received_us, record
        try:
            record = follow[number]()
        except StopIteration:
            heapq.heappop(heap)
            continue
        if record.received_us < received_us:
            raise NotInOrder(number)
        heapq.heapreplace(heap, (record.received_us, number, record))


def _in_order(records: Sequence[_Message]) -> Iterator[tuple[Place, _Message]]:
    """Yield records by place, those with one place by their bytes."""
    placed = sorted((_place_of(record), at) for at, record in enumerate(records))
    tied: list[_Message] = []
    for (place, at), (following, _) in zip_longest(placed, placed[1:], fillvalue=_END):
        if place == following or tied:
            tied.append(records[at])
            if place != following:
                yield from ((place, record) for record in sorted(tied, key=encode))
                tied = []
        else:
            yield place, records[at]


def _as_input(record: _Message) -> tuple[str, str, _Message]:
    if isinstance(record, Headline):
        return names.HEADLINES, record.id, record
    return names.PRICES, record.ticker, record


def _place_of(record: _Message) -> Place:
    """Return what the canonical order goes by; records with one place have one key."""
    if isinstance(record, PriceSample):
        return (record.received_us, _PRICE_RANK, record.ticker, record.kind, record.event_us)
    return (record.received_us, _HEADLINE_RANK, record.id, "", record.revision)
