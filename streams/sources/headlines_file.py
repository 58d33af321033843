"""Headlines from JSON Lines: one object a line, ids and times as the design's files hold them."""

import hashlib
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from signals.errors import BadMessage, BadReason
from signals.messages import Headline
from streams.codec import from_plain
from streams.sources.faults import LARGEST_HEADLINE, OnBad, open_file, report
from streams.sources.places import Place
from streams.sources.times import instant_us, is_date, parse_instant, to_iso

__all__ = ["DEFAULT_SOURCE", "derive_headline_id", "read_headlines"]

DEFAULT_SOURCE = "file"
_TRACKING = frozenset({"fbclid", "gclid", "igshid", "mc_cid", "mc_eid", "ref", "cmpid"})


def read_headlines(
    path: Path,
    *,
    source: str | None = None,
    largest: int = LARGEST_HEADLINE,
    on_bad: OnBad | None = None,
) -> Iterator[Headline]:
    """Yield the headlines of a JSON Lines file, one line held at a time.

    A line has ``title`` and a publish time, as ``published_at`` (ISO 8601 with an offset) or
    ``published_us``; it may have ``received_at`` or ``received_us``, which is the publish time when
    left out, and the other fields of ``Headline``. A publish time that is only a date counts from
    its receipt, so such a line needs one. An ``id`` stands as it is; a line without one gets it
    from ``derive_headline_id``. Blank lines are passed over, unknown fields ignored.

    Args:
        path: the file, UTF-8.
        source: for lines that name none; else what stands before the first colon of the id.
        largest: bytes of a line, above which it is refused.
        on_bad: called with each line's fault, and the reading goes on; raised when left out.
    Raises: ConfigError for a file that cannot be opened; BadMessage with file, line and field.
    """
    with open_file(path) as file:
        number = 0
        while raw := file.readline(largest + 2):
            number += 1
            if number == 1:
                raw = raw.removeprefix(BOM_UTF8)
            try:
                headline = _read_line(raw, Place(path, number), source=source, largest=largest)
            except BadMessage as error:
                while not raw.endswith(b"\n") and raw:
                    raw = file.readline(largest + 2)
                report(error, on_bad)
                continue
            if headline is not None:
                yield headline


def derive_headline_id(source: str, *, url: str | None, title: str, day: str) -> str:
    """Return the id of a headline whose provider gives none, like ``wire:0f3a…``.

    It is the source and 16 hex digits of SHA-256 of the URL without what only tracks a reader, or,
    without a URL, of the title (NFC, single spaces) and the publish day (``2025-11-03``).

    Raises: ValueError for a URL that is none.
    """
    plain = " ".join(unicodedata.normalize("NFC", title).split())
    text = _without_tracking(url) if url else f"{plain}\n{day}"
    return f"{source}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _without_tracking(url: str) -> str:
    parts = urlsplit(url.strip())
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith("utm_") and name.lower() not in _TRACKING
    ]
    host = parts.netloc.lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path, urlencode(sorted(query)), ""))


def _read_line(raw: bytes, place: Place, *, source: str | None, largest: int) -> Headline | None:
    if len(raw.rstrip(b"\r\n")) > largest:
        raise place.fault("too_large", "", f"a headline is at most {largest} bytes, this is more")
    if not raw.strip():
        return None
    plain = _parse_json(raw, place)
    _set_times(plain, place)
    _set_source(plain, source)
    has_id = plain.get("id") is not None
    try:
        headline: Headline = from_plain(plain if has_id else plain | {"id": "-"}, Headline)
    except BadMessage as error:
        raise place.within(error) from error
    return headline if has_id else _with_id(headline, place)


def _parse_json(raw: bytes, place: Place) -> dict[str, Any]:
    try:
        plain = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            raw.decode()
        except UnicodeDecodeError as fault:
            detail = f"must be UTF-8, byte {fault.start} is 0x{raw[fault.start]:02x}"
            raise place.fault("invalid_utf8", "", detail) from error
        raise place.fault("not_json", "", f"must be one JSON object: {error}") from error
    if not isinstance(plain, dict):
        detail = f"must be one JSON object, was {raw[:40].decode(errors='replace').strip()!r}"
        raise place.fault("wrong_type", "", detail)
    return plain


def _set_times(plain: dict[str, Any], place: Place) -> None:
    """Put ``published_us`` and ``received_us`` in, from ISO 8601 where the line has that."""
    if plain.get("received_us") is None:
        plain.pop("received_us", None)
        if plain.get("received_at") is not None:
            received = _parse_field(plain, "received_at", place, "bad_value")
            plain["received_us"] = received
    if plain.get("published_us") is None:
        if plain.get("published_at") is None:
            detail = "must be given as published_at (ISO 8601) or published_us"
            raise place.fault("no_publish_time", "published_at", detail)
        text = plain["published_at"]
        if isinstance(text, str) and is_date(text):
            if "received_us" not in plain:
                detail = f"is only a date, {text!r}; such a line needs received_at"
                raise place.fault("bad_publish_time", "published_at", detail)
            plain["published_us"] = plain["received_us"]
        else:
            plain["published_us"] = _parse_field(plain, "published_at", place, "bad_publish_time")
    plain.setdefault("received_us", plain["published_us"])


def _parse_field(plain: dict[str, Any], name: str, place: Place, reason: BadReason) -> int:
    text = plain[name]
    if not isinstance(text, str):
        detail = f"must be an ISO 8601 time as a string, was {text!r:.60}"
        raise place.fault(reason, name, detail)
    try:
        return instant_us(parse_instant(text))
    except (ValueError, OverflowError) as error:
        raise place.fault(reason, name, str(error)) from error


def _set_source(plain: dict[str, Any], source: str | None) -> None:
    if plain.get("source") is None:
        given = plain.get("id")
        prefix, colon, _ = given.partition(":") if isinstance(given, str) else ("", "", "")
        plain["source"] = source or (prefix if colon and prefix else DEFAULT_SOURCE)


def _with_id(headline: Headline, place: Place) -> Headline:
    day = to_iso(headline.published_us)[:10]
    try:
        derived = derive_headline_id(
            headline.source, url=headline.url, title=headline.title, day=day
        )
    except ValueError as error:
        detail = f"must be a URL, was {headline.url!r:.60}: {error}"
        raise place.fault("bad_value", "url", detail) from error
    return replace(headline, id=derived)
