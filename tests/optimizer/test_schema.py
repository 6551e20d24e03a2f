"""The schema of traces: every column is described, and keys are never null."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from paretosql.optimizer.schema import KEYS, TABLES, empty, required, sql_types

COLUMNS = [(table, field) for table, schema in TABLES.items() for field in schema]
BY_ENDING = {
    "_ms": (b"ms", {pa.int64(), pa.float64(), pa.float32()}),
    "_bytes": (b"bytes", {pa.int64(), pa.float64()}),
    "_rows": (b"rows", {pa.int64(), pa.float64()}),
    "_util": (b"share", {pa.float32()}),
    "_mb": (b"MiB", {pa.int32()}),
}


def test_there_are_eight_tables():
    """The tables of the trace format, in the order in which they refer to each other."""
    assert list(TABLES) == [
        "jobs",
        "stages",
        "stage_edges",
        "operators",
        "operator_edges",
        "instances",
        "machines",
        "machine_states",
    ]


@pytest.mark.parametrize(("table", "field"), COLUMNS, ids=lambda each: getattr(each, "name", each))
def test_columns_say_what_they_mean(table, field):
    """Every column has a meaning and a unit, and a unit in a name is the unit of the column and has its type."""
    assert field.metadata[b"meaning"]
    for ending, (unit, types) in BY_ENDING.items():
        if field.name.endswith(ending):
            assert field.metadata[b"unit"] == unit
            assert field.type in types


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_never_null(table):
    """What names a row is required, and a row can be made of required columns alone."""
    assert set(KEYS[table]) <= set(required(table))


@pytest.mark.parametrize(
    "column",
    ["start_ms", "finish_ms", "machine_id", "cpu_cores", "mem_mb", "latency_ms", "in_rows", "warmth", "status"],
)
def test_what_sources_lack_may_be_null(column):
    """Real sources do not record these of an instance, so they can be unknown."""
    assert TABLES["instances"].field(column).nullable


@pytest.mark.parametrize("table", TABLES)
def test_sql_types_are_the_arrow_types(table):
    """A table made by DuckDB with the SQL types has the types of the schema."""
    columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in sql_types(table).items())
    assert duckdb.sql(f"SELECT {columns} WHERE false").to_arrow_table().schema.types == TABLES[table].types


def test_an_empty_table_has_the_schema():
    """No rows, all columns."""
    assert empty("jobs").schema.equals(TABLES["jobs"])
    assert empty("jobs").num_rows == 0
