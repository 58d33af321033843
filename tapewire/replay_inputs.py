"""What a raw replay reads: files, or recorded or live topics of headlines and prices.

An input can be opened again: one that turns out not to be in the order of receipt is read a second
time, to be sorted. What cannot be read is told once, however often it is read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from signals import names
from signals.errors import BadMessage, ConfigError
from signals.messages import Headline, Micros, PriceSample
from streams.codec import decode
from streams.recording import Recording
from streams.sources.faults import OnBad, report
from streams.sources.headlines_file import read_headlines
from streams.sources.prices_file import Interval, benchmarks_of, read_prices

__all__ = [
    "RAW_TOPICS",
    "Input",
    "Span",
    "Told",
    "file_inputs",
    "recording_inputs",
]

RAW_TOPICS: Mapping[str, type] = {names.HEADLINES: Headline, names.PRICES: PriceSample}

Message = Headline | PriceSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which records count, by their receipt: from ``from_us`` to before ``to_us``.

    ``as_of_us`` is a moment that counts itself: what was received by then was known then.
    """

    from_us: Micros | None = None
    to_us: Micros | None = None
    as_of_us: Micros | None = None

    @property
    def is_open(self) -> bool:
        """Return whether every record counts."""
        return self == Span()

    def is_before(self, moment_us: int) -> bool:
        """Return whether a moment comes before the span."""
        return self.from_us is not None and moment_us < self.from_us

    def is_after(self, moment_us: int) -> bool:
        """Return whether a moment comes after it."""
        return (self.to_us is not None and moment_us >= self.to_us) or (
            self.as_of_us is not None and moment_us > self.as_of_us
        )


@dataclass(frozen=True, slots=True)
class Input:
    """One sequence of raw records, and how people call it."""

    name: str
    open: Callable[[], Iterator[Message]]


@dataclass(slots=True)
class Told:
    """Faults, each once: of lines that are refused, of records that the live run dead-letters."""

    on_bad: OnBad | None = None
    dead: Counter[str] = field(default_factory=Counter)
    _refused: set[str] = field(default_factory=set)
    _dead: set[tuple[str, int, int]] = field(default_factory=set)

    def refuse(self, error: BadMessage) -> None:
        """Hand a line's fault on. Raises: it, where nobody listens."""
        if str(error) not in self._refused:
            report(error, self.on_bad)
            self._refused.add(str(error))

    def bury(self, error: BadMessage, place: tuple[str, int, int]) -> None:
        """Count a record that cannot be read, at its topic, partition and offset."""
        if place not in self._dead:
            self._dead.add(place)
            self.dead[error.reason] += 1


def file_inputs(
    headlines: Sequence[Path],
    prices: Sequence[Path],
    told: Told,
    *,
    bar: Interval | None = None,
    benchmarks: Mapping[str, str] | None = None,
) -> list[Input]:
    """Return an input for each file; a benchmark in one price file is that of all.

    Raises: ConfigError for a file that cannot be opened, or whose header is none.
    """
    known = benchmarks_of(prices, bar=bar, benchmarks=benchmarks)

    def open_headlines(path: Path) -> Iterator[Message]:
        return read_headlines(path, on_bad=told.refuse)

    def open_prices(path: Path) -> Iterator[Message]:
        return read_prices(path, bar=bar, on_bad=told.refuse, benchmarks=benchmarks, known=known)

    opened = [(path, open_headlines) for path in headlines]
    opened += [(path, open_prices) for path in prices]
    return [Input(str(path), _opening(open_file, path)) for path, open_file in opened]


def recording_inputs(recording: Recording, told: Told) -> list[Input]:
    """Return an input for each partition of the raw topics of a recording.

    Raises: ConfigError for one that holds none of them.
    """
    topics = [topic for topic in RAW_TOPICS if topic in recording.topics]
    if not topics:
        raise ConfigError(
            f"the recording {recording.name} holds neither {' nor '.join(RAW_TOPICS)}; "
            "record them, or replay its reactions"
        )

    def open_partition(at: tuple[str, int]) -> Iterator[Message]:
        topic, number = at
        for record in recording.read(topic, number):
            yield from _decoded(topic, (number, record.offset), record.value, told)

    return [
        Input(f"{topic} partition {number}", _opening(open_partition, (topic, number)))
        for topic in topics
        for number in recording.starts(topic)
    ]


def _opening(
    opener: Callable[..., Iterator[Message]], at: object
) -> Callable[[], Iterator[Message]]:
    return lambda: opener(at)


def _decoded(
    topic: str, place: tuple[int, int], value: bytes | None, told: Told
) -> Iterator[Message]:
    """Yield the message of a record; one that cannot be read is counted, as live."""
    try:
        yield decode(value, RAW_TOPICS[topic])
    except BadMessage as error:
        told.bury(error, (topic, *place))
