"""Boosted trees: the contract, and LightGBM itself on the same rows."""

from __future__ import annotations

from typing import Any, ClassVar

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

import paretosql
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from tests.udfs.contract import LabelledContract


class TestGbdt(LabelledContract):
    """Numbers."""

    family = "gbdt"
    random = True
    options: ClassVar[dict[str, Any]] = {"label_col": "y", "subsample": 0.5, "rounds": 30}

    def quick(self):
        return {"rounds": 5}


class TestGbdtClasses(TestGbdt):
    """Classes."""

    classes = True


def fitted(table, training=None, chunk=10_000, **options):
    """A model of a table whose label is y."""
    family, _ = find_family("gbdt")
    made, _ = read_options(family.options, {"label_col": "y", "rounds": 20, **options}, "gbdt")
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, made, training or Training())


def made_up(rows=600, seed=0):
    """Three columns, and a number that depends on two of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return x, np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=rows)


def table_of(x, y, **more):
    """A table with columns x0, x1, ..., y and others."""
    return pa.table({**{f"x{at}": column for at, column in enumerate(x.T)}, "y": y, **more})


def trained(x, y, rounds=20, dataset=None, **parameters):
    """What LightGBM's own interface learns."""
    parameters = {"verbosity": -1, "deterministic": True, "force_row_wise": True, "num_threads": 1, **parameters}
    return lightgbm.train(parameters, lightgbm.Dataset(x, y, params=parameters, **(dataset or {})), rounds)


def own_booster(model):
    """The trees of a model, loaded by LightGBM itself."""
    return lightgbm.Booster(model_str=model.learned["trees"].tobytes().decode())


def asked(model, table):
    """The answers to a table, by name of their column."""
    batch = table.combine_chunks().to_batches()[0]
    return model.apply("predict", batch, {})


@pytest.mark.parametrize("memory", [1 << 28, 1], ids=["in memory", "in blocks"])
def test_numbers_equal_lightgbm(memory):
    """Learnt and asked here, rows get what LightGBM says that learnt from the same matrix, digit for digit."""
    x, y = made_up()
    model = fitted(table_of(x, y), Training(memory_bytes=memory), chunk=64)
    wanted = trained(x, y, objective="regression").predict(x)
    assert asked(model, table_of(x, y)).column("predicted_y").to_numpy().tolist() == wanted.tolist()


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_equal_lightgbm(classes):
    """Probabilities of two classes and of more are LightGBM's; the predicted class is the most probable."""
    x, y = made_up()
    label = np.digitize(y, [0.3] if classes == 2 else [-0.5, 0.7])
    names = np.array(["a", "b", "c"])[label]
    found = asked(fitted(table_of(x, names)), table_of(x, names))
    more = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    wanted = trained(x, label, **more).predict(x)
    wanted = np.column_stack([1 - wanted, wanted]) if classes == 2 else wanted
    chances = [[each["prob"] for each in row] for row in found.column("predicted_y_probs").to_pylist()]
    assert chances == wanted.tolist()
    assert found.column("predicted_y").to_pylist() == [("a", "b", "c")[at] for at in wanted.argmax(axis=1)]


def test_every_option_reaches_lightgbm():
    """Each option changes the trees as LightGBM's parameter of the same meaning does."""
    x, y = made_up()
    for ours, theirs in (
        ({"learning_rate": 0.3}, {"learning_rate": 0.3}),
        ({"leaves": 4}, {"num_leaves": 4}),
        ({"max_depth": 2}, {"max_depth": 2}),
        ({"min_leaf_rows": 90}, {"min_data_in_leaf": 90}),
        ({"min_gain": 5.0}, {"min_gain_to_split": 5.0}),
        ({"subsample": 0.4, "seed": 3}, {"bagging_fraction": 0.4, "bagging_freq": 1, "seed": 3}),
        ({"feature_fraction": 0.4, "seed": 3}, {"feature_fraction": 0.4, "seed": 3}),
        ({"l1_reg": 9.0}, {"lambda_l1": 9.0}),
        ({"l2_reg": 90.0}, {"lambda_l2": 90.0}),
        ({"booster": "dart", "seed": 2}, {"boosting": "dart", "seed": 2}),
    ):
        found = asked(fitted(table_of(x, y), **ours), table_of(x, y)).column("predicted_y").to_numpy()
        assert found == pytest.approx(trained(x, y, objective="regression", **theirs).predict(x), rel=1e-12), ours
        assert found != pytest.approx(trained(x, y, objective="regression").predict(x)), ours


