"""``tapewire rules``: the rule set against its own examples."""

import argparse
from pathlib import Path

from signals.errors import ConfigError
from streams.codec import to_json
from streams.rules import RULES_FOLDER, lint_rules

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Each entry has texts in which it must be found and texts in which it must not. The exit code is 1 if
one does not hold.

examples:
  tapewire rules lint
  tapewire rules lint --folder my-rules --json | jq -r .problem
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one action that there is."""
    actions = parser.add_subparsers(dest="action", metavar="lint", required=True)
    lint = actions.add_parser("lint", help="run every entry's own examples")
    lint.add_argument(
        "--folder",
        type=Path,
        default=RULES_FOLDER,
        help="of rule files (default: those that ship)",
    )
    lint.add_argument("--json", action="store_true", help="one complaint a line")


def run(arguments: argparse.Namespace) -> int:
    """Print what is wrong with the entries; return 1 if anything is."""
    if not arguments.folder.is_dir():
        raise ConfigError(f"--folder must name a folder of rule files, {arguments.folder} is none")
    complaints = lint_rules(arguments.folder)
    for complaint in complaints:
        if arguments.json:
            print(to_json(complaint))
        else:
            print(f"{complaint.entry}: {complaint.problem}")
    if not arguments.json:
        print(f"{arguments.folder.name}: {len(complaints)} complaints")
    return 1 if complaints else 0
