"""PEP 249, point by point: what a program written for any Python database may rely on.

Every test is one point of the PEP and is named after it; the docstring says the point in our own words. The parts:
module, exceptions, connections, cursors, types, optional extensions, and habits that programs bring from sqlite3.
"""

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

FAMILY = ["InterfaceError", "DatabaseError"]
DATABASE_FAMILY = [
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
]


@pytest.fixture
def cur(con: paretosql.Connection) -> paretosql.Cursor:
    """A cursor on a fresh database that holds the table `item(name, price)` with six rows."""
    cursor = con.cursor()
    cursor.execute("CREATE TABLE item (name VARCHAR, price INTEGER)")
    cursor.executemany("INSERT INTO item VALUES (?, ?)", [(f"item {i}", i) for i in range(6)])
    con.commit()
    return cursor


# --- the module ---------------------------------------------------------------------------------------------------


def test_module_connect_makes_a_connection():
    """`connect()` is a function of the module and returns an open connection."""
    connection = paretosql.connect()
    assert connection.cursor().execute("SELECT 1").fetchone() == (1,)
    connection.close()


def test_module_apilevel():
    """`apilevel` is the string "2.0"."""
    assert paretosql.apilevel == "2.0"


def test_module_threadsafety():
    """`threadsafety` 1: threads may share the module, not connections."""
    assert paretosql.threadsafety == 1


def test_module_paramstyle():
    """`paramstyle` names the marker that parameters use: a question mark."""
    assert paretosql.paramstyle == "qmark"


# --- exceptions ---------------------------------------------------------------------------------------------------


def test_exception_warning_stands_alone():
    """Warning comes from Exception and is not an Error."""
    assert issubclass(paretosql.Warning, Exception)
    assert not issubclass(paretosql.Warning, paretosql.Error)


def test_exception_error_is_the_base():
    """Error comes from Exception, so one `except paretosql.Error` catches everything, and Error is no Warning."""
    assert issubclass(paretosql.Error, Exception)
    assert not issubclass(paretosql.Error, paretosql.Warning)


@pytest.mark.parametrize("name", FAMILY)
def test_exception_children_of_error(name):
    """InterfaceError and DatabaseError come from Error and not from each other."""
    kind = getattr(paretosql, name)
    assert kind.__bases__ == (paretosql.Error,)


@pytest.mark.parametrize("name", DATABASE_FAMILY)
def test_exception_children_of_database_error(name):
    """The six errors of running a statement come from DatabaseError."""
    assert issubclass(getattr(paretosql, name), paretosql.DatabaseError)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELEC 1", "ProgrammingError"),
        ("SELECT * FROM nowhere", "ProgrammingError"),
        ("SELECT missing FROM item", "ProgrammingError"),
        ("SELECT no_such_function(1)", "ProgrammingError"),
        ("CREATE TABLE item (a INTEGER)", "ProgrammingError"),
        ("SELECT CAST('abc' AS INTEGER)", "DataError"),
        ("SELECT 2147483647::INTEGER + 1::INTEGER", "DataError"),
        ("SELECT CAST(300 AS TINYINT)", "DataError"),
        ("INSERT INTO keyed VALUES (1)", "IntegrityError"),
        ("INSERT INTO keyed VALUES (NULL)", "IntegrityError"),
        ("INSERT INTO checked VALUES (-1)", "IntegrityError"),
        ("SELECT * FROM 'no/such/file.parquet'", "OperationalError"),
    ],
)
def test_exception_classes_fit_the_cause(cur, sql, kind):
    """A wrong statement, a bad value, a broken constraint and a failing environment raise different classes."""
    cur.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY)")
    cur.execute("CREATE TABLE checked (n INTEGER CHECK (n >= 0))")
    cur.execute("INSERT INTO keyed VALUES (1)")
    with pytest.raises(paretosql.DatabaseError) as caught:
        cur.execute(sql).fetchall()
    assert isinstance(caught.value, getattr(paretosql, kind))


def test_exception_keeps_its_cause(cur):
    """An error that comes from below carries the original as `__cause__`."""
    with pytest.raises(paretosql.DataError) as caught:
        cur.execute("SELECT CAST(name AS INTEGER) FROM item").fetchall()
    assert isinstance(caught.value.__cause__, Exception)
    assert not isinstance(caught.value.__cause__, paretosql.Error)


