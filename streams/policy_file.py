"""Policy files: YAML over the defaults of ``signals.policy.Policy``, checked to the last key.

A duration is written ``10 min`` or ``3 days`` under its name without ``_us`` (``price_late: 10
min``), or as whole microseconds under its full name (``price_late_us: 600000000``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from signals.errors import ConfigError
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy

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
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for written, value, line in _entries(text, name):
        key = _KEYS.get(written)
        if key is None:
            choices = ", ".join(sorted(key for key in _KEYS if not key.endswith("_us")))
            raise ConfigError(f"{name} line {line}: {written!r} is no key; the keys are {choices}")
        if key.field in found:
            first = lines[key.field]
            raise ConfigError(
                f"{name} line {line}: {written} is set twice, first on line {first}; remove one"
            )
        lines[key.field] = line
        try:
            found[key.field] = key.read(value)
        except ValueError:
            raise ConfigError(
                f"{name} line {line}: {written} must be {key.wanted}, was {value!r:.60}"
            ) from None
    try:
        return Policy(**found)
    except ValueError as error:
        line = lines.get(str(error).split(" ", 1)[0], 1)
        raise ConfigError(f"{name} line {line}: {error}") from error


def _entries(text: str, name: str) -> list[tuple[str, Any, int]]:
    """Return each key as written, its value, and its line from 1."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{name} must be keys and values, like price_late: 10 min")
        return [
            (str(key.value), loader.construct_object(value, deep=True), key.start_mark.line + 1)
            for key, value in node.value
        ]
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = place.line + 1 if place is not None else 1
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError(f"{name} line {line} is not YAML: {problem}") from error
    finally:
        loader.dispose()


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


def _keys() -> Mapping[str, _Key]:
    keys: dict[str, _Key] = {}
    for field in fields(Policy):
        name, default = field.name, field.default
        if name == "headline_bytes":
            keys[name] = _Key(name, _size, "a size like 1 MiB, or a whole number of bytes")
        elif name == "horizons":
            keys[name] = _Key(name, _minutes, "a list of whole minutes like [1 min, 5 min, 1 h]")
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


_KEYS = _keys()
