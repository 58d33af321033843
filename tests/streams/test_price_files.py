"""One suite for every kind of price file: the same rows give the same samples and faults."""

import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.errors import BadMessage, ConfigError
from signals.messages import Micros, PriceSample
from streams.sources import prices_parquet
from streams.sources.prices_file import Interval, benchmarks_of, read_prices

KINDS = ("csv", "parquet of text", "parquet of types")
OPEN = "2025-11-03T14:30:00Z"
BARS = ("time", "ticker", "open", "high", "low", "close", "volume")
TRADES = ("time", "ticker", "price", "volume")
_TIMES = frozenset({"time", "end", "received_at"})
_FIGURES = frozenset(
    {"price", "open", "high", "low", "close", "volume", "day_volume", "ratio", "Open", "Close"}
)

Rows = Sequence[Sequence[str]]


def us(text: str) -> Micros:
    return Micros(int(datetime.fromisoformat(text).timestamp() * 1_000_000))


def write(
    kind: str, folder: Path, header: Sequence[str], rows: Rows, *, name: str = "prices"
) -> Path:
    """Write rows of text as a file of a kind; an empty cell is null in Parquet."""
    if kind == "csv":
        path = folder / f"{name}.csv"
        path.write_text("\n".join(",".join(row) for row in (header, *rows)) + "\n")
        return path
    columns = {
        column: _column(column, [row[at] or None for row in rows], typed=kind.endswith("types"))
        for at, column in enumerate(header)
    }
    path = folder / f"{name}.parquet"
    parquet.write_table(arrow.table(columns), path)
    return path


def _column(name: str, cells: list[str | None], *, typed: bool) -> Any:
    if typed and name in _FIGURES:
        return arrow.array(
            [None if cell is None else float(cell) for cell in cells], arrow.float64()
        )
    if typed and name in _TIMES and all(cell is None or "T" in cell for cell in cells):
        moments = [None if cell is None else datetime.fromisoformat(cell) for cell in cells]
        return arrow.array(moments, arrow.timestamp("us", tz="UTC"))
    return arrow.array(cells, arrow.string())


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def row_of(kind: str, number: int) -> int:
    """Return where a person finds the n-th row: a line of CSV, behind the header, or a row."""
    return number + 1 if kind == "csv" else number


def faults_of(path: Path, bar: Interval | None = None) -> list[str]:
    faults: list[BadMessage] = []
    list(read_prices(path, bar=bar, on_bad=faults.append))
    return [fault.path.removeprefix(f"{path}:") for fault in faults]


# ---- what rows say -------------------------------------------------------------------------------


def test_trades_are_the_same_from_every_kind(kind: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path, TRADES, [(OPEN, "IREN", "73.07", "100"), (OPEN, "A", "5", "")])
    first, second = read_prices(path)
    assert first == PriceSample(
        ticker="IREN",
        kind="trade",
        event_us=us(OPEN),
        received_us=us(OPEN),
        source="file",
        price=Decimal("73.07"),
        volume=Decimal(100),
        day_volume=Decimal(100),
    )
    assert (second.price, second.volume, second.day_volume) == (Decimal(5), None, None)


def test_bars_carry_their_benchmark_from_every_kind(kind: str, tmp_path: Path) -> None:
    rows = [
        (OPEN, "IREN", "1.5", "3", "1", "2", "10"),
        (OPEN, "SPY", "685", "686", "684", "685.67", "10"),
    ]
    iren, spy = read_prices(write(kind, tmp_path, BARS, rows), bar="1m")
    assert iren.end_us == iren.received_us == us(OPEN) + 60_000_000
    assert (iren.benchmark, iren.benchmark_price) == ("SPY", Decimal("685.67"))
    assert spy.benchmark is None


def test_chosen_benchmark_is_taken_from_the_file(kind: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path, TRADES, [(OPEN, "QQQ", "600", ""), (OPEN, "IREN", "73", "")])
    _, iren = read_prices(path, benchmarks={"XNAS": "QQQ"})
    assert (iren.benchmark, iren.benchmark_price) == ("QQQ", Decimal(600))


