"""Files become messages; every fault names its file, line and field; order is canonical."""

import contextlib
import json
import os
import random
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals import names
from signals.errors import BadMessage, ConfigError
from signals.messages import Headline, Micros, PriceSample
from streams.sources import (
    SOURCES,
    Options,
    canonical_order,
    read_document,
    read_headlines,
    read_prices,
)
from streams.sources.headlines_file import derive_headline_id
from streams.sources.sessions import market_of


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def news(folder: Path, *lines: object) -> Path:
    path = folder / "news.jsonl"
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def prices(folder: Path, text: str) -> Path:
    path = folder / "prices.csv"
    path.write_text(text, encoding="utf-8")
    return path


def line(**fields: object) -> dict[str, object]:
    given: dict[str, object] = {
        "id": "wire:1",
        "title": "A title",
        "published_at": "2025-11-03T11:37:00Z",
    }
    return {name: value for name, value in (given | fields).items() if value is not ...}


# ---- headlines -----------------------------------------------------------------------------------


def test_headline_line_is_read_with_its_times(tmp_path: Path) -> None:
    given = line(published_at="2025-11-03T20:37:00+09:00", received_at="2025-11-03T11:37:03.5Z")
    (headline,) = read_headlines(news(tmp_path, given))
    assert headline.published_us == us("2025-11-03T11:37:00Z")
    assert headline.received_us == us("2025-11-03T11:37:03Z") + 500_000
    assert (headline.id, headline.source) == ("wire:1", "wire")


def test_receipt_is_the_publish_time_when_the_file_has_none(tmp_path: Path) -> None:
    (headline,) = read_headlines(news(tmp_path, line()))
    assert headline.received_us == headline.published_us


def test_microsecond_fields_are_taken_as_they_are(tmp_path: Path) -> None:
    given = line(published_at=..., published_us=1762169820000001, received_us=1762169823000000)
    (headline,) = read_headlines(news(tmp_path, given))
    assert (headline.published_us, headline.received_us) == (1762169820000001, 1762169823000000)


def test_publish_date_alone_counts_from_the_receipt(tmp_path: Path) -> None:
    given = line(published_at="2025-11-03", received_at="2025-11-03T12:00:00Z")
    (headline,) = read_headlines(news(tmp_path, given))
    assert headline.published_us == headline.received_us == us("2025-11-03T12:00:00Z")


def test_byte_order_mark_blank_lines_and_unknown_fields_are_no_fault(tmp_path: Path) -> None:
    given = json.dumps(line(shelf="top")).encode()
    path = news(tmp_path, b"\xef\xbb\xbf" + given, b"", b"  \r")
    assert [headline.id for headline in read_headlines(path)] == ["wire:1"]


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    [
        (b"{nope", "not_json", "$"),
        (b'{"id": "\xff"}', "invalid_utf8", "$"),
        (b"[1]", "wrong_type", "$"),
        (line(published_at=...), "no_publish_time", "$.published_at"),
        (line(published_at="yesterday"), "bad_publish_time", "$.published_at"),
        (line(published_at="2025-11-03T11:37:00"), "bad_publish_time", "$.published_at"),
        (line(published_at="2025-11-03"), "bad_publish_time", "$.published_at"),
        (line(published_at=5), "bad_publish_time", "$.published_at"),
        (line(published_at=..., published_us="5"), "bad_publish_time", "$.published_us"),
        (
            b'{"title": "t", "published_us": ' + b"9" * 40 + b"}",
            "bad_publish_time",
            "$.published_us",
        ),
        (line(id=..., published_at=..., published_us=2**62), "bad_value", "$.published_us"),
        (line(received_at="soon"), "bad_value", "$.received_at"),
        (line(title=...), "missing_field", "$.title"),
        (line(title=7), "wrong_type", "$.title"),
        (line(id=..., title=...), "missing_field", "$.title"),
        (line(id=7), "wrong_type", "$.id"),
        (line(revision=0), "bad_value", "$.revision"),
        (line(status="gone"), "bad_value", "$.status"),
        (line(id=..., url="http://[", source="s"), "bad_value", "$.url"),
    ],
)
def test_fault_of_a_headline_names_file_line_and_field(
    tmp_path: Path, bad: object, reason: str, field: str
) -> None:
    path = news(tmp_path, line(), bad)
    reading = read_headlines(path)
    next(reading)
    with pytest.raises(BadMessage) as caught:
        next(reading)
    assert (caught.value.reason, caught.value.path) == (reason, f"{path}:2 {field}")


