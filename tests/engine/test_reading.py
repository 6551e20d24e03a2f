"""Readers and iterators of results: they end at the last row, or say why they cannot."""

import pyarrow as pa
import pytest

import paretosql

ROWS = 1_000_000
QUERY = f"SELECT range AS a FROM range({ROWS})"


def test_a_reader_keeps_its_connection_alive():
    """A reader outlives the variables that made it."""

    def from_cursor() -> pa.RecordBatchReader:
        return paretosql.connect().execute(QUERY, arrow=True).reader()

    def from_result() -> pa.RecordBatchReader:
        return paretosql.connect().sql(QUERY).reader()

    assert from_cursor().read_all().num_rows == from_result().read_all().num_rows == ROWS
    assert sum(1 for _ in paretosql.connect().execute("SELECT * FROM range(5000)")) == 5000


@pytest.mark.parametrize(
    ("how", "arrow"), [("connection", False), ("connection", True), ("cursor", True), ("again", True)]
)
def test_a_closed_result_never_looks_complete(con, how, arrow):
    """Closing the connection or the cursor, or using it again, makes reading on an error and not an early end."""
    cursor = con.execute(QUERY, arrow=arrow)
    source = cursor.reader() if arrow else iter(con.sql(QUERY))
    next(source)
    if how == "connection":
        con.close()
    elif how == "cursor":
        cursor.close()
    else:
        cursor.execute("SELECT 1")
    with pytest.raises(paretosql.InterfaceError):
        for _ in source:
            pass


def test_results_without_rows_print(con, capsys):
    """Statements without rows have a picture, too, and show refuses a negative number of rows."""
    result = con.sql("CREATE TABLE x (a INTEGER)")
    result.show()
    assert "returns no rows" in capsys.readouterr().out and "no rows" in repr(result) and "<p>" in result._repr_html_()
    with pytest.raises(paretosql.ProgrammingError):
        con.sql("SELECT 1").show(-1)


def test_a_result_can_be_registered_on_its_own_connection(con):
    """A registered result of the same connection is a table from then on."""
    con.register("q", con.sql("SELECT range % 3 AS g FROM range(10)"))
    assert con.execute("SELECT ndv(g), count(*) FROM q").fetchone() == (3, 10)


def test_executemany_counts(con):
    """Statements that count run for each set of parameters, all or none."""
    con.execute("CREATE TABLE y AS SELECT range AS a FROM range(10)")
    con.execute("CREATE TABLE x (n BIGINT)")
    cursor = con.executemany("INSERT INTO x SELECT ndv(a) FROM y WHERE a < ?", [(1,), (5,)])
    assert cursor.rowcount == 2
    assert con.execute("SELECT n FROM x ORDER BY n").fetchall() == [(1,), (5,)]


def test_macros_may_hide_aggregates_and_views_random_rows(con):
    """A macro that aggregates is an aggregate, and a view with random rows is read once."""
    con.execute("CREATE MACRO mysum(v) AS sum(v) + 1")
    con.execute("CREATE TABLE t AS SELECT range % 3 AS g, range AS u FROM range(30)")
    assert con.execute("SELECT g, mysum(u), ndv(u) FROM t GROUP BY g ORDER BY g").fetchall() == [
        (g, sum(range(g, 30, 3)) + 1, 10) for g in range(3)
    ]
    assert con.execute("SELECT length(json_group_array(g)), ndv(g) FROM t").fetchone() == (61, 3)
    con.execute("CREATE VIEW loose AS SELECT u FROM t WHERE random() < 0.5")
    con.execute("CREATE VIEW looser AS SELECT * FROM loose")
    for source in ("looser", "(WITH q AS (SELECT u FROM t WHERE random() < 0.5) SELECT * FROM q)"):
        n, exact = con.execute(f"SELECT ndv(u), count(DISTINCT u) FROM {source}").fetchone()
        assert n == exact
