"""``tapewire explain``: why an alert fired."""

import argparse
import sys
from pathlib import Path

from signals.errors import ConfigError, TapewireError
from signals.messages import Alert
from streams.codec import to_json
from tapewire.alert_log import read_alert_log
from tapewire.figures import clock_line
from tapewire.input_arguments import add_input_arguments
from tapewire.labels import word
from tapewire.running import add_broker_arguments, run_quietly, settings_of
from tapewire.show import explain_lines, marks_for

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
The first characters of an id are enough where they name one alert. Evidence is underlined on a
terminal, and stands in «» elsewhere.

--check asks whether the alert follows from what it rests on: its thresholds, severity, ids and
moves are computed again from what it says, and the decision is made again from the inputs received
by then: from reactions.v1 of the broker or of --recording, or from headlines and prices, in files
or (--raw) there. Where it does not hold, each field that differs is named; the exit code is 1.

examples:
  tapewire explain al_3f09 --alerts alerts.jsonl
  tapewire explain al_3f09 --revision 1 --lang ko
  tapewire explain al_3f09 --json | jq .explain.thresholds
  tapewire explain al_3f09 --check
  tapewire explain al_3f09 --alerts alerts.jsonl --check --headlines news.jsonl --prices bars.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which alert, which revision, and where to look."""
    parser.add_argument("alert_id", metavar="ALERT_ID")
    parser.add_argument(
        "--alerts",
        type=Path,
        metavar="FILE",
        help="alerts as JSON lines, from replay or demo (default: the broker's alerts.v1)",
    )
    parser.add_argument("--revision", type=int, metavar="N", help="which one (default: the last)")
    add_broker_arguments(parser)
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")
    parser.add_argument("--json", action="store_true", help="the alert's body, indented")
    check = parser.add_argument_group("--check")
    check.add_argument("--check", action="store_true", help="decide again, and compare")
    check.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="thresholds as YAML (default: TAPEWIRE_POLICY, else the defaults)",
    )
    check.add_argument(
        "--rules", type=Path, metavar="FILE", help="a pack of rules (default: those that ship)"
    )
    add_input_arguments(check)


def run(arguments: argparse.Namespace) -> int:
    """Explain one revision, and list the others."""
    _refuse_what_does_not_go_together(arguments)
    alerts = (
        _from_broker(arguments) if arguments.alerts is None else read_alert_log(arguments.alerts)
    )
    revisions = _revisions(alerts, arguments.alert_id)
    alert = _choose(revisions, arguments.revision)
    if arguments.check:
        from tapewire.checking import check_alert  # loads the agents

        return check_alert(alert, arguments)
    if arguments.json:
        print(to_json(alert, indent=True))
        return 0
    print("\n".join(explain_lines(alert, lang=arguments.lang, marks=marks_for(sys.stdout))))
    for other in revisions:
        mark = "*" if other is alert else " "
        kind = word(other.kind, arguments.lang)
        print(f"  {mark} r{other.revision:<3} {clock_line(other.known_us, arguments.lang)}  {kind}")
    return 0


def _refuse_what_does_not_go_together(arguments: argparse.Namespace) -> None:
    files = (arguments.headlines, arguments.prices)
    of_check = (*files, arguments.bar, arguments.recording, arguments.raw)
    for is_wrong, sentence in (
        (not arguments.check and any((*of_check, arguments.policy, arguments.rules)),
         "inputs, --policy and --rules go with --check"),
        (any(files) and not all(files), "give --headlines FILE and --prices FILE"),
        (any(files) and arguments.recording is not None,
         "--recording stands alone, without --headlines and --prices"),
    ):  # fmt: skip
        if is_wrong:
            raise ConfigError(sentence)


def _from_broker(arguments: argparse.Namespace) -> list[Alert]:
    from streams.sinks.stored_alerts import read_stored_alerts  # loads the Kafka client

    settings = settings_of(arguments)
    return run_quietly(read_stored_alerts(settings.broker, settings.prefix))


def _revisions(alerts: list[Alert], wanted: str) -> list[Alert]:
    """Return the revisions of the one alert whose id begins so, each once.

    Raises: TapewireError where there is none; ConfigError where there are several.
    """
    ids = sorted({alert.alert_id for alert in alerts if alert.alert_id.startswith(wanted)})
    if not ids:
        raise TapewireError(f"there is no alert {wanted} among {len(alerts)} records")
    if len(ids) > 1 and wanted not in ids:
        raise ConfigError(f"{wanted} is the beginning of {len(ids)} ids; give more of {ids[0]}")
    chosen = wanted if wanted in ids else ids[0]
    by_revision = {alert.revision: alert for alert in alerts if alert.alert_id == chosen}
    return [by_revision[revision] for revision in sorted(by_revision)]


def _choose(revisions: list[Alert], wanted: int | None) -> Alert:
    if wanted is None:
        return revisions[-1]
    for alert in revisions:
        if alert.revision == wanted:
            return alert
    raise TapewireError(f"{revisions[0].alert_id} has no revision {wanted}")
