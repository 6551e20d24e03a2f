"""SQL over the tables of a trace, which stay where they are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from paretosql.errors import DataError
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.workload import Trace

OUR_FAULTS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


def connect(spill: str) -> duckdb.DuckDBPyConnection:
    """A connection in memory; what does not fit goes to the folder `spill`, unless that is empty."""
    con = duckdb.connect()
    con.execute("SET temp_directory = ?", [spill])
    con.execute("SET enable_progress_bar = false")
    return con


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C in a query is KeyboardInterrupt, as everywhere else; DuckDB makes a RuntimeError of it.

    DuckDB looks for signals only while the main thread itself works on the query: where another of its threads does,
    Ctrl-C takes effect when the query ends.
    """
    try:
        yield
    except RuntimeError as fault:
        if str(fault) == "Query interrupted":
            raise KeyboardInterrupt from fault
        raise


@contextmanager
def sql_over(trace: Trace) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows the eight tables by name; what does not fit into memory goes to a temporary folder.

    Raises:
        DataError: rows on disk do not fit the schema.
    """
    with tempfile.TemporaryDirectory(prefix="paretosql-") as spill, connect(spill) as con:
        for name in TABLES:
            con.register(name, trace.scan(name))
        try:
            with stoppable():
                yield con
        except OUR_FAULTS:
            raise
        except duckdb.Error as fault:
            raise DataError(f"the trace cannot be read: {fault}") from fault
