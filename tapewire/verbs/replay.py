"""``tapewire replay``: files, a recording or topics into alerts, again and alike."""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from signals import names
from signals.errors import BadMessage, ConfigError
from signals.fold import Agent, Output
from signals.messages import Micros
from streams.brokers import BROKERS
from streams.clock import monotonic_s
from streams.codec import to_json
from streams.pace import Pace
from streams.policy_file import load_policy
from streams.recording import open_recording
from streams.replay import Report
from streams.rule_files import read_pack
from streams.settings import Settings
from streams.sources.times import instant_us, parse_instant
from tapewire.alert_log import AlertLog
from tapewire.input_arguments import add_input_arguments
from tapewire.replay_inputs import Span, Told
from tapewire.replay_modes import (
    Given,
    Job,
    check_jobs,
    replay_exactly,
    replay_from_raw,
    replay_with_agents,
)
from tapewire.replay_outputs import open_outputs
from tapewire.running import Progress, add_broker_arguments, silence_clients

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Two promises. Exact: from reactions.v1, of a recording or of a broker, the alerts are those that
the live run sent, byte for byte; with the journal in the recording its reactions are computed again
and compared too, and if they differ the exit code is 1. Convergent: from headlines and prices, in
files or (--raw) in a recording or on a broker, records are folded in the order (received, topic,
key, id), and the last state of every story is that of a live run over the same records.

--from, --to and --as-of go by receipt for headlines and prices: what was not received in time is as
good as not there. For reactions --from and --to go by the records' timestamps, everything before is
folded nevertheless, and --as-of leaves the alerts that rest on nothing received later.

Inputs in the order of their receipt are merged as they are read, and take no memory; others are
sorted in memory, and that is said. Alerts are JSON lines in the order in which they became known
(with --speed as they come), and the last line says how many records were read, late and dead, and
the SHA-256 of the alerts. A line that cannot be read is refused with the reason; the others are
used, and the exit code is 1.

--through-agents runs a worker over topics and a group of its own, on the broker that is named or on
one that it starts, and takes its topics away in the end. Nothing is committed but by that worker,
and nothing is written under the live prefix.

examples:
  tapewire replay --headlines news.jsonl --prices bars.csv --bar 1m --out alerts.jsonl
  tapewire replay --headlines a.jsonl b.jsonl --prices *.csv --as-of 2025-11-03T15:00:00Z
  tapewire replay --recording demo/recording --out alerts.jsonl
  tapewire replay --broker 127.0.0.1:9092 --raw --from 2025-11-03T00:00:00Z --speed 60
  tapewire replay --recording recordings/november --raw --to-prefix replay-1. --all
  tapewire replay --recording recordings/november --raw --through-agents --broker kafka --compare
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where records come from, which of them, by what and how, and where alerts go."""
    add_input_arguments(parser)
    add_broker_arguments(parser)
    for name, text in (
        ("--from", "leave out what was received before"),
        ("--to", "leave out what was received then or later"),
        ("--as-of", "leave out what was received after"),
    ):
        parser.add_argument(
            name, dest=name.strip("-").replace("-", "_") + "_at", metavar="TIME", help=text
        )
    parser.add_argument(
        "--speed",
        type=float,
        default=0.0,
        metavar="N",
        help="1 as it happened, 60 sixty times as fast, 0 as fast as it goes (default: 0)",
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="thresholds as YAML (default: TAPEWIRE_POLICY, else the defaults)",
    )
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help="a pack of rules (default: TAPEWIRE_RULES)"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes, for files (default: 1)"
    )
    parser.add_argument(
        "--through-agents", action="store_true", help="an isolated run of a worker on a broker"
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="with --through-agents: fold without a broker too, and compare the last states",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="where the alerts go; - is stdout (default: -)"
    )
    parser.add_argument(
        "--to-prefix", metavar="PREFIX", help="send the alerts to PREFIXalerts.v1 instead"
    )
    parser.add_argument(
        "--all", action="store_true", help="with --to-prefix: events, journal and reactions too"
    )
    parser.add_argument("--json", action="store_true", help="the last line as a JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Replay and write the alerts; return 1 if a line was refused or a comparison failed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: in good order
    silence_clients()
    _check(arguments)
    progress, started_s = Progress(), monotonic_s()
    refused: list[BadMessage] = []

    def refuse(error: BadMessage) -> None:
        refused.append(error)
        progress.clear()
        print(f"refused: {error}", file=sys.stderr)

    told, log = Told(refuse), AlertLog()
    with open_outputs(
        _out(arguments),
        to_prefix=arguments.to_prefix,
        everything=arguments.all,
        live=_settings(arguments),
        is_streamed=bool(arguments.speed) and not arguments.through_agents,
    ) as (take, finish):
        job = _job(arguments, progress, take)
        check_jobs(job)
        if arguments.through_agents:
            report, is_equal = replay_with_agents(
                job,
                told,
                log,
                own_broker=arguments.broker if arguments.broker in BROKERS else None,
                compare=arguments.compare,
            )
        elif _is_exact(arguments):
            report, is_equal = replay_exactly(job, log)
        else:
            report, is_equal = replay_from_raw(job, told, log), True
        finish(log)
    progress.clear()
    _say_end(arguments, report, log, refused=len(refused), seconds=monotonic_s() - started_s)
    return 0 if is_equal and not refused else 1


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what does not go together."""
    files = (arguments.headlines, arguments.prices)
    if arguments.recording is not None:
        if any(files) or arguments.bar:
            raise ConfigError("--recording stands alone, without --headlines, --prices and --bar")
    elif any(files) and not all(files):
        raise ConfigError("give --headlines FILE and --prices FILE, or --recording FOLDER")
    elif not any(files) and (_own_broker(arguments) or not (arguments.broker or arguments.prefix)):
        raise ConfigError(
            "give --headlines FILE and --prices FILE, or --recording FOLDER, or --broker HOST:PORT"
        )
    agents = arguments.through_agents
    for wrong, sentence in (
        (arguments.compare and not agents, "--compare goes with --through-agents"),
        (arguments.all and not arguments.to_prefix, "--all goes with --to-prefix"),
        (agents and arguments.to_prefix, "--through-agents has a prefix of its own; use --out"),
        (agents and arguments.jobs != 1, "--jobs is for replays without a broker; leave it out"),
        (_own_broker(arguments) and not agents, "--broker must be HOST:PORT without agents"),
        (arguments.jobs < 1, f"--jobs must be 1 or more, was {arguments.jobs}"),
    ):
        if wrong:
            raise ConfigError(sentence)
    if _is_exact(arguments) and (arguments.speed or arguments.jobs > 1 or arguments.all):
        raise ConfigError("--speed, --jobs and --all are for headlines and prices; add --raw")


