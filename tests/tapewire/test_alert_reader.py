from collections.abc import Callable
from dataclasses import replace

import pytest

from signals.errors import Unavailable
from signals.messages import Alert
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import encode
from streams.topic_admin import apply_topics
from tapewire import AlertReader

Build = Callable[..., Alert]


async def send(broker: Broker, prefix: str, *values: bytes) -> None:
    async with open_producer(broker.bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(f"{prefix}alerts.v1", value=value, key=b"IREN")


async def test_reads_each_revision_once_and_passes_over_what_it_cannot_read(
    broker: Broker, prefix: str, alert: Build
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    first, second = alert(revision=1), alert(revision=2)
    other = replace(first, alert_id="al_other")
    await send(
        broker, prefix, *map(encode, (first, second)), b"{}", *map(encode, (first, second, other))
    )

    async with AlertReader(
        broker.bootstrap, prefix=prefix, from_start=True, until_idle_s=1.0
    ) as alerts:
        found = [found async for found in alerts]

    assert found == [first, second, other]


async def test_follows_what_comes_after_it_was_opened(
    broker: Broker, prefix: str, alert: Build
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    await send(broker, prefix, encode(alert(revision=1)))

    async with AlertReader(broker.bootstrap, prefix=prefix, until_idle_s=1.0) as alerts:
        await send(broker, prefix, encode(alert(revision=2)))
        found = [found.revision async for found in alerts]

    assert found == [2]


async def test_a_missing_topic_and_a_missing_broker_are_unavailable(
    broker: Broker, prefix: str
) -> None:
    with pytest.raises(Unavailable, match=r"alerts\.v1 is not there; run tapewire topics apply"):
        async with AlertReader(broker.bootstrap, prefix=prefix):
            pass
    with pytest.raises(Unavailable, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        async with AlertReader("127.0.0.1:1", prefix=prefix):
            pass


async def test_is_used_in_async_with(prefix: str) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        async for _ in AlertReader(prefix=prefix):
            pass
