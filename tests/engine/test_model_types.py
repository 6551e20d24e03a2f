"""Models and values at the edges: types that Arrow has none for, numbers beyond all squares, names of any kind."""

from __future__ import annotations

import pytest

import paretosql


@pytest.fixture
def con():
    """A connection on which every statement stands for itself, with a recommender that has vectors."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE MODEL rec OPTIONS (model_type = 'als', factors = 2) AS"
            " SELECT range % 9 AS user_id, range * range % 7 AS item_id FROM range(90)"
        )
        rows = "SELECT range AS x, 2 * range AS y FROM range(9)"
        con.execute(f"CREATE MODEL line OPTIONS (model_type = 'linear', label_col = 'y') AS {rows}")
        yield con


IDS = {
    "BIT": "lpad(bin(range % 4), 3, '0')::BIT",
    "TIME WITH TIME ZONE": "(['05:00:00+01', '05:00:00-08', '05:00:00+00', '06:00:00+01'])[1 + range % 4]::TIMETZ",
    "UHUGEINT": "99999999999999999999999999000::UHUGEINT + (range % 4)::UHUGEINT",
    "HUGEINT": "99999999999999999999999999000::HUGEINT - range % 4",
    "BIGNUM": "(range % 4)::VARCHAR::BIGNUM",
    "UUID": "md5((range % 4)::VARCHAR)::UUID",
    "DOUBLE": "[0.0, -0.5, 7.0, 1e300][1 + range % 4]::DOUBLE",
    "TIMESTAMP_NS": "make_timestamp_ns(range % 4)",
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_come_back_as_they_were(con, kind):
    """As users and items, of the training and of rows that ask: equal values, of the same type, none merged."""
    con.execute(f"CREATE TABLE r AS SELECT {IDS[kind]} AS user_id, range // 4 AS item_id FROM range(20)")
    assert con.execute("SELECT DISTINCT typeof(user_id) FROM r").fetchall() == [(kind,)]
    con.execute("CREATE MODEL p OPTIONS (model_type = 'popularity') AS FROM r")
    users = con.execute("SELECT DISTINCT user_id FROM r ORDER BY ALL").fetchall()
    for rows in ("", "TABLE r,"):
        asked = f"recommend(MODEL p, {rows} exclude_seen => false, k => 1)"
        assert con.execute(f"SELECT user_id FROM {asked} ORDER BY ALL").fetchall() == users
        assert con.execute(f"SELECT DISTINCT typeof(user_id) FROM {asked}").fetchall() == [(kind,)]
    one = "(SELECT user_id FROM r WHERE item_id = 0 LIMIT 1)"
    assert con.execute(f"SELECT count(*) FROM recommend(MODEL p, {one})").fetchall() == [(0,)], "has had everything"
    given = f"SELECT user_id, 1 AS item_id FROM {one}"
    assert con.execute(f"SELECT count(*) FROM recommend(MODEL p, {one}, history => ({given}))").fetchall() == [(4,)]
    con.execute(
        "CREATE MODEL q OPTIONS (model_type = 'popularity') AS SELECT item_id AS user_id, user_id AS item_id FROM r"
    )
    items = con.execute(
        "SELECT DISTINCT item_id, typeof(item_id) FROM recommend(MODEL q, exclude_seen => false) ORDER BY ALL"
    )
    assert items.fetchall() == [(user, kind) for (user,) in users]


def test_reserved_words_beside_a_narrow_type(con):
    """Columns that are read as they are keep their names, whatever these are."""
    con.execute(
        "CREATE MODEL w OPTIONS (model_type = 'linear', label_col = 'select') AS"
        """ SELECT (range % 2)::VARCHAR::BIT AS "order", range % 2 AS "select" FROM range(20)"""
    )
    assert con.execute("SELECT round(predict(MODEL w, '1'::BIT))").fetchall() == [(1.0,)]


def test_zero_is_one_id(con):
    """0.0 and -0.0 are equal in SQL."""
    rows = "SELECT 0.0::DOUBLE AS user_id, range AS item_id FROM range(3)"
    con.execute(f"CREATE MODEL z OPTIONS (model_type = 'popularity') AS {rows}")
    assert con.execute("SELECT count(*) FROM recommend(MODEL z, (SELECT -0.0::DOUBLE AS user_id))").fetchall() == [(0,)]


@pytest.mark.parametrize("value", ["[1]", "{'a': 1}", "MAP {'a': 1}"])
@pytest.mark.parametrize(
    "asked",
    [
        "recommend(MODEL rec, (SELECT {} AS user_id))",
        "recommend(MODEL rec, candidates => (SELECT {} AS item_id))",
        "recommend(MODEL rec, history => (SELECT {} AS user_id, 1 AS item_id))",
        "similar(MODEL rec, (SELECT {} AS item_id))",
        "embed(MODEL rec, (SELECT {} AS item_id))",
        "predict(MODEL rec, (SELECT 1 AS user_id, {} AS item_id))",
    ],
)
def test_nested_values_are_no_ids(con, asked, value):
    """Refused before the first row, wherever ids are asked for."""
    with pytest.raises(
        paretosql.DataError, match=r"als: the column '\w+_id' holds .*, which cannot be an id(.|\n)*Hint: CAST"
    ):
        con.execute(f"SELECT * FROM {asked.format(value)}")
    with pytest.raises(paretosql.DataError, match="cannot be an id"):
        con.execute(f"SELECT predict(MODEL rec, {value}, 1)").fetchall()


@pytest.mark.parametrize("value", ["['a']", "[[1.0]]", "'abc'", "3", "[1.0]", "[1.0, 2, 3]", "[]"])
def test_vectors_are_lists_of_numbers(con, value):
    """As many as the vectors of the model have."""
    with pytest.raises(paretosql.DataError, match=r"(not lists of numbers|a vector has \d numbers)(.|\n)*Hint: embed"):
        con.execute(f"SELECT * FROM similar(MODEL rec, (SELECT {value} AS embedding))").fetchall()
    assert con.execute("SELECT * FROM similar(MODEL rec, (SELECT NULL AS embedding))").fetchall() == []


def test_embed_says_why_not(con):
    """Items that are NULL or unknown."""
    rows = con.execute(
        "SELECT embedding IS NULL, status FROM embed(MODEL rec, (SELECT unnest([1, NULL, 99]) AS item_id))"
    )
    assert rows.fetchall() == [(False, None), (True, "item_id is NULL"), (True, "item_id is not in the training")]


@pytest.mark.parametrize(
    "name", ["embedding", "row", "status", "rank", "score", "similar_item", "a b", 'q"q', "select"]
)
@pytest.mark.parametrize("family", ["ease", "als"])
def test_columns_may_be_called_anything(con, family, name):
    """As the columns of answers are, too: all verbs give what they give for other names."""
    quoted = '"' + name.replace('"', '""') + '"'
    rows = "SELECT range % 9 AS {}, range * range % 7 AS {} FROM range(90)"
    more = ", factors = 2" if family == "als" else ""
    create = "CREATE OR REPLACE MODEL {} OPTIONS (model_type = '{}', user_col = '{}', item_col = '{}'{}) AS {}"
    con.execute(create.format("plain", family, "u", "i", more, rows.format("u", "i")))

    def answers(verb, model, item):
        found = con.execute(f"SELECT * FROM {verb}(MODEL {model}, k => 3)")
        return found.fetchall()

    for part in ("u", "i"):
        user, item = (quoted, "i") if part == "u" else ("u", quoted)
        names = [each.strip('"').replace('""', '"') for each in (user, item)]
        con.execute(create.format("named", family, *names, more, rows.format(user, item)))
        for verb in ("recommend", "similar"):
            assert answers(verb, "named", item) == answers(verb, "plain", "i")
        key = con.execute(f"SELECT count({user}) FROM recommend(MODEL named, k => 3) WHERE {user} = 1").fetchall()
        assert key == con.execute("SELECT count(u) FROM recommend(MODEL plain, k => 3) WHERE u = 1").fetchall()


@pytest.mark.parametrize(
    ("family", "rows", "words"),
    [
        ("linear", "SELECT 1e200 * range AS c, range % 2 AS y", "'c' holds numbers too large to be squared"),
        ("logistic", "SELECT 1e308 * (2 * (range % 2) - 1) AS c, range % 2 AS y", "'c' holds numbers too large"),
        ("kmeans", "SELECT 1e200 * range AS c", "'c' holds numbers too large to be squared"),
        ("linear", "SELECT range AS c, 1e308 * (2 * (range % 2) - 1) AS y", "label column 'y' holds numbers too large"),
        ("gbdt", "SELECT range AS c, range * 1e39 AS y", "label column 'y' holds numbers beyond 3.4e38"),
        ("logistic", "SELECT DATE '5877642-06-20' AS y, range AS x", "holds the one class"),
        ("linear", "SELECT NULL::INT AS x, range AS y", r"\('x' in all of them\)"),
        ("linear", "SELECT range AS x, range AS y WHERE false", "there are no rows"),
        ("als", "SELECT NULL::INT AS user_id, range AS item_id", "there are no rows to learn from"),
    ],
)
def test_values_that_nothing_can_be_learnt_from(con, family, rows, words):
    """Name the column and the family; nothing is printed, and no model is made."""
    rows = f"{rows.partition(' WHERE')[0]} FROM range(12) {'WHERE false' if 'WHERE' in rows else ''}"
    label = ", label_col = 'y'" if " AS y" in rows else ""
    with pytest.raises(paretosql.DataError, match=rf"{family}: .*{words}(.|\n)*Hint: "):
        con.execute(f"CREATE MODEL bad OPTIONS (model_type = '{family}'{label}) AS {rows}")
    assert len(con.execute("SHOW MODELS").fetchall()) == 2


def test_answers_beyond_all_numbers_are_none(con):
    """NULL with a reason, beside rows that are answered."""
    rows = con.execute("SELECT predicted_y, status FROM predict(MODEL line, (SELECT unnest([1e308, 3, -1e308]) AS x))")
    beyond = "predicted_y is beyond all numbers"
    assert rows.fetchall() == [(None, beyond), (pytest.approx(6), None), (None, beyond)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("'gbdt', label_col = 'y', min_leaf_rows = 3000000000", "min_leaf_rows of gbdt is from 0 to 2,147,483,647"),
        (f"'linear', label_col = 'y', l2_reg = 1{'0' * 400}", "l2_reg of linear is a number"),
        ("'linear', label_col = 'y', l2_reg = hparam_range(1, 1e400)", "has nothing to choose from"),
        ("'linear', label_col = 'y', nosuch = hparam_range(1, 5)", "has no option 'nosuch'"),
        ("'linear', label_col = hparam_range(1, 5)", "label_col of linear is no number"),
        ("'linear', label_col = 'y', ignore_cols = ['y']", "both label_col and one of ignore_cols"),
    ],
)
def test_options_that_cannot_be(con, options, words):
    """The message names the option."""
    with pytest.raises(paretosql.ProgrammingError, match=rf"{words}(.|\n)*Hint: "):
        con.execute(
            f"CREATE MODEL bad OPTIONS (model_type = {options}) AS SELECT range AS x, range AS y FROM range(99)"
        )


def test_hints_quote_names(con):
    """So that they can be typed."""
    rows = 'SELECT range AS "a b", range AS y FROM range(9)'
    con.execute(f"CREATE MODEL sp OPTIONS (model_type = 'linear', label_col = 'y') AS {rows}")
    for asked, hint in (
        ("SELECT * FROM predict(MODEL sp, (SELECT 'x' AS \"a b\"))", 'CAST("a b" AS BIGINT)'),
        ('SELECT * FROM predict(MODEL sp, (SELECT 1 AS "a c"))', 'write "a c" AS "a b"'),
        ("SELECT predict(MODEL sp)", 'predict(MODEL sp, "a b")'),
    ):
        with pytest.raises(paretosql.Error) as caught:
            con.execute(asked)
        assert hint in str(caught.value)


def test_columns_of_unions_are_text(con):
    """Arrow hands them to nobody; they are read and handed on as text."""
    con.execute(
        "CREATE MODEL u OPTIONS (model_type = 'linear', label_col = 'y') AS"
        " SELECT union_value(n := range % 2) AS c, range % 2 AS y FROM range(20)"
    )
    rows = con.execute(
        "SELECT c, round(predicted_y) FROM predict(MODEL u, (SELECT union_value(n := unnest([0, 1])) AS c))"
    )
    assert rows.fetchall() == [("0", 0.0), ("1", 1.0)]
