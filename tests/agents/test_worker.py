"""A worker of toy agents on a broker, from its start to its end."""

import asyncio

import pytest

from streams.settings import Settings
from tests.chaos.harness import (
    WorkerProcess,
    ends,
    expected,
    fill,
    make_topics,
    toys,
)  # fmt: skip

NUMBERS = range(300)


def key(number: int) -> str:
    return f"K{number % 7}"


@pytest.fixture
def settings(embedded_broker, prefix) -> Settings:
    found = Settings(broker=embedded_broker.bootstrap, prefix=prefix, group=prefix.strip("."))
    make_topics(found)
    return found


def count(settings: Settings, name: str) -> int:
    return asyncio.run(ends(settings, name))[0]


def test_chain_of_three_counts_every_record(settings, tmp_path):
    asyncio.run(fill(settings, NUMBERS, key))
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_until_ready()
        worker.wait_for(lambda: count(settings, "toy-d.v1") >= len(NUMBERS), 30)
        assert worker.stop() == 0
    found = asyncio.run(toys(settings, "toy-d.v1"))
    assert {message.number: (message.n, message.total) for _, message in found} == expected(
        NUMBERS, key
    )
