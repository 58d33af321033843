"""``tapewire worker``: the agents, until they are stopped."""

import argparse
from importlib.metadata import version

from prometheus_client import CollectorRegistry

from agents.worker import run_worker
from streams.assemble import assemble_agents, rule_set_id
from streams.metrics import show_build
from streams.policy_file import load_policy
from streams.rule_files import read_pack
from tapewire.log_lines import set_up_log
from tapewire.running import add_broker_arguments, settings_of

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Settings come from TAPEWIRE_* variables, and from the arguments, which stand above them. Stop it
with Ctrl-C or SIGTERM. It ends with 1 rather than lose a record: run it under a supervisor that
starts it again. The topics must be there: tapewire topics apply.

examples:
  tapewire worker
  TAPEWIRE_BROKER=kafka-1:9092 tapewire worker --worker worker-1 --web-port 6067
  curl http://127.0.0.1:6066/readyz
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an argument for each setting."""
    add_broker_arguments(parser)
    parser.add_argument(
        "--group", help="the consumer group (default: TAPEWIRE_GROUP, else tapewire)"
    )
    parser.add_argument(
        "--worker",
        metavar="NAME",
        help="this worker's name in the group (default: TAPEWIRE_WORKER, else worker-0)",
    )
    parser.add_argument(
        "--web-port",
        type=int,
        metavar="PORT",
        help="of /metrics and /readyz; 0 takes a free one (default: TAPEWIRE_WEB_PORT, else 6066)",
    )
    parser.add_argument(
        "--policy", metavar="FILE", help="thresholds as YAML (default: TAPEWIRE_POLICY)"
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="a pack of rules (default: TAPEWIRE_RULES, else those that ship)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the agents and return the worker's exit code."""
    settings = settings_of(
        arguments,
        group=arguments.group,
        worker=arguments.worker,
        web_port=arguments.web_port,
        policy=arguments.policy,
        rules=arguments.rules,
    )
    rules = None if settings.rules is None else read_pack(settings.rules)
    agents = assemble_agents(load_policy(settings.policy), rules=rules)
    set_up_log()
    registry = CollectorRegistry()
    show_build(registry, version=version("tapewire"), rules=rule_set_id(rules).hash)
    return run_worker(settings, agents, registry)
