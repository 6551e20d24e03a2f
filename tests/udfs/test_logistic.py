"""Logistic regression: the contract, and its optimum against derivatives written out and another minimiser."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

import paretosql
from paretosql.udfs.coefficients import INTERCEPT
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from tests.udfs.contract import LabelledContract

SHARP = 1e-9  # tolerance: no derivative of the mean loss is above it


class TestLogistic(LabelledContract):
    """Two classes, by their odds."""

    family = "logistic"
    classes = True
    options: ClassVar[dict[str, Any]] = {"label_col": "y"}

    def quick(self):
        return {"max_iterations": 3}


def fitted(features, label, training=None, chunk=23, **options):
    """A model of the columns of a matrix, which are called x0, x1, ..."""
    family, _ = find_family("logistic")
    table = pa.table({**{f"x{at}": column for at, column in enumerate(features.T)}, "y": label})
    made, _ = read_options(family.options, {"label_col": "y", "tolerance": SHARP, **options}, "logistic")
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, made, training or Training())


def made_up(classes=2, rows=300, width=3, seed=0):
    """Columns of mean 0 and different scale, and classes that depend on them by chance."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, width)) * np.array([1.0, 3.0, 0.5])[:width]
    sums = features @ rng.normal(size=(width, classes)) + rng.normal(size=classes)
    return features, (sums + rng.gumbel(size=sums.shape)).argmax(axis=1)


def with_one(features):
    """A column of 1 beside the others."""
    return np.column_stack([features, np.ones(len(features))])


def weights_of(model):
    """Weights of the columns as they are, and the constants, shape (outputs, width + 1)."""
    return np.column_stack([model.learned["weights"], model.learned["intercept"]])


