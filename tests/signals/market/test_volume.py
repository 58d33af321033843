"""The volume ratio: what was traded in a part of a session over an average day's share of it.

All prices and volumes are made by hand. ``day_volume`` is what the session has traded so far.
"""

from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals import names
from signals.market.measures import volume_ratio_of
from signals.market.session_moves import SessionMoves, session_moves
from signals.market.tape import Tape
from signals.messages import Headline, Micros, Move, PriceSample, Reaction, Second
from signals.policy import HOUR_US, MINUTE_US, SECOND_US, Policy
from streams.replay import Pipeline
from streams.tables import load_sessions
from tests.builders import (
    OPEN,
    agents,
    as_input,
    bar,
    canonical,
    daily,
    headline,
    reading,
    trade,
    us,
)

_FRIDAY = "2025-10-31T20:00:00Z"
_READINGS = {"contract": (reading("IREN", "MSFT", worth="9.7"),)}
_DAY = 390_000  # the volume of an average day: a thousand a minute


def _history(volume: int | None = _DAY, *, days: int = 25) -> list[PriceSample]:
    closes = [s.close_us for s in load_sessions().by_market["XNYS"] if s.close_us <= us(_FRIDAY)]
    return [
        daily("IREN", "100", at=close_us, volume=None if volume is None else Decimal(volume))
        for close_us in closes[-days:]
    ]


def _trade(minute: float, volume: int | None, price: str = "100") -> PriceSample:
    """A trade so many minutes after Monday's open, and the session's volume by then."""
    at_us = us(OPEN) + round(minute * 60) * SECOND_US
    return trade("IREN", price, at=at_us, day_volume=None if volume is None else Decimal(volume))


def _told(minute: float) -> Headline:
    return headline("contract", at=us(OPEN) + round(minute * 60) * SECOND_US)


def _moves(inputs: Iterable[Headline | PriceSample]) -> dict[str, Move]:
    pipeline = Pipeline(agents(_READINGS))
    last: dict[str, Reaction] = {}
    for message in inputs:
        for output in pipeline.feed(*as_input(message)):
            if isinstance(output.message, Reaction):
                last[output.message.reaction_id] = output.message
    return {r.move.milestone: r.move for r in last.values() if r.status == "live"}


def _session(samples: Iterable[PriceSample]) -> SessionMoves:
    """Monday's moves."""
    (sampling,) = (agent for agent in agents({}) if agent.reads == names.PRICES)
    pipeline, tape = Pipeline([sampling]), Tape("IREN", load_sessions(), Policy())
    for sample in samples:
        for output in pipeline.feed(*as_input(sample)):
            tape.add(output.message)  # type: ignore[arg-type]  # sample_prices gives no other
    monday = load_sessions().at("IREN", us(OPEN))
    assert monday is not None
    return session_moves(tape.market(), monday)


def _seconds(samples: Iterable[PriceSample]) -> dict[int, Second]:
    (sampling,) = (agent for agent in agents({}) if agent.reads == names.PRICES)
    pipeline = Pipeline([sampling])
    return {
        output.message.second_us: output.message
        for sample in samples
        for output in pipeline.feed(*as_input(sample))
        if isinstance(output.message, Second)
    }


def _every_minute(last: int, volume: int) -> list[PriceSample]:
    """A trade a minute from the open on, each minute with so much volume."""
    return [_trade(minute, minute * volume) for minute in range(last + 1)]


# ---- inside a session and over the night ---------------------------------------------------------


@pytest.mark.parametrize(("a_minute", "ratio"), [(1000, 1.0), (3000, 3.0), (250, 0.25)])
def test_volume_since_the_news_is_compared_with_as_much_of_an_average_day(
    a_minute: int, ratio: float
) -> None:
    inputs = [*_history(), *_every_minute(100, a_minute), _told(30.5)]
    moves = _moves(canonical(inputs))

    # From minute 30 to minute 60, half a minute later: 30 minutes of volume in 30.5 minutes less a
    # second.
    expected = ratio * 30 / (30 + 29 / 60)
    assert moves["PT30M"].volume_ratio == pytest.approx(expected, rel=1e-4)
    assert moves["PT1H"].volume_ratio == pytest.approx(ratio * 60 / (60 + 29 / 60), rel=1e-4)


