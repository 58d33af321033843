"""A recording in Parquet: what is written is read back, and what is torn or changed is refused."""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.errors import ConfigError
from signals.messages import RuleSetId
from streams.recording import open_recording, read_recording, write_recording
from streams.recordings.manifest import (
    FileEntry,
    ParquetManifest,
    Request,
    Span,
    alone_in,
    check_request,
    write_manifest,
)
from streams.recordings.partition import PartitionWriter, held_files, rule_sets_in
from streams.recordings.records import Recorded

pytest.importorskip("pyarrow")

TOPIC = "journal.v1"
REQUEST = Request(prefix="tapewire.", topics=("all",))


def record(offset: int, **changes: object) -> Recorded:
    fields: dict[str, object] = {
        "topic": TOPIC,
        "partition": 0,
        "offset": offset,
        "key": b"IREN",
        "value": b'{"a":1}',
        "timestamp_ms": 1_762_170_000_000 + offset,
        "headers": (("ce_type", b"second"),),
    }
    return Recorded(**(fields | changes))  # type: ignore[arg-type]  # names are the fields' own


def write(
    folder: Path, records: Iterable[Recorded], *, file_bytes: int = 1, group: int = 2
) -> ParquetManifest:
    """Write records of one partition, so many to a file."""
    folder.mkdir(parents=True, exist_ok=True)
    check_request(folder, REQUEST)
    writer = PartitionWriter(folder, TOPIC, 0, file_bytes=file_bytes)
    end = 0
    for number, item in enumerate(records, start=1):
        writer.add(item)
        end = item.offset + 1
        if number % group == 0:
            writer.flush()
    writer.finish()
    spans = {TOPIC: {"0": Span(first=0, end=end, log_start=0)}}
    return write_manifest(
        folder, REQUEST, spans, writer.entries, rule_sets=writer.rule_sets, is_complete=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six records in three files."""
    write(tmp_path / "recording", map(record, range(6)))
    return tmp_path / "recording"


def path_of(folder: Path, offset: int) -> Path:
    return folder / f"topic={TOPIC}" / "partition=0" / f"{offset:020d}.parquet"


_BYTES = st.none() | st.binary(max_size=40)
_RECORDS = st.lists(
    st.builds(
        record,
        st.integers(0, 2**40),
        key=_BYTES,
        value=_BYTES,
        timestamp_ms=st.integers(-1, 2**42),
        headers=st.lists(st.tuples(st.text(max_size=8), _BYTES), max_size=3).map(tuple),
    ),
    max_size=12,
    unique_by=lambda item: item.offset,
).map(lambda items: sorted(items, key=lambda item: item.offset))


@settings(max_examples=60, deadline=None)
@given(records=_RECORDS, group=st.integers(1, 5), file_bytes=st.sampled_from([1, 10**6]))
def test_reads_back_any_bytes_that_it_wrote(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[Recorded],
    group: int,
    file_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("any") / "recording"

    write(folder, records, group=group, file_bytes=file_bytes)

    assert list(read_recording(folder, TOPIC)) == records
    shutil.rmtree(folder)


def test_both_forms_give_the_same_records(folder: Path, tmp_path: Path) -> None:
    write_recording(tmp_path / "lines", {TOPIC: map(record, range(6))})

    lines, parquet = open_recording(tmp_path / "lines"), open_recording(folder)

    assert list(lines.read(TOPIC)) == list(parquet.read(TOPIC))
    assert list(lines.read(TOPIC, 0)) == list(parquet.read(TOPIC, 0)) != []
    assert list(lines.read(TOPIC, 1)) == list(parquet.read(TOPIC, 1)) == []
    assert lines.topics == parquet.topics
    assert lines.starts(TOPIC) == parquet.starts(TOPIC) == {0: 0}


def test_manifest_tells_ranges_counts_and_gaps(tmp_path: Path) -> None:
    offsets = [3, 4, 9, 10]

    manifest = write(tmp_path / "r", [record(offset) for offset in offsets])

    told = [
        (e.first_offset, e.last_offset, e.records, e.first_ms, e.last_ms) for e in manifest.files
    ]
    base = 1_762_170_000_000
    assert told == [(3, 4, 2, base + 3, base + 4), (9, 10, 2, base + 9, base + 10)]
    assert manifest.gaps(TOPIC) == 7
    plain = json.loads((tmp_path / "r" / "manifest.json").read_bytes())
    assert plain["request"]["prefix"] == "tapewire."
    assert plain["tapewire"]


def test_rule_sets_that_the_records_name_are_in_the_manifest(tmp_path: Path) -> None:
    value = b'{"id":"x","rules":{"hash":"' + b"0" * 64 + b'","version":"2026.11"},"z":1}'
    explain = b'{"explain":{"rules":["deal.sign"]}}'

    manifest = write(tmp_path / "r", [record(0, value=value), record(1, value=explain)])

    assert manifest.rule_sets == (RuleSetId(version="2026.11", hash="0" * 64),)
    assert rule_sets_in(None) == set()


# ---- what is not whole ---------------------------------------------------------------------------


def _cut(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("spoil", [_cut, _flip, Path.unlink])
def test_a_file_that_is_torn_changed_or_gone_is_refused_by_name(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path_of(folder, 2))

    with pytest.raises(ConfigError, match=r"00000000000000000002\.parquet"):
        list(read_recording(folder, TOPIC))


def _edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = folder / "manifest.json"
    plain = json.loads(path.read_bytes())
    change(plain)
    path.write_text(json.dumps(plain), encoding="utf-8")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("records", 1, "holds 2 records up to 3, the manifest says 1 up to 3"),
        ("first_offset", 3, "must be topic="),
        ("partition", 1, "must be topic="),
        ("file", "../other.parquet", "must be topic="),
        ("last_offset", 9, "is outside of what is covered"),
        ("last_offset", 2, "where the manifest has another record"),
        ("sha256", "0" * 64, "is not the file that was recorded"),
    ],
)
def test_a_manifest_that_tells_another_story_is_refused(
    folder: Path, field: str, value: object, sentence: str
) -> None:
    def change(plain: dict[str, object]) -> None:
        plain["files"][1][field] = value  # type: ignore[index]  # JSON

    _edit(folder, change)

    with pytest.raises(ConfigError, match=sentence):
        list(read_recording(folder, TOPIC))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format":3}', b'{"format":2}'])
def test_a_manifest_that_is_none_is_refused_by_name(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)

    with pytest.raises(ConfigError, match=r"manifest\.json"):
        open_recording(folder)


def test_a_recording_that_was_cut_off_says_how_to_go_on(folder: Path) -> None:
    (folder / "manifest.json").unlink()

    with pytest.raises(ConfigError, match="give its tapewire record again"):
        open_recording(folder)


# ---- going on ------------------------------------------------------------------------------------


def known(manifest: ParquetManifest) -> dict[str, FileEntry]:
    return {entry.file: entry for entry in manifest.files}


def test_whole_files_without_a_manifest_are_found_and_torn_ones_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    manifest = write(folder, map(record, range(6)))
    torn = path_of(folder, 4)
    _cut(torn)
    unfinished = torn.with_name(".00000000000000000006.parquet.torn")
    unfinished.write_bytes(b"PAR1")

    found, _, dropped = held_files(folder, TOPIC, 0, {})

    assert found == list(manifest.files[:2])
    assert dropped == [unfinished, torn]
    assert not torn.exists()
    assert not unfinished.exists()


@pytest.mark.parametrize("spoil", [_flip, Path.unlink])
def test_a_file_of_the_manifest_that_has_changed_is_not_recorded_over(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    manifest = open_recording(folder).manifest  # type: ignore[attr-defined]  # of this form
    spoil(path_of(folder, 2))

    with pytest.raises(ConfigError, match=r"0002\.parquet .*put it back"):
        held_files(folder, TOPIC, 0, known(manifest))


def test_another_request_is_refused_in_a_folder_that_has_one(folder: Path, tmp_path: Path) -> None:
    assert check_request(folder, REQUEST)
    with pytest.raises(ConfigError, match=r"another prefix: 'tapewire\.', not 'other\.'"):
        check_request(folder, Request(prefix="other.", topics=("all",)))

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no recording and not empty"):
        check_request(tmp_path / "mine", REQUEST)


def test_two_runs_do_not_write_into_one_folder(folder: Path) -> None:
    with (
        alone_in(folder),
        pytest.raises(ConfigError, match="another tapewire record"),
        alone_in(folder),
    ):
        pass
    with alone_in(folder):
        pass  # and it is free again
