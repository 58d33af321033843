"""What a reader takes and gives, before a reading becomes an event with ids and subjects."""

from dataclasses import dataclass

from signals.messages import (
    Amount,
    Claim,
    DealStatus,
    Direction,
    Evidence,
    Micros,
    Party,
    Place,
    Quantity,
    Term,
)

__all__ = ["Document", "Reading", "Section"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A headline, an article or a digest as it came.

    ``title`` may be empty where the body holds it (the text of a page). ``published_us`` dates the
    exchange rate; without it amounts are converted only at a rate that the text states.
    """

    title: str
    body: str | None = None
    lang: str | None = None
    source: str = ""
    published_us: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One item of a digest: its heading and text, and where both lie in the document's body."""

    title: str
    title_start: int
    text: str
    text_start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One event that a document reports; the fields are those of ``signals.messages.Event``.

    ``names`` are by what another telling of it may be found where no party is known. A ``weak`` one
    is below the threshold of its type: no event by itself, it may be one more
    telling of what others report.
    """

    type: str
    confidence: float
    parties: tuple[Party, ...]
    tickers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    deal_status: DealStatus | None = None
    direction: Direction | None = None
    authority: str | None = None
    counterpart: str | None = None
    amounts: tuple[Amount, ...] = ()
    term: Term | None = None
    quantities: tuple[Quantity, ...] = ()
    places: tuple[Place, ...] = ()
    claims: tuple[Claim, ...] = ()
    keywords: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    threshold: float = 0.0
    weak: bool = False
