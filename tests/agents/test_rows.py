import pytest

from agents.rows import (
    CURSOR_ID,
    GRAVE_MS,
    SWEEP_RECORDS,
    Partition,
    read_cursor,
    row_id,
)
from tests.agents.toys import COUNT, Count, Seen

NOW_MS = 1_760_000_000_000


def row(n: int) -> Count:
    return Count(last=n, n=n, total=n)


class Changelog:
    """The records of a partition's changelog, and the partition that writes them."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes | None]] = []
        self.partition = Partition(COUNT, 0)

    def write(self, offset: int, rows: dict[str, object], *, now_ms: int = NOW_MS) -> list:
        """Write one batch: rows by key, None takes one out."""
        changed = {}
        for key, value in rows.items():
            part = "seen:1" if isinstance(value, Seen) else "count"
            self.partition.put(key, part, value)
            changed[key, part] = offset
        written = self.partition.records(changed, (offset, 0), now_ms)
        base = len(self.records)
        self.records += written
        self.partition.committed(base, written)
        return written

    def recover(self, *, start: int | None = None) -> Partition:
        """Read back as a recovery does: from where the last cursor says, in a new partition."""
        cursor = read_cursor(*self.records[-1])
        found = Partition(COUNT, 0)
        for at in range(cursor.start if start is None else start, len(self.records)):
            found.load(at, *self.records[at])
        found.loaded()
        return found


def test_rows_and_cursor_come_back():
    log = Changelog()
    log.write(3, {"A": row(1), "B": row(2)})
    log.write(7, {"A": row(3)})
    found = log.recover()
    assert found.rows("A") == {"count": row(3)}
    assert found.rows("B") == {"count": row(2)}
    assert found.rows("C") == {}
    assert found.cursor.offset == 7
    assert len(found) == 2


def test_the_cursor_is_the_last_record_of_every_batch():
    log = Changelog()
    assert log.write(1, {"A": row(1)})[-1][0] == CURSOR_ID
    assert [identity for identity, _ in log.write(2, {})] == [CURSOR_ID]


def test_rows_that_a_paused_worker_writes_late_change_nothing():
    log, paused = Changelog(), Changelog()
    late = paused.write(5, {"A": row(5), "B": row(5), "C": row(5)})
    log.write(9, {"A": row(9), "B": row(9)})
    log.write(12, {"B": None})
    log.records += late
    found = log.recover(start=0)
    assert found.rows("A") == {"count": row(9)}
    assert found.rows("B") == {}, "a deleted row must not come back"
    assert found.rows("C") == {"count": row(5)}, "what the new owner has not folded yet counts"
    assert found.cursor.offset == 12


def test_a_row_born_and_deleted_in_one_batch_leaves_a_grave():
    log = Changelog()
    log.write(9, {"A": None})
    late = Changelog().write(5, {"A": row(5)})
    log.records += late
    assert log.recover(start=0).rows("A") == {}


def test_a_foreign_append_makes_every_row_be_written_again():
    log = Changelog()
    log.write(5, {"A": row(5), "B": row(5)})
    log.records.append((row_id("A", "count"), log.records[0][1]))  # another worker's
    log.write(6, {"C": row(6)})  # lies behind it: noticed here
    written = {identity for identity, _ in log.write(7, {})}
    assert {row_id("A", "count"), row_id("B", "count")} <= written


def test_a_recovery_that_sees_stale_rows_writes_them_again():
    log = Changelog()
    log.write(9, {"A": row(9)})
    log.records += Changelog().write(5, {"A": row(5)})
    log.partition = log.recover(start=0)
    written = dict(log.write(10, {"B": row(10)}))
    assert row_id("A", "count") in written


def test_a_recovery_reads_a_bounded_tail_however_long_the_changelog_is():
    log = Changelog()
    cold = {f"cold{n}": row(n) for n in range(300)}
    log.write(0, cold)
    for offset in range(1, 400):
        log.write(offset, {f"hot{n}": row(offset) for n in range(50)})
    cursor = read_cursor(*log.records[-1])
    assert len(log.records) > 20_000
    assert len(log.records) - cursor.start < SWEEP_RECORDS + 1000
    found = log.recover()
    assert len(found) == 350
    assert all(found.rows(key) == {"count": value} for key, value in cold.items())
    assert found.rows("hot7") == {"count": row(399)}


@pytest.mark.parametrize(("age_ms", "kept"), [(GRAVE_MS - 1, True), (GRAVE_MS, False)])
def test_a_grave_goes_when_it_is_old_enough(age_ms, kept):
    log = Changelog()
    log.write(1, {"A": row(1)})
    log.write(2, {"A": None})
    for offset in range(3, 150):
        rows = {f"hot{n}": row(offset) for n in range(50)}
        log.write(offset, rows, now_ms=NOW_MS + age_ms)
    assert len(log.partition) == (51 if kept else 50)
    assert (log.recover().rows("A")) == {}
    values = [value for identity, value in log.records if identity == row_id("A", "count")]
    assert (values[-1] is None) is not kept


def test_graves_do_not_pile_up_under_churn():
    log = Changelog()
    for offset in range(3000):
        now_ms = NOW_MS + offset * GRAVE_MS // 100  # a grave lives for 100 batches
        born = {f"row{offset}-{n}": row(offset) for n in range(10)}
        dead = {f"row{offset - 1}-{n}": None for n in range(10)}
        log.write(offset, born | dead, now_ms=now_ms)
    assert len(log.partition) < SWEEP_RECORDS


def test_a_change_can_be_taken_back():
    partition = Partition(COUNT, 0)
    assert partition.put("A", "count", row(1)) is None
    assert partition.put("A", "count", row(2)) == row(1)
    assert partition.put("A", "count", None) == row(2)
    assert partition.rows("A") == {}


def test_rows_given_to_a_step_are_read_only():
    with pytest.raises(TypeError):
        Partition(COUNT, 0).rows("A")["count"] = row(1)