def test_volume_after_news_of_the_night_counts_from_the_open() -> None:
    before = trade("IREN", "100", at=us(_FRIDAY) - MINUTE_US, day_volume=Decimal(999_999))
    told = headline("contract", at=us(OPEN) - 30 * MINUTE_US)
    inputs = [*_history(), before, *_every_minute(50, 2000), told]
    moves = _moves(canonical(inputs))

    # At 10:00 New York: the last second that has ended is that of 09:59.
    assert moves["PT1H"].volume_ratio == pytest.approx(2 * 29 / 30, rel=1e-4)


def test_volume_of_a_whole_session_is_compared_with_a_whole_day() -> None:
    closing = _trade(389.75, 975_000)
    after = daily("IREN", "100", at="2025-11-03T21:00:00Z", volume=Decimal(1_170_000))
    moves = _session([*_history(), _trade(0, 0), closing])
    official = _session([*_history(), _trade(0, 0), closing, after])

    assert moves.close is not None
    assert moves.close.volume_ratio == pytest.approx(2.5, rel=1e-3)
    assert official.close is not None  # the auction is in the daily record's
    assert official.close.volume_ratio == pytest.approx(3.0)


def test_mean_is_that_of_the_last_twenty_days() -> None:
    days = _history(days=40)
    loud = [*_history(10 * _DAY, days=40)[:20], *days[20:]]

    for history in (days, loud):
        moves = _session([*history, _trade(0, 0), _trade(389.75, _DAY)])
        assert moves.close is not None
        assert moves.close.volume_ratio == pytest.approx(1.0, rel=1e-3)


# ---- repeats and order ---------------------------------------------------------------------------


def test_repeated_samples_do_not_double_the_volume() -> None:
    once = [*_history(), *_every_minute(100, 1000), _told(30.5)]
    twice = [message for message in once for _ in range(2)]

    assert _moves([*canonical(twice), *once]) == _moves(canonical(once))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_order_of_the_samples_does_not_matter(data: st.DataObject) -> None:
    inputs: list[Any] = [*_history(days=8), *_every_minute(70, 1500)[::5], _told(30.5)]
    expected = {name: move.volume_ratio for name, move in _moves(canonical(inputs)).items()}
    random = Random(data.draw(st.integers(0, 2**32)))
    shuffled = [*inputs, *random.choices(inputs, k=8)]
    random.shuffle(shuffled)

    assert any(expected.values())
    found = {name: move.volume_ratio for name, move in _moves(shuffled).items()}
    assert found == expected


def test_second_keeps_the_larger_volume_of_its_samples() -> None:
    at_us = us(OPEN)
    samples = [
        trade("IREN", "100", at=at_us + part, day_volume=None if n is None else Decimal(n))
        for part, n in ((1, 500), (2, None), (3, 700), (4, 600))
    ]
    later = trade("IREN", "100", at=at_us + MINUTE_US)

    for order in (samples, samples[::-1]):
        assert _seconds([*order, later])[at_us].day_volume == 700


def test_bar_tells_the_volume_of_its_end_and_not_of_its_start() -> None:
    first = bar("IREN", ("100", "101", "99", "100"), at=OPEN, day_volume=Decimal(5000))
    seconds = _seconds([first])

    volumes = [seconds[at].day_volume for at in sorted(seconds)]
    assert volumes == [None, 5000]


def test_bars_and_trades_of_one_session_have_the_same_ratio() -> None:
    bars = [
        bar(
            "IREN", ("100",) * 4, at=us(OPEN) + n * MINUTE_US,
            day_volume=Decimal((n + 1) * 1000),
        )
        for n in range(390)
    ]  # fmt: skip
    # A bar's volume holds for its last second.
    trades = [
        trade("IREN", "100", at=b.event_us + 59 * SECOND_US, day_volume=b.day_volume) for b in bars
    ]
    by_bars, by_trades = (_session([*_history(), *samples]).close for samples in (bars, trades))

    assert by_bars is not None
    assert by_trades is not None
    assert by_bars.volume_ratio == by_trades.volume_ratio == pytest.approx(1.0)


