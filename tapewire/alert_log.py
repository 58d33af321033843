"""Alert logs: kept on disk while a replay runs, so that it is not held in memory; and read."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from signals.errors import BadMessage, ConfigError, TapewireError
from signals.messages import Alert
from streams.codec import decode, encode
from streams.scratch import open_scratch

__all__ = ["AlertLog", "read_alert_log"]

_TABLE = (
    "CREATE TABLE alerts (known_us INTEGER, alert_id TEXT, revision INTEGER, line BLOB,"
    " UNIQUE (alert_id, revision))"
)
_ORDER = "CREATE INDEX known ON alerts (known_us, alert_id, revision)"


class AlertLog:
    """Keeps each revision once, in a file that is gone with the log."""

    def __init__(self) -> None:
        """Begin empty."""
        self._file = open_scratch(_TABLE, _ORDER)

    def __len__(self) -> int:
        (count,) = self._file.execute("SELECT COUNT(*) FROM alerts").fetchone()
        return int(count)

    def clear(self) -> None:
        """Forget everything."""
        self._file.execute("DELETE FROM alerts")

    def add(self, alert: Alert) -> None:
        """Take an alert. A repeated record is the same record: the first one stands.

        Raises: TapewireError where the disk is full.
        """
        row = (alert.known_us, alert.alert_id, alert.revision, encode(alert) + b"\n")
        try:
            self._file.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            raise TapewireError(f"the alerts of a replay cannot be kept: {error}") from error

    def lines(self) -> Iterator[bytes]:
        """Yield the canonical line of each, in the order in which they became known.

        Those that became known with the same input stand by alert and revision.
        """
        found = self._file.execute("SELECT line FROM alerts ORDER BY known_us, alert_id, revision")
        for (line,) in found:
            yield line

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
