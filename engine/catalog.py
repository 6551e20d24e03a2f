"""What a plan asks DuckDB about names: columns and types of a query, functions, views, streams that are read once."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from paretosql.engine.faults import translated_names
from paretosql.engine.nodes import CALLS, function_name
from paretosql.engine.session import Session
from paretosql.engine.types import ColumnType, column_type
from paretosql.udfs.verbs import VERBS

_SPELT_OUT = frozenset({"percentile_cont", "percentile_disc"})  # DuckDB's parser knows them, its catalog does not
_WORDS = re.compile(r"\w+")
_CALLS = re.compile(r"(\w+)\s*\(")
_MOMENTS = re.compile(r"\b(current_\w+|localtime\w*|select|\w+(?=\s*\())")  # calls, and what is called without ()
MOMENTARY = frozenset(
    [
        "now", "today", "ago", "current_timestamp", "current_date", "current_time", "current_localtime",
        "current_localtimestamp", "localtime", "localtimestamp", "get_current_time", "get_current_timestamp",
        "transaction_timestamp", "txid_current", "current_setting", "getvariable", "current_user",
        "current_role", "current_catalog", "current_database", "current_schema", "current_schemas", "select",
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Functions:
    """Names of DuckDB's own functions; they overlap."""

    aggregates: frozenset[str]
    scalars: frozenset[str]
    volatile: frozenset[str]
    known: frozenset[str]  # of all kinds but macros
    macros: Mapping[str, str]  # with their texts in lower case


