"""SQL over the tables of a trace, which stay where they are; Ctrl-C stops a query."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from paretosql.errors import DataError
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.workload import Trace

T = TypeVar("T")
OUR_FAULTS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
LOOK_S = 0.1  # our choice: how often Ctrl-C is looked for


class Queries:
    """A DuckDB connection in memory.

    DuckDB looks for signals only while the main thread itself works on a query, so a query runs on a thread of its own
    and the main one waits: Ctrl-C is KeyboardInterrupt within a moment, and the query has ended by then.

    Args:
        spill: a folder for what does not fit into memory; without one everything must.
    """

    def __init__(self, spill: str = "") -> None:
        self._con = duckdb.connect()
        self._con.execute("SET temp_directory = ?", [spill])
        self._con.execute("SET enable_progress_bar = false")

    def register(self, name: str, rows: Any) -> None:
        """Name the rows of an Arrow table or data set."""
        self._con.register(name, rows)

    def run(self, sql: str) -> None:
        """A statement without a result."""
        self._stoppable(lambda: self._con.execute(sql))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._stoppable(lambda: self._con.execute(sql).fetchall())

    def arrow(self, sql: str) -> pa.Table:
        """The rows of a query as a table."""
        return self._stoppable(lambda: self._con.sql(sql).to_arrow_table())

    def close(self) -> None:
        """Forget all names and rows."""
        self._con.close()

    def _stoppable(self, work: Callable[[], T]) -> T:
        if threading.current_thread() is not threading.main_thread():
            return work()  # signals do not come here, and whoever started this thread waits for them
        result: Future[T] = Future()

        def answer() -> None:
            try:
                result.set_result(work())
            except BaseException as fault:
                result.set_exception(fault)

        try:
            threading.Thread(target=answer, name="paretosql trace", daemon=True).start()
            while not result.done():  # with a limit: a signal may reach another thread than this one
                wait([result], LOOK_S)
        except KeyboardInterrupt:
            while not result.done():  # repeated: an interrupt before the query has begun is lost
                self._con.interrupt()
                wait([result], LOOK_S)
            raise
        return result.result()


@contextmanager
def sql_over(trace: Trace) -> Iterator[Queries]:
    """Queries that know the eight tables by name; what does not fit into memory goes to a temporary folder.

    Raises:
        DataError: rows on disk do not fit the schema.
    """
    with tempfile.TemporaryDirectory(prefix="paretosql-") as spill:
        queries = Queries(spill)
        try:
            for name in TABLES:
                queries.register(name, trace.scan(name))
            yield queries
        except OUR_FAULTS:
            raise
        except duckdb.Error as fault:
            raise DataError(f"the trace cannot be read: {fault}") from fault
        finally:
            queries.close()
