"""Headlines labelled by the story that they tell, and the titles that go with them."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from signals.errors import ConfigError
from signals.messages import Micros
from streams.sources.times import instant_us, is_date, parse_instant

__all__ = ["StoryLabel", "is_held_out", "read_story_labels", "read_titles", "title_id"]

# "## 3. A heading": an item of a digest, with its number or without.
_HEADING = re.compile(r"^#{2,3} +(?:\d+\. +)?(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLabel:
    """A headline and the story that it tells; ``id`` is 12 hex digits of its title's SHA-256.

    ``story`` is a name of the labeller's own, ``type`` the type of the story.
    """

    id: str
    story: str
    type: str
    lang: str
    published_us: Micros


def title_id(title: str) -> str:
    """Return the id of a title: the first 12 hex digits of its SHA-256."""
    return hashlib.sha256(title.encode()).hexdigest()[:12]


def is_held_out(story: str) -> bool:
    """Return whether a story is in the half that nothing is tuned on: fixed by its name's hash."""
    return hashlib.sha256(story.encode()).digest()[-1] % 2 == 1


def read_story_labels(path: Path) -> tuple[StoryLabel, ...]:
    """Return the labels of a file in the order of time.

    Args:
        path: JSON lines with id, story, type, lang, published_at (a date is its midnight, UTC).
    Raises: ConfigError naming the line that makes no sense.
    """
    labels: dict[str, StoryLabel] = {}
    for number, plain in _lines(path):
        try:
            label = _label(plain)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path.name} line {number} is no story label: {error!r}") from error
        if label.id in labels:
            raise ConfigError(f"{path.name} line {number} labels {label.id} again")
        labels[label.id] = label
    if not labels:
        raise ConfigError(f"{path.name} holds no label; name a file of JSON lines")
    return tuple(sorted(labels.values(), key=lambda label: (label.published_us, label.id)))


def _label(plain: Mapping[str, Any]) -> StoryLabel:
    at = str(plain["published_at"])
    moment = parse_instant(f"{at}T00:00:00Z" if is_date(at) else at)
    return StoryLabel(
        id=str(plain["id"]),
        story=str(plain["story"]),
        type=str(plain["type"]),
        lang=str(plain["lang"]),
        published_us=instant_us(moment),
    )


def read_titles(paths: Iterable[Path]) -> dict[str, str]:
    """Return titles by id: of JSON lines with a title each, or the headings of a Markdown digest.

    Raises: ConfigError for a file that cannot be read, or a line without a title.
    """
    found: dict[str, str] = {}
    for path in paths:
        for title in _titles(path):
            found.setdefault(title_id(title), title)
    return found


def _titles(path: Path) -> Iterator[str]:
    if path.suffix == ".md":
        yield from _HEADING.findall(_read(path).decode(errors="replace"))
        return
    for number, plain in _lines(path):
        if not isinstance(plain.get("title"), str):
            raise ConfigError(f"{path.name} line {number} has no title")
        yield plain["title"]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            plain = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{path.name} line {number} is no JSON: {error}") from error
        if not isinstance(plain, dict):
            raise ConfigError(f"{path.name} line {number} must be a JSON object")
        yield number, plain


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a file") from error
