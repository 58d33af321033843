"""Prices that are no prices are refused with their field and value; old ones are said to be old."""

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from signals.errors import BadMessage
from signals.messages import Headline, Micros, Move, PriceSample, Reaction
from signals.policy import MINUTE_US, SECOND_US, Policy
from streams.codec import decode, encode
from streams.replay import Pipeline
from tests.builders import OPEN, agents, as_input, bar, canonical, headline, reading, trade, us

_READINGS = {"contract": (reading("IREN", "MSFT", worth="9.7"),)}


def _plain(sample: PriceSample) -> dict[str, Any]:
    return json.loads(encode(sample))  # type: ignore[no-any-return]  # an object


def _refused(changes: dict[str, Any], *, of: PriceSample) -> BadMessage:
    with pytest.raises(BadMessage) as caught:
        decode(json.dumps(_plain(of) | changes).encode(), PriceSample)
    return caught.value


# ---- refused at the door -------------------------------------------------------------------------


@pytest.mark.parametrize("price", ["0", "-1", "-0.01", "NaN", "Infinity", "-Infinity", "0.000"])
def test_trade_needs_a_finite_and_positive_price(price: str) -> None:
    with pytest.raises(ValueError, match=r"price must be finite and positive, was") as caught:
        replace(trade("IREN", "1", at=OPEN), price=Decimal(price))
    assert price in str(caught.value)

    error = _refused({"price": price}, of=trade("IREN", "1", at=OPEN))
    assert "price" in str(error)
    assert price in str(error)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("price", ["0", "-3", "NaN", "Infinity"])
def test_bar_needs_four_finite_and_positive_prices(name: str, price: str) -> None:
    whole = bar("IREN", ("1", "2", "1", "2"), at=OPEN)

    with pytest.raises(ValueError, match=rf"{name} must be finite and positive, was '{price}'"):
        replace(whole, **{name: Decimal(price)})
    with pytest.raises(ValueError, match=f"{name} must be given for a bar, was None"):
        replace(whole, **{name: None})
    assert name in str(_refused({name: price}, of=whole))
    assert name in str(_refused({name: None}, of=whole))


@pytest.mark.parametrize("raw", [b'{"price": NaN}', b'{"price": Infinity}'])
def test_json_that_has_a_bare_nan_is_not_json(raw: bytes) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(raw, PriceSample)
    assert caught.value.reason == "not_json"


@pytest.mark.parametrize("price", ["", "abc", "1,5", [], {}, True])
def test_price_that_is_no_number_is_refused(price: object) -> None:
    error = _refused({"price": price}, of=trade("IREN", "1", at=OPEN))

    assert "price" in str(error)


@pytest.mark.parametrize("ratio", ["0", "-2", "NaN", None])
def test_split_needs_a_finite_and_positive_ratio(ratio: str | None) -> None:
    split = PriceSample(
        ticker="IREN", kind="split", event_us=us(OPEN), received_us=us(OPEN), source="actions",
        ratio=Decimal(2),
    )  # fmt: skip

    assert "ratio" in str(_refused({"ratio": ratio}, of=split))


@pytest.mark.parametrize("name", ["volume", "day_volume"])
@pytest.mark.parametrize("count", ["-1", "NaN", "Infinity"])
def test_volume_is_none_or_a_count(name: str, count: str) -> None:
    sample = trade("IREN", "1", at=OPEN)

    assert getattr(replace(sample, **{name: Decimal(0)}), name) == 0
    with pytest.raises(ValueError, match=rf"{name} must be 0 or more, was '{count}'"):
        replace(sample, **{name: Decimal(count)})


@pytest.mark.parametrize("price", ["0", "-1", "NaN"])
def test_benchmark_price_is_none_or_a_price(price: str) -> None:
    error = _refused({"benchmark_price": price}, of=trade("IREN", "1", at=OPEN))

    assert "benchmark_price" in str(error)


def test_bar_that_ends_before_it_begins_is_refused() -> None:
    whole = bar("IREN", ("1",) * 4, at=OPEN)

    with pytest.raises(ValueError, match="end_us must be after event_us"):
        replace(whole, end_us=whole.event_us)
    with pytest.raises(ValueError, match="end_us must be given for a bar, was None"):
        replace(whole, end_us=None)


# ---- stale ---------------------------------------------------------------------------------------


def _moves(inputs: Iterable[Headline | PriceSample]) -> dict[str, Move]:
    pipeline = Pipeline(agents(_READINGS))
    last: dict[str, Reaction] = {}
    for message in canonical(list(inputs)):
        for output in pipeline.feed(*as_input(message)):
            if isinstance(output.message, Reaction):
                last[output.message.reaction_id] = output.message
    return {r.move.milestone: r.move for r in last.values() if r.status == "live"}


