from pathlib import Path

import pytest

from signals.errors import ConfigError
from streams.recording import MANIFEST, Recorded, read_manifest, read_recording, write_recording


def record(offset: int, **changes: object) -> Recorded:
    fields: dict[str, object] = {
        "topic": "journal.v1",
        "partition": 0,
        "offset": offset,
        "key": b"IREN",
        "value": b'{"a":1,"b":"\xea\xb0\x80"}',
        "timestamp_ms": 1_762_170_000_000,
        "headers": (("ce_type", b"second"),),
    }
    return Recorded(**(fields | changes))  # type: ignore[arg-type]  # names are the fields' own


def read_back(folder: Path, *records: Recorded) -> list[Recorded]:
    write_recording(folder, {"journal.v1": records})
    return list(read_recording(folder, "journal.v1"))


def test_reads_back_the_bytes_that_it_wrote(tmp_path: Path) -> None:
    odd = [
        record(0),
        record(1, value=b'{"b":1,"a":2}'),  # not canonical
        record(2, value=b"\xff\x00not json"),
        record(3, value=b"null"),
        record(4, value=None, key=None),
        record(5, key=b"\xff", headers=(("h", b"\xfe"), ("h", b""))),
        record(6, value=b"123456789012345678901234567890"),
        record(7, value=b'{"raw":0.20340000000000002}'),
    ]

    assert read_back(tmp_path, *odd) == odd


def test_orders_by_partition_and_offset(tmp_path: Path) -> None:
    shuffled = [record(1, partition=1), record(5), record(0, partition=1), record(4)]

    places = [(found.partition, found.offset) for found in read_back(tmp_path, *shuffled)]

    assert places == [(0, 4), (0, 5), (1, 0), (1, 1)]


def test_manifest_says_where_each_partition_starts_and_ends(tmp_path: Path) -> None:
    read_back(tmp_path, record(4), record(5), record(0, partition=1))

    entry = read_manifest(tmp_path).topics["journal.v1"]

    assert entry.records == 3
    assert entry.start_offsets == {"0": 4, "1": 0}
    assert entry.end_offsets == {"0": 6, "1": 1}


def test_refuses_a_file_that_was_changed(tmp_path: Path) -> None:
    read_back(tmp_path, record(0))
    with (tmp_path / "journal.v1.jsonl").open("ab") as file:
        file.write(b"{}\n")

    with pytest.raises(ConfigError, match="not the file that was recorded"):
        list(read_recording(tmp_path, "journal.v1"))


def test_refuses_a_recording_that_was_cut_off(tmp_path: Path) -> None:
    read_back(tmp_path, record(0))
    (tmp_path / MANIFEST).unlink()

    with pytest.raises(ConfigError, match="is no recording"):
        list(read_recording(tmp_path, "journal.v1"))


def test_refuses_a_topic_that_it_does_not_hold(tmp_path: Path) -> None:
    read_back(tmp_path, record(0))

    with pytest.raises(ConfigError, match=r"does not hold reactions\.v1"):
        list(read_recording(tmp_path, "reactions.v1"))