def _own_broker(arguments: argparse.Namespace) -> bool:
    return arguments.broker in BROKERS


def _is_exact(arguments: argparse.Namespace) -> bool:
    """Return whether what the agents wrote is replayed, and not what went in."""
    if arguments.headlines or arguments.raw or arguments.through_agents:
        return False
    if arguments.recording is None:
        return True
    recorded = open_recording(arguments.recording).topics
    return names.REACTIONS in recorded or names.HEADLINES not in recorded


def _job(
    arguments: argparse.Namespace,
    progress: Progress,
    take: Callable[[Agent, Output], None] | None,
) -> Job:
    settings = _settings(arguments)
    counts: Counter[str] = Counter()
    started_s = monotonic_s()
    stream = sys.stderr if _goes_to_stdout(arguments) else sys.stdout

    def count(stage: str) -> None:
        counts[stage] += 1
        if counts[stage] % 100 == 0:
            seconds = max(monotonic_s() - started_s, 1e-3)
            progress.say(f"{counts[stage]:,} records {stage}, {counts[stage] / seconds:,.0f}/s")

    def note(sentence: str) -> None:
        progress.clear()
        print(sentence, file=stream)

    def warn(sentence: str) -> None:
        progress.clear()
        print(sentence, file=sys.stderr)

    return Job(
        given=Given(
            headlines=tuple(arguments.headlines),
            prices=tuple(arguments.prices),
            bar=arguments.bar,
            recording=arguments.recording,
        ),
        settings=settings,
        policy=load_policy(settings.policy),
        rules=None if settings.rules is None else read_pack(settings.rules),
        span=Span(
            from_us=_moment_us("--from", arguments.from_at),
            to_us=_moment_us("--to", arguments.to_at),
            as_of_us=_moment_us("--as-of", arguments.as_of_at),
        ),
        pace=Pace(arguments.speed),
        jobs=arguments.jobs,
        count=count,
        tell=progress.say,
        note=note,
        warn=warn,
        take=take,
    )


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings.from_env(
        os.environ,
        policy=arguments.policy,
        rules=arguments.rules,
        broker=None if _own_broker(arguments) else arguments.broker,
        prefix=arguments.prefix,
    )


def _moment_us(name: str, text: str | None) -> Micros | None:
    if text is None:
        return None
    try:
        return instant_us(parse_instant(text))
    except ValueError as error:
        raise ConfigError(f"{name} {error}") from error


def _goes_to_stdout(arguments: argparse.Namespace) -> bool:
    return _out(arguments) == "-"


def _out(arguments: argparse.Namespace) -> str | None:
    """Return where the lines go; None for topics alone."""
    out: str | None = arguments.out
    return out or (None if arguments.to_prefix else "-")


def _say_end(
    arguments: argparse.Namespace, report: Report, log: AlertLog, *, refused: int, seconds: float
) -> None:
    """Say what was read and what came of it, beside the alerts if those go to stdout."""
    stream = sys.stderr if _goes_to_stdout(arguments) else sys.stdout
    read = sum(report.read.values())
    dead = sum(report.dead.values()) - report.late
    rate = read / seconds if seconds else 0.0
    if arguments.json:
        summary = {
            "read": dict(report.read),
            "refused": refused,
            "late": report.late,
            "dead": dict(report.dead),
            "alerts": len(log),
            "seconds": round(seconds, 3),
            "rate": round(rate, 1),
            "sha256": log.sha256(),
        }
        print(to_json(summary), file=stream)
        return
    print(
        f"{read:,} records read in {seconds:.1f} s ({rate:,.0f}/s), {refused} refused, "
        f"{report.late} late, {dead} dead, {len(log)} alerts, sha256 {log.sha256()}",
        file=stream,
    )
