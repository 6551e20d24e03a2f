"""What goes below a model changes no answer: statements about calls against the same about tables of all answers."""

from __future__ import annotations

import math
import random

import pytest

import paretosql

CALLS = {
    "predict(MODEL line, TABLE p)": ("id", "x", "g", "e", "predicted_y"),
    "predict(MODEL trees, (FROM p WHERE id < 80))": ("id", "x", "g", "e", "predicted_y"),
    "predict(MODEL changed, TABLE p)": ("id", "x", "g", "e", "predicted_y"),
    "recommend(MODEL rec, k => 4)": ("user_id", "item_id", "rank", "rank"),
    "recommend(MODEL rec, TABLE r, k => 4)": ("user_id", "item_id", "rank", "rank"),
    "recommend(MODEL rec, TABLE r, k => 3, candidates => (SELECT range AS item_id FROM range(9)))": (
        "user_id", "item_id", "rank", "rank"
    ),
    "recommend(MODEL rec, (FROM visitors), history => (FROM h), k => 3)": ("user_id", "item_id", "rank", "rank"),
    "similar(MODEL rec, TABLE r, k => 3)": ("item_id", "similar_item_id", "rank", "rank"),
    "embed(MODEL rec, (SELECT DISTINCT item_id FROM r))": ("item_id", "item_id", "embedding[1]"),
}  # fmt: skip
CONDITIONS = (
    "{0} = 3", "{0} > 5 AND {1} IS NOT NULL", "{0} IN (1, 2, 40) OR {0} = 7", "{0} BETWEEN 2 AND 9", "NOT {0} < 4",
    "{0}::VARCHAR LIKE '1%'", "CASE WHEN {0} % 2 = 0 THEN {1} IS NOT NULL ELSE {0} > 5 END", "{0} = {lo} + 3",
    "{0} <= (SELECT max(v) FROM few)", "{0} IN (FROM few)", "EXISTS (FROM few WHERE v = {0})", "{0} IS NULL",
    "coalesce({0}, 0) < 6", "t.{0} < 7", "{last} IS NOT NULL AND {0} < 9", "{0} < 9 AND {last} > {lo}",
    "twice({0}) < 12", "{0} > $low AND {0} < $high", "true", "{0} < 6 AND {1} < {0} + 5",
    "list_contains([1, 2, 3], {0})", "len(list_filter([1, 2, 3], lambda {0}: {0} < t.{0})) > 1",
    "len([{0} for {0} in [1, 5, 9] if {0} > t.{0}]) = 2", "len(list_filter([4, 8], lambda t: t < {0})) = 1",
)  # fmt: skip
SHAPES = (
    "SELECT * FROM {call} AS t WHERE {condition}",
    "SELECT {0} FROM {call} AS t WHERE {condition}",
    "SELECT count(*), count({last}) FROM {call} AS t WHERE {condition}",
    "SELECT {0}, count(*) FROM {call} AS t WHERE {condition} GROUP BY {0}",
    "SELECT {0}, {last} FROM {call} AS t WHERE {condition} ORDER BY {0} DESC, {1}, {last} LIMIT 5 OFFSET 2",
    "SELECT DISTINCT {0} FROM {call} AS t WHERE {condition}",
    "SELECT {0}, row_number() OVER (ORDER BY {0}, {1}, {last}) FROM {call} AS t WHERE {condition}",
    "SELECT {0}, {1} FROM {call} AS t WHERE {condition} QUALIFY row_number() OVER (ORDER BY {0}, {1}, {last}) < 4",
    "SELECT t.{0}, f.v FROM {call} AS t JOIN few f ON f.v = t.{0} WHERE {condition}",
    "SELECT t.{0}, f.v FROM few f LEFT JOIN {call} AS t ON f.v = t.{0} AND {condition}",
    "SELECT {0} FROM {call} AS t WHERE {condition} UNION ALL SELECT v FROM few",
    "WITH c AS (SELECT * FROM {call} AS t WHERE {condition}) SELECT count(*), sum({0}) FROM c",
    "WITH c AS (FROM {call}) SELECT {0}, {1} FROM c AS t WHERE {condition}",
    "SELECT v, (SELECT count(*) FROM {call} AS t WHERE {condition} AND {0} = v) FROM few",
    "SELECT s.{0} FROM (SELECT * FROM {call} AS t WHERE {condition}) AS s WHERE s.{0} < 8",
    "SELECT count(*) FROM (SELECT {0}, {last} FROM {call} AS t WHERE {condition} LIMIT 7)",
    "SELECT count(*) FROM (SELECT * FROM {call} AS t WHERE {condition} LIMIT 40%)",
    "SELECT max({0}) FILTER (WHERE {condition}) FROM {call} AS t",
    "SELECT {0} AS {1}, {1} AS {0} FROM {call} AS t WHERE {condition}",
    "SELECT sum(#1) FROM {call} AS t WHERE {condition}",
    "SELECT {0} FROM (SELECT * REPLACE (count(*) OVER () AS {0}) FROM {call} AS t WHERE {condition} LIMIT 1)",
)  # fmt: skip


