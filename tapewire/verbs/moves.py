"""``tapewire moves``: what prices in files did, session by session."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from signals.errors import BadMessage, ConfigError
from signals.fold import Rows, apply_changes
from signals.market.seconds import sample_prices_step
from signals.market.session_moves import SessionMoves, session_moves
from signals.market.tape import Tape
from signals.messages import Daily, Move, PriceSample, Second, Split
from signals.policy import Policy
from streams.codec import to_json
from streams.policy_file import load_policy
from streams.settings import Settings
from streams.sources.price_files import read_price_files
from streams.sources.prices_file import INTERVALS
from streams.tables import load_sessions
from tapewire.columns import table
from tapewire.figures import Lang, market_day, market_time, percent, price
from tapewire.running import Progress

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Each session against the regular close before it: the gap at the open with its time, the extremes,
the return at the close, and that less beta times the benchmark's; how many deviations of a day that
is (z), and the volume as a multiple of an average day's. The close before comes from a daily record
(--bar 1d gives one for each bar). What is not known is a dash; a step that looks like a split which
no record tells of is marked and has no figure.

examples:
  tapewire moves --bar 1d IREN.csv SPY.csv --day 2025-11-03
  tapewire moves minutes.csv --ticker IREN --ticker DELL --lang ko
  tapewire moves --bar 1d IREN.csv --json | jq .gap.raw
"""

_HEADS: Mapping[Lang, Sequence[str]] = {
    "en": ("session", "ticker", "before", "gap", "at", "high", "low", "close", "return",
           "abnormal", "z", "volume"),
    "ko": ("거래일", "종목", "전일 종가", "시가 갭", "시각", "고가", "저가", "종가", "등락률",
           "시장 조정", "z", "거래량"),
}  # fmt: skip
_SPLIT: Mapping[Lang, str] = {"en": "split?", "ko": "분할?"}
_LEFT_COLUMNS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files, what of them to show, and how."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV or Parquet")
    parser.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    parser.add_argument("--ticker", action="append", help="only these (may be given again)")
    parser.add_argument(
        "--day", action="append", type=_day, metavar="DATE", help="only these days of the market"
    )
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")
    parser.add_argument("--json", action="store_true", help="one session a line, all of its moves")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="how many days beta, volatility and volume take"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be like 2025-11-03, was {text!r}") from None


def run(arguments: argparse.Namespace) -> int:
    """Print the sessions; return 1 if a row could not be read."""
    settings = Settings.from_env(os.environ, policy=arguments.policy)
    policy = load_policy(settings.policy)
    refused: list[BadMessage] = []

    def refuse(error: BadMessage) -> None:
        refused.append(error)
        print(f"refused: {error}", file=sys.stderr)

    samples = read_price_files(
        arguments.files,
        bar=arguments.bar,
        on_bad=refuse,
        benchmarks=settings.benchmarks_by_market,
    )
    found = list(_sessions(_tapes(samples, policy, arguments.ticker), arguments.day))
    if not found and not refused:
        raise ConfigError("no session of the files is among those; leave --ticker or --day out")
    if arguments.json:
        for moves in found:
            print(to_json(moves))
    elif found:
        rows = [_HEADS[arguments.lang], *(_cells(moves, arguments.lang) for moves in found)]
        print("\n".join(table(rows, left=_LEFT_COLUMNS)))
    return 1 if refused else 0


def _tapes(
    samples: Iterable[PriceSample], policy: Policy, tickers: Sequence[str] | None
) -> dict[str, Tape]:
    """Return the prices by ticker, merged as sample_prices merges them."""
    step, progress = sample_prices_step(policy), Progress()
    tapes: dict[str, Tape] = {}
    states: dict[str, Rows] = {}
    for number, sample in enumerate(samples, start=1):
        ticker = sample.ticker
        if tickers and ticker not in tickers:
            continue
        tape = tapes.setdefault(ticker, Tape(ticker, load_sessions(), policy))
        changes, outputs = step(states.get(ticker, {}), ticker, sample)
        states[ticker] = apply_changes(states.get(ticker, {}), changes)
        for output in outputs:
            if isinstance(output.message, Second | Daily | Split):
                tape.add(output.message)
        progress.say(f"{number:,} prices read")
    progress.clear()
    return tapes


def _sessions(tapes: Mapping[str, Tape], days: Sequence[date] | None) -> Iterator[SessionMoves]:
    for ticker in sorted(tapes):
        market = tapes[ticker].market()
        for session in tapes[ticker].sessions():
            if not days or market_day(ticker, session.open_us) in days:
                moves = session_moves(market, session)
                if moves.close is not None:
                    yield moves


def _cells(moves: SessionMoves, lang: Lang) -> Sequence[str]:
    gap, close, previous = moves.gap, moves.close, moves.previous
    if gap is None or close is None or previous is None:
        raise AssertionError("a session without prices or a close before it is not shown")
    return (
        f"{market_day(moves.ticker, moves.session.open_us)}",
        moves.ticker,
        price(previous.close),
        _ratio(gap, lang),
        market_time(moves.ticker, gap.to_us),
        _ratio(moves.high, lang),
        _ratio(moves.low, lang),
        "–" if close.to_price is None else price(close.to_price),
        _ratio(close, lang),
        "–" if close.abnormal is None else percent(close.abnormal),
        "–" if close.z is None else f"{close.z:+.1f}",
        "–" if close.volume_ratio is None else f"{close.volume_ratio:.1f}×",
    )


def _ratio(move: Move | None, lang: Lang) -> str:
    if move is None:
        return "–"
    if "split_like" in move.flags:
        return _SPLIT[lang]
    return "–" if move.raw is None else percent(move.raw)
