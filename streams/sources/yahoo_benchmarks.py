"""Give each bar the benchmark's price of its own end, whenever the two were fetched."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from signals.market.markets import mic_of
from signals.messages import Micros, PriceSample
from streams.sources.benchmarks import LatestBenchmarks
from streams.tables import load_nasdaq

__all__ = ["BenchmarkBars", "moment_of"]

_KEPT = 30_000  # a month of minutes from four in the morning to eight in the evening


class BenchmarkBars:
    """The bars of the benchmarks, held so that other tickers' bars can be stamped with them."""

    def __init__(self, benchmarks: Mapping[str, str]) -> None:
        self._benchmarks = benchmarks
        self._bars: dict[str, list[PriceSample]] = {name: [] for name in benchmarks.values()}

    def of(self, ticker: str) -> str | None:
        """Return the benchmark of a ticker's market, None for a benchmark itself."""
        found = self._benchmarks.get(mic_of(ticker, load_nasdaq()) or "")
        return None if self.lead(ticker) else found

    def lead(self, ticker: str) -> bool:
        """Return whether a ticker is a benchmark."""
        return ticker in self._bars

    def keep(self, samples: Iterable[PriceSample]) -> None:
        """Hold a benchmark's samples, ascending, as far as they are later; pass others over."""
        for sample in samples:
            held = self._bars.get(sample.ticker)
            if held is None:
                continue
            if not held or moment_of(sample) > moment_of(held[-1]):
                held.append(sample)
                if len(held) > 2 * _KEPT:
                    del held[:-_KEPT]

    def stamp(self, samples: list[PriceSample]) -> Iterator[PriceSample]:
        """Yield a ticker's samples, ascending, each with the benchmark as of its end.

        A backlog comes in one reply, hours after the bars' ends: what the benchmark was then was
        known by that time as well, and it is what the bar has to be measured against.
        """
        bars = self._bars.get(self.of(samples[0].ticker) or "", []) if samples else []
        latest = LatestBenchmarks(self._benchmarks, kept=None)
        at = max(bisect_right(bars, moment_of(samples[0]), key=moment_of) - 1, 0) if bars else 0
        for sample in samples:
            while at < len(bars) and moment_of(bars[at]) <= moment_of(sample):
                latest.see(replace(bars[at], received_us=sample.received_us))
                at += 1
            yield latest.stamp(sample)


def moment_of(sample: PriceSample) -> Micros:
    """Return when a sample is known: the end of a bar or session, the time of all else."""
    return sample.event_us if sample.end_us is None else sample.end_us
