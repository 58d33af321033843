"""read_headlines: revisions, withdrawals, and whom they have to reach."""

from dataclasses import replace
from typing import Any

import pytest

from signals import names
from signals.errors import BadMessage
from signals.events import read_headlines_step
from signals.fold import Output, apply_changes
from signals.messages import Event, EventEntry, Headline, Micros
from signals.policy import MINUTE_US, Policy
from signals.subjects import SubjectTables
from tests.builders import RULES, headline, reading, toy_reader

_AT = "2025-11-03T11:37:00Z"
_READINGS = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "corrected": (reading("IREN", "AMZN", worth="9.7"),),
    "two": (reading("IREN", "MSFT", worth="9.7"), reading("CIFR", "AMZN", worth="5.5")),
}
_STEP = read_headlines_step(
    toy_reader(_READINGS), rules=RULES, tables=SubjectTables(), policy=Policy()
)
_FIRST = headline("contract", at=_AT)


def _read(*headlines: Headline) -> list[Output]:
    """The outputs of the last of a headline's revisions."""
    rows: Any = {}
    outputs: tuple[Output, ...] = ()
    for item in headlines:
        changes, outputs = _STEP(rows, item.id, item)
        rows = apply_changes(rows, changes)
    return list(outputs)


def _journal(outputs: list[Output]) -> dict[str, str]:
    """Whom the outputs reach on the journal, and with what."""
    return {
        output.key: output.message.event.status
        for output in outputs
        if isinstance(output.message, EventEntry)
    }


def _revised(title: str, *, revision: int = 2, **changes: Any) -> Headline:
    fields = {"received_us": Micros(_FIRST.received_us + MINUTE_US)} | changes
    return replace(_FIRST, title=title, revision=revision, **fields)


def test_event_goes_once_to_consumers_and_to_each_of_its_subjects() -> None:
    outputs = _read(_FIRST)

    assert [o.topic for o in outputs] == [names.EVENTS, names.JOURNAL, names.JOURNAL]
    assert _journal(outputs) == {"IREN": "live", "MSFT": "live"}
    assert {o.event_us for o in outputs} == {_FIRST.published_us}


def test_headline_that_says_nothing_leaves_no_state() -> None:
    result = _STEP({}, "wire:x", headline("something else", at=_AT))

    assert result == ({}, ())


def test_correction_retracts_from_whom_it_names_no_more() -> None:
    outputs = _read(_FIRST, _revised("corrected"))

    assert _journal(outputs) == {"MSFT": "retracted", "IREN": "live", "AMZN": "live"}
    ids = {o.message.event.event_id for o in outputs if isinstance(o.message, EventEntry)}
    assert len(ids) == 1


def test_withdrawal_retracts_everywhere() -> None:
    outputs = _read(_FIRST, _revised("contract", status="withdrawn"))

    assert _journal(outputs) == {"IREN": "retracted", "MSFT": "retracted"}
    (event,) = [o.message for o in outputs if isinstance(o.message, Event)]
    assert (event.status, event.revision) == ("retracted", 2)
    assert event.received_us == _FIRST.received_us + MINUTE_US


def test_withdrawn_headline_that_comes_back_is_live_again() -> None:
    gone = _revised("contract", status="withdrawn")

    assert _journal(_read(_FIRST, gone, _revised("contract", revision=3))) == {
        "IREN": "live",
        "MSFT": "live",
    }


def test_lower_revision_that_comes_later_is_ignored() -> None:
    assert _read(_revised("corrected"), _FIRST) == []
    assert _read(_revised("nothing"), _FIRST) == []
    assert _read(_revised("contract", status="withdrawn"), _FIRST) == []


def test_of_two_inputs_with_one_id_the_earlier_receipt_stands() -> None:
    later = replace(_FIRST, title="corrected", received_us=Micros(_FIRST.received_us + 1))

    assert _read(_FIRST, later) == []
    assert _read(_FIRST, _FIRST) == []
    assert _journal(_read(later, _FIRST)) == {"AMZN": "retracted", "IREN": "live", "MSFT": "live"}


def test_events_of_one_headline_have_ids_of_their_own() -> None:
    events = [o.message for o in _read(headline("two", at=_AT)) if isinstance(o.message, Event)]

    assert len({event.event_id for event in events}) == 2
    assert [event.anchor for event in events] == ["IREN", "CIFR"]


def test_identity_is_the_same_in_every_revision_and_the_record_is_not() -> None:
    one, two = (
        next(o.message for o in _read(*h) if isinstance(o.message, Event))
        for h in ((_FIRST,), (_FIRST, _revised("corrected")))
    )

    assert one.event_id == two.event_id
    assert one.id != two.id


def test_publish_time_in_the_future_is_refused() -> None:
    edge = Policy().future_us

    assert _read(replace(_FIRST, received_us=Micros(_FIRST.published_us - edge)))
    with pytest.raises(BadMessage) as caught:
        _read(replace(_FIRST, received_us=Micros(_FIRST.published_us - edge - 1)))
    assert (caught.value.reason, caught.value.path) == ("future_publish_time", "$.published_us")


def test_moves_are_measured_from_the_earlier_of_published_and_received() -> None:
    early = replace(_FIRST, received_us=Micros(_FIRST.published_us - MINUTE_US))
    (event, *_) = [o.message for o in _read(early) if isinstance(o.message, Event)]

    assert event.anchor_us == early.received_us


@pytest.mark.parametrize(("days", "is_late"), [(3.0, False), (3.0001, True)])
def test_headline_is_late_beyond_three_days(days: float, is_late: bool) -> None:
    late = headline("contract", at=_AT, received_s=days * 86_400)
    (event, *_) = [o.message for o in _read(late) if isinstance(o.message, Event)]

    assert event.late is is_late
