"""Stamp each price with its market's benchmark as it was known at the price's receipt."""

from array import array
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
_LOOK_BACK = 500  # prices of a benchmark that may have come since a bar's start


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
        self._by_ticker: dict[str, str | None] = {}
        self._asked: tuple[str, bool, Micros, Micros] | None = None
        self._found: tuple[str, Decimal] | None = None

    def see(self, sample: PriceSample) -> None:
        """Remember a benchmark's price; anything else is passed over."""
        history = self._histories.get(sample.ticker)
        last = sample.price if sample.kind == "trade" else sample.close
        if history is not None and last is not None:
            history.add(sample, last)
            self._asked = None

    def stamp(self, sample: PriceSample) -> PriceSample:
        """Return the sample with its benchmark.

        A daily record gets the benchmark's close of the same session, anything else the last price
        received no later than itself. A benchmark itself, a split, a market without one, and a time
        before the benchmark's first price stay without.
        """
        if sample.kind == "split":
            return sample
        found = self.known(
            sample.ticker,
            is_daily=sample.kind == "daily",
            received_us=sample.received_us,
            moment_us=_moment(sample),
        )
        if found is None:
            return sample
        opened = None
        if sample.kind == "bar":
            opened = self.opened(
                sample.ticker, received_us=sample.received_us, start_us=sample.event_us
            )
        return replace(sample, benchmark=found[0], benchmark_price=found[1], benchmark_open=opened)

    def opened(self, ticker: str, *, received_us: Micros, start_us: Micros) -> Decimal | None:
        """Return the benchmark's price at the start of a ticker's bar, None where it is not known.

        It is the open of the benchmark's bar with that start, else its last price before it.
        """
        benchmark = self._benchmark_of(ticker)
        if benchmark is None or ticker == benchmark:
            return None
        return self._histories[benchmark].opened(received_us=received_us, start_us=start_us)

    def known(
        self, ticker: str, *, is_daily: bool, received_us: Micros, moment_us: Micros
    ) -> tuple[str, Decimal] | None:
        """Return the benchmark and the price that ``stamp`` gives such a sample, None for none.

        Args:
            ticker: of the sample.
            is_daily: whether it is a daily record.
            received_us: its receipt.
            moment_us: when its last price held: a trade's time, a bar's end.
        """
        benchmark = self._benchmark_of(ticker)
        if benchmark is None or ticker == benchmark:
            return None
        asked = (benchmark, is_daily, received_us, moment_us)
        if asked != self._asked:  # all tickers of a second ask the same
            price = self._histories[benchmark].known(
                is_daily=is_daily, received_us=received_us, moment_us=moment_us
            )
            self._asked, self._found = asked, None if price is None else (benchmark, price)
        return self._found

    def _benchmark_of(self, ticker: str) -> str | None:
        try:
            return self._by_ticker[ticker]
        except KeyError:
            mic = mic_of(ticker, load_nasdaq())
            found = self._by_ticker[ticker] = self._benchmarks.get(mic or "")
            return found


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
    """One benchmark's prices, ascending by receipt and then by time, and its daily closes.

    All of a file are kept, a year of seconds: 24 bytes of each, and every distinct price once.
    """

    def __init__(self, kept: int | None) -> None:
        self._kept = kept
        self._receipts, self._moments = array("q"), array("q")
        self._prices: list[Decimal] = []
        self._once: dict[str, Decimal] = {}
        self._closes: dict[Micros, Decimal] = {}
        self._opens: dict[Micros, tuple[Micros, Decimal]] = {}  # receipt and price, by bar's start

    def add(self, sample: PriceSample, last: Decimal) -> None:
        moment = _moment(sample)
        if sample.kind == "daily":
            # Prices rewritten after the fact do not change what was known: the first one stands.
            self._closes.setdefault(moment, last)
        elif sample.open is not None:
            self._opens.setdefault(sample.event_us, (sample.received_us, sample.open))
        start = bisect_left(self._receipts, sample.received_us)
        end = bisect_right(self._receipts, sample.received_us, start)
        at = bisect_right(self._moments, moment, start, end)
        self._receipts.insert(at, sample.received_us)
        self._moments.insert(at, moment)
        self._prices.insert(at, self._once.setdefault(str(last), last))
        if self._kept is not None:
            self._forget(self._kept)

    def known(self, *, is_daily: bool, received_us: Micros, moment_us: Micros) -> Decimal | None:
        """Return the price that goes with a sample, None where none is known."""
        if is_daily:
            return self._closes.get(moment_us)
        end = bisect_right(self._receipts, received_us)
        if end == 0:
            return None
        # Bars fetched together have one receipt: of these the last that had happened by then, so
        # that a bar of the morning is not set against the afternoon's price.
        start = bisect_left(self._receipts, self._receipts[end - 1])
        at = bisect_right(self._moments, moment_us, start, end)
        return self._prices[max(at - 1, start)]

    def opened(self, *, received_us: Micros, start_us: Micros) -> Decimal | None:
        """Return the price at a bar's start, None where none is known."""
        opened = self._opens.get(start_us)
        if opened is not None and opened[0] <= received_us:
            return opened[1]
        end = bisect_right(self._receipts, received_us)
        for at in range(end - 1, max(end - _LOOK_BACK, 0) - 1, -1):
            if self._moments[at] <= start_us:
                return self._prices[at]
        return None

    def _forget(self, kept: int) -> None:
        # By halves, so that a price is moved once and not at every arrival.
        if len(self._receipts) > 2 * kept:
            del self._receipts[:-kept], self._moments[:-kept], self._prices[:-kept]
            self._once.clear()
        if len(self._closes) > 2 * kept:
            for moment in sorted(self._closes)[:-kept]:
                del self._closes[moment]
        if len(self._opens) > 2 * kept:
            for start in sorted(self._opens)[:-kept]:
                del self._opens[start]


def _moment(sample: PriceSample) -> Micros:
    """Return when a sample's last price held: a trade's time, a bar's end."""
    return sample.event_us if sample.end_us is None else sample.end_us
