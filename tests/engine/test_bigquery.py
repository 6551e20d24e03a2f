"""Statements that people from BigQuery ML type first: taken as they stand, or answered with what to write."""

from __future__ import annotations

import pytest

import paretosql

ACCEPTED = [
    "CREATE OR REPLACE MODEL `shop.weight` OPTIONS(model_type='linear_reg', input_label_cols=['mass']) AS"
    " SELECT * FROM `shop.penguins` WHERE mass IS NOT NULL",
    "SELECT * FROM ML.EVALUATE(MODEL `shop.weight`)",
    "SELECT * FROM ML.EVALUATE(MODEL `shop.weight`, (SELECT * FROM `shop.penguins` WHERE mass IS NOT NULL))",
    "SELECT * FROM ML.PREDICT(MODEL `shop.weight`, (SELECT * FROM `shop.penguins` WHERE species = 'Adelie'))",
    "SELECT * FROM ML.WEIGHTS(MODEL `shop.weight`)",
    "SELECT * FROM ML.FEATURE_INFO(MODEL `shop.weight`)",
    "SELECT * FROM ML.TRAINING_INFO(MODEL `shop.weight`)",
    "CREATE OR REPLACE MODEL shop.kind OPTIONS(MODEL_TYPE='LOGISTIC_REG', INPUT_LABEL_COLS=['species'],"
    " AUTO_CLASS_WEIGHTS=TRUE, DATA_SPLIT_METHOD='AUTO_SPLIT') AS SELECT * FROM shop.penguins",
    "SELECT predicted_species, predicted_species_probs FROM ML.PREDICT(MODEL shop.kind, TABLE shop.penguins,"
    " STRUCT(0.6 AS threshold))",
    "SELECT * FROM ML.EVALUATE(MODEL shop.kind, TABLE shop.penguins, STRUCT(0.55 AS threshold))",
    "SELECT * FROM ML.CONFUSION_MATRIX(MODEL shop.kind, (SELECT * FROM shop.penguins))",
    "SELECT * FROM ML.ROC_CURVE(MODEL shop.kind, (SELECT * FROM shop.penguins))",
    "CREATE OR REPLACE MODEL shop.trees OPTIONS(MODEL_TYPE='BOOSTED_TREE_CLASSIFIER', BOOSTER_TYPE='GBTREE',"
    " NUM_PARALLEL_TREE=1, MAX_ITERATIONS=5, TREE_METHOD='HIST', EARLY_STOP=FALSE, SUBSAMPLE=0.85,"
    " INPUT_LABEL_COLS=['species']) AS SELECT * FROM shop.penguins",
    "SELECT * FROM ML.FEATURE_IMPORTANCE(MODEL shop.trees)",
    "CREATE OR REPLACE MODEL shop.groups OPTIONS(model_type='kmeans', num_clusters=4, standardize_features=true) AS"
    " SELECT bill, flipper FROM shop.penguins",
    "SELECT * FROM ML.CENTROIDS(MODEL shop.groups) ORDER BY centroid_id",
    "SELECT centroid_id, count(*) FROM ML.PREDICT(MODEL shop.groups, TABLE shop.penguins) GROUP BY centroid_id",
    "CREATE OR REPLACE MODEL shop.taste OPTIONS(model_type='matrix_factorization', feedback_type='implicit',"
    " user_col='user_id', item_col='item_id', rating_col='rating', l2_reg=30, num_factors=8) AS"
    " SELECT user_id, item_id, rating FROM shop.ratings",
    "SELECT * FROM ML.RECOMMEND(MODEL shop.taste)",
    "SELECT * FROM ML.RECOMMEND(MODEL shop.taste, (SELECT DISTINCT user_id FROM shop.ratings LIMIT 3))",
    "CREATE OR REPLACE MODEL shop.scaled TRANSFORM(ML.STANDARD_SCALER(bill) OVER() AS bill,"
    " ML.QUANTILE_BUCKETIZE(flipper, 4) OVER() AS part, ML.BUCKETIZE(flipper, [190, 200]) AS step, mass)"
    " OPTIONS(model_type='linear_reg',"
    " input_label_cols=['mass']) AS SELECT * FROM shop.penguins",
    "SELECT * FROM ML.PREDICT(MODEL shop.scaled, (SELECT bill, flipper, mass FROM shop.penguins))",
    "CREATE OR REPLACE MODEL shop.tuned OPTIONS(model_type='boosted_tree_regressor', num_trials=3, max_iterations=5,"
    " learn_rate=HPARAM_RANGE(0.01, 0.5), max_tree_depth=HPARAM_CANDIDATES([2, 4]), input_label_cols=['mass'],"
    " hparam_tuning_objectives=['r2_score']) AS SELECT bill, flipper, mass FROM shop.penguins",
    "SELECT * FROM ML.TRIAL_INFO(MODEL shop.tuned)",
    "DROP MODEL IF EXISTS shop.tuned",
]
REFUSED = [
    ("SELECT * FROM ML.GLOBAL_EXPLAIN(MODEL `shop.weight`)", "feature_importance"),
    ("SELECT * FROM ML.EXPLAIN_PREDICT(MODEL `shop.weight`, TABLE shop.penguins)", "weights"),
    ("CREATE MODEL shop.sales OPTIONS(model_type='ARIMA_PLUS') AS SELECT 1 AS y", "lag"),
    ("SELECT * FROM ML.FORECAST(MODEL shop.sales, STRUCT(30 AS horizon))", "lag"),
    ("CREATE MODEL shop.deep OPTIONS(model_type='DNN_CLASSIFIER') AS SELECT 1 AS y", "gbdt"),
    ("EXPORT MODEL shop.weight OPTIONS(URI='gs://bucket/path')", "models export"),
    ("ALTER MODEL shop.weight RENAME TO heavy", "import --as"),
]


