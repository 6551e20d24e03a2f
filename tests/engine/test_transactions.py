"""Transactions: when they begin, what ends them, who sees what."""

from __future__ import annotations

import pytest

import paretosql


@pytest.fixture
def two(db_path):
    """Two connections to one database file that holds `t(a)` with the row 0."""
    first, second = paretosql.connect(db_path), paretosql.connect(db_path)
    first.execute("CREATE TABLE t (a INTEGER)")
    first.execute("INSERT INTO t VALUES (0)")
    first.commit()
    yield first, second
    first.close()
    second.close()


def rows(con: paretosql.Connection) -> list[int]:
    """What a connection sees in `t`."""
    return [a for (a,) in con.execute("SELECT a FROM t ORDER BY a").fetchall()]


@pytest.mark.parametrize(
    ("sql", "opens"),
    [
        ("SELECT 1", False),
        ("SELECT * FROM t", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", False),
        ("CREATE TABLE u (a INTEGER)", False),
        ("CREATE TABLE u AS SELECT 1 AS a", False),
        ("CREATE VIEW v AS SELECT 1", False),
        ("DROP TABLE t", False),
        ("ALTER TABLE t ADD COLUMN b INTEGER", False),
        ("SET threads = 1", False),
        ("EXPLAIN INSERT INTO t VALUES (1)", False),
        ("COPY t TO '{dir}/t.csv'", False),
        ("INSERT INTO t VALUES (1)", True),
        ("WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x", True),
        ("INSERT INTO t SELECT ndv(a) FROM t", True),
        ("INSERT INTO t VALUES (1) RETURNING a", True),
        ("UPDATE t SET a = 1", True),
        ("DELETE FROM t", True),
        ("TRUNCATE t", True),
        ("MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (s.a)", True),
        ("COPY t FROM '{dir}/one.csv'", True),
        ("  /* first a comment */ -- and another\n insert INTO t VALUES (1)", True),
        ("BEGIN", True),
        ("START TRANSACTION", True),
    ],
)
def test_which_statements_open_a_transaction(con, tmp_path, sql, opens):
    """The first change of data opens a transaction by itself; reading, DDL and settings do not."""
    (tmp_path / "one.csv").write_text("1\n")
    con.execute("CREATE TABLE t (a INTEGER)")
    assert not con.in_transaction
    con.execute(sql.format(dir=tmp_path))
    assert con.in_transaction is opens


@pytest.mark.parametrize("end", ["COMMIT", "END", "ROLLBACK", "ABORT", "commit()", "rollback()"])
def test_what_ends_a_transaction(con, end):
    """COMMIT and ROLLBACK as text are the same as the methods."""
    con.execute("CREATE TABLE t (a INTEGER)")
    con.execute("INSERT INTO t VALUES (1)")
    if end.endswith("()"):
        getattr(con, end[:-2])()
    else:
        con.execute(end)
    assert not con.in_transaction
    kept = end in ("COMMIT", "END", "commit()")
    assert rows(con) == ([1] if kept else [])


def test_ddl_after_a_change_belongs_to_the_transaction(con):
    """rollback() takes back a table made after the first change of data, as DuckDB's transactions do."""
    con.execute("CREATE TABLE t (a INTEGER)")
    con.execute("INSERT INTO t VALUES (1)")
    con.execute("CREATE TABLE u (b INTEGER)")
    con.rollback()
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]


def test_begin_commits_an_implicit_transaction_first(two):
    """An explicit BEGIN closes what was open by itself, so nothing is lost and nothing nests."""
    first, second = two
    first.execute("INSERT INTO t VALUES (1)")
    first.execute("BEGIN")
    assert rows(second) == [0, 1]
    first.execute("INSERT INTO t VALUES (2)")
    first.rollback()
    assert rows(first) == [0, 1]


def test_begin_inside_begin_is_an_error(con):
    """Transactions do not nest: a second explicit BEGIN raises OperationalError, and ROLLBACK clears it."""
    con.execute("BEGIN")
    with pytest.raises(paretosql.OperationalError, match="transaction within a transaction"):
        con.execute("BEGIN")
    con.rollback()
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_others_see_only_what_is_committed(two):
    """No dirty reads, and a reader's transaction keeps its snapshot."""
    first, second = two
    first.execute("INSERT INTO t VALUES (1)")
    assert rows(first) == [0, 1]
    assert rows(second) == [0]
    second.execute("BEGIN")
    assert rows(second) == [0]
    first.commit()
    assert rows(second) == [0]
    second.commit()
    assert rows(second) == [0, 1]


def test_a_snapshot_holds_for_ndv_too(two):
    """ndv reads through the same transaction as every other query: its own changes, not those of others."""
    first, second = two
    first.execute("INSERT INTO t VALUES (1), (2)")
    assert first.execute("SELECT ndv(a) FROM t").fetchone() == (3,)
    assert second.execute("SELECT ndv(a) FROM t").fetchone() == (1,)
    assert first.execute("SELECT a % 2 AS g, ndv(a) FROM t GROUP BY g ORDER BY g").fetchall() == [(0, 2), (1, 1)]
    assert first.in_transaction
    first.rollback()
    assert first.execute("SELECT ndv(a) FROM t").fetchone() == (1,)