def _trade(minute: float, price: str = "100") -> PriceSample:
    return trade("IREN", price, at=us(OPEN) + round(minute * 60) * SECOND_US)


def _told(minute: float) -> Headline:
    return headline("contract", at=us(OPEN) + round(minute * 60 * SECOND_US))


def test_stale_price_at_the_event_gives_no_figure_at_all() -> None:
    moves = _moves([_trade(0), _told(20), *(_trade(21 + n, "130") for n in range(80))])

    assert set(moves) == {"PT1M", "PT5M", "PT30M", "PT1H"}  # and no level
    for move in moves.values():
        assert (move.raw, move.abnormal, move.z, move.from_price) == (None, None, None, None)
        assert (move.flags, move.note) == (("stale",), "the price at the event is stale")


def test_stale_price_at_the_horizon_gives_no_figure_there() -> None:
    # Nothing between minute 12 and minute 75.
    prices = [*(_trade(n) for n in range(13)), *(_trade(75 + n, "102") for n in range(20))]
    moves = _moves([*prices, _told(10.5)])

    assert moves["PT1M"].raw == 0.0
    assert moves["PT5M"].raw == 0.0  # three minutes old
    for name in ("PT30M", "PT1H"):
        move = moves[name]
        assert (move.raw, move.to_price, move.flags) == (None, None, ("stale",))
        assert move.note == "the price at the horizon is stale"


@pytest.mark.parametrize(("minutes", "is_stale"), [(15.0, False), (15.1, True)])
def test_price_is_stale_after_fifteen_minutes_of_an_open_market(
    minutes: float, is_stale: bool
) -> None:
    # The second of the price ends a second after it began.
    told_us = us(OPEN) + SECOND_US + round(minutes * MINUTE_US)
    prices = [_trade(0), *(_trade(16 + n) for n in range(9))]
    move = _moves([headline("contract", at=told_us), *prices])["PT5M"]

    assert (move.flags == ("stale",)) is is_stale
    assert (move.raw is None) is is_stale


def test_price_of_before_a_weekend_is_not_stale() -> None:
    friday = trade("IREN", "100", at=us("2025-10-31T20:00:00Z") - SECOND_US)
    told = headline("contract", at="2025-11-03T11:37:00Z")
    moves = _moves([friday, told, *(_trade(n, "102") for n in range(40))])

    assert (moves["PT1M"].raw, moves["PT1M"].flags) == (None, ("no_price",))
    assert moves["PT1M"].note == "no price between the event and the horizon"
    late = _moves([friday, headline("contract", at=us(OPEN) - MINUTE_US),
                   *(_trade(n, "102") for n in range(40))])  # fmt: skip
    assert late["PT5M"].raw == pytest.approx(0.02)


def test_no_price_before_the_event_is_said_whatever_comes_after() -> None:
    moves = _moves([_told(0), *(_trade(1 + n, "130") for n in range(70))])

    assert {move.flags for move in moves.values()} == {("no_price",)}
    assert {move.note for move in moves.values()} == {"no price is known before the event"}


def test_staleness_is_the_policys() -> None:
    told, prices = _told(5), [_trade(0), *(_trade(5.5 + n / 2) for n in range(30))]
    pipeline = Pipeline(agents(_READINGS, policy=Policy(stale_us=2 * MINUTE_US)))
    flags = {
        output.message.move.flags
        for message in canonical([told, *prices])
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, Reaction)
    }

    assert flags == {("stale",)}
    assert _moves([told, *prices])["PT1M"].flags == ()


def test_korean_night_does_not_make_a_price_stale() -> None:
    # Hand-made prices; 15:29 in Seoul, news overnight, the open at 09:00.
    party = replace(_READINGS["contract"][0].parties[0], tickers=("005930.KS",))
    korean = reading("IREN", parties=(party,), tickers=("005930.KS",))
    inputs = [
        trade("005930.KS", "100000", at="2025-11-03T06:29:59Z"),
        headline("contract", at="2025-11-03T23:58:00Z"),
        trade("005930.KS", "104000", at="2025-11-04T00:00:00Z"),
        trade("005930.KS", "104000", at="2025-11-04T00:10:00Z"),
    ]
    pipeline = Pipeline(agents({"contract": (korean,)}))
    moves = {
        output.message.move.milestone: output.message.move
        for message in canonical(inputs)
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, Reaction)
    }

    assert (moves["PT5M"].raw, moves["PT5M"].flags) == (pytest.approx(0.04), ())
    assert moves["PT5M"].from_us == Micros(us("2025-11-03T06:30:00Z"))
