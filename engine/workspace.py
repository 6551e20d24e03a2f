"""The relations that a running plan fills; they are gone before the next statement."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

SLOT = "__pareto_slot_"


class _Slot:
    """A relation that stays registered and holds other rows for each statement: half the price of a new one."""

    def __init__(self) -> None:
        self.rows: Any = None

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.rows.__arrow_c_stream__(requested_schema)


class Workspace:
    """Names of relations that one session's plans have made and not yet dropped."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}  # those that are registered
        self._taken = 0  # slots of this statement
        self.disturbances = 0  # how many statements may have changed what is in the database
        self._kept: dict[str, bool] = {}  # whether it is a table, and not registered
        self._declared: dict[str, pa.Schema] = {}
        self._functions: list[str] = []
        self._let_go: list[str] = []
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """A relation name that nothing else in the session uses."""
        return f"__pareto_{next(self._numbers)}"

    def slot_name(self) -> str:
        """The same for a relation that `keep` fills; later statements that are ours use the name again."""
        self._taken += 1
        return f"{SLOT}{self._taken}"

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
        self._declared.pop(name, None)
        if not name.startswith(SLOT):
            con.register(name, table)
            self._kept[name] = False
            return
        slot = self._slots.get(name)
        if slot is None:
            slot = _Slot()
            slot.rows = table
            con.register(name, slot)
            self._slots[name] = slot
        slot.rows = table

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
        """Their transaction was rolled back, and they went with it; slots may be older than it."""
        self._kept, self._functions, self._declared = {}, [], {}
        self._let_go.extend(self._slots)
        self._slots, self._taken = {}, 0

    def drop(self, con: duckdb.DuckDBPyConnection) -> None:
        """Drop what is left of the last plan; slots are emptied."""
        self._taken = 0
        for slot in self._slots.values():
            slot.rows = None
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

    def unplug(self, con: duckdb.DuckDBPyConnection) -> None:
        """Drop the slots as well, before a statement that is not ours could see them; what it does we do not know."""
        self.disturbances += 1
        for name in list(self._slots):
            with contextlib.suppress(duckdb.Error):  # a failed transaction refuses everything until its rollback
                con.unregister(name)
                del self._slots[name]
