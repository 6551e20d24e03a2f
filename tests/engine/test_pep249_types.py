"""PEP 249, point by point: types, optional extensions, habits. How to read these tests stands in `test_pep249.py`."""

from __future__ import annotations

import datetime as dt
import decimal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import paretosql
from tests.engine.exception_tree import DATABASE_FAMILY, FAMILY

# --- types --------------------------------------------------------------------------------------------------------


def test_constructors_of_dates_and_times():
    """Date, Time and Timestamp build values that the database takes and gives back."""
    assert paretosql.Date(2002, 12, 25) == dt.date(2002, 12, 25)
    assert paretosql.Time(13, 45, 30) == dt.time(13, 45, 30)
    assert paretosql.Timestamp(2002, 12, 25, 13, 45, 30) == dt.datetime(2002, 12, 25, 13, 45, 30)


def test_constructors_from_ticks_are_local_time():
    """The *FromTicks constructors read seconds since the epoch as local time."""
    ticks = time.mktime((2002, 12, 25, 13, 45, 30, 0, 0, -1))
    assert paretosql.DateFromTicks(ticks) == dt.date(2002, 12, 25)
    assert paretosql.TimeFromTicks(ticks) == dt.time(13, 45, 30)
    assert paretosql.TimestampFromTicks(ticks) == dt.datetime(2002, 12, 25, 13, 45, 30)


def test_constructor_binary_holds_bytes(cur):
    """Binary makes a value that is stored and read as bytes."""
    value = paretosql.Binary(b"\x00\xffa")
    row = cur.execute("SELECT ?, typeof(?)", [value, value]).fetchone()
    assert row == (b"\x00\xffa", "BLOB")


TYPE_CODES = [
    ("'a'", "STRING", "VARCHAR"),
    ("'a'::ENUM_T", "STRING", "ENUM"),
    ("'\\x00'::BLOB", "BINARY", "BLOB"),
    ("1::TINYINT", "NUMBER", "TINYINT"),
    ("1::SMALLINT", "NUMBER", "SMALLINT"),
    ("1::INTEGER", "NUMBER", "INTEGER"),
    ("1::BIGINT", "NUMBER", "BIGINT"),
    ("1::UBIGINT", "NUMBER", "UBIGINT"),
    ("1::HUGEINT", "NUMBER", "HUGEINT"),
    ("1::FLOAT", "NUMBER", "FLOAT"),
    ("1::DOUBLE", "NUMBER", "DOUBLE"),
    ("1::DECIMAL(9, 2)", "NUMBER", "DECIMAL(9,2)"),
    ("DATE '2000-01-01'", "DATETIME", "DATE"),
    ("TIME '12:00'", "DATETIME", "TIME"),
    ("TIMESTAMP '2000-01-01'", "DATETIME", "TIMESTAMP"),
    ("TIMESTAMPTZ '2000-01-01 00:00:00+00'", "DATETIME", "TIMESTAMP WITH TIME ZONE"),
]


@pytest.mark.parametrize(("expression", "group", "printed"), TYPE_CODES)
def test_type_codes_equal_their_type_object_only(cur, expression, group, printed):
    """`description[i][1]` equals the type object of its kind, no other one, and prints the SQL type."""
    cur.execute("CREATE TYPE ENUM_T AS ENUM ('a', 'b')")
    cur.execute(f"SELECT {expression}")
    code = cur.description[0][1]
    for name in ("STRING", "BINARY", "NUMBER", "DATETIME"):
        kind = getattr(paretosql, name)
        assert (code == kind) is (name == group), name
        assert (kind == code) is (name == group), name
        assert (code != kind) is (name != group), name
    assert str(code).startswith(printed)


def test_type_objects_differ():
    """STRING, BINARY, NUMBER, DATETIME and ROWID are five different things."""
    objects = [paretosql.STRING, paretosql.BINARY, paretosql.NUMBER, paretosql.DATETIME, paretosql.ROWID]
    for i, one in enumerate(objects):
        for j, two in enumerate(objects):
            assert (one == two) is (i == j)


def test_rowid_type_object_equals_row_identifiers_only(cur):
    """A text column is not a ROWID, and neither is a plain table column of numbers."""
    cur.execute("SELECT name FROM item")
    assert cur.description[0][1] != paretosql.ROWID


