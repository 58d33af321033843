"""Classes that are quick to make and to pickle do what frozen dataclasses do."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields
from decimal import Decimal
from typing import NamedTuple

import pytest

from signals.frozen import fast_init, make


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class _Bid:
    name: str
    price: Decimal = Decimal(1)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise ValueError("price must be positive")


class _Pair(NamedTuple):
    one: int
    two: str = "x"


def test_fields_and_defaults_are_those_of_the_dataclass() -> None:
    bid = _Bid(name="a")

    assert [item.name for item in fields(bid)] == ["name", "price", "notes"]
    assert (bid.name, bid.price, bid.notes) == ("a", Decimal(1), [])
    assert bid.notes is not _Bid(name="a").notes
    with pytest.raises(FrozenInstanceError):
        bid.name = "b"  # type: ignore[misc]
    with pytest.raises(ValueError, match="positive"):
        _Bid(name="a", price=Decimal(0))


def test_pickled_comes_back_equal_and_frozen() -> None:
    bid = _Bid(name="a", price=Decimal("2.50"), notes=["late"])
    again = pickle.loads(pickle.dumps(bid))

    assert again == bid
    assert str(again.price) == "2.50"
    with pytest.raises(FrozenInstanceError):
        again.name = "b"


def test_tuple_made_by_place_is_the_named_one() -> None:
    made = make(_Pair, (1, "y"))

    assert made == _Pair(1, "y")
    assert type(made) is _Pair
    assert made.two == "y"