def test_balanced_classes_are_weights():
    """class_weights = 'balanced' is LightGBM with the weight of its class on each row."""
    x, y = made_up()
    label = (y > 1.2).astype(int)
    weight = (len(label) / (2 * np.bincount(label)))[label]
    found = fitted(table_of(x, label), objective="classification", class_weights="balanced").predicted(x)
    wanted = trained(x, label, objective="binary", dataset={"weight": weight}).predict(x)
    assert found[:, 1] == pytest.approx(wanted, rel=1e-12)


def test_categories_are_split_as_sets():
    """One tree of one split tells apart the categories with a high label, which no order of names puts side by side."""
    names = np.array(["a", "b", "c", "d"] * 100)
    high = np.isin(names, ["a", "c"]).astype(float)
    table = pa.table({"c": names, "y": high})
    options = {"rounds": 1, "leaves": 2, "learning_rate": 1.0}
    predicted = asked(fitted(table, **options), table).column("predicted_y").to_numpy()
    low, top = predicted[high == 0], predicted[high == 1]
    assert low.max() < 0.1 and top.min() > 0.9


def test_missing_values_are_skipped_or_learnt():
    """missing = 'skip' answers such rows with NULL and a reason; 'learn' says what LightGBM says of NaN."""
    x, y = made_up()
    x[::5, 0] = np.nan
    table = pa.table({"x0": pa.array(x[:, 0], from_pandas=True), "x1": x[:, 1], "x2": x[:, 2], "y": y})
    skipped = asked(fitted(table), table)
    assert skipped.column("predicted_y").is_null().to_numpy(zero_copy_only=False).tolist() == np.isnan(x[:, 0]).tolist()
    assert set(skipped.column("status").to_pylist()) == {None, "feature 'x0' is NULL"}
    learnt = asked(fitted(table, missing="learn"), table).column("predicted_y").to_numpy()
    assert learnt.tolist() == trained(x, y, objective="regression").predict(x).tolist()


