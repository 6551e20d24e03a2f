"""Arrow columns to the Python values a DB-API user expects.

DuckDB makes Python rows itself, and faster, except for TIMESTAMP WITH TIME ZONE, which it hands to the package pytz. Rows of
results that hold such a column are made here instead. Dates beyond Python's year 9999 become the last representable
instant, as DuckDB does.
"""

from __future__ import annotations

import datetime
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from paretosql.engine.types import ColumnType, Description

Decoder = Callable[[pa.Array], list[Any]]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_LOWEST, _HIGHEST = (int((each - _EPOCH) / datetime.timedelta(microseconds=1)) for each in (_FIRST, _LAST))


def needs_decoding(description: Description) -> bool:
    """True when a column, or a part of a nested column, is a TIMESTAMP WITH TIME ZONE."""
    return any("TIMESTAMP WITH TIME ZONE" in kind.sql for _, kind, *_ in description)


def rows_of(batch: pa.RecordBatch, description: Description) -> list[tuple[Any, ...]]:
    """The rows of one batch as tuples of Python values; O(values) time and memory."""
    columns = [
        _decoder(batch.schema.field(i).type, description[i][1])(batch.column(i)) for i in range(batch.num_columns)
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows


def _decoder(kind: pa.DataType, declared: ColumnType | None = None) -> Decoder:
    """How to read one Arrow type; `declared` is DuckDB's type of the column, which Arrow can be coarser than."""
    if declared is not None and declared.id in _BY_COLUMN:
        return _BY_COLUMN[declared.id]
    if pa.types.is_timestamp(kind):
        return lambda array: _timestamps(array, kind.tz)
    if pa.types.is_interval(kind):
        return _intervals
    if pa.types.is_map(kind):
        return lambda array: _maps(array, kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return lambda array: _lists(array, _decoder(kind.value_type))
    if pa.types.is_struct(kind):
        return lambda array: _structs(array, kind)
    return lambda array: array.to_pylist()


def _timestamps(array: pa.Array, zone: str | None) -> list[Any]:
    micros = array.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).to_pylist()
    target = _zone(zone) if zone else None
    return [None if each is None else _instant(each, target) for each in micros]


def _instant(micros: int, zone: datetime.tzinfo | None) -> datetime.datetime:
    utc = _EPOCH + datetime.timedelta(microseconds=min(max(micros, _LOWEST), _HIGHEST))
    if zone is None:
        return utc.replace(tzinfo=None)
    try:
        return utc.astimezone(zone)
    except OverflowError:  # the first and last hours of Python's calendar
        return utc


def _zone(name: str) -> datetime.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return datetime.UTC  # a machine without a zone database: the same instant, written in UTC


def _intervals(array: pa.Array) -> list[Any]:
    return [
        None
        if each is None
        else datetime.timedelta(days=each.months * 30 + each.days, microseconds=each.nanoseconds // 1000)
        for each in array.to_pylist()
    ]


def _lists(array: pa.Array, inner: Decoder) -> list[Any]:
    return [None if not each.is_valid else inner(each.values) for each in array]


def _maps(array: pa.Array, kind: pa.MapType) -> list[Any]:
    keys, items = _decoder(kind.key_type), _decoder(kind.item_type)
    return [
        None if not each.is_valid else dict(zip(keys(each.values.field(0)), items(each.values.field(1)), strict=True))
        for each in array
    ]


def _structs(array: pa.Array, kind: pa.StructType) -> list[Any]:
    fields = [kind.field(i) for i in range(kind.num_fields)]
    columns = [_decoder(field.type)(part) for field, part in zip(fields, array.flatten(), strict=True)]
    names = [field.name for field in fields]
    valid = array.is_valid().to_pylist()
    return [
        dict(zip(names, row, strict=True)) if ok else None
        for ok, row in zip(valid, zip(*columns, strict=True), strict=True)
    ]


def _bits(array: pa.Array) -> list[Any]:
    # DuckDB's layout: one byte that counts the padding bits in front, then the bits
    return [
        None if each is None else "".join(f"{byte:08b}" for byte in each[1:])[each[0] :] for each in array.to_pylist()
    ]


_BY_COLUMN: dict[str, Decoder] = {
    "hugeint": lambda array: [None if each is None else int(each) for each in array.to_pylist()],
    "uhugeint": lambda array: [None if each is None else int(each) for each in array.to_pylist()],
    "uuid": lambda array: [None if each is None else uuid.UUID(each) for each in array.to_pylist()],
    "bit": _bits,
}
