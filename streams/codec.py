"""Bytes to messages and back: the only place that knows JSON.

Writing is canonical: keys sorted, no spaces, decimals as plain strings, no NaN; the same message
always gives the same bytes. A message is an object of its fields by name: a dataclass, or a
NamedTuple with a ``kind``. Any other NamedTuple is a row of the hot path, a list by place. Reading
is strict about types, names the bad field with its path, and ignores fields that it does not know
(fields are added, never renamed or reused).

A row of an agent's state is written by place altogether (``encode_row``): a list for every object
in it takes a third of the bytes, and fields are added at the end, with a default.
"""

import math
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import orjson

from signals.errors import BadMessage

__all__ = ["decode", "decode_row", "encode", "encode_row", "from_plain", "to_json"]

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS
_Reader = Callable[[Any], Any]  # raises BadMessage with the path below what it was given


def encode(message: object) -> bytes:
    """Return the canonical bytes of a message or of anything made of messages.

    Raises: TypeError for a value that has no place in a message (a caller's bug).
    """
    return orjson.dumps(message, default=_plain, option=_OPTIONS)


def encode_row(row: object) -> bytes:
    """Return the canonical bytes of a row of state: its fields, and theirs, by place.

    Raises: TypeError, as ``encode``.
    """
    return orjson.dumps(row, default=_by_place, option=_OPTIONS)


def to_json(message: object, *, indent: bool = False) -> str:
    """Return canonical JSON text, indented by two for people if asked."""
    option = _OPTIONS | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(message, default=_plain, option=option).decode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"a decimal on a topic must be finite, was {value}")
        return format(value, "f")
    kind: Any = type(value)
    names = _field_names(kind)
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{kind.__name__} has no place in a message")


def _by_place(value: object) -> object:
    kind: Any = type(value)
    names = _field_names(kind)
    return _plain(value) if names is None else [getattr(value, name) for name in names]


