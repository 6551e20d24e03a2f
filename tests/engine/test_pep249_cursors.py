"""PEP 249, point by point: cursors. How to read these tests stands in `test_pep249.py`."""

from __future__ import annotations

import pytest

import paretosql


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