# --- connections --------------------------------------------------------------------------------------------------


def test_connection_has_the_required_methods(con):
    """A connection has close, commit, rollback and cursor."""
    for name in ("close", "commit", "rollback", "cursor"):
        assert callable(getattr(con, name))


def test_connection_is_unusable_after_close():
    """After close() every operation of the connection raises an Error."""
    connection = paretosql.connect()
    connection.close()
    for use in (
        connection.cursor,
        connection.commit,
        connection.rollback,
        lambda: connection.execute("SELECT 1"),
        lambda: connection.executemany("SELECT ?", [(1,)]),
        lambda: connection.sql("SELECT 1").fetchall(),
        lambda: connection.register("t", pa.table({"a": [1]})),
        connection.__enter__,
    ):
        with pytest.raises(paretosql.Error):
            use()


def test_cursors_are_unusable_after_the_connection_closed():
    """Closing a connection ends all its cursors, also those with rows left to fetch."""
    connection = paretosql.connect()
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM range(10)")
    connection.close()
    fetches = (cursor.fetchone, cursor.fetchmany, cursor.fetchall, cursor.__next__)
    for use in (*fetches, lambda: cursor.execute("SELECT 1")):
        with pytest.raises(paretosql.Error):
            use()


def test_connection_close_twice_is_allowed():
    """Our decision where opinions differ: closing what is closed does nothing."""
    connection = paretosql.connect()
    connection.close()
    connection.close()
    assert connection.closed


def test_close_without_commit_rolls_back(db_path):
    """Changes that were not committed when the connection closes are gone; a second connection can not see them."""
    first = paretosql.connect(db_path)
    first.execute("CREATE TABLE t (a INTEGER)")
    first.execute("INSERT INTO t VALUES (1)")
    first.commit()
    first.execute("INSERT INTO t VALUES (2)")
    first.close()
    second = paretosql.connect(db_path)
    assert second.execute("SELECT a FROM t").fetchall() == [(1,)]
    second.close()


def test_commit_without_transaction_is_fine(con):
    """commit() with nothing to commit does nothing, as often as it is called."""
    con.commit()
    con.commit()
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_commit_makes_changes_permanent(db_path):
    """What was committed is there for the next connection."""
    first = paretosql.connect(db_path)
    first.execute("CREATE TABLE t (a INTEGER)")
    first.execute("INSERT INTO t VALUES (1)")
    first.commit()
    first.rollback()
    first.close()
    second = paretosql.connect(db_path)
    assert second.execute("SELECT a FROM t").fetchall() == [(1,)]
    second.close()


def test_rollback_undoes_changes(con, cur):
    """rollback() brings back the state of the last commit."""
    cur.execute("DELETE FROM item")
    cur.execute("INSERT INTO item VALUES ('new', 1)")
    con.rollback()
    assert cur.execute("SELECT count(*), min(name) FROM item").fetchone() == (6, "item 0")


def test_rollback_without_transaction_is_fine(con):
    """rollback() with nothing to undo does nothing."""
    con.rollback()
    con.rollback()
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_changes_are_not_committed_by_themselves(db_path):
    """Auto-commit is off at first: a second connection to the file sees no change before commit()."""
    writer, reader = paretosql.connect(db_path), paretosql.connect(db_path)
    writer.execute("CREATE TABLE t (a INTEGER)")
    writer.commit()
    writer.execute("INSERT INTO t VALUES (1)")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    writer.commit()
    reader.rollback()
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (1,)
    writer.close()
    reader.close()


def test_each_cursor_call_makes_a_new_cursor(con):
    """cursor() returns a new cursor each time, with a result of its own."""
    one, two = con.cursor(), con.cursor()
    assert one is not two
    one.execute("SELECT 1")
    two.execute("SELECT 2")
    assert (one.fetchone(), two.fetchone()) == ((1,), (2,))


# --- cursors ------------------------------------------------------------------------------------------------------


def test_cursors_of_one_connection_are_not_isolated(con, cur):
    """A change made through one cursor is seen by the other cursors of the connection before commit."""
    other = con.cursor()
    cur.execute("UPDATE item SET price = 100 WHERE name = 'item 0'")
    assert other.execute("SELECT price FROM item WHERE name = 'item 0'").fetchone() == (100,)


