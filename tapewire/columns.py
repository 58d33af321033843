"""Text in columns: Korean letters take two places on a terminal."""

import unicodedata
from collections.abc import Iterator, Sequence

__all__ = ["cut", "pad", "table", "width"]

_GAP = "  "


def width(text: str) -> int:
    """Return how many places a terminal gives to a text."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def pad(text: str, places: int, *, to_right: bool = False) -> str:
    """Return the text with spaces after it, or before it, up to so many places."""
    space = " " * (places - width(text))
    return space + text if to_right else text + space


def cut(text: str, places: int) -> str:
    """Return the text, or as much of it as fits before an ellipsis."""
    if width(text) <= places:
        return text
    while width(text) > places - 1:
        text = text[:-1]
    return f"{text}…"


def table(rows: Sequence[Sequence[str]], *, left: int | None = None) -> Iterator[str]:
    """Yield the lines of a table; after the first ``left`` columns all stand to the right."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            pad(cell, places, to_right=left is not None and number >= left)
            for number, (cell, places) in enumerate(zip(row, widths, strict=True))
        ]
        yield _GAP.join(cells).rstrip()
