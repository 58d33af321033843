"""Builders of inputs and of what is made of them: say what matters, the rest has a default."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from signals import names
from signals.events import HeadlineReader
from signals.fold import Agent
from signals.messages import (
    Alert,
    Amount,
    Event,
    Evidence,
    Headline,
    Micros,
    Party,
    PriceSample,
    RuleSetId,
    Second,
    Subject,
)
from signals.pipeline import build_agents
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy
from signals.reading.model import Reading
from signals.subjects import SubjectTables
from streams.replay import Pipeline, order_alerts
from streams.tables import load_sessions

RULES = RuleSetId(version="toy", hash="0" * 64)
OPEN = "2025-11-03T14:30:00Z"  # New York, after the clocks went back
CLOSE = "2025-11-03T21:00:00Z"
Input = tuple[str, str, Any]  # topic, key, message

ORGANISATIONS = {
    "IREN": Party(id="org:iren", name="IREN", role="supplier", tickers=("IREN",), prominence=2),
    "MSFT": Party(
        id="org:microsoft", name="Microsoft", role="buyer", tickers=("MSFT",), prominence=9
    ),
    "CIFR": Party(id="org:cipher", name="Cipher", role="lessor", tickers=("CIFR",), prominence=1),
    "AMZN": Party(id="org:amazon", name="Amazon", role="buyer", tickers=("AMZN",), prominence=8),
    "OPENAI": Party(id="org:openai", name="OpenAI", role="investee", prominence=7),
}


def us(text: str) -> Micros:
    """The microseconds of an ISO 8601 time."""
    return Micros(round(datetime.fromisoformat(text).timestamp()) * SECOND_US)


def parties(*names_: str) -> tuple[Party, ...]:
    return tuple(ORGANISATIONS[name] for name in names_)


def dollars(billions: str, *, kind: Any = "deal_value") -> Amount:
    value = Decimal(billions) * 1_000_000_000
    return Amount(value=value, currency="USD", usd=value, kind=kind, text=f"${billions}bn")


def reading(*names_: str, worth: str | None = None, **changes: Any) -> Reading:
    """A reading of a deal between organisations."""
    named = parties(*names_)
    tickers = tuple(ticker for party in named for ticker in party.tickers)
    evidence = Evidence(field="title", start=0, end=1, text="x", rule="toy.word")
    base = Reading(
        type="deal",
        confidence=0.9,
        parties=named,
        tickers=tickers,
        evidence=(evidence,),
        deal_status="signed",
        amounts=() if worth is None else (dollars(worth),),
    )
    return replace(base, **changes)


def toy_reader(readings: Mapping[str, Iterable[Reading]]) -> HeadlineReader:
    """A reader that knows what each title means, and nothing of any other."""
    return lambda headline: tuple(readings.get(headline.title, ()))


def headline(
    title: str,
    *,
    at: str | int,
    id: str | None = None,
    received_s: float = 0.0,
    received_us: int | None = None,
    **changes: Any,
) -> Headline:
    """A headline; it is received when it is published unless said otherwise."""
    published_us = us(at) if isinstance(at, str) else Micros(at)
    if received_us is None:
        received_us = published_us + round(received_s * SECOND_US)
    return Headline(
        id=f"wire:{title}" if id is None else id,
        title=title,
        source="wire",
        published_us=published_us,
        received_us=Micros(received_us),
        **changes,
    )


def trade(
    ticker: str, price: str, *, at: str | int, received_s: float = 0.2, **changes: Any
) -> Any:
    event_us = us(at) if isinstance(at, str) else Micros(at)
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=event_us,
        received_us=Micros(event_us + round(received_s * SECOND_US)),
        source="tape",
        price=Decimal(price),
        **changes,
    )


def bar(
    ticker: str,
    prices: tuple[str, str, str, str],
    *,
    at: str | int,
    span_us: int = MINUTE_US,
    received_s: float = 0.5,
    **changes: Any,
) -> PriceSample:
    """A bar of open, high, low and close."""
    event_us = us(at) if isinstance(at, str) else Micros(at)
    opened, high, low, close = map(Decimal, prices)
    fields: dict[str, Any] = {
        "ticker": ticker,
        "kind": "bar",
        "event_us": event_us,
        "end_us": Micros(event_us + span_us),
        "received_us": Micros(event_us + span_us + round(received_s * SECOND_US)),
        "source": "tape",
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
    }
    return PriceSample(**(fields | changes))


def daily(ticker: str, close: str, *, at: str | int, **changes: Any) -> PriceSample:
    """A daily record with its close at a time."""
    end_us = us(at) if isinstance(at, str) else Micros(at)
    span_us = 390 * MINUTE_US
    fields = {"kind": "daily", "benchmark": "SPY", "benchmark_price": Decimal(600)} | changes
    return bar(ticker, (close,) * 4, at=end_us - span_us, span_us=span_us, **fields)


def history(ticker: str, close: str, *, until: str, days: int = 80) -> list[PriceSample]:
    """Daily records up to a close (its time), each about 2 % from the last, ending at ``close``."""
    end_us = us(until)
    closes = []
    for session in load_sessions().by_market["XNYS"]:
        if session.close_us <= end_us:
            closes.append(session.close_us)
    found = []
    for back, close_us in enumerate(reversed(closes[-days:])):
        price = Decimal(close) * (Decimal("1.00") if back % 2 == 0 else Decimal("1.02"))
        found.append(daily(ticker, f"{price:.2f}", at=close_us))
    return found[::-1]


def second(at: int, price: str, **changes: Any) -> Second:
    """A second with one price, at whole microseconds."""
    value = Decimal(price)
    fields: dict[str, Any] = {
        "ticker": "IREN",
        "second_us": at - at % SECOND_US,
        "first_us": at,
        "first": value,
        "high": value,
        "low": value,
        "last_us": at,
        "last": value,
        "received_us": at,
    }
    return Second(**(fields | changes))


def event(
    event_id: str,
    *names_: str,
    at: str | int,
    worth: str | None = None,
    subjects: tuple[Subject, ...] | None = None,
    **changes: Any,
) -> Event:
    """A live event, received when it was published unless said otherwise."""
    published_us = us(at) if isinstance(at, str) else Micros(at)
    read = reading(*names_, worth=worth)
    keys = list(read.tickers) or [party.id for party in read.parties]
    fields: dict[str, Any] = {
        "id": f"record:{event_id}",
        "event_id": event_id,
        "headline_id": f"wire:{event_id}",
        "revision": 1,
        "status": "live",
        "type": read.type,
        "confidence": read.confidence,
        "title": event_id,
        "lang": "en",
        "source": "wire",
        "published_us": published_us,
        "received_us": published_us,
        "rules": RULES,
        "anchor": keys[0],
        "subjects": subjects
        or tuple(Subject(key=key, role="party", reason="named") for key in keys),
        "deal_status": read.deal_status,
        "parties": read.parties,
        "tickers": read.tickers,
        "amounts": read.amounts,
        "evidence": read.evidence,
    }
    return Event(**(fields | changes))


def agents(
    readings: Mapping[str, Iterable[Reading]],
    *,
    policy: Policy | None = None,
    tables: SubjectTables | None = None,
) -> tuple[Agent, ...]:
    """The four agents over a toy reader."""
    return build_agents(
        read=toy_reader(readings),
        rules=RULES,
        tables=tables or SubjectTables(),
        sessions=load_sessions(),
        policy=policy or Policy(),
    )


def as_input(message: Headline | PriceSample) -> Input:
    """A message with its topic and key."""
    if isinstance(message, Headline):
        return (names.HEADLINES, message.id, message)
    return (names.PRICES, message.ticker, message)


def canonical(messages: Iterable[Headline | PriceSample]) -> list[Headline | PriceSample]:
    """Inputs in the canonical order: receipt, headlines before prices, key, id."""

    def order(message: Headline | PriceSample) -> tuple[int, int, str, int]:
        if isinstance(message, Headline):
            return (message.received_us, 0, message.id, message.revision)
        return (message.received_us, 1, message.ticker, message.event_us)

    return sorted(messages, key=order)


def run(agents_: Iterable[Agent], messages: Iterable[Headline | PriceSample]) -> list[Alert]:
    """The alerts that come of inputs in the order given, as they became known."""
    return order_alerts(feed(Pipeline(agents_), messages))


def feed(pipeline: Pipeline, messages: Iterable[Headline | PriceSample]) -> list[Alert]:
    """The alerts that come of inputs, in the order in which they came."""
    return [
        output.message
        for message in messages
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, Alert)
    ]


def kinds(alerts: Iterable[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


def shown(alert: Alert) -> list[tuple[str, str, float | None]]:
    """The moves of an alert: ticker, milestone and raw to four digits."""
    return [
        (move.ticker, move.milestone, None if move.raw is None else round(move.raw, 4))
        for move in alert.moves
    ]


def days_after(text: str, days: float) -> Micros:
    return Micros(us(text) + round(days * DAY_US))
