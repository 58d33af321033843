from dataclasses import replace

import pytest

from agents import folding
from agents.folding import Folder, Record, RowsUnfit, fold, read_record, undo
from agents.records import Position
from agents.rows import Partition
from signals.errors import BadMessage
from signals.fold import Agent
from streams.codec import encode
from tests.agents.toys import COUNT, FORWARD, ROWS, TOYS, A, B, Count, Toy, toy

TOPICS = {topic.name: topic for topic in TOYS}
LATER = float("inf")


def record(offset: int, *, key: bytes | None = b"K", value: bytes | None = b"") -> Record:
    position = Position(
        topic=B.name, partition=0, offset=offset, timestamp_ms=1, ingested_us=2_000_000
    )
    return read_record(position, key, encode(toy(offset)) if value == b"" else value, Toy)


def folder(agent: Agent = COUNT) -> Folder:
    return Folder(agent, TOPICS, {0: Partition(agent, 0)})


def run(folded: Folder, *records: Record, until_s: float = LATER):
    return fold(folded, records, now_us=1_760_000_000_000_000, until_s=until_s)


def test_records_are_folded_in_order_and_rows_written_once():
    folded = folder()
    batch = run(folded, record(3), record(4))
    assert [output.message.n for output in batch.outputs] == [1, 2]
    written = [identity for identity, _ in batch.written[0]]
    assert written == [b"K\x00count", b"K\x00seen:1", b"K\x00seen:2", b"\x00"]
    assert folded.partitions[0].rows("K")["count"] == Count(last=4, n=2, total=7)


def test_a_record_that_is_in_the_state_is_skipped():
    folded = folder()
    batch = run(folded, record(3))
    folded.partitions[0].committed(0, batch.written[0])
    again = run(folded, record(2), record(3), record(4))
    assert (again.records, again.skipped, len(again.outputs)) == (3, 2, 1)


def test_undo_restores_the_state():
    folded = folder()
    run(folded, record(3))
    before = dict(folded.partitions[0].rows("K"))
    batch = run(folded, record(4), record(5), record(6), record(7))
    undo(folded.partitions, batch)
    assert dict(folded.partitions[0].rows("K")) == before


def test_a_bad_message_changes_nothing_and_the_cursor_passes_it():
    folded = folder()
    batch = run(folded, record(3, value=b"{"), record(4, key=None), record(5, key=b"\xff"))
    assert [reason for reason, _ in batch.letters] == ["not_json", "missing_field", "invalid_utf8"]
    assert batch.outputs == []
    assert batch.cursors[0][0] == 5
    assert [identity for identity, _ in batch.written[0]] == [b"\x00"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (({"other:1": Count(last=0, n=0, total=0)}, ()), "keeps no part"),
        (({"": Count(last=0, n=0, total=0)}, ()), "keeps no part"),
        (None, "TypeError"),
    ],
)
def test_what_a_step_must_not_give_is_a_dead_letter(result, said):
    agent = Agent(name="odd", reads=B.name, step=lambda rows, key, message: result, rows=ROWS)
    ((reason, letter),) = run(folder(agent), record(1)).letters
    assert reason == "step_failed"
    assert said in dict(letter.headers)["detail"].decode()


def test_an_output_that_is_too_large_takes_the_whole_message_with_it():
    position = replace(record(1).position, topic=A.name)
    large = read_record(position, b"K", encode(toy(1, pad="large")), Toy)
    batch = run(Folder(FORWARD, TOPICS, {}), large)
    assert batch.outputs == []
    assert [reason for reason, _ in batch.letters] == ["output_too_large"]


def test_rows_that_do_not_fit_are_refused_and_undone(monkeypatch):
    monkeypatch.setattr(folding, "ROW_BATCH_BYTES", 150)
    folded = folder()
    with pytest.raises(RowsUnfit) as caught:
        run(folded, record(3))
    assert caught.value.error.reason == "output_too_large"
    assert folded.partitions[0].rows("K") == {}


def test_a_row_without_an_encoding_is_refused():
    agent = Agent(
        name="odd",
        reads=B.name,
        step=lambda rows, key, message: ({"count": {1, 2}}, ()),
        rows=ROWS,
    )
    with pytest.raises(RowsUnfit) as caught:
        run(folder(agent), record(3))
    assert caught.value.error.reason == "step_failed"


def test_a_fold_ends_with_its_turn_but_folds_one_record_at_least():
    assert run(folder(), record(3), record(4), until_s=0).records == 1


def test_a_row_of_the_state_that_cannot_be_read_is_no_fault_of_the_message():
    folded = folder()
    batch = run(folded, record(3))
    key, value = batch.written[0][0]
    broken = Partition(COUNT, 0)
    broken.load(0, key, value[:-5])
    broken.loaded()
    with pytest.raises(BadMessage):
        run(Folder(COUNT, TOPICS, {0: broken}), record(4))
