"""What a year asks of a reader and of the state: python -m benchmarks.year --data FOLDER.

FOLDER holds prices_daily/*.csv (Date, Open, High, Low, Close, Volume) and labelled_headlines.jsonl
(id, title, lang, source, published_at). From October 2024 to September 2025 every session of every
share is one bar at its end and a daily record five minutes later, after half a year of daily
records; headlines are received when they were published. All goes through the shipped rules and
the folds in the order of receipt, without a broker.

Printed are the alerts a ticker and week, as told and as delivered; the largest state of a key, by
agent, as it lies in a changelog; and what a record makes each agent write: changed rows and
outputs, keys with them. A headline of which only the day is known is of noon.
"""

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from signals import names
from signals.fold import Agent, Result, Rows, kind_of
from signals.market.sessions import Session
from signals.messages import Alert, Headline, Micros, PriceSample
from signals.policy import DAY_US, MINUTE_US, SECOND_US, Policy
from streams.assemble import assemble_agents
from streams.codec import encode, encode_row
from streams.replay import Pipeline
from streams.sinks.delivered import DeliveredView
from streams.sources.times import instant_us, parse_instant
from streams.tables import load_sessions
from tapewire.ticker_weeks import TickerWeeks

_FROM = date(2024, 10, 1)
_WARM_UP_DAYS = 190  # daily records only, for beta and volatility
_BENCHMARK = "SPY"
_HEAD_BYTES = 9  # of a row in a changelog, before its JSON

Input = tuple[Micros, str, str, Headline | PriceSample]


@dataclass
class Tally:
    """What one agent wrote and kept.

    Attributes:
        records: how many it read; written: bytes of rows and outputs.
        sizes: bytes by key and part; largest: the most that a key ever had, with its kinds then.
    """

    records: int = 0
    written: int = 0
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    largest: tuple[int, str, Mapping[str, int]] = (0, "", {})

    def take(self, key: str, result: Result) -> None:
        """Count what a step gave."""
        self.records += 1
        changes, outputs = result
        for output in outputs:
            self.written += len(encode(output.message)) + len(output.key.encode())
        sizes = self.sizes.setdefault(key, {})
        for part, row in changes.items():
            name = len(key.encode()) + 1 + len(part.encode())
            size = 0 if row is None else name + _HEAD_BYTES + len(encode_row(row))
            self.written += size or name
            self.totals[key] += size - sizes.pop(part, 0)
            if size:
                sizes[part] = size
        if self.totals[key] > self.largest[0]:
            kinds: Counter[str] = Counter()
            for part, size in sizes.items():
                kinds[kind_of(part)] += size
            self.largest = self.totals[key], key, dict(kinds.most_common(4))


