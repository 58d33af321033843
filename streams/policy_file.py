"""Policy files: YAML over the defaults of ``signals.policy.Policy``, checked to the last key.

A duration is written ``10 min`` or ``3 days`` under its name without ``_us`` (``price_late: 10
min``), or as whole microseconds under its full name (``price_late_us: 600000000``). What belongs
to the delivery stands in a block of its own, ``delivery:``, and is called ``delivery.cooldown``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from signals.errors import ConfigError
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, DeliveryPolicy, Policy

__all__ = ["load_policy", "parse_policy"]

_UNITS_US = {
    "s": SECOND_US,
    "second": SECOND_US,
    "min": MINUTE_US,
    "minute": MINUTE_US,
    "h": HOUR_US,
    "hour": HOUR_US,
    "day": DAY_US,
    "week": 7 * DAY_US,
}
_DURATION = re.compile(r"(\d+) *([a-z]+?)s?", re.ASCII)
_SIZE = re.compile(r"(\d+) *(KiB|MiB)", re.ASCII)
_SIZES = {"KiB": 1024, "MiB": 1024 * 1024}

_Entry = tuple[str, Any, int]  # a key as written, its value, and its line from 1


@dataclass(frozen=True, slots=True)
class _Key:
    """How a key of the file is read: into which field, by what, and what is wanted."""

    field: str
    read: Callable[[Any], Any]
    wanted: str


def load_policy(path: Path | None) -> Policy:
    """Return the policy of a file, or the defaults where there is none.

    Raises: ConfigError that names the file, the line, the key, and how to mend it.
    """
    if path is None:
        return Policy()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the policy {path} cannot be read: {error}") from error
    return parse_policy(text, str(path))


def parse_policy(text: str, name: str) -> Policy:
    """Return the policy of a file's text; ``name`` is used in errors.

    Raises: ConfigError, as ``load_policy``.
    """
    policy: Policy = _read_block(_root(text, name), _Block(name, "", Policy, _KEYS))
    return policy


class _Block(NamedTuple):
    """A mapping of the file: whose, what stands before its keys, what it makes, and its keys."""

    name: str
    prefix: str
    makes: Callable[..., Any]
    keys: Mapping[str, _Key]


def _read_block(entries: Iterable[_Entry], block: _Block) -> Any:
    """Return what a block's keys and values make.

    Raises: ConfigError.
    """
    name, prefix = block.name, block.prefix
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for written, value, line in entries:
        key = block.keys.get(written)
        shown = prefix + written
        if key is None:
            names = sorted(prefix + key for key in block.keys if not key.endswith("_us"))
            raise ConfigError(
                f"{name} line {line}: {shown!r} is no key; the keys are {', '.join(names)}"
            )
        if key.field in found:
            first = lines[key.field]
            raise ConfigError(
                f"{name} line {line}: {shown} is set twice, first on line {first}; remove one"
            )
        lines[key.field] = line
        try:
            found[key.field] = key.read(value)
        except ValueError:
            raise ConfigError(
                f"{name} line {line}: {shown} must be {key.wanted}, was {value!r:.60}"
            ) from None
    try:
        return block.makes(**found)
    except ValueError as error:
        line = lines.get(str(error).split(" ", 1)[0], 1)
        raise ConfigError(f"{name} line {line}: {prefix}{error}") from error


def _root(text: str, name: str) -> list[_Entry]:
    """Return the file's own keys; the value of a block is what it makes."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{name} must be keys and values, like price_late: 10 min")
        return [_entry(loader, key, value, name) for key, value in node.value]
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = place.line + 1 if place is not None else 1
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError(f"{name} line {line} is not YAML: {problem}") from error
    finally:
        loader.dispose()


def _entry(loader: yaml.SafeLoader, key: yaml.Node, value: yaml.Node, name: str) -> _Entry:
    """Return an entry; the value of a block is what it makes."""
    written, line = str(key.value), key.start_mark.line + 1
    if written in _BLOCKS and isinstance(value, yaml.MappingNode):
        block = _BLOCKS[written]
        inner = [
            (str(k.value), loader.construct_object(v, deep=True), k.start_mark.line + 1)
            for k, v in value.value
        ]
        made = _read_block(inner, _Block(name, f"{written}.", block, _keys_of(block)))
        return (written, made, line)
    return (written, loader.construct_object(value, deep=True), line)


def _duration_us(value: Any) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _UNITS_US:
        raise ValueError
    return int(match[1]) * _UNITS_US[match[2]]


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError
    return value


def _ratio(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError
    return float(value)


def _ratios(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(_ratio(item) for item in value)


def _minutes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError
    spans_us = [_duration_us(item) for item in value]
    if any(span_us % MINUTE_US for span_us in spans_us):
        raise ValueError
    return tuple(span_us // MINUTE_US for span_us in spans_us)


def _size(value: Any) -> int:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * _SIZES[match[2]] if match else _whole(value)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError
    return tuple(value)


def _word_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError
    return None if value == "none" else value


def _made(value: Any) -> DeliveryPolicy:
    """Return a block that has been read already."""
    if not isinstance(value, DeliveryPolicy):
        raise ValueError
    return value


# Fields that the type of their default does not say enough about.
_SPECIAL: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "headline_bytes": (_size, "a size like 1 MiB, or a whole number of bytes"),
    "horizons": (_minutes, "a list of whole minutes like [1 min, 5 min, 1 h]"),
    "always": (_words, "a list of kinds of alerts like [status_changed, corrected]"),
    "always_severity": (_word_or_none, "high, medium, low or none"),
    "delivery": (_made, "a block of keys and values, like cooldown: 30 min"),
}
_BLOCKS: Mapping[str, type] = {"delivery": DeliveryPolicy}


def _keys_of(made: type) -> Mapping[str, _Key]:
    """Return the keys of what a block or the whole file makes, by how they are written."""
    keys: dict[str, _Key] = {}
    for field in fields(made):
        name, default = field.name, field.default
        if name in _SPECIAL:
            keys[name] = _Key(name, *_SPECIAL[name])
        elif name.endswith("_us"):
            short = name.removesuffix("_us")
            keys[short] = _Key(name, _duration_us, "a duration like 10 min, 12 h or 3 days")
            keys[name] = _Key(name, _whole, "a whole number of microseconds")
        elif isinstance(default, tuple):
            keys[name] = _Key(name, _ratios, "a list of ratios like [0.03, 0.05]")
        elif isinstance(default, float):
            keys[name] = _Key(name, _ratio, "a number like 0.05")
        else:
            keys[name] = _Key(name, _whole, "a whole number")
    return keys


_KEYS = _keys_of(Policy)
