"""Splits: told and untold, early and late, a bad price, and a fall that is none of it.

All prices are made by hand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.market.measures import statistics_at
from signals.market.path import Close
from signals.market.splits import factor_between, jump_of
from signals.messages import (
    Headline,
    Micros,
    Move,
    MoveReport,
    PriceSample,
    Reaction,
    Split,
)
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from streams.replay import Pipeline
from streams.tables import load_sessions
from tests.builders import (
    CLOSE,
    OPEN,
    agents,
    as_input,
    bar,
    canonical,
    daily,
    headline,
    history,
    reading,
    trade,
    us,
)

_FRIDAY = "2025-10-31T20:00:00Z"
_TOLD = "2025-11-03T11:37:00Z"
_TUESDAY_CLOSE = "2025-11-04T21:00:00Z"
_READINGS = {"contract": (reading("IREN", "MSFT", worth="9.7"),)}
_EVENT = headline("contract", at=_TOLD)

Inputs = Sequence[Headline | PriceSample]


def _split(ratio: str, *, at: str | int = OPEN, received: str | int | None = None) -> PriceSample:
    event_us = us(at) if isinstance(at, str) else Micros(at)
    if received is None:
        received = us(_TOLD) - HOUR_US
    return PriceSample(
        ticker="IREN",
        kind="split",
        event_us=event_us,
        received_us=us(received) if isinstance(received, str) else Micros(received),
        source="actions",
        ratio=Decimal(ratio),
    )


def _days(prices: dict[str, str], *, until: str = _FRIDAY, close: str = "100.00") -> list[Any]:
    """History up to Friday, and trades at times; each Monday and Tuesday second stands alone."""
    return [
        *history("IREN", close, until=until),
        trade("IREN", close, at=us(_FRIDAY) - MINUTE_US),
        *(trade("IREN", price, at=at) for at, price in prices.items()),
    ]


def _monday(factor: str, *, move: tuple[str, str, str, str]) -> list[Any]:
    """Prices of Monday and Tuesday, each times a factor: open, noon, close, and Tuesday's close."""
    times = (OPEN, "2025-11-03T17:00:00Z", "2025-11-03T20:59:00Z", "2025-11-04T20:59:00Z")
    prices = [f"{Decimal(price) * Decimal(factor)}" for price in move]
    return [
        *_days(dict(zip(times, prices, strict=True))),
        daily("IREN", prices[-2], at=CLOSE),
        daily("IREN", prices[-1], at=_TUESDAY_CLOSE),
        trade("IREN", prices[-1], at="2025-11-05T14:30:00Z"),
    ]


class _Found:
    """What stands after inputs in the order given."""

    def __init__(self, inputs: Iterable[Headline | PriceSample], **options: Any) -> None:
        self.pipeline = Pipeline(agents(_READINGS, **options))
        self.revisions: list[Reaction] = []
        self.reports: dict[str, MoveReport] = {}
        for message in inputs:
            for output in self.pipeline.feed(*as_input(message)):
                if isinstance(output.message, Reaction):
                    self.revisions.append(output.message)
                if isinstance(output.message, MoveReport):
                    self.reports[output.message.move_id] = output.message
        assert not self.pipeline.dead

    @property
    def moves(self) -> dict[str, Move]:
        last = {reaction.reaction_id: reaction for reaction in self.revisions}
        return {
            r.move.milestone: r.move
            for r in last.values()
            if r.status == "live" and r.move.relation == "after"
        }

    @property
    def levels(self) -> list[str]:
        return sorted(name for name in self.moves if name.startswith("level"))

    @property
    def live_reports(self) -> list[MoveReport]:
        return [report for report in self.reports.values() if report.status == "live"]


_CASES = [("2", "0.5"), ("10", "0.1"), ("0.1", "10")]  # ratio, and what prices are times it
_MOVE = ("104", "106", "103", "101")


