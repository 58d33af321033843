"""A session against the close before it: the cases that prices by hand show best."""

import pytest

from signals import names
from signals.market.session_moves import SessionMoves, session_moves
from signals.market.tape import Tape
from signals.messages import Move, PriceSample
from signals.policy import DAY_US, MINUTE_US, Policy
from streams.replay import Pipeline
from streams.tables import load_sessions
from tests.builders import agents, as_input, bar, daily, history, trade, us

_SESSIONS = load_sessions()
_FRIDAY, _MONDAY = "2025-10-31T20:00:00Z", "2025-11-03T14:30:00Z"
_CLOSE = "2025-11-03T21:00:00Z"


def _moves(
    samples: list[PriceSample],
    *,
    ticker: str = "IREN",
    at: str = _MONDAY,
) -> SessionMoves:
    """The moves of the session that is open at a time, through sample_prices."""
    (sampling,) = (agent for agent in agents({}) if agent.reads == names.PRICES)
    pipeline, tape = Pipeline([sampling]), Tape(ticker, _SESSIONS, Policy())
    for sample in samples:
        for output in pipeline.feed(*as_input(sample)):
            tape.add(output.message)  # type: ignore[arg-type]  # sample_prices gives no other
    session = _SESSIONS.at(ticker, us(at))
    assert session is not None
    return session_moves(tape.market(), session)


def _known(move: Move | None) -> Move:
    assert move is not None
    return move


def _raw(moves: SessionMoves) -> tuple[float | None, ...]:
    found = (moves.gap, moves.high, moves.low, moves.close)
    return tuple(None if move is None or move.raw is None else round(move.raw, 6) for move in found)


def test_gap_extremes_and_close_are_measured_from_the_close_before() -> None:
    moves = _moves([
        daily("IREN", "100", at=_FRIDAY),
        trade("IREN", "110", at=us(_MONDAY) + MINUTE_US),
        trade("IREN", "95", at=us(_MONDAY) + 9 * MINUTE_US),
        trade("IREN", "121", at=us(_MONDAY) + 20 * MINUTE_US),
        trade("IREN", "120", at=us(_CLOSE) - MINUTE_US),
    ])  # fmt: skip

    assert _raw(moves) == (0.10, 0.21, -0.05, 0.20)
    assert (_known(moves.gap).to_us, _known(moves.gap).from_us) == (
        us(_MONDAY) + MINUTE_US,
        us(_FRIDAY),
    )
    assert (moves.is_over, _known(moves.close).to_us) == (False, us(_CLOSE) - MINUTE_US)


def test_statistics_of_a_session_count_the_close_before_it() -> None:
    # That close is received after it was made, as every close is: found against pandas.
    quiet = history("IREN", "100.00", until="2025-10-30T20:00:00Z", days=60)
    jumpy = daily("IREN", "150", at=_FRIDAY, received_s=300.0)
    opened = trade("IREN", "165", at=_MONDAY)

    gap = _known(_moves([*quiet, jumpy, opened]).gap)

    # A day of 50 % among days of 2 % makes a deviation of about 6.9 % of theirs.
    assert gap.raw == pytest.approx(0.10)
    assert gap.z == pytest.approx(1.45, abs=0.1)


def test_prices_before_the_open_and_after_the_close_are_not_the_sessions() -> None:
    moves = _moves([
        daily("IREN", "100", at=_FRIDAY),
        trade("IREN", "150", at=us(_MONDAY) - 1),
        trade("IREN", "101", at=us(_MONDAY)),
        trade("IREN", "102", at=us(_CLOSE) - 1),
        trade("IREN", "50", at=us(_CLOSE)),
    ])  # fmt: skip

    assert _raw(moves) == (0.01, 0.02, 0.01, 0.02)
    assert moves.is_over
    assert _known(moves.close).to_us == us(_CLOSE)


def test_official_close_stands_over_the_last_price() -> None:
    moves = _moves([
        daily("IREN", "100", at=_FRIDAY),
        trade("IREN", "101", at=us(_CLOSE) - MINUTE_US),
        daily("IREN", "103", at=_CLOSE),
    ])  # fmt: skip

    assert _raw(moves) == (0.01, 0.01, 0.01, 0.03)


