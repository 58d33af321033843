"""``tapewire tail``: the alerts, as they come."""

import argparse
import sys

from streams.codec import to_json
from streams.settings import Settings
from streams.sinks.alert_reader import AlertReader
from tapewire.running import add_broker_arguments, run_quietly, settings_of
from tapewire.show import alert_lines, marks_for

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Reads without a consumer group: it commits nothing and may run beside any other reader. A record
that a restarted worker sends again is shown once.

examples:
  tapewire tail                                   alerts from now on, until Ctrl-C
  tapewire tail --from-start --until-idle 5       all there are, then end
  tapewire tail --json | jq 'select(.severity == "high") | .title'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to start, when to end, and how to print."""
    add_broker_arguments(parser)
    parser.add_argument(
        "--from-start", action="store_true", help="all alerts, not only those from now on"
    )
    parser.add_argument(
        "--until-idle",
        type=float,
        metavar="S",
        help="end when no alert has come for S seconds (default: never)",
    )
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")
    parser.add_argument("--json", action="store_true", help="one alert a line, its body as it is")


def run(arguments: argparse.Namespace) -> int:
    """Print alerts until there are none, or for ever."""
    return run_quietly(_follow(settings_of(arguments), arguments))


async def _follow(settings: Settings, arguments: argparse.Namespace) -> int:
    marks = marks_for(sys.stdout)
    async with AlertReader(
        settings.broker,
        prefix=settings.prefix,
        from_start=arguments.from_start,
        until_idle_s=arguments.until_idle,
    ) as alerts:
        async for alert in alerts:
            if arguments.json:
                print(to_json(alert), flush=True)
            else:
                lines = alert_lines(alert, lang=arguments.lang, marks=marks)
                print("\n".join(lines), end="\n\n", flush=True)
    return 0
