"""Statements that count: the plan keeps the meaning of the query around the counts.

With fewer than 65,536 distinct values `ndv(x)` is exact, so DuckDB's own `count(DISTINCT x)` on the same query is the
oracle.
"""

import duckdb
import pyarrow as pa
import pytest

import paretosql

SETUP = (
    "CREATE TABLE t AS SELECT range % 5 AS k, range AS x, range % 3 AS h, 'v' || (range % 11) AS s FROM range(300)",
    "CREATE TABLE u AS SELECT range % 4 AS k, (range * 7) % 30 AS y, range % 2 AS z FROM range(200)",
    "INSERT INTO t VALUES (NULL, 1, 1, NULL)",
    "INSERT INTO u VALUES (NULL, 999, 1)",
)


@pytest.fixture
def pair():
    ours, theirs = paretosql.connect(autocommit=True), duckdb.connect()
    for con in (ours, theirs):
        for statement in SETUP:
            con.execute(statement)
    yield ours, theirs
    ours.close()
    theirs.close()


CORRELATED = [
    "SELECT DISTINCT k, (SELECT ndv(u.y) FROM u WHERE u.k = t.k) AS n FROM t",
    "SELECT DISTINCT k, (SELECT ndv(y) + count(*) FROM u WHERE u.k = t.k) AS n FROM t",
    "SELECT count(*) FROM t WHERE x > (SELECT ndv(y) FROM u WHERE u.k = t.k AND z = h)",
    "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k HAVING ndv(y) > 7) GROUP BY k",
    "SELECT k, sum(x) FROM t GROUP BY k HAVING sum(x) > (SELECT ndv(y) FROM u WHERE u.k = t.k)",
    "SELECT t.k, (SELECT ndv(y) FROM u WHERE u.k IS NOT DISTINCT FROM t.k) AS n FROM t GROUP BY 1",
    "SELECT k, (SELECT sum(y) FROM u WHERE u.k = t.k) AS total, ndv(x) AS n FROM t GROUP BY k",
    "SELECT k, ndv(x) AS n, (SELECT ndv(y) FROM u WHERE u.k = t.k) AS m FROM t GROUP BY k",
    "SELECT x FROM t WHERE k IN (SELECT ndv(z) FROM u WHERE u.k = t.k)",
]
SHAPES = [
    "SELECT k % 2 AS p, ndv(x) AS n FROM t GROUP BY p",
    "SELECT k + 1 AS k, ndv(x) AS n FROM t GROUP BY k",
    "SELECT k AS a, a * 2 AS b, ndv(x) AS n FROM t GROUP BY ALL",
    "SELECT ndv(x) AS n, n * 2 AS twice FROM t",
    "SELECT sum(ndv(x)) OVER (ORDER BY k NULLS FIRST) AS running, k FROM t GROUP BY k",
    "SELECT k, ndv(x) AS n FROM t GROUP BY k QUALIFY row_number() OVER (ORDER BY ndv(x) DESC, k) <= 2",
    "SELECT k, list(s ORDER BY x)[1] AS first, ndv(s) AS n FROM t GROUP BY k",
    "SELECT k, h, GROUPING(k, h) AS bits, ndv(s) AS n, count(*) AS c FROM t GROUP BY CUBE (k, h)",
    "SELECT k, ndv(x) AS n FROM t GROUP BY ROLLUP (k) HAVING ndv(x) > 60 OR GROUPING(k) = 1",
    "SELECT CASE WHEN ndv(x) > 50 THEN 'many' ELSE 'few' END AS size, k FROM t GROUP BY k",
    "SELECT DISTINCT ndv(s) AS n FROM t GROUP BY k",
    "SELECT DISTINCT ON (h) h, k, ndv(x) AS n FROM t GROUP BY h, k ORDER BY h, k NULLS LAST",
    "SELECT t.k, ndv(t.x) AS n, ndv(u.y) AS m FROM t JOIN u ON t.k = u.k GROUP BY t.k",
    "SELECT *, ndv(y) AS n FROM (SELECT k, z, y FROM u) GROUP BY ALL",
    "SELECT count(*) AS c, ndv(x) AS n FROM t WHERE false",
    "SELECT k, ndv(x) AS n FROM t WHERE false GROUP BY ROLLUP (k)",
    "WITH a AS (SELECT k, ndv(x) AS n FROM t GROUP BY k), b AS (SELECT max(n) AS n FROM a)"
    " SELECT ndv(a.n) AS n, min(b.n) AS m FROM a, b",
    "SELECT ndv(x) AS n FROM t UNION ALL SELECT ndv(y) FROM u",
    "SELECT (SELECT ndv(x) FROM t) - (SELECT ndv(y) FROM u) AS difference",
    "SELECT k, ndv(x) FILTER (WHERE h = 1 AND s <> 'v1') AS n, sum(x) FILTER (WHERE h = 2) AS total FROM t GROUP BY k",
    "SELECT string_agg(DISTINCT s, ',' ORDER BY s) AS names, ndv(s) AS n FROM t GROUP BY h",
    "SELECT k, ndv({'a': h, 'b': s}) AS n, ndv([h, x % 2]) AS m FROM t GROUP BY k",
]