def test_session_without_a_price_or_a_close_before_has_no_moves() -> None:
    before = daily("IREN", "100", at=_FRIDAY)
    later = trade("IREN", "101", at=us(_CLOSE) + DAY_US)
    without_price = _moves([before, later])
    without_close = _moves([trade("IREN", "101", at=_MONDAY)])

    assert without_price.previous is not None
    assert without_close.previous is None
    assert _raw(without_price) == _raw(without_close) == (None,) * 4


@pytest.mark.parametrize(
    ("close", "is_known"),
    [(_FRIDAY, True), ("2025-10-31T17:00:00Z", True), ("2025-10-30T20:00:00Z", False)],
)
def test_close_of_an_earlier_session_is_not_the_close_before(close: str, is_known: bool) -> None:
    # Where Friday's record is missing, Thursday's close is no guess for it.
    moves = _moves([daily("IREN", "100", at=close), trade("IREN", "101", at=_MONDAY)])

    assert (moves.previous is not None) is is_known
    assert (moves.gap is not None) is is_known


def test_session_without_a_benchmark_is_scored_by_its_raw_move() -> None:
    moves = _moves([
        *history("IREN", "100.00", until=_FRIDAY),
        trade("IREN", "110", at=_MONDAY),
    ])  # fmt: skip

    gap = _known(moves.gap)
    assert (gap.abnormal, gap.beta) == (None, None)
    assert gap.z == pytest.approx(0.10 / 0.02, rel=0.03)


def test_half_day_is_over_at_its_own_close() -> None:
    # 28 November 2025, the day after Thanksgiving, closed at 13:00 in New York.
    moves = _moves([
        daily("IREN", "100", at="2025-11-26T21:00:00Z"),
        bar("IREN", ("101", "104", "99", "103"), at="2025-11-28T14:30:00Z"),
        bar("IREN", ("103", "105", "103", "104"), at="2025-11-28T17:59:00Z"),
        trade("IREN", "200", at="2025-11-28T18:00:00Z"),
    ], at="2025-11-28T15:00:00Z")  # fmt: skip

    assert _raw(moves) == (0.01, 0.05, -0.01, 0.04)
    assert moves.is_over
    assert _known(moves.close).to_us == us("2025-11-28T18:00:00Z")


def test_korean_session_is_measured_against_seouls_own_close() -> None:
    # Hand-made prices: the data has no Korean shares. Seoul: 09:00 to 15:30, UTC+9.
    moves = _moves([
        daily("005930.KS", "100000", at="2025-10-31T06:30:00Z", benchmark="^KS11"),
        trade("005930.KS", "103000", at="2025-11-03T00:00:00Z"),
        trade("005930.KS", "111100", at="2025-11-03T06:29:00Z"),
        daily("005930.KS", "111100", at="2025-11-03T06:30:00Z", benchmark="^KS11"),
    ], ticker="005930.KS", at="2025-11-03T01:00:00Z")  # fmt: skip

    assert _raw(moves) == (0.03, 0.111, 0.03, 0.111)
    assert _known(moves.gap).to_us == us("2025-11-03T00:00:00Z")
    assert _known(moves.close).to_us == us("2025-11-03T06:30:00Z")


def test_session_is_open_against_new_yorks_holiday_in_seoul() -> None:
    # Labor Day 2025: no session of New York holds it, Seoul's does. Hand-made prices.
    assert _SESSIONS.at("IREN", us("2025-09-01T15:00:00Z")) is None
    moves = _moves([
        daily("005930.KS", "70000", at="2025-08-29T06:30:00Z", benchmark="^KS11"),
        trade("005930.KS", "69300", at="2025-09-01T00:00:05Z"),
    ], ticker="005930.KS", at="2025-09-01T02:00:00Z")  # fmt: skip

    assert _known(moves.gap).raw == pytest.approx(-0.01)


def test_bad_price_is_no_extreme_of_its_session() -> None:
    # Ten times the price, and a tenth of it: alone in a second, and as the extremes of a bar.
    moves = _moves([
        daily("IREN", "100", at=_FRIDAY),
        trade("IREN", "101", at=_MONDAY),
        trade("IREN", "1010", at=us(_MONDAY) + MINUTE_US),
        trade("IREN", "102", at=us(_MONDAY) + 2 * MINUTE_US),
        bar("IREN", ("102", "1020", "10.2", "99"), at=us(_MONDAY) + 3 * MINUTE_US),
        trade("IREN", "101", at=us(_MONDAY) + 9 * MINUTE_US),
    ])  # fmt: skip

    assert _raw(moves) == (0.01, 0.02, -0.01, 0.01)
