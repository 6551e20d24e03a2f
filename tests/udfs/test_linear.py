"""Linear regression: the contract, and its weights against numpy and the conditions of an optimum."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paretosql
from paretosql.udfs.coefficients import INTERCEPT
from paretosql.udfs.families.linear import solved
from paretosql.udfs.model import Training, find_family
from paretosql.udfs.options import read_options
from paretosql.udfs.rows import Spool
from tests.udfs.contract import LabelledContract


class TestLinear(LabelledContract):
    """Least squares."""

    family = "linear"
    options: ClassVar[dict[str, Any]] = {"label_col": "y"}


def fitted(features, label, training=None, chunk=17, **options):
    """A model of the columns of a matrix, which are called x0, x1, ..."""
    family, _ = find_family("linear")
    table = pa.table({**{f"x{at}": column for at, column in enumerate(features.T)}, "y": label})
    made, _ = read_options(family.options, {"label_col": "y", **options}, "linear")
    rows = Spool.of(table.schema, table.to_batches(max_chunksize=chunk))
    return family.model.fit(rows, made, training or Training())


def made_up(rows=200, width=4, seed=0):
    """Columns of different scale and place, and a label with noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, width)) * np.logspace(-2, 3, width) + np.linspace(-50, 800, width)
    weights = rng.normal(size=width) / np.logspace(-2, 3, width)
    return features, features @ weights + 7.0 + rng.normal(size=rows)


def with_one(features):
    """A column of 1 beside the others."""
    return np.column_stack([features, np.ones(len(features))])


def weights_of(model):
    """Weights of the columns as they are, and the constant."""
    return model.learned["weights"][0], model.learned["intercept"][0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(8, 60), st.integers(1, 5))
def test_weights_are_those_of_least_squares(seed, rows, width):
    """Weights and constant equal those of numpy's solver, which works on the matrix itself."""
    features, label = made_up(rows, width, seed)
    wanted = np.linalg.lstsq(with_one(features), label, rcond=None)[0]
    weights, intercept = weights_of(fitted(features, label))
    assert weights == pytest.approx(wanted[:-1], rel=1e-8, abs=1e-8)
    assert intercept == pytest.approx(wanted[-1], rel=1e-6, abs=1e-6)
    assert features @ weights + intercept == pytest.approx(with_one(features) @ wanted, rel=1e-8, abs=1e-8)


def test_without_a_constant():
    """fit_intercept = false: the plane goes through the origin."""
    features, label = made_up()
    weights, intercept = weights_of(fitted(features, label, fit_intercept=False))
    assert intercept == 0.0
    assert weights == pytest.approx(np.linalg.lstsq(features, label, rcond=None)[0], rel=1e-8)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("l2", [0.5, 100.0])
def test_ridge_has_its_closed_form(l2, fit_intercept, standardize):
    """Weights solve (X'X + l2 D) w = X'y, X and y centred where there is a constant, D 1 or the variances."""
    features, label = made_up()
    x, y = (features - features.mean(axis=0), label - label.mean()) if fit_intercept else (features, label)
    penalty = np.diag(features.var(axis=0)) if standardize else np.eye(features.shape[1])
    wanted = np.linalg.solve(x.T @ x + l2 * penalty, x.T @ y)
    weights, intercept = weights_of(
        fitted(features, label, l2_reg=l2, fit_intercept=fit_intercept, standardize=standardize)
    )
    assert weights == pytest.approx(wanted, rel=1e-8, abs=1e-10)
    assert intercept == pytest.approx(label.mean() - features.mean(axis=0) @ wanted if fit_intercept else 0.0)


@pytest.mark.parametrize("l2", [0.0, 3.0])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_lasso_meets_the_conditions_of_its_optimum(share, l2):
    """The slope of the squared errors is l1 times the sign of a weight, and at most l1 where a weight is 0."""
    features, label = made_up(width=6)
    x, y = (features - features.mean(axis=0)) / features.std(axis=0), label - label.mean()
    l1 = share * float(np.abs(x.T @ y).max())
    weights, _ = weights_of(fitted(features, label, l1_reg=l1, l2_reg=l2, standardize=True))
    scaled = weights * features.std(axis=0)
    slope = x.T @ (y - x @ scaled) - l2 * scaled
    some = scaled != 0
    assert some.any()
    assert slope[some] == pytest.approx(l1 * np.sign(scaled[some]), rel=1e-6)
    assert (np.abs(slope[~some]) <= l1 * (1 + 1e-6)).all()


def test_a_large_lasso_leaves_the_mean():
    """From the largest slope on every weight is 0, and the prediction is the mean of the label."""
    features, label = made_up()
    x = features - features.mean(axis=0)
    weights, intercept = weights_of(fitted(features, label, l1_reg=1.001 * float(np.abs(x.T @ label).max())))
    assert weights.tolist() == [0.0] * 4
    assert intercept == pytest.approx(label.mean())


