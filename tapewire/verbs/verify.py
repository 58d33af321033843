"""``tapewire verify``: two runs compared, by id and content or by how they ended."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signals import names
from signals.errors import ConfigError
from streams.codec import to_json
from streams.compare import MISSING, Difference, Found
from streams.last_state import KINDS, LastState
from streams.settings import Settings
from streams.topics import TOPICS
from tapewire.columns import table
from tapewire.difference_lines import ending_lines, record_lines
from tapewire.running import Progress
from tapewire.verifying import (
    AlertLog,
    Compared,
    Endings,
    Recording,
    Run,
    compare_endings,
    compare_topic,
)

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
A run is a file of alerts (JSON lines), a recording (a folder), or the topics under a --prefix of a
broker; name two. Records are compared by id and content, byte for byte; one that comes again under
its id counts once. With --last-state only the ends are compared: the last state of every story,
reaction and unexplained move, whatever the steps were, with one SHA-256 for each run.

examples:
  tapewire verify alerts.jsonl again.jsonl
  tapewire verify monday/ monday-replayed/ --topic alerts.v1 --show 20
  tapewire verify --broker 127.0.0.1:9092 --prefix tapewire. --prefix replay-1.
  tapewire verify --last-state monday/ --prefix tapewire.

exit codes: 0 equal, 1 different (or a broker that does not answer), 2 wrong usage or no such run.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two runs, how they are compared, and what is shown."""
    parser.add_argument("runs", nargs="*", metavar="RUN", type=Path, help="a file or a folder")
    parser.add_argument(
        "--broker",
        metavar="HOST:PORT",
        help="where --prefix lies (default: TAPEWIRE_BROKER, else 127.0.0.1:9092)",
    )
    parser.add_argument(
        "--prefix",
        action="append",
        default=[],
        help="a run on the broker: what stands before its topic names (may be given twice)",
    )
    parser.add_argument(
        "--last-state", action="store_true", help="compare how they ended, not the steps"
    )
    parser.add_argument(
        "--topic",
        action="append",
        choices=[topic.name for topic in TOPICS],
        help="only this one (may be given again; default: all of both)",
    )
    parser.add_argument(
        "--show",
        type=_count,
        default=3,
        metavar="N",
        help="how many differences of each kind to print (default: 3)",
    )
    parser.add_argument("--json", action="store_true", help="the result as a JSON object")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0 or more, was {text!r}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Compare, and return 0 where the runs are equal, else 1."""
    a, b = _two_runs(arguments)
    progress, read = Progress(), 0

    def count() -> None:
        nonlocal read
        read += 1
        if read % 1000 == 0:
            progress.say(f"{read:,} records read")

    topics = _topics(a, b, arguments)
    if arguments.last_state:
        endings = compare_endings(a, b, topics, most=arguments.show, on_record=count)
        progress.clear()
        return _tell_endings(a, b, endings, as_json=arguments.json)
    found = [compare_topic(a, b, topic, most=arguments.show, on_record=count) for topic in topics]
    progress.clear()
    return _tell_records(a, b, found, as_json=arguments.json)


def _two_runs(arguments: argparse.Namespace) -> tuple[Run, Run]:
    runs: list[Run] = [_on_disk(path) for path in arguments.runs]
    if arguments.broker is not None and not arguments.prefix:
        raise ConfigError("--broker names no run; add --prefix, what stands before its topic names")
    if arguments.prefix:
        from tapewire.stored_run import StoredRun  # loads the Kafka client

        for prefix in arguments.prefix:
            settings = Settings.from_env(os.environ, broker=arguments.broker, prefix=prefix)
            runs.append(StoredRun(settings.broker, settings.prefix))
    if len(runs) != 2:
        raise ConfigError(f"name two runs, files, folders or --prefix; {len(runs)} were named")
    return runs[0], runs[1]


def _on_disk(path: Path) -> Run:
    if path.is_dir():
        return Recording(path)
    if path.is_file():
        return AlertLog(path)
    raise ConfigError(f"{path} is neither a file of alerts nor a recording's folder")


def _topics(a: Run, b: Run, arguments: argparse.Namespace) -> Sequence[str]:
    """Return the topics to compare: what is asked for, else what either run holds.

    An alert log holds alerts only, so nothing else is compared with it.
    """
    held = set(a.topics()) | set(b.topics())
    if isinstance(a, AlertLog) or isinstance(b, AlertLog):
        held = {names.ALERTS}
    wanted = set(arguments.topic or held)
    if missing := sorted(wanted - held):
        raise ConfigError(f"--topic {missing[0]}: neither run holds it, or one is a file of alerts")
    if arguments.last_state:
        wanted &= set(LastState.TOPICS)
    return [topic.name for topic in TOPICS if topic.name in wanted]


# ---- by id and content ---------------------------------------------------------------------------


def _tell_records(a: Run, b: Run, compared: Sequence[Compared], *, as_json: bool) -> int:
    different = sum(one.found.different for one in compared)
    if as_json:
        print(to_json(_records_as_json(a, b, compared, different=different)))
        return 1 if different else 0
    print(f"A {a.name}\nB {b.name}\n")
    heads = ("topic", "equal", "differ", "only A", "only B", "repeats A", "repeats B")
    print("\n".join(table([heads, *(_row(one.topic, one.found) for one in compared)], left=1)))
    for one in compared:
        for shown in one.shown:
            print("\n" + "\n".join(record_lines(shown)))
        contradicted = one.found.contradicted
        if any(contradicted.values()):
            print(
                f"\n{one.topic}: one id with two contents, {contradicted['a']:,} times in A "
                f"and {contradicted['b']:,} times in B"
            )
    equal = sum(one.found.equal for one in compared)
    print(f"\n{'different' if different else 'equal'}: ", end="")
    print(f"{equal:,} records are the same, {different:,} are not")
    return 1 if different else 0


def _row(topic: str, found: Found) -> Sequence[str]:
    counts = (found.equal, found.differing, found.only_a, found.only_b, *found.repeated.values())
    return (topic, *(f"{count:,}" for count in counts))


def _records_as_json(
    a: Run, b: Run, compared: Sequence[Compared], *, different: int
) -> dict[str, Any]:
    return {
        "equal": not different,
        "a": a.name,
        "b": b.name,
        "topics": {one.topic: one.found for one in compared},
        "differences": [
            {
                "what": shown.what,
                "topic": shown.topic,
                "key": shown.key,
                "id": shown.identity.id or None,
                "revision": shown.identity.revision,
                "places": _places_as_json(shown.places()),
            }
            for one in compared
            for shown in one.shown
        ],
    }


def _places_as_json(places: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return the places; a side that has nothing there is left out."""
    return [
        {"path": place.path}
        | {side: value for side, value in (("a", place.a), ("b", place.b)) if value is not MISSING}
        for place in places
    ]


