"""One Parquet file of a recording: one row a record, of one partition, by offset.

Columns are ``topic``, ``partition``, ``offset``, ``key``, ``value``, ``headers`` and ``timestamp``
(milliseconds, UTC). Pages carry checksums. pyarrow is imported when it is used.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from signals.errors import ConfigError
from streams.recordings.records import Recorded

__all__ = ["FileWriter", "read_file", "require_arrow"]

_BATCH_ROWS = 1024


def require_arrow() -> None:
    """Raise ConfigError where pyarrow is not installed."""
    _arrow()


@cache
def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigError(
            "a recording in Parquet needs pyarrow; install it with pip install 'tapewire[parquet]'"
        ) from error


@cache
def _schema() -> Any:
    arrow, _ = _arrow()
    header = arrow.struct(
        [arrow.field("name", arrow.string(), nullable=False), ("value", arrow.binary())]
    )
    return arrow.schema(
        [
            arrow.field("topic", arrow.string(), nullable=False),
            arrow.field("partition", arrow.int32(), nullable=False),
            arrow.field("offset", arrow.int64(), nullable=False),
            ("key", arrow.binary()),
            ("value", arrow.binary()),
            arrow.field("headers", arrow.list_(header), nullable=False),
            arrow.field("timestamp", arrow.timestamp("ms", tz="UTC"), nullable=False),
        ]
    )


class FileWriter:
    """Writes row groups to a file that has its footer, and can be read, only once it is closed."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises: OSError."""
        _, parquet = _arrow()
        self._file = path.open("wb")
        self._writer: Any = parquet.ParquetWriter(
            self._file, _schema(), compression="zstd", write_page_checksum=True
        )

    def write(self, records: Sequence[Recorded]) -> None:
        """Append a row group. Raises: OSError."""
        arrow, _ = _arrow()
        schema = _schema()
        columns = (
            [record.topic for record in records],
            [record.partition for record in records],
            [record.offset for record in records],
            [record.key for record in records],
            [record.value for record in records],
            [
                [{"name": name, "value": value} for name, value in record.headers]
                for record in records
            ],
        )
        arrays = [
            arrow.array(column, field.type) for column, field in zip(columns, schema, strict=False)
        ]
        stamps = arrow.array([record.timestamp_ms for record in records], arrow.int64())
        arrays.append(stamps.cast(schema.field("timestamp").type))
        self._writer.write_batch(arrow.record_batch(arrays, schema=schema))

    def size(self) -> int:
        """Return how many bytes the file has so far."""
        return self._file.tell()

    def close(self) -> None:
        """Write the footer, and close the file. Raises: OSError."""
        self._writer.close()
        self._file.close()


def read_file(path: Path) -> Iterator[Recorded]:
    """Yield the records of a file, in its order, a batch of them held at a time.

    Raises: ConfigError for a file that is no whole one, or not of a recording.
    """
    arrow, _ = _arrow()
    with _opened(path) as file:
        if not file.schema_arrow.equals(_schema()):
            raise ConfigError(f"{path} is no file of a recording: its columns are others")
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            names = ("topic", "partition", "offset", "key", "value", "headers")
            columns = [batch.column(name).to_pylist() for name in names]
            stamps = batch.column("timestamp").cast(arrow.int64()).to_pylist()
            for topic, partition, offset, key, value, headers, stamp in zip(
                *columns, stamps, strict=True
            ):
                yield Recorded(
                    topic=topic,
                    partition=partition,
                    offset=offset,
                    key=key,
                    value=value,
                    timestamp_ms=stamp,
                    headers=tuple((header["name"], header["value"]) for header in headers),
                )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file; what is wrong with it, then or while it is read, is one sentence."""
    arrow, parquet = _arrow()
    try:
        with path.open("rb") as raw:
            yield parquet.ParquetFile(raw, page_checksum_verification=True)
    except (arrow.ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:160]
        raise ConfigError(f"{path} is torn or no Parquet file: {said}; record it again") from error
