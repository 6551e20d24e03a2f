"""PEP 249, point by point: what a program written for any Python database may rely on. Module, exceptions, connections.

Every test is one point of the PEP and is named after it; the docstring says the point in our own words. Cursors are in
`test_pep249_cursors.py`; types, optional extensions and the habits that programs bring from sqlite3 in
`test_pep249_types.py`.
"""

from __future__ import annotations

import pyarrow as pa
import pytest

import paretosql
from tests.engine.exception_tree import DATABASE_FAMILY, FAMILY

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
