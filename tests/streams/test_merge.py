"""Raw records in the canonical order: merged as they are read, or sorted, it is the same order."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.messages import Headline, PriceSample
from streams.sources.merge import NotInOrder, canonical_order, is_in_order, merge_in_order
from tests.builders import headline, trade

Message = Headline | PriceSample

_HEADLINES = st.builds(
    lambda title, at, revision: headline(title, at=at, revision=revision),
    st.sampled_from("ab"),
    st.integers(1, 6),
    st.integers(1, 2),
)
_PRICES = st.builds(
    lambda ticker, price, at, late: trade(ticker, price, at=at, received_s=late / 1e6),
    st.sampled_from(["IREN", "MSFT"]),
    st.sampled_from(["1", "2", "3"]),
    st.integers(1, 6),
    st.integers(0, 2),
)
_INPUTS = st.lists(st.lists(_HEADLINES, max_size=8) | st.lists(_PRICES, max_size=12), max_size=5)


def sorted_by_receipt(inputs: list[list[Message]], seed: int) -> list[list[Message]]:
    """Sort each input by receipt alone: what was received together stands in any order."""
    shuffled = [Random(seed).sample(given_, len(given_)) for given_ in inputs]
    return [sorted(given_, key=lambda message: message.received_us) for given_ in shuffled]


@settings(max_examples=300)
@given(inputs=_INPUTS, seed=st.integers(0, 5))
def test_merging_gives_the_canonical_order(inputs: list[list[Message]], seed: int) -> None:
    every = [message for given_ in inputs for message in given_]
    headlines = [message for message in every if isinstance(message, Headline)]
    prices = [message for message in every if isinstance(message, PriceSample)]

    merged = list(merge_in_order(sorted_by_receipt(inputs, seed)))

    assert merged == list(canonical_order(headlines, prices))


def test_merging_reads_no_further_than_it_must() -> None:
    read = []

    def prices(ticker: str) -> Iterator[PriceSample]:
        for number in range(1000):
            read.append(ticker)
            yield trade(ticker, "1", at=1 + number * 10)

    merged = merge_in_order([prices("A"), prices("B")])

    for _ in range(10):
        next(merged)
    assert len(read) <= 14


def test_an_input_that_is_not_in_order_is_named() -> None:
    fine = [trade("A", "1", at=at) for at in (1, 2, 3)]
    wrong = [trade("B", "1", at=at) for at in (1, 3, 2)]

    assert is_in_order(fine)
    assert not is_in_order(wrong)
    with pytest.raises(NotInOrder) as caught:
        list(merge_in_order([fine, wrong]))
    assert caught.value.number == 1
