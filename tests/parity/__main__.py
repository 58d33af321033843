"""One answer by every way: ``make parity``, or python -m tests.parity [--seed S] [--only RUN …].

The same headlines and prices go through replays without a broker in many orders, and through the
agents on Apache Kafka and on the embedded broker, with workers that are killed. Of every run the
recorded journal and reactions are folded again: no record may differ (exact). All runs must end in
the same last states: one SHA-256 (convergent). Exit code 0 where that is so, else 1, and 2 where a
broker is missing.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from random import SystemRandom

from signals.errors import ConfigError
from streams.brokers import Broker, kafka_available, start_broker
from tapewire.columns import table
from tapewire.difference_lines import ending_lines, record_lines
from tests.parity.running import Parity, compare_ends, run_setup
from tests.parity.setups import ALL

_HEADS = ("run", "seed", "set-up", "inputs", "records", "left at kills", "repeats", "exact",
          "seconds", "last states")  # fmt: skip
_START_S = 120.0


def main(words: Sequence[str]) -> int:
    """Run the set-ups, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--seed", type=int, help="of run 1; run N has N - 1 more (default: any)")
    parser.add_argument("--only", type=int, nargs="+", metavar="RUN", help="run 1 and these")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the recordings stay")
    arguments = parser.parse_args(words)
    if unknown := sorted(set(arguments.only or ()) - set(range(1, len(ALL) + 1))):
        parser.error(f"--only {unknown[0]}: there are runs 1 to {len(ALL)}")
    if arguments.keep is not None and arguments.keep.exists():
        parser.error(f"--keep {arguments.keep} is there already; name a new folder")
    if (reason := kafka_available()) is not None:
        print(f"parity needs Apache Kafka, which cannot run here: {reason}", file=sys.stderr)
        return 2
    seed = SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    chosen = {1, *(arguments.only or range(1, len(ALL) + 1))}
    print(f"seed {seed}; --seed {seed} --only N repeats run N", file=sys.stderr, flush=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)  # new topics have no leader yet
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tapewire-parity-") as scratch, ExitStack() as open_:

        @cache
        def broker(name: str) -> Broker:
            found = start_broker(name, Path(scratch) / f"{name}-broker", timeout_s=_START_S)
            open_.callback(found.kill)  # its folder is thrown away: nothing to save
            return found

        runs = _run_all(seed, chosen, arguments.keep or Path(scratch), broker)
        return judge(runs, seconds=time.monotonic() - begun_s)


def _run_all(
    seed: int, chosen: set[int], folder: Path, broker: Callable[[str], Broker]
) -> list[Parity]:
    runs: list[Parity] = []
    for number, setup in enumerate(ALL, 1):
        if number in chosen:
            at = None if setup.broker is None else broker(setup.broker)
            runs.append(
                run_setup(setup, seed + number - 1, "two days", folder / f"run-{number}", at)
            )
            told = "  ".join(_cells(number, runs[-1]))
            print(f"{time.strftime('%H:%M:%S')}  {told}", file=sys.stderr, flush=True)
    print("\n".join(table([_HEADS, *map(_cells, sorted(chosen), runs)])))
    return runs


def _cells(number: int, run: Parity) -> Sequence[str]:
    found = [compared.found for compared in run.exact]
    records = sum(one.equal + one.differing + one.only_a for one in found)
    return (
        str(number),
        str(run.seed),
        str(run.setup),
        f"{run.inputs:,}",
        f"{records:,}",
        " ".join(f"{left:,}" for left in run.kills) or "–",
        f"{run.repeats:,}",
        f"{run.different:,} differ",
        f"{run.seconds:.1f}",
        run.end.sha256()[:16],
    )


def judge(runs: Sequence[Parity], *, seconds: float) -> int:
    """Print the first differences and the last line, and return the exit code."""
    first = runs[0]
    is_good = True
    for run in runs:
        hashes = run.end.sha256(), first.end.sha256()
        if run.different:
            is_good = False
            print(f"\nNOT exact: {run.setup}, seed {run.seed}; A is recorded, B is folded again")
            for compared in run.exact:
                for shown in compared.shown:
                    print("\n".join(record_lines(shown)))
        if hashes[0] != hashes[1]:
            is_good = False
            endings = compare_ends(first, run)
            print(f"\nNOT convergent: B is {run.setup}, seed {run.seed}; A is {first.setup}")
            print(f"{len(endings.different)} last states differ")
            for other in endings.shown:
                print("\n".join(ending_lines(other)))
    counts = first.end.counts()
    ends = len({run.end.sha256() for run in runs})
    print(
        f"\n{len(runs)} runs, {sum(len(run.kills) for run in runs)} kills, "
        f"{sum(run.different for run in runs)} records differ; {counts['story']} stories, "
        f"{counts['reaction']} reactions and {counts['report']} unexplained moves end in "
        f"{ends} way{'s' if ends > 1 else ''}, sha256 {first.end.sha256()}; {seconds:.0f} s"
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ConfigError as error:
        print(f"parity: {error}", file=sys.stderr)
        sys.exit(2)