def test_null_is_none_both_ways(cur):
    """None goes in as NULL and NULL comes out as None."""
    assert cur.execute("SELECT ?, ? IS NULL, NULL", [None, None]).fetchone() == (None, True, None)
    cur.execute("INSERT INTO item VALUES (?, ?)", (None, None))
    assert cur.execute("SELECT * FROM item WHERE name IS NULL").fetchall() == [(None, None)]


VALUES = [
    (True, "BOOLEAN"),
    (0, "INTEGER"),
    (-(2**63), "BIGINT"),
    (2**100, "HUGEINT"),
    (1.5, "DOUBLE"),
    (float("inf"), "DOUBLE"),
    ("", "VARCHAR"),
    ("naïve 漢字 🦆 \t\n'\"", "VARCHAR"),
    (b"", "BLOB"),
    (bytes(range(256)), "BLOB"),
    (decimal.Decimal("123456789.987654321"), "DECIMAL(18,9)"),
    (decimal.Decimal("-0.001"), "DECIMAL(9,3)"),
    (dt.date(1969, 12, 31), "DATE"),
    (dt.time(23, 59, 59, 999999), "TIME"),
    (dt.datetime(2000, 2, 29, 1, 2, 3, 456789), "TIMESTAMP"),
    (dt.timedelta(days=3, seconds=4, microseconds=5), "INTERVAL"),
    (uuid.UUID("12345678-1234-5678-1234-567812345678"), "UUID"),
    ([1, 2, None], "INTEGER[]"),
    ([["a"], [], ["b", None]], "VARCHAR[][]"),
    ({"a": 1, "b": "x"}, "STRUCT(a INTEGER, b VARCHAR)"),
]


@pytest.mark.parametrize(("value", "kind"), VALUES, ids=[f"{k}-{i}" for i, (_, k) in enumerate(VALUES)])
def test_values_round_trip(cur, value, kind):
    """A Python value sent as a parameter and read back through a column of its type is the same value."""
    cur.execute(f"CREATE TABLE one (v {kind})")
    cur.execute("INSERT INTO one VALUES (?)", [value])
    (back,) = cur.execute("SELECT v FROM one").fetchone()
    assert back == value
    assert type(back) is type(value)


def test_time_zone_values_round_trip(cur):
    """A TIMESTAMP WITH TIME ZONE is an aware datetime of the same instant."""
    instant = dt.datetime(2024, 7, 1, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    cur.execute("CREATE TABLE one (v TIMESTAMPTZ)")
    cur.execute("INSERT INTO one VALUES (?)", [instant])
    (back,) = cur.execute("SELECT v FROM one").fetchone()
    assert back.tzinfo is not None
    assert back == instant


# --- optional extensions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Warning", "Error", *FAMILY, *DATABASE_FAMILY])
def test_extension_exceptions_are_connection_attributes(con, name):
    """All exceptions are attributes of the connection, so that code needs no import of the module."""
    assert getattr(con, name) is getattr(paretosql, name)


def test_extension_cursor_knows_its_connection(con):
    """cursor.connection is the connection that made it."""
    assert con.cursor().connection is con


def test_extension_rownumber_counts_from_zero(cur):
    """rownumber is the index of the next row, and None without a result."""
    assert cur.connection.cursor().rownumber is None
    cur.execute("SELECT * FROM item")
    assert cur.rownumber == 0
    cur.fetchone()
    assert cur.rownumber == 1
    cur.fetchmany(3)
    assert cur.rownumber == 4
    cur.fetchall()
    assert cur.rownumber == 6


def test_extension_cursor_is_an_iterator(cur):
    """A cursor iterates over its rows and stops at the end."""
    cur.execute("SELECT price FROM item WHERE price < 3 ORDER BY price")
    assert iter(cur) is cur
    assert next(cur) == (0,)
    assert list(cur) == [(1,), (2,)]
    with pytest.raises(StopIteration):
        next(cur)


def test_extension_autocommit_is_a_readable_and_settable_attribute(db_path):
    """autocommit is False at first; set to True, every statement is permanent at once."""
    writer = paretosql.connect(db_path)
    assert writer.autocommit is False
    writer.execute("CREATE TABLE t (a INTEGER)")
    writer.autocommit = True
    assert writer.autocommit is True
    writer.execute("INSERT INTO t VALUES (1)")
    writer.rollback()
    writer.close()
    reader = paretosql.connect(db_path, autocommit=True)
    assert reader.autocommit is True
    assert reader.execute("SELECT * FROM t").fetchall() == [(1,)]
    reader.close()


def test_extension_switching_autocommit_on_commits(con, cur):
    """As PEP 249's attribute asks: setting autocommit in an open transaction does not lose or keep it silently."""
    cur.execute("INSERT INTO item VALUES ('x', 7)")
    assert con.in_transaction
    con.autocommit = True
    assert not con.in_transaction
    con.rollback()
    assert cur.execute("SELECT count(*) FROM item").fetchone() == (7,)


# --- habits -------------------------------------------------------------------------------------------------------


def test_habit_connection_execute(con):
    """connection.execute is a shortcut that makes a cursor and runs the statement on it."""
    cursor = con.execute("SELECT ?", [5])
    assert isinstance(cursor, paretosql.Cursor)
    assert cursor.fetchall() == [(5,)]
    con.execute("CREATE TABLE t (a INTEGER)")
    assert con.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)]).rowcount == 2


