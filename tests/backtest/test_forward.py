"""What one could have bought after a decision, and what became of it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from signals.backtest.forward import Forward, ForwardReturn, forward_of
from signals.messages import Micros, PriceSample
from signals.policy import DAY_US, MINUTE_US, SECOND_US
from streams.tables import load_sessions
from tests.backtest.worlds import bar, close_of, collect, new_york, trade

DAYS = new_york(40)
TODAY, TOMORROW = DAYS[5], DAYS[6]
NINE_THIRTY = TODAY.open_us


def _at(minutes: float) -> Micros:
    """So many minutes after today's open."""
    return Micros(round(NINE_THIRTY + minutes * MINUTE_US))


def _forward(decided_us: int, *samples: PriceSample, ticker: str = "IREN") -> Forward:
    return forward_of(ticker, collect(*samples).get(ticker), Micros(decided_us))


def _entry(found: Forward) -> tuple[int, str]:
    assert found.entry is not None, found.reason
    return found.entry.at_us, f"{found.entry.price.normalize():f}"


def _horizon(found: Forward, name: str) -> ForwardReturn:
    return next(one for one in found.returns if one.horizon == name)


def _minute(minute: int, prices: tuple[float, ...], **more: object) -> PriceSample:
    return bar("IREN", _at(minute), _at(minute + 1), prices, **more)


# ---- entry ----


def test_entry_is_the_first_trade_after_the_decision() -> None:
    trades = [trade("IREN", _at(m), p) for m, p in ((10, 50), (11, 51), (12, 52))]

    assert _entry(_forward(_at(10.5), *trades)) == (_at(11), "51")


def test_a_trade_at_the_very_moment_of_the_decision_is_no_entry() -> None:
    trades = [trade("IREN", _at(m), p) for m, p in ((10, 50), (11, 51))]

    assert _entry(_forward(_at(10), *trades)) == (_at(11), "51")
    assert _entry(_forward(_at(10) - 1, *trades)) == (_at(10), "50")


def test_a_trade_earlier_in_the_second_of_the_decision_does_not_sell_to_it() -> None:
    early, late = trade("IREN", _at(10), 50), trade("IREN", _at(10) + 900_000, 58)
    after = trade("IREN", _at(10) + SECOND_US, 51)

    assert _entry(_forward(_at(10) + 500_000, early, late, after)) == (_at(10) + SECOND_US, "51")


def test_the_bar_in_which_the_decision_falls_is_no_entry() -> None:
    bars = [_minute(10, (50, 51)), _minute(11, (52, 53))]

    assert _entry(_forward(_at(10.2), *bars)) == (_at(11), "52")


def test_with_daily_bars_news_of_the_day_is_traded_at_the_next_open() -> None:
    days = [
        bar("IREN", day.open_us, day.close_us, (50 + i, 51 + i)) for i, day in enumerate(DAYS[:9])
    ]

    assert _entry(_forward(_at(90), *days)) == (TOMORROW.open_us, "56")
    assert _entry(_forward(NINE_THIRTY - 1, *days)) == (NINE_THIRTY, "55")


def test_prices_outside_the_session_are_no_entry() -> None:
    early = trade("IREN", _at(-30), 49)
    opened = trade("IREN", _at(0), 50)
    late = trade("IREN", TODAY.close_us + MINUTE_US, 48)
    tomorrow = trade("IREN", TOMORROW.open_us + 7, 47)

    assert _entry(_forward(_at(-60), early, opened, late, tomorrow)) == (NINE_THIRTY, "50")
    assert _entry(_forward(_at(1), early, opened, late, tomorrow))[1] == "47"


def test_a_bar_in_which_nobody_traded_is_no_entry() -> None:
    idle = _minute(10, (50, 50), volume=Decimal(0))

    assert _entry(_forward(_at(9), idle, _minute(11, (52, 53), volume=Decimal(9))))[1] == "52"


def test_each_market_keeps_its_own_hours_and_its_own_end_of_data() -> None:
    seoul = next(day for day in load_sessions().by_market["XKRX"] if day.open_us > NINE_THIRTY)
    night = trade("005930.KS", seoul.open_us - MINUTE_US, 70)
    opened = trade("005930.KS", seoul.open_us, 71)
    closed = trade("005930.KS", seoul.close_us - 1, 73)
    american = trade("IREN", DAYS[20].close_us - 1, 50)

    found = _forward(_at(5), night, opened, closed, american, ticker="005930.KS")

    assert _entry(found) == (seoul.open_us, "71")
    assert _horizon(found, "close").raw == pytest.approx(2 / 71)
    assert _horizon(found, "day+1").reason == "beyond_data"  # not "ended": no other Korean price


@pytest.mark.parametrize(
    ("decided_us", "ticker", "reason"),
    [
        (_at(1), "NVDA", "not_in_files"),
        (_at(30), "IREN", "beyond_data"),
        (_at(5.5), "GONE", "ended"),
        (_at(5.5), "HELD", "halted"),
        (_at(1), "7203.T", "no_market"),
    ],
)
def test_a_signal_that_could_not_be_traded_says_why(
    decided_us: int, ticker: str, reason: str
) -> None:
    until = trade("SPY", TOMORROW.close_us - 1, 500) if ticker in ("GONE", "HELD") else None
    later = trade("HELD", DAYS[7].open_us + 5, 12)
    samples = [
        trade("IREN", _at(20), 50),
        trade("GONE", _at(5), 9),
        trade("HELD", _at(5), 9),
        trade("7203.T", _at(5), 9),
    ]
    if until is not None:
        samples += [until, later]

    found = _forward(decided_us, *samples, ticker=ticker)

    assert found.entry is None
    assert {one.reason for one in found.returns} == {found.reason} == {reason}