@pytest.fixture(scope="module")
def con():
    """Models, rows with NULLs and an enum, and all answers of every call as tables."""
    with paretosql.connect(autocommit=True) as con:
        for sql in (
            "CREATE TYPE kind AS ENUM ('a', 'b', 'c')",
            "CREATE MACRO twice(a) AS a * 2",
            "CREATE TABLE p AS SELECT nullif(range, 7) AS id, nullif(range * 1.5::DOUBLE, 6) AS x,"
            " 'g' || range % 5 AS g, (['a', 'b', 'c'][1 + range % 3])::kind AS e, range * 2.0::DOUBLE AS y"
            " FROM range(120)",
            "CREATE MODEL line OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT x, g, y FROM p",
            "CREATE MODEL trees OPTIONS (model_type = 'gbdt', label_col = 'y', rounds = 4) AS SELECT x, e, y FROM p",
            "CREATE MODEL changed TRANSFORM (x / avg(x) OVER () AS x, upper(g) AS g, y)"
            " OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT x, g, y FROM p",
            "CREATE TABLE r AS SELECT range % 13 AS user_id, (range * range) % 31 AS item_id FROM range(200)",
            "CREATE TABLE visitors AS SELECT unnest([3, 900, 4, NULL, 3, 901]) AS user_id",
            "CREATE TABLE h AS SELECT unnest([900, 900, 4]) AS user_id, unnest([1, 5, 9]) AS item_id",
            "CREATE MODEL rec OPTIONS (model_type = 'als', factors = 4, rounds = 2) AS FROM r",
            "CREATE TABLE few AS SELECT unnest([1, 2, 3, 8, 900]) AS v",
        ):
            con.execute(sql)
        for number, call in enumerate(CALLS):
            con.execute(f"CREATE TABLE answers_{number} AS SELECT * FROM {call}")
        yield con


def rows(con, sql):
    """All rows in an order of their own, numbers as far as batches of other sizes agree on them."""
    given = {name: value for name, value in (("low", 1), ("high", 9)) if f"${name}" in sql}
    found = con.execute(sql, given or None).fetchall()

    def plain(value):
        if isinstance(value, float):
            return "nan" if math.isnan(value) else float(f"{value:.4g}")
        return [plain(each) for each in value] if isinstance(value, list) else value

    return sorted([[plain(each) for each in row] for row in found], key=repr)


def compared(con, shape, number, condition):
    """The same statement over a call and over the table of its answers."""
    call, columns = list(CALLS.items())[number]
    names = {"last": columns[-1], "lo": 0}
    inside = condition.format(*columns, **names)
    asked = shape.format(*columns, call=call, condition=inside, **names)
    expected = shape.format(*columns, call=f"answers_{number}", condition=inside, **names)
    assert rows(con, asked) == rows(con, expected), asked


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_statement(con, shape):
    """With all calls, and conditions drawn for each."""
    draw = random.Random(shape)
    for number in range(len(CALLS)):
        for condition in draw.sample(CONDITIONS, 4):
            compared(con, shape, number, condition)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_many_statements(con, seed):
    """Two conditions at once, in any shape."""
    draw = random.Random(seed)
    for _ in range(100):
        word = draw.choice(["AND", "OR"])
        both = f" {word} ".join(f"({each})" for each in draw.sample(CONDITIONS, 2))
        compared(con, draw.choice(SHAPES), draw.randrange(len(CALLS)), both)


# text with a collation, of which Arrow knows nothing


