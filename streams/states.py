"""The rows of an agent's keys in a replay: those of late in memory, the others in a file.

A run of any length takes the memory of a short one, though nothing that a key remembers is lost: a
headline may be corrected a year later.
"""

import pickle
import sqlite3

from signals.errors import TapewireError
from signals.fold import KeyRows
from streams.scratch import open_scratch

__all__ = ["States"]

_KEYS = 6_000  # of each of two generations: a busy day fits in memory
_TABLE = "CREATE TABLE states (key TEXT PRIMARY KEY, rows BLOB NOT NULL) WITHOUT ROWID"


class States:
    """Rows by key. What two generations of keys ago was the last to be folded lies in the file.

    The file is gone with the object.
    """

    def __init__(self, keys: int = _KEYS) -> None:
        """Begin empty, to hold at most twice as many keys in memory."""
        self._keys = keys
        self.young: dict[str, KeyRows] = {}  # always this one dict: a replay looks into it first
        self._old: dict[str, KeyRows] = {}
        self._file: sqlite3.Connection | None = None

    def get(self, key: str) -> KeyRows | None:
        """Return the rows of a key, to be changed in place; None where it has none."""
        rows = self.young.get(key)
        if rows is not None:
            return rows
        rows = self._old.pop(key, None)
        if rows is None and self._file is not None:
            rows = _taken(self._file, key)
        if rows is not None:
            self.put(key, rows)
        return rows

    def put(self, key: str, rows: KeyRows) -> None:
        """Set the rows of a key that has none."""
        if len(self.young) >= self._keys:
            self._store(self._old)
            self._old = dict(self.young)
            self.young.clear()
        self.young[key] = rows

    def drop(self, key: str) -> None:
        """Forget a key that was got or put last."""
        del self.young[key]

    def _store(self, states: dict[str, KeyRows]) -> None:
        if self._file is None:
            self._file = open_scratch(_TABLE)
        stored = ((key, pickle.dumps(dict(rows), protocol=5)) for key, rows in states.items())
        try:
            self._file.executemany("INSERT INTO states VALUES (?, ?)", stored)
        except sqlite3.OperationalError as error:
            raise TapewireError(f"what a replay remembers cannot be written: {error}") from error


def _taken(file: sqlite3.Connection, key: str) -> KeyRows | None:
    found = file.execute("SELECT rows FROM states WHERE key = ?", (key,)).fetchone()
    if found is None:
        return None
    file.execute("DELETE FROM states WHERE key = ?", (key,))
    return KeyRows(pickle.loads(found[0]))  # nobody else writes there