# ---- with a record -------------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "factor"), _CASES)
@pytest.mark.parametrize(
    "received", [us(_TOLD) - 5 * DAY_US, us(OPEN), us(OPEN) + 2 * HOUR_US, us(OPEN) + 4 * DAY_US]
)
def test_split_that_is_told_of_is_counted_in(ratio: str, factor: str, received: int) -> None:
    inputs = canonical([*_monday(factor, move=_MOVE), _EVENT, _split(ratio, received=received)])
    found = _Found(inputs)

    assert found.levels == ["level:+0.03", "level:+0.05"]
    assert found.moves["close"].raw == pytest.approx(0.03)
    assert found.moves["next_close"].raw == pytest.approx(0.01)
    gap = found.moves["level:+0.03"]
    assert (gap.to_us, gap.raw) == (us(OPEN), pytest.approx(0.04))
    assert gap.to_price == Decimal("104") * Decimal(factor)  # as traded
    assert {move.flags for move in found.moves.values() if move.raw is not None} == {("split",)}


def test_split_that_is_told_of_days_later_measures_again() -> None:
    later = us(OPEN) + 4 * DAY_US
    monday = _monday("0.1", move=("101", "106", "103", "101"))
    inputs = canonical([*monday, _EVENT, _split("10", received=later)])
    before, after = _Found(inputs[:-1]), _Found(inputs)

    assert inputs[-1].received_us == later
    assert (before.moves["close"].raw, before.moves["close"].flags) == (None, ("split_like",))
    assert after.moves["close"].raw == pytest.approx(0.03)
    assert after.moves["close"].known_us == later


def test_move_that_ended_before_the_split_has_no_flag() -> None:
    told = replace(_EVENT, published_us=us(OPEN), received_us=us(OPEN))
    inputs = [
        *_days({
            "2025-11-03T14:30:30Z": "101", "2025-11-03T20:59:00Z": "102",
            "2025-11-04T14:30:00Z": "51", "2025-11-04T20:59:00Z": "52",
        }),
        _split("2", at="2025-11-04T14:30:00Z"),
        trade("IREN", "52", at="2025-11-05T14:30:00Z"),
        told,
    ]  # fmt: skip
    moves = _Found(canonical(inputs)).moves

    assert (moves["close"].raw, moves["close"].flags) == (pytest.approx(0.02), ())
    assert (moves["next_close"].raw, moves["next_close"].flags) == (pytest.approx(0.04), ("split",))


def test_real_move_over_a_split_is_reported_as_unexplained() -> None:
    # 12 % up on one for ten, with nothing to explain it.
    inputs = canonical([*_monday("0.1", move=("112", "113", "113", "112")), _split("10")])
    (report,) = _Found(inputs).live_reports

    assert report.move.raw == pytest.approx(0.12)
    assert report.move.flags == ("split",)


def test_later_record_of_one_split_corrects_the_earlier() -> None:
    wrong, right = _split("5"), _split("10", received=us(OPEN) + DAY_US)
    prices = [*_monday("0.1", move=_MOVE), _EVENT]

    for order in ([wrong, *prices, right], [right, *prices, wrong], [wrong, right, *prices]):
        assert _Found(order).moves["close"].raw == pytest.approx(0.03)


# ---- without a record ----------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "factor"), _CASES)
def test_split_that_nobody_tells_of_has_no_figure_and_says_so(ratio: str, factor: str) -> None:
    found = _Found(canonical([*_monday(factor, move=("100.5", "101", "101", "100")), _EVENT]))

    assert found.levels == []
    for name in ("close", "next_close"):
        move = found.moves[name]
        assert (move.raw, move.abnormal, move.z) == (None, None, None)
        assert move.flags == ("split_like",)
        assert move.note == "the price jumped as in a split, and no record tells of one"
    assert all(reaction.move.raw is None for reaction in found.revisions)  # not for a moment


@pytest.mark.parametrize(("ratio", "factor"), _CASES)
@pytest.mark.parametrize("opened", ["95", "97", "103", "105"])
def test_split_is_suspected_though_the_share_moved_overnight(
    ratio: str, factor: str, opened: str
) -> None:
    prices = _monday(factor, move=(opened,) * 4)
    found = _Found(canonical([*prices, _EVENT]))

    assert found.levels == []
    assert found.moves["close"].flags == ("split_like",)
    assert _Found(canonical(prices)).reports == {}


