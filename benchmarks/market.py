"""How fast prices are merged and measured: python -m benchmarks.market [--samples N] [--tickers N].

A tape of trades of 20 tickers (or as many as are asked for) through the steps of sample_prices and
track_reactions, as live and replay run them: merged by second, laid on the path, and watched for an
event of each ticker (four levels each way, six horizons) and for moves past the threshold since the
close before, with beta and volatility from 130 daily records. At 1, 10, 20 and 50 trades a second
and ticker: a quiet share, busy ones, and SPY; and mixed: the busiest ticker has 50 a second, the
one of rank n a part in n of that, but at least 1. The peer is pandas on the same trades in the same
run: one batch that groups them by ticker and second into first, high, low and last, and their
return since the close before; it knows no order of arrival, no levels and no horizons. Figures are
the best of fifteen runs, in the processor's time. Bytes are what one sample makes sample_prices
write when every sample is a batch of its own: the changed rows and the journal's records, keys with
them.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TypeVar

import pandas

from signals import names
from signals.fold import Rows, apply_changes
from signals.market.seconds import sample_prices_step
from signals.messages import Headline, Micros, Party, PriceSample, RuleSetId
from signals.pipeline import build_agents
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy
from signals.reading.model import Reading
from signals.subjects import SubjectTables
from streams.codec import encode, encode_row
from streams.memory import relax_collector
from streams.replay import Pipeline
from streams.tables import load_sessions

_OPEN_US = Micros(1_762_180_200_000_000)  # 2025-11-03T14:30:00Z
_DENSITIES = (1, 10, 20, 50)
_BUSIEST = 50
_RUNS = 15
_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the result."""

    trades_a_second: str
    samples: int
    seconds_sent: int
    rate: float
    peer_rate: float
    bytes_a_sample: float


def main() -> None:
    """Print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--tickers", type=int, default=20)
    options = parser.parse_args()
    relax_collector()  # as the command does
    tickers = tuple(f"T{number}" for number in range(options.tickers))
    rates = {str(density): [density] * len(tickers) for density in _DENSITIES}
    rates["mixed"] = [max(_BUSIEST // rank, 1) for rank in range(1, len(tickers) + 1)]
    rows = [
        _measure(name, _tape(of_each, options.samples, tickers), tickers)
        for name, of_each in rates.items()
    ]
    print("trades/s/ticker   samples/s   pandas/s   ratio   seconds sent   bytes/sample")
    for row in rows:
        print(
            f"{row.trades_a_second:>15}{row.rate:12,.0f}{row.peer_rate:11,.0f}"
            f"{row.rate / row.peer_rate:8.2f}{row.seconds_sent:15,}{row.bytes_a_sample:15,.0f}"
        )
    found = [
        {name: _rounded(getattr(row, name)) for name in Row.__dataclass_fields__} for row in rows
    ]
    print(json.dumps({"benchmark": "market", "load": os.getloadavg()[0], "rows": found}))


def _rounded(value: str | float) -> str | float:
    return value if isinstance(value, str) else round(value, 1)


def _measure(name: str, tape: Sequence[PriceSample], tickers: Sequence[str]) -> Row:
    count, sent = len(tape), 0

    def fold(pipeline: Pipeline) -> None:
        nonlocal sent
        sent = 0
        for sample in tape:
            outputs = pipeline.feed(names.PRICES, sample.ticker, sample)
            sent += len(outputs)

    return Row(
        trades_a_second=name,
        samples=count,
        rate=count / _best(lambda: _watching(tickers), fold),
        seconds_sent=sent,
        peer_rate=count / _best(lambda: _frame(tape), _group),
        bytes_a_sample=_written(tape) / count,
    )


def _best(prepare: Callable[[], _Given], run: Callable[[_Given], object]) -> float:
    """Return the processor's seconds of the best run; the preparation is not counted."""
    spent = []
    for _ in range(_RUNS):
        given = prepare()
        begun_s = time.process_time()
        run(given)
        spent.append(time.process_time() - begun_s)
    return min(spent)


