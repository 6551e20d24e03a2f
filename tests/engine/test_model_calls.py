"""Calls of models where statements bend them: names of outputs, what goes below the model, values, Python's methods."""

from __future__ import annotations

import math
import os
import re

import pyarrow as pa
import pytest

import paretosql


@pytest.fixture
def con():
    """Rows, a model of them, and a recommender."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE TABLE p AS SELECT range AS id, range * 1.0::DOUBLE AS x, ['a', 'b'][1 + range % 2] AS g,"
            " range * 2.0::DOUBLE AS y FROM range(1000)"
        )
        con.execute("CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT x, y FROM p")
        con.execute("CREATE TABLE r AS SELECT range % 9 AS user_id, (range * range) % 31 AS item_id FROM range(120)")
        con.execute("CREATE MODEL rec OPTIONS (model_type = 'als', factors = 4, rounds = 2) AS FROM r")
        yield con


def one(con, sql):
    """The only value of a statement."""
    ((found,),) = con.execute(sql).fetchall()
    return found


def test_outputs_are_called_as_written(con):
    """The name of a column is the expression, as DuckDB names those of its own functions."""
    columns = con.execute("SELECT predict(MODEL m, x), x, predict(MODEL m, x) + 1, predict(MODEL m, x) AS z FROM p")
    assert [each[0] for each in columns.description] == ["predict(MODEL m, x)", "x", "predict(MODEL m, x) + 1", "z"]
    nested = con.execute("SELECT (SELECT max(predicted_y) FROM predict(MODEL m, TABLE p)) FROM p LIMIT 1")
    assert nested.description[0][0] == "(SELECT MAX(predicted_y) FROM predict(MODEL m, TABLE p))"


def test_equal_calls_are_one_expression(con):
    """GROUP BY and DISTINCT ON find the expression of the list again."""
    rows = con.execute(
        "SELECT floor(predict(MODEL m, x) / 500) AS part, count(*) FROM p GROUP BY floor(predict(MODEL m, x) / 500)"
        " HAVING count(*) > 100 ORDER BY 1"
    ).fetchall()
    assert [count for _, count in rows] == [250] * 4


def test_explain_shows_values_of_models(con):
    """A line for each model that a fragment asks itself, once however often it is called; ANALYZE adds no numbers."""
    sql = "SELECT predict(MODEL m, x) FROM p WHERE predict(MODEL m, x) > 1990"
    lines = con.execute(f"EXPLAIN {sql}").fetchall()
    assert [(operator, detail.partition(";")[0]) for _, operator, detail, _ in lines] == [
        ("predict", "model m, reads x, as a function in the fragment"),
        ("fragment", "the rest of the statement"),
    ]
    analyzed = con.execute(f"EXPLAIN ANALYZE {sql}").fetchall()
    assert analyzed[0][4:] == (None,) * 4 and analyzed[1][6] == 4


@pytest.mark.parametrize("limit", ["LIMIT 30%", "LIMIT 30 PERCENT", "LIMIT 300", "LIMIT 100 + 200"])
def test_a_limit_is_applied_once(con, limit):
    """Shares of the rows stay where they are."""
    assert one(con, f"SELECT count(*) FROM (SELECT x FROM predict(MODEL m, TABLE p) {limit})") == 300


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("predicted_y < (SELECT avg(predicted_y) FROM predict(MODEL m, TABLE p))", 496),
        ("predict(MODEL m, x) > 1990", 4),
        ("id IN (SELECT id FROM predict(MODEL m, TABLE p)) AND x < 10", 6),
        ("predicted_y < (SELECT ndv(x) FROM p)", 496),
    ],
)
def test_calls_beside_a_condition_that_moves(con, condition, count):
    """Conditions with calls of their own stay, and are planned."""
    assert one(con, f"SELECT count(x) FROM predict(MODEL m, TABLE p) WHERE x > 3 AND {condition}") == count


def test_conditions_on_users_go_below_a_recommender(con):
    """Others are not scored, with and without rows; answers are those of the whole."""
    everyone = con.execute("SELECT * FROM recommend(MODEL rec)").fetchall()
    mine = [row[:3] for row in everyone if row[0] == 3 and row[2] < 5]
    for rows in ("", ", TABLE r", ", (FROM r ORDER BY item_id)"):
        sql = f"SELECT user_id, item_id, rank FROM recommend(MODEL rec{rows}) WHERE user_id = 3 AND rank < 5"
        assert con.execute(sql).fetchall() == mine
        assert "user_id" in con.execute(f"EXPLAIN {sql}").fetchall()[0][3].partition("WHERE")[2]


def test_each_user_is_answered_once(con):
    """In the order in which rows name them first, NULL and unknown ones too; items of similar likewise."""
    users = "(SELECT unnest([4, 2, NULL, 4, 77, 2, 4]) AS user_id)"
    rows = con.execute(f"SELECT user_id FROM recommend(MODEL rec, {users}, k => 2)").fetchall()
    assert rows == [(4,), (4,), (2,), (2,), (77,), (77,)]
    rows = con.execute(
        "SELECT item_id FROM similar(MODEL rec, (SELECT unnest([4, 1, 4]) AS item_id), k => 2)"
    ).fetchall()
    assert rows == [(4,), (4,), (1,), (1,)]


def test_a_limit_ends_the_asking(con):
    """So many rows, the first; the model is not asked about the rest."""
    whole = con.execute("SELECT * FROM recommend(MODEL rec, k => 3)").fetchall()
    assert [row[:3] for row in con.execute("SELECT * FROM recommend(MODEL rec, k => 3) LIMIT 4").fetchall()] == [
        row[:3] for row in whole[:4]
    ]
    assert con.execute("SELECT * FROM recommend(MODEL rec) LIMIT 0").fetchall() == []
    assert len(con.execute("SELECT * FROM recommend(MODEL rec) WHERE rank = 1 LIMIT 5").fetchall()) == 5


@pytest.mark.parametrize("value", ["g", "'12'", "NULL::VARCHAR", "[x]"])
def test_a_value_of_another_type_is_an_error(con, value):
    """As for the table form: NULL for every row would hide a swap of two arguments."""
    with pytest.raises(paretosql.DataError, match=r"linear: the column 'x' holds .*, in training it held DOUBLE\nHint"):
        con.execute(f"SELECT predict(MODEL m, {value}) FROM p").fetchall()
    assert one(con, "SELECT predict(MODEL m, NULL)") is None
    assert one(con, "SELECT predict(MODEL m, 3)") == pytest.approx(6)


def test_predictions_of_a_recommender_say_why_not(con):
    """Score and status of pairs with something that is not known."""
    pairs = "SELECT unnest([NULL, 88, 1, 1, 1]) AS user_id, unnest([3, 3, 888, NULL, 1]) AS item_id"
    rows = con.execute(f"SELECT score IS NULL, status FROM predict(MODEL rec, ({pairs}))").fetchall()
    assert rows == [
        (True, "user_id is NULL"),
        (True, "nothing is known of this user_id"),
        (True, "item_id is not in the training"),
        (True, "item_id is NULL"),
        (False, None),
    ]


@pytest.mark.parametrize(
    ("expressions", "words"),
    [
        ("avg(x) OVER (PARTITION BY g) AS a, y", "rows beside it"),
        ("x, row_number() OVER () AS a, y", "rows beside it"),
        ("lag(x) OVER (ORDER BY id) AS a, y", "rows beside it"),
        ("random() AS a, y", r"random\(\), which differs"),
        ("(SELECT max(x) FROM p) - x AS a, y", "a query"),
        ("chance(x) AS a, y", r"chance\(\), which differs"),
        ("twice_chance(x) AS a, y", r"twice_chance\(\), which differs"),
        ("since(x) AS a, y", r"since\(\), which tells of the moment"),
        ("most(x) AS a, y", r"most\(\), which tells of the moment"),
        ("x + epoch(now()) AS a, y", r"now\(\), which tells of the moment"),
        ("x + year(current_date) AS a, y", "current_date, which tells of the moment"),
        ("x + getvariable('v') AS a, y", r"getvariable\(\), which tells"),
        ("avg(x) AS a, max(y) AS y", r"avg\(..\) of all rows"),
    ],
)
def test_a_transform_is_about_one_row(con, expressions, words):
    """What depends on other rows would make a prediction depend on what else is asked; no model is made."""
    con.execute("CREATE MACRO chance(a) AS random() + a")
    con.execute("CREATE MACRO twice_chance(a) AS 2 * chance(a)")
    con.execute("CREATE MACRO since(a) AS a - epoch(current_timestamp)")
    con.execute("CREATE MACRO most(a) AS a - (SELECT max(x) FROM p)")
    with pytest.raises(paretosql.NotSupportedError, match=rf"in TRANSFORM depends on {words}(.|\n)*Hint"):
        con.execute(
            f"CREATE MODEL t TRANSFORM ({expressions}) OPTIONS (model_type = 'linear', label_col = 'y') AS FROM p"
        )
    assert ("t",) not in con.execute("SELECT name FROM (SELECT 'm' AS name)").fetchall()
    assert [row[0] for row in con.execute("SHOW MODELS").fetchall()] == ["m", "rec"]


CONSTANTS = {
    "max(t)": "TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL (n) HOUR",
    "max(b)": "('a\\x00' || n)::BLOB",
    "max(ns)": "TIMESTAMP_NS '2020-01-01 00:00:00.123456789'",
    "max(i)": "INTERVAL (n) MONTH + INTERVAL 3 SECOND",
    "histogram(h)": "'k, =\"' || n % 3",
    "first(s)": "{'a b': 7, 'c': 'x, ''y'''}",
    "list(l)": "('\\x00\\xFF')::BLOB",
    "max(d)": "(n / 3)::DECIMAL(30, 7)",
    "avg(a)": "n / 7",
    "min(m)": "-n / 7",
    "max(f)": "(n / 3)::FLOAT",
    "max(e)": "'inf'::DOUBLE",
    "list(w)": "chr(9 + n % 3) || '''\"[]{}(),= x\\n'",
    "quantile_cont(q, [0.25, 0.5])": "n * 1e300",
    "max(u)": "n::UTINYINT",
    "bool_or(o)": "n > 3",
    "max(y2)": "DATE '2020-01-01' + n",
    "max(tm)": "TIME '10:00:00.5'",
    "count(c)": "'it''s'",
    "any_value(v)": "'it''s'",
}


@pytest.mark.parametrize("aggregate", CONSTANTS)
def test_constants_of_a_transform(aggregate):
    """A value about all training rows is kept as it is, with its type, also in another time zone."""
    column = re.search(r"\((\w+)", aggregate)[1]
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            f"CREATE TABLE t AS SELECT n, {CONSTANTS[aggregate]} AS {column}"
            " FROM (SELECT range::INTEGER AS n FROM range(5))"
        )
        con.execute(
            f"CREATE MODEL m TRANSFORM (coalesce(length(({aggregate} OVER ())::VARCHAR), 0) + n AS x, n AS y)"
            " OPTIONS (model_type = 'linear', label_col = 'y') AS FROM t"
        )
        con.execute("SET timezone = 'Asia/Tokyo'")
        (kept,) = [line[2] for line in con.execute("DESCRIBE MODEL m").fetchall() if line[:2] == ("transform", "x")]
        constant = re.fullmatch(r"(?si)coalesce\(length\(\((.*)\)::VARCHAR\), 0\) \+ n", kept)[1]
        expected = con.execute(f"SELECT {aggregate}, typeof({aggregate}) FROM t").fetchall()
        assert con.execute(f"SELECT {constant}, typeof({constant})").fetchall() == expected


def test_describe_of_a_transform_lists_what_is_read(con):
    """The columns of the training query, in the order of the scalar form, and their types."""
    con.execute(
        "CREATE MODEL t TRANSFORM (x * 2 AS x2, g, y) OPTIONS (model_type = 'linear', label_col = 'y') AS FROM p"
    )
    lines = con.execute("DESCRIBE MODEL t").fetchall()
    assert [line[1:3] for line in lines if line[0] == "predict reads"] == [("x", "DOUBLE"), ("g", "VARCHAR")]
    assert one(con, "SELECT predict(MODEL t, 3, 'a')") == pytest.approx(6)
    assert ("similar reads", "embedding", "FLOAT[]", "or this alone") in con.execute("DESCRIBE MODEL rec").fetchall()


def test_show_models_like(con):
    """Names that a pattern fits, in any case; nothing else may follow."""
    assert [row[0] for row in con.execute("SHOW MODELS LIKE 'R%'").fetchall()] == ["rec"]
    with pytest.raises(paretosql.ProgrammingError, match="SHOW MODELS takes nothing but LIKE"):
        con.execute("SHOW MODELS FROM p")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM p a, LATERAL (SELECT * FROM predict(MODEL m, (SELECT a.x AS x))) b", "cannot depend on a of"),
        ("SELECT (SELECT predicted_y FROM predict(MODEL m, (SELECT a.x AS x))) FROM p a", "cannot depend on a of"),
        ("CREATE MACRO f(a) AS predict(MODEL m, a)", "models in CREATE MACRO are not supported"),
        (
            "WITH RECURSIVE t AS (SELECT 1.0 AS x UNION ALL SELECT x + 1 FROM predict(MODEL m, TABLE t)) FROM t",
            "asking a model inside the recursive table t",
        ),
        ("SELECT * FROM evaluate(MODEL m, threshold => 0.5)", "threshold is about rows"),
        (
            "CREATE MODEL d OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT x, x, y FROM p",
            "two columns called 'x'",
        ),
        ("CREATE OR REPLACE MODEL IF NOT EXISTS m OPTIONS (model_type = 'linear') AS FROM p", "exclude each other"),
        ("SELECT * FROM recommend(MODEL rec, TABLE r, 5)", "named arguments(.|\n)*k => value"),
        ("SELECT * FROM recommend(MODEL rec, TABLE r, k => 0)", "from 1 to 1,000,000, not 0(.|\n)*write k => 1"),
        ("SELECT * FROM recommend(MODEL rec, (SELECT 1 AS userId))", "write userId AS user_id"),
        (
            "SELECT * FROM recommend(MODEL rec, TABLE r, candidates => (SELECT 1 AS a, 2 AS b))",
            "none of the columns a, b",
        ),
        ("SELECT * FROM predict(MODEL m, SELECT * FROM p)", "a query in a call stands in brackets"),
        ("SELECT predict(m, x) FROM p", r"predict\(MODEL name, \.\.\)"),
        ("SELECT * FROM predict(TABLE p)", r"predict\(MODEL name, TABLE t\)"),
        ("SELECT predict(MODEL m, x, y => y) FROM p", "reads expressions by their place"),
    ],
)
def test_mistakes_are_explained(con, sql, words):
    """With a hint that works."""
    with pytest.raises(paretosql.Error, match=words) as caught:
        con.execute(sql)
    assert "Hint: " in str(caught.value)


def test_no_rows_have_no_quality(con):
    """Every metric of no rows is NaN or 0."""
    for name in ("m", "rec"):
        source = "p" if name == "m" else "r"
        rows = con.execute(f"SELECT value FROM evaluate(MODEL {name}, (FROM {source} WHERE false))").fetchall()
        assert rows and all(value == 0 or math.isnan(value) for (value,) in rows)


def test_several_sets_of_parameters(con):
    """executemany runs statements that ask models, all or none."""
    con.executemany("INSERT INTO p (x) SELECT predict(MODEL m, ?::DOUBLE)", [(1.0,), (2.0,)])
    assert con.execute("SELECT x FROM p WHERE id IS NULL ORDER BY x").fetchall() == [
        (pytest.approx(2),),
        (pytest.approx(4),),
    ]
    with pytest.raises(paretosql.ProgrammingError, match="executemany does not return rows"):
        con.executemany("SELECT predict(MODEL m, ?)", [(1,)])
    with pytest.raises(paretosql.DataError):
        con.executemany("INSERT INTO p (x) SELECT predict(MODEL m, ?)", [(1,), ("one",)])
    assert one(con, "SELECT count(*) FROM p") == 1002


def test_several_statements_at_once(con):
    """The last of them gives the rows, through both doors."""
    text = "CREATE OR REPLACE TABLE z AS SELECT 1.0 AS x; SELECT predicted_y > 1 FROM predict(MODEL m, TABLE z)"
    assert con.sql(text).fetchall() == con.execute(text).fetchall() == [(True,)]


def test_results_of_one_handle_keep_their_rows(con):
    """Each reads what it was asked about, as often as it is read; afterwards no name is left."""
    model = con.model("m")
    one_, other = model.predict(pa.table({"x": [1.0, 2.0]})), model.predict(pa.table({"x": [50.0]}))
    for _ in range(2):
        assert [row[0] for row in one_.fetchall()] == [1.0, 2.0]
        assert [row[0] for row in other.fetchall()] == [50.0]
    del one_, other
    assert con.execute("SHOW TABLES").fetchall() == [("p",), ("r",)]


def test_rows_from_python(con, tmp_path):
    """A query with a semicolon, names with blanks, files; a training on a table's name or Arrow, changed, searched."""
    con.execute('CREATE TABLE "my rows" AS FROM p LIMIT 2')
    con.execute(f"COPY p TO '{tmp_path}/p.parquet'")
    model = con.model("m")
    counts = [
        model.predict(rows).arrow().num_rows for rows in ("my rows", "FROM p LIMIT 3;", "p", f"{tmp_path}/p.parquet")
    ]
    assert counts == [2, 3, 1000, 1000] and repr(model) == "<model 'm'>"
    con.create_model("named", "linear", "p", label_col="y", ignore_cols=["g", "id"])
    table = pa.table({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
    con.create_model("changed", "linear", table, label_col="y", transform="x * 2 AS x2, y")
    assert con.model("changed").predict("SELECT 4.0 AS x").fetchall()[0][1] == pytest.approx(8)
    l2 = paretosql.hparam_candidates([0.1, 1.0])
    con.create_model("searched", "linear", "SELECT x, y FROM p;", label_col="y", l2=l2)
    assert con.model("searched").ask("trial_info").arrow().num_rows == 2
    con.create_model("ranged", "gbdt", "p", label_col="y", rounds=paretosql.hparam_range(2, 3), trials=2)
    con.drop_model("nobody", if_exists=True)
    with pytest.raises(paretosql.ProgrammingError, match="did you mean 'weights'"):
        model.ask("wieghts")
    for wrong in (lambda: paretosql.hparam_candidates([]), lambda: paretosql.hparam_range(2, 1)):
        with pytest.raises(paretosql.ProgrammingError, match="Hint: hparam_"):
            wrong()
    assert con.execute("SHOW TABLES").fetchall() == [("my rows",), ("p",), ("r",)]


def test_models_stay_beside_their_database(tmp_path, monkeypatch):
    """Wherever the process goes after it has connected."""
    rows = "SELECT range AS x, range AS y FROM range(9)"
    create = f"CREATE MODEL {{}} OPTIONS (model_type = 'linear', label_col = 'y') AS {rows}"
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with paretosql.connect("s.db", autocommit=True) as con:
        con.execute(create.format("a"))
        monkeypatch.chdir(tmp_path / "there")
        con.execute(create.format("b"))
        assert one(con, "SELECT round(predict(MODEL a, 3) + predict(MODEL b, 3))") == 6
    assert os.listdir() == []
    with paretosql.connect(tmp_path / "here" / "s.db") as con:
        assert one(con, "SELECT round(predict(MODEL b, 3))") == 3


def test_a_file_that_is_no_database_keeps_no_models(tmp_path):
    """Its models live as long as the connection."""
    (tmp_path / "d.csv").write_text("a,b\n1,2\n2,4\n3,6\n")
    with paretosql.connect(tmp_path / "d.csv", autocommit=True) as con:
        con.execute("CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'b') AS FROM d")
        assert one(con, "SELECT predict(MODEL m, 5)") == pytest.approx(10)
    assert os.listdir(tmp_path) == ["d.csv"]


def test_ranges_follow_the_type_of_an_option(con):
    """Numbers for an option of numbers, whole ones for one of whole numbers, however the ends are written."""
    con.execute("CREATE MODEL s OPTIONS (model_type = 'ease', l2 = hparam_range(0, 5), trials = 5) AS FROM r")
    drawn = con.execute("SELECT options->>'l2' FROM trial_info(MODEL s)").fetchall()
    assert any(not float(value).is_integer() for (value,) in drawn) and all(
        0 <= float(value) <= 5 for (value,) in drawn
    )
    con.execute("CREATE MODEL w OPTIONS (model_type = 'itemknn', k = hparam_range(1.0, 9.5), trials = 5) AS FROM r")
    drawn = con.execute("SELECT options->>'k' FROM trial_info(MODEL w)").fetchall()
    assert all(value.isdigit() and 1 <= int(value) <= 9 for (value,) in drawn)
    with pytest.raises(
        paretosql.ProgrammingError, match=r"k of itemknn is a whole number, and none is from 1.2 to 1.4"
    ):
        con.execute("CREATE MODEL v OPTIONS (model_type = 'itemknn', k = hparam_range(1.2, 1.4)) AS FROM r")


def test_what_the_notes_say(con):
    """Options without effect, items that cannot be known, rows that nobody can be judged by."""

    def notes(name):
        return [line[2] for line in con.execute(f"DESCRIBE MODEL {name}").fetchall() if line[0] == "note"]

    con.execute("CREATE MODEL a OPTIONS (model_type = 'ease', trials = 3, split_fraction = 0.3) AS FROM r")
    assert [note.partition(" ")[0] for note in notes("a")] == ["split_fraction", "trials"]
    con.execute("CREATE MODEL b OPTIONS (model_type = 'ease', split = 'cold_items') AS FROM r")
    assert "knows no items but those of its training" in notes("b")[0]
    again = "SELECT user_id, item_id, t FROM r, range(3) s(t)"
    con.execute(f"CREATE MODEL c OPTIONS (model_type = 'ease', split = 'leave_last_out', time_col = 't') AS {again}")
    assert "nobody was judged" in notes("c")[0]
    assert dict(con.execute("SELECT * FROM evaluate(MODEL rec, TABLE r)").fetchall())["seen_items"] == one(
        con, "SELECT count(*) FROM (SELECT DISTINCT user_id, item_id FROM r)"
    )


def test_the_latest_rows_by_time_col(con):
    """split = 'time' knows the column that the recommender does."""
    rows = "SELECT hash(range) % 40 AS user_id, hash(range * 3) % 60 AS item_id, 500 - range AS z FROM range(500)"
    con.execute(f"CREATE MODEL t OPTIONS (model_type = 'popularity', split = 'time', time_col = 'z') AS {rows}")
    latest = f"SELECT * FROM ({rows}) ORDER BY z DESC LIMIT 100"
    found = con.execute("SELECT * FROM evaluate(MODEL t)").fetchall()
    assert dict(found)["users"] > 20
    assert found == con.execute(f"SELECT * FROM evaluate(MODEL t, ({latest}))").fetchall()


# names


def test_variables_in_a_transform(con):
    """The value form puts expressions in the place of columns, and says so where a variable would catch one."""
    con.execute(
        "CREATE MODEL t TRANSFORM (len(list_filter([1, 2, 3], lambda e: e < x)) AS f,"
        " len([q for q in [1, 2, 3] if q < x]) AS h, y) OPTIONS (model_type = 'linear', label_col = 'y') AS FROM p"
    )
    expected = one(con, "SELECT predicted_y FROM predict(MODEL t, (SELECT 2 AS x))")
    assert one(con, "SELECT predict(MODEL t, z + 1) FROM (SELECT 1 AS z)") == pytest.approx(expected)
    for name in ("e", "Q"):
        with pytest.raises(paretosql.NotSupportedError, match=r"(?si)column . has the name of a variable.*Hint"):
            con.execute(f"SELECT predict(MODEL t, {name}) FROM (SELECT 2 AS {name})")


def test_a_value_is_no_window(con):
    """OVER after a call is an error that says what to do."""
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)predict answers each row by itself.*leave OVER out"):
        con.execute("SELECT predict(MODEL m, x, g) OVER () FROM p")


def test_a_model_needs_a_name(con):
    """An empty one is refused before anything is trained."""
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)a model needs a name.*Hint"):
        con.execute("CREATE MODEL \"\" OPTIONS (model_type = 'linear', label_col = 'y') AS FROM p")


