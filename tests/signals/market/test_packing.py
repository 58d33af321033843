"""Packed seconds: nothing is lost, and one is found without reading the others."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.fold import Draft
from signals.market.packing import (
    BLOCK_US,
    PackedRow,
    end_seconds,
    ended_second,
    pack_seconds,
    packed_until,
    unpack_seconds,
)
from signals.market.path import Path, inside, lay_second, pack_path, path_part
from signals.messages import Micros, Second
from signals.policy import HOUR_US, MINUTE_US, SECOND_US
from streams.codec import decode_row, encode_row
from tests.builders import OPEN, second, us

_AT = us(OPEN)
_PRICES = st.decimals("0.0001", "99999", places=4) | st.sampled_from(
    [Decimal("1.10"), Decimal("1.1"), Decimal("7E+2"), Decimal("1E-9")]
)
_MAYBE = st.none() | st.decimals("0", "1e12", places=2)


@st.composite
def _seconds(draw: st.DrawFn) -> tuple[Second, ...]:
    """Seconds of one block, ascending, of the kind that sources send and of any other."""
    offsets = draw(st.sets(st.integers(0, 299), min_size=1, max_size=12))
    found = []
    for offset in sorted(offsets):
        start_us = _AT + offset * SECOND_US + draw(st.sampled_from((0, 0, 0, 250_000)))
        price = draw(_PRICES)
        if draw(st.booleans()):
            found.append(
                second(start_us, "1")._replace(first=price, high=price, low=price, last=price)
            )
            continue
        first_us = start_us + draw(st.integers(-5, 999_999))
        found.append(
            Second(
                ticker=draw(st.sampled_from(("IREN", "IREN", 'A,"\n\\'))),
                second_us=Micros(start_us),
                first_us=Micros(first_us),
                first=draw(_PRICES),
                high=draw(_PRICES),
                low=draw(_PRICES),
                last_us=Micros(first_us + draw(st.integers(0, 999_999))),
                last=price,
                received_us=Micros(start_us + draw(st.integers(-10, 10 * MINUTE_US))),
                benchmark=draw(st.sampled_from((None, "SPY", "SPY", "^KS11", "-,\n"))),
                benchmark_price=draw(_MAYBE),
                day_volume=draw(_MAYBE),
            )
        )
    return tuple(found)


def _exact(seconds: tuple[Second, ...]) -> str:
    return repr(seconds)  # decimals of one value are told apart by how they are written


@settings(max_examples=300, deadline=None)
@given(seconds=_seconds())
def test_packed_seconds_come_back_exactly(seconds: tuple[Second, ...]) -> None:
    row = pack_seconds(seconds)

    assert _exact(unpack_seconds(row)) == _exact(seconds)
    assert decode_row(encode_row(row), PackedRow) == row
    assert end_seconds(row) == (seconds if len(seconds) == 1 else (seconds[0], seconds[-1]))
    assert row.low == min(float(one.low) for one in seconds)
    assert row.high == max(float(one.high) for one in seconds)


@settings(max_examples=300, deadline=None)
@given(seconds=_seconds(), after_us=st.integers(-2 * SECOND_US, BLOCK_US + 2 * SECOND_US))
def test_last_second_that_ended_is_found_in_the_row(
    seconds: tuple[Second, ...], after_us: int
) -> None:
    time_us = _AT + after_us
    ended = [one for one in seconds if one.second_us + SECOND_US <= time_us]

    assert ended_second(pack_seconds(seconds), time_us) == (ended[-1] if ended else None)


def test_columns_that_say_nothing_are_left_out() -> None:
    row = pack_seconds([second(_AT, "100.25"), second(_AT + 7 * SECOND_US, "100.26")])

    assert row == PackedRow(
        start_us=_AT,
        low=100.25,
        high=100.26,
        seconds="0,7",
        last="100.25,100.26",
        tickers=("IREN",),
    )


# ---- as a part of the path -----------------------------------------------------------------------


def _path(seconds: list[Second]) -> Draft:
    """A key's path to which seconds came in the order given."""
    draft, reached_us = Draft({}), Micros(0)
    for one in seconds:
        lay_second(draft, one, reached_us)
        reached_us = max(reached_us, one.second_us)
        pack_path(draft, reached_us)
    return draft


def test_path_is_raw_for_some_minutes_and_packed_before() -> None:
    seconds = [second(_AT + n * MINUTE_US, str(100 + n)) for n in range(120)]
    draft = _path(seconds)
    until_us = packed_until(seconds[-1].second_us)

    assert until_us == _AT + 115 * MINUTE_US
    assert len(draft.parts("packed")) == 23
    assert all(
        int(part.partition(":")[2]) * 10 * SECOND_US >= until_us for part in draft.parts("path")
    )
    path = Path(draft)
    assert list(path.between(Micros(0), Micros(_AT + HOUR_US))) == seconds[:60]
    assert path.first() == seconds[0]
    assert path.at(Micros(_AT + 3 * MINUTE_US)) == seconds[2]
    assert path.at(Micros(_AT + 117 * MINUTE_US + SECOND_US)) == seconds[117]
    assert path.at(_AT) is None


def test_late_second_joins_the_packed_ones_in_any_order() -> None:
    seconds = [second(_AT + n * 20 * SECOND_US, str(100 + n)) for n in range(400)]
    late = [seconds[n] for n in (3, 4, 30, 170)]
    others = [one for one in seconds if one not in late]
    whole, later = _path(seconds), _path([*others, *late, *late[:2]])

    assert {part: later.get(part) for part in later.parts("packed")} == {
        part: whole.get(part) for part in whole.parts("packed")
    }
    known = later.get("packed:" + str(_AT // BLOCK_US))
    assert lay_second(later, seconds[3], seconds[-1].second_us) is None  # nothing new
    assert later.get("packed:" + str(_AT // BLOCK_US)) is known


def test_rows_of_an_older_version_are_packed_whatever_came_before() -> None:
    old = [second(_AT + n * 20 * SECOND_US, str(100 + n)) for n in range(30)]
    draft = Draft({})
    for one in old:
        row = draft.get(path_part(one.second_us))
        draft.put(path_part(one.second_us), (*(row or ()), one))
    reached_us = Micros(_AT + 2 * HOUR_US)
    late = second(_AT + 30 * SECOND_US, "99")

    lay_second(draft, late, reached_us)
    pack_path(draft, reached_us)

    assert not draft.parts("path")
    expected = sorted([*old, late], key=lambda one: one.second_us)
    assert list(Path(draft).between(Micros(0), reached_us)) == expected


@pytest.mark.parametrize(("low", "read"), [(99.0, 2), (100.05, 15)])
def test_quiet_stretch_gives_its_ends_alone(low: float, read: int) -> None:
    seconds = [second(_AT + n * 20 * SECOND_US, f"{100 + n % 7 / 10}") for n in range(200)]
    path = Path(_path(seconds))
    block = list(path.between(_AT, Micros(_AT + BLOCK_US), quiet=inside(low, 101.0)))

    assert len(block) == read
    assert (block[0], block[-1]) == (seconds[0], seconds[14])


def test_stretch_with_a_step_like_a_split_is_never_quiet() -> None:
    prices = ["100"] * 5 + ["50"] + ["100"] * 200
    seconds = [second(_AT + n * 20 * SECOND_US, price) for n, price in enumerate(prices)]
    path = Path(_path(seconds))

    assert len(list(path.between(_AT, Micros(_AT + BLOCK_US), quiet=inside(0.0, 1e9)))) == 15