def test_benchmark_in_one_file_is_the_benchmark_of_all(kind: str, tmp_path: Path) -> None:
    spy = write(kind, tmp_path, TRADES, [(OPEN, "SPY", "685.67", "")], name="first")
    iren = write(kind, tmp_path, TRADES, [(OPEN, "IREN", "73", "")], name="second")
    known = benchmarks_of([iren, spy])
    (sample,) = read_prices(iren, known=known)
    assert (sample.benchmark, sample.benchmark_price) == ("SPY", Decimal("685.67"))
    assert benchmarks_of([iren]) is None


def test_yahoo_file_of_the_benchmark_is_the_one_of_other_files(tmp_path: Path) -> None:
    row = ("2025-11-03", "1", "2", "1", "2", "1", "5")
    paths = [write("csv", tmp_path, YAHOO, [row], name=name) for name in ("IREN", "SPY")]
    known = benchmarks_of(paths, bar="1d")
    _, daily = read_prices(paths[0], bar="1d", known=known)
    assert (daily.benchmark, daily.benchmark_price) == ("SPY", Decimal(2))


def test_daily_row_gives_its_bar_and_its_record_with_the_volume(kind: str, tmp_path: Path) -> None:
    rows = [("2025-11-03", "IREN", "73.07", "75.73", "64.38", "67.75", "77000000")]
    bar, daily = read_prices(write(kind, tmp_path, BARS, rows), bar="1d")
    assert (bar.kind, bar.day_volume) == ("bar", Decimal(77_000_000))
    assert (daily.kind, daily.volume, daily.day_volume) == ("daily", Decimal(77_000_000), None)
    assert daily.end_us == us("2025-11-03T21:00:00Z")


def test_times_may_be_microseconds(kind: str, tmp_path: Path) -> None:
    header = ("time_us", "ticker", "open", "high", "low", "close", "end_us", "received_us")
    start = us(OPEN)
    row = (str(start), "A", "1", "3", "1", "2", str(start + 5), str(start + 7))
    (sample,) = read_prices(write(kind, tmp_path, header, [row]))
    assert (sample.event_us, sample.end_us, sample.received_us) == (start, start + 5, start + 7)


def test_splits_have_a_ratio_and_begin_with_a_session(kind: str, tmp_path: Path) -> None:
    rows = [("2024-06-10", "NVDA", "10"), (OPEN, "A", "0.5")]
    header = ("time", "ticker", "ratio")
    first, second = read_prices(write(kind, tmp_path, header, rows))
    assert (first.kind, first.ratio, first.event_us) == (
        "split",
        Decimal(10),
        us("2024-06-10T13:30:00Z"),
    )
    assert (second.ratio, second.event_us) == (Decimal("0.5"), us(OPEN))


def test_a_split_may_stand_among_bars(kind: str, tmp_path: Path) -> None:
    header = (*BARS, "kind", "ratio")
    rows = [
        (OPEN, "A", "1", "3", "1", "2", "", "", ""),
        (OPEN, "A", "", "", "", "", "", "split", "2"),
    ]
    read = list(read_prices(write(kind, tmp_path, header, rows), bar="1m"))
    assert [sample.kind for sample in read] == ["bar", "split"]


# ---- the volume of the session so far ------------------------------------------------------------


def test_day_volume_is_added_up_by_ticker_and_regular_session(kind: str, tmp_path: Path) -> None:
    rows = [
        ("2025-11-03T14:29:59Z", "A", "1", "7"),  # before the open
        ("2025-11-03T14:30:00Z", "A", "1", "10"),
        ("2025-11-03T14:30:00Z", "B", "1", "3"),
        ("2025-11-03T20:59:59Z", "A", "1", "20"),
        ("2025-11-03T21:00:00Z", "A", "1", "9"),  # after the close
        ("2025-11-04T14:30:00Z", "A", "1", "5"),
    ]
    read = read_prices(write(kind, tmp_path, TRADES, rows))
    assert [sample.day_volume for sample in read] == [None, 10, 3, 30, None, 5]


def test_day_volume_of_a_row_behind_a_later_one_is_not_known(kind: str, tmp_path: Path) -> None:
    rows = [
        ("2025-11-03T14:32:00Z", "A", "1", "10"),
        ("2025-11-03T14:31:00Z", "A", "1", "5"),
        ("2025-11-03T14:33:00Z", "A", "1", "1"),
        ("2025-10-31T14:33:00Z", "A", "1", "4"),
    ]
    read = read_prices(write(kind, tmp_path, TRADES, rows))
    assert [sample.day_volume for sample in read] == [10, None, 16, None]


