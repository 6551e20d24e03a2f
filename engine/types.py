"""PEP 249 types: what `description` says of a column, and the constructors of dates, times and bytes.

A column's `type_code` prints its SQL type (`DECIMAL(15,2)`) and equals exactly one of STRING, BINARY, NUMBER, DATETIME;
ROWID equals none, because DuckDB's row ids are ordinary numbers. Nested types equal none of them.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date of a number of seconds since the epoch."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day of a number of seconds since the epoch."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """The local timestamp of a number of seconds since the epoch."""
    return Timestamp(*time.localtime(ticks)[:6])


@dataclass(frozen=True)
class TypeObject:
    """One of PEP 249's type classes: equal to every column type it covers."""

    name: str
    ids: frozenset[str]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ColumnType):
            return other.id in self.ids
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"paretosql.{self.name}"


@dataclass(frozen=True, eq=False)
class ColumnType:
    """The type of a result column: `id` is DuckDB's name of the type without parameters, `sql` the whole type."""

    id: str
    sql: str
    precision: int | None = None
    scale: int | None = None
    parts: tuple[tuple[str, ColumnType], ...] = ()  # of nested types: fields, or the child of a list
    members: int | None = None  # values that an ENUM can have

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self.id in other.ids
        if isinstance(other, ColumnType):
            return self.sql == other.sql
        return self.sql == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sql)

    def __str__(self) -> str:
        return self.sql

    __repr__ = __str__


STRING = TypeObject("STRING", frozenset({"varchar", "enum", "uuid", "bit"}))
BINARY = TypeObject("BINARY", frozenset({"blob"}))
NUMBER = TypeObject(
    "NUMBER",
    frozenset(
        {
            "boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger",
            "ubigint", "uhugeint", "float", "double", "decimal", "bignum",
        }
    ),
)  # fmt: skip
DATETIME = TypeObject(
    "DATETIME",
    frozenset(
        {
            "date", "time", "time_ns", "time with time zone", "timestamp", "timestamp_s", "timestamp_ms",
            "timestamp_ns", "timestamp with time zone", "interval",
        }
    ),
)  # fmt: skip
ROWID = TypeObject("ROWID", frozenset())

_NESTED = frozenset({"list", "array", "struct", "tuple", "map", "union"})

Description = list[tuple[str, ColumnType, None, None, int | None, int | None, None]]


def column_type(raw: Any) -> ColumnType:
    """The `ColumnType` of a DuckDB type object."""
    if raw.id == "decimal":
        children = dict(raw.children)
        return ColumnType("decimal", str(raw), children["precision"], children["scale"])
    if raw.id == "enum":
        return ColumnType("enum", str(raw), members=len(dict(raw.children)["values"]))
    if raw.id in _NESTED:
        parts = [(name, column_type(part)) for name, part in raw.children if name != "size"]
        return ColumnType(raw.id, str(raw), parts=tuple(parts))
    return ColumnType(raw.id, str(raw))


def describe(raw: Iterable[tuple[Any, ...]] | None) -> Description:
    """PEP 249's seven-tuples from DuckDB's; precision and scale are filled for decimals, the rest stays None."""
    out: Description = []
    for name, raw_type, *_ in raw or ():
        kind = column_type(raw_type)
        out.append((name, kind, None, None, kind.precision, kind.scale, None))
    return out
