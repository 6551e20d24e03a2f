"""Types of SQL that Arrow carries as others, or as less than they hold, and how models read and answers keep them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from paretosql.engine.identifiers import quoted
from paretosql.engine.plan import Fragment

# types that Arrow carries as others, and of these the ones it carries too narrowly; by DuckDB's names
CHANGED = ("UUID", "HUGEINT", "UHUGEINT", "BIT", "TIME WITH TIME ZONE", "JSON", "ENUM", "BIGNUM")
NARROW = ("HUGEINT", "UHUGEINT", "BIT", "TIME WITH TIME ZONE", "BIGNUM", "UNION")
# what a model reads instead, where Arrow would give it something that is not the value
_READ_AS = {"BIT": "VARCHAR", "TIME WITH TIME ZONE": "VARCHAR", "BIGNUM": "VARCHAR", "UNION": "VARCHAR",
            "UHUGEINT": "DECIMAL(38, 0)"}  # fmt: skip


def base_type(kind: str) -> str:
    """A type without its parameters."""
    return kind.partition("(")[0]


def passed_on(column: exp.Expr, kind: str) -> exp.Expr:
    """A column as text where Arrow would carry less than it holds."""
    return exp.cast(column, exp.DType.VARCHAR) if base_type(kind) in NARROW else column


def read(column: exp.Expr, kind: str) -> exp.Expr:
    """A column as a model reads it; NULL for a number that does not fit."""
    target = _READ_AS.get(base_type(kind))
    return column if target is None else exp.TryCast(this=column, to=exp.DataType.build(target, dialect="duckdb"))


def readable(piece: Fragment, columns: Sequence[tuple[str, str]]) -> Fragment:
    """Rows to learn from as a model reads them, the same where their types need nothing.

    Args:
        columns: of the rows, with their types.
    """
    if not any(base_type(kind) in _READ_AS for _, kind in columns):
        return piece
    listed = ", ".join(
        f"CAST({quoted(name)} AS {_READ_AS[base_type(kind)]}) AS {quoted(name)}"
        if base_type(kind) in _READ_AS else quoted(name)
        for name, kind in columns
    )  # fmt: skip
    return Fragment(f"SELECT {listed} FROM ({piece.sql})", piece.wants)