def test_given_day_volume_stands(kind: str, tmp_path: Path) -> None:
    rows = [(OPEN, "A", "1", "10", "99")]
    (sample,) = read_prices(write(kind, tmp_path, (*TRADES, "day_volume"), rows))
    assert sample.day_volume == 99


# ---- Yahoo's columns -----------------------------------------------------------------------------

YAHOO = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")


@pytest.mark.parametrize("kind", ["csv", "parquet of text"])
def test_yahoo_file_holds_days_of_the_ticker_in_its_name(kind: str, tmp_path: Path) -> None:
    # The row of AAPL on 2019-05-16 as yfinance writes it: single floats in the digits of doubles.
    row = (
        *("2019-05-16", "47.477500915527344", "48.11750030517578", "47.209999084472656"),
        *("47.52000045776367", "45.467559814453125", "132125600"),
    )
    path = write(kind, tmp_path, YAHOO, [row], name="AAPL")
    bar, daily = read_prices(path, bar="1d")
    assert bar.ticker == daily.ticker == "AAPL"
    assert [daily.open, daily.high, daily.low, daily.close] == [
        Decimal(text) for text in ("47.4775", "48.1175", "47.21", "47.52")
    ]
    assert daily.volume == 132_125_600


def test_price_that_is_no_single_float_keeps_its_digits(tmp_path: Path) -> None:
    row = ("2025-11-03", "685.0412345678901", "686", "685", "685.67", "1", "5")
    _, daily = read_prices(write("csv", tmp_path, YAHOO, [row], name="SPY"), bar="1d")
    assert (daily.open, daily.close) == (Decimal("685.0412345678901"), Decimal("685.67"))


def test_yahoo_file_without_a_ticker_for_its_name_is_refused(tmp_path: Path) -> None:
    row = ("2025-11-03", "1", "2", "1", "2", "1", "5")
    path = write("csv", tmp_path, YAHOO, [row], name="my download")
    with pytest.raises(ConfigError, match="name the file after its ticker"):
        list(read_prices(path, bar="1d"))


def test_real_downloads_are_read_whole(shared: Path) -> None:
    paths = sorted((shared / "data" / "prices_daily").glob("*.csv"))[:20]
    assert paths
    for path in paths:
        read = list(read_prices(path, bar="1d"))
        assert len(read) == 2 * (len(path.read_text().splitlines()) - 1)
        assert {sample.ticker for sample in read} == {path.stem}


# ---- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "inf", "-inf", ""])
@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_price_that_is_none_is_refused_and_the_rest_read(
    kind: str, column: str, price: str, tmp_path: Path
) -> None:
    good = dict(zip(BARS, (OPEN, "A", "1", "3", "1", "2", "10"), strict=True))
    rows = [tuple(row.values()) for row in (good, good | {column: price}, good)]
    path = write(kind, tmp_path, BARS, rows)
    faults: list[BadMessage] = []
    read = list(read_prices(path, bar="1m", on_bad=faults.append))
    assert len(read) == 2
    (fault,) = faults
    assert fault.path == f"{path}:{row_of(kind, 2)} $.{column}"
    assert price.lower().lstrip("-") in fault.detail.lower()


def test_fault_is_raised_where_there_is_no_hook(kind: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path, TRADES, [(OPEN, "A", "0", "")])
    with pytest.raises(BadMessage, match="finite and positive"):
        list(read_prices(path))


@pytest.mark.parametrize(
    ("header", "row", "field"),
    [
        (TRADES, (OPEN, "", "1", ""), "ticker"),
        (TRADES, (OPEN, "A" * 65, "1", ""), "ticker"),
        (TRADES, ("", "A", "1", ""), "time"),
        (TRADES, (OPEN, "A", "1", "-5"), "volume"),
        ((*TRADES, "kind"), (OPEN, "A", "1", "", "daily"), "kind"),
        ((*TRADES, "kind"), (OPEN, "A", "1", "", "split"), "ratio"),
        (("time", "ticker", "ratio"), (OPEN, "A", "0"), "ratio"),
        (("time", "ticker", "ratio"), (OPEN, "A", ""), "ratio"),
        (("time", "ticker", "ratio"), ("2025-11-03", "X.ZZ", "2"), "ticker"),
    ],
)
def test_fault_names_its_row_and_field(
    kind: str, header: Sequence[str], row: Sequence[str], field: str, tmp_path: Path
) -> None:
    path = write(kind, tmp_path, header, [row])
    assert faults_of(path) == [f"{row_of(kind, 1)} $.{field}"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (("time", "time_us", "ticker", "price"), "both 'time' and 'time_us'"),
        (("time", "ticker"), "no column 'open'"),
        (("Date", "Open", "High", "Close"), "no column 'Low'"),
        (("time", "ticker", "price"), "leave --bar out"),
    ],
)
def test_header_that_makes_no_sense_is_refused(
    kind: str, header: Sequence[str], message: str, tmp_path: Path
) -> None:
    path = write(kind, tmp_path, header, [])
    with pytest.raises(ConfigError) as caught:
        list(read_prices(path, bar="1m"))
    assert message in str(caught.value)