@pytest.fixture(scope="module")
def con():
    """A connection with a schema of two tables."""
    with paretosql.connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute(
            "CREATE TABLE shop.penguins AS SELECT ['Adelie', 'Gentoo'][1 + range % 2] AS species, 40 + range % 10 AS"
            " bill, 180 + (range * 7) % 40 AS flipper, 3000 + (range * 13) % 900 + 500 * (range % 2) AS mass"
            " FROM range(300)"
        )
        connection.execute(
            "CREATE TABLE shop.ratings AS SELECT range % 50 AS user_id, (range * 7) % 83 AS item_id, 1 + range % 5 AS"
            " rating FROM range(2000)"
        )
        yield connection
    connection.close()


def test_statements_as_typed(con):
    """Every one of them runs, and every query has rows."""
    assert len(ACCEPTED) >= 18
    for sql in ACCEPTED:
        cursor = con.execute(sql)
        if sql.startswith("SELECT"):
            assert cursor.fetchall(), sql


def test_without_the_prefix(con):
    """The same without `ML.`, which changes nothing."""
    for sql in ACCEPTED:
        con.execute(sql.replace("ML.", "") if "TRANSFORM" not in sql else sql)


@pytest.mark.parametrize(("sql", "word"), REFUSED)
def test_what_is_not_here_is_answered_with_a_hint(con, sql, word):
    """The hint names what to write instead."""
    with pytest.raises(paretosql.ProgrammingError) as caught:
        con.execute(sql)
    assert word in str(caught.value).partition("Hint:")[2]


@pytest.mark.parametrize("word", ["feedback", "feedback_type"])
def test_an_alias_of_a_family_may_be_told_otherwise(word):
    """What matrix_factorization presets is said anew by either of the option's names."""
    with paretosql.connect(autocommit=True) as con:
        con.execute(
            f"CREATE MODEL m OPTIONS (model_type = 'matrix_factorization', {word} = 'implicit') AS"
            " SELECT range % 7 AS user_id, range % 5 AS item_id, 1 + range % 3 AS rating FROM range(40)"
        )
        assert ("option", "feedback", "implicit") in [line[:3] for line in con.execute("DESCRIBE MODEL m").fetchall()]
