"""Recorded input for the demo: headlines in our own words, and a price tape with real days."""

from tapewire.recorded.headlines import read_recorded_headlines, write_headlines
from tapewire.recorded.tape import DAYS, TICKERS, read_tape, write_tape

__all__ = [
    "DAYS",
    "TICKERS",
    "read_recorded_headlines",
    "read_tape",
    "write_headlines",
    "write_tape",
]
