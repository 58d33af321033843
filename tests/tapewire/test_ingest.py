"""The verb that sends sources to topics: its arguments, live sources, and the last line."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from signals.errors import BadMessage, Unavailable
from signals.messages import Micros, PriceSample
from streams.brokers import Broker
from streams.clients import open_consumer, partitions_of, read_to_end
from streams.clock import now_us
from streams.codec import decode
from streams.sources import live, yahoo_bars
from streams.sources.live import LiveOptions
from streams.topics import PRICES
from tapewire.cli import main

MINUTE_US = 60_000_000


def address(broker: Broker, prefix: str) -> list[str]:
    return ["--broker", broker.bootstrap, "--prefix", prefix]


def trade(ticker: str, at_us: int) -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind="trade",
        event_us=Micros(at_us),
        received_us=Micros(at_us),
        source="fake",
        price=Decimal(5),
    )


class Provider:
    """Has a trade a minute of each ticker up to now; then does what it is told, or waits."""

    name = "fake"

    def __init__(self, options: LiveOptions, then: Callable[[], None]) -> None:
        self.options = options
        self.after: Mapping[str, Micros] = {}
        self._then = then
        now = now_us()
        self.trades = [
            trade(ticker, now - minute * MINUTE_US)
            for minute in range(30, 0, -1)
            for ticker in options.tickers
        ]

    async def samples(self, after: Mapping[str, Micros]) -> AsyncIterator[PriceSample]:
        self.after = after
        for sample in self.trades:
            if sample.event_us > after.get(sample.ticker, 0):
                yield sample
        self._then()
        await asyncio.Event().wait()


@pytest.fixture
def topics(embedded_broker: Broker, prefix: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["topics", "apply", *address(embedded_broker, prefix)]) == 0
    capsys.readouterr()
    return prefix


def provide(monkeypatch: pytest.MonkeyPatch, then: Callable[[LiveOptions], None]) -> list[Provider]:
    """Put providers in Yahoo's place; return those that the verb makes."""
    made: list[Provider] = []

    def make(options: LiveOptions) -> Provider:
        made.append(Provider(options, lambda: then(options)))
        return made[-1]

    monkeypatch.setitem(live.LIVE_SOURCES, "yahoo", make)  # type: ignore[arg-type]  # it is a dict
    return made


def stop(_: LiveOptions) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def held_in(broker: Broker, prefix: str) -> list[PriceSample]:
    found: list[PriceSample] = []
    async with open_consumer(broker.bootstrap) as consumer:
        at = await partitions_of(broker.bootstrap, [f"{prefix}{PRICES.name}"])
        async for record in read_to_end(consumer, at):
            found.append(decode(record.value, PriceSample))
    return found