def test_cursor_has_the_required_members(cur):
    """Attributes and methods that every cursor must have."""
    assert cur.arraysize == 1
    assert cur.rowcount is not None
    for name in ("close", "execute", "executemany", "fetchone", "fetchmany", "fetchall", "setinputsizes"):
        assert callable(getattr(cur, name))
    assert callable(cur.setoutputsize)


def test_optional_methods_are_absent_not_broken(cur):
    """callproc and nextset are optional; a database without stored procedures leaves them out."""
    assert not hasattr(cur, "callproc")
    assert not hasattr(cur, "nextset")


def test_description_is_none_before_any_statement(con):
    """A cursor that ran nothing describes nothing."""
    assert con.cursor().description is None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE other (a INTEGER)",
        "INSERT INTO item VALUES ('x', 1)",
        "UPDATE item SET price = 0",
        "DELETE FROM item",
        "DROP TABLE item",
        "BEGIN",
        "SET threads = 1",
    ],
)
def test_description_is_none_for_statements_without_rows(cur, sql):
    """After a statement that returns no rows `description` is None, also when there was a query before."""
    cur.execute("SELECT * FROM item")
    cur.execute(sql)
    assert cur.description is None


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT name, price FROM item", ["name", "price"]),
        ("SELECT name, price FROM item WHERE false", ["name", "price"]),
        ("SELECT 1 AS a, 2 AS a", ["a", "a"]),
        ('SELECT 1 AS "Mixed Case ""x"""', ['Mixed Case "x"']),
        ("INSERT INTO item VALUES ('x', 1) RETURNING price", ["price"]),
        ("DELETE FROM item RETURNING name", ["name"]),
        ("VALUES (1, 2)", ["col0", "col1"]),
        ("FROM item", ["name", "price"]),
        ("WITH t AS (SELECT 1 AS x) SELECT * FROM t", ["x"]),
    ],
)
def test_description_of_rows(cur, sql, names):
    """For a statement with rows (or columns, when there are no rows) `description` has one 7-tuple a column."""
    cur.execute(sql)
    assert [column[0] for column in cur.description] == names
    assert all(len(column) == 7 for column in cur.description)


def test_rowcount_is_minus_one_before_any_statement(con):
    """No statement yet: -1."""
    assert con.cursor().rowcount == -1


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("INSERT INTO item VALUES ('x', 1)", 1),
        ("INSERT INTO item VALUES ('x', 1), ('y', 2)", 2),
        ("INSERT INTO item SELECT * FROM item", 6),
        ("INSERT INTO item SELECT * FROM item WHERE false", 0),
        ("INSERT INTO item SELECT name || '2', price FROM item WHERE price > 3", 2),
        ("UPDATE item SET price = price + 1 WHERE price < 4", 4),
        ("UPDATE item SET price = 0 WHERE false", 0),
        ("DELETE FROM item WHERE price = 5", 1),
        ("DELETE FROM item", 6),
        (
            "MERGE INTO item USING (VALUES ('item 0', 9), ('new', 1)) AS s(n, p) ON item.name = s.n "
            "WHEN MATCHED THEN UPDATE SET price = s.p WHEN NOT MATCHED THEN INSERT VALUES (s.n, s.p)",
            2,
        ),
        ("WITH s AS (SELECT 'x' AS n, 1 AS p) INSERT INTO item SELECT * FROM s", 1),
        ("/* a comment */ DELETE FROM item WHERE price = 1 -- another", 1),
    ],
)
def test_rowcount_of_changes(cur, sql, count):
    """After INSERT, UPDATE, DELETE and MERGE `rowcount` is the number of rows changed."""
    cur.execute(sql)
    assert cur.rowcount == count


@pytest.mark.parametrize("sql", ["CREATE TABLE other (a INTEGER)", "SET threads = 1", "DROP TABLE item"])
def test_rowcount_of_statements_that_count_nothing(cur, sql):
    """DDL and settings change no rows: -1, or 0."""
    cur.execute("DELETE FROM item")
    cur.execute(sql)
    assert cur.rowcount in (-1, 0)


def test_rowcount_of_a_query_is_unknown_or_right(cur):
    """For a query `rowcount` is -1 until it is known, and never a wrong number."""
    cur.execute("SELECT * FROM item")
    assert cur.rowcount in (-1, 6)
    cur.fetchall()
    assert cur.rowcount in (-1, 6)


