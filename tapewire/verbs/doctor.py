"""``tapewire doctor``: whether everything that a run needs is there."""

import argparse
import os

from streams.codec import to_json
from tapewire.checks import run_checks
from tapewire.running import add_broker_arguments, settings_of

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
A line each: ok, warn (nothing that a worker needs) or fail, with how to mend it. The exit code is 1
if anything fails. A broker that nobody named and that does not answer is a warning.

examples:
  tapewire doctor
  tapewire doctor --broker kafka-1:9092 --json | jq '.checks[] | select(.state != "ok")'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the broker to look at."""
    add_broker_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one object with all checks")


def run(arguments: argparse.Namespace) -> int:
    """Print each check as it is done; return 1 if any fails."""
    settings = settings_of(arguments)
    is_named = arguments.broker is not None or "TAPEWIRE_BROKER" in os.environ
    checks = []
    for check in run_checks(settings, is_broker_named=is_named):
        checks.append(check)
        if not arguments.json:
            mend = f"\n      {check.mend}" if check.mend else ""
            print(f"{check.state:<4}  {check.name}: {check.detail}{mend}", flush=True)
    if arguments.json:
        print(to_json({"checks": checks}))
    return 1 if any(check.state == "fail" for check in checks) else 0