@pytest.mark.parametrize(("ratio", "factor"), _CASES)
def test_split_that_nobody_tells_of_raises_no_unexplained_move(ratio: str, factor: str) -> None:
    found = _Found(canonical(_monday(factor, move=("100.5", "101", "101", "100"))))

    assert found.reports == {}


@pytest.mark.parametrize("factor", ["0.5", "0.1", "10"])
def test_record_of_no_split_measures_the_move_as_it_is(factor: str) -> None:
    found = _Found(canonical([*_monday(factor, move=("100",) * 4), _EVENT, _split("1")]))

    assert found.moves["close"].raw == pytest.approx(float(factor) - 1)
    assert "level:+0.20" in found.levels or "level:-0.20" in found.levels


@pytest.mark.parametrize("tick", ["1000", "10", "200", "50"])
def test_bad_tick_that_reverts_leaves_no_move_behind(tick: str) -> None:
    prices = {
        OPEN: "100.5", "2025-11-03T15:00:00Z": tick, "2025-11-03T15:00:01Z": "100.6",
        "2025-11-03T20:59:00Z": "101",
    }  # fmt: skip
    found = _Found(canonical([*_days(prices), daily("IREN", "101", at=CLOSE), _EVENT]))

    assert found.levels == []
    assert found.reports == {}
    assert (found.moves["close"].raw, found.moves["close"].flags) == (pytest.approx(0.01), ())


@pytest.mark.parametrize("tick", ["213.1", "213.6", "47.2", "47.4", "9.45"])
def test_bad_tick_at_the_edge_of_a_split_leaves_no_suspicion(tick: str) -> None:
    # Both ways it looks like one, or neither way.
    prices = {
        OPEN: "100.5", "2025-11-03T15:00:00Z": tick, "2025-11-03T15:00:01Z": "100.5",
        "2025-11-03T20:59:00Z": "101",
    }  # fmt: skip
    close = _Found(canonical([*_days(prices), daily("IREN", "101", at=CLOSE), _EVENT])).moves[
        "close"
    ]

    assert (close.raw, close.flags) == (pytest.approx(0.01), ())


_AT = us("2025-11-03T15:00:00Z")


@pytest.mark.parametrize(
    "prices",
    [
        [("100", 0), ("1000", 300_000), ("100", SECOND_US)],
        [("1000", 0), ("100", 300_000), ("100", SECOND_US)],
        [("100", 0), ("1000", 300_000), ("100", 600_000)],
        [("100", 0), ("50", 300_000), ("100", 600_000)],
        [("50", 0), ("100", 300_000)],
    ],
)
def test_bad_tick_among_good_ones_of_its_second_leaves_no_move_behind(
    prices: list[tuple[str, int]],
) -> None:
    ticks = [trade("IREN", price, at=_AT + after_us) for price, after_us in prices]
    quiet = _days({OPEN: "100.5", "2025-11-03T20:59:00Z": "101"})
    inputs = [*quiet, *ticks, daily("IREN", "101", at=CLOSE)]
    found = _Found(canonical([*inputs, _EVENT]))

    assert found.levels == []
    assert (found.moves["close"].raw, found.moves["close"].flags) == (pytest.approx(0.01), ())
    assert _Found(canonical(inputs)).reports == {}


@pytest.mark.parametrize("bad", [("100", "1000", "100", "100"), ("100", "101", "10", "100")])
def test_bad_extreme_of_a_bar_leaves_no_move_behind(bad: tuple[str, str, str, str]) -> None:
    quiet = _days({OPEN: "100.5", "2025-11-03T20:59:00Z": "101"})
    inputs = [*quiet, bar("IREN", bad, at=_AT), daily("IREN", "101", at=CLOSE)]
    found = _Found(canonical([*inputs, _EVENT]))

    assert found.levels == []
    assert (found.moves["close"].raw, found.moves["close"].flags) == (pytest.approx(0.01), ())
    assert _Found(canonical(inputs)).reports == {}


