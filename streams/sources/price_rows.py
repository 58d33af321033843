"""What a row of a price file says: a trade, a bar, a daily record, a split."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from signals.messages import Micros, PriceSample
from streams.sources.benchmarks import Benchmarks
from streams.sources.day_volume import DayVolumes
from streams.sources.price_cells import EMPTY, Cell, CellFault, figure, moment, single_figure
from streams.sources.price_form import BAR_PRICES, Form, Interval
from streams.sources.sessions import market_of, session_date
from streams.sources.times import is_date, to_iso

__all__ = ["RowReader"]

_INTERVAL_US: Mapping[Interval, int] = {"1m": 60_000_000, "1h": 3_600_000_000}
_KINDS = {"trades": "trade or split", "bars": "bar, daily or split", "splits": "split"}

_Bar = Literal["bar", "daily"]
_BOTH: tuple[_Bar, ...] = ("bar", "daily")
_ONE_BAR, _ONE_DAILY = _BOTH[:1], _BOTH[1:]
_UNKNOWN = (None, None)
_TRADE_COLUMNS = ("kind", "time", "ticker", "received", "source", "price", "volume")


class RowReader:
    """Reads rows, one after the other: a row's ``day_volume`` rests on those before it."""

    def __init__(self, form: Form, benchmarks: Benchmarks | None = None) -> None:
        """Begin before the first row.

        Args:
            form: of the file.
            benchmarks: the prices to stamp samples with; none where left out.
        """
        self._form = form
        self._at = form.at
        self._benchmarks = benchmarks
        self._volumes = DayVolumes()
        self._price = single_figure if form.singles else figure
        self._time_name = form.named["time"]
        self._kind_at = form.at["kind"]
        self._volume_at, self._source_at = form.at["volume"], form.at["source"]
        self._day_volume_at = form.at["day_volume"]
        self._trade_at = [form.at[name] for name in _TRADE_COLUMNS]
        self._prices = [(form.at[name], form.named.get(name, name)) for name in BAR_PRICES]
        self._read = {"trades": self._trade, "bars": self._bars, "splits": self._split}[form.holds]

    def samples(self, cells: Sequence[Cell]) -> tuple[PriceSample, ...]:
        """Return what a row says; a daily bar is a bar and a daily record.

        Args:
            cells: as a ``PriceTable`` yields them.
        Raises: CellFault.
        """
        try:
            if cells[self._kind_at] == "split":
                return self._split(cells)
            return self._read(cells)
        except ValueError as error:  # a message's own check, which begins with its field
            field, _, detail = str(error).partition(" ")
            raise CellFault("bad_value", self._form.named.get(field, field), detail) from error

    def _trade(self, cells: Sequence[Cell]) -> tuple[PriceSample, ...]:
        # The cells are taken by place: a method or a name for each would be a third of the time.
        kind, time, name, received, source, price, shares = [cells[at] for at in self._trade_at]
        if kind and kind != "trade":
            raise self._wrong_kind(cells)
        event_us = moment(time, self._time_name)
        ticker = self._form.ticker or str(name)
        if not ticker:
            raise CellFault("missing_field", "ticker", EMPTY)
        received_us = self._moment(cells, "received") if received else event_us
        volume = figure(shares, "volume") if shares else None
        benchmark, benchmark_price = (
            _UNKNOWN
            if self._benchmarks is None
            else self._benchmark(
                ticker, is_daily=False, received_us=received_us, moment_us=event_us
            )
        )
        sample = PriceSample(
            ticker=ticker,
            kind="trade",
            event_us=event_us,
            received_us=received_us,
            source=str(source) if source else self._form.source,
            price=figure(price, "price"),
            volume=volume,
            day_volume=self._day_volume(cells, ticker, event_us, volume),
            benchmark=benchmark,
            benchmark_price=benchmark_price,
        )
        return (sample,)

    def _bars(self, cells: Sequence[Cell]) -> tuple[PriceSample, ...]:
        kinds = self._bar_kinds(cells)
        span = self._span(cells)
        received_us = self._received(cells, span[1])
        if received_us < span[1]:
            # Nobody knows a bar before its end; taking it would be look-ahead.
            detail = f"must not be before the bar's end, was {cells[self._at['received']]!r}"
            raise CellFault("bad_value", self._form.named["received"], detail)
        (opens, opens_name), (highs, highs_name), (lows, lows_name), (closes, closes_name) = (
            self._prices
        )
        read = self._price
        prices = (
            read(cells[opens], opens_name),
            read(cells[highs], highs_name),
            read(cells[lows], lows_name),
            read(cells[closes], closes_name),
        )
        if prices[1] < prices[2]:
            detail = f"must not be below the low, was {prices[1]} with a low of {prices[2]}"
            raise CellFault("bad_value", highs_name, detail)
        if len(kinds) == 1:
            return (self._bar(cells, kinds[0], span, received_us, prices),)
        return tuple(self._bar(cells, kind, span, received_us, prices) for kind in kinds)

    def _bar(
        self,
        cells: Sequence[Cell],
        kind: _Bar,
        span: tuple[Micros, Micros],
        received_us: Micros,
        prices: tuple[Decimal, Decimal, Decimal, Decimal],
    ) -> PriceSample:
        ticker = self._ticker(cells)
        shares, source = cells[self._volume_at], cells[self._source_at]
        volume = figure(shares, self._form.named["volume"]) if shares else None
        benchmark, benchmark_price = self._benchmark(
            ticker, is_daily=kind == "daily", received_us=received_us, moment_us=span[1]
        )
        benchmark_open = None
        if kind == "bar" and benchmark is not None and self._benchmarks is not None:
            benchmark_open = self._benchmarks.opened(
                ticker, received_us=received_us, start_us=span[0]
            )
        return PriceSample(
            ticker=ticker,
            kind=kind,
            event_us=span[0],
            end_us=span[1],
            received_us=received_us,
            source=str(source) if source else self._form.source,
            volume=volume,
            open=prices[0],
            high=prices[1],
            low=prices[2],
            close=prices[3],
            day_volume=(
                self._day_volume(cells, ticker, span[0], volume) if kind == "bar" else None
            ),
            benchmark=benchmark,
            benchmark_price=benchmark_price,
            benchmark_open=benchmark_open,
        )

    def _split(self, cells: Sequence[Cell]) -> tuple[PriceSample, ...]:
        if cells[self._at["kind"]] not in ("", "split"):
            raise self._wrong_kind(cells)
        ticker = self._ticker(cells)
        text = cells[self._at["time"]]
        # A date is the session that opens with the new shares.
        is_day = isinstance(text, str) and is_date(text)
        event_us = self._session(cells)[0] if is_day else self._moment(cells, "time")
        sample = PriceSample(
            ticker=ticker,
            kind="split",
            event_us=event_us,
            received_us=self._received(cells, event_us),
            source=str(cells[self._at["source"]]) or self._form.source,
            ratio=figure(cells[self._at["ratio"]], "ratio"),
        )
        return (sample,)

    def _bar_kinds(self, cells: Sequence[Cell]) -> tuple[_Bar, ...]:
        match cells[self._kind_at]:
            case "":
                return _BOTH if self._form.bar == "1d" else _ONE_BAR
            case "bar":
                return _ONE_BAR
            case "daily":
                return _ONE_DAILY
            case _:
                raise self._wrong_kind(cells)

    def _wrong_kind(self, cells: Sequence[Cell]) -> CellFault:
        detail = f"must be {_KINDS[self._form.holds]}, was {cells[self._at['kind']]!r:.60}"
        return CellFault("bad_value", "kind", detail)

    def _span(self, cells: Sequence[Cell]) -> tuple[Micros, Micros]:
        """Return a bar's start and end."""
        if cells[self._at["end"]]:
            return self._moment(cells, "time"), self._moment(cells, "end")
        bar = self._form.bar
        if bar is None:
            detail = "must be given, or --bar for the whole file"
            raise CellFault("missing_field", self._form.named["end"], detail)
        if bar == "1d":
            return self._session(cells)
        start_us = self._moment(cells, "time")
        return start_us, Micros(start_us + _INTERVAL_US[bar])

    def _session(self, cells: Sequence[Cell]) -> tuple[Micros, Micros]:
        """Return the session that a row's time stands for."""
        ticker = self._ticker(cells)
        market = market_of(ticker)
        if market is None:
            detail = f"of {ticker!r:.60} has no known session; give the times with a column end"
            raise CellFault("bad_value", "ticker", detail)
        cell, name = cells[self._at["time"]], self._form.named["time"]
        if not cell:
            raise CellFault("missing_field", name, EMPTY)
        is_text = isinstance(cell, str) and not name.endswith("_us")
        try:
            text = str(cell) if is_text else to_iso(moment(cell, name))
            return market.session(session_date(text, market))
        except (ValueError, OverflowError) as error:
            raise CellFault("bad_value", name, str(error)) from error

    def _benchmark(
        self, ticker: str, *, is_daily: bool, received_us: Micros, moment_us: Micros
    ) -> tuple[str, Decimal] | tuple[None, None]:
        if self._benchmarks is None:
            return _UNKNOWN
        known = self._benchmarks.known(
            ticker, is_daily=is_daily, received_us=received_us, moment_us=moment_us
        )
        return known or _UNKNOWN

    def _day_volume(
        self, cells: Sequence[Cell], ticker: str, moment_us: Micros, volume: Decimal | None
    ) -> Decimal | None:
        if given := cells[self._day_volume_at]:
            return figure(given, "day_volume")
        return None if volume is None else self._volumes.add(ticker, moment_us, volume)

    def _received(self, cells: Sequence[Cell], known_us: Micros) -> Micros:
        return self._moment(cells, "received") if cells[self._at["received"]] else known_us

    def _moment(self, cells: Sequence[Cell], column: str) -> Micros:
        return moment(cells[self._at[column]], self._form.named[column])

    def _ticker(self, cells: Sequence[Cell]) -> str:
        ticker = self._form.ticker or cells[self._at["ticker"]]
        if not ticker:
            raise CellFault("missing_field", "ticker", EMPTY)
        return str(ticker)