def test_a_lasso_that_has_not_settled_says_so():
    """One pass is too few for columns that depend on each other."""
    features, label = made_up()
    features[:, 1] = features[:, 0] + 0.001 * features[:, 1]
    training = Training()
    fitted(features, label, training, l1_reg=1e-6, max_iterations=1)
    assert training.warnings == ["coordinate descent did not settle within max_iterations = 1"]


def test_columns_that_depend_on_each_other():
    """A column twice, a constant column and a sum of two others: the predictions are still those of least squares."""
    features, label = made_up()
    more = np.column_stack([features, features[:, 0], features[:, 0] + features[:, 1], np.full(len(label), 3.0)])
    weights, intercept = weights_of(fitted(more, label))
    best = np.linalg.lstsq(with_one(features), label, rcond=None)[0]
    assert more @ weights + intercept == pytest.approx(with_one(features) @ best, rel=1e-7, abs=1e-7)
    assert weights[0] == pytest.approx(weights[4]), "a column that is there twice has half the weight each time"
    assert weights[-1] == 0.0


def test_more_columns_than_rows():
    """There the residuals are 0."""
    features, label = made_up(rows=4, width=9)
    weights, intercept = weights_of(fitted(features, label))
    assert features @ weights + intercept == pytest.approx(label, rel=1e-7)


def test_a_number_far_from_zero_keeps_its_digits():
    """Seconds since 1970 as a feature: the weight is that of the same numbers counted from their first."""
    rng = np.random.default_rng(3)
    near = rng.integers(0, 10_000, 300).astype(float)
    label = 0.25 * near + rng.normal(size=300)
    weights, _ = weights_of(fitted(near[:, None] + 1.7e9, label))
    assert weights[0] == pytest.approx(np.polyfit(near, label, 1)[0], rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_of_all_solutions_the_shortest(seed, width, rank):
    """For a singular matrix the solution equals that of the pseudo-inverse, columns scaled to equal length."""
    rng = np.random.default_rng(seed)
    columns = rng.integers(-2, 3, (12, rank)) @ rng.integers(-2, 3, (rank, width)).astype(float)
    gram, moment = columns.T @ columns, columns.T @ rng.normal(size=12)
    length = np.sqrt(np.diagonal(gram))
    length[length == 0] = 1.0
    wanted = np.linalg.pinv(gram / np.outer(length, length), rcond=1e-9, hermitian=True) @ (moment / length) / length
    assert solved(gram, moment) == pytest.approx(wanted, abs=1e-6)


def test_a_category_adds_its_own_constant():
    """With one text column as the only feature a prediction is the mean of its category."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('a', 1.0), ('a', 3.0), ('b', 10.0), ('c', 4.0)) t(c, y)")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'linear_reg', label_col = 'y') AS FROM t")
        rows = con.execute("SELECT c, predicted_y FROM predict(MODEL m, (SELECT DISTINCT c FROM t)) ORDER BY c")
        assert rows.fetchall() == [("a", pytest.approx(2.0)), ("b", pytest.approx(10.0)), ("c", pytest.approx(4.0))]


def test_weights_of_a_model_add_up_to_its_predictions():
    """The table of weights holds one row for each number and each category, and the constant."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT random() AS x, 'c' || range % 3 AS c, random() AS y FROM range(50)")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'y') AS FROM t")
        weights = con.execute("SELECT processed_input, category, weight FROM weights(MODEL m)").fetchall()
        of = {(name, category): weight for name, category, weight in weights}
        assert list(of) == [("x", None), ("c", "c0"), ("c", "c1"), ("c", "c2"), (INTERCEPT, None)]
        rows = con.execute("SELECT x, c, predicted_y FROM predict(MODEL m, TABLE t)").fetchall()
        for x, c, predicted in rows:
            assert predicted == pytest.approx(of["x", None] * x + of["c", c] + of[INTERCEPT, None])


def test_the_loss_in_the_log_is_the_mean_squared_error():
    """What training_info shows is what evaluate finds on the training rows."""
    features, label = made_up()
    training = Training()
    model = fitted(features, label, training, l2_reg=50.0)
    weights, intercept = weights_of(model)
    ((_, loss, _),) = training.log
    assert loss == pytest.approx(np.mean((label - features @ weights - intercept) ** 2))


def test_a_threshold_is_for_classes():
    """The message says that the label is a number."""
    with paretosql.connect(autocommit=True) as con:
        con.execute("CREATE TABLE t AS SELECT range AS x, range * 2.0 AS y FROM range(9)")
        con.execute("CREATE MODEL m OPTIONS (model_type = 'linear', label_col = 'y') AS FROM t")
        with pytest.raises(paretosql.ProgrammingError, match=r"linear: threshold is for two classes, 'y' is a number"):
            con.execute("SELECT * FROM predict(MODEL m, TABLE t, threshold => 0.4)").fetchall()
