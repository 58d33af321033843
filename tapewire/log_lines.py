"""A worker's log on stderr: one line a decision, its values as ``name=value``."""

import logging

__all__ = ["set_up_log"]

# What every record has; anything else was given as a value.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Lines(logging.Formatter):
    """Time, level, module and text, then the values, sorted by name."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        values = sorted((name, value) for name, value in vars(record).items() if name not in _OWN)
        return " ".join([super().formatMessage(record), *(f"{n}={v!r}" for n, v in values)])


def set_up_log() -> None:
    """Send all loggers' lines of INFO and above to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
