from decimal import Decimal
from pathlib import Path

from signals.messages import Headline, Micros, PriceSample
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import decode, encode
from streams.ingest import INGESTED, Refusal, send_all, timestamp_ms
from streams.recorder import record_topics
from streams.recording import Recorded, read_recording
from streams.topic_admin import apply_topics

AT_US = Micros(1_762_169_820_123_456)


def headline(**changes: object) -> Headline:
    fields: dict[str, object] = {
        "id": "wire:1",
        "title": "A headline",
        "source": "wire",
        "published_us": AT_US,
        "received_us": AT_US + 5_000_000,
    }
    return Headline(**(fields | changes))  # type: ignore[arg-type]  # names are the fields' own


def price(**changes: object) -> PriceSample:
    fields: dict[str, object] = {
        "ticker": "IREN",
        "kind": "trade",
        "event_us": AT_US + 9_000_000,
        "received_us": AT_US + 2_000_000,
        "source": "tape",
        "price": Decimal("73.07"),
    }
    return PriceSample(**(fields | changes))  # type: ignore[arg-type]  # names are the fields' own


async def send(
    broker: Broker, prefix: str, messages: list[Headline | PriceSample], **options: int
) -> list[int | Refusal]:
    await apply_topics(broker.bootstrap, prefix)
    async with open_producer(broker.bootstrap) as producer:
        sending = send_all(
            producer, messages, prefix=prefix, clock=lambda: Micros(AT_US + 1), **options
        )
        return [answer async for answer in sending]


async def recorded(broker: Broker, prefix: str, topic: str, folder: Path) -> list[Recorded]:
    await record_topics(broker.bootstrap, prefix, [topic], folder)
    return list(read_recording(folder, topic))


async def test_a_record_has_its_key_time_and_sending(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    answers = await send(broker, prefix, [headline(), price()])

    (news,) = await recorded(broker, prefix, "news.headlines.v1", tmp_path / "news")
    (tape,) = await recorded(broker, prefix, "market.prices.v1", tmp_path / "tape")
    assert answers == [2]
    assert (news.key, news.value) == (b"wire:1", encode(headline()))
    assert (tape.key, decode(tape.value, PriceSample)) == (b"IREN", price())
    assert (news.timestamp_ms, tape.timestamp_ms) == (AT_US // 1000, AT_US // 1000 + 2000)
    assert news.headers == tape.headers == ((INGESTED, b"1762169820123457"),)


async def test_refuses_at_the_door_and_sends_the_rest(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    large = headline(id="wire:large", body="x" * 2000)

    answers = await send(broker, prefix, [headline(), large, headline(id="wire:2")], largest=1000)

    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    found = await recorded(broker, prefix, "news.headlines.v1", tmp_path)
    assert [refusal.id for refusal in refusals] == ["wire:large"]
    assert "the door takes 1000" in refusals[0].detail
    assert sorted(record.key or b"" for record in found) == [b"wire:1", b"wire:2"]


def test_timestamp_is_the_earlier_of_event_and_receipt() -> None:
    assert timestamp_ms(headline()) == AT_US // 1000
    assert timestamp_ms(headline(received_us=AT_US - 1_000_000)) == AT_US // 1000 - 1000
