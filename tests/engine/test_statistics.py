"""The statistics table as the engine reads it: what was found, of the tables and columns that are there now."""

from __future__ import annotations

import datetime
import threading

import pytest

import paretosql
from paretosql.engine.statistics import ColumnStatistics, column_statistics

TABLE = "CREATE TABLE t AS SELECT range AS i, range % 10 AS g, NULL::VARCHAR AS n FROM range(1000)"


@pytest.fixture
def shop():
    con = paretosql.connect()
    con.execute(TABLE)
    yield con
    con.close()


def known(con, *names):
    return column_statistics(con._session, *names)


def test_statistics_say_what_the_table_holds(shop):
    """One entry per column, with the truth where every row was read."""
    before = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    shop.execute("ANALYZE t WITH SAMPLE 1")
    found = known(shop, "T")
    assert list(found) == ["i", "g", "n"]
    when = found["g"].analyzed_at
    assert found["g"] == ColumnStatistics(10, 10, 10, 0.0, 1000, 1000, "exact", 1.0, when)
    assert (found["n"].estimate, found["n"].null_fraction, found["n"].sampled_rows) == (0, 1.0, 0)
    assert before <= when <= datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def test_a_sample_gives_what_ndv_report_gives(shop):
    """The same rows under the same rate, so the same numbers."""
    shop.execute("ANALYZE t WITH SAMPLE ?", [0.3])
    report = shop.execute("SELECT * FROM ndv_report(TABLE t, rate => 0.3)").fetchall()
    assert [
        (name, each.estimate, each.lower, each.upper, each.method, each.sampled_rows)
        for name, each in known(shop, "t").items()
    ] == [line[:6] for line in report]


def test_stale_rows_are_left_out(shop):
    """Of a table that is gone nothing is known, of one that came back only columns of the same type."""
    assert known(shop, "t") == {} == known(shop, "nowhere")
    shop.execute("ANALYZE t WITH SAMPLE 1")
    shop.execute("ALTER TABLE t DROP n")
    assert list(known(shop, "t")) == ["i", "g"]
    shop.execute("DROP TABLE t")
    assert known(shop, "t") == {}
    shop.execute("CREATE TABLE t (i VARCHAR, g BIGINT)")
    assert list(known(shop, "t")) == ["g"]


def test_names_are_those_of_the_search_path(shop):
    """A temporary table hides one of the database; qualified names mean their own."""
    shop.execute("CREATE SCHEMA s")
    shop.execute("CREATE TABLE s.t AS SELECT 1 AS a")
    shop.execute("CREATE TEMP TABLE t AS SELECT 1 AS b")
    for name in ("t", "s.t", "memory.main.t"):
        shop.execute(f"ANALYZE {name} WITH SAMPLE 1")
    assert list(known(shop, "t")) == ["b"]
    assert list(known(shop, "t", "s")) == ["a"]
    assert list(known(shop, "t", "main", "memory")) == ["i", "g", "n"]
    shop.execute("SET schema = 's'")
    shop.execute("DROP TABLE temp.t")
    assert list(known(shop, "t")) == ["a"]


def test_statistics_follow_the_transaction(tmp_path):
    """Undone with a rollback, kept with a commit, and there for the next session."""
    path = tmp_path / "shop.db"
    con = paretosql.connect(path)
    con.execute(TABLE)
    con.execute("BEGIN")
    con.execute("ANALYZE t WITH SAMPLE 1")
    assert len(known(con, "t")) == 3
    con.rollback()
    assert known(con, "t") == {}
    con.execute("ANALYZE t COLUMNS (g) WITH SAMPLE 1")
    con.close()
    con = paretosql.connect(path, read_only=True)
    assert known(con, "t")["g"].estimate == 10
    with pytest.raises(paretosql.OperationalError, match="read-only"):
        con.execute("ANALYZE t WITH SAMPLE 1")
    con.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    con.execute("ANALYZE mine WITH SAMPLE 1")
    assert known(con, "mine")["a"].estimate == 1
    con.close()


def test_analyze_answers_no_rows(shop):
    """As DuckDB's own ANALYZE does; also for con.sql, executemany and a script of several statements."""
    cursor = shop.execute("ANALYZE t WITH SAMPLE 1")
    assert (cursor.description, cursor.rowcount) == (None, -1)
    shop.execute("SELECT 1; ANALYZE t COLUMNS (i) WITH SAMPLE 0.5; ANALYZE t COLUMNS (g) WITH SAMPLE 0.25;")
    assert [each.rate for each in known(shop, "t").values()] == [0.5, 0.25, 1.0]


def test_two_sessions_analyze_at_once(tmp_path):
    """Both succeed, or the second is told of the conflict; the table never holds a column twice."""
    path = tmp_path / "shop.db"
    sessions = [paretosql.connect(path, autocommit=True) for _ in range(2)]
    sessions[0].execute(TABLE)
    sessions[0].execute("ANALYZE t WITH SAMPLE 1")
    faults: list[Exception] = []

    def work(con):
        for _ in range(5):
            try:
                con.execute("ANALYZE t WITH SAMPLE 1")
            except paretosql.Error as fault:
                faults.append(fault)

    threads = [threading.Thread(target=work, args=(con,)) for con in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = sessions[0].execute("SELECT column_name FROM pareto_statistics.columns ORDER BY 1").fetchall()
    assert rows == [("g",), ("i",), ("n",)]
    assert all(isinstance(fault, paretosql.OperationalError) for fault in faults), faults
    for con in sessions:
        con.close()
