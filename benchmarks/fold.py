"""How fast the pure fold is on one core: python -m benchmarks.fold [--events N] [--samples N].

Events: tellings of many deals of many companies through read_headlines (with a reader that costs
nothing), track_reactions and raise_alerts. Samples: a minute of trades a second for each of many
tickers, under watch of an event each, through sample_prices and track_reactions. The figures are
the best of three runs: inputs in a second of the processor, so that a busy machine does not matter.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random

from signals import names
from signals.messages import Amount, Headline, Micros, Party, PriceSample, RuleSetId
from signals.pipeline import build_agents
from signals.policy import MINUTE_US, SECOND_US, Policy
from signals.reading.model import Reading
from signals.subjects import SubjectTables
from streams.replay import Pipeline
from streams.tables import load_sessions

_OPEN_US = Micros(1_762_180_200_000_000)  # 2025-11-03T14:30:00Z
_TICKERS = 200
_TELLINGS = 5  # of one deal

Inputs = Sequence[tuple[str, str, Headline | PriceSample]]


def main() -> None:
    """Print events and samples a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args()
    events, samples = _events(options.events), _samples(options.samples)
    _report("events", events, lambda pipeline: None)
    _report("samples", samples, lambda pipeline: _run(pipeline, _events(_TICKERS)))


def _report(what: str, inputs: Inputs, prepare: Callable[[Pipeline], object]) -> None:
    rates, made = [], 0
    for _ in range(3):
        pipeline = _pipeline()
        prepare(pipeline)
        begun_s = time.process_time()
        made = _run(pipeline, inputs)
        rates.append(len(inputs) / (time.process_time() - begun_s))
    print(f"{what}: {max(rates):,.0f} a second ({len(inputs):,} in, {made:,} records out)")


def _run(pipeline: Pipeline, inputs: Inputs) -> int:
    return sum(1 for record in inputs for _ in pipeline.feed(*record))


def _pipeline() -> Pipeline:
    return Pipeline(
        build_agents(
            read=_read,
            rules=RuleSetId(version="benchmark", hash="0"),
            tables=SubjectTables(),
            sessions=load_sessions(),
            policy=Policy(),
        )
    )


def _read(headline: Headline) -> tuple[Reading, ...]:
    """Return a deal of two of the companies, worth what the title says."""
    number = int(headline.title)
    value = Decimal(1 + number) * 1_000_000_000
    parties = tuple(
        Party(id=f"org:{n}", name=str(n), role="buyer", tickers=(f"T{n}",), prominence=n)
        for n in (number % _TICKERS, (number * 7 + 1) % _TICKERS)
    )
    return (
        Reading(
            type="deal",
            confidence=0.9,
            parties=parties,
            tickers=tuple(party.tickers[0] for party in parties),
            evidence=(),
            deal_status="signed",
            amounts=(Amount(value=value, currency="USD", usd=value, kind="deal_value", text=""),),
        ),
    )


def _events(count: int) -> Inputs:
    found = []
    for number in range(count):
        time_us = Micros(_OPEN_US - MINUTE_US + number * SECOND_US // 100)
        headline = Headline(
            id=f"wire:{number}",
            title=str(number // _TELLINGS),
            source="wire",
            published_us=time_us,
            received_us=time_us,
        )
        found.append((names.HEADLINES, headline.id, headline))
    return found


def _samples(count: int) -> Inputs:
    random, found = Random(1), []
    prices = dict.fromkeys(range(_TICKERS), 100.0)
    for number in range(count):
        ticker = number % _TICKERS
        prices[ticker] *= 1 + random.gauss(0.0, 0.0002)
        time_us = Micros(_OPEN_US + number * SECOND_US // _TICKERS)
        sample = PriceSample(
            ticker=f"T{ticker}",
            kind="trade",
            event_us=time_us,
            received_us=time_us,
            source="tape",
            price=Decimal(f"{prices[ticker]:.2f}"),
        )
        found.append((names.PRICES, sample.ticker, sample))
    return found


if __name__ == "__main__":
    main()
