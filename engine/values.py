"""Arrow columns to the Python values a DB-API user expects.

DuckDB makes Python rows itself, and faster. Results that were asked for as Arrow and are read as rows all the same
become rows here, with the values DuckDB would give: infinities become the ends of Python's calendar, and other dates
outside it become text.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from paretosql.engine.timezones import plain_zone
from paretosql.engine.types import ColumnType, Description
from paretosql.errors import NotSupportedError, compose

Decoder = Callable[[pa.Array, ColumnType], list[Any]]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_DAY = 24 * 60 * 60 * 1_000_000
_INFINITE, _INFINITE_DAYS = 2**63 - 1, 2**31 - 1  # DuckDB's infinities
_LOWEST, _HIGHEST = ((each - _EPOCH) // datetime.timedelta(microseconds=1) for each in (_FIRST, _LAST))


def needs_zones(description: Description) -> bool:
    """True when a column, or a part of a nested column, is a TIMESTAMP WITH TIME ZONE."""
    return any("TIMESTAMP WITH TIME ZONE" in kind.sql for _, kind, *_ in description)


def rows_of(batch: pa.RecordBatch, description: Description) -> list[tuple[Any, ...]]:
    """The rows of one batch as tuples of Python values; O(values) time and memory."""
    columns = [decode(batch.column(at), kind) for at, (_, kind, *_) in enumerate(description)]
    return list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows


def decode(array: pa.Array, kind: ColumnType) -> list[Any]:
    """The values of one column, None for NULL."""
    return _DECODERS.get(kind.id, _plain)(array, kind)


def _plain(array: pa.Array, kind: ColumnType) -> list[Any]:
    values: list[Any] = array.to_pylist()
    return values


def _each(convert: Callable[[Any], Any]) -> Decoder:
    """A decoder that converts Arrow's own Python value."""
    return lambda array, kind: [None if value is None else convert(value) for value in array.to_pylist()]


def _instants(array: pa.Array, kind: ColumnType) -> list[Any]:
    zone = array.type.tz
    target = plain_zone(zone) if zone else None
    micros = array.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).to_pylist()
    found = [None if each is None else _instant(each, target) for each in micros]
    return _spelled(found, array, kind)


def _instant(micros: int, zone: datetime.tzinfo | None) -> datetime.datetime | None:
    """The instant in a zone; without a zone for infinities; None when Python's calendar does not reach it."""
    if abs(micros) == _INFINITE:
        return datetime.datetime.max if micros > 0 else datetime.datetime.min
    if not _LOWEST <= micros <= _HIGHEST:
        return None
    utc = _EPOCH + datetime.timedelta(microseconds=micros)
    if zone is None:
        return utc.replace(tzinfo=None)
    try:
        return utc.astimezone(zone)
    except OverflowError:  # the first and last hours of Python's calendar
        return utc


def _spelled(found: list[Any], array: pa.Array, kind: ColumnType) -> list[Any]:
    """Put DuckDB's text, in UTC, where Python has no value for something that is not NULL."""
    missing = [at for at, value in enumerate(found) if value is None and array[at].is_valid]
    if missing:
        rows = pa.table({"x": array.take(pa.array(missing))})
        con = duckdb.connect(config={"threads": 1})
        con.execute("SET TimeZone = 'UTC'")
        texts = con.from_arrow(rows).project("x::VARCHAR").fetchall()
        con.close()
        for at, (text,) in zip(missing, texts, strict=True):
            found[at] = text
    return found


def _dates(array: pa.Array, kind: ColumnType) -> list[Any]:
    days = array.cast(pa.int32()).to_pylist()
    return _spelled([None if each is None else _date(each) for each in days], array, kind)


def _date(days: int) -> datetime.date | None:
    if abs(days) == _INFINITE_DAYS:
        return datetime.date.max if days > 0 else datetime.date.min
    ordinal = days + _EPOCH.toordinal()
    return datetime.date.fromordinal(ordinal) if 1 <= ordinal <= datetime.date.max.toordinal() else None


def _interval(value: Any) -> datetime.timedelta:
    return datetime.timedelta(days=value.months * 30 + value.days, microseconds=value.nanoseconds // 1000)


def _bits(value: bytes) -> str:
    # DuckDB's layout: one byte that counts the padding bits in front, then the bits
    return "".join(f"{byte:08b}" for byte in value[1:])[value[0] :]


def _big(value: bytes) -> str:
    # DuckDB's layout: three bytes of header whose first bit is the sign, then the magnitude; negative numbers inverted
    negative = value[0] < 0x80
    body = bytes(255 - byte for byte in value[3:]) if negative else value[3:]
    return ("-" if negative else "") + str(int.from_bytes(body, "big"))


def _lists(array: pa.Array, kind: ColumnType) -> list[Any]:
    inner = kind.parts[0][1]
    make: Callable[[list[Any]], Any] = tuple if kind.id == "array" else list
    return [make(decode(each.values, inner)) if each.is_valid else None for each in array]


def _maps(array: pa.Array, kind: ColumnType) -> list[Any]:
    keys, items = kind.parts[0][1], kind.parts[1][1]
    return [
        dict(zip(decode(each.values.field(0), keys), decode(each.values.field(1), items), strict=True))
        if each.is_valid
        else None
        for each in array
    ]


def _structs(array: pa.Array, kind: ColumnType) -> list[Any]:
    valid = array.is_valid().to_pylist()
    names = [name for name, _ in kind.parts]
    columns = [decode(array.field(at), inner) for at, (_, inner) in enumerate(kind.parts)]
    rows = zip(*columns, strict=True) if columns else [()] * len(array)
    if kind.id == "tuple" or (names and not any(names)):  # row(...) has no field names
        return [row if ok else None for ok, row in zip(valid, rows, strict=True)]
    return [dict(zip(names, row, strict=True)) if ok else None for ok, row in zip(valid, rows, strict=True)]


def _unions(array: pa.Array, kind: ColumnType) -> list[Any]:
    whole = pa.concat_arrays([array])  # the members of a slice do not know its offset
    members = [inner for name, inner in kind.parts if name]
    fields = [decode(whole.field(at), inner) for at, inner in enumerate(members)]
    return [fields[code][row] for row, code in enumerate(whole.type_codes.to_pylist())]


def _times(array: pa.Array, kind: ColumnType) -> list[Any]:
    micros = array.cast(pa.time64("us"), safe=False).cast(pa.int64()).to_pylist()
    return ["24:00:00" if at == _DAY else value for at, value in zip(micros, array.to_pylist(), strict=True)]


def _refused(array: pa.Array, kind: ColumnType) -> list[Any]:
    raise NotSupportedError(
        compose(
            f"{kind.sql} cannot be read as rows from a result that was asked for as Arrow",
            hint="execute without arrow=True, or cast the column to VARCHAR",
        )
    )


_DECODERS: dict[str, Decoder] = {
    "timestamp with time zone": _instants,
    "timestamp": _instants,
    "timestamp_s": _instants,
    "timestamp_ms": _instants,
    "timestamp_ns": _instants,
    "date": _dates,
    "interval": _each(_interval),
    "hugeint": _each(int),
    "uhugeint": _each(lambda value: int(value) % 2**128),  # Arrow has no unsigned decimals
    "time": _times,
    "uuid": _each(uuid.UUID),
    "bit": _each(_bits),
    "bignum": lambda array, kind: _each(_big)(array.storage, kind),
    "list": _lists,
    "array": _lists,
    "map": _maps,
    "struct": _structs,
    "tuple": _structs,
    "union": _unions,
    "time with time zone": _refused,
    "variant": _refused,
}
