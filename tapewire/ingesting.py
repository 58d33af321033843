"""Run sources into a topic: from where it ends, until they end or a signal comes."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from aiokafka import TopicPartition

from signals.errors import BadMessage, TapewireError
from signals.messages import Headline, Micros, PriceSample
from streams.clients import open_consumer, open_producer, partitions_of
from streams.clock import monotonic_s, now_us
from streams.ingest import Outbox, Refusal, Tally
from streams.policy_file import load_policy
from streams.positions import FilePositions, file_source, newest_moments
from streams.settings import Settings
from streams.sources.live import LiveRun
from streams.sources.times import to_iso
from tapewire.running import Progress, stop_signals

__all__ = ["Report", "ingest_files", "ingest_live"]

_IDLE_S = 0.5  # a live source says nothing for that long: count what was acknowledged

Message = Headline | PriceSample
Read = Callable[[Path], Iterator[Message]]


class Report:
    """What an ingest says: progress and refusals on stderr, one last line on stdout."""

    def __init__(self, kind: str) -> None:
        """Begin now; ``kind`` is what is counted, ``headlines`` or ``prices``."""
        self.tally = Tally()
        self._kind = kind
        self._progress = Progress()
        self._started_s = monotonic_s()

    def refuse(self, error: BadMessage | TapewireError) -> None:
        """Count and tell a row that cannot be read; tell a fault that a source gets over."""
        if isinstance(error, BadMessage):
            self.tally.refused += 1
            self._note(f"refused: {error}")
        else:
            self._note(f"tapewire: {error}")

    def refuse_message(self, refusal: Refusal) -> None:
        """Tell a message that is too large; it has been counted."""
        self._note(f"refused: {refusal.id} {refusal.detail}")

    def say(self) -> None:
        """Show how far the source is."""
        tally, seconds = self.tally, max(monotonic_s() - self._started_s, 1e-3)
        at = "" if tally.at_us is None else f", at {to_iso(tally.at_us)}"
        there = f", {tally.held:,} already there" if tally.held else ""
        done = tally.sent + tally.held
        self._progress.say(f"{tally.sent:,} sent{there}, {done / seconds:,.0f}/s{at}")

    def end(self, *, as_json: bool, is_complete: bool) -> None:
        """Print the last line, unless a fault came before anything was looked at."""
        self._progress.clear()
        if not is_complete and self.tally == Tally():
            return
        tally, seconds = self.tally, max(monotonic_s() - self._started_s, 1e-3)
        first, last = (None if at is None else to_iso(at) for at in (tally.first_us, tally.last_us))
        if as_json:
            line = {
                "kind": self._kind,
                "sent": tally.sent,
                "refused": tally.refused,
                "already_there": tally.held,
                "seconds": round(seconds, 3),
                "rate": round(tally.sent / seconds, 1),
                "first_event": first,
                "last_event": last,
                "complete": is_complete,
            }
            print(json.dumps(line), flush=True)
            return
        span = f", of {first} to {last}" if first else ""
        stopped = "" if is_complete else "; stopped, the same command goes on from here"
        print(
            f"sent {tally.sent} {self._kind}, refused {tally.refused}, already there {tally.held}, "
            f"in {seconds:.1f} s ({tally.sent / seconds:,.0f}/s){span}{stopped}",
            flush=True,
        )

    def _note(self, text: str) -> None:
        self._progress.clear()
        print(text, file=sys.stderr)


async def ingest_files(
    settings: Settings,
    topic: str,
    files: Sequence[Path],
    read: Read,
    *,
    again: bool,
    report: Report,
) -> bool:
    """Send files, one after the other; return False if a signal stopped it.

    Args:
        settings: which broker, and the prefix of the topic.
        topic: its name without the prefix.
        files: in the order in which they are sent.
        read: a file's messages.
        again: send also what the topic holds already.
        report: counts and tells.
    Raises: ConfigError, Unavailable; what was acknowledged has been counted.
    """
    async with _door(settings, topic, report) as door:
        for path in files:
            messages = read(path)
            first = next(messages, None)
            if first is None:
                continue
            source = file_source(path.name, first)
            async with open_consumer(settings.broker) as consumer:
                held = None if again else FilePositions(consumer, door.partitions, source)
                sending = door.outbox.send_file(source, chain([first], messages), held)
                async with aclosing(sending) as steps:
                    async for _ in steps:
                        report.say()
                        if door.stop.is_set():
                            return False
            await door.outbox.flush()  # the next file's positions may be this one's
    return True


async def ingest_live(
    settings: Settings, topic: str, live: LiveRun, *, again: bool, report: Report
) -> None:
    """Send what a live source has after the topic's newest of it, until a signal comes.

    Args:
        settings: which broker, and the prefix of the topic.
        topic: its name without the prefix.
        live: the source.
        again: begin as if the topic held nothing of it.
        report: counts and tells.
    Raises: Unavailable for a broker that fails, or a source that cannot go on.
    """
    async with _door(settings, topic, report) as door:
        after: dict[str, Micros] = {}
        if not again:
            async with open_consumer(settings.broker) as consumer:
                after = await newest_moments(
                    consumer,
                    door.partitions,
                    live.name,
                    tickers=live.tickers,
                    since_ms=(now_us() - live.look_back_us) // 1000,
                )
        async with aclosing(_until(door.stop, live.source.samples(after))) as samples:
            async for sample in samples:
                if sample is not None:
                    await door.outbox.send_live(live.name, sample)
                door.outbox.settle()
                report.say()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    outbox: Outbox
    partitions: Sequence[TopicPartition]
    stop: asyncio.Event


@asynccontextmanager
async def _door(settings: Settings, topic: str, report: Report) -> AsyncIterator[_Door]:
    """Yield a way into a topic that is there; what is under way in the end is waited for."""
    name = f"{settings.prefix}{topic}"
    largest = load_policy(settings.policy).headline_bytes
    partitions = await partitions_of(settings.broker, [name])  # a send may create it
    async with open_producer(settings.broker, idempotent=True) as producer:
        outbox = Outbox(
            producer,
            name,
            partitions=len(partitions),
            tally=report.tally,
            refuse=report.refuse_message,
            largest=largest,
        )
        with stop_signals() as stop:
            try:
                yield _Door(outbox=outbox, partitions=partitions, stop=stop)
            except TapewireError:  # the source's; a broker that fails would not answer again
                await outbox.flush()
                raise
            await outbox.flush()


async def _until(
    stop: asyncio.Event, samples: AsyncIterator[PriceSample]
) -> AsyncGenerator[PriceSample | None, None]:
    """Yield samples until the event is set, and None where none has come for a while."""
    stopping = asyncio.ensure_future(stop.wait())
    coming = asyncio.ensure_future(_next(samples))
    try:
        while True:
            await asyncio.wait(
                {stopping, coming}, timeout=_IDLE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping.done():
                return
            if not coming.done():
                yield None
                continue
            sample = coming.result()
            if sample is None:
                return
            yield sample
            coming = asyncio.ensure_future(_next(samples))
    finally:
        stopping.cancel()
        coming.cancel()
        with suppress(asyncio.CancelledError):
            await coming
        if (close := getattr(samples, "aclose", None)) is not None:
            await close()


async def _next(samples: AsyncIterator[PriceSample]) -> PriceSample | None:
    return await anext(samples, None)
