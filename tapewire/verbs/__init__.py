"""The verbs of the command: a new verb is one module here and one line in the table.

A verb's module has ``EXAMPLES`` (shown under its help), ``add_arguments(parser)`` and
``run(arguments) -> int``, the exit code. Only the verb that is called is imported, so that
``tapewire classify`` never loads Faust.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["VERBS", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """The home of a verb, and what it does in one sentence."""

    module: str
    summary: str


VERBS: Mapping[str, Verb] = {
    "demo": Verb(
        "tapewire.verbs.demo",
        "Run the whole way once: broker, worker, recorded news and prices in, alerts out.",
    ),
    "worker": Verb("tapewire.verbs.worker", "Run the agents until they are stopped."),
    "ingest": Verb(
        "tapewire.verbs.ingest", "Send headlines or prices, from files or live, to the topics."
    ),
    "tail": Verb("tapewire.verbs.tail", "Follow the alerts."),
    "classify": Verb(
        "tapewire.verbs.classify", "Read headlines as deals, export controls and expansions."
    ),
    "record": Verb("tapewire.verbs.record", "Copy topics into Parquet files that can be replayed."),
    "replay": Verb(
        "tapewire.verbs.replay", "Turn files, a recording or topics into alerts, again and alike."
    ),
    "verify": Verb("tapewire.verbs.verify", "Compare two runs, and print where they first differ."),
    "backtest": Verb(
        "tapewire.verbs.backtest", "Measure what alerts were worth, as a report and tables."
    ),
    "moves": Verb("tapewire.verbs.moves", "Show what prices in files did, session by session."),
    "explain": Verb("tapewire.verbs.explain", "Show why an alert fired, with its evidence marked."),
    "topics": Verb("tapewire.verbs.topics", "Create the topics, and bring their settings in line."),
    "rules": Verb("tapewire.verbs.rules", "Check the rule set against its own examples."),
    "stories": Verb("tapewire.verbs.stories", "Score the stories that headlines are grouped into."),
    "doctor": Verb("tapewire.verbs.doctor", "Check that everything that a run needs is there."),
}
