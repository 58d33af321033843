"""What a reader gives for a document, before it becomes an event with ids and subjects."""

from dataclasses import dataclass

from signals.messages import (
    Amount,
    DealStatus,
    Direction,
    Evidence,
    Party,
    Place,
    Quantity,
    Term,
)

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One event that a document reports; the fields are those of ``signals.messages.Event``."""

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