def ranking(groups=40, size=12, seed=0):
    """Rows of several groups in no order, with degrees of relevance that follow one column, and their groups."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(groups * size, 3))
    group = rng.permutation(np.repeat(np.arange(groups), size))
    return x, np.clip(np.round(1 + x[:, 0] + 0.3 * rng.normal(size=len(x))), 0, 3), group


def test_ranking_equals_lightgbm():
    """Rows of a group need not follow each other: scores are those of LightGBM on the rows sorted by group."""
    x, y, group = ranking()
    model = fitted(table_of(x, y, g=group), group_col="g")
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    booster = trained(x[order], y[order], objective="lambdarank", dataset={"group": sizes}, eval_at=[10])
    assert asked(model, table_of(x, y)).column("predicted_y").to_numpy() == pytest.approx(booster.predict(x), rel=1e-12)


def test_ranking_orders_rows_and_is_judged_by_ndcg():
    """A number that decides the relevance is found out: the ideal order has an ndcg of 1, for groups of any kind."""
    x, _, group = ranking()
    y = np.digitize(x[:, 0], [-0.5, 0.5])
    table = table_of(x, y, g=[f"query {each}" for each in group])
    with paretosql.connect(autocommit=True) as con:
        con.register("t", table)
        con.execute("CREATE MODEL m OPTIONS (model_type = 'gbdt', label_col = 'y', group_col = 'g') AS FROM t")
        found = dict(con.execute("SELECT * FROM evaluate(MODEL m, TABLE t, k => 5)").fetchall())
        assert found["ndcg@5"] == pytest.approx(1.0, abs=0.01)
        assert (found["groups"], found["rows"]) == (40, 480)
        con.execute("CREATE TABLE answered AS FROM predict(MODEL m, TABLE t)")
        columns = [each[0] for each in con.execute("FROM answered LIMIT 0").description]
        assert columns == ["x0", "x1", "x2", "y", "g", "predicted_y", "status"]


@pytest.mark.parametrize(
    ("options", "label", "wanted"),
    [
        ({"objective": "ranking"}, [0, 1], r"gbdt: ranking needs a group_col"),
        ({"objective": "regression", "group_col": "x0"}, [0, 1], r"gbdt: regression has no use for a group_col"),
        ({"group_col": "x0"}, [0, 0.5], r"gbdt: the label column 'y' holds 0.5, which is no relevance"),
        ({"group_col": "x0"}, [0, -1], r"gbdt: the label column 'y' holds -1, which is no relevance"),
        ({"group_col": "x0"}, [0, 31], r"gbdt: the label column 'y' holds 31, which is no relevance"),
        ({"early_stop": 5, "booster": "dart"}, [0, 1], r"gbdt: early_stop does not go with booster = 'dart'"),
        ({"group_col": "q"}, [0, 1], r"(?s)gbdt: there is no column 'q', which group_col names"),
    ],
)
def test_what_does_not_go_together(options, label, wanted):
    """The message names the family and the option or the value."""
    with pytest.raises(paretosql.Error, match=wanted):
        fitted(table_of(np.arange(40.0).reshape(20, 2) // 2, np.resize(label, 20)), **options)


@pytest.mark.parametrize(
    ("label", "answer"),
    [([1, 2], pa.float64()), ([0.5, 1.5], pa.float64()), ([True, False], pa.bool_()), (["a", "b"], pa.string())],
)
def test_what_is_learnt_follows_the_label(label, answer):
    """Of numbers a number, of text and of true and false a class; the options can say otherwise."""
    table = table_of(np.arange(40.0)[:, None], np.resize(label, 40))
    assert fitted(table).outputs("predict")[0].type == answer
    named = fitted(table, objective="classification")
    assert named.outputs("predict")[0].type == table.schema.field("y").type
    assert "roc_curve" in named.verbs()


def test_an_early_end():
    """Trees that only fit noise are not added: training ends before its rounds, with the best of them."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), rng.normal(size=400)
    training = Training()
    model = fitted(table_of(x, y), training, early_stop=True, rounds=500)
    losses = [loss for _, loss, _ in training.log]
    assert len(losses) < 500
    assert own_booster(model).num_trees() == int(np.argmin(losses)) + 1
    assert len(losses) == int(np.argmin(losses)) + 1 + 10, "ten rounds of patience after the best"


def test_an_early_end_keeps_whole_groups_aside():
    """A group is either learnt from or judged by, so that ranking ends early too."""
    x, y, group = ranking()
    training = Training()
    model = fitted(table_of(x, y, g=group), training, group_col="g", early_stop=5, rounds=200)
    assert len(training.log) < 200
    assert own_booster(model).num_trees() <= len(training.log) - 5


def test_importance_is_of_the_columns_that_matter():
    """A column that the label does not depend on is used less than those it does; names are those of the table."""
    x, y = made_up()
    with paretosql.connect(autocommit=True) as con:
        con.register("t", table_of(x, y))
        con.execute("CREATE MODEL m OPTIONS (model_type = 'boosted_tree_regressor', label_col = 'y') AS FROM t")
        rows = con.execute("SELECT feature, importance_gain FROM feature_importance(MODEL m)").fetchall()
        gain = dict(rows)
        assert set(gain) == {"x0", "x1", "x2"}
        assert gain["x2"] < 0.1 * min(gain["x0"], gain["x1"])


def test_column_names_of_any_kind():
    """Quotes, commas and brackets in a name, which LightGBM refuses, are fine."""
    table = pa.table({'a "b", [c]: {d}': np.arange(60.0), "ü ✓": np.arange(60.0) % 7, "y": np.arange(60.0)})
    assert asked(fitted(table), table).column("predicted_y").null_count == 0
