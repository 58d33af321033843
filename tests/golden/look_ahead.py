"""Whether alerts rest on what was not known yet: judged from the raw inputs alone.

Nothing of the fold is used to judge it: prices are looked up by a scan of the samples, betas are
computed by the standard library, and later inputs are deleted for real.
"""

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from signals.fold import Agent
from signals.messages import Alert, Headline, Micros, Move, PriceSample
from signals.policy import SECOND_US, Policy
from streams.codec import encode
from streams.replay import Pipeline
from tests.builders import canonical, feed

__all__ = ["Inputs", "faults"]

Inputs = Sequence[Headline | PriceSample]


def faults(inputs: Inputs, agents: Callable[[], Iterable[Agent]], policy: Policy) -> list[str]:
    """Return what is wrong with the alerts of inputs; nothing where none looks ahead."""
    ordered = canonical(inputs)
    alerts = feed(Pipeline(agents()), ordered)
    prices = [one for one in ordered if isinstance(one, PriceSample)]
    moves = {encode(move): move for alert in alerts for move in alert.moves}
    anchors = sorted(
        min(one.published_us, one.received_us) for one in ordered if isinstance(one, Headline)
    )
    return [
        *_of_later_inputs(ordered, alerts, agents),
        *_of_rewritten_closes(ordered, alerts, agents),
        *(fault for move in moves.values() for fault in _of_prices(move, prices)),
        *(fault for move in moves.values() for fault in _of_beta(move, anchors, prices, policy)),
    ]


# ---- inputs --------------------------------------------------------------------------------------


def _of_later_inputs(
    ordered: Inputs, alerts: Iterable[Alert], agents: Callable[[], Iterable[Agent]]
) -> Iterator[str]:
    """Each alert stands, byte for byte, without any input that was received after it."""
    by_time: dict[Micros, list[Alert]] = {}
    for alert in alerts:
        by_time.setdefault(alert.known_us, []).append(alert)
    for known_us, due in by_time.items():
        before = [one for one in ordered if one.received_us <= known_us]
        given = {encode(alert) for alert in feed(Pipeline(agents()), before)}
        for alert in due:
            if encode(alert) not in given:
                yield f"{alert.kind} {alert.title} rests on inputs received after {known_us}"


def _of_rewritten_closes(
    ordered: Inputs, alerts: Iterable[Alert], agents: Callable[[], Iterable[Agent]]
) -> Iterator[str]:
    """A close that is told again, adjusted, changes nothing that was said of it."""
    firsts: dict[tuple[str, Micros], Headline | PriceSample] = {}
    for one in ordered:
        is_daily = isinstance(one, PriceSample) and one.kind == "daily"
        name = (one.ticker, one.event_us) if is_daily else (str(id(one)), one.received_us)  # type: ignore[union-attr]
        firsts.setdefault(name, one)
    without = feed(Pipeline(agents()), list(firsts.values()))
    if [encode(alert) for alert in without] != [encode(alert) for alert in alerts]:
        yield "closes that were rewritten later change the alerts"


# ---- prices --------------------------------------------------------------------------------------


def _of_prices(move: Move, prices: Iterable[PriceSample]) -> Iterator[str]:
    """What a move is measured between was traded when it says so."""
    if move.raw is None:
        return
    own = [one for one in prices if one.ticker == move.ticker]
    shown = f"{move.ticker} {move.milestone}"
    if move.relation == "before":
        closes = [one for one in own if one.kind == "daily" and one.end_us == move.from_us]
        if not closes or closes[0].close != move.from_price:
            yield f"{shown} is measured from {move.from_price}, no close of {move.from_us}"
        if move.from_us >= move.to_us:
            yield f"{shown} ends before it begins"
        return
    quotes = sorted(_quotes(own), key=lambda quote: quote[0])  # a bar's low, high, close stay so
    before = [price for at_us, price in quotes if at_us < move.from_us]
    if not before or before[-1] != move.from_price:
        yield f"{shown} is measured from {move.from_price}, not from the last price before"
    if move.milestone.startswith("level:"):
        end_us = move.to_us + SECOND_US
        if move.to_price not in [price for at_us, price in quotes if move.to_us <= at_us < end_us]:
            yield f"{shown} is dated to {move.to_us}, when nobody paid {move.to_price}"
        return
    then = [price for at_us, price in quotes if at_us < move.to_us]
    if not then or then[-1] != move.to_price:
        yield f"{shown} ends with {move.to_price}, not with the last price by then"


def _quotes(prices: Iterable[PriceSample]) -> Iterator[tuple[Micros, Decimal]]:
    """Yield when each price could be known: of a bar all but its open at its end."""
    for one in prices:
        if one.kind == "trade" and one.price is not None:
            yield one.event_us, one.price
        elif one.kind == "bar" and one.open is not None and one.end_us is not None:
            yield one.event_us, one.open
            for price in (one.low, one.high, one.close):
                if price is not None:
                    yield Micros(one.end_us - 1), price


# ---- statistics ----------------------------------------------------------------------------------


def _of_beta(
    move: Move, anchors: Iterable[Micros], prices: Sequence[PriceSample], policy: Policy
) -> Iterator[str]:
    """The beta is that of the closes that were known when the move began.

    That is at the session's open for a move from the close before, else at a headline.
    """
    if move.beta is None:
        return
    begun = [time_us for time_us in anchors if move.from_us <= time_us < move.to_us]
    limits = [Micros(move.to_us - SECOND_US)] if move.relation == "before" else begun
    own = [one for one in prices if one.kind == "daily" and one.ticker == move.ticker]
    known = {_beta_at(limit_us, own, policy) for limit_us in limits}
    if not any(abs(beta - move.beta) < 1e-6 for beta in known):
        yield f"{move.ticker} {move.milestone} has beta {move.beta}, by then it was {known}"


def _beta_at(limit_us: Micros, days: Iterable[PriceSample], policy: Policy) -> float:
    closes: dict[Micros, PriceSample] = {}
    for day in days:
        if day.end_us is not None and max(day.end_us, day.received_us) <= limit_us:
            closes.setdefault(day.end_us, day)
    ordered = [closes[end_us] for end_us in sorted(closes)][-policy.beta_days - 1 :]
    pairs = [
        (_return(one.close, two.close), _return(one.benchmark_price, two.benchmark_price))
        for one, two in itertools.pairwise(ordered)
    ]
    if len(pairs) < policy.beta_least:
        return 1.0
    own, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return statistics.covariance(own, other) / statistics.variance(other)


def _return(earlier: Decimal | None, later: Decimal | None) -> float:
    assert earlier is not None
    assert later is not None
    return float(later) / float(earlier) - 1