@cache
def _field_names(kind: Any) -> tuple[str, ...] | None:
    """Return the names of the fields of a message; None for what is written in another way."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return kind._fields if _is_named_message(kind) else None


def _is_named_message(kind: Any) -> bool:
    return issubclass(kind, tuple) and "kind" in getattr(kind, "_fields", ())


def decode(raw: bytes | None, kind: Any) -> Any:
    """Read one message of ``kind``, or of a union of messages told apart by their ``kind``.

    Raises: BadMessage with the reason, the path of the bad field, and what was seen.
    """
    return from_plain(_parsed(raw), kind)


def decode_row(raw: bytes, kind: Any) -> Any:
    """Read a row of state of ``kind``.

    Raises: BadMessage, as ``decode``.
    """
    return _read(_parsed(raw), _reader(kind, by_place=True))


def _parsed(raw: bytes | None) -> object:
    if raw is None:
        raise BadMessage("null_value", "$", "must be a JSON object, was null (a tombstone)")
    try:
        plain: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            raw.decode()
        except UnicodeDecodeError as fault:
            detail = f"must be UTF-8, byte {fault.start} is 0x{raw[fault.start]:02x}"
            raise BadMessage("invalid_utf8", "$", detail) from error
        raise BadMessage("not_json", "$", f"must be one JSON value: {error}") from error
    return plain


def from_plain(plain: object, kind: Any) -> Any:
    """Read a message from what JSON gives: dicts, lists, strings and numbers.

    Raises: BadMessage, as ``decode``.
    """
    return _read(plain, _reader(kind))


def _read(plain: object, read: _Reader) -> Any:
    try:
        return read(plain)
    except BadMessage as error:
        raise _inside("$", error) from error.__cause__


def _inside(place: str, error: BadMessage) -> BadMessage:
    """Return a fault as it is seen from one level further out.

    Readers raise with the path below themselves, so that no path is built while all is well.
    """
    return BadMessage(error.reason, f"{place}{error.path}", error.detail)


def _wrong(wanted: str, seen: object) -> BadMessage:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    names |= {int: "a whole number", float: "a number", type(None): "null"}
    shown = "" if isinstance(seen, dict | list) or seen is None else f" {seen!r:.60}"
    kind = names.get(type(seen), type(seen).__name__)
    return BadMessage("wrong_type", "", f"must be {wanted}, was {kind}{shown}")


def _read_str(value: Any) -> str:
    if type(value) is not str:
        raise _wrong("a string", value)
    return value


def _read_int(value: Any) -> int:
    if type(value) is not int:
        raise _wrong("a whole number", value)
    return value


def _read_bool(value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong("true or false", value)
    return value


def _read_float(value: Any) -> float:
    if type(value) not in (int, float):
        raise _wrong("a number", value)
    number = float(value)
    if not math.isfinite(number):
        raise BadMessage("bad_value", "", f"must be finite, was {number}")
    return number


def _read_decimal(value: Any) -> Decimal:
    if type(value) is not str:
        raise _wrong('a decimal as a string, like "73.07"', value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        detail = f'must be a decimal like "73.07", was {value!r:.60}'
        raise BadMessage("bad_value", "", detail) from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise BadMessage("bad_value", "", f"must be a finite decimal, was {value!r:.60}")
    return number


_SCALARS: dict[Any, _Reader] = {
    str: _read_str,
    int: _read_int,
    bool: _read_bool,
    float: _read_float,
    Decimal: _read_decimal,
}


@cache
def _reader(kind: Any, *, by_place: bool = False) -> _Reader:
    if isinstance(kind, NewType):
        return _reader(kind.__supertype__, by_place=by_place)
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin = get_origin(kind)
    if origin is Literal:
        return _literal_reader(get_args(kind))
    if origin is tuple:
        return _tuple_reader(get_args(kind), by_place=by_place)
    if origin is frozenset:
        read_members = _tuple_reader((*get_args(kind), Ellipsis), by_place=by_place)
        return lambda value: frozenset(read_members(value))
    if origin in (Union, types.UnionType):
        return _union_reader(get_args(kind), by_place=by_place)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(get_args(kind)[1], by_place=by_place)
    if is_dataclass(kind):
        return _dataclass_reader(kind, by_place=by_place)
    if isinstance(kind, type) and issubclass(kind, tuple):
        return _named_tuple_reader(kind, by_place=by_place)
    raise TypeError(f"{kind} has no reader")


def _literal_reader(allowed: tuple[Any, ...]) -> _Reader:
    wanted = " | ".join(str(value) for value in allowed)

    def read(value: Any) -> Any:
        if type(value) is not str:
            raise _wrong(f"one of {wanted}", value)
        if value not in allowed:
            raise BadMessage("bad_value", "", f"must be one of {wanted}, was {value!r:.60}")
        return value

    return read


def _tuple_reader(members: tuple[Any, ...], *, by_place: bool) -> _Reader:
    if len(members) == 2 and members[1] is Ellipsis:
        read_member = _reader(members[0], by_place=by_place)

        def read_many(value: Any) -> tuple[Any, ...]:
            if type(value) is not list:
                raise _wrong("a list", value)
            return _read_items((read_member,) * len(value), value) if value else ()

        return read_many

    readers = tuple(_reader(member, by_place=by_place) for member in members)

    def read_fixed(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(readers):
            raise _wrong(f"a list of {len(readers)}", value)
        return _read_items(readers, value)

    return read_fixed


def _named_tuple_reader(kind: Any, *, by_place: bool) -> _Reader:
    if _is_named_message(kind) and not by_place:
        return _object_reader(kind, kind._fields, optional=kind._field_defaults, reasons={})
    hints = get_type_hints(kind)
    read_fields = _tuple_reader(tuple(hints[name] for name in kind._fields), by_place=by_place)
    return lambda value: kind(*read_fields(value))


def _read_items(readers: Sequence[_Reader], items: Sequence[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    try:
        for read, item in zip(readers, items, strict=True):
            found.append(read(item))
    except BadMessage as error:
        raise _inside(f"[{len(found)}]", error) from error.__cause__
    return tuple(found)


def _mapping_reader(member: Any, *, by_place: bool) -> _Reader:
    read_member = _reader(member, by_place=by_place)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong("an object", value)
        items = _read_items((read_member,) * len(value), tuple(value.values()))
        return dict(zip(value, items, strict=True))

    return read


def _union_reader(members: tuple[Any, ...], *, by_place: bool) -> _Reader:
    present = tuple(member for member in members if member is not type(None))
    if len(present) == 1:
        read_present = _reader(present[0], by_place=by_place)
        return lambda value: None if value is None else read_present(value)
    if by_place:
        raise TypeError(f"a row holds one of {present}, which no place tells apart")
    by_kind: dict[str, _Reader] = {}
    for member in present:
        (tag,) = get_args(get_type_hints(member)["kind"])
        by_kind[tag] = _reader(member)
    wanted = " | ".join(by_kind)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong("an object", value)
        if "kind" not in value:
            raise BadMessage("missing_field", ".kind", f"must be one of {wanted}")
        tag = value["kind"]
        if type(tag) is not str or tag not in by_kind:
            detail = f"must be one of {wanted}, was {tag!r:.60}"
            raise BadMessage("bad_value", ".kind", detail)
        return by_kind[tag](value)

    return read


# The JSON types whose values need no reading where a field is of that type, or of it or null.
_AS_THEY_ARE = (str, int, bool)


def _dataclass_reader(kind: Any, *, by_place: bool) -> _Reader:
    optional = [
        field.name
        for field in fields(kind)
        if not (field.default is MISSING and field.default_factory is MISSING)
    ]
    # A field may name the reason of its own faults: Headline.published_us does.
    reasons = {field.name: field.metadata for field in fields(kind) if field.metadata}
    names = [field.name for field in fields(kind)]
    if by_place:
        return _list_reader(kind, names, needed=len(names) - len(optional))
    return _object_reader(kind, names, optional=optional, reasons=reasons)


def _list_reader(kind: Any, names: Sequence[str], *, needed: int) -> _Reader:
    """Return the reader of an object by place; of those that have a default the last may lack."""
    hints = get_type_hints(kind)
    readers = tuple(_reader(hints[name], by_place=True) for name in names)

    def read(value: Any) -> Any:
        if type(value) is not list or not needed <= len(value) <= len(names):
            raise _wrong(f"a list of {len(names)}, a {kind.__name__}", value)
        items = _read_items(readers[: len(value)], value)
        return kind(**dict(zip(names, items, strict=False)))

    return read


def _object_reader(
    kind: Any,
    names: Sequence[str],
    *,
    optional: Collection[str],
    reasons: Mapping[str, Mapping[Any, Any]],
) -> _Reader:
    """Return the reader of an object with these fields.

    ``optional`` are the names that may be left out; ``reasons`` says, by name, what a fault is
    called there instead of what it is called elsewhere.
    """
    hints = get_type_hints(kind)
    plan = [(name, _same_type(hints[name]), _reader(hints[name])) for name in names]
    needed = [name for name in names if name not in optional]

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong("an object", value)
        found: dict[str, Any] = {}
        name = ""
        try:
            for name, same, read_field in plan:
                if name in value:
                    item = value[name]
                    found[name] = item if type(item) is same else read_field(item)
                elif name in needed:
                    raise BadMessage("missing_field", "", f"must be given in a {kind.__name__}")
        except BadMessage as error:
            fault, cause = _inside(f".{name}", error), error.__cause__
            said = "missing_field" if value.get(name) is None else error.reason  # null says nothing
            if (reason := reasons.get(name, {}).get(said)) is not None:
                fault, cause = BadMessage(reason, fault.path, fault.detail), error
            raise fault from cause
        try:
            return kind(**found)
        except ValueError as error:
            field = str(error).split(" ", 1)[0]
            raise BadMessage("bad_value", f".{field}", str(error)) from error

    return read


def _same_type(hint: Any) -> type | None:
    if isinstance(hint, NewType):
        return _same_type(hint.__supertype__)
    if get_origin(hint) in (Union, types.UnionType):
        present = [member for member in get_args(hint) if member is not type(None)]
        return _same_type(present[0]) if len(present) == 1 else None
    return hint if hint in _AS_THEY_ARE else None