def test_letters_that_differ_in_case_only(con):
    """DuckDB takes A and a for one name, and ä and Ä for two; so do models."""
    sql = "CREATE MODEL two OPTIONS (model_type = 'linear', label_col = 'y', l2 = 0) AS SELECT {} FROM range(30)"
    con.execute(sql.format('range AS "ä", range ** 2 AS "Ä", 3 * range - range ** 2 AS y'))
    assert one(con, 'SELECT predicted_y FROM predict(MODEL two, (SELECT 5 AS "ä", 9 AS "Ä"))') == pytest.approx(6)
    with pytest.raises(paretosql.ProgrammingError, match="two columns called 'a'"):
        con.execute(sql.replace("two", "three").format('range AS a, range AS "A", range AS y'))


def test_if_not_exists_on_a_database_that_is_read_only(tmp_path):
    """What changes nothing is allowed."""
    sql = (
        "CREATE MODEL IF NOT EXISTS m OPTIONS (model_type = 'linear', label_col = 'y') AS SELECT range AS x, range AS y"
    )
    with paretosql.connect(tmp_path / "a.db", autocommit=True) as con:
        con.execute(f"{sql} FROM range(9)")
        con.close()
    with paretosql.connect(tmp_path / "a.db", autocommit=True, read_only=True) as con:
        con.execute(f"{sql} FROM range(9)")
        with pytest.raises(paretosql.OperationalError, match="read-only"):
            con.execute(f"{sql.replace(' m ', ' n ')} FROM range(9)")
        con.close()


