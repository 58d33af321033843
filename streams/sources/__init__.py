"""Sources: what reads headlines and prices into messages. A new one is a module and a line.

Files are in ``SOURCES`` here, by suffix, live sources in ``LIVE_SOURCES``, by name. Each
yields messages with the time of their receipt, and can go on where a topic ends: a file's messages
come in the same order each time and are counted (``streams/positions.py``), a live source is told
the newest moment that the topic holds of each ticker.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from signals.messages import Headline, PriceSample
from streams.sources.documents import read_document
from streams.sources.faults import OnBad
from streams.sources.headlines_file import read_headlines
from streams.sources.live import LIVE_SOURCES, LiveOptions, LiveSource
from streams.sources.merge import canonical_order
from streams.sources.prices_file import INTERVALS, Interval, read_prices

__all__ = [
    "INTERVALS",
    "LIVE_SOURCES",
    "SOURCES",
    "Interval",
    "LiveOptions",
    "LiveSource",
    "OnBad",
    "Options",
    "Source",
    "canonical_order",
    "read_document",
    "read_headlines",
    "read_prices",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a source may need besides its file.

    Attributes:
        source: the name of the source, where the file does not say it.
        bar: the interval of a price file's bars, where it has no column ``end``.
        benchmarks: the benchmark's ticker by market (MIC); the defaults where left out.
        on_bad: called with what cannot be read, and the reading goes on; raised when left out.
    """

    source: str | None = None
    bar: Interval | None = None
    benchmarks: Mapping[str, str] | None = None
    on_bad: OnBad | None = None


class Source(Protocol):
    """A port: yields messages lazily, each with the time at which it was received.

    Two calls for one file yield the same messages in the same order.

    Raises: ConfigError for a file or options that make no sense, BadMessage for a record.
    """

    def __call__(self, path: Path, options: Options, /) -> Iterator[Headline | PriceSample]:
        """Yield the file's messages in its own order."""
        ...


def _headlines(path: Path, options: Options) -> Iterator[Headline]:
    return read_headlines(path, source=options.source, on_bad=options.on_bad)


def _document(path: Path, options: Options) -> Iterator[Headline]:
    return read_document(path, source=options.source)


def _prices(path: Path, options: Options) -> Iterator[PriceSample]:
    source = options.source or "file"
    return read_prices(
        path,
        bar=options.bar,
        source=source,
        on_bad=options.on_bad,
        benchmarks=options.benchmarks,
    )


# By a file's suffix.
SOURCES: Mapping[str, Source] = {
    ".jsonl": _headlines,
    ".ndjson": _headlines,
    ".md": _document,
    ".markdown": _document,
    ".txt": _document,
    ".csv": _prices,
    ".parquet": _prices,
    ".pq": _prices,
}
