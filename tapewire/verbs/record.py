"""``tapewire record``: topics of a broker into Parquet files that a replay reads."""

import argparse
import sys
from pathlib import Path

from signals.errors import ConfigError, Unavailable
from streams.clock import monotonic_s
from streams.codec import to_json
from streams.recorder import ALL, Recorder, Tally
from streams.recordings.manifest import ParquetManifest, Request
from streams.recordings.parquet_file import require_arrow
from streams.sources.times import instant_us, parse_instant
from tapewire.running import (
    Progress,
    add_broker_arguments,
    run_quietly,
    settings_of,
    stop_signals,
)

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
One row a record, in topic=…/partition=…/<first offset>.parquet. The manifest is written last, and
names every file with its offsets, counts and SHA-256; a file has its name only once it is whole.
What was cut off, by Ctrl-C or by a kill, goes on when the same command is given again; what was
torn is dropped and told. The newest offsets at the start are the end, unless --follow is given.

--from and --to go by the records' timestamps (the earlier of event time and receipt): from the
first record of a partition that is stamped at --from or later, up to the first one that is stamped
at --to or later. A recording that does not begin at offset 0 says so: tapewire replay then refuses
to tell its alerts exactly, since it does not hold the state that the agents had by then. Its raw
topics can be replayed.

examples:
  tapewire record --out recordings/november
  tapewire record --out raw --topics news.headlines.v1,market.prices.v1 --from 2025-11-03T00:00:00Z
  tapewire record --out live --follow
"""

_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to record, and where to."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new, or begun")
    parser.add_argument(
        "--topics", default=ALL, metavar="a,b|all", help="names without the prefix (default: all)"
    )
    parser.add_argument("--from", dest="from_", metavar="TIME", help="ISO 8601 with an offset")
    parser.add_argument("--to", metavar="TIME", help="likewise; the first moment left out")
    parser.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    add_broker_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the last line as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Record; return 130 if it was stopped before the end."""
    require_arrow()
    settings = settings_of(arguments)
    request = _request(arguments, settings.prefix)
    recorder = Recorder(settings.broker, request, arguments.out, follow=arguments.follow)
    progress, started_s = Progress(), monotonic_s()

    def tell(tally: Tally) -> None:
        left = "" if arguments.follow else f", {tally.left:,} to come"
        seconds = max(monotonic_s() - started_s, 1e-3)
        progress.say(f"{tally.records:,} recorded{left}, {tally.records / seconds:,.0f}/s")

    async def record() -> ParquetManifest:
        with stop_signals() as stop:
            return await recorder.run(stop, tell)

    manifest: ParquetManifest | None = None
    try:
        manifest = run_quietly(record())
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise Unavailable(f"the broker at {settings.broker} does not answer") from error
        raise ConfigError(
            f"--out {arguments.out} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        progress.clear()
        for path in recorder.tally.torn:
            print(f"dropped: {path} was torn", file=sys.stderr)
    _finish(arguments, recorder.tally, manifest, seconds=monotonic_s() - started_s)
    return 0 if manifest.complete else _INTERRUPTED


def _request(arguments: argparse.Namespace, prefix: str) -> Request:
    topics = tuple(sorted({name.strip() for name in arguments.topics.split(",")} - {""}))
    if not topics or (ALL in topics and len(topics) > 1):
        raise ConfigError(f"--topics must be names or {ALL}, was {arguments.topics!r}")
    if arguments.follow and arguments.to is not None:
        raise ConfigError("--follow has no end; leave --to out")
    from_ms, to_ms = _moment_ms("--from", arguments.from_), _moment_ms("--to", arguments.to)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise ConfigError(f"--from {arguments.from_} must be before --to {arguments.to}")
    return Request(prefix=prefix, topics=topics, from_ms=from_ms, to_ms=to_ms)


def _moment_ms(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        # Kafka's timestamps are milliseconds: the first one at or after the moment.
        return max(-(-instant_us(parse_instant(text)) // 1000), 0)
    except ValueError as error:
        raise ConfigError(f"{name} {error}") from error


def _finish(
    arguments: argparse.Namespace, tally: Tally, manifest: ParquetManifest, *, seconds: float
) -> None:
    gaps = {topic: count for topic in manifest.topics if (count := manifest.gaps(topic))}
    late = {
        topic: sum(span.first > 0 for span in spans.values())
        for topic, spans in manifest.topics.items()
    }
    if arguments.json:
        line = {
            "records": tally.records,
            "already_there": tally.held,
            "files": len(manifest.files),
            "bytes": sum(entry.size_bytes for entry in manifest.files),
            "torn": [str(path) for path in tally.torn],
            "gaps": gaps,
            "gone": tally.lost,
            "from_zero": not any(late.values()),
            "seconds": round(seconds, 3),
            "rate": round(tally.records / max(seconds, 1e-3), 1),
            "complete": manifest.complete,
        }
        print(to_json(line), flush=True)
        return
    for topic, count in gaps.items():
        print(
            f"{topic}: {count:,} offsets hold no record (compaction, transactions or retention)",
            file=sys.stderr,
        )
    if tally.lost:
        print(
            f"gone from the broker: {tally.lost:,} records that were to be taken", file=sys.stderr
        )
    begun = [topic for topic, count in late.items() if count]
    if begun:
        print(f"not from offset 0: {', '.join(begun)}", file=sys.stderr)
    size = sum(entry.size_bytes for entry in manifest.files) / 1e6
    stopped = "" if manifest.complete else "; stopped, the same command goes on from here"
    print(
        f"recorded {tally.records} records, already there {tally.held}, {len(manifest.topics)} "
        f"topics in {len(manifest.files)} files of {size:,.1f} MB, in {seconds:.1f} s "
        f"({tally.records / max(seconds, 1e-3):,.0f}/s){stopped}",
        flush=True,
    )
