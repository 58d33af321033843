"""Stamp each price with its market's benchmark as it was known at the price's receipt."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from signals.market.markets import BENCHMARKS, mic_of
from signals.messages import Micros, PriceSample
from streams.tables import load_nasdaq

__all__ = ["Benchmarks", "LatestBenchmarks"]

# A live sample waits seconds for its stamp. 20,000 prices of a benchmark are at least hours of it,
# and its daily closes are kept for as many sessions.
_KEPT = 20_000


class LatestBenchmarks:
    """The prices of the benchmarks as a live source hears them.

    A source shows it every sample and stamps each, benchmarks first where several come together.
    """

    def __init__(
        self, benchmarks: Mapping[str, str] | None = None, *, kept: int | None = _KEPT
    ) -> None:
        """Begin with no price known.

        Args:
            benchmarks: the benchmark's ticker by market; the defaults where left out.
            kept: how many prices of a benchmark are remembered; None for all.
        """
        self._benchmarks = BENCHMARKS if benchmarks is None else benchmarks
        self._histories = {ticker: _History(kept) for ticker in self._benchmarks.values()}

    def see(self, sample: PriceSample) -> None:
        """Remember a benchmark's price; anything else is passed over."""
        history = self._histories.get(sample.ticker)
        last = sample.price if sample.kind == "trade" else sample.close
        if history is not None and last is not None:
            history.add(sample, last)

    def stamp(self, sample: PriceSample) -> PriceSample:
        """Return the sample with its benchmark.

        A daily record gets the benchmark's close of the same session, anything else the last price
        received no later than itself. A benchmark itself, a split, a market without one, and a time
        before the benchmark's first price stay without.
        """
        benchmark = self._benchmarks.get(mic_of(sample.ticker, load_nasdaq()) or "")
        if benchmark is None or sample.ticker == benchmark or sample.kind == "split":
            return sample
        price = self._histories[benchmark].known(sample)
        if price is None:
            return sample
        return replace(sample, benchmark=benchmark, benchmark_price=price)


class Benchmarks(LatestBenchmarks):
    """The prices of the benchmarks among all records of a source, whatever their order.

    Only benchmarks are kept, so a file of any size takes the memory of one or two tickers.
    """

    def __init__(
        self, samples: Iterable[PriceSample], benchmarks: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(benchmarks, kept=None)
        wanted = [sample for sample in samples if sample.ticker in self._histories]
        for sample in sorted(wanted, key=lambda sample: (sample.received_us, _moment(sample))):
            self.see(sample)


class _History:
    """One benchmark's prices, ascending by receipt and then by time, and its daily closes."""

    def __init__(self, kept: int | None) -> None:
        self._kept = kept
        self._receipts: list[int] = []
        self._moments: list[int] = []
        self._prices: list[Decimal] = []
        self._closes: dict[Micros, Decimal] = {}

    def add(self, sample: PriceSample, last: Decimal) -> None:
        moment = _moment(sample)
        if sample.kind == "daily":
            self._closes[moment] = last
        start = bisect_left(self._receipts, sample.received_us)
        end = bisect_right(self._receipts, sample.received_us, start)
        at = bisect_right(self._moments, moment, start, end)
        self._receipts.insert(at, sample.received_us)
        self._moments.insert(at, moment)
        self._prices.insert(at, last)
        if self._kept is not None:
            self._forget(self._kept)

    def known(self, sample: PriceSample) -> Decimal | None:
        """Return the price that goes with a sample, None where none is known."""
        if sample.kind == "daily":
            return self._closes.get(_moment(sample))
        end = bisect_right(self._receipts, sample.received_us)
        if end == 0:
            return None
        # Bars fetched together have one receipt: of these the last that had happened by then, so
        # that a bar of the morning is not set against the afternoon's price.
        start = bisect_left(self._receipts, self._receipts[end - 1])
        at = bisect_right(self._moments, _moment(sample), start, end)
        return self._prices[max(at - 1, start)]

    def _forget(self, kept: int) -> None:
        # By halves, so that a price is moved once and not at every arrival.
        if len(self._receipts) > 2 * kept:
            del self._receipts[:-kept], self._moments[:-kept], self._prices[:-kept]
        if len(self._closes) > 2 * kept:
            for moment in sorted(self._closes)[:-kept]:
                del self._closes[moment]


def _moment(sample: PriceSample) -> Micros:
    """Return when a sample's last price held: a trade's time, a bar's end."""
    return sample.event_us if sample.end_us is None else sample.end_us