def test_habit_execute_can_be_chained(cur):
    """cursor.execute returns the cursor, so rows can be fetched or iterated at once."""
    assert cur.execute("SELECT 1") is cur
    assert list(cur.execute("SELECT price FROM item WHERE price < 2 ORDER BY 1")) == [(0,), (1,)]


def test_habit_connection_context_commits_or_rolls_back(con, cur):
    """`with con:` commits when the block ends well, rolls back when it raises, and leaves the connection open."""
    with con as same:
        assert same is con
        con.execute("INSERT INTO item VALUES ('kept', 1)")
    with pytest.raises(KeyError), con:
        con.execute("INSERT INTO item VALUES ('lost', 1)")
        raise KeyError("on purpose")
    con.rollback()
    assert cur.execute("SELECT name FROM item WHERE name IN ('kept', 'lost')").fetchall() == [("kept",)]


def test_habit_cursor_context_closes(con):
    """`with con.cursor() as cur:` closes the cursor at the end."""
    with con.cursor() as cursor:
        cursor.execute("SELECT 1")
    with pytest.raises(paretosql.Error):
        cursor.fetchone()


def test_habit_rows_are_tuples(cur):
    """Every way of fetching gives tuples, and fetchmany and fetchall give lists of them."""
    cur.execute("SELECT * FROM item")
    assert type(cur.fetchone()) is tuple
    assert type(next(cur)) is tuple
    for rows in (cur.fetchmany(2), cur.fetchall()):
        assert type(rows) is list
        assert {type(row) for row in rows} == {tuple}


def test_habit_sql_gives_a_result(con):
    """con.sql is a lazy result with columns, types, rows and Arrow."""
    result = con.sql("SELECT 1 AS a, 'x' AS b")
    assert list(result.columns) == ["a", "b"]
    assert [str(kind) for kind in result.types] == ["INTEGER", "VARCHAR"]
    assert result.fetchall() == [(1, "x")]
    assert list(con.sql("SELECT 1 AS a")) == [(1,)]
    assert con.sql("SELECT 1 AS a").arrow().to_pydict() == {"a": [1]}
    assert pa.table(con.sql("SELECT 1 AS a")).to_pydict() == {"a": [1]}


def test_habit_strings_and_paths_name_a_database(tmp_path: Path) -> None:
    """connect takes a str or a Path."""
    for name in (tmp_path / "a.db", str(tmp_path / "b.db")):
        paretosql.connect(name).close()
        assert Path(name).exists()


def test_habit_a_cursor_gives_arrow(cur):
    """cursor.arrow() is a table, cursor.reader() a stream of batches."""
    table = cur.execute("SELECT price FROM item ORDER BY price").arrow()
    assert table.column("price").to_pylist() == [0, 1, 2, 3, 4, 5]
    batches: Iterator[pa.RecordBatch] = cur.execute("SELECT price FROM item ORDER BY price").reader()
    assert sum(batch.num_rows for batch in batches) == 6