@pytest.mark.parametrize("seed", range(3))
def test_derivatives_are_zero_at_the_optimum(seed):
    """Sum over rows of (probability - class) x is 0 for every column, the constant included."""
    features, label = made_up(seed=seed)
    weights = weights_of(fitted(features, label))[0]
    x = with_one(features)
    slope = x.T @ (expit(x @ weights) - label) / len(label)
    assert np.abs(slope).max() < 1e-7


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_ridge_equals_another_minimiser(standardize, fit_intercept):
    """The weights are those of scipy's BFGS on the loss written out, with the penalty on scaled or plain weights."""
    features, label = made_up()
    x = with_one(features) if fit_intercept else features
    scale = features.std(axis=0) if standardize else np.ones(3)

    def loss(w):
        z = x @ w
        return np.logaddexp(0, z).sum() - z @ label + 0.5 * 4.0 * np.square(w[:3] * scale).sum()

    def slope(w):
        penalty = np.zeros(len(w))
        penalty[:3] = 4.0 * w[:3] * scale**2
        return x.T @ (expit(x @ w) - label) + penalty

    wanted = minimize(loss, np.zeros(x.shape[1]), jac=slope, method="BFGS", options={"gtol": 1e-9}).x
    found = weights_of(fitted(features, label, l2_reg=4.0, standardize=standardize, fit_intercept=fit_intercept))[0]
    assert found[:3] == pytest.approx(wanted[:3], rel=1e-5, abs=1e-6)
    assert found[3] == pytest.approx(wanted[3] if fit_intercept else 0.0, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("classes", [3, 5])
def test_more_classes_equal_another_minimiser(classes):
    """Probabilities are those of the ridge optimum of the softmax, found by scipy."""
    features, label = made_up(classes)
    x, one = with_one(features), np.eye(classes)[label]

    def loss(flat):
        w = flat.reshape(classes, 4)
        value = -(log_softmax(x @ w.T, axis=1) * one).sum() + 0.5 * 2.0 * np.square(w[:, :3]).sum()
        slope = (softmax(x @ w.T, axis=1) - one).T @ x
        slope[:, :3] += 2.0 * w[:, :3]
        return value, slope.ravel()

    wanted = minimize(loss, np.zeros(classes * 4), jac=True, method="BFGS", options={"gtol": 1e-7}).x.reshape(-1, 4)
    model = fitted(features, label, l2_reg=2.0)
    found = weights_of(model)
    assert found[:, :3] == pytest.approx(wanted[:, :3], abs=1e-4)
    assert model.raw(features) == pytest.approx(softmax(x @ wanted.T, axis=1), abs=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_class_is_stated_as_often_as_it_occurs(classes):
    """With constants and no penalty the mean probability of every class is its share of the rows."""
    features, label = made_up(classes)
    chances = fitted(features, label).predicted(features)
    assert chances.sum(axis=1) == pytest.approx(1.0)
    assert chances.mean(axis=0) == pytest.approx(np.bincount(label) / len(label), abs=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_balanced_classes_are_stated_equally_often(classes):
    """Where every class counts alike, so do the weighted means of their probabilities; rows repeated do the same."""
    features, label = made_up(classes)
    counts = np.bincount(label)
    balanced = fitted(features, label, class_weights="balanced").predicted(features)
    weights = (1.0 / counts)[label]
    assert weights @ balanced / weights.sum() == pytest.approx(1 / classes, abs=1e-6)


def test_a_weight_of_two_is_a_row_twice():
    """A class with half the rows of the other, balanced, gives the weights of a table that has these rows twice."""
    features, label = made_up()
    few, many = np.flatnonzero(label == 1)[:60], np.flatnonzero(label == 0)[:120]
    once, twice = np.concatenate([many, few]), np.concatenate([many, few, few])
    one = fitted(features[once], label[once], class_weights="balanced")
    two = fitted(features[twice], label[twice])
    assert weights_of(one) == pytest.approx(weights_of(two), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_lasso_meets_the_conditions_of_its_optimum(share):
    """The slope of the loss is -l1 times the sign of a weight, and at most l1 where a weight is 0."""
    rng = np.random.default_rng(4)
    features = rng.normal(size=(300, 6))
    label = (features[:, 0] - 0.5 * features[:, 1] + rng.logistic(size=300) > 0).astype(int)
    l1 = share * float(np.abs((features - features.mean(axis=0)).T @ (label - label.mean())).max())
    weights = weights_of(fitted(features, label, l1_reg=l1))[0]
    x = with_one(features)
    slope = (x.T @ (expit(x @ weights) - label))[:6]
    some = np.abs(weights[:6]) > 1e-9
    assert 0 < some.sum() < 6
    assert slope[some] == pytest.approx(-l1 * np.sign(weights[:6][some]), rel=1e-3)
    assert (np.abs(slope[~some]) <= l1 * (1 + 1e-3)).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_separable_classes_have_finite_weights(classes):
    """Where a line separates the classes the loss has no minimum; weights stay finite, and every row is right."""
    x = np.linspace(-1, 1, 60)[:, None]
    label = np.digitize(x[:, 0], np.linspace(-1, 1, classes + 1)[1:-1])
    model = fitted(x, label)
    assert np.isfinite(weights_of(model)).all()
    assert np.abs(weights_of(model)).max() < 1e6
    assert model.predicted(x).argmax(axis=1).tolist() == label.tolist()


def test_the_same_column_twice():
    """Probabilities are those of the column alone, and the weight is shared equally."""
    features, label = made_up(width=1)
    one, two = fitted(features, label), fitted(np.repeat(features, 2, axis=1), label)
    assert two.raw(np.repeat(features, 2, axis=1)) == pytest.approx(one.raw(features), abs=1e-5)
    weights = weights_of(two)[0]
    assert weights[0] == pytest.approx(weights[1], abs=1e-4)


def test_scale_and_place_do_not_matter():
    """Without a penalty a column in other units, far from 0, gives the same probabilities."""
    features, label = made_up()
    moved = features * np.array([1e6, 1e-6, 1.0]) + np.array([1e9, 0.0, -500.0])
    assert fitted(moved, label).raw(moved) == pytest.approx(fitted(features, label).raw(features), abs=1e-4)


def test_rows_read_again_give_the_same_model():
    """A training that cannot keep the rows in memory learns the same weights."""
    features, label = made_up()
    kept, read = fitted(features, label), fitted(features, label, Training(memory_bytes=1))
    assert weights_of(kept).tolist() == weights_of(read).tolist()


def test_the_loss_falls_to_the_mean_log_loss():
    """The log of the rounds never rises, and ends with the log loss of the training rows."""
    features, label = made_up()
    training = Training()
    model = fitted(features, label, training)
    losses = [loss for _, loss, _ in training.log]
    assert losses == sorted(losses, reverse=True)
    chances = model.predicted(features)[np.arange(len(label)), label]
    assert losses[-1] == pytest.approx(-np.log(chances).mean(), rel=1e-6)


def test_too_few_iterations_are_noted():
    """A training that ends before it has settled says so."""
    features, label = made_up()
    training = Training()
    fitted(features, label, training, max_iterations=1)
    assert training.warnings == ["the weights had not settled after max_iterations = 1"]


def test_classes_and_weights_by_name():
    """Answers are classes with a probability each, in order; weights of two classes speak for the second."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT range % 10 AS x, range % 10 + range % 3 > 5 AS y FROM range(300)")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'logistic_reg', label_col = 'y') AS FROM t")
        found = dict(con.execute("SELECT processed_input, weight FROM weights(MODEL m)").fetchall())
        assert found["x"] > 0
        for x, label, chances, _ in con.execute("FROM predict(MODEL m, (SELECT range AS x FROM range(10)))").fetchall():
            chance = expit(found["x"] * x + found[INTERCEPT])
            assert [each["label"] for each in chances] == [False, True]
            assert [each["prob"] for each in chances] == pytest.approx([1 - chance, chance])
            assert label == (chance >= 0.5)


def test_a_threshold_moves_the_line():
    """At 0 everything is the second class; of three classes a threshold is refused."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT range AS x, range % 2 AS y, range % 3 AS z FROM range(60)")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'logistic', label_col = 'y', ignore_cols = ['z']) AS FROM t")
        rows = con.execute("SELECT DISTINCT predicted_y FROM predict(MODEL m, TABLE t, threshold => 0)").fetchall()
        assert rows == [(1,)]
        counts = con.execute("SELECT * FROM confusion_matrix(MODEL m, TABLE t, threshold => 0)").fetchall()
        assert sorted(counts) == [("0", "1", 30), ("1", "1", 30)]
        con.execute("CREATE MODEL n OPTIONS (model_type = 'logistic', label_col = 'z', ignore_cols = ['y']) AS FROM t")
        with pytest.raises(paretosql.ProgrammingError, match="threshold is for two classes, this model has 3"):
            con.execute("SELECT * FROM predict(MODEL n, TABLE t, threshold => 0.5)").fetchall()


def test_a_class_that_training_has_not_seen_counts_as_wrong():
    """evaluate on rows of a new class: accuracy falls by their share, and the matrix has them under NULL."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT range AS x, range >= 50 AS b, CASE WHEN b THEN 'p' ELSE 'q' END AS y"
                    " FROM range(100)")  # fmt: skip
        con.execute("CREATE MODEL m OPTIONS (model_type = 'logistic', label_col = 'y', ignore_cols = ['b']) AS FROM t")
        asked = "(SELECT 99 AS x, 'p' AS y UNION ALL SELECT 0, 'q' UNION ALL SELECT 99, 'new' UNION ALL SELECT 0, 'p')"
        found = dict(con.execute(f"SELECT * FROM evaluate(MODEL m, {asked})").fetchall())
        assert found["accuracy"] == 0.5
        matrix = set(con.execute(f"SELECT * FROM confusion_matrix(MODEL m, {asked})").fetchall())
        assert matrix == {("p", "p", 1), ("q", "q", 1), (None, "p", 1), ("p", "q", 1)}
