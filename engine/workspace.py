"""The relations that a running plan fills; they are gone before the next statement."""

from __future__ import annotations

import itertools
from typing import Any

import duckdb
import pyarrow as pa


class Workspace:
    """Names of relations that one session's plans have made and not yet dropped."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """A relation name that nothing else in the session uses."""
        return f"__pareto_{next(self._numbers)}"

    def keep(self, con: duckdb.DuckDBPyConnection, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        """Let queries read an Arrow table, or once a stream, under a name; the same name again replaces it."""
        con.register(name, table)
        if name not in self._kept:
            self._kept.append(name)

    def keep_rows(self, con: duckdb.DuckDBPyConnection, name: str, sql: str, parameters: dict[str, Any]) -> None:
        """Fill a temporary table with the rows of a query."""
        if name in self._kept:
            con.unregister(name)
        else:
            self._kept.append(name)
        con.execute(f"CREATE TEMP TABLE {name} AS {sql}", parameters or None).fetchall()

    def forget(self) -> None:
        """Their transaction was rolled back, and they went with it."""
        self._kept = []

    def drop(self, con: duckdb.DuckDBPyConnection) -> None:
        """Drop what is left of the last plan."""
        names, self._kept = self._kept, []
        for name in names:
            try:
                con.unregister(name)
                con.execute(f"DROP TABLE IF EXISTS temp.{name}")
            except duckdb.Error:  # a failed transaction refuses everything until its rollback
                self._kept.append(name)