@pytest.mark.parametrize("query", CORRELATED + SHAPES)
def test_counts_are_those_of_count_distinct(pair, query):
    """Replacing count(DISTINCT x) by ndv(x) changes neither rows nor column names."""
    ours, theirs = pair
    mine = ours.execute(query)
    oracle = theirs.execute(query.replace("ndv(", "count(DISTINCT "))
    assert [each[0] for each in mine.description] == [each[0] for each in oracle.description]
    assert sorted(mine.fetchall(), key=repr) == sorted(oracle.fetchall(), key=repr)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (SELECT ndv(y) FROM u JOIN t AS v ON u.k = v.k WHERE u.k = t.k) FROM t",
        "SELECT (SELECT ndv(y) FROM u WHERE u.k = t.k LIMIT 1) FROM t",
    ],
)
def test_correlated_subqueries_with_more_in_them_are_refused(pair, query):
    """What cannot be turned into a grouped subquery says so, and where."""
    with pytest.raises(paretosql.NotSupportedError, match=r"correlated[\s\S]*line 1, column[\s\S]*Hint:"):
        pair[0].execute(query)


def test_rows_that_change_are_read_once(pair):
    """Random keys and sampled rows are the same for the counts and for the aggregates beside them."""
    con, _ = pair
    for _ in range(5):
        rows = con.execute(
            "SELECT g, ndv(x), count(DISTINCT x), count(*) FROM (SELECT floor(random() * 3) AS g, x FROM t) GROUP BY g"
        ).fetchall()
        assert rows and all(n == exact for _, n, exact, _ in rows)
        n, exact = con.execute("SELECT ndv(x), count(DISTINCT x) FROM t TABLESAMPLE 50% (bernoulli)").fetchone()
        assert n == exact


def test_a_stream_that_can_be_read_once_is_read_once(pair):
    """A registered reader serves distinct counts and ordinary aggregates in one statement."""
    con, _ = pair
    batches = pa.table({"g": [1, 1, 2], "x": [5, 6, 6]}).to_reader()
    con.register("once", batches)
    rows = con.execute("SELECT g, ndv(x), sum(x) FROM once GROUP BY g ORDER BY g").fetchall()
    assert rows == [(1, 2, 11), (2, 1, 6)]


def test_nothing_of_a_plan_is_left_behind(pair):
    """Relations of a plan are gone with the next statement."""
    con, _ = pair
    before = con.execute("SHOW ALL TABLES").fetchall()
    con.execute("SELECT k, ndv(x), ndv(random()) FROM t GROUP BY k").fetchall()
    con.execute("SELECT * FROM ndv_report(TABLE t)").fetchall()
    assert con.execute("SHOW ALL TABLES").fetchall() == before
    assert con.execute("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'ndv'").fetchone() == (0,)


