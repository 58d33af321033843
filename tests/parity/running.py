"""Run one set-up to its end, and say what came of it."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from signals import names
from signals.messages import Journal, Reactions
from streams.brokers import Broker
from streams.codec import decode, encode
from streams.compare import Comparison
from streams.last_state import LastState
from streams.recorder import record_topics
from streams.recording import read_recording
from streams.replay import Pipeline
from streams.settings import Settings
from tapewire.verifying import Compared, Endings, Recording, Take, compare_endings, compare_topic
from tests.chaos.harness import lags
from tests.chaos.real import (
    STAGES,
    Bursts,
    RealWorker,
    World,
    make_real_topics,
    out,
    real_agents,
    settings_for,
    wait_until_done,
)
from tests.parity.setups import ALL, SHORT, Setup, as_sent
from tests.parity.worlds import WORLDS

_RECORDED = (names.JOURNAL, names.REACTIONS, names.ALERTS, names.DEAD_LETTERS)
_DONE_S = (
    600.0  # inputs out of order are folded at a third of the rate, and the machine may be busy
)
_SHOWN = 3  # differences of each kind


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What came of a run.

    Attributes:
        kills: how many records were left to do at each kill.
        repeats: how many records of the journal, the reactions and the alerts came again.
        exact: each of reactions and alerts as recorded (a), and as its recorded input gives it (b).
        end: the last states.
    """

    setup: Setup
    seed: int
    folder: Path
    inputs: int
    kills: Sequence[int]
    repeats: int
    exact: Sequence[Compared]
    end: LastState
    seconds: float

    @property
    def different(self) -> int:
        """Return how many records the recorded inputs do not give as they were recorded."""
        return sum(compared.found.different for compared in self.exact)


def run_setup(setup: Setup, seed: int, world: str, folder: Path, broker: Broker | None) -> Parity:
    """Run a set-up and check the exact promise; its recording is left in ``folder``.

    Args:
        setup: one of ``ALL`` or ``SHORT``.
        seed: decides the order of the inputs, the hash seeds, and as far as it can the kills.
        world: a name in ``WORLDS``.
        folder: the run's own, made here.
        broker: that of the set-up; the topics get a prefix of their own.
    """
    folder.mkdir(parents=True)
    begun_s = time.monotonic()
    inputs, kills = WORLDS[world](), []
    recording = folder / "recording"
    if broker is None:
        _replay(setup, seed, world, recording)
    else:
        settings = settings_for(broker, f"parity-{os.getpid()}-{folder.name}.")
        kills = _run_live(settings, setup, Random(seed), inputs, folder)
        asyncio.run(record_topics(settings.broker, settings.prefix, _RECORDED, recording))
    return Parity(
        setup=setup,
        seed=seed,
        folder=recording,
        inputs=len(inputs),
        kills=kills,
        repeats=repeats_of(recording),
        exact=check_exact(recording),
        end=end_of(recording),
        seconds=time.monotonic() - begun_s,
    )


def end_of(recording: Path) -> LastState:
    """Return the last states of a recorded run."""
    end = LastState()
    for topic in LastState.TOPICS:
        Recording(recording).read(topic, lambda _, value: end.add(value))
    return end


def repeats_of(recording: Path) -> int:
    """Return how many records of a run came again, as they do when a worker was killed."""
    count = 0
    for topic in (names.JOURNAL, names.REACTIONS, names.ALERTS):
        comparison = Comparison()
        Recording(recording).read(topic, partial(comparison.add, "a"))
        count += comparison.found().repeated["a"]
    return count


def compare_ends(one: Parity, other: Parity) -> Endings:
    """Return where the last states of two runs differ."""
    runs = Recording(one.folder), Recording(other.folder)
    return compare_endings(*runs, LastState.TOPICS, most=_SHOWN)


# ---- a replay ------------------------------------------------------------------------------------


def _replay(setup: Setup, seed: int, world: str, recording: Path) -> None:
    number = (ALL + SHORT).index(setup)
    words = ["-m", "tests.parity.replayed", str(number), str(seed), world, str(recording)]
    subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONHASHSEED": str(Random(seed).randrange(2**32))},
        cwd=Path(__file__).resolve().parents[2],
        check=True,
    )


# ---- agents on a broker --------------------------------------------------------------------------


def _run_live(
    settings: Settings, setup: Setup, chosen: Random, world: World, folder: Path
) -> list[int]:
    """Run the workers, kill some of them while records flow, and return what was left each time."""
    make_real_topics(settings, partitions=setup.partitions)
    feed = Bursts(settings, as_sent(world, setup, chosen))
    random.seed(chosen.randrange(2**32))  # the workers' hash seeds come from there
    named = [replace(settings, worker=f"worker-{number}") for number in range(setup.workers)]
    left: list[int] = []
    with ExitStack() as running:
        workers = [running.enter_context(RealWorker(one, folder)) for one in named]
        feed.start()
        for kill in range(1, setup.kills + 1):
            share = kill / (setup.kills + 1)
            feed.allow(share)
            _wait_for_outputs(workers, settings, chosen.randint(1, len(world) // 8))
            feed.allow(share + 1 / (2 * setup.kills + 2))
            time.sleep(chosen.uniform(0, 0.4))  # into whatever they do
            victim = chosen.randrange(len(workers))
            workers[victim].kill()
            left.append(sum(asyncio.run(lags(settings, STAGES))))
            workers[victim] = running.enter_context(RealWorker(named[victim], folder))
        feed.finish()
        wait_until_done(settings, workers, timeout_s=_DONE_S)
        for worker in workers:
            assert worker.stop() == 0, worker.tail()
    return left


def _wait_for_outputs(workers: Sequence[RealWorker], settings: Settings, more: int) -> None:
    wanted = out(settings) + more
    workers[0].wait_for(lambda: out(settings) >= wanted, 120)


# ---- the exact promise ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Refolded:
    """What the recorded inputs of a fold give again, held as records."""

    topic_records: Mapping[str, Sequence[tuple[bytes, bytes]]]
    name: str = "what the recorded inputs give"

    def topics(self) -> Sequence[str]:
        return tuple(self.topic_records)

    def read(self, topic: str, take: Take) -> None:
        for key, value in self.topic_records[topic]:
            take(key, value)


def check_exact(recording: Path) -> Sequence[Compared]:
    """Compare the recorded reactions and alerts with what the topics before them give again."""
    given = {
        names.REACTIONS: _refold(recording, names.JOURNAL, lambda raw: decode(raw, Journal)),
        names.ALERTS: _refold(recording, names.REACTIONS, lambda raw: decode(raw, Reactions)),
    }
    held, again = Recording(recording), _Refolded(given)
    return [compare_topic(held, again, topic, most=_SHOWN) for topic in given]


def _refold(
    recording: Path, topic: str, read: Callable[[bytes | None], object]
) -> Sequence[tuple[bytes, bytes]]:
    pipeline = Pipeline(real_agents())
    given = [
        (output.key.encode(), encode(output.message))
        for record in read_recording(recording, topic)
        for output in pipeline.fold(topic, (record.key or b"").decode(), read(record.value))
    ]
    assert not pipeline.dead, pipeline.dead
    return given
