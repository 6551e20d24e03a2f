"""Boosted trees on all combinations against LightGBM's own predictions, row by row."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from paretosql.errors import DataError
from paretosql.optimizer.forest import compile_forest, product

CHANNELS = {"stage": range(4), "instance": range(4, 8), "container": range(8, 10), "machine": range(10, 14)}


def train(seed, *, leaves=15, rounds=40, missing=0.1, columns=14):
    """Trees over random rows with missing values, some columns never missing, of a target that uses all channels."""
    rng = np.random.default_rng(seed)
    rows = np.round(rng.random((3_000, columns)), 2)
    rows[:, : columns // 2][rng.random((3_000, columns // 2)) < missing] = np.nan
    known = np.nan_to_num(rows)
    target = known @ rng.normal(0, 1, columns) + known[:, 0] * known[:, -1] + known[:, 5] / (0.2 + known[:, 8])
    options = {
        "objective": "l1",
        "num_leaves": leaves,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
        "min_data_in_leaf": 5,
    }
    return lightgbm.train(options, lightgbm.Dataset(rows, target), rounds), rng


def parts(rng, m, n, k, missing=0.2):
    """Rows of every channel."""
    sizes = {"stage": 1, "instance": m, "container": k, "machine": n}
    found = {}
    for name, columns in CHANNELS.items():
        rows = np.round(rng.random((sizes[name], len(columns))), 2)
        rows[rng.random(rows.shape) < missing] = np.nan
        found[name] = (rows, columns)
    return found


def by_row(booster, given, m, n, k):
    """What LightGBM says about each combination."""
    i, j, t = (each.ravel() for each in np.indices((m, n, k)))
    where = {"stage": np.zeros(len(i), dtype=int), "instance": i, "container": t, "machine": j}
    rows = np.column_stack([given[name][0][where[name]] for name in CHANNELS])
    return booster.predict(rows, num_threads=1).reshape(m, n, k)


@pytest.mark.parametrize("seed", range(6))
def test_all_combinations_are_what_lightgbm_predicts(seed):
    """Missing values included; 32 bit sums are off by 1e-5 at most."""
    booster, rng = train(seed, missing=0.0 if seed == 3 else 0.1)
    forest = compile_forest(booster.dump_model())
    for m, n, k in ((7, 5, 6), (1, 1, 1), (40, 1, 2), (1, 30, 9)):
        given = parts(rng, m, n, k)
        assert product(forest, given) == pytest.approx(by_row(booster, given, m, n, k), abs=1e-5)


def test_values_at_thresholds_go_left():
    """A row that lies exactly on a split goes where LightGBM sends it."""
    booster, rng = train(1)
    forest = compile_forest(booster.dump_model())
    given = parts(rng, 1, 1, 1, missing=0.0)
    for node in range(0, len(forest.feature), 7):
        feature = int(forest.feature[node])
        for name, columns in CHANNELS.items():
            if feature in columns:
                given[name][0][0, feature - columns[0]] = forest.threshold[node]
        assert product(forest, given) == pytest.approx(by_row(booster, given, 1, 1, 1), abs=1e-5)


def test_whole_rows():
    """`predict` is the sum over trees, to the last digits."""
    booster, rng = train(2)
    rows = rng.random((200, 14))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    assert compile_forest(booster.dump_model()).predict(rows) == pytest.approx(booster.predict(rows), abs=1e-12)


def test_trees_without_splits():
    """A constant target makes trees of one leaf."""
    rows = np.random.default_rng(0).random((500, 14))
    booster = lightgbm.train({"objective": "l1", "verbose": -1}, lightgbm.Dataset(rows, np.full(500, 3.0)), 3)
    forest = compile_forest(booster.dump_model())
    given = parts(np.random.default_rng(0), 2, 3, 2)
    assert product(forest, given) == pytest.approx(by_row(booster, given, 2, 3, 2), abs=1e-6)


def test_pruning_keeps_predictions():
    """Leaves that a row cannot reach are no part of its prediction."""
    booster, rng = train(4)
    forest = compile_forest(booster.dump_model())
    row = np.round(rng.random((1, 14)), 2)
    live = forest.reached(row[:, :4], range(4))[0]
    assert live.sum() < len(live)
    assert forest.pruned(live).predict(row) == pytest.approx(booster.predict(row), abs=1e-12)


def test_categories_are_refused():
    """A split on a category is not a threshold."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 4, (500, 2)).astype(float)
    data = lightgbm.Dataset(rows, (rows[:, 0] == 2).astype(float), categorical_feature=[0])
    booster = lightgbm.train({"objective": "l2", "verbose": -1, "min_data_per_group": 1}, data, 2)
    with pytest.raises(DataError, match="not numeric"):
        compile_forest(booster.dump_model())
