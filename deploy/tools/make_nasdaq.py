"""Make signals/market/nasdaq.json: the tickers that the SEC lists under Nasdaq.

    python deploy/tools/make_nasdaq.py LIST SOURCE > signals/market/nasdaq.json

LIST is the SEC's list of companies with their exchange as CSV (columns ``ticker``, ``exchange``),
SOURCE says where it is from and of when. It is the state of one day: who moved between the
exchanges before is under the later one. It decides the benchmark alone, since both keep the same
days and hours.
"""

import csv
import json
import sys
from pathlib import Path


def main(path: str, source: str) -> None:
    """Write the table to standard output."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        tickers = sorted({row["ticker"] for row in rows if row["exchange"] == "Nasdaq"})
    json.dump({"source": source, "tickers": tickers}, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
