"""The study as tables: CSV and Parquet with the same rows and columns."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from streams.backtest.page import time_of
from streams.backtest.statistics import Summary
from streams.backtest.study import Study

__all__ = ["TABLES", "write_tables"]

Value = str | int | float | None
Rows = list[dict[str, Value]]

TABLES = ("observations", "cells", "curve", "placebo", "missing")
_SUMMARY = tuple(field.name for field in fields(Summary))


def write_tables(study: Study, folder: Path) -> None:
    """Write every table twice; what is not known is empty in CSV and null in Parquet."""
    tables: Mapping[str, Rows] = {
        "observations": _observations(study),
        "cells": _cells(study),
        "curve": [
            {field.name: getattr(day, field.name) for field in fields(day)} for day in study.curve
        ],
        "placebo": _placebo(study),
        "missing": [
            {
                "horizon": one.horizon,
                "reason": one.reason,
                "count": one.count,
                "tickers": " ".join(one.tickers),
            }
            for one in study.missing
        ],
    }
    for name in TABLES:
        rows = tables[name]
        columns = _COLUMNS[name]
        (folder / f"{name}.csv").write_text(_csv(columns, rows), encoding="utf-8")
        pq.write_table(_arrow(columns, rows), folder / f"{name}.parquet", compression="zstd")


def _observations(study: Study) -> Rows:
    """Return a row for each signal and horizon."""
    rows: Rows = []
    for one in study.observations:
        signal, entry = one.signal, one.forward.entry
        for found in one.forward.returns:
            rows.append(
                {
                    "story_id": signal.story_id,
                    "alert_id": signal.alert_id,
                    "revision": signal.revision,
                    "kind": signal.kind,
                    "ticker": signal.ticker,
                    "known_us": signal.known_us,
                    "known_at": f"{time_of(signal.known_us)}Z",
                    "type": signal.type,
                    "status": signal.status,
                    "direction": signal.direction,
                    "lang": signal.lang,
                    "severity": signal.severity,
                    "novelty": signal.novelty,
                    "side": signal.side,
                    "title": signal.title,
                    "entry_us": None if entry is None else entry.at_us,
                    "entry_price": None if entry is None else str(entry.price),
                    "beta": None if entry is None else one.forward.beta,
                    "volatility": one.forward.volatility,
                    "horizon": found.horizon,
                    "to_us": found.to_us,
                    "price": None if found.price is None else str(found.price),
                    "raw": found.raw,
                    "abnormal": found.abnormal,
                    "z": found.z,
                    "reason": found.reason,
                    "rules_version": signal.rules.version,
                    "rules_hash": signal.rules.hash,
                }
            )
    return rows


def _cells(study: Study) -> Rows:
    return [
        {
            "measure": cell.measure,
            "group": cell.group,
            "value": cell.value,
            "horizon": cell.horizon,
            **{name: getattr(cell.summary, name) for name in _SUMMARY},
            "p_adjusted": cell.p_adjusted,
        }
        for cell in study.cells
    ]


def _placebo(study: Study) -> Rows:
    return [
        {name: getattr(found, name) for name, _ in _COLUMNS["placebo"]}
        for found in study.placebo.values()
        if found is not None
    ]


_TEXT, _WHOLE, _RATIO = pa.string(), pa.int64(), pa.float64()
_COLUMNS: Mapping[str, Sequence[tuple[str, Any]]] = {
    "observations": (
        ("story_id", _TEXT), ("alert_id", _TEXT), ("revision", _WHOLE), ("kind", _TEXT),
        ("ticker", _TEXT), ("known_us", _WHOLE), ("known_at", _TEXT), ("type", _TEXT),
        ("status", _TEXT), ("direction", _TEXT), ("lang", _TEXT), ("severity", _TEXT),
        ("novelty", _TEXT), ("side", _WHOLE), ("title", _TEXT), ("entry_us", _WHOLE),
        ("entry_price", _TEXT), ("beta", _RATIO), ("volatility", _RATIO), ("horizon", _TEXT),
        ("to_us", _WHOLE), ("price", _TEXT), ("raw", _RATIO), ("abnormal", _RATIO), ("z", _RATIO),
        ("reason", _TEXT), ("rules_version", _TEXT), ("rules_hash", _TEXT),
    ),
    "cells": (
        ("measure", _TEXT), ("group", _TEXT), ("value", _TEXT), ("horizon", _TEXT),
        *((name, _WHOLE if name in ("n", "days", "hits", "net_hits") else _RATIO)
          for name in _SUMMARY),
        ("p_adjusted", _RATIO),
    ),
    "curve": (
        ("day", _WHOLE), ("n", _WHOLE), ("mean", _RATIO), ("error", _RATIO), ("low", _RATIO),
        ("high", _RATIO), ("plain", _RATIO), ("plain_n", _WHOLE),
    ),
    "placebo": (
        ("horizon", _TEXT), ("mean", _RATIO), ("low", _RATIO), ("high", _RATIO), ("p", _RATIO),
        ("n", _RATIO),
    ),
    "missing": (("horizon", _TEXT), ("reason", _TEXT), ("count", _WHOLE), ("tickers", _TEXT)),
}  # fmt: skip


def _csv(columns: Sequence[tuple[str, Any]], rows: Rows) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, [name for name, _ in columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _arrow(columns: Sequence[tuple[str, Any]], rows: Rows) -> Any:
    return pa.table(
        {name: pa.array([row[name] for row in rows], type=kind) for name, kind in columns}
    )