def test_all_parts_of_a_plan_see_the_same_data(tmp_path):
    """A commit of another connection between two parts of a plan does not show."""
    first = paretosql.connect(tmp_path / "shop.db", autocommit=True)
    second = paretosql.connect(tmp_path / "shop.db", autocommit=True)
    first.execute("CREATE TABLE t AS SELECT range AS x, range % 2 AS g FROM range(10)")
    cursor = first.execute("SELECT g, ndv(x), count(DISTINCT x) FROM t GROUP BY g")
    second.execute("INSERT INTO t SELECT range, 7 FROM range(100, 200)")
    assert sorted(cursor.fetchall()) == [(0, 5, 5), (1, 5, 5)]
    assert first.execute("SELECT ndv(g) FROM t").fetchone() == (3,)
    first.close()
    second.close()


def test_a_failing_plan_leaves_the_connection_usable(pair):
    """An error in the middle of a plan frees the connection and takes its relations with it."""
    con, _ = pair
    with pytest.raises(paretosql.DataError):
        con.execute("SELECT h, ndv(CAST(s AS INTEGER)) FROM t GROUP BY h")
    assert con.execute("SELECT ndv(x) FROM t").fetchone() == (300,)
    assert not con.in_transaction


def test_explain_lists_the_steps(pair):
    """EXPLAIN gives a row per step and one for the rest; ANALYZE adds the rows that each step read."""
    con, _ = pair
    steps = con.execute("EXPLAIN SELECT k, ndv(x), ndv(s, rate => 0.5) FROM t GROUP BY k").fetchall()
    assert [row[1] for row in steps] == ["sketch", "sample", "fragment"]
    analyzed = con.execute("EXPLAIN ANALYZE SELECT k, ndv(x) FROM t GROUP BY k")
    names = [each[0] for each in analyzed.description]
    rows = [dict(zip(names, row, strict=True)) for row in analyzed.fetchall()]
    assert [(row["operator"], row["rows_in"], row["rows_out"]) for row in rows[:1]] == [("sketch", 301, 6)]
    assert rows[1]["rows_out"] == 6


def test_views_that_count_live_in_the_database(tmp_path):
    """A counting view survives reopening, nests, follows transactions, and shows its columns to DuckDB."""
    path = tmp_path / "shop.db"
    con = paretosql.connect(path)
    con.execute("CREATE TABLE t AS SELECT range AS x, range % 2 AS g FROM range(10)")
    con.execute("CREATE VIEW v AS SELECT g, ndv(x) FILTER (WHERE x > 2) AS n FROM t GROUP BY g")
    con.execute("CREATE VIEW w(total) AS SELECT sum(n) FROM v")
    con.commit()
    con.close()
    con = paretosql.connect(path)
    assert con.execute("SELECT * FROM v ORDER BY g").fetchall() == [(0, 3), (1, 4)]
    assert con.execute("SELECT total FROM w").fetchall() == [(7,)]
    assert con.execute("SELECT v.n, t.x FROM v JOIN t USING (g) WHERE x = 1").fetchall() == [(4, 1)]
    assert con.execute("DESCRIBE v").fetchall()[1][:2] == ("n", "BIGINT")
    other = paretosql.connect(path, autocommit=True)
    other.execute("CREATE VIEW late AS SELECT ndv(x) AS n FROM t")
    assert con.execute("FROM late").fetchall() == [(10,)]
    con.execute("DROP VIEW w")
    con.execute("DROP VIEW v")
    with pytest.raises(paretosql.ProgrammingError):
        con.execute("SELECT * FROM v")
    con.close()
    other.close()


@pytest.mark.parametrize(
    "values",
    [
        "('01:00:00+02'::TIMETZ), ('01:00:00+03'::TIMETZ), ('01:00:00+02'::TIMETZ)",
        "(340282366920938463463374607431768211455::UHUGEINT), (340282366920938463463374607431768211454::UHUGEINT)",
        "({'a': '01:00:00+02'::TIMETZ, 'b': 0.0::DOUBLE}), ({'a': '01:00:00+03'::TIMETZ, 'b': -0.0::DOUBLE}), (NULL)",
        "({'a': '01:00:00+02'::TIMETZ, 'b': 0.0::DOUBLE}), ({'a': '01:00:00+02'::TIMETZ, 'b': -0.0::DOUBLE})",
        "({'UHUGEINT': 0.0::DOUBLE}), ({'UHUGEINT': -0.0::DOUBLE})",
        "(union_value(a := 0.0::DOUBLE)), (union_value(a := -0.0::DOUBLE)), (NULL)",
        "(1::UNION(a INT, b VARCHAR)), ('x'::UNION(a INT, b VARCHAR)), (1::UNION(a INT, b VARCHAR)), (NULL)",
    ],
)
def test_values_that_arrow_blurs_stay_apart(pair, values):
    """Types that Arrow cannot spell exactly count as count(DISTINCT) does, in ndv and in ndv_report."""
    con, _ = pair
    n, exact = con.execute(f"SELECT ndv(x), count(DISTINCT x) FROM (VALUES {values}) AS v(x)").fetchone()
    assert n == exact
    report = con.execute(f"SELECT estimate FROM ndv_report((SELECT x FROM (VALUES {values}) AS v(x)))").fetchone()
    assert report == (exact,)