# relations of ours


def test_relations_of_ours_are_not_seen(con):
    """Whatever was asked before, no statement sees the relation that held its answers; nor is one missed later."""
    listed = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    asked = (
        "SELECT count(*) FROM recommend(MODEL rec, k => 2) AS a JOIN recommend(MODEL rec, k => 1) AS b USING (user_id)"
    )
    before = con.execute(asked).fetchall()
    assert con.execute(listed).fetchall() == []
    assert "__pareto" not in str(con.execute("SHOW ALL TABLES").fetchall())
    for _ in range(2):
        assert con.execute(asked).fetchall() == before
        with pytest.raises(paretosql.Error):
            con.execute("SELECT * FROM recommend(MODEL rec, (SELECT error('stop') AS user_id))").fetchall()
        assert con.execute(listed).fetchall() == []
    for end in ("ROLLBACK", "COMMIT", "ROLLBACK"):
        con.execute("BEGIN")
        assert con.execute(asked).fetchall() == before
        with pytest.raises(paretosql.Error):
            con.execute("SELECT * FROM recommend(MODEL rec, (SELECT error('stop') AS user_id))").fetchall()
        if end == "COMMIT":
            with pytest.raises(paretosql.OperationalError, match="nothing was committed"):
                con.execute(end)
        else:
            con.execute(end)
        assert con.execute(asked).fetchall() == before
    assert con.execute(listed).fetchall() == []


