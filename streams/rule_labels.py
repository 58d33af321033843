"""Labelled headlines: read from JSON lines, corrected by hash, parted into folds."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from signals.errors import ConfigError

__all__ = ["CORRECTIONS", "FOLDS", "Label", "fold_of_groups", "group_of", "read_labels"]

CORRECTIONS = (
    Path(__file__).parent.parent / "signals" / "reading" / "rules" / "label_corrections.jsonl"
)
FOLDS = 5
_CORRECTABLE = ("types", "tickers", "status", "direction", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A headline and what a reader found in it; ``id`` is 12 hex digits of its title's SHA-256.

    ``amounts`` are pairs of value and currency. ``month`` is ``2025-06``, empty when undated.
    """

    id: str
    lang: str
    source: str
    month: str
    title: str
    types: frozenset[str]
    tickers: frozenset[str]
    amounts: frozenset[tuple[Decimal, str]]
    status: str | None
    direction: str | None
    hard: bool


def read_labels(path: Path, corrections: Path | None = CORRECTIONS) -> tuple[Label, ...]:
    """Return the labels of a file in its order, each with its correction.

    Args:
        path: JSON lines with id, lang, source, published_at, title, types, tickers, amounts,
            status, direction, hard.
        corrections: JSON lines with id, reason, and the fields that were wrong; None for none.
    Raises: ConfigError naming the line that makes no sense.
    """
    mended = {} if corrections is None else _read_corrections(corrections)
    labels = []
    for number, plain in _lines(path):
        try:
            label = _label(plain)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ConfigError(f"{path.name} line {number} is no label: {error!r}") from error
        labels.append(replace(label, **mended.get(label.id, {})))
    if not labels:
        raise ConfigError(f"{path.name} holds no label; name a file of JSON lines")
    return tuple(labels)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a file") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            plain = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{path.name} line {number} is no JSON: {error}") from error
        if not isinstance(plain, dict):
            raise ConfigError(f"{path.name} line {number} must be a JSON object")
        yield number, plain


def _label(plain: Mapping[str, Any]) -> Label:
    title = str(plain["title"])
    return Label(
        id=str(plain.get("id") or hashlib.sha256(title.encode()).hexdigest()[:12]),
        lang=str(plain["lang"]),
        source=str(plain["source"]),
        month=str(plain["published_at"] or "")[:7],
        title=title,
        types=frozenset(plain["types"]),
        tickers=frozenset(plain["tickers"]),
        amounts=frozenset(
            (Decimal(str(amount["value"])), str(amount["currency"])) for amount in plain["amounts"]
        ),
        status=plain["status"],
        direction=plain["direction"],
        hard=bool(plain["hard"]),
    )


def _read_corrections(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    found = {}
    for number, plain in _lines(path):
        fields = {name: plain[name] for name in _CORRECTABLE if name in plain}
        if not plain.get("reason") or not fields or set(plain) - {"id", "reason", *fields}:
            raise ConfigError(
                f"{path.name} line {number} needs an id, a reason and some of {_CORRECTABLE}"
            )
        for name in ("types", "tickers"):
            if name in fields:
                fields[name] = frozenset(fields[name])
        found[str(plain["id"])] = fields
    return found


def group_of(label: Label) -> str:
    """Return what must stay in one fold: a month's news, or an undated source with its translation.

    All sources of a month stay together, because they tell the same stories.
    """
    return label.month or label.source.removesuffix("_ko")


def fold_of_groups(labels: Sequence[Label], folds: int = FOLDS) -> dict[str, int]:
    """Return each group's fold: the largest first, each into the fold with fewest typed rows."""
    typed, rows = Counter[str](), Counter[str]()
    for label in labels:
        rows[group_of(label)] += 1
        typed[group_of(label)] += len(label.types)
    load = [(0, 0, fold) for fold in range(folds)]
    found = {}
    for group in sorted(rows, key=lambda name: (-typed[name], -rows[name], name)):
        types, count, fold = min(load)
        load[load.index((types, count, fold))] = (types + typed[group], count + rows[group], fold)
        found[group] = fold
    return found
