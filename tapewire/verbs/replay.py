"""``tapewire replay``: files or a recording into alerts, without a broker."""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from signals.errors import BadMessage, ConfigError
from signals.policy import Policy
from streams.clock import monotonic_s
from streams.codec import to_json
from streams.policy_file import load_policy
from streams.replay import Report, alert_lines
from streams.settings import Settings
from streams.sources.prices_file import INTERVALS
from tapewire.recorded_run import recompute_reactions, replay_recording
from tapewire.replaying import replay
from tapewire.running import Progress

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
From files, records are folded in the order (received, topic, key, id), and the last state of every
story is that of a live run over the same records. From a recording, the alerts are those that the
live run sent, byte for byte, and its reactions are computed again from the journal and compared;
if they differ the exit code is 1. Alerts are JSON lines in the order in which they became known,
and the last line says how many records were read, late and dead, and the SHA-256 of the alerts.

A line that cannot be read is refused with the reason; the others are used, and the exit code is 1.

examples:
  tapewire replay --headlines news.jsonl --prices bars.csv --bar 1m --out alerts.jsonl
  tapewire replay --headlines news.jsonl --prices trades.csv | jq -r .title
  tapewire replay --recording demo/recording --out alerts.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two kinds of input, and where the alerts go."""
    parser.add_argument("--headlines", type=Path, metavar="FILE", help="JSON lines")
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="CSV: time,ticker,price, or bars"
    )
    parser.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    parser.add_argument(
        "--recording", type=Path, metavar="FOLDER", help="recorded topics, instead of files"
    )
    parser.add_argument(
        "--out", default="-", metavar="FILE", help="where the alerts go; - is stdout (default: -)"
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="thresholds as YAML (default: TAPEWIRE_POLICY, else the defaults)",
    )
    parser.add_argument("--json", action="store_true", help="the last line as a JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Replay and write the alerts; return 1 if a line could not be read."""
    _check(arguments)
    settings = Settings.from_env(os.environ, policy=arguments.policy)
    policy = load_policy(settings.policy)
    refused: list[BadMessage] = []
    progress = Progress()
    counts: Counter[str] = Counter()

    def refuse(error: BadMessage) -> None:
        refused.append(error)
        progress.clear()
        print(f"refused: {error}", file=sys.stderr)

    def count(stage: str) -> None:
        counts[stage] += 1
        if counts[stage] % 100 == 0:
            progress.say(f"{counts['read']:,} records read, {counts['folded']:,} folded")

    started_s = monotonic_s()
    if arguments.recording is not None:
        report = replay_recording(arguments.recording, policy, on_record=count)
    else:
        report = replay(
            arguments.headlines,
            arguments.prices,
            bar=arguments.bar,
            policy=policy,
            benchmarks=settings.benchmarks_by_market,
            on_bad=refuse,
            on_record=count,
        )
    progress.clear()
    _write(report, arguments.out)
    _finish(arguments, report, refused=len(refused), seconds=monotonic_s() - started_s)
    if arguments.recording is not None and not _is_exact(arguments, policy):
        return 1
    return 1 if refused else 0


def _is_exact(arguments: argparse.Namespace, policy: Policy) -> bool:
    """Say whether the recorded journal gives the recorded reactions, byte for byte."""
    compared = recompute_reactions(arguments.recording, policy)
    if compared is None:
        return True
    what = "reactions recomputed from the journal"
    if not compared.missing and not compared.extra:
        stream = sys.stderr if arguments.out == "-" else sys.stdout
        print(f"{compared.equal:,} {what}: equal", file=stream)
        return True
    print(
        f"{what}: {compared.equal:,} equal, {compared.missing:,} recorded ones did not come out, "
        f"{compared.extra:,} came out that were not recorded; was the policy or the rule set "
        "another one?",
        file=sys.stderr,
    )
    return False


def _check(arguments: argparse.Namespace) -> None:
    files = (arguments.headlines, arguments.prices)
    if arguments.recording is not None:
        if any(files) or arguments.bar:
            raise ConfigError("--recording stands alone, without --headlines, --prices and --bar")
    elif not all(files):
        raise ConfigError("give --headlines FILE and --prices FILE, or --recording FOLDER")


def _write(report: Report, out: str) -> None:
    if out == "-":
        sys.stdout.buffer.writelines(alert_lines(report.alerts))
        sys.stdout.flush()
        return
    try:
        with Path(out).open("wb") as file:
            file.writelines(alert_lines(report.alerts))
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written: {error.strerror}") from error


def _finish(arguments: argparse.Namespace, report: Report, *, refused: int, seconds: float) -> None:
    """Say what was read and what came of it, beside the alerts if those go to stdout."""
    stream = sys.stderr if arguments.out == "-" else sys.stdout
    read = sum(report.read.values())
    dead = sum(report.dead.values()) - report.late
    digest = report.sha256()
    if arguments.json:
        summary = {
            "read": dict(report.read),
            "refused": refused,
            "late": report.late,
            "dead": dict(report.dead),
            "alerts": len(report.alerts),
            "seconds": round(seconds, 3),
            "sha256": digest,
        }
        print(to_json(summary), file=stream)
        return
    rate = read / seconds if seconds else 0.0
    print(
        f"{read:,} records read in {seconds:.1f} s ({rate:,.0f}/s), {refused} refused, "
        f"{report.late} late, {dead} dead, {len(report.alerts)} alerts, sha256 {digest}",
        file=stream,
    )
