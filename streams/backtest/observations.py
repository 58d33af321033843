"""Observations: each signal with what followed it, and what of that is not known."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from signals.backtest.forward import HORIZONS, Forward, ForwardReturn, forward_of
from signals.backtest.prices import Prices
from signals.backtest.signal import Signal, count_unlisted
from signals.backtest.window import Window, event_session, window_of
from signals.messages import Alert, AlertKind
from signals.policy import DAY_US

__all__ = ["Missing", "Observation", "missing", "observe", "unlisted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A decision, and what followed; day is that of the event, counted from 1970."""

    signal: Signal
    forward: Forward
    window: Window | None
    day: int

    def value(self, measure: str, found: ForwardReturn) -> float | None:
        """Return one measure of one horizon; None where it is not known or there is no side."""
        figure = found.raw if measure.endswith("raw") else found.abnormal
        if figure is None or not measure.startswith("signed"):
            return figure
        return self.signal.side * figure if self.signal.side else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How many figures are not known for one reason; horizon is ``entry`` for all of a decision."""

    horizon: str
    reason: str
    count: int
    tickers: tuple[str, ...]


def observe(
    signals: Sequence[Signal], prices: Mapping[str, Prices], on_step: Callable[[str], None]
) -> list[Observation]:
    """Return what followed each signal, in their order; ``on_step`` is told how far it has come."""
    found = []
    for number, signal in enumerate(signals, 1):
        on_step(f"{number:,} of {len(signals):,} signals")
        own = prices.get(signal.ticker)
        session = None if own is None else event_session(own, signal.known_us)
        at_us = signal.known_us if session is None else session.open_us
        found.append(
            Observation(
                signal=signal,
                forward=forward_of(signal.ticker, own, signal.known_us),
                window=None if own is None else window_of(own, signal.known_us),
                day=at_us // DAY_US,
            )
        )
    return found


def unlisted(alerts: Sequence[Alert], kinds: Collection[AlertKind]) -> Iterator[Missing]:
    """Yield how many stories name nothing that can be traded, if any do."""
    count = count_unlisted(alerts, kinds)
    if count:
        yield Missing(horizon="entry", reason="no_ticker", count=count, tickers=())


def missing(observations: Sequence[Observation]) -> list[Missing]:
    """Return what has no figure, entries first, then by horizon and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    tickers: dict[tuple[str, str], set[str]] = {}
    for one in observations:
        if one.forward.reason is not None:
            keys = [("entry", str(one.forward.reason))]
        else:
            keys = [
                (found.horizon, str(found.reason))
                for found in one.forward.returns
                if found.reason is not None
            ]
        for key in keys:
            counts[key] += 1
            tickers.setdefault(key, set()).add(one.signal.ticker)
    order = ("entry", *HORIZONS)
    return [
        Missing(
            horizon=horizon,
            reason=reason,
            count=counts[horizon, reason],
            tickers=tuple(sorted(tickers[horizon, reason])),
        )
        for horizon, reason in sorted(counts, key=lambda key: (order.index(key[0]), key[1]))
    ]
