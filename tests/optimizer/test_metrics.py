"""Measures of error against the same sums by hand, and splits that never divide a job."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.optimizer.metrics import MEANING, metrics
from paretosql.optimizer.splits import by_time, folds, recurring

POSITIVE = st.floats(0.01, 1e4)


def test_measures_by_hand():
    """Three instances of two stages on one, one and two cores."""
    found = metrics([1.0, 3.0, 4.0], [2.0, 3.0, 3.0], [7, 7, 9], [[1, 0], [1, 4], [2, 0]])
    assert found["wmape"] == pytest.approx(2 / 8)
    assert found["median_error"] == pytest.approx(0.25)  # errors are 1, 0 and 1/4
    assert found["p95_error"] == pytest.approx(0.25 + 0.9 * 0.75)  # linear between the two largest
    assert found["correlation"] == pytest.approx(np.corrcoef([1, 3, 4], [2, 3, 3])[0, 1])
    assert found["global_error"] == pytest.approx(abs((2 + 6 + 6) - (1 + 6 + 8)) / (1 + 6 + 8))
    assert found["stage_wmape"] == pytest.approx((0 + 1) / (3 + 4))
    assert list(found) == list(MEANING)


@given(st.lists(POSITIVE, min_size=2, max_size=30))
def test_a_perfect_prediction_has_no_error(actual):
    """Every error is 0 and the correlation, where there is one, is 1."""
    found = metrics(actual, actual, np.zeros(len(actual)))
    assert [found[name] for name in ("wmape", "median_error", "p95_error", "global_error", "stage_wmape")] == [0.0] * 5
    assert math.isnan(found["correlation"]) or found["correlation"] == pytest.approx(1.0)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=30), st.floats(0.1, 10.0))
def test_relative_measures_do_not_depend_on_the_unit(pairs, factor):
    """Seconds or milliseconds: the measures are the same."""
    actual, predicted = np.array(pairs).T
    plain, scaled = metrics(actual, predicted), metrics(factor * actual, factor * predicted)
    for name in ("wmape", "median_error", "p95_error", "global_error"):
        assert scaled[name] == pytest.approx(plain[name], rel=1e-9, abs=1e-12)


def test_what_has_no_value_is_nan():
    """No rows, no time at all, or a constant prediction."""
    assert all(math.isnan(value) for value in metrics([], []).values())
    assert math.isnan(metrics([0.0], [1.0])["wmape"])
    assert math.isnan(metrics([1.0, 2.0], [3.0, 3.0])["correlation"])
    assert math.isnan(metrics([1.0], [1.0])["stage_wmape"])


@pytest.mark.parametrize(
    ("actual", "predicted", "more"),
    [
        ([1.0], [1.0, 2.0], {}),
        ([-1.0], [1.0], {}),
        ([np.nan], [1.0], {}),
        ([[1.0]], [[1.0]], {}),
        ([1.0, 2.0], [1.0, 2.0], {"stage": [1]}),
        ([1.0, 2.0], [1.0, 2.0], {"containers": [[1, 2]]}),
    ],
)
def test_wrong_arguments_are_refused(actual, predicted, more):
    """Shapes that differ, negative numbers and NaN."""
    with pytest.raises(DataError):
        metrics(actual, predicted, **more)


@given(st.lists(st.integers(1, 50), min_size=3, max_size=40), st.integers(0, 5))
def test_time_ordered_splits_keep_jobs_whole(sizes, seed):
    """Every row is in one part, no job is in two, no part is empty, and later parts hold later jobs."""
    job = np.repeat(np.arange(len(sizes)), sizes)
    time = np.random.default_rng(seed).permutation(len(sizes)).astype(float)
    split = by_time(job, time)
    parts = [split.train, split.validation, split.test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(job)))
    times = [set(time[job[part]].tolist()) for part in parts]
    assert all(times)
    assert max(times[0]) < min(times[1])
    assert max(times[1]) < min(times[2])


def test_a_split_of_equal_jobs_is_80_10_10():
    """Shares are of rows."""
    split = by_time(np.repeat(np.arange(100), 3), np.arange(100.0))
    assert [len(split.train), len(split.validation), len(split.test)] == [240, 30, 30]


def test_jobs_of_unknown_time_are_shuffled_by_the_seed():
    """The same seed gives the same split, another seed another one."""
    job, time = np.arange(50), np.full(50, np.nan)
    test = [by_time(job, time, seed).test.tolist() for seed in (1, 1, 2)]
    assert test[0] == test[1] != test[2]


def test_two_jobs_cannot_be_split():
    """Three parts need three jobs."""
    with pytest.raises(DataError, match="2 jobs"):
        by_time(np.array([0, 1]), [0.0, 1.0])


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 10)), min_size=1, max_size=60), st.integers(1, 5))
def test_folds_keep_groups_whole(rows, count):
    """A group is in one fold."""
    group = np.array([each for each, _ in rows])
    fold = folds(group, np.array([weight for _, weight in rows]), count)
    assert ((fold >= 0) & (fold < count)).all()
    assert all(len(set(fold[group == each].tolist())) == 1 for each in set(group.tolist()))


def test_folds_of_equal_groups_weigh_the_same():
    """Ten groups in five folds: two each."""
    fold = folds(np.arange(10), np.ones(10), 5, seed=3)
    assert np.bincount(fold).tolist() == [2] * 5


def test_templates_that_were_seen_recur():
    """An unknown template never does."""
    assert recurring(["a", "", "b"], ["b", ""]).tolist() == [False, False, True]