def test_cursor_close_ends_it(cur):
    """After close() every operation raises an Error; closing again is fine; the connection goes on."""
    connection = cur.connection
    cur.execute("SELECT * FROM item")
    cur.close()
    cur.close()
    for use in (
        lambda: cur.execute("SELECT 1"),
        lambda: cur.executemany("SELECT ?", [(1,)]),
        cur.fetchone,
        cur.fetchmany,
        cur.fetchall,
        cur.__next__,
    ):
        with pytest.raises(paretosql.Error):
            use()
    assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("parameters", [("item 2",), ["item 2"]])
def test_execute_takes_a_sequence_of_parameters(cur, parameters):
    """Parameters come as any sequence: tuple or list."""
    assert cur.execute("SELECT price FROM item WHERE name = ?", parameters).fetchall() == [(2,)]


def test_execute_takes_a_mapping_of_parameters(cur):
    """Named markers `$name` take their values from a mapping; a name may be used twice."""
    rows = cur.execute("SELECT $low, price FROM item WHERE price >= $low AND price < $high ORDER BY price",
                       {"low": 2, "high": 4}).fetchall()  # fmt: skip
    assert rows == [(2, 2), (2, 3)]


def test_execute_takes_numbered_parameters(cur):
    """Numbered markers `$1` take their values from a sequence by position."""
    assert cur.execute("SELECT $2, $1, $2", [10, 20]).fetchall() == [(20, 10, 20)]


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT ?", ()),
        ("SELECT ?", None),
        ("SELECT ?", (1, 2)),
        ("SELECT ?, ?", (1,)),
        ("SELECT 1", (1,)),
        ("SELECT $a", {"b": 1}),
        ("SELECT $a", {}),
        ("SELECT $a", {"a": 1, "b": 2}),
        ("INSERT INTO item VALUES (?, ?)", ("x",)),
    ],
)
def test_execute_wrong_number_of_parameters(cur, sql, parameters):
    """Too many, too few or wrongly named parameters raise ProgrammingError before anything runs."""
    with pytest.raises(paretosql.ProgrammingError):
        cur.execute(sql, parameters)
    assert cur.execute("SELECT count(*) FROM item").fetchone() == (6,)


@pytest.mark.parametrize("parameters", ["x", 5, 1.5, object()])
def test_execute_parameters_of_a_wrong_kind(cur, parameters):
    """A bare value, also a string, is not a sequence of parameters: an Error of ours, no TypeError."""
    with pytest.raises(paretosql.Error):
        cur.execute("SELECT ?", parameters)


def test_parameters_are_values_not_text(cur):
    """A parameter never becomes part of the SQL text."""
    evil = "'; DROP TABLE item; --"
    assert cur.execute("SELECT ?", [evil]).fetchone() == (evil,)
    assert cur.execute("SELECT count(*) FROM item WHERE name = ?", [evil]).fetchone() == (0,)


def test_markers_inside_text_and_comments_are_not_parameters(cur):
    """`?` and `$name` in a string, a quoted name or a comment are just text."""
    row = cur.execute("""SELECT '? $a', ? AS "what?" /* ? */ -- ?""", [1]).fetchone()
    assert row == ("? $a", 1)
    assert cur.description[1][0] == "what?"


def test_executemany_runs_once_per_parameter_set(cur):
    """executemany runs the statement for every sequence of parameters and sums the row counts."""
    cur.executemany("INSERT INTO item VALUES (?, ?)", [("a", 10), ("b", 11), ("c", 12)])
    assert cur.rowcount == 3
    cur.executemany("UPDATE item SET price = 0 WHERE price >= ? AND price <= ?", [(10, 11), (1, 3), (99, 99)])
    assert cur.rowcount == 5
    assert cur.execute("SELECT count(*) FROM item WHERE price = 0").fetchone() == (6,)


@pytest.mark.parametrize("empty", [[], (), iter([])])
def test_executemany_with_nothing_does_nothing(cur, empty):
    """No parameter sets: no change, no error."""
    cur.executemany("INSERT INTO item VALUES (?, ?)", empty)
    assert cur.rowcount in (0, -1)
    assert cur.execute("SELECT count(*) FROM item").fetchone() == (6,)


