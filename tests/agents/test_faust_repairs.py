"""Each fault is forced, shown in the stock method, and shown gone in the repaired one.

The stock methods come from copies of Faust's modules, since the repairs are installed for good.
"""

import asyncio
import importlib.util
from collections import defaultdict
from types import ModuleType, SimpleNamespace

import faust.tables.recovery
import faust.transport.consumer
import pytest
from faust.types import TP
from intervaltree import IntervalTree
from mode import Service

from agents import faust_repairs
from signals.errors import ConfigError


def _copy(module: ModuleType) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module.__name__ + "_stock", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    copy.__package__ = module.__package__
    spec.loader.exec_module(copy)
    return copy


STOCK_CONSUMER = _copy(faust.transport.consumer).Consumer
STOCK_RECOVERY = _copy(faust.tables.recovery).Recovery
STREAM = TP("in", 0)


# ---- 1. loss at recovery -------------------------------------------------------------------------


class Broker:
    """A partition with records 0 to 9, committed to 5, and a fetch loop like Faust's."""

    def __init__(self) -> None:
        self.position, self.read, self.queue, self.seen = 0, None, [], []
        self.active: set[TP] = set()
        self.flow_active = True
        self.fetching = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    async def fetch(self) -> None:
        while True:
            if self.flow_active and STREAM in self.active and self.position < 10:
                self.idle.clear()
                offset = self.position
                await asyncio.sleep(0)
                if self.flow_active and (self.read is None or offset >= self.read):
                    self.queue.append(offset)
                    self.read = offset
                if self.position == offset:
                    self.position += 1
                self.idle.set()
            await asyncio.sleep(0)

    # what Recovery asks of a consumer
    def assignment(self) -> set[TP]:
        return {STREAM}

    def stop_flow(self) -> None:
        self.flow_active = False

    def resume_flow(self) -> None:
        self.flow_active = True

    async def wait_for_stopped_flow(self) -> None:
        await self.idle.wait()

    async def perform_seek(self) -> None:
        self.position = 5
        for _ in range(6):  # the answer takes a while, in which the fetch loop runs
            await asyncio.sleep(0)
        self.read = 5

    def resume_partitions(self, partitions: set[TP]) -> None:
        self.active |= set(partitions)


def _recovery(broker: Broker) -> SimpleNamespace:
    async def nothing(*_: object, **__: object) -> None: ...

    app = SimpleNamespace(
        consumer=broker,
        consumer_generation_id=1,
        on_rebalance_complete=SimpleNamespace(send=nothing),
        conf=SimpleNamespace(broker_request_timeout=5),
        flow_control=SimpleNamespace(resume=broker.queue.clear),
        assignor=SimpleNamespace(assigned_standbys=set),
        on_rebalance_end=lambda: None,
        _fetcher=SimpleNamespace(maybe_start=nothing),
    )

    async def wait(coroutine, **_: object) -> None:
        await coroutine

    class Tables(dict):
        def on_actives_ready(self) -> None: ...
        def on_standbys_ready(self) -> None: ...

    log = SimpleNamespace(info=lambda *_: None, dev=lambda *_: None, warning=lambda *_: None)
    return SimpleNamespace(
        app=app,
        log=log,
        tables=Tables(),
        completed=asyncio.Event(),
        actives_for_table={},
        standbys_for_table={},
        _set_recovery_ended=lambda: None,
        _is_changelog_tp=lambda tp: False,
        _wait=wait,
    )


async def _delivered(method) -> list[int]:
    broker = Broker()
    fetching = asyncio.create_task(broker.fetch())
    await method(_recovery(broker), generation_id=1)
    for _ in range(100):
        await asyncio.sleep(0)
    fetching.cancel()
    return broker.queue


