"""How long a trading day takes from files, without a broker: python -m benchmarks.day [--share S].

45,000 headlines in both languages, one in twenty a deal, and 2 million trades of 86 New York shares
(one a second of each), from a JSON Lines file and a CSV file of 100 MB: parsed, read, merged,
joined and told, in one process and in two. The peer is an empty loop, in one process and in two of
them: how much a second process is worth on this machine at this moment. Peak memory is that of all
processes together, and again for a quarter of it. With ``--days N`` it is N such days in a row, and
a quarter of the days: what is remembered is that of the last two weeks or so.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from benchmarks.headlines import draw_headlines, names_of
from signals.policy import DAY_US, SECOND_US
from streams.codec import encode
from streams.memory import relax_collector
from streams.parallel import Inputs, replay_in_parallel
from streams.rule_loading import load_rules
from streams.sources.times import to_iso
from tapewire.alert_log import AlertLog

_OPEN_US = 1_762_180_200_000_000  # 2025-11-03T14:30:00Z
_SECONDS = 23_400
_HEADLINES = 45_000
_TICKERS = 86
_LOOPS = 20_000_000


def main() -> None:
    """Print how long each took, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the day (default: all of it)")
    parser.add_argument("--days", type=int, default=1, help="in a row (default: one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inputs, headlines, samples = _write(Path(folder), options.share, options.days)
        print(f"{headlines:,} headlines, {samples:,} prices", flush=True)
        one_s, one_mb, one = _measure(inputs, jobs=1)
        two_s, two_mb, two = _measure(inputs, jobs=2)
        if options.days == 1:
            quarter, *_ = _write(Path(folder), options.share / 4, 1)
        else:
            quarter, *_ = _write(Path(folder), options.share, options.days // 4)
        _, small_mb, _ = _measure(quarter, jobs=2)
    loop_one_s, loop_two_s = _loops(1), _loops(2)
    worth, loop_worth = one_s / two_s, 2 * loop_one_s / loop_two_s
    found = {
        "benchmark": "day",
        "load": os.getloadavg()[0],
        "headlines": headlines,
        "prices": samples,
        "alerts": one,
        "same": one == two,
        "one_process_s": round(one_s, 1),
        "two_processes_s": round(two_s, 1),
        "speedup": round(worth, 2),
        "speedup_of_empty_loops": round(loop_worth, 2),
        "of_the_loops": round(worth / loop_worth, 2),
        "peak_mb": [one_mb, two_mb],
        "peak_mb_of_a_quarter": small_mb,
    }
    for name, value in found.items():
        print(f"{name:24}{value}")
    print(json.dumps(found))


def _measure(inputs: Inputs, *, jobs: int) -> tuple[float, int, str]:
    """Return the seconds, the megabytes of all processes, and the hash of the alert log."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    begun_s = time.monotonic()
    process = context.Process(target=_replay, args=(inputs, jobs, theirs))
    process.start()
    digest, megabytes = mine.recv()
    spent_s = time.monotonic() - begun_s
    process.join()
    return spent_s, megabytes, digest


def _replay(inputs: Inputs, jobs: int, pipe: multiprocessing.connection.Connection) -> None:
    relax_collector()  # as the command does
    log = AlertLog()
    replay_in_parallel(inputs, jobs=jobs, alerts=log)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    pipe.send((f"{len(log)} {log.sha256()[:16]}", (own + jobs * largest) // 1024))


def _loops(count: int) -> float:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_empty_loop) for _ in range(count)]
    begun_s = time.monotonic()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.monotonic() - begun_s


def _empty_loop() -> None:
    for _ in range(_LOOPS):
        pass


def _write(folder: Path, share: float, days: int) -> tuple[Inputs, int, int]:
    """Write so many days, of each the share, and return them with the number of their records."""
    headlines, prices = folder / f"{share}-{days}.jsonl", folder / f"{share}-{days}.csv"
    rules = load_rules()
    count, seconds = round(_HEADLINES * share), round(_SECONDS * share)
    opens_us = [_OPEN_US + (day // 5 * 7 + day % 5) * DAY_US for day in range(days)]
    with headlines.open("wb") as file:
        for seed, open_us in enumerate(opens_us, start=1):
            for headline in draw_headlines(
                names_of(rules),
                count,
                rate=2,
                start_us=open_us - 60 * SECOND_US,
                seed=seed,
                deals=0.05,
            ):
                named = replace(headline, id=f"{headline.id}:{seed}")
                file.write(encode(named) + b"\n")
    listed = sorted(
        (company.prominence, company.tickers[0])
        for company in rules.companies.values()
        if company.tickers and company.tickers[0].isalpha()
    )
    tickers = [ticker for _, ticker in listed[-(_TICKERS - 1) :]] + ["SPY"]
    _write_prices(prices, tickers, opens_us, seconds)
    inputs = Inputs(headlines=(headlines,), prices=(prices,))
    return inputs, count * days, len(tickers) * seconds * days


def _write_prices(path: Path, tickers: list[str], opens_us: list[int], seconds: int) -> None:
    random = Random(2)
    latest = dict.fromkeys(tickers, 100.0)
    gauss: Callable[[float, float], float] = random.gauss
    with path.open("w", encoding="utf-8") as file:
        file.write("time,ticker,price,volume\n")
        for open_us in opens_us:
            for second in range(seconds):
                at = to_iso(open_us + second * SECOND_US)
                for ticker in tickers:
                    latest[ticker] *= 1 + gauss(0.0, 0.0003)
                    file.write(f"{at},{ticker},{latest[ticker]:.2f},100\n")


if __name__ == "__main__":
    main()