def test_reports_read_streams_once(pair):
    """ndv_report counts a stream that can be read once, and rows that change, with and without a sample."""
    con, _ = pair
    for options in ("", ", rate => 0.5", ", rate => 1"):
        con.register("once", pa.table({"x": list(range(1000))}).to_reader())
        rows = con.execute(f"SELECT * FROM ndv_report(TABLE once{options})").fetchall()
        assert rows[0][0] == "x" and (rows[0][1] == 1000 or (options == ", rate => 0.5" and 900 <= rows[0][1] <= 1000))
    rows = con.execute("SELECT estimate FROM ndv_report((SELECT * FROM t TABLESAMPLE 50%), rate => 0.9)").fetchall()
    assert len(rows) == 4


@pytest.mark.parametrize(
    "query",
    ["SELECT ndv(c) FROM n", "SELECT c, ndv(x) FROM n GROUP BY c", "SELECT * FROM ndv_report(TABLE n)",
     "SELECT ndv(s COLLATE NOCASE) FROM t",
     "SELECT ndv(y) FROM (SELECT s COLLATE NOCASE AS y FROM t)",
     "SELECT ndv(c) FROM (SELECT c FROM n)", "SELECT ndv(c) FROM nv"],
)  # fmt: skip
def test_text_with_a_collation_is_refused(pair, query):
    """Counting by bytes what SQL compares by a collation would be wrong without a word, so it is refused."""
    con, _ = pair
    con.execute("CREATE TABLE n (c VARCHAR COLLATE NOCASE, x INTEGER)")
    con.execute("CREATE VIEW nv AS SELECT c FROM n")
    con.execute("INSERT INTO n VALUES ('a', 1), ('A', 2)")
    with pytest.raises(paretosql.NotSupportedError, match=r"collation[\s\S]*lower"):
        con.execute(query)
    assert con.execute("SELECT ndv(lower(c)), ndv(x) FROM n").fetchone() == (1, 2)
    assert con.execute("SELECT ndv(s) FROM t").fetchone() == (11,)


