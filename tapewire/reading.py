"""Documents in, events out: what ``tapewire classify`` prints, and ``tapewire.classify``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from signals.messages import Headline, Micros
from signals.reading import Reading, read_headline
from streams.rule_loading import load_rules

__all__ = ["Document", "classify", "to_headline", "to_plain"]

# A document without a publish time: before every currency rate, so that a foreign amount gets no
# USD from a day that was only guessed.
_UNDATED = Micros(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What ``tapewire classify`` reads from a line; ``published_at`` is ISO 8601."""

    id: str
    title: str
    body: str | None = None
    lang: str | None = None
    published_at: str | None = None


def classify(
    title: str,
    *,
    body: str | None = None,
    lang: str | None = None,
    published_at: datetime | None = None,
) -> tuple[Reading, ...]:
    """Return the events that a headline or a document reports, with their evidence.

    Args:
        title: the headline.
        body: the article's text, if there is one.
        lang: ``ko`` or ``en``; found out from the text when not given.
        published_at: aware; the day of the currency rates. Without it an amount in another
            currency has ``usd`` only where the text itself gives it.
    Raises: ValueError for a publish time without a time zone.
    """
    if published_at is not None and published_at.tzinfo is None:
        raise ValueError(f"published_at must have a time zone, was {published_at}")
    at_us = _UNDATED if published_at is None else _micros(published_at)
    headline = Headline(
        id="-",
        title=title,
        body=body,
        lang=lang,
        source="classify",
        published_us=at_us,
        received_us=at_us,
    )
    return read_headline(headline, _rules())


def to_headline(document: Document) -> Headline:
    """Return the headline that a document is read as.

    Raises: ValueError for an id, a title or a publish time that is none.
    """
    at_us = _UNDATED if document.published_at is None else _parse_time(document.published_at)
    return Headline(
        id=document.id,
        title=document.title,
        body=document.body,
        lang=document.lang,
        source="classify",
        published_us=at_us,
        received_us=at_us,
    )


def to_plain(reading: Reading) -> Mapping[str, object]:
    """Return an event as the contract of ``tapewire classify`` names its fields."""
    return {
        "type": reading.type,
        "confidence": reading.confidence,
        "tickers": reading.tickers,
        "amounts": reading.amounts,
        "status": reading.deal_status,
        "direction": reading.direction,
        "evidence": reading.evidence,
        "parties": reading.parties,
        "term": reading.term,
        "quantities": reading.quantities,
        "places": reading.places,
        "authority": reading.authority,
        "counterpart": reading.counterpart,
        "claims": reading.claims,
    }


def _parse_time(text: str) -> Micros:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"published_at must be an ISO 8601 time like 2025-11-03T11:37:00Z, was {text!r:.60}"
        ) from None
    # Only the day counts here, for the currency rates: a time without a zone is taken as UTC.
    return _micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _micros(moment: datetime) -> Micros:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Micros(since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds)


@cache
def _rules() -> Any:
    return load_rules()
