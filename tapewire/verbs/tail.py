"""``tapewire tail``: the alerts, as they come."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from signals.alerts.notices import HELD_FOR, Notice
from signals.errors import ConfigError
from signals.messages import Alert, Micros
from streams.codec import to_json
from streams.policy_file import load_policy
from streams.settings import Settings
from streams.sinks.alert_reader import AlertReader
from streams.sinks.delivered import DeliveredView
from streams.sources.times import instant_us, parse_instant
from tapewire.alert_log import read_alert_log
from tapewire.running import add_broker_arguments, run_quietly, settings_of
from tapewire.show import alert_lines, marks_for
from tapewire.show_digest import digest_lines
from tapewire.ticker_weeks import TickerWeeks

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Reads without a consumer group: it commits nothing and may run beside any other reader. A record
that a restarted worker sends again is shown once.

What is shown goes by the policy's delivery: a cooldown for each story and ticker, a budget for each
ticker and week. What was held back is named in a digest, with the reason, when a later alert shows
it to be due, and at the end. --all shows every transition, as alerts.v1 holds it.

A start reads what the topic holds to know what was delivered and held back before; so it may be
stopped and started at any time. --since goes on after the last known_us that was shown.

examples:
  tapewire tail                                   alerts from now on, until Ctrl-C
  tapewire tail --all                             every transition of every story
  tapewire tail --ticker IREN DELL                of these tickers, with a budget of their own
  tapewire tail --from-start --until-idle 5       all there are, then end
  tapewire tail --since 2025-11-03T15:00:00Z      those that became known later, and so on
  tapewire tail --alerts alerts.jsonl             what a replay's alerts would have been
  tapewire tail --json | jq 'select(.severity == "high") | .title'
  tapewire tail --json | jq 'select(.kind == "digest") | .held[] | .alert_id'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to start, when to end, what to show, and how to print."""
    add_broker_arguments(parser)
    parser.add_argument(
        "--alerts",
        type=Path,
        metavar="FILE",
        help="alerts as JSON lines, from replay or demo, instead of the broker's",
    )
    parser.add_argument("--all", action="store_true", help="every transition, nothing held back")
    parser.add_argument(
        "--ticker", nargs="+", default=[], metavar="T", help="of these alone (default: all)"
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="its delivery decides (default: TAPEWIRE_POLICY, else the defaults)",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--from-start", action="store_true", help="all alerts, not only those from now on"
    )
    start.add_argument(
        "--since", metavar="TIME", help="alerts that became known after (ISO 8601 with an offset)"
    )
    parser.add_argument(
        "--until-idle",
        type=float,
        metavar="S",
        help="end when no alert has come for S seconds (default: never)",
    )
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")
    parser.add_argument("--json", action="store_true", help="one a line, its body as it is")


def run(arguments: argparse.Namespace) -> int:
    """Print alerts until there are none, or for ever."""
    if arguments.all and arguments.ticker:
        raise ConfigError("--ticker is for what is delivered; leave --all out")
    settings = settings_of(arguments, policy=arguments.policy)
    since_us = _since_us(arguments.since)
    view = None
    if not arguments.all:
        view = DeliveredView(load_policy(settings.policy), reader="tail", watched=arguments.ticker)
    if arguments.alerts is not None:
        return _from_file(arguments, view, since_us)
    try:
        return run_quietly(_follow(settings, arguments, view, since_us))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _since_us(text: str | None) -> Micros | None:
    if text is None:
        return None
    try:
        return instant_us(parse_instant(text))
    except ValueError as error:
        raise ConfigError(f"--since {error}") from error


async def _follow(
    settings: Settings,
    arguments: argparse.Namespace,
    view: DeliveredView | None,
    since_us: Micros | None,
) -> int:
    _end_on_sigterm()
    # What was delivered before is known from what the topic holds.
    from_start = arguments.from_start or since_us is not None or view is not None
    async with AlertReader(
        settings.broker,
        prefix=settings.prefix,
        from_start=from_start,
        until_idle_s=arguments.until_idle,
    ) as alerts:
        try:
            async for alert in alerts:
                notices = (alert,) if view is None else view.take(alert)
                if arguments.from_start or alerts.is_live:
                    _print(notices, arguments)
                elif since_us is not None:
                    _print((n for n in notices if n.known_us > since_us), arguments)
        finally:
            if view is not None:
                _print(view.flush(), arguments)
    return 0


def _end_on_sigterm() -> None:
    """Let SIGTERM end the task as Ctrl-C does: between two lines, and with the last digest."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _from_file(
    arguments: argparse.Namespace, view: DeliveredView | None, since_us: Micros | None
) -> int:
    alerts = read_alert_log(arguments.alerts)
    delivered: list[Alert] = []
    for alert in alerts:
        notices = (alert,) if view is None else view.take(alert)
        delivered += [notice for notice in notices if isinstance(notice, Alert)]
        _print((n for n in notices if since_us is None or n.known_us > since_us), arguments)
    if view is not None:
        _print(view.flush(), arguments)
        _say_end(view, TickerWeeks.of(alerts), TickerWeeks.of(delivered))
    return 0


def _print(notices: Iterable[Notice], arguments: argparse.Namespace) -> None:
    marks = marks_for(sys.stdout)
    for notice in notices:
        if arguments.json:
            print(to_json(notice), flush=True)
            continue
        if isinstance(notice, Alert):
            lines = alert_lines(notice, lang=arguments.lang, marks=marks)
        else:
            lines = digest_lines(notice, lang=arguments.lang, marks=marks)
        print("\n".join(lines), end="\n\n", flush=True)


def _say_end(view: DeliveredView, before: TickerWeeks, after: TickerWeeks) -> None:
    """Say on stderr what was delivered and what was held back, and how much that is a week."""
    reasons = ", ".join(f"{name} {view.counts[name]:,}" for name in HELD_FOR if view.counts[name])
    print(
        f"{sum(view.counts.values()):,} alerts: {view.delivered:,} delivered, {view.held:,} held "
        f"back{f' ({reasons})' if reasons else ''} and named in {view.digests:,} digests\n"
        f"alerts a ticker and week: median {before.median}, p99 {before.p99}, most {before.most}; "
        f"delivered: median {after.median}, p99 {after.p99}, most {after.most}",
        file=sys.stderr,
    )
