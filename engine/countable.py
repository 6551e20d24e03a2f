"""Values on their way to a sketch: cast where Arrow would blur them, refused where a collation would.

A sketch hashes what Arrow carries, byte for byte. For a few SQL types that is not what SQL calls equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import spot_of
from paretosql.engine.types import ColumnType
from paretosql.errors import NotSupportedError, ProgrammingError, Spot, compose

_FOLDED = frozenset({"lower", "lcase", "upper", "ucase", "strip_accents", "icu_sort_key"})


_DOMAINS: dict[str, float] = {
    "boolean": 2,
    "tinyint": 2**8,
    "utinyint": 2**8,
    "smallint": 2**16,
    "usmallint": 2**16,
    "integer": 2**32,
    "uinteger": 2**32,
}


def domain_of(kind: ColumnType) -> float:
    """The most distinct values that a type has, infinite where that is no bound worth having."""
    return float(kind.members) if kind.members else _DOMAINS.get(kind.id, math.inf)


def distinct_in_arrow(value: exp.Expr, kind: ColumnType) -> exp.Expr:
    """The value, spelt so that Arrow keeps apart what SQL keeps apart, and no more.

    Raises:
        NotSupportedError: a type that Arrow blurs stands where it cannot be reached, such as in a list.
    """
    if not _blurred(kind):
        return value
    if kind.id in _AS_TEXT:
        return exp.cast(value, exp.DType.VARCHAR)
    if kind.id == "union":  # Arrow's unions have no NULL of their own
        members = [(name, inner) for name, inner in kind.parts if name]
        return _row(value, [_call("union_tag", value), *(_member("union_extract", value, *each) for each in members)])
    if kind.id == "struct":
        return _row(value, [_member("struct_extract", value, *each) for each in kind.parts])
    hint = "cast it to something else first, for example to VARCHAR"
    raise NotSupportedError(compose(f"values of type {kind.sql} cannot be counted", hint=hint))


_AS_TEXT = frozenset({"time with time zone", "uhugeint"})  # Arrow loses the zone, and the highest bit
_BLURRED = _AS_TEXT | {"variant", "union"}


def _blurred(kind: ColumnType) -> bool:
    return kind.id in _BLURRED or any(_blurred(inner) for _, inner in kind.parts)


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


def _member(extract: str, value: exp.Expr, name: str, kind: ColumnType) -> exp.Expr:
    return distinct_in_arrow(_call(extract, value, exp.Literal.string(name)), kind)


def _row(value: exp.Expr, parts: list[exp.Expr]) -> exp.Expr:
    """The parts as one value, NULL where the whole is."""
    present = exp.Not(this=value.copy().is_(exp.null()))
    return exp.Case(ifs=[exp.If(this=present, true=_call("row", *parts))])


_NUMBERS = frozenset(
    {
        "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint",
        "uhugeint", "float", "double", "decimal",
    }
)  # fmt: skip


def number_of(value: exp.Expr, kind: ColumnType, spot: Spot | None) -> exp.Expr:
    """The second argument of ndv_sum as DOUBLE; ProgrammingError when it is no number."""
    if kind.id not in _NUMBERS:
        hint = "ndv_sum(x, w) adds up one number w for each distinct x; cast it if it holds numbers"
        raise ProgrammingError(compose(f"ndv_sum adds up numbers, not {kind.sql}", spot, hint))
    return exp.cast(value, exp.DType.DOUBLE)


def refuse_other_than_blob(kind: ColumnType, spot: Spot | None) -> None:
    """ProgrammingError when ndv_merge is given something other than stored sketches."""
    if kind.id not in ("blob", "null", '"null"', "sqlnull"):
        hint = "ndv_sketch(x) makes sketches, as BLOB; ndv_merge joins them"
        raise ProgrammingError(compose(f"ndv_merge merges stored sketches, not {kind.sql}", spot, hint))


def refuse_collations(values: Iterable[tuple[exp.Expr, ColumnType]], catalog: Catalog, *parts: exp.Expr | None) -> None:
    """Raise when a text may be compared by a collation, under which different bytes are equal.

    Args:
        values: expressions that are counted or grouped by, with their types.
        parts: what the values are read from.
    """
    read = [part for part in parts if part is not None]
    tables = {table.name.lower() for part in read for table in part.find_all(exp.Table)}
    collated = any(part.find(exp.Collate) is not None for part in read)
    for value, kind in values:
        if not _holds_text(kind) or _folded(value):
            continue
        named = collated or value.find(exp.Collate) is not None
        if named or catalog.collates_by_default or tables & catalog.collated_relations:
            hint = "fold the text yourself: ndv(lower(x)), GROUP BY lower(k)"
            problem = "ndv beside text with a collation is not supported: it would count by bytes"
            raise NotSupportedError(compose(problem, spot_of(value, catalog.text), hint))


def _holds_text(kind: ColumnType) -> bool:
    return kind.id == "varchar" or any(_holds_text(inner) for _, inner in kind.parts)


def _folded(value: exp.Expr) -> bool:
    return isinstance(value, exp.Anonymous) and str(value.this).lower() in _FOLDED