# ---- horizons ----


def _hour() -> list[PriceSample]:
    """An hour of minute bars: the share gains 0.1 a minute from 50, the benchmark 0.5 from 500."""
    return [
        _minute(m, (50 + 0.1 * m, 50 + 0.1 * (m + 1), 500 + 0.5 * m, 500 + 0.5 * (m + 1)))
        for m in range(62)
    ]


@pytest.mark.parametrize(
    ("horizon", "minutes"), [("PT1M", 1), ("PT5M", 5), ("PT30M", 30), ("PT1H", 60)]
)
def test_minutes_count_from_the_entry_and_beta_is_1_without_a_history(
    horizon: str, minutes: int
) -> None:
    found = _horizon(_forward(NINE_THIRTY - 1, *_hour()), horizon)

    raw = 0.1 * minutes / 50
    assert found.raw == pytest.approx(raw, abs=1e-10)
    assert found.abnormal == pytest.approx(raw - 0.5 * minutes / 500, abs=1e-10)


def test_a_horizon_after_the_close_has_no_figure() -> None:
    late = [trade("IREN", TODAY.close_us - 9 * MINUTE_US + m * MINUTE_US, 50) for m in range(9)]
    found = _forward(late[0].event_us - 1, *late, trade("SPY", TODAY.close_us, 500))

    assert _horizon(found, "PT5M").raw == 0.0
    assert _horizon(found, "PT30M").reason == "past_close"
    assert _horizon(found, "close").raw == 0.0


def test_a_price_that_is_too_old_or_that_is_the_entry_itself_gives_no_return() -> None:
    found = _forward(
        NINE_THIRTY, trade("IREN", _at(1), 50), trade("IREN", _at(3), 60), trade("X", _at(300), 1)
    )

    assert _horizon(found, "PT1M").reason == "no_price"
    assert _horizon(found, "PT5M").raw == pytest.approx(0.2)
    assert _horizon(found, "PT30M").reason == "stale"


def test_the_official_close_counts_and_later_ones_by_session() -> None:
    closes = [
        close_of("IREN", day, 40.0 + i, 500.0 + i, received_us=Micros(day.close_us + DAY_US))
        for i, day in enumerate(DAYS[:30])
    ]
    found = _forward(NINE_THIRTY - 1, trade("IREN", _at(0), 50, 500), *closes)

    returns = {name: _horizon(found, name).raw for name in ("close", "day+1", "day+5", "day+20")}
    assert returns == pytest.approx(
        {"close": 45 / 50 - 1, "day+1": 46 / 50 - 1, "day+5": 50 / 50 - 1, "day+20": 65 / 50 - 1}
    )


def test_what_lies_beyond_the_data_and_a_share_that_is_gone_are_told_apart() -> None:
    own = [close_of("IREN", day, 50, 500) for day in DAYS[:7]]
    other = [close_of("SPY", day, 500, 500) for day in DAYS[:12]]
    found = _forward(NINE_THIRTY - 1, trade("IREN", _at(0), 50), *own, *other)

    assert _horizon(found, "day+1").raw == 0.0
    assert _horizon(found, "day+5").reason == "ended"
    assert _horizon(found, "day+20").reason == "beyond_data"


def test_a_last_price_long_before_the_close_is_no_close() -> None:
    until = trade("SPY", TOMORROW.close_us, 500)
    found = _forward(NINE_THIRTY, trade("IREN", _at(1), 50), trade("IREN", _at(3), 60), until)

    assert _horizon(found, "close").reason == "stale"
    alone = _forward(NINE_THIRTY, trade("IREN", _at(1), 50), until)
    assert _horizon(alone, "close").reason == "no_price"


def test_without_a_benchmark_the_raw_return_stands_alone() -> None:
    bars = [replace(one, benchmark=None, benchmark_open=None, benchmark_price=None)
            for one in _hour()]  # fmt: skip
    found = _horizon(_forward(NINE_THIRTY - 1, *bars), "PT5M")

    assert found.raw == pytest.approx(0.01)
    assert (found.abnormal, found.reason) == (None, "no_benchmark")


# ---- splits ----


def _split(ratio: str) -> PriceSample:
    return PriceSample(
        ticker="IREN",
        kind="split",
        event_us=TOMORROW.open_us,
        received_us=TOMORROW.open_us,
        source="made",
        ratio=Decimal(ratio),
    )


def test_a_split_is_counted_in_and_one_that_nobody_told_of_gives_no_figure() -> None:
    prices = [
        trade("IREN", _at(0), 50),
        close_of("IREN", TODAY, 50, 500),
        close_of("IREN", TOMORROW, 5.2, 500),
    ]

    told = _horizon(_forward(NINE_THIRTY - 1, *prices, _split("10")), "day+1")
    untold = _horizon(_forward(NINE_THIRTY - 1, *prices), "day+1")

    assert told.raw == pytest.approx(0.04)
    assert (untold.raw, untold.reason) == (None, "split_like")


# ---- nothing from the future ----


def test_a_figure_does_not_change_when_all_that_came_later_is_deleted() -> None:
    closes = [
        close_of("IREN", day, 50 + (i * 7) % 5, 500 + (i * 3) % 4) for i, day in enumerate(DAYS)
    ]
    samples = [*_hour(), *closes]
    whole = _forward(_at(2), *samples)

    for found in whole.returns:
        assert found.to_us is not None
        kept = [one for one in samples if (one.end_us or one.event_us) <= found.to_us]
        # The market's data reach the horizon.
        kept.append(trade("SPY", found.to_us, 500.0))
        again = _forward(_at(2), *kept)
        assert again.entry == whole.entry
        assert _horizon(again, found.horizon) == found
