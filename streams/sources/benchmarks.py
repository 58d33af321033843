"""Stamp each price with its market's benchmark as it was known at the price's receipt."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from signals.messages import Micros, PriceSample
from streams.sources.sessions import BENCHMARKS, market_of

__all__ = ["Benchmarks"]


class Benchmarks:
    """The prices of the benchmarks among a source's own records, in order of receipt.

    Only benchmarks are kept, so a file of any size takes the memory of one or two tickers.
    """

    def __init__(self, samples: Iterable[PriceSample]) -> None:
        prices: dict[str, list[tuple[Micros, Micros, Decimal]]] = defaultdict(list)
        self._closes: dict[tuple[str, Micros], Decimal] = {}
        for sample in samples:
            last = sample.price if sample.kind == "trade" else sample.close
            if sample.ticker not in BENCHMARKS or last is None:
                continue
            moment = sample.event_us if sample.end_us is None else sample.end_us
            prices[sample.ticker].append((sample.received_us, moment, last))
            if sample.kind == "daily":
                self._closes[sample.ticker, moment] = last
        # Of two with one receipt the later event is what was known, so it comes last.
        self._prices = {ticker: sorted(rows) for ticker, rows in prices.items()}

    def stamp(self, sample: PriceSample) -> PriceSample:
        """Return the sample with its benchmark.

        A daily record gets the benchmark's close of the same session, anything else the last price
        received no later than itself. A benchmark itself, a market without one, and a time before
        the benchmark's first price stay without.
        """
        market = market_of(sample.ticker)
        if market is None or sample.ticker == market.benchmark:
            return sample
        price = self._price(market.benchmark, sample)
        if price is None:
            return sample
        return replace(sample, benchmark=market.benchmark, benchmark_price=price)

    def _price(self, benchmark: str, sample: PriceSample) -> Decimal | None:
        if sample.kind == "daily" and sample.end_us is not None:
            return self._closes.get((benchmark, sample.end_us))
        rows = self._prices.get(benchmark, [])
        known = bisect_right(rows, sample.received_us, key=lambda row: row[0])
        return rows[known - 1][2] if known else None