@pytest.mark.parametrize(("price", "ratio"), [("55", -0.45), ("65", -0.35), ("180", 0.80)])
def test_real_fall_is_a_fall(price: str, ratio: float) -> None:
    found = _Found(canonical([*_monday("1", move=(price,) * 4), _EVENT]))

    assert found.moves["close"].raw == pytest.approx(ratio)
    assert found.moves["close"].flags == ()
    assert f"level:{'-' if ratio < 0 else '+'}0.20" in found.levels
    (report,) = _Found(canonical(_monday("1", move=(price,) * 4))).live_reports
    assert report.move.raw == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("step", "is_split"),
    [("2", True), ("1.97", True), ("0.5", True), ("0.0985", True), ("10.1", True),
     ("0.333", True), ("1", False), ("0.55", False), ("0.45", False), ("1.85", False),
     ("0.667", False), ("2.3", False)],
)  # fmt: skip
def test_steps_near_a_whole_ratio_look_like_a_split(step: str, is_split: bool) -> None:
    assert (jump_of(Decimal(100), Decimal(100) * Decimal(step)) is not None) is is_split


# ---- statistics ----------------------------------------------------------------------------------


def _closes(ratio: str | None, at: int, count: int = 140) -> list[Close]:
    """Closes that move by 2 % or so, with a split before the close numbered ``at``."""
    random, price, market = Random(3), Decimal(100), Decimal(600)
    found = []
    for number in range(count):
        shock = Decimal(random.randint(-10, 10)) / 1000
        market *= 1 + shock
        price *= 1 + 2 * shock + Decimal(random.randint(-9, 9)) / 1000
        if ratio is not None and number == at:
            price /= Decimal(ratio)
        close_us = us(_FRIDAY) - (count - number) * DAY_US
        volume = Decimal(1000) * (Decimal(ratio) if ratio is not None and number >= at else 1)
        found.append(
            Close(
                close_us=Micros(close_us), close=price, received_us=Micros(close_us),
                benchmark="SPY", benchmark_close=market, volume=volume,
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("ratio", ["2", "10", "0.1"])
@pytest.mark.parametrize("at", [30, 100, 135])
def test_split_in_the_history_does_not_hurt_beta_and_volatility(ratio: str, at: int) -> None:
    now, policy = us(_FRIDAY), Policy()
    plain = statistics_at(_closes(None, at), now, policy)
    days = _closes(ratio, at)
    told = Split(
        ticker="IREN", effective_us=Micros(days[at].close_us - HOUR_US), ratio=Decimal(ratio),
        received_us=now,
    )  # fmt: skip

    counted = statistics_at(days, now, policy, [told])
    assert counted.beta == pytest.approx(plain.beta, abs=1e-9)
    assert counted.volatility == pytest.approx(plain.volatility or 0, abs=1e-9)
    # In shares as they are after the split.
    assert counted.volume == pytest.approx(1000 * float(ratio))
    untold = statistics_at(days, now, policy)
    assert untold.beta == pytest.approx(plain.beta, rel=0.05)
    assert untold.volatility == pytest.approx(plain.volatility or 0, rel=0.1)


def test_split_counts_after_the_first_price_up_to_the_second() -> None:
    splits = [
        Split(ticker="IREN", effective_us=Micros(at), ratio=Decimal(ratio), received_us=Micros(9))
        for at, ratio in ((10, "2"), (20, "5"))
    ]

    factors = [factor_between(splits, *span) for span in ((9, 9), (9, 10), (10, 19), (9, 20))]
    assert factors == [1, 2, 1, 10]


def test_korean_split_is_counted_in_from_seouls_open() -> None:
    # Hand-made prices: fifty for one, as Samsung Electronics had in 2018.
    told = headline("contract", at="2025-11-02T12:00:00Z")
    party = replace(reading("IREN").parties[0], id="org:samsung", tickers=("005930.KS",))
    korean = reading("IREN", parties=(party,), tickers=("005930.KS",))
    seoul = "2025-11-03T00:00:00Z"
    inputs = canonical([
        trade("005930.KS", "2500000", at="2025-10-31T06:29:00Z"),
        replace(_split("50", at=seoul), ticker="005930.KS"),
        trade("005930.KS", "52000", at=seoul),
        trade("005930.KS", "51000", at="2025-11-03T06:29:00Z"),
        trade("005930.KS", "51000", at="2025-11-04T00:00:00Z"),
        told,
    ])  # fmt: skip
    pipeline = Pipeline(agents({"contract": (korean,)}))
    moves = {
        output.message.move.milestone: output.message.move
        for message in inputs
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, Reaction)
    }

    assert moves["level:+0.03"].raw == pytest.approx(0.04)
    assert moves["level:+0.03"].to_us == us(seoul)
    assert (moves["close"].raw, moves["close"].flags) == (pytest.approx(0.02), ("split",))


# ---- any path ------------------------------------------------------------------------------------


@st.composite
def _paths(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Inputs of three days without a split, and the same with one and its record."""
    ratio = draw(st.sampled_from(["2", "4", "10", "0.1", "0.5"]))
    split_us = us(draw(st.sampled_from([OPEN, "2025-11-04T14:30:00Z"])))
    seed = draw(st.integers(0, 2**32))
    random = Random(seed)
    step = draw(st.sampled_from([0.002, 0.02, 0.06]))
    plain: list[Any] = [*history("IREN", "128.00", until=_FRIDAY, days=40)]
    price, sessions = 128.0, load_sessions().by_market["XNYS"]
    for session in sessions:
        if not us(_FRIDAY) - HOUR_US <= session.close_us <= us(_TUESDAY_CLOSE) + DAY_US:
            continue
        for part in sorted(random.sample(range(390), k=random.randint(2, 12))):
            price *= 1 + random.uniform(-step, step)
            at_us = session.open_us + part * MINUTE_US + random.randrange(59) * SECOND_US
            plain.append(trade("IREN", f"{price:.2f}", at=at_us))
        if session.close_us != us(_FRIDAY):
            plain.append(daily("IREN", f"{price:.2f}", at=session.close_us))
    plain.append(trade("IREN", f"{price:.2f}", at=us(_TUESDAY_CLOSE) + 2 * DAY_US))
    told_us = us(_TOLD) + random.randrange(30) * HOUR_US
    plain.append(headline("contract", at=told_us))
    scaled = [_scaled(message, Decimal(ratio), split_us) for message in plain]
    received_us = split_us + random.randint(-3 * DAY_US, 3 * DAY_US)
    return plain, [*scaled, _split(ratio, at=split_us, received=received_us)]


def _scaled(message: Any, ratio: Decimal, split_us: int) -> Any:
    if isinstance(message, Headline) or (message.end_us or message.event_us) < split_us:
        return message
    fields = ("price",) if message.kind == "trade" else ("open", "high", "low", "close")
    return replace(message, **{name: getattr(message, name) / ratio for name in fields})


@settings(max_examples=20, deadline=None)
@given(paths=_paths(), seed=st.integers(0, 2**32))
def test_path_with_a_split_and_its_record_moves_as_the_path_without(
    paths: tuple[list[Any], list[Any]], seed: int
) -> None:
    plain, split = paths
    expected = _Found(canonical(plain))
    shuffled = list(split)
    Random(seed).shuffle(shuffled)

    for inputs in (canonical(split), shuffled):
        found = _Found(inputs)
        assert found.moves.keys() == expected.moves.keys()
        for name, move in found.moves.items():
            assert _near(move, expected.moves[name]), (name, move, expected.moves[name])
        assert _reported(found) == _reported(expected)


def _near(one: Move, other: Move) -> bool:
    return (one.to_us, one.from_us, one.note) == (other.to_us, other.from_us, other.note) and all(
        (x is None) is (y is None) and (x is None or y is None or abs(x - y) <= 1e-9)
        for x, y in ((one.raw, other.raw), (one.abnormal, other.abnormal))
    )


def _reported(found: _Found) -> list[tuple[int, float, tuple[str, ...]]]:
    return sorted(
        (report.move.to_us, round(report.move.raw or 0, 8), report.explained_by)
        for report in found.live_reports
    )
