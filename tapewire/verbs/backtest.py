"""``tapewire backtest``: what alerts were worth, as a report and tables."""

import argparse
import os
import shlex
import sys
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from signals.backtest.prices import Prices, collect_prices
from signals.errors import BadMessage, ConfigError
from signals.messages import Alert, AlertKind, PriceSample
from signals.policy import Policy
from signals.reading.ruleset import Training
from streams.assemble import rule_set_id
from streams.policy_file import load_policy
from streams.rule_files import shipped_files
from streams.rule_loading import load_rules
from streams.settings import Settings
from streams.sources.faults import OnBad
from streams.sources.price_files import read_price_files
from streams.sources.prices_file import INTERVALS
from streams.tables import load_sessions
from tapewire.alert_log import read_alert_log
from tapewire.figures import Lang
from tapewire.labels import word
from tapewire.replaying import replay
from tapewire.running import Progress

if TYPE_CHECKING:
    from streams.backtest.study import Study

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Each story and party is one signal, at its first alert. It is traded at the first price in a regular
session after the alert was known, and measured 1, 5, 30 and 60 minutes later, at the close, and at
the close 1, 5 and 20 trading days on, raw and less beta times the benchmark's return. What has no
price is counted with its reason. In the folder: report.en.html and report.ko.html, which open
without a network, and observations, cells, curve, placebo and missing as CSV and Parquet. The same
input gives the same bytes.

