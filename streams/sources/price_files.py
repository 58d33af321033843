"""Several price files as one source: a benchmark in one of them is the benchmark of all."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from signals.errors import BadMessage
from signals.market.markets import BENCHMARKS
from signals.messages import PriceSample
from streams.sources.benchmarks import Benchmarks
from streams.sources.faults import OnBad
from streams.sources.prices_file import Interval, read_prices

__all__ = ["read_price_files"]


def read_price_files(
    paths: Sequence[Path],
    *,
    bar: Interval | None = None,
    on_bad: OnBad | None = None,
    benchmarks: Mapping[str, str] | None = None,
) -> Iterator[PriceSample]:
    """Yield the price records of the files, one after the other.

    A sample whose own file names no benchmark for it gets the one that another file has. With more
    than one file each is read twice for that, and only the benchmarks' rows are held.

    Args and raises: see ``read_prices``.
    """
    chosen = BENCHMARKS if benchmarks is None else benchmarks
    known: Benchmarks | None = None
    if len(paths) > 1:
        wanted = frozenset(chosen.values())
        known = Benchmarks(
            (
                sample
                for path in paths
                for sample in read_prices(path, bar=bar, on_bad=_pass_over, benchmarks=chosen)
                if sample.ticker in wanted
            ),
            chosen,
        )
    for path in paths:
        for sample in read_prices(path, bar=bar, on_bad=on_bad, benchmarks=chosen):
            yield sample if known is None or sample.benchmark else known.stamp(sample)


def _pass_over(_: BadMessage) -> None:
    """Leave a fault to the second reading, which reports it."""
