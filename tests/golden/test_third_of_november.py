"""The real figures of 3 November 2025, whatever the samples are and however they arrive.

The day's open, high, low, close and volume are facts; the minutes and ticks between them are made
to agree with them. New York had turned its clocks back the day before: it opened at 14:30 UTC.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals import names
from signals.market.session_moves import SessionMoves, session_moves
from signals.market.tape import Tape
from signals.messages import Headline, Micros, Move, PriceSample, Reaction
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy
from streams.replay import Pipeline
from streams.tables import load_sessions
from tapewire.recorded import read_tape
from tests.builders import CLOSE, OPEN, as_input, canonical, trade, us
from tests.reference.feeds import agents_of, news

_MONDAY = date(2025, 11, 3)
_TOLD = us("2025-11-03T11:37:00Z")  # 06:37 in New York
_FRIDAY_CLOSE = us("2025-10-31T20:00:00Z")
# Gap, high and close in percent, as event_day_prices.csv has them.
_FIGURES = {
    "IREN": (20.28, 24.66, 11.52),
    "DELL": (3.17, 3.75, -1.17),
    "CIFR": (23.00, 34.64, 22.04),
}
_LATE_US = Policy().price_late_us

Samples = list[PriceSample]


@dataclass(frozen=True)
class _Outcome:
    """What an analyst sees at the end, whenever it became known."""

    session: SessionMoves
    moves: dict[str, Move]


@cache
def _history(ticker: str) -> tuple[PriceSample, ...]:
    """The daily records of half a year, Monday's too."""
    return tuple(s for s in read_tape(days=[_MONDAY], tickers=[ticker]) if s.kind == "daily")


def _daily_bar(ticker: str) -> Samples:
    """Monday as one bar, and Friday's last price."""
    return [
        replace(sample, kind="bar", day_volume=sample.volume)
        for sample in _history(ticker)[-2:]
    ]  # fmt: skip


@cache
def _minutes(ticker: str, length: int) -> tuple[PriceSample, ...]:
    tape = read_tape(days=[date(2025, 10, 31), _MONDAY], tickers=[ticker], minutes=length)
    bars = [sample for sample in tape if sample.kind == "bar"]
    # Friday's last minutes are enough for the price before the news.
    return tuple(bar for bar in bars if bar.event_us >= _FRIDAY_CLOSE - 30 * MINUTE_US)


def _ticks(bars: Iterable[PriceSample]) -> Iterator[PriceSample]:
    """Four trades a bar: its open, its extremes in two seconds between, its close at the end."""
    for bar in bars:
        assert bar.end_us is not None
        last_us = bar.end_us - SECOND_US // 4
        times = (bar.event_us, bar.event_us + 20 * SECOND_US, last_us - 20 * SECOND_US, last_us)
        for at_us, price in zip(times, (bar.open, bar.high, bar.low, bar.close), strict=True):
            yield trade(
                bar.ticker,
                str(price),
                at=at_us,
                benchmark=bar.benchmark,
                benchmark_price=bar.benchmark_price,
                # Only the last of a bar's trades tells what had been traded by then.
                day_volume=bar.day_volume if at_us == last_us else None,
            )


def _shapes(ticker: str) -> dict[str, Samples]:
    return {
        "daily bars": _daily_bar(ticker),
        "one-minute bars": list(_minutes(ticker, 1)),
        "ticks": list(_ticks(_minutes(ticker, 6))),
    }


def _outcome(ticker: str, inputs: Sequence[Headline | PriceSample]) -> _Outcome:
    """Fold inputs in the order given, and one trade of the next day that shows Monday is over."""
    pipeline, sessions = Pipeline(agents_of(ticker)), load_sessions()
    tape = Tape(ticker, sessions, Policy())
    standing: dict[str, Reaction] = {}
    for message in (*inputs, trade(ticker, "50", at=us(OPEN) + DAY_US)):
        for output in pipeline.feed(*as_input(message)):
            if output.topic == names.JOURNAL and not isinstance(message, Headline):
                tape.add(output.message)  # type: ignore[arg-type]  # the journal's, no event
            if isinstance(output.message, Reaction):
                standing[output.message.reaction_id] = output.message
    assert not pipeline.dead
    monday = sessions.at(ticker, us(OPEN))
    assert monday is not None
    found = session_moves(tape.market(), monday)
    assert found.previous is not None
    return _Outcome(
        session=replace(
            found,
            previous=found.previous,
            **{
                name: _timeless(move)
                for name in ("gap", "high", "low", "close")
                if (move := getattr(found, name)) is not None
            },
        ),
        moves={
            f"{r.move.relation} {r.move.milestone}": _timeless(r.move)
            for r in standing.values()
            if r.status == "live"
        },
    )


def _timeless(move: Move) -> Move:
    return replace(move, known_us=Micros(0))


def _percent(move: Move | None) -> float:
    assert move is not None
    assert move.raw is not None
    return round(100 * move.raw, 2)


