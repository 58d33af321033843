from collections.abc import Iterable
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import encode
from streams.compare import MISSING, Comparison, Difference, Found, differences, identify

# ---- where two messages differ -------------------------------------------------------------------

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-9, 9) | st.text()
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterable[tuple[str | int, ...]]:
    """Yield where each leaf stands; an empty object or list is one."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*at, name))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*at, place))
    else:
        yield at


def _with(value: Any, at: tuple[str | int, ...], leaf: Any) -> Any:
    """Return a copy with another leaf."""
    if not at:
        return leaf
    copy = value.copy()
    copy[at[0]] = _with(value[at[0]], at[1:], leaf)
    return copy


def _follow(path: str, value: Any) -> Any:
    """Return what stands at a path, which is read from its text alone."""
    rest = path.removeprefix("$")
    while rest:
        if rest.startswith("["):
            name, rest = _bracket(rest)
        else:
            name = rest[1:].split(".")[0].split("[")[0]
            rest = rest[1 + len(name) :]
        value = value[name]
    return value


def _bracket(rest: str) -> tuple[Any, str]:
    for end in (at for at, sign in enumerate(rest) if sign == "]"):
        try:
            return orjson.loads(rest[1:end]), rest[end + 1 :]
        except orjson.JSONDecodeError:
            continue
    raise AssertionError(rest)


@given(_JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(differences(value, orjson.loads(encode(value)))) == []


@given(_JSON, st.data())
def test_another_leaf_is_found_at_its_place(value: Any, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(list(_leaves(value))))
    other = _with(value, at, {"another": "leaf"})

    found = list(differences(value, other))

    # An empty object on the one side has no fields to tell, so the field is what differs.
    assert len(found) == 1
    whole = found[0].path.removesuffix(".another") if found[0].a is MISSING else found[0].path
    assert _follow(whole, other) == {"another": "leaf"}


def test_fields_come_by_name_and_items_by_place() -> None:
    one = {"b": [1, 2, 3], "a": {"x": 1, "odd name": 2}, "same": 0}
    other = {"same": 0, "a": {"odd name": 3}, "b": [1, 5]}

    assert list(differences(one, other)) == [
        Difference('$.a["odd name"]', 2, 3),
        Difference("$.a.x", 1, MISSING),
        Difference("$.b[1]", 2, 5),
        Difference("$.b[2]", 3, MISSING),
    ]


def test_values_that_python_takes_for_equal_are_told_apart() -> None:
    pairs = [(1, 1.0), (True, 1), (0.0, -0.0), (None, False), ({}, []), ("1", 1)]

    assert [len(list(differences([a], [b]))) for a, b in pairs] == [1] * len(pairs)


# ---- what a record is called ---------------------------------------------------------------------


def test_a_record_is_called_what_its_message_says() -> None:
    def named(**plain: object) -> str:
        return str(identify(encode(plain)))

    assert named(alert_id="al_1", revision=3, story_id="st_1") == "al_1, revision 3"
    assert named(kind="reaction", id="rr_1", reaction_id="rx_1", revision=2) == "rr_1, revision 2"
    event = {"id": "er_1", "event_id": "ev_1", "revision": 1}
    assert named(kind="event", subject={"key": "IREN"}, event=event) == "er_1, revision 1"
    assert named(kind="event", via="IREN", sequence=2, event=event) == "er_1, revision 1, IREN #2"
    assert named(kind="second", ticker="IREN", second_us=1) == ""
    assert [str(identify(value)) for value in (None, b"", b"[1]", b"{", b'"id"')] == [""] * 5


# ---- two runs ------------------------------------------------------------------------------------

Records = list[tuple[bytes, bytes | None]]


def _alert(name: str, revision: int = 1, **more: object) -> tuple[bytes, bytes]:
    return b"IREN", encode({"alert_id": name, "revision": revision} | more)


def _compared(a: Records, b: Records) -> Comparison:
    comparison = Comparison()
    for key, value in a:
        comparison.add("a", key, value)
    for key, value in b:
        comparison.add("b", key, value)
    return comparison


def _found(a: Records, b: Records) -> Found:
    return _compared(a, b).found()


_RUN: Records = [
    _alert("al_1"),
    _alert("al_1", 2),
    _alert("al_2"),
    (b"IREN", b"no JSON"),
    (b"", None),
]


def test_the_same_records_are_equal_in_any_order() -> None:
    for other in (_RUN, _RUN[::-1]):
        assert _found(_RUN, other) == Found(equal=len(_RUN))


def test_a_missing_and_an_extra_record_are_counted() -> None:
    for at in range(len(_RUN)):
        fewer = _RUN[:at] + _RUN[at + 1 :]
        assert _found(_RUN, fewer) == Found(equal=len(fewer), only_a=1)
        assert _found(fewer, _RUN) == Found(equal=len(fewer), only_b=1)


def test_one_changed_byte_of_a_named_record_makes_it_differ() -> None:
    changed = [_alert("al_1"), _alert("al_1", 2, raw=0.1), *_RUN[2:]]
    other = [_alert("al_1"), _alert("al_1", 2, raw=0.2), *_RUN[2:]]

    assert _found(changed, other) == Found(equal=len(_RUN) - 1, differing=1)


def test_another_key_revision_or_nameless_content_is_another_record() -> None:
    for one, other in [
        ((b"IREN", b"{}"), (b"MSFT", b"{}")),
        (_alert("al_1", 1), _alert("al_1", 2)),
        ((b"IREN", b'{"kind":"second"}'), (b"IREN", b'{"kind":"third"}')),
        ((b"a", b"b"), (b"ab", b"")),
        ((b"IREN", None), (b"IREN", b"")),
    ]:
        assert _found([one], [other]) == Found(only_a=1, only_b=1)


def test_repeated_records_count_once() -> None:
    found = _found([*_RUN, _RUN[0], _RUN[3]], [_RUN[0], *_RUN])

    assert found == Found(equal=len(_RUN), repeated={"a": 2, "b": 1})
    assert not found.different


def test_a_repeat_of_a_record_that_differs_is_a_repeat() -> None:
    found = _found([_alert("al_1", x=1)] * 2, [_alert("al_1", x=2)] * 3)

    assert found == Found(differing=1, repeated={"a": 1, "b": 2})


def test_a_run_that_contradicts_itself_is_different_even_from_itself() -> None:
    run: Records = [_alert("al_1", x=1), _alert("al_1", x=2)]

    found = _found(run, run)

    assert found == Found(equal=1, contradicted={"a": 1, "b": 1})
    assert found.different == 2


def test_the_first_differences_are_chosen_by_kind_and_in_the_order_of_the_runs() -> None:
    a = [_alert(f"al_{n}", x=1) for n in range(6)]
    b = [_alert(f"al_{n}", x=1 if n < 2 else 2) for n in (7, 5, 4, 3, 2, 1)]

    chosen = _compared(a, b).first(2)

    one_by_one = [_compared([record], []).first(1) for record in (a[2], a[3], a[0], b[0])]
    assert list(chosen) == [name for found in one_by_one for name in found]
    assert list(_compared(a, b).first(0)) == []