def test_executemany_takes_generators_and_mappings(cur):
    """Parameter sets may come from a generator and may be mappings."""
    cur.executemany("INSERT INTO item VALUES (?, ?)", ((f"g{i}", i) for i in range(10)))
    cur.executemany("INSERT INTO item VALUES ($n, $p)", [{"n": "m", "p": 1}, {"p": 2, "n": "m"}])
    assert cur.execute("SELECT count(*) FROM item WHERE name[1] = 'g'").fetchone() == (10,)
    assert cur.execute("SELECT sum(price) FROM item WHERE name = 'm'").fetchone() == (3,)


def test_executemany_of_a_query_is_an_error(cur):
    """executemany is for statements without rows; a query raises ProgrammingError."""
    with pytest.raises(paretosql.ProgrammingError):
        cur.executemany("SELECT ?", [(1,), (2,)])


def test_executemany_stops_at_the_first_error(con, cur):
    """A failing row raises; after rollback() nothing of the call is left."""
    cur.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY)")
    con.commit()
    with pytest.raises(paretosql.IntegrityError):
        cur.executemany("INSERT INTO keyed VALUES (?)", [(1,), (2,), (1,), (3,)])
    con.rollback()
    assert cur.execute("SELECT count(*) FROM keyed").fetchone() == (0,)


def test_fetchone_returns_rows_then_none(cur):
    """fetchone gives one row a call, then None, and None again."""
    cur.execute("SELECT price FROM item WHERE price < 2 ORDER BY price")
    assert [cur.fetchone() for _ in range(4)] == [(0,), (1,), None, None]


def test_fetchmany_default_size_is_one(cur):
    """arraysize is 1 unless changed, and fetchmany() uses it."""
    cur.execute("SELECT price FROM item ORDER BY price")
    assert cur.arraysize == 1
    assert cur.fetchmany() == [(0,)]


def test_fetchmany_uses_arraysize(cur):
    """A changed arraysize is the default size of fetchmany()."""
    cur.arraysize = 4
    cur.execute("SELECT price FROM item ORDER BY price")
    assert [len(cur.fetchmany()) for _ in range(3)] == [4, 2, 0]


def test_fetchmany_beyond_the_end(cur):
    """fetchmany(n) returns what is left, then an empty sequence; the keyword is `size`."""
    cur.execute("SELECT price FROM item ORDER BY price")
    assert cur.fetchmany(size=4) == [(0,), (1,), (2,), (3,)]
    assert cur.fetchmany(100) == [(4,), (5,)]
    assert cur.fetchmany(100) == []


def test_fetchall_returns_the_rest(cur):
    """fetchall gives what is left, then an empty sequence."""
    cur.execute("SELECT price FROM item ORDER BY price")
    cur.fetchone()
    assert cur.fetchall() == [(1,), (2,), (3,), (4,), (5,)]
    assert cur.fetchall() == []


@pytest.mark.parametrize("method", ["fetchone", "fetchmany", "fetchall", "__next__"])
@pytest.mark.parametrize(
    "before", [None, "INSERT INTO item VALUES ('x', 1)", "CREATE TABLE other (a INTEGER)", "UPDATE item SET price = 1"]
)
def test_fetch_without_a_result_is_an_error(con, cur, method, before):
    """Fetching with no statement run, or after one without rows, raises ProgrammingError."""
    cursor = con.cursor()
    if before is not None:
        cursor.execute("SELECT 1")
        cursor.execute(before)
    with pytest.raises(paretosql.ProgrammingError):
        getattr(cursor, method)()


def test_a_failed_statement_leaves_no_old_result(cur):
    """After an error there are no rows of the statement before to fetch by mistake."""
    cur.execute("SELECT * FROM item")
    with pytest.raises(paretosql.ProgrammingError):
        cur.execute("SELECT * FROM nowhere")
    with pytest.raises(paretosql.ProgrammingError):
        cur.fetchall()


def test_setinputsizes_and_setoutputsize_do_nothing(cur):
    """Both exist, take what the PEP says, and may do nothing."""
    cur.setinputsizes([25, None, paretosql.STRING])
    cur.setoutputsize(1000)
    cur.setoutputsize(2000, 0)
    assert cur.execute("SELECT ?", ["x" * 100]).fetchone() == ("x" * 100,)


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
