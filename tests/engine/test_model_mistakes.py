"""Options that contradict each other or themselves, and numbers beyond all others: each error says what would work."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import paretosql


@pytest.fixture(scope="module")
def con():
    """Rows of users and items, rows with a label, and a model with vectors."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE TABLE r AS SELECT range % 25 AS user_id, (range * range) % 17 AS item_id, 1 + range % 5 AS rating"
            " FROM range(200)"
        )
        con.execute(
            "CREATE TABLE t AS SELECT range AS x, range % 3 AS z, 2 * range AS y, range % 5 = 0 AS h FROM range(60)"
        )
        con.execute("CREATE MODEL vectors OPTIONS (model_type = 'als', factors = 4) AS FROM r")
        yield con


def refused(con, kind, options, rows, words):
    """The statement fails with an error that has these words and a hint, and makes no model."""
    with pytest.raises(paretosql.Error, match=rf"(?s){words}.*\nHint: ") as caught:
        con.execute(f"CREATE MODEL broken OPTIONS (model_type = '{kind}', {options}) AS {rows}")
    assert con.execute("SELECT count(*) FROM pareto_models.models WHERE key = 'broken'").fetchall() == [(0,)]
    return caught.value


# one column, one part


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("user_col = 'item_id', item_col = 'ITEM_ID'", "'item_id' is both user_col and item_col"),
        ("user_col = 'rating', rating_col = 'rating', weighting = 'rating'", "both user_col and rating_col"),
        ("rating_col = 'rating', time_col = 'rating'", "both rating_col and time_col"),
        ("time_col = 'user_id'", "needs a column with the user"),
        ("item_col = 'nothing'", "no column 'nothing', which item_col names"),
    ],
)
def test_a_column_with_two_parts(con, options, words):
    """Two options that name one column, or one that takes the column of another part."""
    refused(con, "popularity", options, "FROM r", words)


def test_named_columns_are_not_guessed_for_other_parts(con):
    """A column that an option names plays that part alone; the others are guessed from the rest."""
    con.execute("CREATE OR REPLACE TABLE s AS SELECT item_id AS user_id, user_id AS product, rating AS item_id FROM r")
    con.execute(
        "CREATE OR REPLACE MODEL p OPTIONS (model_type = 'popularity', item_col = 'user_id', user_col = 'product')"
        " AS FROM s"
    )
    assert [each[0] for each in con.execute("FROM recommend(MODEL p, k => 1)").description][:2] == [
        "product",
        "user_id",
    ]


def test_a_group_that_is_the_label_or_no_id(con):
    """gbdt ranks rows within groups."""
    refused(con, "gbdt", "label_col = 'z', group_col = 'z'", "FROM t", "'z' is both label_col and group_col")
    for value in ("[x]", "{'a': x}", "INTERVAL (x) DAY"):
        rows = f"SELECT {value} AS g, x, z FROM t"
        refused(con, "gbdt", "label_col = 'z', group_col = 'g'", rows, "'g' holds .* cannot be an id")


# options


@pytest.mark.parametrize(
    "option",
    ["split = {}(['random', 'none'])", "label_col = {}(['y', 'x'])", "split_col = {}(['h', 'z'])",
     "trials = {}([1, 2])", "split_fraction = {}([0.1, 0.2])", "objective_metric = {}(['rmse', 'r2'])",
     "data_split_method = {}(['random', 'no_split'])"],
)  # fmt: skip
def test_what_cannot_be_searched(con, option):
    """Trials are compared on the same rows by the same measure, so what says which cannot be tried."""
    label = "" if option.startswith("label_col") else "label_col = 'y', "
    refused(con, "linear", label + option.format("hparam_candidates"), "FROM t", "cannot be searched")


def test_options_that_contradict(con):
    """A split by a column that is no mask, and one option by two names."""
    refused(
        con, "linear", "label_col = 'y', split = 'column', split_col = 'x'", "FROM t", "'x' of split_col holds no true"
    )
    refused(con, "linear", "label_col = 'y', l2 = 1, l2_reg = 2", "FROM t", "l2 and l2_reg of linear mean the same")


# numbers beyond all others


@pytest.mark.parametrize(
    ("kind", "option"),
    [("bpr", "l2"), ("als", "l2"), ("als", "alpha"), ("itemknn", "shrink"), ("userknn", "shrink"), ("ease", "l2")],
)
def test_options_without_bounds(con, kind, option):
    """What is beyond four bytes is refused, and what is just within gives a model of numbers or is refused; no model of
    NaN, and no warning of numpy's.
    """
    refused(con, kind, f"{option} = 1e308", "FROM r", f"{option} of {kind} is from .* to 1e\\+30")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            con.execute(f"CREATE OR REPLACE MODEL m OPTIONS (model_type = '{kind}', {option} = 1e30) AS FROM r")
        except paretosql.DataError as fault:
            assert f"{option} = 1e+30" in str(fault)
            return
        scores = [score for (score,) in con.execute("SELECT score FROM recommend(MODEL m, k => 3)").fetchall()]
    assert scores
    assert np.isfinite(scores).all()


def test_vectors_beyond_all_numbers(con):
    """similar asks for directions, however long the vectors are; nothing warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in ("1", "1e-300", "1e300"):
            rows = f"SELECT [{scale}::DOUBLE, -2 * {scale}::DOUBLE, {scale}::DOUBLE, 0] AS embedding"
            found = con.execute(
                f"SELECT similar_item_id, score FROM similar(MODEL vectors, ({rows}), k => 3)"
            ).fetchall()
            if scale == "1":
                expected = found
            assert [item for item, _ in found] == [item for item, _ in expected]
            assert [score for _, score in found] == pytest.approx([score for _, score in expected], rel=1e-5)


def test_vectors_that_are_none(con):
    """A vector of another length, or with NULL, NaN or infinity in it, is like nothing; the others have answers."""
    vectors = (
        "[[1, 2, 3, 4], [1, 2], NULL, [1, NULL, 2, 3], [1, 'nan'::DOUBLE, 2, 3], ['inf'::DOUBLE, 0, 0, 0],"
        " [4, 3, 2, 1]]"
    )
    rows = f"SELECT unnest({vectors}) AS embedding"
    asked = con.execute(f"SELECT DISTINCT row FROM similar(MODEL vectors, ({rows}), k => 2) ORDER BY row").fetchall()
    assert asked == [(1,), (7,)]
    with pytest.raises(
        paretosql.DataError, match=r"(?s)a vector has 2 numbers, those of this model have 4.*Hint: embed"
    ):
        con.execute("FROM similar(MODEL vectors, (SELECT unnest([[1, 2], NULL]) AS embedding))")


# evaluation


def test_an_item_counts_once():
    """Of a user's held out rows each item counts once, whether training knows it or not."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE MODEL p OPTIONS (model_type = 'popularity') AS"
                    " SELECT range AS user_id, least(range, 3) AS item_id FROM range(9)")  # fmt: skip
        for held_out in ("(1, 3), (1, 77), (1, 88)", "(1, 3), (1, 3), (1, 77), (1, 77), (1, 77), (1, 88)"):
            rows = f"FROM (VALUES {held_out}) AS v(user_id, item_id)"
            found = dict(con.execute(f"FROM evaluate(MODEL p, ({rows}), k => 2)").fetchall())
            assert found["recall@2"] == pytest.approx(1 / 3)
            assert found["unknown_items"] == 2
            assert found["ndcg@2"] == pytest.approx(1 / (1 + 1 / np.log2(3)))
            assert found["auc"] == 1
