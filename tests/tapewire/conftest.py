from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from signals.messages import (
    Alert,
    Amount,
    Evidence,
    Explain,
    Micros,
    Move,
    Party,
    RuleSetId,
    Term,
    Threshold,
)

TITLE = "Grid One signs $9.7bn contract with Big Cloud"
# Monday 3 November 2025, 09:30:00 in New York; the Friday before, 15:59:59.
OPEN_US = Micros(1_762_180_200_000_000)
FRIDAY_CLOSE_US = Micros(1_761_940_799_000_000)


def _move(**changes: object) -> Move:
    fields: dict[str, object] = {
        "ticker": "IREN",
        "milestone": "level:+0.20",
        "relation": "after",
        "from_us": FRIDAY_CLOSE_US,
        "to_us": OPEN_US,
        "from_price": Decimal("60.75"),
        "to_price": Decimal("73.07"),
        "raw": 0.2028,
        "abnormal": 0.2009,
        "z": 4.2,
        "beta": 1.0,
        "benchmark": "SPY",
        "known_us": Micros(OPEN_US + 1_000_000),
    }
    return Move(**(fields | changes))  # type: ignore[arg-type]  # names are the fields' own


def _alert(**changes: object) -> Alert:
    known_us = Micros(OPEN_US + 1_000_000)
    evidence = tuple(
        ("wire:1", Evidence(field="title", start=at, end=at + len(text), text=text, rule=rule))
        for text, rule in (("signs", "deal.sign"), ("$9.7bn", "money"))
        for at in (TITLE.index(text),)
    )
    plain = Alert(
        alert_id="al_0123456789abcdef01234567",
        revision=2,
        kind="confirmed",
        type="deal",
        status="signed",
        direction=None,
        story_id="st_0123456789abcdef01234567",
        anchor="IREN",
        title=TITLE,
        parties=(
            Party(id="org:iren", name="IREN", role="supplier", tickers=("IREN",)),
            Party(id="org:microsoft", name="Microsoft", role="buyer", tickers=("MSFT",)),
        ),
        tickers=("IREN", "MSFT"),
        amounts=(
            Amount(
                value=Decimal(9_700_000_000),
                currency="USD",
                usd=Decimal(9_700_000_000),
                kind="deal_value",
                text="$9.7bn",
            ),
        ),
        headline_ids=("wire:1", "wire:2"),
        event_ids=("ev_1", "ev_2"),
        moves=(_move(),),
        known_us=known_us,
        severity="high",
        explain=Explain(
            summary="a party moved past a level after the event",
            rules=("deal.sign",),
            evidence=evidence,
            thresholds=(Threshold(name="level:+0.20", value=0.2028, limit=0.2),),
            score=8.1,
            terms=(("move", 5.0), ("amount", 3.1)),
        ),
        rules=RuleSetId(version="2025.11", hash="0" * 64),
        term=Term(duration="P5Y", text="five-year"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # names are the fields' own


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """Build an alert like the demo's; keywords replace its fields."""
    return _alert


@pytest.fixture
def move() -> Callable[..., Move]:
    return _move