@pytest.fixture(scope="module")
def folded():
    """Users whose names differ in case only, and a model that knows them apart."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t (user_id VARCHAR COLLATE NOCASE, x DOUBLE)")
        con.execute("INSERT INTO t VALUES ('ann', 1), ('Ann', 2), ('ann', 3), ('Bob', 4)")
        seen = "VALUES ('ann', 1), ('Ann', 2), ('Bob', 3), ('ann', 3)"
        con.execute(f"CREATE MODEL rec OPTIONS (model_type = 'ease') AS FROM ({seen}) AS t(user_id, item_id)")
        con.execute("CREATE MODEL line OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT x, x AS y FROM t")
        yield con


@pytest.mark.parametrize("default", ["", "NOCASE"])
def test_texts_with_a_collation(folded, default):
    """Each user has answers of their own, and a condition says the same below the model and above it."""
    con = folded
    con.execute(f"SET default_collation = '{default}'")
    users = con.execute("SELECT DISTINCT user_id::BLOB FROM recommend(MODEL rec, TABLE t, k => 2)").fetchall()
    assert sorted(users) == [(b"Ann",), (b"Bob",), (b"ann",)]
    for call in ("recommend(MODEL rec, TABLE t, k => 2)", "predict(MODEL line, TABLE t)"):
        con.execute(f"CREATE OR REPLACE TABLE answers AS FROM {call}")
        for condition in ("user_id = 'ANN'", "user_id < 'B'", "user_id IN ('ann', 'bob')", "user_id ILIKE 'a%'"):
            asked, known = (f"SELECT user_id FROM {each} WHERE {condition}" for each in (call, "answers"))
            assert rows(con, asked) == rows(con, known), (call, condition)


# names of rows that are also names of answers

LINE = (
    "CREATE MODEL line OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT range AS x, range AS y FROM range(9)"
)


def test_names_of_answers_do_not_depend_on_what_is_read():
    """Rows with columns that are called like answers: each name means the same whatever else is selected."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(LINE)
        con.execute("CREATE TABLE t AS SELECT 3 AS x, 'a' AS predicted_y, 5 AS predicted_y_1, 's' AS status")
        (whole,) = con.execute("FROM predict(MODEL line, TABLE t)").arrow().to_pylist()
        assert list(whole) == ["x", "predicted_y", "predicted_y_1", "status", "predicted_y_2", "status_1"]
        for name, value in whole.items():
            assert con.execute(f"SELECT {name} FROM predict(MODEL line, TABLE t)").fetchall() == [(value,)], name


# what differs each time it is read


def test_changing_tables_are_read_once():
    """A common table expression with random() in it, or in a macro or a table it reads, is the same for the call and
    for everybody else.
    """
    with paretosql.connect(autocommit=True) as con:
        con.execute(LINE)
        con.execute("CREATE MACRO chance(a) AS random() + a")
        con.execute("CREATE MACRO twice_chance(a) AS 2 * chance(a)")
        joined = "SELECT count(*), ndv(u.x) FROM predict(MODEL line, TABLE u) AS a JOIN u ON a.x = u.x"
        for tables in (
            "u AS (SELECT random() AS x FROM range(100))",
            "u AS MATERIALIZED (SELECT twice_chance(1) AS x FROM range(100))",
            "v AS (SELECT chance(0) AS r FROM range(100)), u(x) AS (SELECT r FROM v)",
            "u AS (FROM range(1000) AS t(x) USING SAMPLE 100 ROWS)",
        ):
            assert con.execute(f"WITH {tables} {joined}").fetchall() == [(100, 100)], tables
            con.execute(f"CREATE OR REPLACE TABLE kept AS WITH {tables} {joined}")
            assert con.execute("FROM kept").fetchall() == [(100, 100)], tables
        counted = "SELECT ndv(x), (SELECT sum(x) FROM u) - sum(x) FROM u"
        ((count, difference),) = con.execute(f"WITH u AS (SELECT random() AS x FROM range(50)) {counted}").fetchall()
        assert count == 50
        assert difference == pytest.approx(0)


def test_a_macro_over_random_stays_above():
    """A condition that differs from row to row is asked of the answers, not of the users."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE MODEL rec OPTIONS (model_type = 'popularity') AS"
            " SELECT range AS user_id, range % 50 AS item_id FROM range(200)"
        )
        con.execute("CREATE MACRO chance(a) AS random() + 0 * a")
        sql = "SELECT user_id, count(*) AS n FROM recommend(MODEL rec, k => 40) WHERE chance(user_id) < 0.5 GROUP BY 1"
        counts = [count for _, count in con.execute(sql).fetchall()]
        assert len(counts) == 200, "no user loses all of forty rows"
        assert max(counts) < 40