def _watching(tickers: Sequence[str]) -> Pipeline:
    """Return the agents with 130 closes and one event of every ticker, and the first price."""
    pipeline = Pipeline(
        build_agents(
            read=_read,
            rules=RuleSetId(version="benchmark", hash="0"),
            tables=SubjectTables(),
            sessions=load_sessions(),
            policy=Policy(),
        )
    )
    random = Random(2)
    for ticker in tickers:
        for number in range(130, 0, -1):
            close = Decimal(f"{100 + random.gauss(0.0, 2.0):.2f}") if number > 1 else Decimal(100)
            pipeline.feed(names.PRICES, ticker, _daily(ticker, number, close))
        before_us = Micros(_OPEN_US - 2 * MINUTE_US)
        pipeline.feed(names.PRICES, ticker, _trade(ticker, before_us, Decimal(100), 0))
        news = Headline(
            id=f"wire:{ticker}",
            title=ticker,
            source="wire",
            published_us=Micros(_OPEN_US - MINUTE_US),
            received_us=Micros(_OPEN_US - MINUTE_US),
        )
        pipeline.feed(names.HEADLINES, news.id, news)
    return pipeline


def _read(headline: Headline) -> tuple[Reading, ...]:
    party = Party(
        id=f"org:{headline.title}", name=headline.title, role="buyer", tickers=(headline.title,)
    )
    deal = Reading(
        type="deal",
        confidence=0.9,
        parties=(party,),
        tickers=party.tickers,
        evidence=(),
        deal_status="signed",
    )
    return (deal,)


def _tape(rates: Sequence[int], count: int, tickers: Sequence[str]) -> Sequence[PriceSample]:
    """Return trades, so many a second of each ticker, a deviation of 0.02 % a second."""
    random, found = Random(1), list[PriceSample]()
    prices, volumes = dict.fromkeys(tickers, 100.0), dict.fromkeys(tickers, 0)
    of_a_second = sorted(
        (SECOND_US * number // rate, place)
        for place, rate in enumerate(rates)
        for number in range(rate)
    )
    for number in range(count):
        second, at = divmod(number, len(of_a_second))
        after_us, place = of_a_second[at]
        ticker, rate = tickers[place], rates[place]
        prices[ticker] *= 1 + random.gauss(0.0, 0.0002 / rate**0.5)
        volumes[ticker] += 100
        # Not all at the beginning of a second: those of one rate are some time apart.
        time_us = Micros(_OPEN_US + second * SECOND_US + after_us + place * 1_000)
        price = Decimal(f"{prices[ticker]:.2f}")
        found.append(_trade(ticker, time_us, price, volumes[ticker]))
    return found


def _trade(ticker: str, time_us: Micros, price: Decimal, volume: int) -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=time_us,
        received_us=Micros(time_us + 50_000),
        source="tape",
        price=price,
        day_volume=Decimal(volume),
        benchmark="SPY",
        benchmark_price=Decimal("685.67"),
    )


def _daily(ticker: str, days_ago: int, close: Decimal) -> PriceSample:
    end_us = Micros(_OPEN_US - days_ago * DAY_US + 390 * MINUTE_US)
    return PriceSample(
        ticker=ticker,
        kind="daily",
        event_us=Micros(end_us - 390 * MINUTE_US),
        end_us=end_us,
        received_us=end_us,
        source="tape",
        open=close,
        high=close,
        low=close,
        close=close,
        volume=Decimal(1_000_000),
        benchmark="SPY",
        benchmark_price=Decimal(680 + days_ago % 7),
    )


def _written(tape: Sequence[PriceSample]) -> int:
    """Return the bytes that sample_prices writes for the tape, a batch a sample."""
    step, total = sample_prices_step(Policy()), 0
    states: dict[str, Rows] = {}
    for sample in tape:
        rows = states.setdefault(sample.ticker, {})
        changes, outputs = step(rows, sample.ticker, sample)
        for part, row in changes.items():
            total += len(sample.ticker) + 1 + len(part)
            total += 0 if row is None else len(encode_row(row))
        rows = states[sample.ticker] = apply_changes(rows, changes)
        total += sum(len(output.key) + len(encode(output.message)) for output in outputs)
    return total


def _frame(tape: Sequence[PriceSample]) -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "ticker": [sample.ticker for sample in tape],
            "second": [sample.event_us // SECOND_US for sample in tape],
            "price": [float(sample.price or 0) for sample in tape],
        }
    )


def _group(frame: pandas.DataFrame) -> object:
    merged = frame.groupby(["ticker", "second"])["price"].agg(["first", "max", "min", "last"])
    return merged["last"] / 100.0 - 1.0


if __name__ == "__main__":
    main()
