"""The demo's headlines, in our own words."""

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from signals.messages import Headline
from streams.sources.headlines_file import read_headlines

__all__ = ["read_recorded_headlines", "write_headlines"]


def read_recorded_headlines() -> Iterator[Headline]:
    """Yield the recorded headlines in order of receipt."""
    with as_file(files("tapewire.recorded") / "headlines.jsonl") as path:
        yield from read_headlines(path)


def write_headlines(path: Path) -> int:
    """Write the recorded headlines as JSON Lines; return how many there are."""
    raw = (files("tapewire.recorded") / "headlines.jsonl").read_bytes()
    path.write_bytes(raw)
    return raw.count(b"\n")
