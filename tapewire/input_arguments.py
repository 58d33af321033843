"""The options that name inputs: files of headlines and prices, or recorded topics."""

import argparse
from pathlib import Path

from streams.sources.prices_file import INTERVALS

__all__ = ["add_input_arguments"]


def add_input_arguments(parser: argparse._ActionsContainer) -> None:
    """Add files of headlines and prices, and a folder of recorded topics."""
    parser.add_argument(
        "--headlines", type=Path, nargs="+", default=[], metavar="FILE", help="JSON lines"
    )
    parser.add_argument(
        "--prices",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="CSV or Parquet: time,ticker,price, or bars",
    )
    parser.add_argument(
        "--bar", choices=INTERVALS, help="how long the bars are, in a file without a column end"
    )
    parser.add_argument(
        "--recording", type=Path, metavar="FOLDER", help="recorded topics, instead of files"
    )
    parser.add_argument(
        "--raw", action="store_true", help="its headlines and prices, not what the agents wrote"
    )
