"""One headline with its body from a document: a Jekyll digest or the text of an article page."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml

from signals.messages import Headline
from streams.sources.faults import LARGEST_HEADLINE, open_file
from streams.sources.headlines_file import DEFAULT_SOURCE, derive_headline_id
from streams.sources.places import Place
from streams.sources.times import instant_us, parse_instant, to_iso

__all__ = ["read_document"]

_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
# "등록 2025.12.17 14:58:42", "입력 2025-12-17 14:58": Korean pages write local time, UTC+9.
_KOREAN_DATELINE = re.compile(
    r"^[ \t]*(?:등록|입력|기사입력|승인|작성)[ :]*(\d{4})[.-](\d{2})[.-](\d{2})\.?[ T]+"
    r"(\d{2}:\d{2}(?::\d{2})?)",
    re.MULTILINE,
)
_ISO_DATELINE = re.compile(
    r"^[ \t]*(?:Published|Posted)[ :]*(\d{4}-\d{2}-\d{2}T\S+)[ \t]*$", re.MULTILINE
)
_BULLETS = ("•", "·", "-", "*", "|")


def read_document(
    path: Path, *, source: str | None = None, largest: int = LARGEST_HEADLINE
) -> Iterator[Headline]:
    """Yield the one headline that a file of text holds, with the rest as its body.

    A file with Jekyll front matter has ``title`` and ``date`` there. Otherwise the text has a
    dateline, ``등록 2025.12.17 14:58:42`` (Korean time) or ``Published 2025-11-03T11:37:00Z``, and
    the title is the last line before it that is no bullet. It was received when it was published.

    Args:
        path: the file, UTF-8.
        source: the name of the source; ``file`` when left out.
        largest: bytes, above which the file is refused.
    Raises: ConfigError for a file that cannot be opened; BadMessage with file, line and field.
    """
    text = _read(path, largest)
    title, published, body = _split_page(text, path)
    published_us = instant_us(published)
    name = source or DEFAULT_SOURCE
    day = to_iso(published_us)[:10]
    yield Headline(
        id=derive_headline_id(name, url=None, title=title, day=day),
        title=title,
        body=body,
        source=name,
        published_us=published_us,
        received_us=published_us,
    )


def _read(path: Path, largest: int) -> str:
    with open_file(path) as file:
        raw = file.read(largest + 1)
    if len(raw) > largest:
        detail = f"a document is at most {largest} bytes, this is more"
        raise Place(path, 1).fault("too_large", "", detail)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        detail = f"must be UTF-8, byte {error.start} is 0x{raw[error.start]:02x}"
        raise Place(path, line).fault("invalid_utf8", "", detail) from error


def _split_page(text: str, path: Path) -> tuple[str, datetime, str]:
    """Return title, publish time and body."""
    if front := _FRONT_MATTER.match(text):
        return _from_front_matter(front, text, path)
    korean, iso = _KOREAN_DATELINE.search(text), _ISO_DATELINE.search(text)
    found = korean or iso
    if found is None:
        detail = "needs front matter with a date, or a line like 등록 2025.12.17 14:58:42"
        raise Place(path, 1).fault("no_publish_time", "published_at", detail)
    place = Place(path, text.count("\n", 0, found.start()) + 1)
    written = found[1] if korean is None else f"{found[1]}-{found[2]}-{found[3]}T{found[4]}+09:00"
    lines = [line.strip() for line in text[: found.start()].splitlines()]
    titles = [line for line in lines if line and not line.startswith(_BULLETS)]
    if not titles:
        raise place.fault("missing_field", "title", "must stand on a line before the dateline")
    return titles[-1], _moment(written, place), text[found.end() :].strip()


def _from_front_matter(front: re.Match[str], text: str, path: Path) -> tuple[str, datetime, str]:
    place = Place(path, 1)
    try:
        # BaseLoader leaves dates as text: YAML would read "+0900" as no offset.
        fields = yaml.load(front[1], Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        detail = f"must be YAML: {' '.join(str(error).split())[:120]}"
        raise place.fault("bad_value", "front_matter", detail) from error
    if not isinstance(fields, dict) or not isinstance(fields.get("title"), str):
        raise place.fault("missing_field", "title", "must be given in the front matter")
    if not isinstance(fields.get("date"), str):
        raise place.fault("no_publish_time", "date", "must be given in the front matter")
    return fields["title"], _moment(fields["date"], place), text[front.end() :].strip()


def _moment(written: str, place: Place) -> datetime:
    try:
        return parse_instant(written)
    except ValueError as error:
        raise place.fault("bad_publish_time", "date", str(error)) from error
