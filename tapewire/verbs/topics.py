"""``tapewire topics``: the registry's topics on a broker."""

import argparse

from agents.app import changelog_topics
from signals.errors import ConfigError
from streams.assemble import assemble_agents
from streams.codec import to_json
from streams.policy_file import load_policy
from streams.topic_admin import apply_topics
from tapewire.running import add_broker_arguments, run_quietly, settings_of

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Safe to repeat. The partition count of a topic whose keys carry state is never changed in place:
that is refused, with the way to migrate.

examples:
  tapewire topics apply
  tapewire topics apply --partitions 24 --prefix staging. --broker kafka-1:9092,kafka-2:9092
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one action that there is."""
    actions = parser.add_subparsers(dest="action", metavar="apply", required=True)
    apply = actions.add_parser("apply", help="create what is missing, alter what differs")
    apply.add_argument(
        "--partitions",
        type=int,
        metavar="N",
        help="of the topics whose keys carry state (default: 12)",
    )
    apply.add_argument(
        "--group",
        help="whose changelogs are created too (default: TAPEWIRE_GROUP, else tapewire)",
    )
    add_broker_arguments(apply)
    apply.add_argument("--json", action="store_true", help="one change a line")


def run(arguments: argparse.Namespace) -> int:
    """Apply the registry and the agents' changelogs, and say what was done."""
    if arguments.partitions is not None and arguments.partitions < 1:
        raise ConfigError(f"--partitions must be 1 or more, was {arguments.partitions}")
    settings = settings_of(arguments, group=arguments.group)
    agents = assemble_agents(load_policy(settings.policy))
    changes = run_quietly(
        apply_topics(
            settings.broker,
            settings.prefix,
            changelog_topics(settings, agents),
            partitions=arguments.partitions,
        )
    )
    for change in changes:
        if arguments.json:
            print(to_json(change))
        else:
            print(f"{change.action:<9}  {change.topic}  {change.detail}".rstrip())
    return 0
