"""Brokers behind one small port: the embedded one, and Apache Kafka on the local JVM.

    with start_broker("embedded", folder) as broker:
        …  # broker.bootstrap is 127.0.0.1:PORT

No broker outlives the process that started it, whichever way that process ends.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from signals.errors import ConfigError
from streams.brokers import embedded, kafka
from streams.brokers.jars import kafka_available

__all__ = ["BROKERS", "Broker", "kafka_available", "start_broker"]


class Broker(Protocol):
    """A running broker; leaving its context stops it."""

    @property
    def name(self) -> str:
        """Return the broker's name in ``BROKERS``."""

    @property
    def bootstrap(self) -> str:
        """Return the address for clients, ``127.0.0.1:PORT``."""

    @property
    def log(self) -> Path:
        """Return the file that the broker's output goes to."""

    def is_alive(self) -> bool:
        """Return whether the broker's process runs."""

    def stop(self) -> None:
        """End the broker in good order; its data stay. Harmless when repeated."""

    def kill(self) -> None:
        """End the broker at once. What it has not saved is lost: for a folder that goes too."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Starter(Protocol):
    """Starts one kind of broker."""

    def __call__(self, folder: Path, *, port: int, timeout_s: float) -> Broker:
        """Return the broker once it answers."""


BROKERS: Mapping[str, Starter] = {"embedded": embedded.start, "kafka": kafka.start}


def start_broker(name: str, folder: Path, *, port: int = 0, timeout_s: float = 60.0) -> Broker:
    """Start a broker and return it once it answers a request for metadata.

    Args:
        name: ``embedded`` or ``kafka``.
        folder: the broker's own, made if missing: data and log. A later start in the same folder
            finds the data again.
        port: 0 for a free one.
        timeout_s: how long the broker may take; the one-time download of Kafka is not counted.

    Raises:
        ConfigError: the name is not known, or what the broker needs is not installed.
        Unavailable: it did not come up; the message ends with the end of its log.
    """
    if name not in BROKERS:
        choices = " or ".join(sorted(BROKERS))
        raise ConfigError(f"there is no broker {name!r}; choose {choices}")
    folder.mkdir(parents=True, exist_ok=True)
    return BROKERS[name](folder, port=port, timeout_s=timeout_s)
