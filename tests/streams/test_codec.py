"""One message, one sequence of bytes, and back; every fault is named with its path."""

import types
from dataclasses import is_dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, NewType, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.errors import BadMessage
from signals.market.path import PathRow
from signals.messages import Event, Headline, Journal, Micros, PriceSample, Reactions, Second
from streams.codec import decode, encode, from_plain, to_json
from streams.topics import TOPICS, Topic

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_DECIMALS = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=4)
_PRICES = st.decimals(min_value="0.0001", max_value=10**9, allow_nan=False, places=4)
_MICROS = st.integers(min_value=1, max_value=2**53)


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a message's field, read from its type."""
    if isinstance(kind, NewType):
        return _values(kind.__supertype__)
    scalars = {
        str: _TEXT,
        int: st.integers(-(2**53), 2**53),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        Decimal: _DECIMALS,
        type(None): st.none(),
    }
    if kind in scalars:
        return scalars[kind]
    origin, members = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(members)
    if origin in (Union, types.UnionType):
        return st.one_of([_messages(member) for member in members])
    if origin is tuple and members[-1] is Ellipsis:
        return st.lists(_messages(members[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(_messages(member) for member in members))
    return _messages(kind)


def _messages(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for messages of a kind that pass their own checks."""
    if kind is Headline:
        return _built(
            Headline,
            id=st.text("abc:한글 ", min_size=1, max_size=40),
            revision=st.integers(1, 99),
            published_us=_MICROS,
            received_us=_MICROS,
        )
    if kind is PriceSample:
        return st.one_of(_trades(), _bars(), _splits())
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _built(kind)
    return _values(kind)


def _built(built: Any, /, **given_fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(built)
    made = {name: _values(hint) for name, hint in hints.items()}
    return st.builds(built, **(made | given_fields))


def _trades() -> st.SearchStrategy[PriceSample]:
    nothing = dict.fromkeys(("end_us", "open", "high", "low", "close"), st.none())
    return _built(PriceSample, **_common(kind="trade"), price=_PRICES, **nothing)


def _bars() -> st.SearchStrategy[PriceSample]:
    prices = dict.fromkeys(("open", "high", "low", "close"), _PRICES)
    end_us = st.integers(2**53 + 1, 2**54)
    kinds = st.sampled_from(["bar", "daily"])
    return kinds.flatmap(
        lambda kind: _built(
            PriceSample, **_common(kind=kind), price=st.none(), end_us=end_us, **prices
        )
    )


def _splits() -> st.SearchStrategy[PriceSample]:
    nothing = dict.fromkeys(("end_us", "open", "high", "low", "close", "price"), st.none())
    return _built(PriceSample, **(_common(kind="split") | {"ratio": _PRICES}), **nothing)


def _common(*, kind: str) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "kind": st.just(kind),
        "ticker": st.sampled_from(["IREN", "005930.KS"]),
        "event_us": _MICROS,
        "received_us": _MICROS,
        "volume": st.none() | _DECIMALS.map(abs),
        "day_volume": st.none() | _DECIMALS.map(abs),
        "ratio": st.none(),
        "benchmark_open": st.none() | _PRICES,
        "benchmark_price": st.none() | _PRICES,
    }


_TYPED = [topic for topic in TOPICS if topic.message is not None]


@pytest.mark.parametrize("topic", _TYPED, ids=lambda topic: topic.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_message_of_every_topic_comes_back_as_it_was(topic: Topic, data: Any) -> None:
    message = data.draw(_messages(topic.message))

    raw = encode(message)

    assert decode(raw, topic.message) == message
    assert encode(decode(raw, topic.message)) == raw


HEADLINE = {
    "id": "sample:1",
    "title": "가나다 signs a $1bn deal",
    "source": "sample",
    "published_us": 1_765_951_122_000_000,
    "received_us": 1_765_951_125_311_042,
}
TRADE = {
    "ticker": "IREN",
    "kind": "trade",
    "event_us": 1_765_951_122_000_000,
    "received_us": 1_765_951_122_000_000,
    "source": "sample",
    "price": "73.07",
}


class _Pair(NamedTuple):
    at_us: int
    price: Decimal | None


def test_a_row_of_the_hot_path_is_a_list_by_place() -> None:
    row = _Pair(5, Decimal("73.07"))

    assert encode(row) == b'[5,"73.07"]'
    assert decode(encode(row), _Pair) == row
    with pytest.raises(BadMessage, match="a list of 2") as caught:
        decode(b"[5]", _Pair)
    assert caught.value.path == "$"
    with pytest.raises(BadMessage) as caught:
        decode(b"[5,1.5]", _Pair)
    assert caught.value.path == "$[1]"


_SECOND = (
    b'{"benchmark":"SPY","benchmark_price":"685.67","day_volume":null,"first":"73.07",'
    b'"first_us":1765951122000001,"high":"73.10","kind":"second","last":"73.08",'
    b'"last_us":1765951122900000,"low":"73.07","received_us":1765951122950000,'
    b'"second_us":1765951122000000,"ticker":"IREN"}'
)


def test_a_message_of_the_hot_path_is_an_object_by_name() -> None:
    second = decode(_SECOND, Journal)

    assert isinstance(second, Second)
    assert (second.ticker, second.high, second.day_volume) == ("IREN", Decimal("73.10"), None)
    assert encode(second) == _SECOND
    assert encode((second,)) == b"[" + _SECOND + b"]"
    assert decode(encode((second,)), PathRow) == (second,)


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"second_us": 1.5}, "wrong_type", "$.second_us"),
        ({"first": 73.07}, "wrong_type", "$.first"),
        ({"high": "NaN"}, "bad_value", "$.high"),
        ({"benchmark": 7}, "wrong_type", "$.benchmark"),
        ({"low": None}, "wrong_type", "$.low"),
    ],
)
def test_a_bad_field_of_a_second_is_named(change: dict[str, Any], reason: str, path: str) -> None:
    with pytest.raises(BadMessage) as caught:
        from_plain(orjson.loads(_SECOND) | change, Journal)

    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_a_second_needs_all_but_what_may_be_unknown() -> None:
    plain = orjson.loads(_SECOND)
    unknown = ("benchmark", "benchmark_price", "day_volume")
    for name in plain.keys() - {"kind", *unknown}:
        with pytest.raises(BadMessage) as caught:
            from_plain({at: value for at, value in plain.items() if at != name}, Journal)
        assert (caught.value.reason, caught.value.path) == ("missing_field", f"$.{name}")

    least = {at: value for at, value in plain.items() if at not in unknown}
    assert from_plain(least, Journal).benchmark is None
    assert from_plain(plain | {"mood": "calm"}, Journal) == from_plain(plain, Journal)


def test_a_headline_has_these_bytes() -> None:
    message = from_plain(HEADLINE, Headline)

    assert encode(message).decode() == (
        '{"body":null,"id":"sample:1","lang":null,"published_us":1765951122000000,'
        '"received_us":1765951125311042,"revision":1,"source":"sample","status":"usable",'
        '"title":"가나다 signs a $1bn deal","url":null}'
    )


def test_a_price_has_these_bytes() -> None:
    message = from_plain(TRADE, PriceSample)

    assert encode(message) == (
        b'{"benchmark":null,"benchmark_open":null,"benchmark_price":null,"close":null,'
        b'"day_volume":null,"end_us":null,"event_us":1765951122000000,"high":null,'
        b'"kind":"trade","low":null,"open":null,"price":"73.07","ratio":null,'
        b'"received_us":1765951122000000,"source":"sample","ticker":"IREN","volume":null}'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [("1E+3", b'"1000"'), ("0.10", b'"0.10"'), ("1E-7", b'"0.0000001"'), ("-0", b'"-0"')],
)
def test_decimals_are_written_plainly_and_keep_their_places(value: str, written: bytes) -> None:
    assert encode(Decimal(value)) == written


def test_text_for_people_holds_the_same_value() -> None:
    message = from_plain(HEADLINE, Headline)

    assert orjson.loads(to_json(message, indent=True)) == orjson.loads(encode(message))


def test_a_field_from_the_future_is_ignored() -> None:
    assert from_plain(HEADLINE | {"mood": "calm"}, Headline) == from_plain(HEADLINE, Headline)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), {1: 2}])
def test_a_value_without_a_place_in_a_message_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "null_value"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"id": "\xff"}', "invalid_utf8"),
        (b'"\xed\xa0\x80"', "invalid_utf8"),
        (b"null", "wrong_type"),
        (b"[]", "wrong_type"),
        (b'{"id": NaN}', "not_json"),
    ],
)
def test_bytes_that_are_no_message_say_why(raw: bytes | None, reason: str) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(raw, Headline)

    assert (caught.value.reason, caught.value.path) == (reason, "$")


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"title": 7}, "wrong_type", "$.title"),
        ({"title": None}, "wrong_type", "$.title"),
        ({"published_us": "1765951122000000"}, "bad_publish_time", "$.published_us"),
        ({"published_us": 1.5}, "bad_publish_time", "$.published_us"),
        ({"published_us": True}, "bad_publish_time", "$.published_us"),
        ({"published_us": None}, "no_publish_time", "$.published_us"),
        ({"published_us": 0}, "bad_value", "$.published_us"),
        ({"published_us": 253_402_300_800_000_000}, "bad_value", "$.published_us"),
        ({"received_us": -1}, "bad_value", "$.received_us"),
        ({"received_us": 2**63}, "bad_value", "$.received_us"),
        ({"revision": 0}, "bad_value", "$.revision"),
        ({"status": "gone"}, "bad_value", "$.status"),
        ({"status": 1}, "wrong_type", "$.status"),
        ({"id": ""}, "bad_value", "$.id"),
        ({"id": "x" * 513}, "bad_value", "$.id"),
    ],
)
def test_a_bad_field_of_a_headline_is_named(change: dict[str, Any], reason: str, path: str) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(orjson.dumps(HEADLINE | change), Headline)

    assert (caught.value.reason, caught.value.path) == (reason, path)


@pytest.mark.parametrize("field", sorted(HEADLINE))
def test_a_missing_field_is_named(field: str) -> None:
    rest = {name: value for name, value in HEADLINE.items() if name != field}

    with pytest.raises(BadMessage) as caught:
        from_plain(rest, Headline)

    reason = "no_publish_time" if field == "published_us" else "missing_field"
    assert (caught.value.reason, caught.value.path) == (reason, f"$.{field}")


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"price": 73.07}, "wrong_type", "$.price"),
        ({"price": "73,07"}, "bad_value", "$.price"),
        ({"price": "NaN"}, "bad_value", "$.price"),
        ({"price": "1e999999"}, "bad_value", "$.price"),
        ({"price": "0"}, "bad_value", "$.price"),
        ({"price": None}, "bad_value", "$.price"),
        ({"volume": "-1"}, "bad_value", "$.volume"),
        ({"kind": "bar"}, "bad_value", "$.open"),
        ({"ticker": ""}, "bad_value", "$.ticker"),
        ({"event_us": 0}, "bad_value", "$.event_us"),
        ({"event_us": 2**63}, "bad_value", "$.event_us"),
        ({"received_us": 253_402_300_800_000_000}, "bad_value", "$.received_us"),
    ],
)
def test_a_bad_field_of_a_price_is_named(change: dict[str, Any], reason: str, path: str) -> None:
    with pytest.raises(BadMessage) as caught:
        from_plain(TRADE | change, PriceSample)

    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_a_bar_ends_after_it_begins() -> None:
    prices = dict.fromkeys(("open", "high", "low", "close"), "1")
    bar = TRADE | prices | {"kind": "bar", "end_us": TRADE["event_us"]}

    with pytest.raises(BadMessage) as caught:
        from_plain(bar, PriceSample)

    assert caught.value.path == "$.end_us"


@pytest.mark.parametrize(
    ("plain", "reason", "path"),
    [
        ({}, "missing_field", "$.kind"),
        ({"kind": "hour"}, "bad_value", "$.kind"),
        ({"kind": ["second"]}, "bad_value", "$.kind"),
        ([], "wrong_type", "$"),
    ],
)
def test_a_union_is_told_apart_by_its_kind(plain: object, reason: str, path: str) -> None:
    for union in (Journal, Reactions):
        with pytest.raises(BadMessage) as caught:
            from_plain(plain, union)

        assert (caught.value.reason, caught.value.path) == (reason, path)


def test_a_fault_deep_inside_has_the_whole_path() -> None:
    event = {
        "id": "e", "event_id": "e", "headline_id": "h", "revision": 1, "status": "live",
        "type": "deal", "confidence": 0.9, "title": "t", "lang": "en", "source": "s",
        "published_us": 1, "received_us": 1, "rules": {"version": "1", "hash": "0"},
        "anchor": "IREN", "subjects": [], "evidence": [
            {"field": "title", "start": 0, "end": 1, "text": "t", "rule": "r"},
            {"field": "title", "start": 0, "end": "1", "text": "t", "rule": "r"},
        ],
    }  # fmt: skip

    with pytest.raises(BadMessage) as caught:
        from_plain(event, Event)

    assert caught.value.path == "$.evidence[1].end"
    assert "'1'" in caught.value.detail


def test_a_float_that_is_not_finite_is_refused() -> None:
    with pytest.raises(BadMessage, match="finite"):
        from_plain(float("inf"), float)


def test_micros_are_whole_numbers() -> None:
    assert from_plain(5, Micros) == 5
