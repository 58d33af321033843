"""Which benchmark price goes with a sample: as known at its receipt. The prices are hand-made."""

from decimal import Decimal

import pytest

from signals.messages import Micros, PriceSample
from signals.policy import MINUTE_US
from streams.sources.benchmarks import Benchmarks, LatestBenchmarks

_OPEN = 1_762_180_200_000_000  # 2025-11-03T14:30Z


def _trade(ticker: str, at: int, price: str = "1", *, received: int | None = None) -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=Micros(_OPEN + at),
        received_us=Micros(_OPEN + (at if received is None else received)),
        source="test",
        price=Decimal(price),
    )


def _bar(ticker: str, minute: int, close: str, *, received: int, kind: str = "bar") -> PriceSample:
    price = Decimal(close)
    start = _OPEN + minute * MINUTE_US
    return PriceSample(
        ticker=ticker,
        kind=kind,  # type: ignore[arg-type]  # bar or daily
        event_us=Micros(start),
        end_us=Micros(start + MINUTE_US),
        received_us=Micros(_OPEN + received),
        source="test",
        open=price,
        high=price,
        low=price,
        close=price,
    )


def _stamp(known: LatestBenchmarks, sample: PriceSample) -> tuple[str | None, str | None]:
    stamped = known.stamp(sample)
    price = stamped.benchmark_price
    return stamped.benchmark, None if price is None else str(price)


def _latest(*samples: PriceSample, **benchmarks: str) -> LatestBenchmarks:
    known = LatestBenchmarks(benchmarks or None)
    for sample in samples:
        known.see(sample)
    return known


def test_a_trade_gets_the_last_price_received_no_later_than_itself() -> None:
    known = _latest(_trade("SPY", 0, "685.1"), _trade("SPY", 10, "685.2"), _trade("SPY", 30, "9"))

    assert _stamp(known, _trade("IREN", 20)) == ("SPY", "685.2")
    assert _stamp(known, _trade("IREN", 10)) == ("SPY", "685.2")
    assert _stamp(known, _trade("IREN", 9)) == ("SPY", "685.1")
    assert _stamp(known, _trade("IREN", -1)) == (None, None)


def test_a_benchmark_that_arrives_late_is_not_known_before() -> None:
    known = _latest(_trade("SPY", 0, "685.1"), _trade("SPY", 5, "685.2", received=50))

    assert _stamp(known, _trade("IREN", 20)) == ("SPY", "685.1")
    assert _stamp(known, _trade("IREN", 20, received=50)) == ("SPY", "685.2")


def test_the_order_in_which_benchmarks_are_seen_does_not_matter() -> None:
    samples = [_trade("SPY", at, f"68{at}.5") for at in (3, 1, 2)]

    for order in (samples, samples[::-1]):
        assert _stamp(_latest(*order), _trade("IREN", 2)) == ("SPY", "682.5")


def test_of_bars_fetched_together_each_minute_gets_its_own() -> None:
    fetched = 60 * MINUTE_US
    known = _latest(*(_bar("SPY", n, f"68{n}", received=fetched) for n in (1, 0, 2)))

    for minute in (0, 1, 2):
        sample = _bar("IREN", minute, "1", received=fetched)
        assert _stamp(known, sample) == ("SPY", f"68{minute}")
    # Before the first of them there is only the first.
    assert _stamp(known, _trade("IREN", 0, received=fetched)) == ("SPY", "680")


@pytest.mark.parametrize(
    ("ticker", "benchmark"),
    [("IREN", "QQQ"), ("DELL", "SPY"), ("247540.KQ", "^KQ11"), ("005930.KS", "^KS11")],
)
def test_each_market_has_its_own_benchmark(ticker: str, benchmark: str) -> None:
    chosen = {"XNAS": "QQQ", "XNYS": "SPY", "XKOS": "^KQ11", "XKRX": "^KS11"}
    known = _latest(
        *(_trade(one, 0, str(n + 1)) for n, one in enumerate(chosen.values())), **chosen
    )

    assert _stamp(known, _trade(ticker, 1))[0] == benchmark


def test_an_american_price_is_never_set_against_seoul() -> None:
    known = _latest(_trade("^KS11", 0, "4221.87"))

    assert _stamp(known, _trade("IREN", 1)) == (None, None)
    assert _stamp(known, _trade("005930.KS", 1)) == ("^KS11", "4221.87")
    assert _stamp(known, _trade("247540.KQ", 1)) == ("^KS11", "4221.87")


