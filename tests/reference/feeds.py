"""The same prices and events as the product takes them in, and what its fold gives."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import pandas as pd

from signals.fold import Agent
from signals.messages import Headline, Micros, Move, Party, PriceSample, Reaction
from signals.pipeline import build_agents
from signals.policy import Policy
from signals.reading.model import Reading
from signals.subjects import SubjectTables
from streams.replay import Pipeline
from streams.tables import load_sessions
from tests.builders import RULES, as_input, bar, canonical, reading, toy_reader

_TITLE = "the event of "
DAILY_DELAY_S = 300.0


def text_of(price: float) -> str:
    """The shortest text that is read back as the very double of the file."""
    return repr(float(price))


def daily_records(
    ticker: str, days: pd.DataFrame, benchmark: str, closes: pd.Series
) -> list[PriceSample]:
    """The daily records, received five minutes after the close."""
    return [
        _record(ticker, day, benchmark, closes[at], kind="daily", received_s=DAILY_DELAY_S)
        for at, day in zip(days.index, days.itertuples(), strict=True)
    ]


def daily_bars(
    ticker: str, days: pd.DataFrame, benchmark: str, market: pd.DataFrame
) -> list[PriceSample]:
    """One bar a session, received half a second after its end, with the day's volume."""
    return [
        _record(
            ticker,
            day,
            benchmark,
            market.Close[at],
            day_volume=Decimal(int(day.Volume)),
            benchmark_open=Decimal(text_of(market.Open[at])),
        )
        for at, day in zip(days.index, days.itertuples(), strict=True)
    ]


def _record(
    ticker: str, day: Any, benchmark: str, benchmark_close: float, **changes: Any
) -> PriceSample:
    fields = {
        "span_us": day.close_us - day.open_us,
        "volume": Decimal(int(day.Volume)),
        "benchmark": benchmark,
        "benchmark_price": Decimal(text_of(benchmark_close)),
    }
    prices = [text_of(price) for price in (day.Open, day.High, day.Low, day.Close)]
    return bar(ticker, (*prices,), at=day.open_us, **(fields | changes))  # type: ignore[arg-type]


def hourly_bars(
    ticker: str, hours: pd.DataFrame, benchmark: str, market: pd.DataFrame
) -> list[PriceSample]:
    """One bar an hour, with the session's volume so far; ``market`` is by the bars' start."""
    return [
        bar(
            ticker,
            (text_of(hour.open), text_of(hour.high), text_of(hour.low), text_of(hour.close)),
            at=hour.start_us,
            span_us=hour.end_us - hour.start_us,
            day_volume=Decimal(int(hour.day_volume)),
            benchmark=benchmark,
            benchmark_price=Decimal(text_of(market.close[hour.start_us])),
            benchmark_open=Decimal(text_of(market.open[hour.start_us])),
        )
        for hour in hours.itertuples()
    ]


def news(ticker: str, at_us: int, *, delay_us: int = 0) -> Headline:
    """A headline about a ticker."""
    return Headline(
        id=f"wire:{ticker}",
        title=f"{_TITLE}{ticker}",
        source="wire",
        published_us=Micros(at_us),
        received_us=Micros(at_us + delay_us),
    )


def moves_after(inputs: Iterable[Headline | PriceSample], ticker: str) -> dict[str, Move]:
    """The moves of the reactions that stand, by milestone, after inputs in order of receipt."""
    return moves_in_order(canonical(list(inputs)), ticker)


def moves_in_order(inputs: Iterable[Headline | PriceSample], ticker: str) -> dict[str, Move]:
    """The moves of the reactions that stand after inputs in the order given, by milestone."""
    pipeline = Pipeline(agents_of(ticker))
    last: dict[str, Reaction] = {}
    for message in inputs:
        for output in pipeline.feed(*as_input(message)):
            if isinstance(output.message, Reaction):
                last[output.message.reaction_id] = output.message
    assert not pipeline.dead
    standing = [reaction.move for reaction in last.values() if reaction.status == "live"]
    return {move.milestone: move for move in standing if move.relation == "after"}


@cache
def agents_of(ticker: str) -> tuple[Agent, ...]:
    """The four agents over a reader that knows one title."""
    party = Party(id=f"org:{ticker}", name=ticker, role="supplier", tickers=(ticker,))
    told: Reading = reading(parties=(party,), tickers=(ticker,))
    return build_agents(
        read=toy_reader({f"{_TITLE}{ticker}": (told,)}),
        rules=RULES,
        tables=SubjectTables(),
        sessions=load_sessions(),
        policy=Policy(),
    )
