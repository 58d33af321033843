"""A child process that never outlives its starter, and the wait until a broker answers."""

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from signals.errors import Unavailable
from streams.brokers.supervisor import GRACE_S
from streams.clock import monotonic_s

__all__ = ["BrokerProcess", "Supervised", "free_port", "start_until_ready"]

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_LOG_LINES = 20
_POLL_S = 0.05
_FOLDER_WAIT_S = 10.0
_PORT_ATTEMPTS = 4
# What Java and noida-db say, each in its own sentence, when another process holds the port.
_PORT_TAKEN = "already in use"


class Supervised:
    """A command under ``supervisor.py``; its output is appended to ``log``.

    The log is locked while the command or its supervisor runs, whatever became of the starter: a
    second broker in one folder would spoil the data of the first.

    Raises: Unavailable when another one still runs with this log.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            _lock(output, log.parent)
            self._log_start = output.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISOR), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Return whether the command still runs."""
        return self._process.poll() is None

    def wait(self, timeout_s: float) -> int:
        """Return the command's exit code.

        Raises: subprocess.TimeoutExpired when it still runs after ``timeout_s``.
        """
        return self._process.wait(timeout_s)

    def output(self) -> str:
        """Return what the command has written since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def last_lines(self) -> str:
        """Return the end of the output, for an error message."""
        return "\n".join(self.output().splitlines()[-_LOG_LINES:]) or "(it wrote nothing)"

    def stop(self) -> None:
        """End the command and all that it started; return when they are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self.is_alive():
            self._process.terminate()
            try:
                self._process.wait(GRACE_S + 5)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the command and all that it started without asking."""
        if self.is_alive():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _lock(output: BinaryIO, folder: Path) -> None:
    # The lock belongs to the open file, which the command keeps as its standard output. The broker
    # of a killed program needs a moment to save and go.
    deadline_s = monotonic_s() + _FOLDER_WAIT_S
    while True:
        try:
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if monotonic_s() > deadline_s:
                raise Unavailable(
                    f"another broker runs in {folder}; stop it, or choose another folder"
                ) from error
            time.sleep(_POLL_S)
        else:
            return


class BrokerProcess:
    """A broker that answers on ``bootstrap``; leaving its context ends it.

    Attributes:
        name: embedded or kafka.
        bootstrap: ``127.0.0.1:PORT``.
        log: the file that the broker's output goes to.
    """

    def __init__(self, name: str, port: int, process: Supervised) -> None:
        self.name = name
        self.bootstrap = f"127.0.0.1:{port}"
        self.log = process.log
        self._process = process

    def is_alive(self) -> bool:
        """Return whether the broker's process runs."""
        return self._process.is_alive()

    def stop(self) -> None:
        """End the broker in good order; its data stay in the folder. Harmless when repeated."""
        self._process.stop()

    def kill(self) -> None:
        """End the broker at once. What it has not saved is lost: for a folder that goes too."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """Return a loopback port that nobody held a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_until_ready(
    name: str,
    command_on: Callable[[int], Sequence[str]],
    *,
    folder: Path,
    port: int,
    ready_text: str,
    timeout_s: float,
) -> BrokerProcess:
    """Start a broker and return it once it answers a request for metadata.

    Args:
        name: the broker's name in ``BROKERS``.
        command_on: gives the command that listens on a port.
        folder: where ``broker.log`` goes.
        port: 0 for a free one; another one is chosen if somebody takes it before the broker does.
        ready_text: what the broker writes when it listens; without it the one that answers on the
            port may be another broker that took it first.
        timeout_s: for all attempts together.

    Raises: Unavailable with the end of the broker's log.
    """
    deadline_s = monotonic_s() + timeout_s
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        chosen = port or free_port()
        process = Supervised(command_on(chosen), log=folder / "broker.log")
        try:
            fault = _wait_until_ready(process, chosen, ready_text, deadline_s)
            if fault is None:
                return BrokerProcess(name, chosen, process)
            process.stop()
            is_port_taken = _PORT_TAKEN in process.output()
            if port or not is_port_taken or attempt == _PORT_ATTEMPTS:
                raise Unavailable(
                    f"the {name} broker {fault}; the end of {process.log}:\n{process.last_lines()}"
                )
        except BaseException:
            process.stop()
            raise
    raise AssertionError("the last attempt returns or raises")


def _wait_until_ready(
    process: Supervised, port: int, ready_text: str, deadline_s: float
) -> str | None:
    """Return None when the broker answers, else what is wrong, as the end of a sentence."""
    started_s = monotonic_s()
    while monotonic_s() < deadline_s:
        if not process.is_alive():
            return f"ended with exit code {process.wait(1)}"
        if ready_text in process.output() and _answers(f"127.0.0.1:{port}"):
            return None
        time.sleep(_POLL_S)
    return f"did not answer within {monotonic_s() - started_s:.0f} s"


def _answers(bootstrap: str) -> bool:
    # In a thread of its own: the caller may be inside a running event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _has_brokers(bootstrap)).result()


async def _has_brokers(bootstrap: str) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.start()
        cluster = await client.describe_cluster()
        return bool(cluster["brokers"])
    except KafkaError:
        return False
    finally:
        await client.close()
