from collections.abc import Sequence
from typing import Any

from streams.codec import encode
from streams.last_state import LastState, Subject

_MOVE = {"ticker": "IREN", "milestone": "PT1M", "raw": 0.2, "known_us": 7}


def _story(revision: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "alert_id": "al_1", "revision": revision, "kind": "confirmed", "story_id": "st_1",
        "anchor": "IREN", "type": "deal", "status": "signed", "direction": None,
        "tickers": ["IREN"], "amounts": [], "moves": [_MOVE], "known_us": 9, "severity": "high",
    }  # fmt: skip
    return plain | changes


def _reaction(revision: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "kind": "reaction", "id": f"rr_{revision}", "reaction_id": "rx_1", "revision": revision,
        "status": "live", "anchor": "IREN", "event_ids": ["ev_1"], "move": _MOVE,
    }  # fmt: skip
    return plain | changes


def _report(revision: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "kind": "move", "id": f"mr_{revision}", "move_id": "mv_1", "revision": revision,
        "status": "live", "ticker": "IREN", "move": _MOVE, "explained_by": [],
    }  # fmt: skip
    return plain | changes


def _end(*records: dict[str, Any] | bytes | None) -> LastState:
    end = LastState()
    for record in records:
        end.add(encode(record) if isinstance(record, dict) else record)
    return end


_ALL = (_story(1), _reaction(1), _report(1))


def test_different_steps_to_equal_ends_give_one_hash() -> None:
    short = _end(*_ALL)
    long = _end(
        _report(1, explained_by=["ev_9"]), _report(2),
        _reaction(1, status="withdrawn"), _reaction(2),
        _story(1, status="rumored"), _story(2, tickers=[]), _story(3, kind="new", known_us=1),
    )  # fmt: skip

    assert long.sha256() == short.sha256()
    assert long.counts() == {"story": 1, "reaction": 1, "report": 1}


def test_the_highest_revision_is_the_last_whatever_comes_first() -> None:
    steps = [_story(n, tickers=["T"] * n) for n in (1, 2, 3)]

    assert {_end(*order).sha256() for order in (steps, steps[::-1], steps * 2)} == {
        _end(steps[2]).sha256()
    }


def test_what_a_state_is_made_of_changes_the_hash() -> None:
    changes: Sequence[tuple[Any, dict[str, Any]]] = [
        *((_story, {name: "another"}) for name in ("story_id", "anchor", "type", "status")),
        *((_story, {name: "another"}) for name in ("direction", "tickers", "amounts")),
        (_story, {"moves": [_MOVE | {"raw": 0.3}]}),
        (_reaction, {"reaction_id": "rx_2"}),
        (_reaction, {"event_ids": []}),
        (_reaction, {"move": _MOVE | {"raw": 0.3}}),
        (_report, {"explained_by": ["ev_1"]}),
    ]

    ends = {_end(*_ALL, build(2, **more)).sha256() for build, more in changes}

    assert len(ends | {_end(*_ALL).sha256()}) == len(changes) + 1


def test_what_depends_on_the_steps_does_not_change_the_hash() -> None:
    same = [
        _story(2, kind="new", known_us=1, severity="low", alert_id="al_1"),
        _story(2, moves=[_MOVE | {"known_us": 99}]),
        _reaction(2, move=_MOVE | {"known_us": 99}),
        _report(2, move=_MOVE | {"known_us": 99}),
    ]

    assert {_end(*_ALL, more).sha256() for more in same} == {_end(*_ALL).sha256()}


def test_what_was_taken_back_does_not_stand() -> None:
    gone = _end(*_ALL, _story(2, kind="superseded"), _reaction(2, status="withdrawn"))

    assert list(gone.standing()) == [Subject("report", "mv_1")]
    assert _end(_story(1, kind="retracted")).sha256() == _end().sha256()


def test_the_alert_of_an_unexplained_move_and_what_nobody_can_read_say_nothing() -> None:
    odd = [
        _story(2, type=None, story_id="st_move"), {"kind": "event", "event": {}}, None, b"", b"{",
        b"[]", b'{"alert_id":"al_2","revision":1}', {"kind": "reaction", "revision": 1},
        _reaction(2, move=3), _story(2) | {"revision": "2"},
    ]  # fmt: skip

    assert _end(*_ALL, *odd).sha256() == _end(*_ALL).sha256()
