"""Files in, alerts out, without a broker: ``tapewire.replay``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.replay import Report, replay_raw
from streams.sources.faults import OnBad
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import canonical_order
from streams.sources.prices_file import Interval, read_prices

__all__ = ["replay"]

_Item = TypeVar("_Item")


def replay(
    headlines: Path | str,
    prices: Path | str,
    *,
    bar: Interval | None = None,
    policy: Policy | None = None,
    benchmarks: Mapping[str, str] | None = None,
    on_bad: OnBad | None = None,
    on_record: Callable[[str], None] | None = None,
) -> Report:
    """Return the alerts that headlines and prices give, in the order in which they became known.

    Args:
        headlines: JSON lines with ``title`` and ``published_at``, as for ``tapewire ingest``.
        prices: CSV with ``time,ticker,price``, or bars.
        bar: how long the bars are, in a file without a column ``end``.
        policy: thresholds and spans; the defaults when left out.
        benchmarks: the benchmark's ticker by market (MIC), as for ``read_prices``.
        on_bad: called with the fault of a line that cannot be read; raised when left out.
        on_record: called with ``read`` or ``folded`` for each record, to show progress.

    Raises:
        ConfigError: for a file that cannot be opened, or whose header is none.
        BadMessage: for a line that cannot be read, without ``on_bad``.
    """
    tell = on_record or (lambda _: None)
    samples = read_prices(Path(prices), bar=bar, on_bad=on_bad, benchmarks=benchmarks)
    records = canonical_order(
        _telling(read_headlines(Path(headlines), on_bad=on_bad), "read", tell),
        _telling(samples, "read", tell),
    )
    return replay_raw(_telling(records, "folded", tell), assemble_agents(policy or Policy()))


def _telling(items: Iterable[_Item], stage: str, tell: Callable[[str], None]) -> Iterator[_Item]:
    for item in items:
        tell(stage)
        yield item