def test_line_over_the_limit_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    path = news(tmp_path, line(body="x" * 3000), line(body="y" * 500), line(body="z" * 990))
    faults: list[BadMessage] = []
    read = list(read_headlines(path, largest=1000, on_bad=faults.append))
    assert [headline.body for headline in read] == ["y" * 500]
    assert [(fault.reason, fault.path) for fault in faults] == [
        ("too_large", f"{path}:1 $"),
        ("too_large", f"{path}:3 $"),
    ]


def test_default_limit_is_one_mebibyte(tmp_path: Path) -> None:
    fits = 1024 * 1024 - len(json.dumps(line(body="")))
    assert len(list(read_headlines(news(tmp_path, line(body="x" * fits))))) == 1
    with pytest.raises(BadMessage, match="at most 1048576 bytes"):
        list(read_headlines(news(tmp_path, line(body="x" * (fits + 1)))))


def test_id_comes_from_the_url_without_what_tracks_a_reader(tmp_path: Path) -> None:
    clean = "https://example.org/news?a=1&b=2"
    tracked = "HTTPS://Example.org/news?b=2&utm_source=x&a=1&fbclid=y#top"
    first, second, third = read_headlines(
        news(
            tmp_path,
            line(id=..., source="wire", url=clean),
            line(id=..., source="wire", url=tracked, title="Another"),
            line(id=..., source="wire", url="https://example.org/news?a=1&b=3"),
        )
    )
    assert first.id == second.id != third.id
    assert first.id.startswith("wire:")
    assert len(first.id) == len("wire:") + 16


def test_id_comes_from_title_and_day_where_there_is_no_url(tmp_path: Path) -> None:
    same, later = line(id=...), line(id=..., published_at="2025-11-04T11:37:00Z")
    first, second, third = read_headlines(news(tmp_path, same, same | {"title": "A  title"}, later))
    assert first.id == second.id != third.id
    assert first.id == derive_headline_id("file", url=None, title="A title", day="2025-11-03")


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.jsonl"):
        next(read_headlines(tmp_path / "none.jsonl"))


# ---- documents -----------------------------------------------------------------------------------


def test_digest_gives_one_headline_with_its_body(tmp_path: Path) -> None:
    path = tmp_path / "digest.md"
    path.write_text(
        '---\nlayout: post\ntitle: "소식 모음"\ndate: 2025-11-04 00:06:32 +0900\n---\n\n'
        "## 하나\n\n글\n"
    )
    (headline,) = read_document(path, source="digest-ko")
    assert (headline.title, headline.body) == ("소식 모음", "## 하나\n\n글")
    assert headline.published_us == us("2025-11-03T15:06:32Z")
    assert headline.id.startswith("digest-ko:")


def test_article_text_gives_title_time_and_body(tmp_path: Path) -> None:
    path = tmp_path / "article.txt"
    path.write_text("• 공유\n\n회사가 계약을 맺었다\n\n등록 2025.12.17 14:58:42\n\n본문이다.\n")
    (headline,) = read_document(path)
    assert (headline.title, headline.body) == ("회사가 계약을 맺었다", "본문이다.")
    assert headline.published_us == us("2025-12-17T05:58:42Z")


def test_english_article_has_an_iso_dateline(tmp_path: Path) -> None:
    path = tmp_path / "article.txt"
    path.write_text("A company signs\nPublished 2025-11-03T06:37:00-05:00\nThe text.\n")
    (headline,) = read_document(path)
    assert headline.published_us == us("2025-11-03T11:37:00Z")