examples:
  tapewire backtest --alerts alerts.jsonl --prices prices/*.csv --bar 1d --out study
  tapewire backtest --headlines news.jsonl --prices bars.csv SPY.csv --bar 1m --out study --open
  tapewire backtest --alerts alerts.jsonl --prices bars.csv --out study --on confirmed,spill_over
"""

_NEEDED = ("numpy", "matplotlib", "pyarrow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the alerts, the prices, and what to make of them."""
    parser.add_argument("--alerts", type=Path, metavar="FILE", help="alerts, as replay writes them")
    parser.add_argument(
        "--headlines", type=Path, metavar="FILE", help="JSON lines, replayed first (no --alerts)"
    )
    parser.add_argument(
        "--prices", type=Path, nargs="+", metavar="FILE", required=True, help="CSV or Parquet"
    )
    parser.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--lang", choices=("en", "ko", "both"), default="both")
    parser.add_argument(
        "--on",
        type=_kinds,
        default=("new",),
        metavar="KIND,…",
        help="which transitions are traded (default: new)",
    )
    parser.add_argument(
        "--cost",
        type=_ratio,
        default=0.0005,
        metavar="RATIO",
        help="of a round trip, taken off each trade (default: 0.0005)",
    )
    parser.add_argument("--seed", type=_seed, default=7, help="of the random draws (default: 7)")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="thresholds as YAML")
    parser.add_argument("--open", action="store_true", help="show the report in a browser")


def _kinds(text: str) -> tuple[AlertKind, ...]:
    known: Sequence[AlertKind] = get_args(AlertKind)
    wanted = [name.strip() for name in text.split(",")]
    wrong = [name for name in wanted if name not in known]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(known)}")
    return tuple(kind for kind in known if kind in wanted)


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be a ratio from 0 to below 1, was {text!r}")
    return value


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0, was {text!r}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Write the report and the tables; return 1 if a row could not be read."""
    if (arguments.alerts is None) == (arguments.headlines is None):
        raise ConfigError("give --alerts FILE or --headlines FILE, one of them")
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if lacking:
        raise ConfigError(f"{lacking[0]} is missing; pip install 'tapewire[backtest]'")
    settings = Settings.from_env(os.environ, policy=arguments.policy)
    policy = load_policy(settings.policy)
    progress = Progress()
    refused: list[BadMessage] = []

    def refuse(error: BadMessage) -> None:
        refused.append(error)
        progress.clear()
        print(f"refused: {error}", file=sys.stderr)

    benchmarks = settings.benchmarks_by_market
    alerts = _alerts(arguments, policy, benchmarks, refuse, progress)
    if not alerts:
        raise ConfigError("there are no alerts in it, so there is nothing to measure")
    samples = read_price_files(
        arguments.prices,
        bar=arguments.bar,
        # The replay has read the prices before, and told what cannot be read.
        on_bad=refuse if arguments.headlines is None else lambda _: None,
        benchmarks=benchmarks,
    )
    prices = collect_prices(
        _counted(samples, progress),
        load_sessions(),
        policy,
        on_bad=refuse if arguments.headlines is None else lambda _: None,
        wanted={ticker for alert in alerts for ticker in _tickers(alert)},
    )
    _write(arguments, alerts, prices, progress)
    return 1 if refused else 0


def _alerts(
    arguments: argparse.Namespace,
    policy: Policy,
    benchmarks: Mapping[str, str],
    refuse: OnBad,
    progress: Progress,
) -> list[Alert]:
    """Return the alerts of the file, or those that a replay gives."""
    if arguments.alerts is not None:
        return read_alert_log(arguments.alerts)
    numbers = count(1)

    def tell(_: str) -> None:
        number = next(numbers)
        if number % 100 == 0:
            progress.say(f"{number:,} records replayed")

    report = replay(
        arguments.headlines,
        arguments.prices,
        bar=arguments.bar,
        policy=policy,
        benchmarks=benchmarks,
        on_bad=refuse,
        on_record=tell,
    )
    return report.alerts


def _tickers(alert: Alert) -> Iterator[str]:
    yield from alert.tickers
    for party in alert.parties:
        yield from party.tickers


def _counted(samples: Iterable[PriceSample], progress: Progress) -> Iterator[PriceSample]:
    for number, sample in enumerate(samples, 1):
        if number % 100 == 0:
            progress.say(f"{number:,} prices read")
        yield sample


def _write(
    arguments: argparse.Namespace,
    alerts: Sequence[Alert],
    prices: Mapping[str, Prices],
    progress: Progress,
) -> None:
    # numpy and matplotlib: half a second that no other verb needs.
    from streams.backtest.report import About, report_html
    from streams.backtest.study import run_study
    from streams.backtest.tables import write_tables

    study = run_study(
        alerts,
        prices,
        kinds=arguments.on,
        cost=arguments.cost,
        seed=arguments.seed,
        on_step=progress.say,
    )
    about = About(
        command=_command(arguments),
        training=_training(),
    )
    langs: tuple[Lang, ...] = ("en", "ko") if arguments.lang == "both" else (arguments.lang,)
    folder: Path = arguments.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for lang in langs:
            page = report_html(study, about, langs=langs, lang=lang, name=partial(word, lang=lang))
            (folder / f"report.{lang}.html").write_text(page, encoding="utf-8")
        write_tables(study, folder)
    except OSError as error:
        raise ConfigError(f"--out {folder} cannot be written: {error.strerror}") from error
    progress.clear()
    _finish(study, folder / f"report.{langs[0]}.html")
    if arguments.open:
        webbrowser.open((folder / f"report.{langs[0]}.html").resolve().as_uri())


def _finish(study: "Study", report: Path) -> None:
    from streams.backtest.report import MAIN

    missing = len(study.observations) - len(study.entered)
    print(
        f"{len(study.observations):,} signals from {study.alerts:,} alerts, "
        f"{len(study.entered):,} traded, {missing:,} without a price"
    )
    cell, placebo = study.cell("signed_abnormal", "all", "all", MAIN), study.placebo[MAIN]
    if cell is not None and cell.summary.mean is not None:
        one = cell.summary
        beside = "" if placebo is None else f", placebo {placebo.mean:+.2%} (p {placebo.p:.3f})"
        print(
            f"next trading day's close, less the market: {one.mean:+.2%} "
            f"[{one.low or 0.0:+.2%}, {one.high or 0.0:+.2%}], n {one.n}{beside}"
        )
    print(report)


def _training() -> dict[str, Training | None]:
    """Return what the weights of the shipped rule set were learned from, by its hash."""
    shipped = shipped_files()
    rules = load_rules(shipped.rules, shipped.rates)
    return {rule_set_id(shipped).hash: rules.training}


def _command(arguments: argparse.Namespace) -> str:
    """Return the command without its folder, which says nothing about the figures."""
    words = ["tapewire", "backtest"]
    for name in ("alerts", "headlines"):
        if (path := getattr(arguments, name)) is not None:
            words += [f"--{name}", path.name]
    words += ["--prices", *(path.name for path in arguments.prices)]
    words += [] if arguments.bar is None else ["--bar", arguments.bar]
    words += [] if arguments.policy is None else ["--policy", arguments.policy.name]
    words += ["--on", ",".join(arguments.on), "--cost", f"{arguments.cost:g}"]
    return shlex.join([*words, "--seed", str(arguments.seed)])