def test_answers_that_are_read_late(con):
    """Rows of an answer that was not read to its end are there after the next statements, of another shape too."""
    whole = con.execute("SELECT * FROM predict(MODEL m, TABLE p)").fetchall()
    first = con.execute("SELECT * FROM predict(MODEL m, TABLE p)")
    some = first.fetchmany(10)
    others = con.execute("SELECT * FROM recommend(MODEL rec, k => 2)").fetchall()
    second = con.execute("SELECT * FROM predict(MODEL m, TABLE p)")
    assert len(con.execute("SELECT * FROM recommend(MODEL rec, k => 2)").fetchall()) == len(others)
    assert some + first.fetchall() == whole
    assert second.fetchall() == whole


def test_relations_of_ours_and_implicit_transactions(tmp_path):
    """The same where the connection begins transactions by itself."""
    with paretosql.connect(tmp_path / "a.db") as con:
        con.execute(
            "CREATE MODEL rec OPTIONS (model_type = 'popularity') AS SELECT range % 5 AS user_id, range % 7 AS item_id"
            " FROM range(30)"
        )
        asked = "SELECT count(*) FROM recommend(MODEL rec, k => 2)"
        before = con.execute(asked).fetchall()
        for end in (con.rollback, con.commit, con.rollback):
            con.execute("CREATE TABLE kept AS SELECT * FROM recommend(MODEL rec, k => 2)")
            assert con.execute(asked).fetchall() == before
            end()
            con.execute("DROP TABLE IF EXISTS kept")
            assert con.execute(asked).fetchall() == before
            assert con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []
            con.commit()
        con.close()
