"""Which market a ticker belongs to."""

import pytest

from signals.market.markets import BENCHMARKS, MARKETS, mic_of
from streams.tables import load_nasdaq, load_sessions


@pytest.mark.parametrize(
    ("ticker", "mic"),
    [
        ("005930.KS", "XKRX"),
        ("^KS11", "XKRX"),
        ("^KS200", "XKRX"),
        ("247540.KQ", "XKOS"),
        ("^KQ11", "XKOS"),
        ("DELL", "XNYS"),
        ("SPY", "XNYS"),
        ("BRK-B", "XNYS"),
        ("BRK.B", "XNYS"),
        ("^GSPC", "XNYS"),
        ("IREN", "XNAS"),
        ("CIFR", "XNAS"),
        ("QQQ", "XNAS"),
        ("^IXIC", "XNAS"),
        ("NOSUCH", "XNYS"),
        ("2330.TW", None),
        ("VOD.L", None),
        ("^N225", None),
        ("KRW=X", None),
        ("ES=F", None),
        ("IREN.", None),
        (".ZZ", None),
    ],
)
def test_market_goes_by_suffix_index_or_listing(ticker: str, mic: str | None) -> None:
    assert mic_of(ticker, load_nasdaq()) == mic


def test_without_a_list_an_american_ticker_counts_as_new_york() -> None:
    assert mic_of("IREN") == "XNYS"


def test_every_market_has_a_benchmark_and_sessions() -> None:
    by_market = load_sessions().by_market

    assert tuple(BENCHMARKS) == MARKETS == tuple(sorted(by_market))
    assert by_market["XNAS"] == by_market["XNYS"]
    assert by_market["XKOS"] == by_market["XKRX"]
    assert by_market["XKRX"] != by_market["XNYS"]


def test_a_benchmark_keeps_the_sessions_of_its_market() -> None:
    by_market = load_sessions().by_market

    for mic, ticker in BENCHMARKS.items():
        assert by_market[mic_of(ticker, load_nasdaq()) or ""] == by_market[mic]