def main() -> None:
    """Print the tables, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--weeks", type=int, default=52, help="from October 2024 on (default: 52)")
    options = parser.parse_args()
    policy = Policy()
    inputs = _inputs(options.data, options.weeks)
    tallies: dict[str, Tally] = {}
    pipeline = Pipeline(_counted(agent, tallies) for agent in assemble_agents(policy))
    begun_s = time.process_time()
    alerts = [
        output.message
        for _, topic, key, message in inputs
        for output in pipeline.feed(topic, key, message)
        if isinstance(output.message, Alert)
    ]
    spent_s = time.process_time() - begun_s
    _print(inputs, alerts, _delivered(alerts, policy), tallies, spent_s)


def _counted(agent: Agent, tallies: dict[str, Tally]) -> Agent:
    tally = tallies[agent.name] = Tally()

    def step(rows: Rows, key: str, message: object) -> Result:
        result = agent.step(rows, key, message)
        tally.take(key, result)
        return result

    return replace(agent, step=step)


def _delivered(alerts: list[Alert], policy: Policy) -> list[Alert]:
    view = DeliveredView(policy, reader="year")
    return [notice for alert in alerts for notice in view.take(alert) if isinstance(notice, Alert)]


# ---- inputs --------------------------------------------------------------------------------------


def _inputs(folder: Path, weeks: int) -> list[Input]:
    from_us = _us(f"{_FROM.isoformat()}T00:00:00Z")
    until_us = Micros(from_us + 7 * weeks * DAY_US)
    sessions = [
        session
        for session in load_sessions().by_market["XNYS"]
        if from_us - _WARM_UP_DAYS * DAY_US <= session.open_us < until_us
    ]
    by_day = {_day_of(session.open_us): session for session in sessions}
    market = _rows(folder / "prices_daily" / f"{_BENCHMARK}.csv", by_day)
    found: list[Input] = []
    for path in sorted((folder / "prices_daily").glob("*.csv")):
        for day, row in _rows(path, by_day).items():
            if day in market:
                found += _prices(path.stem, by_day[day], row, market[day], from_us)
    found += _headlines(folder / "labelled_headlines.jsonl", from_us, until_us)
    return sorted(found, key=lambda one: one[:3])


def _day_of(time_us: Micros) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + time_us // DAY_US).isoformat()


def _rows(path: Path, days: Mapping[str, Session]) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["Date"]: row for row in csv.DictReader(lines) if row["Date"] in days}


def _prices(
    ticker: str, session: Session, row: Mapping[str, str], market: Mapping[str, str], from_us: int
) -> Iterator[Input]:
    """Yield a session as one bar, received half a second after its end, and its daily record."""
    if ticker == _BENCHMARK:
        return
    open_, high, low, close = (_price(row[name]) for name in ("Open", "High", "Low", "Close"))
    bar = PriceSample(
        ticker=ticker,
        kind="bar",
        event_us=session.open_us,
        end_us=session.close_us,
        received_us=Micros(session.close_us + SECOND_US // 2),
        source="daily",
        open=open_,
        high=max(open_, high, low, close),
        low=min(open_, high, low, close),
        close=close,
        volume=Decimal(row["Volume"]),
        day_volume=Decimal(row["Volume"]),
        benchmark=_BENCHMARK,
        benchmark_price=_price(market["Close"]),
        benchmark_open=_price(market["Open"]),
    )
    late_us = Micros(session.close_us + 5 * MINUTE_US)
    day = replace(bar, kind="daily", received_us=late_us, day_volume=None, benchmark_open=None)
    for one in (bar, day) if session.open_us >= from_us else (day,):
        yield one.received_us, names.PRICES, ticker, one


def _us(text: str) -> Micros:
    return instant_us(parse_instant(text))


def _price(text: str) -> Decimal:
    return Decimal(f"{float(text):.4f}")


def _headlines(path: Path, from_us: int, until_us: int) -> Iterator[Input]:
    seen = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["published_at"] is None or told["id"] in seen:
            continue
        seen.add(told["id"])
        published = told["published_at"]
        published_us = _us(published if "T" in published else f"{published}T12:00:00Z")
        if from_us <= published_us < until_us:
            one = Headline(
                id=told["id"],
                title=told["title"],
                lang=told["lang"] if told["lang"] in ("ko", "en") else None,
                source=told["source"],
                published_us=published_us,
                received_us=published_us,
            )
            yield published_us, names.HEADLINES, one.id, one


# ---- output --------------------------------------------------------------------------------------


def _print(
    inputs: list[Input],
    alerts: list[Alert],
    delivered: list[Alert],
    tallies: Mapping[str, Tally],
    spent_s: float,
) -> None:
    headlines = sum(topic == names.HEADLINES for _, topic, _, _ in inputs)
    prices = len(inputs) - headlines
    print(f"{headlines:,} headlines, {prices:,} prices, {spent_s:.0f} s with the counting")
    kinds = Counter(alert.kind for alert in alerts)
    print("alerts: " + ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common()))
    weeks = {"told": TickerWeeks.of(alerts), "delivered": TickerWeeks.of(delivered)}
    print(f"{'alerts a ticker and week':26}{'alerts':>9}{'median':>8}{'p99':>6}{'worst':>7}")
    for name, figures in weeks.items():
        count = len(alerts) if name == "told" else len(delivered)
        print(f"{name:26}{count:9,}{figures.median:8}{figures.p99:6}{figures.most:7}")
    print(f"{'agent':18}{'records':>9}{'bytes/record':>14}{'largest key':>13}  of")
    for name, tally in tallies.items():
        size, key, kinds_of = tally.largest
        written = tally.written / max(tally.records, 1)
        shown = ", ".join(f"{kind} {part:,}" for kind, part in kinds_of.items())
        print(f"{name:18}{tally.records:9,}{written:14,.0f}{size:13,}  {key}: {shown}")
    found = {
        "benchmark": "year",
        "load": os.getloadavg()[0],
        "headlines": headlines,
        "prices": prices,
        "alerts": len(alerts),
        "delivered": len(delivered),
        "weeks": {
            name: [figures.median, figures.p99, figures.most] for name, figures in weeks.items()
        },
        "agents": {
            name: {
                "records": tally.records,
                "bytes_a_record": round(tally.written / max(tally.records, 1)),
                "largest_key": tally.largest[0],
            }
            for name, tally in tallies.items()
        },
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
