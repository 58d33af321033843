"""The canonical order of raw records, in which a replay from files folds them."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from signals import names
from signals.messages import Headline, PriceSample
from streams.codec import encode

__all__ = ["canonical_order", "place_of"]

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
    records: list[Headline | PriceSample] = [*headlines, *prices]
    records.sort(key=place_of)
    for _, equals in groupby(records, key=place_of):
        tied = list(equals)
        for record in tied if len(tied) == 1 else sorted(tied, key=encode):
            if isinstance(record, Headline):
                yield names.HEADLINES, record.id, record
            else:
                yield names.PRICES, record.ticker, record


def place_of(record: Headline | PriceSample) -> _Order:
    """Return what the canonical order goes by; records with one place have one key."""
    if isinstance(record, Headline):
        return (record.received_us, _HEADLINE_RANK, record.id, "", record.revision)
    return (record.received_us, _PRICE_RANK, record.ticker, record.kind, record.event_us)