SPELLINGS = [
    "SELECT t.k, ndv(x) AS n FROM t GROUP BY k",
    "SELECT k, ndv(x) AS n FROM t GROUP BY t.k",
    "SELECT K, ndv(X) AS n FROM t GROUP BY k",
    "SELECT T.k, ndv(x) AS n FROM t GROUP BY K HAVING t.K > 1 ORDER BY T.K",
    "SELECT K+1 AS a, ndv(x) AS n FROM t GROUP BY t.k + 1",
    "SELECT Upper(S) AS a, ndv(x) AS n FROM t GROUP BY upper(s)",
    "SELECT main.t.k, ndv(x) AS n FROM t GROUP BY k",
    "SELECT a.k, ndv(a.x) AS n FROM t AS a JOIN u AS b USING (k) GROUP BY k",
    "SELECT a.k, ndv(b.y) AS n FROM t AS a JOIN u AS b ON a.k = b.k GROUP BY a.k",
    "SELECT -k AS k, ndv(x) AS n FROM t GROUP BY t.k ORDER BY k",
    "SELECT st.a, ndv(x) AS n FROM (SELECT {'a': k} AS st, x FROM t) GROUP BY st",
    "SELECT q.st.a + 1 AS b, ndv(x) AS n FROM (SELECT {'a': k} AS st, x FROM t) AS q GROUP BY st",
    "SELECT st.a, ndv(x) AS n FROM (SELECT {'a': k} AS st, x FROM t) GROUP BY st.a",
    "SELECT k, h, ndv(s) AS n FROM t GROUP BY GROUPING SETS ((k, h), (h, k))",
    "SELECT CAST(k AS VARCHAR) AS a, ndv(x) AS n FROM t GROUP BY k::VARCHAR",
    "SELECT k::VARCHAR AS a, ndv(x) AS n FROM t GROUP BY CAST(k AS VARCHAR)",
    "SELECT a.k AS p, b.k AS q, ndv(a.x) AS n FROM t AS a FULL JOIN (SELECT range + 3 AS k FROM range(5)) AS b"
    " USING (k) GROUP BY a.k, b.k",
    "SELECT a.k AS p, b.k AS q, ndv(a.x) AS n"
    " FROM t AS a NATURAL RIGHT JOIN (SELECT range + 3 AS k FROM range(5)) AS b GROUP BY ALL",
    "SELECT k, b.k AS q, ndv(a.x) AS n FROM t AS a LEFT JOIN (SELECT range + 3 AS k FROM range(5)) AS b USING (k)"
    " GROUP BY k, b.k",
    "SELECT h, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m, ndv(s) AS n FROM t GROUP BY h",
    "SELECT ndv(s) AS n FROM t GROUP BY GROUPING SETS ((), ())",
    "SELECT ndv(s) AS n, count(*) AS c FROM t GROUP BY GROUPING SETS ((), ())",
    "SELECT x, (SELECT ndv(y) FROM u WHERE u.k = t.x GROUP BY u.k) AS n FROM t",
]


@pytest.mark.parametrize("query", SPELLINGS)
def test_keys_may_be_spelt_in_any_way(pair, query):
    """Case and qualifiers that do not change the meaning do not change the result; nor do repeated grouping sets."""
    test_counts_are_those_of_count_distinct(pair, query)


def test_what_depends_on_an_outer_query_says_so(pair):
    """Deeper dependence than one level is refused by name, and not as a missing table."""
    con, _ = pair
    for query in (
        "SELECT (SELECT ndv(y) FROM u WHERE u.k = (SELECT t.k)) FROM t",
        "SELECT (SELECT sum(n) FROM (SELECT ndv(y) AS n FROM u WHERE u.k = t.k GROUP BY z)) FROM t",
    ):
        with pytest.raises(paretosql.NotSupportedError, match=r"depends on t[\s\S]*line 1[\s\S]*Hint:"):
            con.execute(query)


@pytest.mark.parametrize("value", ["1::VARIANT", "['01:00:00+02'::TIMETZ]", "[union_value(a := 1)]"])
def test_values_that_cannot_be_kept_apart_are_refused(pair, value):
    """Where Arrow would blur values out of reach, counting is refused and says what would work."""
    con, _ = pair
    for query in ("SELECT ndv(x) FROM (SELECT {} AS x)", "SELECT * FROM ndv_report((SELECT {} AS x))"):
        with pytest.raises(paretosql.NotSupportedError, match=r"cannot be counted[\s\S]*VARCHAR"):
            con.execute(query.format(value))


def test_views_count_wherever_a_table_may_stand(pair, tmp_path):
    """COPY, ndv_report and attached databases read a counting view like any other; macros may not count."""
    con, _ = pair
    con.execute("CREATE VIEW v AS SELECT k, ndv(x) AS n FROM t GROUP BY k")
    con.execute(f"COPY v TO '{tmp_path}/v.parquet'")
    assert con.execute(f"SELECT count(*), max(n) FROM '{tmp_path}/v.parquet'").fetchone() == (6, 60)
    assert con.execute("SELECT estimate FROM ndv_report(TABLE v)").fetchall() == [(5,), (2,)]
    con.execute(f"ATTACH '{tmp_path}/o.db' AS o")
    con.execute("CREATE TABLE o.x AS SELECT 1 AS n")
    con.execute("CREATE VIEW o.far AS SELECT ndv(n) AS q FROM o.x")
    assert con.execute("SELECT * FROM o.far").fetchall() == [(1,)]
    with pytest.raises(paretosql.NotSupportedError, match="CREATE"):
        con.execute("CREATE MACRO m() AS (SELECT ndv(x) FROM t)")


