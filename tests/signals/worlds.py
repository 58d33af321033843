"""Small random worlds: a few headlines about one matter, and a day and a half of prices.

A world takes its headlines from one theme, so that they meet: tellings that join two stories, a
rumour after the signing, corrections, withdrawals, measures without a company, news of a peer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from signals.messages import Amount, Headline, Micros, Party, Place, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from signals.reading.model import Reading
from signals.subjects import Relation, SubjectTables
from tests.builders import (
    bar,
    canonical,
    daily,
    dollars,
    headline,
    history,
    parties,
    reading,
    trade,
    us,
)

World = list[Headline | PriceSample]

START_US = us("2025-11-03T13:00:00Z")  # an hour and a half before New York opens
SPAN_US = 30 * HOUR_US
# A low bar for unexplained moves, so that small worlds have them.
POLICY = Policy(unexplained_z=1.5, unexplained_raw=0.04)
TABLES = SubjectTables(
    relations={
        "org:iren": (
            Relation(ticker="CIFR", reason="peer", since="2025-01-01"),
            Relation(ticker="AMZN", reason="customer", since="2025-11-04"),
        ),
        "org:openai": (Relation(ticker="MSFT", reason="supplier", since="2025-01-01"),),
    }
)
_TICKERS = ("IREN", "MSFT", "CIFR", "AMZN")


def _control(*names: str, **changes: Any) -> Reading:
    fields = {"type": "export_control", "deal_status": None, "authority": "US"} | changes
    return reading(*names, **fields)


def _site(*names: str, country: str | None = None, worth: str | None = None) -> Reading:
    owners = tuple(replace(party, role="owner") for party in parties(*names))
    amounts: tuple[Amount, ...] = () if worth is None else (dollars(worth, kind="capex"),)
    places = () if country is None else (Place(name=country, country=country),)
    return reading(
        *names, type="expansion", deal_status=None, parties=owners, places=places, amounts=amounts
    )


def _weak(told: Reading) -> Reading:
    """The same, read too faintly to raise an alert."""
    return replace(told, weak=True)


_STRANGER = Party(id="org:~stranger", name="Stranger", role="buyer", known=False)

_CONTRACT: Mapping[str, tuple[Reading, ...]] = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "contract, one party": (reading("IREN", worth="9.7"),),
    "contract, other party": (reading("MSFT", worth="9.71"),),
    "contract, no figure": (reading("IREN", "MSFT"),),
    "contract, one party, no figure": (reading("MSFT"),),
    "rumour": (reading("IREN", "MSFT", deal_status="rumored"),),
    "in talks": (reading("IREN", "MSFT", worth="9.6", deal_status="in_talks"),),
    "closed": (reading("IREN", "MSFT", worth="9.7", deal_status="closed"),),
    "denied": (reading("MSFT", worth="9.7", deal_status="denied"),),
    "cancelled": (reading("IREN", "MSFT", worth="9.7", deal_status="cancelled"),),
    "larger contract": (reading("IREN", "MSFT", worth="97"),),
    "weak": (reading("IREN", "MSFT", deal_status=None, weak=True),),
    "weak, one party": (reading("IREN", worth="9.7", deal_status=None, weak=True),),
    "nothing": (),
}
# Tellings of one matter by one, two and three of its parties: their anchors are four.
_CHAIN: Mapping[str, tuple[Reading, ...]] = {
    "chain, first": (reading("MSFT", worth="5"),),
    "chain, first two": (reading("MSFT", "AMZN", worth="5"),),
    "chain, second two": (reading("AMZN", "CIFR", worth="5"),),
    "chain, last": (reading("CIFR", worth="5"),),
    "chain, three": (reading("MSFT", "AMZN", "CIFR", worth="5"),),
    "chain, first two, no figure": (reading("MSFT", "AMZN"),),
    "chain, other figure": (reading("AMZN", "CIFR", worth="6"),),
    "chain, unlisted": (reading("OPENAI", "AMZN", worth="5"),),
    "chain, unlisted alone": (reading("OPENAI", worth="5"),),
    "chain, stranger": (
        reading("AMZN", worth="5", parties=(*parties("AMZN"), _STRANGER)),
    ),
    "chain, weak": (reading("AMZN", worth="5", weak=True),),
    "chain, weak first two": (reading("MSFT", "AMZN", weak=True, keywords=("lease", "site")),),
    "chain, words": (reading("AMZN", "CIFR", keywords=("lease", "site")),),
    "chain, only a stranger": (reading(worth="5", parties=(_STRANGER,)),),
    "nothing": (),
}  # fmt: skip
_OTHERS: Mapping[str, tuple[Reading, ...]] = {
    "contract": _CONTRACT["contract"],
    "lease": (reading("CIFR", "AMZN", worth="5.5"),),
    "lease, three": (reading("CIFR", "AMZN", "IREN", worth="5.5"),),
    "talks": (reading("AMZN", "OPENAI", worth="10", deal_status="in_talks"),),
    "talks, no figure": (reading("OPENAI", deal_status="in_talks"),),
    "both": (reading("IREN", "MSFT", worth="9.7"), reading("CIFR", "AMZN", worth="5.5")),
    "nobody": (reading(),),
    "nothing": (),
}
_MEASURES: Mapping[str, tuple[Reading, ...]] = {
    "relaxed": (_control("MSFT", direction="relax"),),
    "tightened": (_control("MSFT", direction="tighten", counterpart="CN"),),
    "tightened, no company": (_control(direction="tighten", counterpart="CN"),),
    "unclear": (_control("MSFT", "IREN", direction="unclear"),),
    "unclear, no company": (_control(direction="unclear"),),
    "of somebody": (_control("IREN", direction="tighten", authority=None),),
    "of China": (_control("MSFT", direction="tighten", authority="CN"),),
    "site": (_site("IREN", country="US"),),
    "site, worth": (_site("IREN", country="US", worth="3"),),
    "site, somewhere": (_site("IREN", "MSFT"),),
    "site, weak": (_weak(_site("IREN", country="US")),),
    "relaxed, weak": (_weak(_control("MSFT", direction="relax")),),
    "no company, weak": (_weak(_control(direction="tighten", counterpart="CN")),),
    "site elsewhere": (_site("MSFT", country="AE", worth="15.2"),),
    "nothing": (),
}
_THEMES = (_CONTRACT, _CHAIN, _OTHERS, _MEASURES)
READINGS: Mapping[str, tuple[Reading, ...]] = {
    title: read for theme in _THEMES for title, read in theme.items()
}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Headlines with revisions, trades, bars, closes and splits of a day and a half."""
    titles = sorted(draw(st.sampled_from(_THEMES)))
    found: World = []
    for number in range(draw(st.integers(2, 7))):
        found += draw(_items(number, titles))
    for ticker in draw(st.lists(st.sampled_from(_TICKERS), min_size=2, max_size=4, unique=True)):
        found += draw(_tape(ticker))
    return canonical(found)


