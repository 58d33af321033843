"""Alert logs: kept on disk while a replay runs, so that it is not held in memory; and read."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from signals.errors import BadMessage, ConfigError
from signals.messages import Alert
from streams.codec import decode, encode

__all__ = ["AlertLog", "read_alert_log"]

_IN_MEMORY = 4 * 1024 * 1024  # bytes, beyond which a file takes them


class AlertLog:
    """Keeps each revision once; in memory is where each stands, some 300 bytes."""

    def __init__(self) -> None:
        """Begin empty."""
        self.clear()

    def __len__(self) -> int:
        return len(self._places)

    def clear(self) -> None:
        """Forget everything."""
        # Closed when it is collected; it has no name that could stay.
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._places: dict[tuple[str, int], tuple[int, int]] = {}  # known_us and offset

    def add(self, alert: Alert) -> None:
        """Take an alert. A repeated record is the same record: the first one stands."""
        revision = (alert.alert_id, alert.revision)
        if revision not in self._places:
            self._places[revision] = alert.known_us, self._file.tell()
            self._file.write(encode(alert) + b"\n")

    def lines(self) -> Iterator[bytes]:
        """Yield the canonical line of each, in the order in which they became known.

        Those that became known with the same input stand by alert and revision.
        """
        placed = sorted((us, *revision, at) for revision, (us, at) in self._places.items())
        for *_, offset in placed:
            self._file.seek(offset)
            yield self._file.readline()
        self._file.seek(0, 2)

    def sha256(self) -> str:
        """Return the hash of the canonical alert log."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line)
        return digest.hexdigest()


def read_alert_log(path: Path) -> list[Alert]:
    """Return the alerts of a file of JSON lines, in its order.

    Raises: ConfigError for a file that cannot be read, and for a line that is no alert.
    """
    alerts = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    alerts.append(decode(line, Alert))
                except BadMessage as error:
                    raise ConfigError(f"{path}:{number} is no alert: {error}") from error
    except OSError as error:
        raise ConfigError(f"--alerts {path} cannot be read: {error.strerror}") from error
    return alerts