# ---- Parquet's own -------------------------------------------------------------------------------


def trades_with(folder: Path, **columns: Any) -> Path:
    plain = {
        "time": arrow.array([us(OPEN)], arrow.timestamp("us", tz="America/New_York")),
        "ticker": arrow.array(["A"]),
        "price": arrow.array([1.5]),
    }
    path = folder / "typed.parquet"
    parquet.write_table(arrow.table(plain | columns), path)
    return path


@pytest.mark.parametrize(
    ("array", "price"),
    [
        (arrow.array([Decimal("73.0700")], arrow.decimal128(12, 4)), "73.07"),
        (arrow.array([1000.0]), "1000"),
        (arrow.array([0.1]), "0.1"),
        (arrow.array([1e-7]), "0.0000001"),
        (arrow.array([47.4775], arrow.float32()), "47.4775"),
        (arrow.array([5], arrow.int32()), "5"),
        (arrow.array([" 73.07 "]), "73.07"),
        (arrow.array(["73.07"]).dictionary_encode(), "73.07"),
    ],
)
def test_figures_of_every_type_are_their_shortest_text(
    array: Any, price: str, tmp_path: Path
) -> None:
    (sample,) = read_prices(trades_with(tmp_path, price=array))
    assert sample.price is not None
    assert format(sample.price, "f") == price


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_are_microseconds(unit: str, tmp_path: Path) -> None:
    time = arrow.array([datetime.fromisoformat(OPEN)], arrow.timestamp(unit, tz="UTC"))
    (sample,) = read_prices(trades_with(tmp_path, time=time))
    assert sample.event_us == us(OPEN)


def test_days_of_parquet_are_dates_or_midnights(tmp_path: Path) -> None:
    day = datetime(2025, 11, 3, tzinfo=UTC)
    figures = {name: arrow.array([2.0]) for name in ("open", "high", "low", "close")}
    for time in (
        arrow.array([day.date()]),
        arrow.array([day], arrow.timestamp("ns", tz="UTC")),
        arrow.array(["2025-11-03"]),
    ):
        path = tmp_path / "days.parquet"
        parquet.write_table(arrow.table({"time": time, "ticker": ["IREN"], **figures}), path)
        _, daily = read_prices(path, bar="1d")
        assert daily.event_us == us(OPEN)


@pytest.mark.parametrize(
    ("column", "array", "message"),
    [
        ("time", arrow.array([datetime(2025, 11, 3)]), "times without a zone"),  # noqa: DTZ001  # the fault
        ("price", arrow.array([[1.5]]), "type list"),
        ("ticker", arrow.array([True]), "type bool"),
    ],
)
def test_column_of_a_type_without_a_place_is_refused(
    column: str, array: Any, message: str, tmp_path: Path
) -> None:
    path = trades_with(tmp_path, **{column: array})
    with pytest.raises(ConfigError, match=f"column {column} .*{message}"):
        list(read_prices(path))


def test_prices_that_are_times_are_refused_by_row(tmp_path: Path) -> None:
    path = trades_with(tmp_path, price=arrow.array([us(OPEN)], arrow.timestamp("us", tz="UTC")))
    assert faults_of(path) == ["1 $.price"]


