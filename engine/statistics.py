"""The statistics table: what ANALYZE .. WITH SAMPLE has found out about columns, for the engine and for plain SQL.

It is an ordinary table of the database whose tables it describes, `pareto_statistics.columns`, with one row per table
and column; so it lives in the file, follows transactions and can be queried. Temporary tables have theirs in
`temp.pareto_statistics`, since DuckDB's temporary database has no schemas.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from paretosql.engine.identifiers import quoted
from paretosql.engine.session import Session

SCHEMA = "pareto_statistics"
FIELDS = {
    "schema_name": "VARCHAR",
    "table_name": "VARCHAR",
    "column_name": "VARCHAR",
    "column_type": "VARCHAR",
    "estimate": "BIGINT",
    "lower": "BIGINT",
    "upper": "BIGINT",
    "null_fraction": "DOUBLE",
    "row_count": "BIGINT",
    "sampled_rows": "BIGINT",
    "method": "VARCHAR",
    "rate": "DOUBLE",
    "analyzed_at": "TIMESTAMP",
}


@dataclass(frozen=True)
class TableName:
    """A base table, fully named."""

    database: str
    schema: str
    name: str
    temporary: bool

    @property
    def sql(self) -> str:
        """The table in SQL."""
        return ".".join(quoted(part) for part in (self.database, self.schema, self.name))

    @property
    def statistics(self) -> str:
        """In SQL, the table that describes its columns."""
        return f"temp.main.{SCHEMA}" if self.temporary else f"{quoted(self.database)}.{SCHEMA}.columns"


@dataclass(frozen=True)
class ColumnStatistics:
    """What is known of one column since it was last analyzed.

    estimate, lower, upper: distinct values, and a 95 % range; estimate is None when no row was sampled.
    null_fraction: share of NULL rows, None for a table without rows. row_count: rows of the table.
    sampled_rows: non-NULL rows read. method: how `estimate` was made. rate: the share of rows asked for.
    analyzed_at: UTC.
    """

    estimate: int | None
    lower: int
    upper: int
    null_fraction: float | None
    row_count: int
    sampled_rows: int
    method: str
    rate: float
    analyzed_at: datetime.datetime


def find_table(session: Session, name: str, schema: str | None = None, database: str | None = None) -> TableName | None:
    """The base table that a name means; None when there is none. A single qualifier may be a schema or a database."""
    rows = session.con.execute(
        "SELECT database_name, schema_name, table_name, temporary FROM duckdb_tables()"
        " WHERE NOT internal AND lower(table_name) = lower($name)"
        " AND CASE WHEN $schema IS NULL THEN temporary"
        "      OR (database_name = current_database() AND schema_name IN (current_schema(), 'main'))"
        "     ELSE (lower(schema_name) = lower($schema)"
        "           AND lower(database_name) = lower(coalesce($database, current_database())))"
        "      OR ($database IS NULL AND lower(database_name) = lower($schema)) END"
        " ORDER BY temporary DESC, schema_name = current_schema() DESC, schema_name = 'main' DESC LIMIT 1",
        {"name": name, "schema": schema, "database": database},
    ).fetchall()
    return TableName(*rows[0]) if rows else None


def column_types(session: Session, table: TableName) -> dict[str, str]:
    """The columns of a table and their SQL types, in order."""
    rows = session.con.execute(
        "SELECT column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [table.database, table.schema, table.name],
    ).fetchall()
    return dict(rows)


def column_statistics(
    session: Session, table: str, schema: str | None = None, database: str | None = None
) -> dict[str, ColumnStatistics]:
    """What ANALYZE .. WITH SAMPLE has found out about the columns of a table, by column, in its order; {} when nothing.

    Rows about a column that is gone or has another type now, such as after DROP and CREATE, are left out.
    """
    with session.lock:
        con = session.free()
        found = find_table(session, table, schema, database)
        place = ("main", SCHEMA) if found is not None and found.temporary else (SCHEMA, "columns")
        if found is None or find_table(session, place[1], place[0], found.database) is None:
            return {}
        wanted = [name for name in FIELDS if name in ColumnStatistics.__dataclass_fields__]
        rows = con.execute(
            f"SELECT column_name, column_type, {', '.join(map(quoted, wanted))} FROM {found.statistics}"
            " WHERE schema_name = ? AND table_name = ?",
            [found.schema, found.name],
        ).fetchall()
        known = {(name, kind): ColumnStatistics(*values) for name, kind, *values in rows}
        return {each[0]: known[each] for each in column_types(session, found).items() if each in known}