EMPTY_GROUPS = [
    "SELECT g, (SELECT ndv(1) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT ndv(coalesce(t.x, 0)) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT ndv(x IS NULL) + count(1) + count(*) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT ndv((x, h)) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT ndv(x) + coalesce(sum(1), -1) + coalesce(max(5), -1) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT len(list(x)) + ndv(x) FROM t WHERE t.k = r.g) AS n FROM r",
    "SELECT g, (SELECT ndv(x) FILTER (WHERE h = 1) FROM t WHERE t.k = r.g) AS n FROM r",
]


@pytest.mark.parametrize("query", EMPTY_GROUPS)
def test_correlated_counts_of_nothing(pair, query):
    """Outer values without rows count as nothing, whatever is counted and computed beside it."""
    for con in pair:
        con.execute("CREATE TABLE r AS SELECT range AS g FROM range(9)")
    test_counts_are_those_of_count_distinct(pair, query)


def test_names_mean_what_they_mean_around_views(pair):
    """Common table expressions of a reader do not reach into a view, and hide one only where they are visible."""
    con, _ = pair
    con.execute("CREATE VIEW v AS SELECT k, ndv(x) AS n FROM t GROUP BY k")
    plain = sorted(con.execute("SELECT * FROM v").fetchall(), key=repr)
    assert sorted(con.execute("WITH t AS (SELECT 7 AS k, 1 AS x) SELECT * FROM v").fetchall(), key=repr) == plain
    rows = con.execute("SELECT a.n, b.x FROM v AS a, (WITH v AS (SELECT 1 AS x) SELECT * FROM v) AS b WHERE a.k = 0")
    assert rows.fetchall() == [(60, 1)]
    assert con.execute("WITH v AS (SELECT * FROM v) SELECT max(n) FROM v").fetchone() == (60,)
    assert con.execute("PIVOT v ON k USING max(n)").fetchone()[:2] == (60, 60)
    con.execute("DELETE FROM t USING v WHERE t.k = v.k AND v.n = 1")
    assert con.execute("SELECT ndv(k), count(*) FROM t").fetchone() == (5, 301)


def test_a_subquery_of_two_columns_is_no_value(pair):
    """As in DuckDB, a scalar subquery has one column."""
    with pytest.raises(paretosql.ProgrammingError, match="returns 2 columns"):
        pair[0].execute("SELECT (SELECT ndv(y), 1 FROM u WHERE u.k = t.k) FROM t")


def test_the_first_part_of_a_recursive_query_may_count(pair):
    """Only what depends on the recursion is refused."""
    sql = "WITH RECURSIVE c(n) AS (SELECT ndv(h) FROM t UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT max(n) FROM c"
    assert pair[0].execute(sql).fetchone() == (5,)


def test_what_stands_in_front_of_a_view_is_read(pair):
    """A temporary table, a registered one or one of the current schema hides a counting view of the same name."""
    con, _ = pair
    con.execute("CREATE VIEW v AS SELECT ndv(x) AS n FROM t")
    con.execute("CREATE TEMP TABLE v AS SELECT 'mine' AS n")
    assert con.execute("SELECT n, ndv(n) FROM v GROUP BY n").fetchall() == [("mine", 1)]
    assert con.execute("SELECT n FROM v").fetchall() == [("mine",)]
    assert con.execute("SELECT n FROM memory.main.v").fetchall() == [(300,)]
    con.execute("DROP TABLE temp.v")
    assert con.execute("SELECT n FROM v").fetchall() == [(300,)]
    con.register("v", pa.table({"n": ["registered"]}))
    assert con.execute("SELECT n, ndv(n) FROM v GROUP BY n").fetchall() == [("registered", 1)]
    con.unregister("v")
    con.execute("CREATE SCHEMA s")
    con.execute("CREATE TABLE s.v AS SELECT 'there' AS n")
    con.execute("USE s")
    assert con.execute("SELECT n, ndv(n) FROM v GROUP BY n").fetchall() == [("there", 1)]