def test_torn_or_foreign_file_is_one_sentence(tmp_path: Path) -> None:
    whole = write("parquet of types", tmp_path, TRADES, [(OPEN, "A", "1", "")] * 5000).read_bytes()
    path = tmp_path / "torn.parquet"
    middle = bytes(200)
    for torn in (
        b"",
        b"time,ticker,price\n",
        whole[: len(whole) // 2],
        whole[:4] + middle + whole[4 + len(middle) :],
    ):
        path.write_bytes(torn)
        with pytest.raises(ConfigError, match="is no whole Parquet file") as caught:
            list(read_prices(path))
        assert "\n" not in str(caught.value)


def test_changed_byte_is_found_where_the_file_has_checksums(tmp_path: Path) -> None:
    path = tmp_path / "checked.parquet"
    table = arrow.table(
        {
            "time_us": [us(OPEN)] * 1000,
            "ticker": ["A"] * 1000,
            "price": [number / 100 for number in range(1000, 2000)],
        }
    )
    parquet.write_table(
        table, path, write_page_checksum=True, compression="none", use_dictionary=False
    )
    raw = bytearray(path.read_bytes())
    at = raw.index(struct.pack("d", 15.0))
    raw[at : at + 8] = struct.pack("d", 16.0)
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match="is no whole Parquet file"):
        list(read_prices(path))


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        list(read_prices(tmp_path / "none.parquet"))


def test_missing_pyarrow_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trades_with(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'tapewire\[parquet\]'"):
        list(read_prices(path))


def test_batches_keep_their_rows_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices_parquet, "_BATCH", 7)
    rows = [(OPEN, "A", str(number or "x"), "") for number in range(1, 40)]
    rows[30] = (OPEN, "A", "0", "")
    path = write("parquet of types", tmp_path, TRADES, rows)
    faults: list[BadMessage] = []
    read = [int(sample.price or 0) for sample in read_prices(path, on_bad=faults.append)]
    assert read == [number for number in range(1, 40) if number != 31]
    assert [fault.path for fault in faults] == [f"{path}:31 $.price"]


def test_front_door_loads_no_package_that_is_not_asked_for() -> None:
    code = (
        "import sys, tapewire.verbs.ingest\n"
        "print({'pyarrow', 'pandas', 'yfinance', 'faust', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


# ---- any rows ------------------------------------------------------------------------------------

_MOMENTS = st.integers(us("2025-10-30T00:00:00Z"), us("2025-11-05T00:00:00Z")).map(
    lambda moment: datetime.fromtimestamp(moment / 1_000_000, tz=UTC).isoformat()
)
_PRICES = st.integers(1, 10**7).map(lambda cents: format(Decimal(cents).scaleb(-2), "f")) | (
    st.sampled_from(["0", "-1", "NaN", "inf", ""])
)
_VOLUMES = st.integers(0, 10**6).map(str) | st.just("")
_TICKERS = st.sampled_from(["IREN", "SPY", "005930.KS", "^KS11", "X.ZZ", ""])
_ROWS = st.lists(
    st.tuples(_MOMENTS, _TICKERS, _PRICES, _PRICES, _PRICES, _PRICES, _VOLUMES), max_size=12
)


@given(_ROWS, st.sampled_from(["1m", "1h", "1d"]))
@settings(max_examples=60, deadline=None)
def test_any_rows_are_the_same_from_every_kind(rows: Rows, bar: Interval) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for kind in KINDS:
            path = write(kind, Path(folder), BARS, rows)
            faults: list[BadMessage] = []
            read = list(read_prices(path, bar=bar, on_bad=faults.append))
            places = [fault.path.rpartition(":")[2].split() for fault in faults]
            found.append((read, [(int(row) - row_of(kind, 0), field) for row, field in places]))
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("note", ['"of\nSPY, it is said"', '"a\nb"', "plain"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_benchmarks_are_found_beside_cells_of_several_lines(
    tmp_path: Path, note: str, place: int
) -> None:
    notes = ["", "", ""]
    notes[place] = note
    rows = ["SPY,680.00", "IREN,73.07", "SPY,681.00"]
    lines = [
        f"2025-11-03T14:30:0{number}Z,{row},{text}"
        for number, (row, text) in enumerate(zip(rows, notes, strict=True))
    ]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["time,ticker,price,note", *lines]) + "\n", encoding="utf-8")

    found = [(sample.ticker, str(sample.benchmark_price)) for sample in read_prices(path)]

    assert found == [("SPY", "None"), ("IREN", "680.00"), ("SPY", "None")]
    known = benchmarks_of([path])
    assert known is not None
    last = known.known(
        "IREN", is_daily=False, received_us=us("2025-11-03T14:31:00Z"), moment_us=us(OPEN)
    )
    assert last is not None
    assert str(last[1]) == "681.00"
