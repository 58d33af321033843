"""Where the alerts of a replay go: lines in a file or on stdout, or topics of a broker."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from signals.errors import ConfigError
from signals.fold import Agent, Output
from signals.messages import Alert
from streams.codec import encode
from streams.recordings.records import keep_file, torn_name
from streams.settings import Settings
from tapewire.alert_log import AlertLog

__all__ = ["open_outputs"]

Take = Callable[[Agent, Output], None]
Finish = Callable[[AlertLog], None]


@contextmanager
def open_outputs(
    out: str | None,
    *,
    to_prefix: str | None,
    everything: bool,
    live: Settings,
    is_streamed: bool,
) -> Iterator[tuple[Take | None, Finish]]:
    """Yield what takes outputs as they come, if anything does, and what is given the log.

    Args:
        out: a file, ``-`` for stdout, None for none.
        to_prefix: of topics that are written, too.
        everything: every derived topic, and not the alerts alone.
        live: the broker, and the prefix that must not be written to.
        is_streamed: lines are written as alerts come, not in the end in the canonical order.
    Raises: ConfigError for what cannot be written.
    """
    if out not in (None, "-") and not Path(str(out)).parent.is_dir():
        raise ConfigError(f"--out {out} cannot be written: its folder is not there")
    if to_prefix:
        # Only here: its records are made as the agents make theirs.
        from tapewire.topic_sink import TopicSink

        with TopicSink(live, to_prefix, everything=everything) as sink:
            yield sink.take, lambda log: _write(log, out)
    elif is_streamed and out is not None:
        with _opened(out, at_once=True) as file:
            yield _taking_alerts(file), lambda _: None
    else:
        yield None, lambda log: _write(log, out)


def _taking_alerts(file: BinaryIO) -> Take:
    def take(_: Agent, output: Output) -> None:
        if isinstance(output.message, Alert):
            file.write(encode(output.message) + b"\n")
            file.flush()

    return take


def _write(log: AlertLog, out: str | None) -> None:
    if out is not None:
        with _opened(out) as file:
            file.writelines(log.lines())


@contextmanager
def _opened(out: str, *, at_once: bool = False) -> Iterator[BinaryIO]:
    """Yield where alerts are written; a file has its name once it is whole, or at once."""
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    path = Path(out)
    torn = torn_name(path)
    try:
        if at_once or (path.exists() and not path.is_file()):  # a pipe, or /dev/null
            with path.open("wb") as file:
                yield file
            return
        with torn.open("wb") as file:
            yield file
        keep_file(torn, path)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}") from error
    finally:
        torn.unlink(missing_ok=True)