# ---- by how they ended ---------------------------------------------------------------------------


def _tell_endings(a: Run, b: Run, endings: Endings, *, as_json: bool) -> int:
    code = 1 if endings.different else 0
    if as_json:
        print(to_json(_endings_as_json(a, b, endings)))
        return code
    for side, named, end in (("A", a, endings.a), ("B", b, endings.b)):
        counts = end.counts()
        told = ", ".join(f"{kind} {counts[kind]:,}" for kind in KINDS)
        print(f"{side} {named.name}\n  {told}\n  sha256 {end.sha256()}")
    for other in endings.shown:
        print("\n" + "\n".join(ending_lines(other)))
    if left := len(endings.different) - len(endings.shown):
        print(f"\nand {left:,} more")
    told = f"different: {len(endings.different):,} last states differ"
    print(f"\n{told if code else 'equal: every story and reaction ends the same'}")
    return code


def _endings_as_json(a: Run, b: Run, endings: Endings) -> dict[str, Any]:
    return {
        "equal": not endings.different,
        "a": {"run": a.name, "sha256": endings.a.sha256(), "counts": endings.a.counts()},
        "b": {"run": b.name, "sha256": endings.b.sha256(), "counts": endings.b.counts()},
        "different": [{"kind": kind, "id": id_} for kind, id_ in endings.different],
        "differences": [
            {
                "kind": other.subject.kind,
                "id": other.subject.id,
                "only": None if other.a and other.b else "a" if other.a else "b",
                "places": _places_as_json(other.places()),
            }
            for other in endings.shown
        ],
    }
