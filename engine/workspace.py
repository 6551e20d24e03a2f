"""The relations that a running plan fills; they are gone before the next statement."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType


class Workspace:
    """Names of relations that one session's plans have made and not yet dropped."""

    def __init__(self) -> None:
        self._kept: dict[str, bool] = {}  # whether it is a table, and not registered
        self._declared: dict[str, pa.Schema] = {}
        self._functions: list[str] = []
        self._let_go: list[str] = []
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """A relation name that nothing else in the session uses."""
        return f"__pareto_{next(self._numbers)}"

    def declare(self, name: str, schema: pa.Schema) -> None:
        """Note the columns of a relation that a step will fill; `settle` lets queries bind to it before."""
        self._declared[name] = schema

    def settle(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let queries bind to all relations that were declared; often none ever asks before they are filled."""
        for name, schema in list(self._declared.items()):
            self.keep(con, name, schema.empty_table())

    def keep(self, con: duckdb.DuckDBPyConnection, name: str, table: Any) -> None:
        """Let queries read an Arrow table, anything with an Arrow stream, or once a stream, under a name; the same name
        again replaces it.
        """
        con.register(name, table)
        self._declared.pop(name, None)
        self._kept[name] = False

    def keep_rows(self, con: duckdb.DuckDBPyConnection, name: str, sql: str, parameters: dict[str, Any]) -> None:
        """Fill a temporary table with the rows of a query."""
        self._declared.pop(name, None)
        if name in self._kept:
            con.unregister(name)
        self._kept[name] = True
        con.execute(f"CREATE TEMP TABLE {name} AS {sql}", parameters or None).fetchall()

    def keep_function(
        self, con: duckdb.DuckDBPyConnection, name: str, function: Callable[..., pa.Array], kind: str
    ) -> None:
        """Let queries call a function with any arguments, which arrive as Arrow arrays of up to 2048 rows."""
        con.create_function(
            name,
            function,
            None,
            con.sqltype(kind),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
        self._functions.append(name)

    def let_go(self, names: Sequence[str]) -> None:
        """Have names that were registered elsewhere dropped before the next statement; from any thread."""
        self._let_go.extend(names)

    def forget(self) -> None:
        """Their transaction was rolled back, and they went with it."""
        self._kept, self._functions, self._declared = {}, [], {}

    def drop(self, con: duckdb.DuckDBPyConnection) -> None:
        """Drop what is left of the last plan."""
        functions, self._functions = self._functions, []
        for name in functions:
            with contextlib.suppress(duckdb.Error):  # a rollback has taken it
                con.remove_function(name)
        names, self._kept, self._declared = self._kept, {}, {}
        while self._let_go:
            names[self._let_go.pop()] = False
        for name, is_table in names.items():
            try:
                if is_table:
                    con.execute(f"DROP TABLE IF EXISTS temp.{name}")
                else:
                    con.unregister(name)
            except duckdb.Error:  # a failed transaction refuses everything until its rollback
                self._kept[name] = is_table