def test_an_ndv_insert_can_be_rolled_back(two):
    """INSERT ... SELECT ndv(...) is a change like any other."""
    first, second = two
    assert first.execute("INSERT INTO t SELECT ndv(a) + 40 FROM t").rowcount == 1
    assert rows(first) == [0, 41]
    assert rows(second) == [0]
    first.rollback()
    assert rows(first) == [0]


def test_conflicting_changes_raise(two):
    """Two transactions that change one row: the second gets OperationalError and can go on after rollback()."""
    first, second = two
    first.execute("UPDATE t SET a = 1")
    with pytest.raises(paretosql.OperationalError, match=r"[Cc]onflict"):
        second.execute("UPDATE t SET a = 2")
    first.commit()
    second.rollback()
    second.execute("UPDATE t SET a = a + 10")
    second.commit()
    assert rows(first) == [11]


def test_a_failed_statement_in_a_transaction_blocks_it(two):
    """After an error the transaction is lost: statements fail and commit() does not pretend to have kept anything."""
    first, second = two
    first.execute("BEGIN")
    first.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(paretosql.DataError):
        first.execute("SELECT 'x'::INTEGER").fetchall()
    with pytest.raises(paretosql.OperationalError, match=r"rollback\(\)"):
        first.execute("SELECT 1")
    with pytest.raises(paretosql.OperationalError, match="nothing was committed"):
        first.commit()
    assert rows(second) == [0]
    first.rollback()
    assert rows(first) == [0]


def test_a_wrong_text_leaves_the_transaction_alone(two):
    """A statement that does not even parse undoes nothing."""
    first, second = two
    first.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(paretosql.ProgrammingError):
        first.execute("SELEC 1")
    first.commit()
    assert rows(second) == [0, 1]


def test_autocommit_writes_at_once(db_path):
    """With autocommit every statement is permanent when it returns, and BEGIN still opens a transaction."""
    first = paretosql.connect(db_path, autocommit=True)
    second = paretosql.connect(db_path)
    first.execute("CREATE TABLE t (a INTEGER)")
    first.execute("INSERT INTO t VALUES (1)")
    assert rows(second) == [1]
    first.rollback()
    first.execute("BEGIN")
    first.execute("INSERT INTO t VALUES (2)")
    assert rows(second) == [1]
    first.commit()
    assert rows(second) == [1, 2]
    first.close()
    second.close()


def test_executemany_is_one_change(two):
    """With autocommit a failing executemany leaves nothing behind; without, rollback() takes all of it back."""
    first, second = two
    first.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY)")
    first.autocommit = True
    with pytest.raises(paretosql.IntegrityError):
        first.executemany("INSERT INTO keyed VALUES (?)", [(1,), (2,), (1,)])
    assert second.execute("SELECT count(*) FROM keyed").fetchone() == (0,)
    first.executemany("INSERT INTO keyed VALUES (?)", [(1,), (2,)])
    assert second.execute("SELECT count(*) FROM keyed").fetchone() == (2,)


def test_an_unread_result_survives_commit_and_rollback(two):
    """Rows of a query that was begun before commit() or rollback() can still be fetched after it."""
    first, _ = two
    first.execute("INSERT INTO t SELECT range FROM range(1, 5000)")
    cursor = first.cursor()
    cursor.execute("SELECT a FROM t ORDER BY a")
    assert cursor.fetchone() == (0,)
    first.commit()
    assert cursor.fetchone() == (1,)
    first.execute("DELETE FROM t")
    first.rollback()
    assert [a for (a,) in cursor.fetchall()] == list(range(2, 5000))


def test_results_of_two_cursors_do_not_mix(con):
    """Two half-read results and a change in between: each cursor keeps what its query saw."""
    con.execute("CREATE TABLE t AS SELECT range AS a FROM range(100000)")
    one, two = con.cursor(), con.cursor()
    one.execute("SELECT a FROM t ORDER BY a")
    two.execute("SELECT -a FROM t ORDER BY a")
    assert (one.fetchone(), two.fetchone()) == ((0,), (0,))
    con.execute("UPDATE t SET a = a + 1000000")
    assert one.fetchmany(3) == [(1,), (2,), (3,)]
    assert two.fetchmany(2) == [(-1,), (-2,)]
    assert one.fetchall()[-1] == (99999,)
    assert two.fetchall()[-1] == (-99999,)
    assert con.execute("SELECT min(a) FROM t").fetchone() == (1000000,)


def test_read_only_connections_refuse_changes(db_path):
    """read_only=True reads and raises an Error that says how to open for writing."""
    with paretosql.connect(db_path, autocommit=True) as writer:
        writer.execute("CREATE TABLE t AS SELECT 1 AS a")
    writer.close()
    reader = paretosql.connect(db_path, read_only=True)
    assert rows(reader) == [1]
    assert reader.execute("SELECT ndv(a) FROM t").fetchone() == (1,)
    with pytest.raises(paretosql.DatabaseError, match="read_only=False"):
        reader.execute("INSERT INTO t VALUES (2)")
    reader.rollback()
    assert rows(reader) == [1]
    reader.close()