_PRICES = st.sampled_from(["50", "80", "94", "97", "99.9", "100", "100.1", "103.5", "106", "125"])
_TIMES = st.integers(0, SPAN_US // MINUTE_US).map(lambda n: START_US + n * MINUTE_US)
_CLOSES = ("2025-11-03T21:00:00Z", "2025-11-04T21:00:00Z")
_OPENS = ("2025-11-03T14:30:00Z", "2025-11-04T14:30:00Z")


@st.composite
def _items(draw: st.DrawFn, number: int, titles: Sequence[str]) -> World:
    at = draw(_TIMES) + number
    delay_us = draw(st.sampled_from([0, 0, 3 * SECOND_US, 2 * HOUR_US, 4 * DAY_US]))
    if draw(st.booleans()):
        at -= delay_us  # late, and the first of its story; else late, and the last
    found = [
        headline(
            draw(st.sampled_from(titles)), at=at, id=f"wire:{number}", received_us=at + delay_us
        )
    ]
    for revision in range(2, draw(st.sampled_from([1, 1, 1, 2, 3])) + 1):
        later_us = found[-1].received_us + HOUR_US
        status: Any = draw(st.sampled_from(["usable", "usable", "withdrawn"]))
        changes = {"received_us": Micros(later_us), "revision": revision, "status": status}
        if draw(st.booleans()):  # the time of the correction, not of the first telling
            changes["published_us"] = Micros(later_us)
        found.append(replace(found[-1], title=draw(st.sampled_from(titles)), **changes))
    return list(found)


@st.composite
def _tape(draw: st.DrawFn, ticker: str) -> World:
    found: World = []
    if draw(st.booleans()):
        found += history(ticker, "100.00", until="2025-10-31T20:00:00Z", days=24)
    found += [draw(_sample(ticker)) for _ in range(draw(st.integers(5, 15)))]
    for close in draw(st.lists(st.sampled_from(_CLOSES), max_size=3)):
        # Of two records of one close the earlier receipt stands.
        later_us = draw(st.sampled_from([0, 1, HOUR_US]))
        record = daily(ticker, draw(_PRICES), at=close)
        found.append(replace(record, received_us=Micros(record.received_us + later_us)))
    if draw(st.integers(0, 3)) == 0:
        found.append(_split(ticker, draw(st.sampled_from(_OPENS)), draw(st.sampled_from("124"))))
    # The last second of a key is sent whole only when a later one opens.
    return [*found, trade(ticker, "100", at=START_US + SPAN_US + DAY_US)]


def _split(ticker: str, at: str, ratio: str) -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind="split",
        event_us=us(at),
        received_us=Micros(us(at) + HOUR_US),
        source="tape",
        ratio=Decimal(ratio),
    )


@st.composite
def _sample(draw: st.DrawFn, ticker: str) -> PriceSample:
    at = draw(_TIMES) + draw(st.sampled_from([0, 1, 400_000, 999_999]))
    delay_s = draw(st.sampled_from([0.0, 0.2, 90.0, 599.0]))
    benchmark = {"benchmark": "SPY", "benchmark_price": Decimal(draw(_PRICES)) * 6}
    changes: dict[str, Any] = draw(st.sampled_from([{}, benchmark]))
    if draw(st.booleans()):
        return trade(ticker, draw(_PRICES), at=at, received_s=delay_s, **changes)  # type: ignore[no-any-return]  # a builder
    prices = [draw(_PRICES) for _ in range(2)]
    ordered = sorted((*prices, draw(_PRICES)), key=Decimal)
    shape = (prices[0], ordered[-1], ordered[0], prices[1])
    return bar(ticker, shape, at=at, received_s=delay_s, **changes)
