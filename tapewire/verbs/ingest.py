"""``tapewire ingest``: headlines or prices from files to the topics."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from signals.errors import BadMessage
from signals.messages import Headline, PriceSample
from streams.clients import open_producer, partitions_of
from streams.ingest import Refusal, send_all
from streams.policy_file import load_policy
from streams.settings import Settings
from streams.sources.headlines_file import read_headlines
from streams.sources.prices_file import INTERVALS, read_prices
from streams.topics import HEADLINES, PRICES
from tapewire.running import Progress, add_broker_arguments, run_quietly, settings_of

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
Headlines are JSON lines: title, published_at (ISO 8601 with an offset), and optionally id, body,
lang, source, url, received_at (default: the publish time). Prices are CSV with a header:
time,ticker,price[,volume], or bars time,ticker,open,high,low,close[,volume] with --bar or a column
end. A line that cannot be read, or that is over 1 MiB, is refused with the reason; the others are
sent, and the exit code is then 1.

examples:
  tapewire ingest headlines news.jsonl
  tapewire ingest prices --bar 1m nasdaq.csv nyse.csv --broker 127.0.0.1:9092
"""

_Message = Headline | PriceSample
_Read = Callable[[Path], Iterator[_Message]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two kinds of input, each with its files."""
    kinds = parser.add_subparsers(dest="kind", metavar="headlines|prices", required=True)
    headlines = kinds.add_parser("headlines", help="JSON lines to news.headlines.v1")
    prices = kinds.add_parser("prices", help="CSV to market.prices.v1")
    prices.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    for kind in (headlines, prices):
        kind.add_argument("files", nargs="+", type=Path, metavar="FILE")
        add_broker_arguments(kind)


def run(arguments: argparse.Namespace) -> int:
    """Send the files; return 1 if anything was refused."""
    settings = settings_of(arguments)
    refused: list[str] = []

    def refuse(error: BadMessage) -> None:
        refused.append(str(error))
        print(f"refused: {error}", file=sys.stderr)

    read: _Read
    if arguments.kind == "headlines":
        read = partial(read_headlines, on_bad=refuse)
    else:
        read = partial(read_prices, bar=arguments.bar, on_bad=refuse)
    messages = (message for file in arguments.files for message in read(file))
    topic = HEADLINES.name if arguments.kind == "headlines" else PRICES.name
    sent, at_the_door = run_quietly(_send(settings, topic, messages))
    print(f"sent {sent} {arguments.kind}, refused {len(refused) + at_the_door}")
    return 1 if refused or at_the_door else 0


async def _send(settings: Settings, topic: str, messages: Iterable[_Message]) -> tuple[int, int]:
    """Return how many were sent and how many refused for their size."""
    sent = refused = 0
    progress = Progress()
    largest = load_policy(settings.policy).headline_bytes
    await partitions_of(settings.broker, [f"{settings.prefix}{topic}"])  # a send may create it
    async with open_producer(settings.broker) as producer:
        async for answer in send_all(producer, messages, prefix=settings.prefix, largest=largest):
            if isinstance(answer, Refusal):
                refused += 1
                progress.clear()
                print(f"refused: {answer.id} {answer.detail}", file=sys.stderr)
            else:
                sent += answer
                progress.say(f"{sent} sent")
    progress.clear()
    return sent, refused
