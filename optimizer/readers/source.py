"""Queries over the files of a foreign layout, with results in the columns of a trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from paretosql.errors import DataError
from paretosql.optimizer.schema import TABLES, sql_types
from paretosql.optimizer.trace_sql import Queries

T = TypeVar("T")
# DuckDB says these things somewhere in ten lines of text
CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
CSV_FILE = re.compile(r"^  file = (.+)$", re.MULTILINE)
JSON_FAULT = re.compile(r"at byte \d+ in line (\d+): (.*)$", re.MULTILINE)
CSV_FAULT = re.compile(r"^(Error when converting|Expected Number of Columns|Value with unterminated).*$", re.MULTILINE)


class Source:
    """A connection in which the files of one place have names.

    Args:
        place: the file or folder, for messages.
        spill: a folder for what does not fit into memory; without one everything must.
    """

    def __init__(self, place: Path, spill: Path | None = None) -> None:
        self.place = place
        self._queries = Queries(str(spill or ""))

    def view(self, name: str, sql: str) -> None:
        """Name a query that is run whenever it is read."""
        self._run(f"CREATE OR REPLACE VIEW {name} AS {sql}")

    def parquet(self, name: str, file: Path, more: str = "") -> None:
        """Name the rows of a Parquet file; `more` are further columns, in SQL."""
        self.view(name, f"SELECT *{more} FROM read_parquet({quoted(file)})")

    def parquets(self, names: Iterable[str]) -> None:
        """Name the rows of Parquet files that lie in the folder `place` under these names."""
        for name in names:
            self.parquet(name, self.place / f"{name}.parquet")

    def define(self, name: str, sql: str) -> None:
        """Name the rows of a query, which is run once."""
        self._run(f"CREATE TABLE {name} AS {sql}")

    def insert(self, name: str, sql: str, file: Path) -> None:
        """Add the rows of a query that reads one file, which errors then name."""
        try:
            self._queries.run(f"INSERT INTO {name} {sql}")
        except duckdb.Error as fault:
            found = JSON_FAULT.search(str(fault))  # tells the number of the record after it
            text = f", record {int(found[1]) - 1}: no JSON: {found[2].strip()}" if found else f": {_first_line(fault)}"
            raise DataError(f"{file}{text}") from fault

    def register(self, name: str, table: pa.Table) -> None:
        """Name the rows of an Arrow table."""
        self._queries.register(name, table)

    def table(self, name: str, sql: str) -> pa.Table:
        """The rows of a query as a table of a trace: columns by name, those that it leaves out are null.

        Raises:
            DataError: a file lacks a column, is damaged, or holds a value that does not fit.
        """
        try:
            return fitted(self.arrow(sql), name)
        except (duckdb.Error, pa.ArrowInvalid, ValueError) as fault:
            raise DataError(f"{self.place}: the rows for table {name!r} do not fit: {_first_line(fault)}") from fault

    def keep(self, name: str, sql: str, folder: Path) -> None:
        """Like `define`, for more rows than memory holds: they go to a file in `folder`."""
        file = folder / f"{name}.kept.parquet"
        self.copy(sql, file)
        self.parquet(name, file)

    def copy(self, sql: str, file: Path) -> None:
        """Write the rows of a query, of any number, to a Parquet file.

        Raises:
            DataError: names file and line of a value that cannot be read.
        """
        self._run(f"COPY ({sql}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)")

    def data_set(self, name: str, sql: str, folder: Path) -> ds.Dataset:
        """Like `table`, for more rows than memory holds: they go to a file in `folder`."""
        file = folder / f"{name}.parquet"
        given = {row[0] for row in self._rows(f"DESCRIBE {sql}")}
        columns = ", ".join(
            f"CAST({column if column in given else 'NULL'} AS {kind}) AS {column}"
            for column, kind in sql_types(name).items()
        )
        self.copy(f"SELECT {columns} FROM ({sql})", file)
        return ds.dataset(str(file), schema=TABLES[name], format="parquet")

    def number(self, sql: str) -> int:
        """The one number that a query returns; 0 for NULL."""
        return int(self._rows(sql)[0][0] or 0)

    def text(self, sql: str) -> str:
        """The one text that a query returns; empty for NULL."""
        return str(self._rows(sql)[0][0] or "")

    def arrow(self, sql: str) -> pa.Table:
        """The rows of a query as they are."""
        return self._queries.arrow(sql)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._asked(self._queries.rows, sql)

    def _run(self, sql: str) -> None:
        self._asked(self._queries.run, sql)

    def _asked(self, how: Callable[[str], T], sql: str) -> T:
        try:
            return how(sql)
        except duckdb.Error as fault:
            raise DataError(f"{_csv_place(str(fault)) or self.place}: {_first_line(fault)}") from fault


def quoted(path: Path) -> str:
    """A path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def _csv_place(text: str) -> str:
    line, file = CSV_LINE.search(text), CSV_FILE.search(text)
    return f"{file[1]}, line {line[1]}" if line and file else ""


def _first_line(fault: Exception) -> str:
    text = str(fault)
    found = CSV_FAULT.search(text)
    return found[0] if found else text.partition("\n")[0]


def fitted(rows: pa.Table, name: str) -> pa.Table:
    """The same rows with all columns of a table of a trace, cast without loss, in its order.

    Raises:
        ValueError: a column the table does not have, or null where it never is.
        pa.ArrowInvalid: a value that its type cannot hold.
    """
    schema = TABLES[name]
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise ValueError(f"no column {min(unknown)!r} in {name}")
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    table = pa.table(columns, schema=schema)
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            row = table[field.name].combine_chunks().is_null().index(True).as_py()
            raise ValueError(f"{field.name} is null in row {row}")
    return table
