"""The functions over one stored sketch as DuckDB calls them, batch by batch: ndv_estimate and ndv_profile.

DuckDB takes scalar functions in Python. Every session registers these under hidden names, before any transaction, so
that no rollback takes them away; `stored` puts calls of them in the place of the calls that users write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from paretosql import errors

HIDDEN = "__pareto_"  # in front of the names that users know


def register_scalars(con: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to a database; what another session of the same database has registered stays."""
    with contextlib.suppress(duckdb.CatalogException, duckdb.TransactionException):
        for name, (function, inputs, output) in FUNCTIONS.items():
            kinds: Any = [con.sqltype(each) for each in inputs]
            con.create_function(
                HIDDEN + name,
                function,
                kinds,
                con.sqltype(output),
                type=PythonUDFType.ARROW,
                null_handling=FunctionNullHandling.SPECIAL,
            )


def ndv_estimate(stored: pa.ChunkedArray, methods: pa.ChunkedArray, rows: pa.ChunkedArray) -> pa.Array:
    """BIGINT, shape (n,): the distinct values that each stored sketch stands for, NULL for NULL."""
    from paretosql.engine.plan import DEFAULT_SAMPLED
    from paretosql.sketches.stored import estimate_stored

    def one(data: bytes, method: str | None, population: float | None) -> int | None:
        value = estimate_stored(data, method, population, default=DEFAULT_SAMPLED).value
        return None if value is None else round(value)

    return _each("ndv_estimate", one, pa.int64(), stored, methods, rows)


def ndv_profile(stored: pa.ChunkedArray) -> pa.Array:
    """MAP(BIGINT, DOUBLE), shape (n,): how many values of each stored sketch occur once, twice, .., NULL for NULL."""
    from paretosql.sketches import ProfileSketch

    def one(data: bytes) -> list[tuple[int, float]]:
        return list(ProfileSketch.from_bytes(data).profile().items())

    return _each("ndv_profile", one, pa.map_(pa.int64(), pa.float64()), stored)


def _each(name: str, one: Callable[..., Any], kind: pa.DataType, *columns: pa.ChunkedArray) -> pa.Array:
    """`one` for every row whose first column is not NULL."""
    answers = []
    for first, *rest in zip(*columns, strict=True):
        try:
            answers.append(one(first.as_py(), *(each.as_py() for each in rest)) if first.is_valid else None)
        except errors.Error as fault:  # DuckDB keeps only the name of the class and the text
            known = next(each for each in type(fault).__mro__ if each.__module__ == errors.__name__)
            raise known(f"{name}: {fault}") from fault
    return pa.array(answers, kind)


FUNCTIONS: dict[str, tuple[Callable[..., pa.Array], tuple[str, ...], str]] = {
    "ndv_estimate": (ndv_estimate, ("BLOB", "VARCHAR", "DOUBLE"), "BIGINT"),
    "ndv_profile": (ndv_profile, ("BLOB",), "MAP(BIGINT, DOUBLE)"),
}
