"""``tapewire ingest``: headlines or prices from files, or live prices, to the topics."""

import argparse
import re
from functools import partial
from pathlib import Path

from signals.errors import ConfigError
from streams.settings import Settings
from streams.sources.headlines_file import read_headlines
from streams.sources.live import LIVE_SOURCES, YAHOO_INTERVALS, LiveOptions, open_live
from streams.sources.prices_file import INTERVALS, benchmarks_of, read_prices
from streams.topics import HEADLINES, PRICES
from tapewire.ingesting import Read, Report, ingest_files, ingest_live
from tapewire.running import add_broker_arguments, run_quietly, settings_of

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Headlines are JSON lines: title, published_at (ISO 8601 with an offset), and optionally id, body,
lang, source, url, received_at (default: the publish time). Prices are CSV with a header, or Parquet
(.parquet, .pq): time,ticker,price[,volume] or bars time,ticker,open,high,low,close[,volume] with
--bar or a column end, or Yahoo's Date,Open,… with the ticker as the file's name. A line that cannot
be read, or that is over 1 MiB, is refused with the reason; the others are sent, and the exit code
is then 1.

What was cut off goes on when the same command is given again: what the topic has already is not
sent twice, unless --again is given. Live prices run until Ctrl-C.

examples:
  tapewire ingest headlines news.jsonl
  tapewire ingest prices --bar 1m nasdaq.csv nyse.parquet --broker 127.0.0.1:9092
  tapewire ingest prices --yahoo IREN,DELL,005930.KS --interval 1m
  tapewire ingest prices --yahoo-stream IREN,DELL
"""

_INTERRUPTED = 130
_POLL = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(s|m)?", re.ASCII)
_TICKER = re.compile(r"[^\s,]{1,64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two kinds of input, each with its files."""
    kinds = parser.add_subparsers(dest="kind", metavar="headlines|prices", required=True)
    headlines = kinds.add_parser("headlines", help="JSON lines to news.headlines.v1")
    headlines.add_argument("files", nargs="+", type=Path, metavar="FILE")
    prices = kinds.add_parser("prices", help="CSV, Parquet or Yahoo to market.prices.v1")
    prices.add_argument("files", nargs="*", type=Path, metavar="FILE")
    prices.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    prices.add_argument(
        "--yahoo", metavar="TICKERS", help="bars from Yahoo, asked for again and again"
    )
    prices.add_argument("--yahoo-stream", metavar="TICKERS", help="live prices from Yahoo's stream")
    prices.add_argument(
        "--interval", choices=YAHOO_INTERVALS, help="how long Yahoo's bars are (default: 1m)"
    )
    prices.add_argument(
        "--poll", metavar="60s", help="between two rounds of --yahoo (default: by the interval)"
    )
    for kind in (headlines, prices):
        kind.add_argument(
            "--again", action="store_true", help="send also what the topic has already"
        )
        kind.add_argument("--json", action="store_true", help="the last line as JSON")
        add_broker_arguments(kind)


def run(arguments: argparse.Namespace) -> int:
    """Send what is named; return 1 if anything of a file was refused, 130 if it was stopped."""
    settings = settings_of(arguments)
    report = Report(arguments.kind)
    if arguments.kind == "headlines":
        read: Read = partial(read_headlines, on_bad=report.refuse)
        return _run_files(settings, HEADLINES.name, arguments, read=read, report=report)
    live = _live(arguments)
    if live is not None:
        return _run_live(settings, live, arguments, report=report)
    chosen = settings.benchmarks_by_market
    read = partial(
        read_prices,
        bar=arguments.bar,
        on_bad=report.refuse,
        benchmarks=chosen,
        known=benchmarks_of(arguments.files, bar=arguments.bar, benchmarks=chosen),
    )
    return _run_files(settings, PRICES.name, arguments, read=read, report=report)


def _run_files(
    settings: Settings, topic: str, arguments: argparse.Namespace, *, read: Read, report: Report
) -> int:
    is_complete = False
    try:
        is_complete = run_quietly(
            ingest_files(
                settings, topic, arguments.files, read, again=arguments.again, report=report
            )
        )
    finally:
        # Also after a fault: what was acknowledged until then is there.
        report.end(as_json=arguments.json, is_complete=is_complete)
    if not is_complete:
        return _INTERRUPTED
    return 1 if report.tally.refused else 0


def _run_live(
    settings: Settings, live: tuple[str, str], arguments: argparse.Namespace, *, report: Report
) -> int:
    kind, tickers = live
    options = LiveOptions(
        tickers=_tickers(kind, tickers),
        on_fault=report.refuse,
        interval=arguments.interval or "1m",
        poll_s=_poll_s(arguments.poll),
        benchmarks=settings.benchmarks_by_market,
    )
    source = open_live(kind, options)
    is_complete = False
    try:
        run_quietly(
            ingest_live(settings, PRICES.name, source, again=arguments.again, report=report)
        )
        is_complete = True
    finally:
        report.end(as_json=arguments.json, is_complete=is_complete)
    return 0


def _live(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """Return the live source that is asked for and its tickers, None where files are named.

    Raises: ConfigError for none or several of them, or for an argument that has no use with it.
    """
    asked = [
        (name, tickers)
        for name in LIVE_SOURCES
        if (tickers := getattr(arguments, name.replace("-", "_"))) is not None
    ]
    if len(asked) + bool(arguments.files) != 1:
        raise ConfigError(
            "tapewire ingest prices takes files, or --yahoo TICKERS, or --yahoo-stream TICKERS; "
            "name one of the three"
        )
    name = asked[0][0] if asked else "files"
    for argument, needs in (("bar", "files"), ("interval", "yahoo"), ("poll", "yahoo")):
        if getattr(arguments, argument) is not None and name != needs:
            wanted = "files" if needs == "files" else f"--{needs}"
            raise ConfigError(f"--{argument} goes with {wanted} only; leave it out")
    return asked[0] if asked else None


def _tickers(name: str, text: str) -> tuple[str, ...]:
    tickers = tuple(ticker.strip() for ticker in text.split(","))
    for ticker in tickers:
        if not _TICKER.fullmatch(ticker):
            raise ConfigError(
                f"--{name} must be tickers with commas between, was {text!r:.80}; "
                f"write it like --{name} IREN,DELL"
            )
    return tickers


def _poll_s(text: str | None) -> float | None:
    if text is None:
        return None
    found = _POLL.fullmatch(text)
    seconds = float(found[1]) * (60 if found[2] == "m" else 1) if found else 0.0
    if seconds < 1:
        raise ConfigError(f"--poll must be 1s or more, was {text!r:.40}; write it like 60s or 2m")
    return seconds
