"""Scratch files: what a long run remembers and seldom needs, on disk instead of in memory.

A file is SQLite's, private, of no name, and gone with its connection.
"""

import sqlite3

__all__ = ["open_scratch"]

_CACHE_KIB = 1_024  # of each file; the system caches the rest


def open_scratch(*statements: str) -> sqlite3.Connection:
    """Return an empty scratch file with the tables that the statements create."""
    file = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # without a name
    file.execute("PRAGMA journal_mode = OFF")
    file.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    for statement in statements:
        file.execute(statement)
    return file
