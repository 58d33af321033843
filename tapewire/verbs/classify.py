"""``tapewire classify``: JSON lines in, the events of each out."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from signals.errors import BadMessage, ConfigError
from signals.reading import read_headline
from streams.codec import encode, from_plain
from streams.rule_loading import load_rules
from tapewire.reading import Document, to_headline, to_plain

__all__ = ["EXAMPLES", "add_arguments", "answer_line", "run"]

EXAMPLES = """\
One JSON object a line in: id, title, and optionally body, lang (ko or en; default: found out from
the text) and published_at (ISO 8601; the day of the currency rates; default: unknown, and usd is
null unless the text gives it). One line out for each line in, in order: {"id", "events"}, or
{"id", "error"} for a line that cannot be read; the exit code is then 1 at the end.

examples:
  tapewire classify headlines.jsonl > events.jsonl
  echo '{"id": "1", "title": "IREN signs $9.7bn Microsoft contract"}' | tapewire classify
  tail -f headlines.jsonl | tapewire classify | jq -r '.events[].type'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="JSON lines; - is stdin (default: -)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Answer each line as it comes; return 1 if any could not be read."""
    rules = load_rules()
    unreadable = 0
    out = sys.stdout.buffer
    with _lines(arguments.file) as (lines, is_live):
        for line in lines:
            answer = answer_line(line, rules)
            unreadable += "error" in answer
            out.write(encode(answer) + b"\n")
            if is_live:  # the program at the other end of the pipe may wait for this answer
                out.flush()
    out.flush()
    if unreadable:
        print(f"tapewire: {unreadable} lines could not be read", file=sys.stderr)
    return 1 if unreadable else 0


def answer_line(line: bytes, rules: Any) -> Mapping[str, object]:
    """Return what one line is answered with: its events, or why it cannot be read."""
    document_id: object = None
    try:
        plain = _parse(line)
        if isinstance(plain.get("id"), str | int) and not isinstance(plain["id"], bool):
            document_id = plain["id"]
            plain = plain | {"id": str(document_id)}
        headline = to_headline(from_plain(plain, Document))
    except (BadMessage, ValueError) as error:
        return {"id": document_id, "error": str(error)}
    readings = read_headline(headline, rules)
    return {"id": document_id, "events": [to_plain(reading) for reading in readings]}


def _parse(line: bytes) -> dict[str, Any]:
    try:
        plain = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"must be one JSON object in UTF-8: {error}") from None
    if not isinstance(plain, dict):
        raise ValueError(f"must be a JSON object, was {plain!r:.60}")
    return plain


@contextmanager
def _lines(file: str) -> Iterator[tuple[BinaryIO, bool]]:
    """Yield the lines, and whether they come from a program that may wait for answers."""
    if file == "-":
        yield sys.stdin.buffer, True
        return
    path = Path(file)
    try:
        opened = path.open("rb")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}; name a file or -") from error
    with opened:
        yield opened, not path.is_file()