@pytest.mark.parametrize("shape", ["daily bars", "one-minute bars", "ticks"])
@pytest.mark.parametrize("ticker", _FIGURES)
def test_session_of_monday_is_the_real_one(ticker: str, shape: str) -> None:
    session = _outcome(ticker, canonical([*_history(ticker), *_shapes(ticker)[shape]])).session

    gap, high, close = _FIGURES[ticker]
    assert (_percent(session.gap), _percent(session.close)) == (gap, close)
    assert _percent(session.high) == high
    assert session.gap is not None
    assert (session.gap.from_us, session.gap.to_us) == (_FRIDAY_CLOSE, us("2025-11-03T14:30:00Z"))
    assert session.close is not None
    assert session.close.to_us == us(CLOSE)
    assert session.is_over


@pytest.mark.parametrize("shape", ["daily bars", "one-minute bars", "ticks"])
@pytest.mark.parametrize(
    ("ticker", "level", "gap", "close"),
    [
        ("IREN", "level:+0.20", 0.2028, 0.1152),
        ("DELL", "level:+0.03", 0.0317, -0.0117),
        ("CIFR", "level:+0.20", 0.2300, 0.2204),
    ],
)
def test_news_before_the_open_is_followed_by_the_real_gap(
    ticker: str, level: str, gap: float, close: float, shape: str
) -> None:
    inputs = [*_history(ticker), news(ticker, _TOLD), *_shapes(ticker)[shape]]
    moves = _outcome(ticker, canonical(inputs)).moves

    opened, closed = moves[f"after {level}"], moves["after close"]
    assert (opened.from_us, opened.to_us) == (_FRIDAY_CLOSE, us("2025-11-03T14:30:00Z"))
    assert opened.raw == pytest.approx(gap, abs=5e-5)
    assert closed.to_us == us("2025-11-03T21:00:00Z")
    assert closed.raw == pytest.approx(close, abs=5e-5)
    assert (opened.flags, closed.flags) == ((), ())
    assert (opened.benchmark, opened.session) == ("SPY", "regular")


def test_figures_are_those_of_the_shared_table(shared: Path) -> None:
    with (shared / "data" / "event_day_prices.csv").open(encoding="utf-8") as file:
        rows = {row["ticker"]: row for row in csv.DictReader(file) if row["date"] == "2025-11-03"}
    for ticker, figures in _FIGURES.items():
        row, day = rows[ticker], _history(ticker)[-1]
        assert tuple(float(row[name]) for name in ("gap", "hi", "ret")) == figures
        assert [day.open, day.high, day.close] == [
            Decimal(row[name]) for name in ("open", "high", "close")
        ]
        assert _history(ticker)[-2].close == Decimal(row["prev_close"])


# ---- any order -----------------------------------------------------------------------------------


@cache
def _in_order(
    ticker: str, *, is_ticks: bool
) -> tuple[tuple[Headline | PriceSample, ...], _Outcome]:
    """Inputs in order, some thirty minutes a bar, and what comes of them."""
    bars = _minutes(ticker, 30)
    inputs = (*_history(ticker)[-70:], news(ticker, _TOLD), *(_ticks(bars) if is_ticks else bars))
    return inputs, _outcome(ticker, canonical(inputs))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ticker=st.sampled_from(sorted(_FIGURES)),
    is_ticks=st.booleans(),
    seed=st.integers(0, 2**32),
    repeats=st.integers(0, 30),
)
def test_order_and_repeats_of_the_records_do_not_matter(
    ticker: str, is_ticks: bool, seed: int, repeats: int
) -> None:
    inputs, expected = _in_order(ticker, is_ticks=is_ticks)
    random = Random(seed)
    shuffled = [*inputs, *random.choices(inputs, k=repeats)]
    random.shuffle(shuffled)

    assert _outcome(ticker, shuffled) == expected


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ticker=st.sampled_from(sorted(_FIGURES)), is_ticks=st.booleans(), seed=st.integers(0, 2**32))
def test_receipts_within_the_lateness_bound_do_not_matter(
    ticker: str, is_ticks: bool, seed: int
) -> None:
    inputs, expected = _in_order(ticker, is_ticks=is_ticks)
    random = Random(seed)
    late = [
        message if message.kind == "daily" else _delayed(message, random.randint(0, _LATE_US))
        for message in inputs
        if isinstance(message, PriceSample)
    ]
    told = [message for message in inputs if isinstance(message, Headline)]

    arrived = sorted([*late, *told], key=lambda message: message.received_us)
    assert _outcome(ticker, arrived) == expected


def _delayed(sample: PriceSample, delay_us: int) -> PriceSample:
    known_us = sample.event_us if sample.end_us is None else sample.end_us
    return replace(sample, received_us=Micros(known_us + delay_us))


def test_sample_beyond_the_lateness_bound_is_counted_and_changes_nothing() -> None:
    pipeline = Pipeline(agents_of("IREN"))
    (first, *_) = _minutes("IREN", 30)
    pipeline.feed(*as_input(_delayed(first, _LATE_US)))
    assert pipeline.dead == {}
    before = dict(pipeline.state("track_reactions", "IREN"))

    pipeline.feed(*as_input(_delayed(replace(first, close=Decimal(1)), _LATE_US + 1)))

    assert pipeline.dead == {"late": 1}
    assert pipeline.state("track_reactions", "IREN") == before
