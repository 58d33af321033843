"""Which market a ticker belongs to, and what each market is measured against.

Tickers are Yahoo style: a suffix names a market elsewhere, a caret an index. Nothing tells a New
York ticker's exchange from its letters, so the tickers of Nasdaq are given.
"""

from collections.abc import Container, Mapping
from types import MappingProxyType

__all__ = ["BENCHMARKS", "MARKETS", "mic_of"]

MARKETS = ("XKOS", "XKRX", "XNAS", "XNYS")
# The benchmark of a market, where nothing else is set.
BENCHMARKS: Mapping[str, str] = MappingProxyType(
    {"XKOS": "^KS11", "XKRX": "^KS11", "XNAS": "SPY", "XNYS": "SPY"}
)
# "A" and "B" are classes of shares: BRK.B, which Yahoo writes BRK-B.
_SUFFIXES: Mapping[str, str] = {"KS": "XKRX", "KQ": "XKOS", "A": "XNYS", "B": "XNYS"}
_INDICES: Mapping[str, str] = {
    **dict.fromkeys(("^KS11", "^KS100", "^KS200"), "XKRX"),
    "^KQ11": "XKOS",
    **dict.fromkeys(("^IXIC", "^NDX", "^SOX"), "XNAS"),
    **dict.fromkeys(("^DJI", "^GSPC", "^NYA", "^RUT", "^SPX", "^VIX"), "XNYS"),
}


def mic_of(ticker: str, nasdaq: Container[str] = ()) -> str | None:
    """Return the MIC of a ticker's market, one of ``MARKETS``, or None for one elsewhere.

    Args:
        ticker: Yahoo style. Currencies and futures (``KRW=X``) and unknown indices have no market.
        nasdaq: the tickers that are listed on XNAS; other American ones count as XNYS. Both keep
            the same days and hours, as XKRX and XKOS do.
    """
    if "." in ticker:
        return _SUFFIXES.get(ticker.rpartition(".")[2])
    if "^" in ticker:
        return _INDICES.get(ticker)
    if "=" in ticker:
        return None
    return "XNAS" if ticker in nasdaq else "XNYS"
