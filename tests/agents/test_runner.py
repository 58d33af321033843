"""The loop on fakes of Faust and of the producers: the order of its steps, and what ends it."""

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from agents import runner as runner_module
from agents.folding import ROW_BATCH_BYTES
from agents.rows import Partition
from agents.runner import Runner, Worker
from agents.turnstile import Turnstile
from signals.fold import Agent
from streams.codec import encode
from streams.metrics import Metrics
from tests.agents.toys import COUNT, ROWS, TOYS, B, Count, toy


class FakeLinks:
    """Notes what is sent and written; ``on_send`` runs while acknowledgements are awaited."""

    def __init__(self, steps: list) -> None:
        self.steps = steps
        self.end = 0
        self.on_send = lambda: None

    async def send(self, records) -> None:
        self.steps.append(("sent", [record.message and record.message.id for record in records]))
        self.on_send()

    async def write(self, changelog, written, *, now_ms) -> dict[int, int]:
        self.steps.append(("written", {number: len(rows) for number, rows in written.items()}))
        base, self.end = self.end, self.end + sum(len(rows) for rows in written.values())
        return dict.fromkeys(written, base)


class Rig:
    """One runner, its queue, and what happened in order."""

    def __init__(self, agent: Agent = COUNT) -> None:
        self.steps: list = []
        self.ended: list[BaseException] = []
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            flow_control=SimpleNamespace(is_active=lambda: True),
            consumer=SimpleNamespace(_unacked_messages=set()),
            monitor=SimpleNamespace(stream_inbound_time={}),
        )
        self.links = FakeLinks(self.steps)
        self.metrics = Metrics(CollectorRegistry())
        worker = Worker(
            topics={topic.name: topic for topic in TOYS},
            links=self.links,
            metrics=self.metrics,
            turnstile=Turnstile(),
            end=lambda where, error: self.ended.append(error),
        )
        self.runner = Runner(agent, worker, changelog="changelog")
        self.queue: asyncio.Queue = asyncio.Queue()
        self.runner.assign(1, {0: Partition(agent, 0)})

    def put(self, offset: int, *, generation: int = 1, value: bytes | None = None) -> None:
        message = SimpleNamespace(
            partition=0,
            offset=offset,
            timestamp=1.0,
            headers=(),
            key=b"K",
            value=value or encode(toy(offset)),
            generation_id=generation,
            tracked=False,
            tp=("b", 0),
            __hash__=None,
        )
        event = SimpleNamespace(
            message=_Hashable(message), ack=lambda: self.steps.append(("acked", offset))
        )
        self.queue.put_nowait(event)

    async def run(self) -> None:
        running = asyncio.create_task(self.runner.run(self.app, self.queue))
        for _ in range(50):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0


class _Hashable:
    def __init__(self, message: SimpleNamespace) -> None:
        self.__dict__.update(vars(message))


async def test_outputs_then_rows_then_acknowledgements_in_order():
    rig = Rig()
    rig.put(0)
    rig.put(1)
    await rig.run()
    assert rig.steps == [
        ("sent", ["c:0", "c:1"]),
        ("written", {0: 4}),
        ("acked", 0),
        ("acked", 1),
    ]
    assert rig.runner.positions == {0: 2}
    assert rig.value("tapewire_records_in_total", topic=B.name) == 2
    assert rig.value("tapewire_records_out_total", topic="toy-c.v1") == 2


async def test_records_of_another_generation_are_dropped_without_acknowledgement():
    rig = Rig()
    rig.put(0, generation=0)
    rig.put(1, generation=2)
    await rig.run()
    assert rig.steps == []


async def test_what_is_not_begun_when_partitions_are_given_back_is_dropped():
    rig = Rig()
    rig.app.flow_control.is_active = lambda: False
    rig.put(0)
    await rig.run()
    assert rig.steps == []


async def test_a_generation_lost_while_sending_writes_nothing_and_restores_the_state():
    rig = Rig()
    rig.links.on_send = lambda: setattr(rig.app, "consumer_generation_id", 2)
    rig.put(0)
    await rig.run()
    assert rig.steps == [("sent", ["c:0"])]
    assert rig.runner.partitions[0].rows("K") == {}
    assert rig.runner.partitions[0].cursor.offset == -1


async def test_a_send_that_fails_ends_the_process_and_acknowledges_nothing():
    rig = Rig()

    def fail() -> None:
        raise ConnectionError("no")

    rig.links.on_send = fail
    rig.put(0)
    await rig.run()
    assert rig.steps == [("sent", ["c:0"])]
    assert [str(error) for error in rig.ended] == ["no"]


async def test_a_worker_that_was_paused_for_long_ends_instead_of_writing(monkeypatch):
    rig = Rig()
    times = iter(range(0, 10_000_000, 1000))
    rig.links.on_send = lambda: monkeypatch.setattr(
        runner_module, "monotonic_s", lambda: 1e9 + next(times)
    )
    rig.put(0)
    await rig.run()
    assert rig.steps == [("sent", ["c:0"])]
    assert isinstance(rig.ended[0], TimeoutError)


async def test_a_record_whose_rows_do_not_fit_is_refused_alone():
    def step(rows, key, message):
        size = ROW_BATCH_BYTES if message.number == 3 else 10
        return {"count": Count(last=0, n=message.number, total=0, pad="x" * size)}, ()

    rig = Rig(Agent(name="odd", reads=B.name, step=step, rows=ROWS))
    for offset in range(4):
        rig.put(offset)
    await rig.run()
    assert [step for step in rig.steps if step[0] == "acked"] == [("acked", n) for n in range(4)]
    assert rig.runner.partitions[0].rows("K")["count"].n == 2
    reason = {"topic": B.name, "reason": "output_too_large"}
    assert rig.value("tapewire_dead_letters_total", **reason) == 1


async def test_state_is_kept_over_a_rebalance_only_where_nobody_else_held_it():
    rig = Rig()
    assert set(rig.runner.kept(2, {0})) == {0}
    assert rig.runner.kept(2, {1}) == {}
    assert rig.runner.kept(3, {0}) == {}, "another worker had a generation in between"
    rig.runner.busy_since_s = 1.0
    assert rig.runner.kept(2, {0}) == {}, "a batch is under way"


@pytest.mark.parametrize("digits", [b"", b"x", b"9" * 5000])
async def test_an_odd_header_does_no_harm(digits):
    rig = Rig()
    rig.put(0)
    rig.queue._queue[0].message.headers = (("tapewire-ingested-us", digits or None),)
    await rig.run()
    assert rig.ended == []
    assert ("acked", 0) in rig.steps


async def test_rows_that_do_not_fit_together_are_kept_in_smaller_batches(monkeypatch):
    monkeypatch.setattr(runner_module, "TURN_S", 60.0)

    def step(rows, key, message):
        row = Count(last=0, n=0, total=0, pad="x" * (ROW_BATCH_BYTES // 3))
        return {f"count:{message.number}": row}, ()

    rig = Rig(Agent(name="odd", reads=B.name, step=step, rows=ROWS))
    for offset in range(4):
        rig.put(offset)
    await rig.run()
    assert [step for step in rig.steps if step[0] == "acked"] == [("acked", n) for n in range(4)]
    assert [step for step in rig.steps if step[0] == "written"] == [("written", {0: 3})] * 2
    assert rig.value("tapewire_dead_letters_total", topic=B.name, reason="output_too_large") == 0
