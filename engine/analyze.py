"""ANALYZE t [COLUMNS (..)] WITH SAMPLE rate: a report on the columns of a table, kept in the statistics table."""

from __future__ import annotations

import datetime
from typing import Any

from sqlglot import exp

from paretosql.engine.binding import Parameters
from paretosql.engine.blocks import plan
from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import parse
from paretosql.engine.faults import translated_names
from paretosql.engine.fragment import table as rows_of
from paretosql.engine.identifiers import quoted
from paretosql.engine.nodes import spot_of
from paretosql.engine.options import read_rate
from paretosql.engine.parameters import name_parameters
from paretosql.engine.plan import Fragment
from paretosql.engine.record import Recorder
from paretosql.engine.run import run_steps
from paretosql.engine.session import Session
from paretosql.engine.statistics import FIELDS, SCHEMA, TableName, column_types, find_table
from paretosql.errors import OperationalError, ProgrammingError, closest, compose


def analyze(session: Session, tree: exp.Expr, text: str, parameters: Parameters, recorder: Recorder) -> None:
    """Run the statement inside the open transaction; what was known of the same columns is replaced.

    Reads the table twice: a sample for the distinct values, and DuckDB's count of the rows that are not NULL.

    Raises:
        ProgrammingError: no such table or column, or a wrong rate. OperationalError: the database is read-only.
    """
    catalog = Catalog(session, text, name_parameters(tree, text, parameters))
    rate = read_rate(tree, tree.args["rate"], catalog)
    table = _table(tree.this, catalog)
    types = column_types(session, table)
    names = _columns(tree, types, catalog)
    _refuse_read_only(tree.this, table, catalog)
    lines = _reported(table, names, rate, catalog, recorder)
    row_count, known = _counts(table, names, catalog)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    rows = []
    for name, line in zip(names, lines, strict=True):
        about = [table.schema, table.name, name, types[name]]
        counts = [line[field] for field in ("estimate", "low", "high")]
        nulls = 1 - known[name] / row_count if row_count else None
        rows.append([*about, *counts, nulls, row_count, line["sample_rows"], line["method"], rate, now])
    with translated_names(text):
        _keep(session, table, names, rows)


def _table(node: exp.Expr, catalog: Catalog) -> TableName:
    session = catalog.session
    found = find_table(session, node.name, node.text("db") or None, node.text("catalog") or None)
    if found is None and node.name.lower() in _views(session):
        hint = f"SELECT * FROM ndv_report(TABLE {node.name}, rate => 0.01) looks at a view."
        raise ProgrammingError(
            compose(f"{node.name!r} is a view; tables are analyzed", spot_of(node, catalog.text), hint)
        )
    if found is None:
        tables = session.con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        near = closest(node.name, [name for (name,) in tables])
        hint = (
            f"did you mean {near!r}?" if near else "SHOW TABLES lists the tables; views and files have no statistics."
        )
        raise ProgrammingError(
            compose(f"there is no table {node.name!r} to analyze", spot_of(node, catalog.text), hint)
        )
    return found


def _views(session: Session) -> set[str]:
    """Lower-case names of all views."""
    rows = session.con.execute("SELECT lower(view_name) FROM duckdb_views() WHERE NOT internal").fetchall()
    return {name for (name,) in rows}


def _columns(tree: exp.Expr, types: dict[str, str], catalog: Catalog) -> list[str]:
    """The columns to look at, spelt as in the table."""
    spelt, chosen = {name.lower(): name for name in types}, []
    for each in tree.args.get("columns") or ():
        if each.name.lower() not in spelt:
            near = closest(each.name, types)
            hint = f"did you mean {near!r}?" if near else "DESCRIBE table lists the columns of a table"
            problem = f"the table {tree.this.name} has no column {each.name!r}"
            raise ProgrammingError(compose(problem, spot_of(each, catalog.text), hint))
        chosen.append(spelt[each.name.lower()])
    return list(dict.fromkeys(chosen)) or list(types)


def _refuse_read_only(node: exp.Expr, table: TableName, catalog: Catalog) -> None:
    sql = "SELECT readonly FROM duckdb_databases() WHERE database_name = ?"
    if any(readonly for (readonly,) in catalog.session.con.execute(sql, [table.database]).fetchall()):
        problem = f"ANALYZE .. WITH SAMPLE keeps its numbers in the database, and {table.database!r} is read-only"
        hint = f"open it for writing, or SELECT * FROM ndv_report(TABLE {node.name}, rate => 0.01)"
        raise OperationalError(compose(problem, spot_of(node, catalog.text), hint))


def _reported(
    table: TableName, names: list[str], rate: float, catalog: Catalog, recorder: Recorder
) -> list[dict[str, Any]]:
    """One line of ndv_report for each column."""
    listed = ", ".join(map(quoted, names))
    (tree,) = parse(f"SELECT * FROM ndv_report((SELECT {listed} FROM {table.sql}), rate => {rate!r})")
    made = plan(tree, catalog)
    recorder.stages = len(made.steps) + 1
    run_steps(catalog.session, made, catalog.text, recorder)
    lines: list[dict[str, Any]] = rows_of(catalog.session, made.final, {}, catalog.text).to_pylist()
    return lines


def _counts(table: TableName, names: list[str], catalog: Catalog) -> tuple[int, dict[str, int]]:
    """Rows of the table, and those that are not NULL by column."""
    listed = ", ".join(f"count({quoted(name)})" for name in names)
    counts = rows_of(catalog.session, Fragment(f"SELECT count(*), {listed} FROM {table.sql}"), {}, catalog.text)
    total, *known = (column[0].as_py() for column in counts.columns)
    return total, dict(zip(names, known, strict=True))


def _keep(session: Session, table: TableName, names: list[str], rows: list[list[Any]]) -> None:
    """Put rows in the place of those about the same columns."""
    fields = ", ".join(f"{quoted(name)} {kind}" for name, kind in FIELDS.items())
    kind = "TEMP TABLE" if table.temporary else "TABLE"
    if not table.temporary:
        session.con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}.{SCHEMA}")
    session.con.execute(f"CREATE {kind} IF NOT EXISTS {table.statistics} ({fields})")
    session.con.execute(
        f"DELETE FROM {table.statistics} WHERE schema_name = ? AND table_name = ? AND list_contains(?, column_name)",
        [table.schema, table.name, names],
    )
    marks = ", ".join("?" for _ in FIELDS)
    session.con.executemany(f"INSERT INTO {table.statistics} VALUES ({marks})", rows)