def test_live_source_runs_until_a_signal_and_goes_on_after_what_is_held(
    embedded_broker: Broker,
    topics: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = provide(monkeypatch, stop)
    command = ["ingest", "prices", "--yahoo", "IREN, DELL", *address(embedded_broker, topics)]

    assert main(command) == 0
    first = capsys.readouterr()
    assert main([*command, "--json", "--poll", "2m"]) == 0
    second = json.loads(capsys.readouterr().out)

    held = asyncio.run(held_in(embedded_broker, topics))
    assert first.out.startswith("sent 60 prices, refused 0, already there 0, in ")
    assert first.err == ""
    assert made[0].after == {}
    newest = {sample.ticker: sample.event_us for sample in made[0].trades}
    assert made[1].after == newest
    assert made[1].options.poll_s == 120
    # The second provider's minutes lie a moment later: one of each ticker is new.
    assert (second["sent"], second["complete"]) == (len(held) - 60, True)
    assert len({(sample.ticker, sample.event_us) for sample in held}) == len(held)


def test_bars_of_another_length_begin_anew(
    embedded_broker: Broker, topics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = provide(monkeypatch, stop)
    command = ["ingest", "prices", "--yahoo", "IREN", *address(embedded_broker, topics)]

    for interval in ("1m", "5m", "5m"):
        assert main([*command, "--interval", interval]) == 0

    assert [bool(each.after) for each in made] == [False, False, True]
    assert main([*command, "--again"]) == 0
    assert made[-1].after == {}


def test_a_topic_is_searched_further_back_than_yahoo_is_asked() -> None:
    for interval, backlog_us in yahoo_bars._BACKLOG_US.items():
        options = LiveOptions(tickers=("IREN",), on_fault=lambda _: None, interval=interval)
        assert live.open_live("yahoo", options).look_back_us > backlog_us


def test_chosen_benchmarks_reach_the_source(
    embedded_broker: Broker, topics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPEWIRE_BENCHMARKS", "XNAS=QQQ")
    (made := provide(monkeypatch, stop)).clear()
    command = ["ingest", "prices", "--yahoo", "IREN", *address(embedded_broker, topics)]

    assert main(command) == 0

    assert made[0].options.benchmarks["XNAS"] == "QQQ"


def test_fault_that_a_source_gets_over_is_told_and_one_that_it_does_not_ends_it(
    embedded_broker: Broker,
    topics: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(options: LiveOptions) -> None:
        options.on_fault(Unavailable("Yahoo said 429; asking again in 5 s"))
        options.on_fault(BadMessage("bad_value", "IREN $.close", "must be a price, was nan"))
        raise Unavailable("Yahoo is gone for good")

    provide(monkeypatch, fail)
    command = ["ingest", "prices", "--yahoo", "IREN", *address(embedded_broker, topics)]

    assert main(command) == 1

    told = capsys.readouterr()
    assert "429; asking again in 5 s" in told.err
    assert "refused: IREN $.close: must be a price, was nan\n" in told.err
    assert told.err.endswith("tapewire: Yahoo is gone for good\n")
    assert told.out.startswith("sent 30 prices, refused 1, already there 0, in ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name one of the three"),
        (["a.csv", "--yahoo", "IREN"], "name one of the three"),
        (["--yahoo", "IREN", "--yahoo-stream", "IREN"], "name one of the three"),
        (["--yahoo", "IREN,,DELL"], "write it like --yahoo IREN,DELL"),
        (["--yahoo-stream", "IREN DELL"], "write it like --yahoo-stream IREN,DELL"),
        (["--yahoo", "IREN", "--bar", "1m"], "--bar goes with files only"),
        (["a.csv", "--interval", "1m"], "--interval goes with --yahoo only"),
        (["--yahoo-stream", "IREN", "--poll", "5s"], "--poll goes with --yahoo only"),
        (["--yahoo", "IREN", "--poll", "soon"], "write it like 60s or 2m"),
        (["--yahoo", "IREN", "--poll", "0.5"], "--poll must be 1s or more"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "prices", *words]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_last_line_of_a_file_is_json_where_asked(
    embedded_broker: Broker, topics: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "time,ticker,price\n2025-11-03T14:31:00Z,A,1\n2025-11-03T14:30:00Z,B,0\n"
        "2025-11-03T14:30:30Z,B,2\n"
    )
    command = ["ingest", "prices", str(path), "--json", *address(embedded_broker, topics)]

    assert [main(command), main(command)] == [1, 1]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["sent"], line["refused"], line["already_there"]) for line in lines] == [
        (2, 1, 0),
        (0, 1, 2),
    ]
    assert lines[0]["first_event"] == "2025-11-03T14:30:30Z"
    assert lines[0]["last_event"] == "2025-11-03T14:31:00Z"
    assert lines[1]["first_event"] is None


def test_file_named_twice_is_sent_once(
    embedded_broker: Broker, topics: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("time,ticker,price\n2025-11-03T14:31:00Z,A,1\n")

    assert main(["ingest", "prices", str(path), str(path), *address(embedded_broker, topics)]) == 0

    assert capsys.readouterr().out.startswith("sent 1 prices, refused 0, already there 1, in ")
