"""What a backtest counts: one observation for each story and party, however often it was told."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from signals.messages import Alert, AlertKind, DealStatus, Direction, Micros, RuleSetId
from signals.policy import DAY_US

__all__ = ["Novelty", "Signal", "count_unlisted", "language_of", "side_of", "signals_of"]

Novelty = Literal["first", "again", "follow_up"]
_AGAIN_US = 14 * DAY_US
_HANGUL = (("\uac00", "\ud7a3"), ("\u1100", "\u11ff"), ("\u3131", "\u318e"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One decision on one ticker.

    Attributes:
        lang: ``ko`` where the title has Hangul, else ``en``: what was told first.
        novelty: ``follow_up`` where the story had been told before; ``again`` where another story
            of its type had touched the ticker in the 14 days before; else ``first``.
        side: the direction of the trade, a hypothesis and no finding: see ``side_of``.
    """

    story_id: str
    alert_id: str
    revision: int
    kind: AlertKind
    ticker: str
    known_us: Micros
    type: str | None
    status: DealStatus | None
    direction: Direction | None
    lang: str
    severity: str
    novelty: Novelty
    side: int
    title: str
    rules: RuleSetId


def language_of(title: str) -> str:
    """Return ``ko`` for a title with Hangul in it, else ``en``: alerts do not carry a language."""
    korean = any(low <= sign <= high for sign in title for low, high in _HANGUL)
    return "ko" if korean else "en"


def side_of(alert: Alert) -> int:
    """Return the direction in which an alert would have been traded: 1, -1, or 0 for none.

    Long after a deal or an expansion, short after one that was cancelled or denied; short after a
    tightened export control, long after a relaxed one. A move without an event has no side. This
    is a hypothesis, so every figure is given without it, too.
    """
    if alert.type == "export_control":
        return {"tighten": -1, "relax": 1}.get(alert.direction or "", 0)
    if alert.type is None:
        return 0
    return -1 if alert.status in ("cancelled", "denied") else 1


def signals_of(
    alerts: Iterable[Alert], kinds: Collection[AlertKind], priced: Collection[str]
) -> list[Signal]:
    """Return the decisions by the time at which they were known, then story and ticker.

    A story counts once for each kind and party (a changed status once for each status), at the
    first revision: thirty tellings are one. Of a party with several listings that one counts which
    has prices, else its home listing.

    Args:
        alerts: in any order.
        kinds: the transitions that are traded.
        priced: the tickers that there are prices of.
    """
    found: dict[tuple[str | None, ...], Signal] = {}
    touched: dict[tuple[str | None, str], list[tuple[Micros, str]]] = {}
    ordered = sorted(alerts, key=lambda alert: (alert.known_us, alert.alert_id, alert.revision))
    for alert in ordered:
        for ticker in _tickers(alert, priced):
            before = touched.setdefault((alert.type, ticker), [])
            if alert.kind in kinds:
                key = _identity(alert, ticker)
                if key not in found:
                    found[key] = _signal(alert, ticker, _novelty(alert, before))
            before.append((alert.known_us, alert.story_id))
    return sorted(found.values(), key=lambda item: (item.known_us, item.story_id, item.ticker))


def count_unlisted(alerts: Iterable[Alert], kinds: Collection[AlertKind]) -> int:
    """Return how many stories of these transitions name nothing that can be traded."""
    listed: dict[str, bool] = {}
    for alert in alerts:
        if alert.kind in kinds:
            known = listed.get(alert.story_id, False)
            listed[alert.story_id] = known or bool(_tickers(alert, ()))
    return sum(not known for known in listed.values())


def _identity(alert: Alert, ticker: str) -> tuple[str | None, ...]:
    if alert.kind == "status_changed":
        return (alert.story_id, alert.kind, alert.status, alert.direction, ticker)
    return (alert.story_id, alert.kind, ticker)


def _tickers(alert: Alert, priced: Collection[str]) -> list[str]:
    """Return a ticker for each listed party; of an alert without parties, its tickers."""
    if not any(party.tickers for party in alert.parties):
        return sorted(set(alert.tickers))
    chosen = (_listing(party.tickers, priced) for party in alert.parties if party.tickers)
    return sorted(set(chosen))


def _listing(tickers: Sequence[str], priced: Collection[str]) -> str:
    return next((ticker for ticker in tickers if ticker in priced), tickers[0])


def _novelty(alert: Alert, before: Sequence[tuple[Micros, str]]) -> Novelty:
    if alert.revision > 1 or len(alert.headline_ids) > 1:
        return "follow_up"
    return "again" if any(_recent(alert, before)) else "first"


def _recent(alert: Alert, before: Sequence[tuple[Micros, str]]) -> Iterator[bool]:
    for known_us, story_id in reversed(before):
        if alert.known_us - known_us > _AGAIN_US:
            return
        yield story_id != alert.story_id


def _signal(alert: Alert, ticker: str, novelty: Novelty) -> Signal:
    return Signal(
        story_id=alert.story_id,
        alert_id=alert.alert_id,
        revision=alert.revision,
        kind=alert.kind,
        ticker=ticker,
        known_us=alert.known_us,
        type=alert.type,
        status=alert.status,
        direction=alert.direction,
        lang=language_of(alert.title),
        severity=alert.severity,
        novelty=novelty,
        side=side_of(alert),
        title=alert.title,
        rules=alert.rules,
    )