@pytest.mark.parametrize(
    ("stock", "repaired"),
    [
        (STOCK_RECOVERY.on_recovery_completed, faust_repairs._on_recovery_completed),
        (STOCK_RECOVERY._resume_streams, faust_repairs._resume_streams),
    ],
    ids=["with tables", "without tables"],
)
async def test_records_fetched_while_seeking_are_not_lost(stock, repaired):
    assert set(await _delivered(stock)) < {5, 6, 7, 8, 9}, "the stock method must show the loss"
    assert await _delivered(repaired) == [5, 6, 7, 8, 9]


class Fetching(Service):
    """A consumer in the middle of a fetch, whose active partitions are all taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.flow_active = True
        self.app = SimpleNamespace(client_only=False)
        self.not_waiting_next_records = asyncio.Event()
        self.not_waiting_next_records.set()
        self._active = {STREAM}
        self.was_marked = False
        self.asked_for: set[TP] = set()

    def _get_active_partitions(self) -> set[TP]:
        return self._active

    async def _getmany(self, active_partitions: set[TP], **_: object) -> dict:
        self.was_marked = not self.not_waiting_next_records.is_set()
        self._active.clear()  # the main thread pauses, while this thread is about to ask
        self.asked_for = set(active_partitions)
        return {}


async def test_a_fetch_is_marked_as_under_way_and_asks_for_the_partitions_of_its_start():
    stock, repaired = Fetching(), Fetching()
    await STOCK_CONSUMER._wait_next_records(stock, 1.0)
    assert not stock.was_marked
    assert stock.asked_for == set(), "an empty set, which aiokafka reads as all partitions"
    _, active = await faust_repairs._wait_next_records(repaired, 1.0)
    assert repaired.was_marked
    assert repaired.asked_for == active == {STREAM}
    assert repaired.not_waiting_next_records.is_set()


async def test_a_partition_with_nothing_committed_is_read_from_its_beginning():
    def consumer() -> SimpleNamespace:
        sought: list[str] = []

        async def committed() -> dict[TP, int | None]:
            return {STREAM: None, TP("in", 1): 7}

        async def to_beginning(*tps: TP) -> None:
            sought.extend(f"{tp.topic}:{tp.partition}" for tp in tps)

        return SimpleNamespace(
            sought=sought,
            seek_to_committed=committed,
            _thread=SimpleNamespace(seek_to_beginning=to_beginning),
            _read_offset={STREAM: 3},
            _committed_offset={},
        )

    stock, repaired = consumer(), consumer()
    await STOCK_CONSUMER.perform_seek(stock)
    assert stock.sought == [], "what was fetched and thrown away before does not come again"
    await faust_repairs._perform_seek(repaired)
    assert repaired.sought == ["in:0"]
    assert repaired._read_offset == {STREAM: None, TP("in", 1): 6}
    assert repaired._committed_offset == {STREAM: None, TP("in", 1): 7}


# ---- 2. commit past an unacknowledged record -----------------------------------------------------


def _acked(committed: int | None, acked: list[int]) -> SimpleNamespace:
    return SimpleNamespace(
        _acked=defaultdict(list, {STREAM: list(acked)}),
        _acked_index=defaultdict(set, {STREAM: set(acked)}),
        _gap=defaultdict(IntervalTree),
        _committed_offset=defaultdict(lambda: None, {STREAM: committed}),
        _read_offset=defaultdict(lambda: None),
    )


@pytest.mark.parametrize(
    ("committed", "acked", "stock", "right"),
    [
        (2, [3, 4, 5], 6, None),
        (None, [1, 2], 3, None),
        (0, [1, 2], 3, None),
        (2, [2, 3, 5], 4, 4),
        (None, [0, 1], 2, 2),
        (7, [], None, None),
    ],
)
def test_an_unacknowledged_record_is_never_committed_over(committed, acked, stock, right):
    assert STOCK_CONSUMER._new_offset(_acked(committed, acked), STREAM) == stock
    assert faust_repairs._new_offset(_acked(committed, acked), STREAM) == right


# ---- 3. two tasks for every record, and what a delivery notes ------------------------------------


class Draining(Service):
    """A consumer that is given messages with these offsets."""

    consumer_stopped_errors = ()
    _commit_every = None
    _n_acked = 0

    def __init__(self, offsets: list[int], *, read: int | None, committed: int | None) -> None:
        super().__init__()
        self._offsets = offsets
        self.delivered: list[int] = []
        self.suspend_flow = asyncio.Event()
        self._read_offset = defaultdict(lambda: None, {STREAM: read})
        self._committed_offset = defaultdict(lambda: None, {STREAM: committed})
        self._gap = defaultdict(IntervalTree)
        topics = SimpleNamespace(acks_enabled_for=lambda topic: True)
        self.app = SimpleNamespace(topics=topics)
        self.transport = SimpleNamespace(app=SimpleNamespace(should_stop=True))

    async def getmany(self, **_: object):
        for offset in self._offsets:
            yield STREAM, SimpleNamespace(offset=offset, topic="in", key=None, value=None)
        self._stopped.set()

    async def callback(self, message) -> None:
        self.delivered.append(message.offset)


async def _count_tasks(method, consumer: Draining) -> int:
    loop, made = asyncio.get_running_loop(), []

    def factory(loop, coroutine, **more):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **more)

    loop.set_task_factory(factory)
    try:
        await method(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    finally:
        loop.set_task_factory(None)
    return len(made)


async def test_a_record_is_delivered_without_tasks():
    stock = Draining(list(range(100)), read=None, committed=None)
    repaired = Draining(list(range(100)), read=None, committed=None)
    assert await _count_tasks(STOCK_CONSUMER._drain_messages, stock) >= 400
    assert await _count_tasks(faust_repairs._drain_messages, repaired) < 10
    assert stock.delivered == repaired.delivered == list(range(100))


async def test_the_last_record_before_a_seek_is_not_delivered_twice():
    consumer = Draining([4, 5, 6], read=4, committed=5)
    await faust_repairs._drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    assert consumer.delivered == [5, 6]


async def test_offsets_that_the_broker_left_out_do_not_hold_the_commit_back():
    consumer = Draining([7, 8], read=4, committed=5)  # 5 and 6 were compacted away
    await faust_repairs._drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    acked = _acked(5, [7, 8])
    acked._gap = consumer._gap
    assert faust_repairs._new_offset(acked, STREAM) == 9


async def test_the_first_record_of_a_fresh_partition_is_where_its_commits_begin():
    consumer = Draining([500, 501], read=None, committed=None)  # retention took what was before
    await faust_repairs._drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    assert consumer._committed_offset[STREAM] == 500


class Blocking(Draining):
    """A consumer whose stream is full at the second record."""

    def __init__(self) -> None:
        super().__init__([0, 1, 2], read=None, committed=None)
        self.is_waiting, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def callback(self, message) -> None:
        if message.offset == 1:
            self.is_waiting.set()
            await self.may_go_on.wait()
        await super().callback(message)


async def test_a_delivery_that_waits_goes_on_and_ends_when_the_flow_is_suspended():
    for suspend, right in ((False, [0, 1, 2]), (True, [0])):
        consumer = Blocking()
        stopped = SimpleNamespace(_stopped=asyncio.Event())
        draining = asyncio.create_task(faust_repairs._drain_messages(consumer, stopped))
        await consumer.is_waiting.wait()
        if suspend:
            consumer._offsets.clear()
            consumer.suspend_flow.set()
        else:
            consumer.may_go_on.set()
        await asyncio.wait_for(draining, 5)
        assert consumer.delivered == right


# ---- installing ----------------------------------------------------------------------------------


def test_installing_twice_is_harmless():
    faust_repairs.install()
    faust_repairs.install()
    for owner, name, _, repaired in faust_repairs.REPAIRS:
        assert getattr(owner, name) is repaired


def test_another_source_is_refused_with_the_pinned_versions():
    class Other:
        def method(self) -> int:
            return 1

    repair = (Other, "method", "0" * 16, faust_repairs._new_offset)
    with pytest.raises(ConfigError, match=r"faust-streaming==0\.15\.3"):
        faust_repairs.install([repair])
    assert Other().method() == 1
