"""A worker of toy agents, in a process of its own: python tests/chaos/worker.py

Settings come from TAPEWIRE_* variables; TOY_FAIL_AFTER makes the output after so many fail.
"""

import asyncio
import logging
import os
import sys

from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from agents.links import connect
from agents.worker import run_worker
from signals.errors import ConfigError
from streams.settings import Settings
from tests.agents.toys import CHAIN, TOYS


class FailingProducer:
    """A producer whose send fails once, in the middle of a batch."""

    def __init__(self, producer, fail_after):
        self._producer = producer
        self._left = fail_after

    def __getattr__(self, name):
        return getattr(self._producer, name)

    async def send(self, topic, value, **more):
        self._left -= 1
        if self._left == 0:
            failed = asyncio.get_running_loop().create_future()
            failed.set_exception(KafkaError("the send that the test lets fail"))
            return failed
        return await self._producer.send(topic, value, **more)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings.from_env(os.environ)
    fail_after = int(os.environ.get("TOY_FAIL_AFTER", "0"))

    def producers():
        outputs, rows = connect(settings.broker, settings.worker)
        return (FailingProducer(outputs, fail_after) if fail_after else outputs), rows

    try:
        return run_worker(
            settings,
            CHAIN,
            CollectorRegistry(),
            topics=TOYS,
            producers=producers,
            on_serving=lambda port: print(f"PORT {port}", flush=True),
        )
    except ConfigError as error:
        print(f"ConfigError: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
