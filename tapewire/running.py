"""What verbs that talk to a broker share: settings, a quiet event loop, progress on stderr."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from streams.clock import monotonic_s
from streams.settings import Settings

__all__ = [
    "Progress",
    "add_broker_arguments",
    "run_quietly",
    "settings_of",
    "silence_clients",
    "stop_signals",
]

_Result = TypeVar("_Result")
_TERMINAL_S, _LOG_S = 0.2, 5.0


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address of a broker and the prefix of its topics; the environment has the rest."""
    parser.add_argument(
        "--broker",
        metavar="HOST:PORT",
        help="the Kafka broker (default: TAPEWIRE_BROKER, else 127.0.0.1:9092)",
    )
    parser.add_argument(
        "--prefix",
        help="what stands before every topic name (default: TAPEWIRE_PREFIX, else tapewire.)",
    )


def settings_of(arguments: argparse.Namespace, **overrides: object) -> Settings:
    """Return the settings of the environment, with what the arguments say instead.

    Raises: ConfigError for a variable or a value that makes no sense.
    """
    named = {"broker": arguments.broker, "prefix": arguments.prefix}
    return Settings.from_env(os.environ, **(named | overrides))


def run_quietly(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end without the client library's own log: its faults come as our errors."""
    silence_clients()
    return asyncio.run(work)


def silence_clients() -> None:
    """Keep the client library's own log off stderr."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Yield an event that SIGINT or SIGTERM sets; a second one ends the process."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    handled = (signal.SIGINT, signal.SIGTERM)

    def restore() -> None:
        for number in handled:
            loop.remove_signal_handler(number)

    def ask() -> None:
        stop.set()
        restore()

    for number in handled:
        loop.add_signal_handler(number, ask)
    try:
        yield stop
    finally:
        restore()


class Progress:
    """A line on stderr that says how far long work has come.

    On a terminal it is rewritten in place; elsewhere a line comes every five seconds.
    """

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._next_s = monotonic_s() + (_TERMINAL_S if self._is_terminal else _LOG_S)
        self._is_open = False

    def say(self, text: str) -> None:
        """Show the text, unless another was shown a moment ago."""
        now_s = monotonic_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (_TERMINAL_S if self._is_terminal else _LOG_S)
        end = "" if self._is_terminal else "\n"
        start = "\r\x1b[K" if self._is_terminal else ""
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)
        self._is_open = self._is_terminal

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._is_open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_open = False
