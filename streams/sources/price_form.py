"""How the rows of a price file are read, decided once by its header and the caller."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from signals.errors import ConfigError

__all__ = ["BAR_PRICES", "COLUMNS", "INTERVALS", "NAMES", "Form", "Interval", "form_of"]

Interval = Literal["1m", "1h", "1d"]
INTERVALS: tuple[Interval, ...] = ("1m", "1h", "1d")
BAR_PRICES = ("open", "high", "low", "close")
# By what they are; where there are several names, a file has one of them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "time_us"),
    "end": ("end", "end_us"),
    "received": ("received_at", "received_us"),
    "ticker": ("ticker",),
    "kind": ("kind",),
    "source": ("source",),
    "price": ("price",),
    **{name: (name,) for name in BAR_PRICES},
    "volume": ("volume",),
    "day_volume": ("day_volume",),
    "ratio": ("ratio",),
}
# What yfinance writes: Date for days, Datetime for shorter bars, and no ticker.
_YAHOO: Mapping[str, tuple[str, ...]] = {
    "time": ("Date", "Datetime"),
    **{name: (name.capitalize(),) for name in (*BAR_PRICES, "volume")},
}
# All names that mean something in a header.
NAMES = frozenset(name for known in (COLUMNS, _YAHOO) for names in known.values() for name in names)
_YAHOO_TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.=-]{0,30}", re.ASCII)
_WANTED = (
    "the columns are time,ticker,price[,volume] for trades, "
    "time,ticker,open,high,low,close[,volume] for bars, or time,ticker,ratio for splits"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How rows are read.

    Attributes:
        holds: what a row without ``kind`` is.
        at: the place of each of ``COLUMNS`` in the header, -1 for one that the file has not.
        named: the file's own name of each that it has.
        bar: the interval of bars without an end of their own.
        source: the name of the source, for rows that give none.
        ticker: of every row, where the file's name says it and no column does.
        singles: prices are single floats written as doubles, as Yahoo's are.
    """

    holds: Literal["trades", "bars", "splits"]
    at: Mapping[str, int]
    named: Mapping[str, str]
    bar: Interval | None
    source: str
    ticker: str | None = None
    singles: bool = False


def form_of(path: Path, header: Sequence[str], *, bar: Interval | None, source: str) -> Form:
    """Return how the rows under a header are read.

    Raises: ConfigError for a header or an interval that makes no sense.
    """
    if bar is not None and bar not in INTERVALS:
        raise ConfigError(f"--bar must be one of {', '.join(INTERVALS)}, was {bar!r}")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ConfigError(f"{path}:1 has the column {repeated[0]!r} twice; leave one")
    is_yahoo = "ticker" not in header and {"Open", "Close"} <= set(header)
    known = _YAHOO if is_yahoo else COLUMNS
    named: dict[str, str] = {}
    for column, names in known.items():
        found = [name for name in names if name in header]
        if len(found) > 1:
            raise ConfigError(f"{path}:1 has both {found[0]!r} and {found[1]!r}; leave one")
        if found:
            named[column] = found[0]
    holds = _holds(named)
    _require_columns(path, header, named, holds=holds, is_yahoo=is_yahoo)
    _require_interval(path, named, holds=holds, bar=bar)
    return Form(
        holds=holds,
        at={name: header.index(named[name]) if name in named else -1 for name in COLUMNS},
        named=named,
        bar=bar,
        source=source,
        ticker=_ticker_of(path) if is_yahoo else None,
        singles=is_yahoo,
    )


def _holds(named: Mapping[str, str]) -> Literal["trades", "bars", "splits"]:
    if "price" in named:
        return "trades"
    return "splits" if "ratio" in named and "open" not in named else "bars"


def _require_columns(
    path: Path,
    header: Sequence[str],
    named: Mapping[str, str],
    *,
    holds: Literal["trades", "bars", "splits"],
    is_yahoo: bool,
) -> None:
    prices = {"trades": ("price",), "bars": BAR_PRICES, "splits": ("ratio",)}[holds]
    wanted = ("time", *(() if is_yahoo else ("ticker",)), *prices)
    missing = [_YAHOO[name][0] if is_yahoo else name for name in wanted if name not in named]
    if missing:
        raise ConfigError(
            f"{path}:1 has no column {missing[0]!r}; {_WANTED}; "
            f"the file has {','.join(header)[:200]!r}"
        )


def _require_interval(
    path: Path,
    named: Mapping[str, str],
    *,
    holds: Literal["trades", "bars", "splits"],
    bar: Interval | None,
) -> None:
    if holds == "bars":
        if bar is None and "end" not in named:
            raise ConfigError(
                f"{path} holds bars; say how long with --bar 1m|1h|1d or a column end"
            )
    elif bar is not None and holds == "trades":
        # Splits lie beside bars in one call; trades are taken for bars by mistake.
        raise ConfigError(f"{path} holds trades (a column price); leave --bar out")


def _ticker_of(path: Path) -> str:
    if not _YAHOO_TICKER.fullmatch(path.stem):
        raise ConfigError(
            f"{path} has Yahoo's columns and no ticker, and its name is none; "
            "name the file after its ticker, like IREN.csv, or add a column ticker"
        )
    return path.stem
