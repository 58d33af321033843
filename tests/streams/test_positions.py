"""A second run of a source sends what the topic does not hold, on both brokers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain

import pytest

from signals.errors import ConfigError
from signals.messages import Headline, Micros, PriceSample
from streams.brokers import Broker
from streams.clients import open_consumer, open_producer, partitions_of, read_to_end
from streams.codec import decode
from streams.ingest import Outbox, Refusal, Tally, send_all
from streams.positions import (
    POSITION,
    SOURCE,
    FilePositions,
    file_source,
    newest_moments,
    partition_of,
)
from streams.topic_admin import apply_topics
from streams.topics import HEADLINES, PRICES

START_US = Micros(1_762_180_200_000_000)
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
PARTITIONS = 3


def trade(number: int, *, ticker: str | None = None, at_us: int | None = None) -> PriceSample:
    moment = Micros(START_US + number * MINUTE_US if at_us is None else at_us)
    return PriceSample(
        ticker=ticker or f"T{number % 7}",
        kind="trade",
        event_us=moment,
        received_us=moment,
        source="file",
        price=Decimal(1000 + number),
    )


def headline(number: int) -> Headline:
    moment = Micros(START_US + number * MINUTE_US)
    return Headline(
        id=f"w:{number}", title="t", source="w", published_us=moment, received_us=moment
    )


@pytest.fixture
async def topic(broker: Broker, prefix: str) -> str:
    await apply_topics(broker.bootstrap, prefix, partitions=PARTITIONS)
    return f"{prefix}{PRICES.name}"


async def send(
    broker: Broker,
    topic: str,
    messages: Sequence[PriceSample] | Sequence[Headline],
    *,
    name: str = "prices.csv",
    again: bool = False,
    cut_off: int | None = None,
    largest: int = 1_000_000,
) -> Tally:
    """Send messages as a file, of which ``cut_off`` are tried at most."""
    tally = Tally()
    partitions = await partitions_of(broker.bootstrap, [topic])
    source = file_source(name, messages[0])
    refused: list[Refusal] = []
    async with (
        open_consumer(broker.bootstrap) as consumer,
        open_producer(broker.bootstrap, idempotent=True) as producer,
    ):
        outbox = Outbox(
            producer,
            topic,
            partitions=len(partitions),
            tally=tally,
            refuse=refused.append,
            largest=largest,
        )
        held = None if again else FilePositions(consumer, partitions, source)
        if cut_off is None:
            async for _ in outbox.send_file(source, messages, held):
                pass
        else:
            for position, message in enumerate(messages[:cut_off], start=1):
                if held is None or not await held.holds(message, position):
                    await outbox._send(source, position, message)  # a run that is cut off
        await outbox.flush()
    assert tally.refused == len(refused)
    return tally


async def held_in(broker: Broker, topic: str) -> dict[str, list[Decimal | None]]:
    """Return the prices of each ticker, in the order of the log."""
    found: dict[str, list[Decimal | None]] = defaultdict(list)
    async with open_consumer(broker.bootstrap) as consumer:
        async for record in read_to_end(consumer, await partitions_of(broker.bootstrap, [topic])):
            sample: PriceSample = decode(record.value, PriceSample)
            found[sample.ticker].append(sample.price)
    return found


def prices_of(messages: Sequence[PriceSample]) -> dict[str, list[Decimal | None]]:
    found: dict[str, list[Decimal | None]] = defaultdict(list)
    for message in messages:
        found[message.ticker].append(message.price)
    return found


# ---- files ---------------------------------------------------------------------------------------


async def test_second_run_sends_nothing(broker: Broker, topic: str) -> None:
    messages = [trade(number) for number in range(1500)]
    first = await send(broker, topic, messages)
    second = await send(broker, topic, messages)
    assert (first.sent, first.held) == (1500, 0)
    assert (second.sent, second.held) == (0, 1500)
    assert (first.first_us, first.last_us) == (START_US, START_US + 1499 * MINUTE_US)
    assert second.first_us is None
    assert second.at_us == START_US + 1499 * MINUTE_US
    assert await held_in(broker, topic) == prices_of(messages)


async def test_run_goes_on_where_the_last_one_was_cut_off(broker: Broker, topic: str) -> None:
    messages = [trade(number) for number in range(900)]
    for cut_off in (1, 2, 350, 351, 777):
        await send(broker, topic, messages, cut_off=cut_off)
    last = await send(broker, topic, messages)
    assert (last.sent, last.held) == (123, 777)
    assert await held_in(broker, topic) == prices_of(messages)


async def test_partitions_that_are_behind_are_filled_each_from_its_own(
    broker: Broker, topic: str
) -> None:
    messages = [trade(number) for number in range(300)]
    source = file_source("prices.csv", messages[0])
    # What a killed producer leaves: partition 0 has 40 messages, the others all of the first 200.
    async with open_producer(broker.bootstrap) as producer:
        outbox = Outbox(
            producer, topic, partitions=PARTITIONS, tally=Tally(), refuse=lambda _: None
        )
        for position, message in enumerate(messages[:200], start=1):
            if position <= 40 or partition_of(message.ticker.encode(), PARTITIONS) != 0:
                await outbox._send(source, position, message)
        await outbox.flush()

    await send(broker, topic, messages)

    assert await held_in(broker, topic) == prices_of(messages)


async def test_file_that_has_grown_sends_what_is_new(broker: Broker, topic: str) -> None:
    messages = [trade(number) for number in range(40)]
    await send(broker, topic, messages[:30])
    grown = await send(broker, topic, messages)
    assert (grown.sent, grown.held) == (10, 30)


async def test_other_records_between_do_not_hide_the_last_one(broker: Broker, topic: str) -> None:
    messages = [trade(number) for number in range(20)]
    others = [trade(number, at_us=START_US + DAY_US) for number in range(3000)]
    await send(broker, topic, messages)
    await send(broker, topic, others, name="others.csv")
    async with open_producer(broker.bootstrap) as producer:  # and some without a position
        prefix = topic.removesuffix(PRICES.name)
        async for _ in send_all(producer, others[:500], prefix=prefix):
            pass
    assert (await send(broker, topic, messages)).sent == 0
    assert (await send(broker, topic, others, name="others.csv")).sent == 0


async def test_another_day_under_the_same_name_is_another_file(broker: Broker, topic: str) -> None:
    monday = [trade(number) for number in range(10)]
    tuesday = [trade(number, at_us=START_US + DAY_US + number) for number in range(10)]
    await send(broker, topic, monday)
    assert (await send(broker, topic, tuesday)).sent == 10


async def test_file_that_goes_far_back_in_time_is_found_whole(broker: Broker, topic: str) -> None:
    # By ticker, as downloads are: the first day of each lies years before the last of the one
    # before; and a file that runs backwards.
    by_ticker = [
        trade(0, ticker=f"K{ticker}", at_us=START_US + day * DAY_US - ticker * 900 * DAY_US)
        for ticker in range(5)
        for day in range(100)
    ]
    backwards = [trade(number, at_us=START_US - number * DAY_US) for number in range(50)]
    await send(broker, topic, by_ticker)
    await send(broker, topic, backwards, name="backwards.csv")
    assert (await send(broker, topic, by_ticker)).sent == 0
    assert (await send(broker, topic, backwards, name="backwards.csv")).sent == 0


async def test_file_that_has_changed_is_refused_not_guessed(
    embedded_broker: Broker, prefix: str
) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=PARTITIONS)
    topic = f"{prefix}{PRICES.name}"
    messages = [trade(number) for number in range(30)]
    await send(embedded_broker, topic, messages)
    inserted = [messages[0], trade(500, ticker="T1"), *messages[1:]]
    for changed in (inserted, messages[:5]):
        with pytest.raises(ConfigError, match=r"has changed since it was sent.*--again"):
            await send(embedded_broker, topic, changed)
    assert (await send(embedded_broker, topic, inserted, again=True)).sent == 31


async def test_new_stamps_do_not_make_another_file(embedded_broker: Broker, prefix: str) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=PARTITIONS)
    topic = f"{prefix}{PRICES.name}"
    messages = [trade(number) for number in range(30)]
    await send(embedded_broker, topic, messages)
    stamped = [
        replace(message, benchmark="QQQ", benchmark_price=Decimal(600), day_volume=Decimal(5))
        for message in messages
    ]
    assert (await send(embedded_broker, topic, stamped)).held == 30


def test_same_rows_read_as_longer_bars_are_another_source() -> None:
    def bar(minutes: int) -> PriceSample:
        end_us = Micros(START_US + minutes * MINUTE_US)
        prices = dict.fromkeys(("open", "high", "low", "close"), Decimal(5))
        return PriceSample(
            ticker="A",
            kind="bar",
            event_us=START_US,
            end_us=end_us,
            received_us=end_us,
            source="file",
            **prices,  # type: ignore[arg-type]  # four of the fields
        )

    assert file_source("a.csv", bar(1)) == file_source("a.csv", bar(1))
    assert file_source("a.csv", bar(1)) != file_source("a.csv", bar(60))


async def test_headlines_go_on_likewise(embedded_broker: Broker, prefix: str) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=PARTITIONS)
    topic = f"{prefix}{HEADLINES.name}"
    messages = [headline(number) for number in range(40)]
    await send(embedded_broker, topic, messages, cut_off=15)
    tally = await send(embedded_broker, topic, messages)
    assert (tally.sent, tally.held) == (25, 15)


async def test_message_that_is_too_large_is_refused_each_time(
    embedded_broker: Broker, prefix: str
) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=PARTITIONS)
    topic = f"{prefix}{HEADLINES.name}"
    messages = [headline(0), replace(headline(1), body="x" * 2000), headline(2)]
    for sent in (2, 0):
        tally = await send(embedded_broker, topic, messages, largest=1000)
        assert (tally.sent, tally.refused) == (sent, 1)


# ---- live sources --------------------------------------------------------------------------------


async def test_newest_moment_of_a_live_source_is_its_own_by_ticker(
    broker: Broker, topic: str
) -> None:
    partitions = await partitions_of(broker.bootstrap, [topic])
    bar = PriceSample(
        ticker="IREN",
        kind="bar",
        event_us=START_US,
        end_us=Micros(START_US + MINUTE_US),
        received_us=Micros(START_US + 2 * MINUTE_US),
        source="yahoo-bars",
        open=Decimal(1),
        high=Decimal(2),
        low=Decimal(1),
        close=Decimal(2),
    )
    old = trade(0, ticker="OLD", at_us=START_US - 30 * DAY_US)
    async with (
        open_consumer(broker.bootstrap) as consumer,
        open_producer(broker.bootstrap, idempotent=True) as producer,
    ):
        outbox = Outbox(
            producer, topic, partitions=PARTITIONS, tally=Tally(), refuse=lambda _: None
        )
        await outbox.send_live("live:1m", old)
        await outbox.flush()
        for name, sample in chain(
            [("live:1m", trade(1, ticker="DELL")), ("live:1m", bar)],
            [("live:5m", trade(90, ticker="IREN")), ("live:5m", trade(90, ticker="SPY"))],
            [("live:1m", trade(-2, ticker="DELL"))],  # a late one
        ):
            await outbox.send_live(name, sample)
        await outbox.flush()
        newest, nothing = [
            await newest_moments(
                consumer,
                partitions,
                "live:1m",
                tickers=("IREN", "DELL", "OLD", "NEW"),
                since_ms=(START_US + days * DAY_US) // 1000,
            )
            for days in (-1, 900)
        ]
    assert newest == {"DELL": START_US + MINUTE_US, "IREN": START_US + MINUTE_US}
    assert nothing == {}


async def test_quiet_ticker_is_found_behind_many_records_of_others(
    embedded_broker: Broker, prefix: str
) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=1)
    topic = f"{prefix}{PRICES.name}"
    await send(embedded_broker, topic, [trade(number) for number in range(700)], name="before")
    partitions = await partitions_of(embedded_broker.bootstrap, [topic])
    async with (
        open_consumer(embedded_broker.bootstrap) as consumer,
        open_producer(embedded_broker.bootstrap, idempotent=True) as producer,
    ):
        outbox = Outbox(producer, topic, partitions=1, tally=Tally(), refuse=lambda _: None)
        for number in range(3000):
            await outbox.send_live("live", trade(number, ticker="QUIET" if number == 5 else "LOUD"))
        await outbox.flush()
        newest = await newest_moments(
            consumer, partitions, "live", tickers=("LOUD", "QUIET"), since_ms=START_US // 1000
        )
    assert newest == {"LOUD": START_US + 2999 * MINUTE_US, "QUIET": START_US + 5 * MINUTE_US}


async def test_records_say_where_they_come_from(embedded_broker: Broker, prefix: str) -> None:
    await apply_topics(embedded_broker.bootstrap, prefix, partitions=PARTITIONS)
    topic = f"{prefix}{PRICES.name}"
    messages = [trade(0), trade(1)]
    await send(embedded_broker, topic, messages)
    found = []
    async with open_consumer(embedded_broker.bootstrap) as consumer:
        at = await partitions_of(embedded_broker.bootstrap, [topic])
        async for record in read_to_end(consumer, at):
            headers = dict(record.headers)
            found.append((headers[SOURCE].decode(), headers[POSITION]))
    source = file_source("prices.csv", messages[0])
    assert source.startswith("file:prices.csv#")
    assert sorted(found) == [(source, b"1"), (source, b"2")]


def test_partition_is_the_one_of_every_kafka_client() -> None:
    # Of the Java client: murmur2 of "foobar" is -790332482, of "21" -973932308.
    assert partition_of(b"foobar", 1000) == (-790332482 & 0x7FFFFFFF) % 1000
    assert partition_of(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12
