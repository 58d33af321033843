"""Raw records in, alerts out, without a broker: ``tapewire.replay``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from signals.fold import Agent
from signals.messages import Headline, PriceSample
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.pace import Pace
from streams.replay import Report, replay_raw
from streams.rule_files import RuleFiles
from streams.sources.faults import OnBad
from streams.sources.merge import NotInOrder, is_in_order, merge_in_order
from streams.sources.prices_file import Interval
from tapewire.replay_inputs import Input, Span, Told, file_inputs

__all__ = ["fold_inputs", "in_canonical_order", "paced", "replay", "unsorted_inputs"]

_receipt = attrgetter("received_us")

Record = tuple[str, str, Headline | PriceSample]  # topic, key, message
Paths = Path | str | Sequence[Path | str]


def replay(
    headlines: Paths,
    prices: Paths,
    *,
    bar: Interval | None = None,
    policy: Policy | None = None,
    benchmarks: Mapping[str, str] | None = None,
    rules: RuleFiles | None = None,
    span: Span | None = None,
    on_bad: OnBad | None = None,
    on_record: Callable[[str], None] | None = None,
) -> Report:
    """Return the alerts that headlines and prices give, in the order in which they became known.

    Files whose rows are in the order of their receipt are merged as they are read, so that memory
    does not grow with them; others are read again and sorted in memory.

    Args:
        headlines: JSON lines with ``title`` and ``published_at``, as for ``tapewire ingest``; one
            file or several.
        prices: CSV or Parquet with ``time,ticker,price``, or bars; one file or several.
        bar: how long the bars are, in a file without a column ``end``.
        policy: thresholds and spans; the defaults when left out.
        benchmarks: the benchmark's ticker by market (MIC), as for ``read_prices``.
        rules: the files that decide, as ``read_pack`` gives them; those that ship when left out.
        span: which records count, by their receipt; all when left out.
        on_bad: called with the fault of a line that cannot be read; raised when left out.
        on_record: called with ``folded`` for each record, to show progress.

    Raises:
        ConfigError: for a file that cannot be opened, or whose header is none.
        BadMessage: for a line that cannot be read, without ``on_bad``.
    """
    told = Told(on_bad)
    inputs = file_inputs(_paths(headlines), _paths(prices), told, bar=bar, benchmarks=benchmarks)
    agents = assemble_agents(policy or Policy(), rules=rules)
    return fold_inputs(inputs, agents, told, span=span, on_record=on_record)


def fold_inputs(
    inputs: Sequence[Input],
    agents: Sequence[Agent],
    told: Told,
    *,
    span: Span | None = None,
    on_record: Callable[[str], None] | None = None,
    on_unsorted: Callable[[str], None] | None = None,
    on_restart: Callable[[], None] | None = None,
) -> Report:
    """Return the alerts of raw inputs, folded in the canonical order.

    Args:
        inputs: each opened at most three times.
        agents: the four of them.
        told: the faults of the inputs; what it has counted as dead is in the report.
        span: which records count; all when left out.
        on_record: called with ``folded`` for each record.
        on_unsorted: called with the name of an input that has to be sorted in memory.
        on_restart: called when what was folded so far is folded again, because of that.
    """
    try:
        report = replay_raw(_told(in_canonical_order(inputs, span or Span()), on_record), agents)
    except NotInOrder:
        if on_restart is not None:
            on_restart()
        unsorted = unsorted_inputs(inputs, on_unsorted)
        records = in_canonical_order(inputs, span or Span(), unsorted=unsorted)
        report = replay_raw(_told(records, on_record), agents)
    report.dead.update(told.dead)
    return report


def in_canonical_order(
    inputs: Sequence[Input], span: Span, *, unsorted: frozenset[int] = frozenset()
) -> Iterator[Record]:
    """Yield the records of a span, merged by their receipt.

    Args:
        inputs: opened once each.
        span: which records count.
        unsorted: the numbers of those that are sorted in memory first.
    Raises: NotInOrder for another one that would have to be.
    """
    opened = [
        sorted(given.open(), key=_receipt) if number in unsorted else given.open()
        for number, given in enumerate(inputs)
    ]
    merged = merge_in_order(opened)
    if span.is_open:
        yield from merged
        return
    # To the end, also of a span that is over: an input that is not in order may have more of it.
    for record in merged:
        received_us = record[2].received_us
        if not span.is_before(received_us) and not span.is_after(received_us):
            yield record


def unsorted_inputs(
    inputs: Sequence[Input], on_unsorted: Callable[[str], None] | None = None
) -> frozenset[int]:
    """Read all inputs, and return the numbers of those that are not in the order of receipt."""
    found = frozenset(
        number for number, given in enumerate(inputs) if not is_in_order(given.open())
    )
    for number in sorted(found):
        if on_unsorted is not None:
            on_unsorted(inputs[number].name)
    return found


def paced(records: Iterable[Record], pace: Pace) -> Iterator[Record]:
    """Yield records when they are due."""
    for record in records:
        pace.wait(record[2].received_us)
        yield record


def _told(records: Iterable[Record], tell: Callable[[str], None] | None) -> Iterator[Record]:
    for record in records:
        if tell is not None:
            tell("folded")
        yield record


def _paths(given: Paths) -> list[Path]:
    many = [given] if isinstance(given, Path | str) else given
    return [Path(path) for path in many]