# ---- unknown -------------------------------------------------------------------------------------


def test_volume_that_is_not_told_gives_no_ratio() -> None:
    silent = [_trade(minute, None) for minute in range(101)]
    at_the_news = [*_every_minute(29, 1000), _trade(30, None), *_every_minute(100, 1000)[31:]]

    for prices in (silent, at_the_news):
        moves = _moves(canonical([*_history(), *prices, _told(30.5)]))
        assert moves["PT1H"].raw is not None
        assert moves["PT1H"].volume_ratio is None


@pytest.mark.parametrize(("days", "is_known"), [(4, False), (5, True)])
def test_mean_of_fewer_than_five_days_gives_no_ratio(days: int, is_known: bool) -> None:
    moves = _moves(canonical([*_history(days=days), *_every_minute(100, 1000), _told(30.5)]))

    assert (moves["PT1H"].volume_ratio is not None) is is_known


def test_days_without_a_volume_give_no_ratio() -> None:
    moves = _moves(canonical([*_history(None), *_every_minute(100, 1000), _told(30.5)]))

    assert moves["PT1H"].volume_ratio is None


def test_days_of_no_volume_give_no_ratio() -> None:
    moves = _moves(canonical([*_history(0), *_every_minute(100, 1000), _told(30.5)]))

    assert moves["PT1H"].volume_ratio is None


def test_price_after_the_close_has_no_ratio() -> None:
    # At 17:00 in New York, an hour after the news at the close.
    told = headline("contract", at="2025-11-03T21:00:00Z")
    prices = [*_every_minute(389, 1000), *(_trade(390 + n, 400_000) for n in range(1, 70))]
    moves = _moves(canonical([*_history(), *prices, told]))

    assert moves["PT1H"].raw is not None
    assert (moves["PT1H"].session, moves["PT1H"].volume_ratio) == ("post", None)


@pytest.mark.parametrize("part", [0.0, -0.1])
def test_no_part_of_a_session_has_no_ratio(part: float) -> None:
    assert volume_ratio_of(Decimal(100), 1000.0, part) is None


# ---- splits --------------------------------------------------------------------------------------


def test_split_in_between_makes_the_volumes_comparable() -> None:
    told = headline("contract", at=us(OPEN) - 30 * MINUTE_US)
    split = PriceSample(
        ticker="IREN", kind="split", event_us=us(OPEN), source="actions", ratio=Decimal(10),
        received_us=Micros(us(OPEN) - HOUR_US),
    )  # fmt: skip
    before = trade("IREN", "100", at=us(_FRIDAY) - MINUTE_US)
    # After ten for one an average day is 3,900,000 shares.
    prices = [_trade(minute, minute * 20_000, "10") for minute in range(51)]
    inputs = canonical([*_history(), before, *prices, told])

    counted = _moves([split, *inputs])["PT1H"]
    assert counted.volume_ratio == pytest.approx(2 * 29 / 30, rel=1e-4)
    assert _moves([*inputs, split])["PT1H"].volume_ratio == counted.volume_ratio


def test_volumes_of_the_history_count_in_a_split_between_them() -> None:
    days = _history(days=20)
    split_us = days[10].event_us
    after = [daily("IREN", "10", at=d.end_us or 0, volume=Decimal(10 * _DAY)) for d in days[10:]]
    split = PriceSample(
        ticker="IREN", kind="split", event_us=split_us, source="actions", ratio=Decimal(10),
        received_us=Micros(split_us),
    )  # fmt: skip
    samples = [*days[:10], *after, split, _trade(0, 0, "10"), _trade(389.75, 10 * _DAY, "10")]
    moves = _session(samples)

    assert moves.close is not None
    assert moves.close.volume_ratio == pytest.approx(1.0, rel=1e-3)
