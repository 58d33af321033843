"""The canonical order of raw records, in which a replay folds them.

Inputs that are in the order of their receipt each are merged lazily, so that a run of any length
takes the memory of a short one; others are sorted in memory.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from signals import names
from signals.messages import Headline, PriceSample
from streams.codec import encode

__all__ = ["NotInOrder", "canonical_order", "is_in_order", "merge_in_order", "place_of"]

_Message = Headline | PriceSample
_Order = tuple[int, int, str, str, int]
_HEADLINE_RANK, _PRICE_RANK = 0, 1


def canonical_order(
    headlines: Iterable[Headline], prices: Iterable[PriceSample]
) -> Iterator[tuple[str, str, Headline | PriceSample]]:
    """Yield topic name, key and message by (received_us, topic rank, key, id).

    Headlines go before prices of the same receipt. A headline's id is followed by its revision; a
    price has no id, so its kind and event time stand for it, and after that its bytes: the order
    does not depend on that of the inputs. All records are held in memory while they are sorted.
    """
    yield from _in_order([*headlines, *prices])


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
    checked = [_checked(number, messages) for number, messages in enumerate(inputs)]
    for _, group in groupby(heapq.merge(*checked, key=_receipt), key=_receipt):
        records = list(group)
        if len(records) == 1:  # most of them: as fast as it goes
            yield _as_input(records[0])
        else:
            yield from _in_order(records)


def is_in_order(messages: Iterable[_Message]) -> bool:
    """Return whether records come in the order of their receipt."""
    last_us = 0
    for message in messages:
        if message.received_us < last_us:
            return False
        last_us = message.received_us
    return True


_receipt = attrgetter("received_us")


def _checked(number: int, messages: Iterable[_Message]) -> Iterator[_Message]:
    last_us = 0
    for message in messages:
        if message.received_us < last_us:
            raise NotInOrder(number)
        last_us = message.received_us
        yield message


def _in_order(records: list[_Message]) -> Iterator[tuple[str, str, _Message]]:
    records.sort(key=place_of)
    for _, equals in groupby(records, key=place_of):
        tied = list(equals)
        for record in tied if len(tied) == 1 else sorted(tied, key=encode):
            yield _as_input(record)


def _as_input(record: _Message) -> tuple[str, str, _Message]:
    if isinstance(record, Headline):
        return names.HEADLINES, record.id, record
    return names.PRICES, record.ticker, record


def place_of(record: _Message) -> _Order:
    """Return what the canonical order goes by; records with one place have one key."""
    if isinstance(record, Headline):
        return (record.received_us, _HEADLINE_RANK, record.id, "", record.revision)
    return (record.received_us, _PRICE_RANK, record.ticker, record.kind, record.event_us)