def test_benchmark_split_and_unknown_market_stay_without() -> None:
    known = _latest(_trade("SPY", 0, "685.1"))
    split = PriceSample(
        ticker="IREN",
        kind="split",
        event_us=Micros(_OPEN),
        received_us=Micros(_OPEN),
        source="test",
        ratio=Decimal(2),
    )

    for sample in (_trade("SPY", 1), split, _trade("2330.TW", 1), _trade("KRW=X", 1)):
        assert known.stamp(sample) is sample


def test_a_daily_record_gets_the_close_of_its_own_session_only() -> None:
    day, next_day = 0, 1440
    known = _latest(
        _trade("SPY", 0, "1"),
        _bar("SPY", day, "683.34", received=MINUTE_US, kind="daily"),
    )

    same = _bar("IREN", day, "67.75", received=2 * MINUTE_US, kind="daily")
    other = _bar("IREN", next_day, "66", received=1441 * MINUTE_US, kind="daily")
    assert _stamp(known, same) == ("SPY", "683.34")
    assert _stamp(known, other) == (None, None)


def test_a_close_that_is_rewritten_later_does_not_change_the_first() -> None:
    first = _bar("SPY", 0, "683.34", received=MINUTE_US, kind="daily")
    later = _bar("SPY", 0, "341.67", received=9 * MINUTE_US, kind="daily")
    sample = _bar("IREN", 0, "67.75", received=20 * MINUTE_US, kind="daily")

    assert _stamp(_latest(first, later), sample) == ("SPY", "683.34")
    assert _stamp(Benchmarks([later, first]), sample) == ("SPY", "683.34")


def test_a_source_keeps_what_its_samples_can_still_need() -> None:
    known = LatestBenchmarks(kept=2)
    for at in range(50):
        known.see(_trade("SPY", at, str(at + 1)))
        known.see(_bar("SPY", at, str(at + 1), received=at, kind="daily"))

    assert _stamp(known, _trade("IREN", 100)) == ("SPY", "50")
    assert _stamp(known, _trade("IREN", 20)) == (None, None)
    newest, oldest = (_bar("IREN", n, "1", received=0, kind="daily") for n in (49, 0))
    assert _stamp(known, newest) == ("SPY", "50")
    assert _stamp(known, oldest) == (None, None)


def test_of_a_file_all_benchmarks_are_known_whatever_its_order() -> None:
    rows = [_trade("SPY", 30, "3"), _trade("IREN", 5), _trade("SPY", 0, "1"), _trade("QQQ", 0, "7")]

    assert _stamp(Benchmarks(rows), rows[1]) == ("SPY", "1")
    assert _stamp(Benchmarks(rows, {"XNAS": "QQQ"}), rows[1]) == ("QQQ", "7")


def _opened(known: LatestBenchmarks, sample: PriceSample) -> str | None:
    price = known.stamp(sample).benchmark_open
    return None if price is None else str(price)


def test_a_bar_gets_the_benchmarks_open_of_its_own_start() -> None:
    known = _latest(
        _bar("SPY", 0, "600", received=MINUTE_US), _bar("SPY", 1, "601", received=2 * MINUTE_US)
    )
    own = _bar("IREN", 1, "60", received=2 * MINUTE_US)

    assert _opened(known, own) == "601"
    # A bar whose fellow has not come is set against what was there before its start.
    assert _opened(_latest(_bar("SPY", 0, "600", received=MINUTE_US)), own) == "600"


def test_what_the_benchmark_did_within_a_bar_is_not_its_open() -> None:
    later = _latest(_trade("SPY", 90_000_000, "605"))
    before = _latest(_trade("SPY", 50_000_000, "599"), _trade("SPY", 90_000_000, "605"))
    bar = _bar("IREN", 1, "60", received=2 * MINUTE_US)

    assert _opened(later, bar) is None
    assert _opened(before, bar) == "599"
    assert _opened(before, _trade("IREN", 60_000_000)) is None  # a trade has no start


def test_a_benchmarks_bar_that_came_later_is_not_known() -> None:
    known = _latest(_bar("SPY", 1, "601", received=3 * MINUTE_US))

    assert _opened(known, _bar("IREN", 1, "60", received=2 * MINUTE_US)) is None