def _joined(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names with their texts; a macro may have several."""
    found: dict[str, str] = {}
    for name, text in rows:
        found[name] = f"{found.get(name, '')} {text}"
    return found


@dataclass(frozen=True)
class View:
    """The text of a view, and where it stands."""

    sql: str
    database: str
    schema: str


@dataclass
class Catalog:
    """Answers for one statement: `text` is what the user wrote, `parameters` what they passed."""

    session: Session
    text: str
    parameters: dict[str, Any]
    functions: dict[Hashable, str] = field(default_factory=dict)  # of `declare_function`, by what they do

    def new_name(self) -> str:
        """A relation name that nothing else uses; it lives until the next statement."""
        return self.session.work.new_name()

    def slot_name(self) -> str:
        """The same for a relation that a step fills with Arrow data."""
        return self.session.work.slot_name()

    def describe(self, sql: str, wants: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
        """Column names and SQL types of a query, without running it.

        Raises:
            ProgrammingError: the query does not bind; the message points into the user's text.
        """
        self.session.work.settle(self.session.con)
        if not wants:
            with contextlib.suppress(duckdb.Error):  # DESCRIBE fails as well, and says where
                relation = self.session.con.sql(sql)  # binds it, in a quarter of the time
                return [(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)]
        return [(row[0], row[1]) for row in self._ask(f"DESCRIBE {sql}", wants)]

    def columns(self, sql: str, wants: frozenset[str] = frozenset()) -> list[tuple[str, ColumnType]]:
        """The same with types that know their parts."""
        con = self.session.con
        return [(name, column_type(con.sqltype(text))) for name, text in self.describe(sql, wants)]

    def declare(self, name: str, schema: pa.Schema) -> None:
        """Let later queries bind to a relation before it is filled."""
        self.session.work.declare(name, schema)

    def declare_query(self, name: str, sql: str, wants: frozenset[str]) -> None:
        """The same for a relation with the columns of a query."""
        self.declare(name, self.schema(sql, wants))

    def schema(self, sql: str, wants: frozenset[str]) -> pa.Schema:
        """The columns of a query as Arrow carries them, without running it."""
        self.session.work.settle(self.session.con)
        with translated_names(self.text):
            relation = self.session.con.sql(f"SELECT * FROM ({sql}) LIMIT 0", params=self._pick(wants))
            return relation.to_arrow_table().schema

    def declare_function(self, function: Callable[..., pa.Array], output: pa.Field, what: str) -> str:
        """Let queries call a function with any columns until the next statement; its name.

        Args:
            function: gets Arrow arrays of equal length, gives one of the type of `output`.
            what: a part of the name, for people who read plans.
        """
        name = f"{self.new_name()}_{re.sub(r'[^a-z0-9]+', '_', what.lower())}"
        con = self.session.con
        empty = self.new_name()
        self.session.work.keep(con, empty, pa.schema([output]).empty_table())
        ((_, kind, *_),) = con.execute(f"DESCRIBE {empty}").fetchall()
        self.session.work.keep_function(con, name, function, kind)
        return name

    def view(self, name: str, schema: str | None, database: str | None) -> View | None:
        """A view that counts, itself or through others; None for anything else."""
        if name.lower() not in self.session.names.views:
            return None
        found = self._named(name, schema, database)
        if found is None or not found[3] or not self.session.names.counts(found[0]):
            return None  # a table, or another view, stands in front of it
        return View(*found[:3])

    def view_text(self, name: str, schema: str | None, database: str | None) -> str | None:
        """The CREATE VIEW behind a name that means a view; None when it means a table or nothing."""
        if name.lower() not in self._views:
            return None
        found = self._named(name, schema, database)
        return found[0] if found is not None and found[3] and found[0] else None

    def _named(self, name: str, schema: str | None, database: str | None) -> tuple[str, str, str, bool] | None:
        """The table or view that a name means: its text, database and schema, and whether it is a view."""
        sql = (
            "SELECT sql, database_name, schema_name, view FROM ("
            " SELECT view_name AS name, sql, database_name, schema_name, temporary, true AS view FROM duckdb_views()"
            " UNION ALL SELECT table_name, sql, database_name, schema_name, temporary, false FROM duckdb_tables())"
            " WHERE lower(name) = lower($name)"
            " AND ($schema IS NULL OR lower(schema_name) = lower($schema)"
            "      OR ($database IS NULL AND lower(database_name) = lower($schema)))"
            " AND ($database IS NULL OR lower(database_name) = lower($database))"
            " ORDER BY temporary DESC, database_name = current_database() DESC, schema_name = current_schema() DESC"
            " LIMIT 1"
        )
        rows = self.session.con.execute(sql, {"name": name, "schema": schema, "database": database}).fetchall()
        return rows[0] if rows else None

    def has_relation(self, name: str) -> bool:
        """Whether a table or view has this name."""
        sql = "SELECT count(*) FROM duckdb_tables() WHERE lower(table_name) = lower($name)"
        ((count,),) = self.session.con.execute(sql, {"name": name}).fetchall()
        return bool(count) or name.lower() in self._views

    def has_table(self, name: str, view: View) -> bool:
        """Whether a table or view of this name stands beside `view`."""
        sql = (
            "SELECT count(*) FROM (SELECT database_name, schema_name, table_name AS name FROM duckdb_tables() UNION ALL"
            " SELECT database_name, schema_name, view_name FROM duckdb_views())"
            " WHERE lower(name) = lower($name) AND database_name = $database AND schema_name = $schema"
        )
        given = {"name": name, "database": view.database, "schema": view.schema}
        ((count,),) = self.session.con.execute(sql, given).fetchall()
        return bool(count)

    @cached_property
    def collates_by_default(self) -> bool:
        """Whether the session compares all text by a collation."""
        ((name,),) = self.session.con.execute("SELECT current_setting('default_collation')").fetchall()
        return bool(name)

    @cached_property
    def collated_relations(self) -> set[str]:
        """Lower-case names of the tables that have a column with a collation and, if there are any, of all views."""
        rows = self.session.con.execute(
            "WITH c AS (SELECT table_name FROM duckdb_tables() WHERE sql ILIKE '%collate%')"
            " SELECT lower(table_name) FROM c UNION ALL"
            " SELECT lower(view_name) FROM duckdb_views() WHERE NOT internal AND EXISTS (SELECT 1 FROM c)"
        ).fetchall()
        return {name for (name,) in rows}

    @cached_property
    def _functions(self) -> Functions:
        if Catalog._builtin is None:
            rows = self.session.con.execute(
                "SELECT DISTINCT lower(function_name), function_type, stability, lower(macro_definition)"
                " FROM duckdb_functions() WHERE internal"
            ).fetchall()
            Catalog._builtin = Functions(
                frozenset(name for name, kind, _, _ in rows if kind == "aggregate"),
                frozenset(name for name, kind, _, _ in rows if kind == "scalar"),
                frozenset(name for name, _, how, _ in rows if how == "VOLATILE"),
                frozenset(name for name, _, _, text in rows if text is None),
                _joined((name, text) for name, _, _, text in rows if text is not None),
            )
        return Catalog._builtin

    _builtin: ClassVar[Functions | None] = None

    @cached_property
    def _macros(self) -> dict[str, str]:
        """Users' macros of values with their texts in lower case; listing them takes DuckDB some 20 ms."""
        rows = self.session.con.execute(
            "SELECT lower(function_name), lower(macro_definition) FROM duckdb_functions()"
            " WHERE NOT internal AND macro_definition IS NOT NULL"
        ).fetchall()
        return _joined(rows)

    def _macro(self, name: str) -> str | None:
        """The text of a macro; None for other functions."""
        functions = self._functions
        if name in functions.known or name in CALLS or name in VERBS:
            return None
        return functions.macros.get(name) or self._macros.get(name)

    def _mentions(self, function: str, words: Collection[str], pattern: re.Pattern[str]) -> bool:
        """Whether a function is one of some, or a macro that speaks of one, itself or through macros."""
        todo, seen = [function.lower()] if function else [], set[str]()
        while todo:
            name = todo.pop()
            if name in words:
                return True
            seen.add(name)
            text = self._macro(name)
            if text is not None:
                todo += [word for word in pattern.findall(text) if word not in seen]
        return False

    def is_aggregate(self, function: str) -> bool:
        """Whether DuckDB aggregates with this function, or with a macro of this name."""
        name = function.lower()
        if not name or name in self._functions.scalars:
            return name in self._functions.aggregates
        return name in _SPELT_OUT or self._mentions(name, self._functions.aggregates, _CALLS)

    def is_volatile(self, function: str) -> bool:
        """Whether two calls of this function may differ, as those of random() do; of macros, too."""
        return self._mentions(function, self._functions.volatile, _CALLS)

    def is_momentary(self, function: str) -> bool:
        """Whether a function tells of the moment, the session or a table, as now() does; of macros, too."""
        return self._mentions(function, MOMENTARY, _MOMENTS)

    def reads_once(self, table: str) -> bool:
        """Whether a registered relation is a stream that vanishes as it is read."""
        return table.lower() in self.session.names.one_shot

    def rows_change(self, parts: Iterable[exp.Expr]) -> bool:
        """Whether a query made of these parts may give other rows when it is read again."""
        return any(
            isinstance(node, exp.TableSample)
            or (isinstance(node, exp.Table) and (self.reads_once(node.name) or self._is_changing_view(node.name)))
            or self.is_volatile(function_name(node))
            for part in parts
            for node in part.walk()
        )

    @cached_property
    def _views(self) -> dict[str, str]:
        rows = self.session.con.execute("SELECT lower(view_name), lower(sql) FROM duckdb_views() WHERE NOT internal")
        return dict(rows.fetchall())

    def _is_changing_view(self, name: str) -> bool:
        """Whether a view calls a volatile function, samples, or reads a view that does."""
        todo, seen = [name.lower()], set[str]()
        while todo:
            text = self._views.get(todo.pop())
            if text is None:
                continue
            words = set(_WORDS.findall(text))
            if words & {"tablesample", "sample"} or self._functions.volatile.intersection(_CALLS.findall(text)):
                return True
            todo += [word for word in words & self._views.keys() if word not in seen]
            seen |= words
        return False

    def _ask(self, sql: str, wants: frozenset[str]) -> list[tuple[Any, ...]]:
        self.session.work.settle(self.session.con)
        with translated_names(self.text):
            return self.session.con.execute(sql, self._pick(wants) or None).fetchall()

    def _pick(self, wants: frozenset[str]) -> dict[str, Any]:
        return {name: self.parameters[name] for name in sorted(wants)}