@pytest.mark.parametrize(
    ("text", "reason", "where"),
    [
        ("A title\n\nno date here", "no_publish_time", ":1 $.published_at"),
        ("---\ntitle: t\n---\nx", "no_publish_time", ":1 $.date"),
        ("---\ntitle: t\ndate: soon\n---\nx", "bad_publish_time", ":1 $.date"),
        ("---\ndate: 2025-11-04\n---\nx", "missing_field", ":1 $.title"),
        ("---\na: [\n---\nx", "bad_value", ":1 $.front_matter"),
        ("\n등록 2025.12.17 14:58\n글", "missing_field", ":2 $.title"),
        ("제목\n등록 2025.13.17 14:58\n글", "bad_publish_time", ":2 $.date"),
    ],
)
def test_fault_of_a_document_names_its_place(
    tmp_path: Path, text: str, reason: str, where: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(BadMessage) as caught:
        next(read_document(path))
    assert (caught.value.reason, caught.value.path) == (reason, f"{path}{where}")


def test_document_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("제목\n등록 2025.12.17 14:58\n".encode() + b"\xff")
    with pytest.raises(BadMessage, match="at most 10 bytes"):
        next(read_document(path, largest=10))
    with pytest.raises(BadMessage) as caught:
        next(read_document(path))
    assert (caught.value.reason, caught.value.path) == ("invalid_utf8", f"{path}:3 $")


def test_seed_documents_are_read() -> None:
    shared = os.environ.get("TAPEWIRE_SHARED")
    if not shared:
        pytest.skip("TAPEWIRE_SHARED is not set")
    times = set()
    for path in (Path(shared) / "data" / "seeds").iterdir():
        (headline,) = read_document(path)
        assert headline.body
        times.add(headline.published_us)
    assert times == {us("2025-11-03T15:06:32Z"), us("2025-12-17T05:58:42Z")}


# ---- prices --------------------------------------------------------------------------------------


def test_trades_carry_the_benchmark_as_known_at_their_receipt(tmp_path: Path) -> None:
    path = prices(
        tmp_path,
        "time,ticker,price,volume\n"
        "2025-11-03T14:31:00Z,IREN,73.07,100\n"
        "2025-11-03T14:33:00Z,IREN,73.50,\n"
        "2025-11-03T14:29:00Z,IREN,70,\n"
        "2025-11-03T14:32:00Z,SPY,686.00,5\n"
        "2025-11-03T14:30:00Z,SPY,685.67,5\n",
    )
    read = list(read_prices(path))
    assert [sample.benchmark_price for sample in read] == [
        Decimal("685.67"),
        Decimal("686.00"),
        None,
        None,
        None,
    ]
    assert read[0] == PriceSample(
        ticker="IREN",
        kind="trade",
        event_us=Micros(us("2025-11-03T14:31:00Z")),
        received_us=Micros(us("2025-11-03T14:31:00Z")),
        source="file",
        price=Decimal("73.07"),
        volume=Decimal(100),
        day_volume=Decimal(100),
        benchmark="SPY",
        benchmark_price=Decimal("685.67"),
    )


@pytest.mark.parametrize(("bar", "minutes"), [("1m", 1), ("1h", 60)])
def test_bar_is_known_at_its_end(tmp_path: Path, bar: str, minutes: int) -> None:
    path = prices(tmp_path, "time,ticker,open,high,low,close\n2025-11-03T14:30:00Z,A,1,3,1,2\n")
    (sample,) = read_prices(path, bar=bar)  # type: ignore[arg-type]  # one of the two literals
    assert sample.event_us == us("2025-11-03T14:30:00Z")
    assert sample.end_us == sample.received_us == sample.event_us + minutes * 60_000_000
    assert sample.kind == "bar"


def test_column_end_stands_before_the_interval(tmp_path: Path) -> None:
    path = prices(
        tmp_path,
        "time,ticker,open,high,low,close,end\n"
        "2025-11-03T14:30:00Z,A,1,3,1,2,2025-11-03T14:35:00Z\n"
        "2025-11-03T14:30:00Z,B,1,3,1,2,\n",
    )
    first, second = read_prices(path, bar="1m")
    assert first.end_us == us("2025-11-03T14:35:00Z")
    assert second.end_us == us("2025-11-03T14:31:00Z")


@pytest.mark.parametrize(
    ("ticker", "time", "start", "end"),
    [
        ("IREN", "2025-10-31", "2025-10-31T13:30:00Z", "2025-10-31T20:00:00Z"),
        ("IREN", "2025-11-03", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
        ("IREN", "2025-11-03T00:00:00Z", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
        ("IREN", "2025-11-03T00:00:00-05:00", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
        ("IREN", "2025-11-03T05:00:00Z", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
        ("IREN", "2025-11-03T14:30:00Z", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
        ("IREN", "2025-11-28", "2025-11-28T14:30:00Z", "2025-11-28T18:00:00Z"),
        ("IREN", "2031-01-02", "2031-01-02T14:30:00Z", "2031-01-02T21:00:00Z"),
        ("005930.KS", "2025-01-02", "2025-01-02T01:00:00Z", "2025-01-02T06:30:00Z"),
        ("005930.KS", "2025-11-03", "2025-11-03T00:00:00Z", "2025-11-03T06:30:00Z"),
        ("005930.KS", "2025-11-02T15:00:00Z", "2025-11-03T00:00:00Z", "2025-11-03T06:30:00Z"),
        ("035900.KQ", "2025-11-03T09:00:00+09:00", "2025-11-03T00:00:00Z", "2025-11-03T06:30:00Z"),
    ],
)
def test_daily_bar_runs_over_the_session(
    tmp_path: Path, ticker: str, time: str, start: str, end: str
) -> None:
    path = prices(tmp_path, f"time,ticker,open,high,low,close\n{time},{ticker},1,3,1,2\n")
    bar, daily = read_prices(path, bar="1d")
    assert (bar.kind, daily.kind) == ("bar", "daily")
    for sample in (bar, daily):
        assert (sample.event_us, sample.end_us) == (us(start), us(end))
        assert sample.received_us == us(end)


def test_daily_record_has_the_benchmark_close_of_its_own_session(tmp_path: Path) -> None:
    path = prices(
        tmp_path,
        "time,ticker,open,high,low,close\n"
        "2025-10-31,IREN,61.80,63.18,58,60.75\n"
        "2025-11-03,IREN,73.07,75.73,64.38,67.75\n"
        "2025-10-31,005930.KS,1,3,1,2\n"
        "2025-10-31,^KS11,4000,4100,3900,4107.5\n"
        "2025-10-31,SPY,685.04,685.08,679,682.06\n",
    )
    read = {
        (sample.ticker, sample.event_us): (sample.benchmark, sample.benchmark_price)
        for sample in read_prices(path, bar="1d")
        if sample.kind == "daily"
    }
    assert read["IREN", us("2025-10-31T13:30:00Z")] == ("SPY", Decimal("682.06"))
    assert read["IREN", us("2025-11-03T14:30:00Z")] == (None, None)
    assert read["005930.KS", us("2025-10-31T00:00:00Z")] == ("^KS11", Decimal("4107.5"))


def test_later_rows_do_not_change_an_earlier_record(tmp_path: Path) -> None:
    rows = [
        f"2025-11-03T14:{minute}:00Z,{ticker},{price}.5"
        for minute in range(30, 50)
        for ticker, price in (("IREN", minute), ("SPY", 600 + minute))
    ]
    random.Random(7).shuffle(rows)
    whole = {
        (sample.ticker, sample.event_us): sample
        for sample in read_prices(prices(tmp_path, "\n".join(["time,ticker,price", *rows])))
    }
    for minute in range(30, 50):
        kept = [row for row in rows if row <= f"2025-11-03T14:{minute}:01Z"]
        for sample in read_prices(prices(tmp_path, "\n".join(["time,ticker,price", *kept]))):
            assert whole[sample.ticker, sample.event_us] == sample


_TRADE = "time,ticker,price,volume,received_at"
_BAR = "time,ticker,open,high,low,close,volume,end,kind,received_at"


@pytest.mark.parametrize(
    ("header", "row", "reason", "field"),
    [
        (_TRADE, "yesterday,A,1,,", "bad_value", "time"),
        (_TRADE, "2025-11-03T14:30:00,A,1,,", "bad_value", "time"),
        (_TRADE, "2025-11-03,A,1,,", "bad_value", "time"),
        (_TRADE, ",A,1,,", "missing_field", "time"),
        (_TRADE, "2025-11-03T14:30:00Z,,1,,", "missing_field", "ticker"),
        (_TRADE, "2025-11-03T14:30:00Z,A,,,", "missing_field", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A", "missing_field", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A,NaN,,", "bad_value", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A,0,,", "bad_value", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A,-1,,", "bad_value", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A,1e3,,", "bad_value", "price"),
        (_TRADE, "2025-11-03T14:30:00Z,A,1,many,", "bad_value", "volume"),
        (_TRADE, "2025-11-03T14:30:00Z,A,1,,soon", "bad_value", "received_at"),
        (_TRADE, f"2025-11-03T14:30:00Z,{'A' * 65},1,,", "bad_value", "ticker"),
        (_TRADE, f"2025-11-03T14:30:00Z,{'A' * 300},1,,", "bad_value", "ticker"),
        (_BAR, "2025-11-03T14:30:00Z,A,1,1,2,1,,2025-11-03T14:31:00Z,,", "bad_value", "high"),
        (_BAR, "2025-11-03T14:30:00Z,A,1,3,1,2,,2025-11-03T14:30:00Z,,", "bad_value", "end_us"),
        (_BAR, "2025-11-03T14:30:00Z,A,1,3,1,2,,,,", "missing_field", "end"),
        (_BAR, "2025-11-03T14:30:00Z,A,1,3,1,2,,2025-11-03T14:31:00Z,tick,", "bad_value", "kind"),
        (
            _BAR,
            "2025-11-03T14:30:00Z,A,1,3,1,2,,2025-11-03T14:31:00Z,,2025-11-03T14:30:30Z",
            "bad_value",
            "received_at",
        ),
    ],
)
def test_fault_of_a_price_names_file_line_and_field(
    tmp_path: Path, header: str, row: str, reason: str, field: str
) -> None:
    path = prices(tmp_path, f"{header}\n{row}\n")
    with pytest.raises(BadMessage) as caught:
        list(read_prices(path))
    assert (caught.value.reason, caught.value.path) == (reason, f"{path}:2 $.{field}")


def test_reading_goes_on_after_a_fault_with_a_hook(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(
        b"time,ticker,price\n2025-11-03T14:30:00Z,SPY,x\n2025-11-03T14:30:00Z,A\xff,1\n"
        b"2025-11-03T14:31:00Z,SPY,2\n2025-11-03T14:31:00Z,A,1\n"
    )
    faults: list[BadMessage] = []
    read = list(read_prices(path, on_bad=faults.append))
    assert [(sample.ticker, sample.benchmark_price) for sample in read] == [
        ("SPY", None),
        ("A", Decimal(2)),
    ]
    assert [fault.reason for fault in faults] == ["bad_value", "invalid_utf8"]


@pytest.mark.parametrize(
    ("text", "bar", "message"),
    [
        ("time,ticker\n", None, "no column 'open'"),
        ("", None, "no column 'time'"),
        ("time,ticker,open,high,low\n", "1m", "no column 'close'"),
        ("time,ticker,open,high,low,close\n", None, "--bar 1m|1h|1d"),
        ("time,ticker,price\n", "1m", "leave --bar out"),
        ("time,ticker,price,price\n", None, "twice"),
        ("time,ticker,price\n", "2m", "must be one of 1m, 1h, 1d"),
    ],
)
def test_header_that_cannot_be_read_is_a_usage_error(
    tmp_path: Path, text: str, bar: str | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        list(read_prices(prices(tmp_path, text), bar=bar))  # type: ignore[arg-type]  # bad on purpose
    assert message in str(caught.value)


def test_text_that_is_no_csv_names_its_line(tmp_path: Path) -> None:
    path = prices(tmp_path, 'time,ticker,price\n"' + "x" * 200_000)
    with pytest.raises(BadMessage, match="is no CSV"):
        list(read_prices(path))


def test_price_of_an_unknown_market_has_no_benchmark(tmp_path: Path) -> None:
    rows = "2025-11-03T14:30:00Z,SPY,1\n2025-11-03T14:30:00Z,X.ZZ,1\n"
    _, sample = read_prices(prices(tmp_path, f"time,ticker,price\n{rows}"))
    assert (sample.benchmark, sample.benchmark_price) == (None, None)


def test_daily_bar_of_an_unknown_market_needs_its_end(tmp_path: Path) -> None:
    path = prices(tmp_path, "time,ticker,open,high,low,close\n2025-11-03,X.ZZ,1,3,1,2\n")
    with pytest.raises(BadMessage, match="no known session"):
        list(read_prices(path, bar="1d"))


def test_session_follows_the_clocks_of_new_york() -> None:
    market = market_of("IREN")
    assert market is not None
    friday, monday = market.session(date(2025, 10, 31)), market.session(date(2025, 11, 3))
    assert friday[0] == us("2025-10-31T13:30:00Z")
    assert monday[0] == us("2025-11-03T14:30:00Z")
    assert friday[1] - friday[0] == monday[1] - monday[0] == 390 * 60_000_000


# ---- order and table -----------------------------------------------------------------------------


def _trade(ticker: str, at: int, price: str = "1") -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=Micros(at),
        received_us=Micros(at),
        source="s",
        price=Decimal(price),
    )


def _headline(name: str, at: int, revision: int = 1) -> Headline:
    return Headline(
        id=name,
        title="t",
        source="s",
        published_us=Micros(at),
        received_us=Micros(at),
        revision=revision,
    )


def test_canonical_order_is_by_receipt_topic_key_and_id() -> None:
    headlines = [_headline("b", 5), _headline("a", 5, 10), _headline("a", 5, 9), _headline("c", 1)]
    samples = [_trade("B", 5), _trade("A", 5, "2"), _trade("A", 5, "1"), _trade("Z", 4)]
    wanted = list(canonical_order(headlines, samples))
    assert [(topic, key) for topic, key, _ in wanted] == [
        (names.HEADLINES, "c"),
        (names.PRICES, "Z"),
        (names.HEADLINES, "a"),
        (names.HEADLINES, "a"),
        (names.HEADLINES, "b"),
        (names.PRICES, "A"),
        (names.PRICES, "A"),
        (names.PRICES, "B"),
    ]
    assert [message for _, key, message in wanted if key == "a"] == [headlines[2], headlines[1]]
    draw = random.Random(3)
    for _ in range(20):
        draw.shuffle(headlines)
        draw.shuffle(samples)
        assert list(canonical_order(headlines, samples)) == wanted


def test_each_suffix_has_its_source(tmp_path: Path) -> None:
    assert len(list(SOURCES[".jsonl"](news(tmp_path, line()), Options()))) == 1
    path = prices(tmp_path, "time,ticker,open,high,low,close\n2025-11-03,A,1,3,1,2\n")
    read = list(SOURCES[".csv"](path, Options(bar="1d", source="mine")))
    assert [message.source for message in read] == ["mine", "mine"]
    page = tmp_path / "page.txt"
    page.write_text("A title\nPublished 2025-11-03T11:37:00Z\nText.\n")
    assert [message.source for message in SOURCES[".txt"](page, Options())] == ["file"]


# ---- anything at all -----------------------------------------------------------------------------

_CELLS = st.sampled_from(
    (
        *("", "x", "1", "0", "NaN", "9999-12-31", "SPY", "X.ZZ", "bar", "daily", '"'),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
        *("2025-11-03T14:30:00Z", "2025-11-03T14:31:00Z"),
    )
)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_read_or_named_as_a_fault(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any"
        path.write_bytes(raw)
        faults: list[BadMessage] = []
        list(read_headlines(path, on_bad=faults.append))
        with contextlib.suppress(BadMessage):
            list(read_document(path))
        with contextlib.suppress(BadMessage, ConfigError):
            list(read_prices(path))


@given(st.lists(st.lists(_CELLS, max_size=11), max_size=4), st.sampled_from([None, "1m", "1d"]))
@settings(max_examples=50, deadline=None)
def test_any_cells_are_read_or_named_as_a_fault(
    rows: list[list[str]], bar: Literal["1m", "1d"] | None
) -> None:
    header = f"{_BAR},source"
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join([header, *(",".join(row) for row in rows)])
        faults: list[BadMessage] = []
        for sample in read_prices(prices(Path(folder), text), bar=bar, on_bad=faults.append):
            assert sample.end_us is not None
            assert sample.received_us >= sample.end_us
