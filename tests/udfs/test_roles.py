"""Which column plays which part: names as DuckDB compares them, and columns that have a part already."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import paretosql
from paretosql.udfs.roles import found_column

NAMES = ["id", "ID", "iD", "ä", "Ä", "straße", "STRASSE", "İ", "i", "ΣΑΣ", "σας", "K", "k", "\u212a", "a b", "A B"]


@pytest.fixture
def con():
    """Rows with a label called so, another number, and a column of groups."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            "CREATE TABLE t AS SELECT range % 4 AS label, range * 7 % 5 AS target, range // 10 AS g, range AS x,"
            " range % 3 = 0 AS held_out FROM range(100)"
        )
        yield con


@pytest.mark.parametrize("name", NAMES)
def test_names_are_those_that_duckdb_takes_for_one(name):
    """A column is found by a name if and only if DuckDB finds it by that."""
    for wanted in NAMES:
        try:
            duckdb.sql(f'SELECT "{wanted}" FROM (SELECT 1 AS "{name}")')
            known = True
        except duckdb.BinderException:
            known = False
        assert (found_column([name], wanted) == name) == known, (name, wanted)


def test_an_exact_name_comes_first():
    """Of two columns that differ in case only the one that is written so."""
    assert found_column(["a", "A"], "A") == "A"
    assert found_column(["B", "a", "A"], "b") == "B"


def test_a_feature_is_not_read_from_another_column(con):
    """A model that has learnt from a column does not take one for it that SQL tells apart."""
    con.execute("""CREATE MODEL m OPTIONS (model_type = 'linear') AS SELECT x AS "ä", 2 * x AS label FROM t""")
    with pytest.raises(paretosql.ProgrammingError, match="needs the column 'ä'"):
        con.execute("""FROM predict(MODEL m, (SELECT 1 AS "Ä"))""")
    asked = con.execute("""SELECT predicted_label FROM predict(MODEL m, (SELECT 3 AS "ä", 9 AS "Ä"))""").fetchall()
    assert asked[0][0] == pytest.approx(6)


def test_a_column_may_be_left_out_beside_one_of_almost_its_name(con):
    """Label and ignored column differ in a letter that SQL tells apart; where they do not the message says so."""
    rows = """SELECT x, x % 7 AS "ä", 2 * x AS "Ä" FROM t"""
    con.execute(f"CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'Ä', ignore_cols = ['ä']) AS {rows}")
    assert con.execute("SELECT processed_input FROM weights(MODEL m)").fetchall() == [("x",), ("__INTERCEPT__",)]
    both = "label_col = 'LABEL', ignore_cols = ['Label']"
    with pytest.raises(paretosql.ProgrammingError, match=r"'label' is both label_col and one of ignore_cols\n.*"):
        con.execute(f"CREATE MODEL n OPTIONS (model_type = 'linear', {both}) AS FROM t")


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ("group_col = 'g'", "label"),
        ("group_col = 'label'", "target"),
        ("group_col = 'g', ignore_cols = ['label']", "target"),
        ("objective = 'regression', ignore_cols = ['label']", "target"),
    ],
)
def test_a_label_is_guessed_from_columns_without_another_part(con, options, label):
    """Groups and ignored columns are no label unless label_col says so."""
    con.execute(f"CREATE MODEL m OPTIONS (model_type = 'gbdt', rounds = 2, {options}) AS FROM t")
    columns = [each[0] for each in con.execute("FROM predict(MODEL m, TABLE t)").description]
    assert columns[-2:] == [f"predicted_{label}", "status"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("label_col = 'held_out', split = 'column', split_col = 'HELD_OUT'", "'held_out' is both label_col and split_"),
        ("group_col = 'label', ignore_cols = ['target']", "needs a column with the label; none of g, x, held_out is"),
        ("label_col = 'G', group_col = 'g'", "'g' is both label_col and group_col"),
    ],
)
def test_two_parts_of_one_column(con, options, words):
    """The message names both options, or says what is left, and has a hint."""
    with pytest.raises(paretosql.ProgrammingError, match=rf"(?s){words}.*\nHint: "):
        con.execute(f"CREATE MODEL m OPTIONS (model_type = 'gbdt', {options}) AS FROM t")


@pytest.mark.parametrize("value", ["[g]", "{'a': g}", "INTERVAL (g) DAY"])
def test_groups_that_are_no_ids_in_an_evaluation(con, value):
    """Rows that are judged may have groups of another type than in training, but not one that cannot be compared."""
    con.execute("CREATE MODEL m OPTIONS (model_type = 'gbdt', rounds = 2, group_col = 'g') AS FROM t")
    text = dict(con.execute("FROM evaluate(MODEL m, (SELECT * REPLACE ('q' || g AS g) FROM t))").fetchall())
    assert text == dict(con.execute("FROM evaluate(MODEL m, TABLE t)").fetchall())
    with pytest.raises(paretosql.DataError, match=r"(?s)gbdt: the column 'g' holds .* cannot be an id.*\nHint: CAST"):
        con.execute(f"FROM evaluate(MODEL m, (SELECT * REPLACE ({value} AS g) FROM t))")


def test_an_argument_by_two_names(con):
    """k and top_k are one argument."""
    con.register("seen", pa.table({"user_id": np.arange(30) % 7, "item_id": np.arange(30) % 5}))
    con.execute("CREATE MODEL m OPTIONS (model_type = 'popularity') AS FROM seen")
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)k and top_k of recommend mean the same.*\nHint: leave"):
        con.execute("FROM recommend(MODEL m, k => 3, top_k => 4)")


def test_the_objective_is_not_searched(con):
    """Numbers, classes and orders are judged by different metrics, which cannot be compared."""
    searched = "objective = hparam_candidates(['regression', 'classification'])"
    with pytest.raises(paretosql.ProgrammingError, match=r"(?s)objective of gbdt cannot be searched.*\nHint: "):
        con.execute(f"CREATE MODEL m OPTIONS (model_type = 'gbdt', rounds = 2, {searched}) AS FROM t")
