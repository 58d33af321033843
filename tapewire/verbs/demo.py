"""``tapewire demo``: the whole way once, on a broker of its own."""

import argparse
import shutil
import signal
import sys
import tempfile
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from signals import names
from signals.errors import ConfigError
from signals.messages import Alert
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.brokers import BROKERS
from streams.clock import monotonic_s
from streams.codec import to_json
from streams.replay import Report, alert_lines
from streams.sources.merge import canonical_order
from tapewire.live_run import LiveRun, live_run
from tapewire.recorded import read_recorded_headlines, read_tape, write_headlines, write_tape
from tapewire.running import Progress
from tapewire.show import alert_lines as full_lines
from tapewire.show import brief_line, marks_for

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Recorded headlines of 31 October to 5 November and 16 to 17 December 2025, in our own words, meet a
price tape of the same days: the daily figures are real, the minutes between them are synthetic and
seeded. The broker and the worker are the demo's own, on free ports of 127.0.0.1, and end with it.
Alerts are printed a line each, in the order in which they became known; the story of IREN and
Microsoft in full. They stay in a folder, with the input and a recording of the topics.

examples:
  tapewire demo
  tapewire demo --lang ko --keep demo
  tapewire demo --broker kafka        Apache Kafka on the local JVM; needs Java and Maven
"""

_RECORDED = (names.EVENTS, names.JOURNAL, names.REACTIONS, names.ALERTS, names.DEAD_LETTERS)
_TOLD = frozenset({"org:iren", "org:microsoft"})  # the parties of the story that is printed in full
_BAR_MINUTES = 5  # enough to see a move, and a fifth of the work
_PARTITIONS = 4  # one worker and 17 tickers: more of them only take longer to create


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the broker, the folder, and how to print."""
    parser.add_argument(
        "--broker", choices=sorted(BROKERS), default="embedded", help="default: embedded"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="where the results go; must be empty or new (default: a new temporary folder)",
    )
    parser.add_argument("--full", action="store_true", help="every alert in full")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")
    parser.add_argument("--json", action="store_true", help="one alert a line, its body as it is")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo, print the alerts, and say where the results are."""
    _check(arguments.keep)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: in good order
    started_s = monotonic_s()
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="tapewire-run-") as private:
        results = Path(private) / "results"
        with live_run(
            arguments.broker,
            Path(private),
            assemble_agents(Policy()),
            partitions=_PARTITIONS,
            tell=progress.say,
        ) as live:
            report = _run_through(live, results, progress)
            progress.clear()
            _print_alerts(report.alerts, arguments)
            progress.say("stopping")
        progress.clear()
        # Only now, so that a run that was cut off leaves nothing.
        folder = arguments.keep or Path(tempfile.mkdtemp(prefix="tapewire-demo-"))
        shutil.copytree(results, folder, dirs_exist_ok=True)
    _print_end(report, folder, arguments, seconds=monotonic_s() - started_s)
    return 0


def _check(keep: Path | None) -> None:
    """Refuse, before anything is started, a folder that could not take the results in the end."""
    if keep is None:
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigError(f"--keep {keep} must be an empty folder or a new one")
    if not keep.exists():
        try:
            keep.mkdir(parents=True)
            keep.rmdir()  # made for good only with the results
        except OSError as error:
            raise ConfigError(f"--keep {keep} cannot be made: {error.strerror}") from error


def _run_through(live: LiveRun, folder: Path, progress: Progress) -> Report:
    """Send the input, wait until it has gone the whole way, and write the results."""
    folder.mkdir()
    write_headlines(folder / "headlines.jsonl")
    write_tape(folder / "prices.csv", minutes=_BAR_MINUTES)
    report = Report()
    records = canonical_order(read_recorded_headlines(), read_tape(minutes=_BAR_MINUTES))
    # As it happened: the prices before a headline have been folded when it comes.
    for topic, group in groupby(records, key=itemgetter(0)):
        messages = [message for _, _, message in group]
        report.read[topic] += len(messages)
        live.feed(messages, progress.say)
        live.wait_until_done(progress.say)
    report.alerts = live.alerts()
    (folder / "alerts.jsonl").write_bytes(b"".join(alert_lines(report.alerts)))
    live.record(_RECORDED, folder / "recording")
    return report


def _print_alerts(alerts: list[Alert], arguments: argparse.Namespace) -> None:
    """Print a line each, and the demo's own story in full where it comes."""
    marks = marks_for(sys.stdout)
    last: dict[str, Alert] = {}
    for alert in alerts:
        before = last.get(alert.alert_id)
        last[alert.alert_id] = alert
        if arguments.json:
            print(to_json(alert))
        elif arguments.full or _is_told(alert):
            print("\n" + "\n".join(full_lines(alert, lang=arguments.lang, marks=marks)) + "\n")
        else:
            print(brief_line(alert, lang=arguments.lang, before=before))


def _is_told(alert: Alert) -> bool:
    return alert.type == "deal" and {party.id for party in alert.parties} >= _TOLD


def _print_end(
    report: Report, folder: Path, arguments: argparse.Namespace, *, seconds: float
) -> None:
    """Say what went through, where the results are, and how to go on."""
    stream = sys.stderr if arguments.json else sys.stdout
    headlines, prices = report.read[names.HEADLINES], report.read[names.PRICES]
    told = [alert.alert_id for alert in report.alerts if _is_told(alert)]
    first = told[0] if told else "ALERT_ID"
    print(
        f"{headlines:,} headlines and {prices:,} prices in, {len(report.alerts)} alerts out, "
        f"{seconds:.0f} s on the {arguments.broker} broker. Results: {folder}\n"
        f"  tapewire explain {first} --alerts {folder}/alerts.jsonl\n"
        f"  tapewire replay --recording {folder}/recording --out again.jsonl\n"
        f"  tapewire replay --headlines {folder}/headlines.jsonl --prices {folder}/prices.csv "
        "--out again.jsonl\n"
        f"sha256 {report.sha256()}",
        file=stream,
    )
