"""Several price files as one source: a benchmark in one of them is the benchmark of all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from signals.messages import PriceSample
from streams.sources.faults import OnBad
from streams.sources.prices_file import Interval, benchmarks_of, read_prices

__all__ = ["read_price_files"]


def read_price_files(
    paths: Sequence[Path],
    *,
    bar: Interval | None = None,
    on_bad: OnBad | None = None,
    benchmarks: Mapping[str, str] | None = None,
    only: Callable[[str], bool] | None = None,
) -> Iterator[PriceSample]:
    """Yield the price records of the files, one after the other.

    Files in which a benchmark is named are read twice, and only its rows are held.

    Args and raises: see ``read_prices``.
    """
    known = benchmarks_of(paths, bar=bar, benchmarks=benchmarks)
    for path in paths:
        yield from read_prices(
            path, bar=bar, on_bad=on_bad, benchmarks=benchmarks, known=known, only=only
        )
