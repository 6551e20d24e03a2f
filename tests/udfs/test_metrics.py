"""Metrics of predictions against definitions written out as loops, and against numbers worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.udfs import metrics

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=30)


@st.composite
def scored(draw):
    """Scores with many ties, and which rows are positive."""
    score = draw(SCORES)
    return np.array(draw(st.lists(st.booleans(), min_size=len(score), max_size=len(score)))), np.array(score)


def test_regression_by_hand():
    """Errors 0, 1, -2, 3 around expected values 1, 2, 3, 6."""
    expected, predicted = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 1.0, 5.0, 3.0])
    found = dict(metrics.regression(expected, predicted))
    assert found["mean_absolute_error"] == 6 / 4
    assert found["mean_squared_error"] == 14 / 4
    assert found["rmse"] == math.sqrt(14 / 4)
    assert found["median_absolute_error"] == 1.5
    assert found["r2_score"] == pytest.approx(1 - 14 / 14)  # squared distances from the mean 3: 4 + 1 + 0 + 9
    assert found["explained_variance"] == pytest.approx(1 - (14 / 4 - 0.5**2) / (14 / 4))


def test_a_constant_error_is_explained_but_not_right():
    """A shift of all predictions costs r2_score, but no explained variance."""
    expected = np.array([1.0, 2.0, 3.0])
    found = dict(metrics.regression(expected, expected + 1))
    assert found["explained_variance"] == 1.0
    assert found["r2_score"] == pytest.approx(1 - 3 / 2)


def test_nothing_to_compare_is_not_a_number():
    """Without rows, or with nothing to explain, a metric is NaN rather than 0 or 1."""
    assert all(math.isnan(value) for _, value in metrics.regression(np.empty(0), np.empty(0)))
    assert math.isnan(dict(metrics.regression(np.ones(3), np.zeros(3)))["r2_score"])
    none = np.empty(0, np.int64)
    assert all(math.isnan(value) for _, value in metrics.classification(metrics.confusion(none, none, 2)))
    assert math.isnan(metrics.log_loss(none, np.empty((0, 2))))
    assert math.isnan(metrics.calibration_error(none, np.empty((0, 2))))


def test_two_classes_by_hand():
    """Three of four predicted ones are right, of five ones three are found."""
    expected = np.array([1, 1, 1, 1, 1, 0, 0, 0])
    predicted = np.array([1, 1, 1, 0, 0, 1, 0, 0])
    found = dict(metrics.classification(metrics.confusion(expected, predicted, 2)))
    assert found == pytest.approx({"accuracy": 5 / 8, "precision": 3 / 4, "recall": 3 / 5, "f1_score": 6 / 9})


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_more_classes_are_a_mean_over_classes(pairs):
    """Precision, recall and f1 of each class by counting, then the plain mean; an unseen class (-1) is always wrong."""
    expected, predicted = map(np.array, zip(*pairs, strict=True))
    found = dict(metrics.classification(metrics.confusion(expected, predicted, 4)))
    each = []
    for one in range(4):
        right = sum(e == one == p for e, p in pairs)
        taken, actual = sum(p == one for _, p in pairs), sum(e == one for e, _ in pairs)
        if taken + actual:
            each.append((right / taken if taken else 0, right / actual if actual else 0, 2 * right / (taken + actual)))
    assert found["accuracy"] == pytest.approx(sum(e == p for e, p in pairs) / len(pairs))
    assert (found["precision"], found["recall"], found["f1_score"]) == pytest.approx(tuple(np.mean(each, axis=0)))


def test_log_loss_by_hand():
    """The mean of -log of what was given to the right class; a class given nothing costs -log of `LEAST`."""
    chances = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
    assert metrics.log_loss(np.array([0, 1, 0]), chances) == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 3)
    assert metrics.log_loss(np.array([1]), chances[2:]) == pytest.approx(-math.log(metrics.LEAST))
    assert metrics.log_loss(np.array([-1]), chances[:1]) == pytest.approx(-math.log(metrics.LEAST))


@given(scored())
def test_auc_counts_pairs(data):
    """The share of pairs of a positive and a negative row that the score orders rightly, ties half."""
    positive, score = data
    pairs = list(itertools.product(score[positive], score[~positive]))
    if not pairs:
        assert math.isnan(metrics.roc_auc(positive, score))
        return
    wanted = sum((up > down) + 0.5 * (up == down) for up, down in pairs) / len(pairs)
    assert metrics.roc_auc(positive, score) == pytest.approx(wanted)


def test_auc_of_three_classes_is_the_mean_of_each_against_the_rest():
    """A class that no row has is left out of the mean."""
    chances = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.4, 0.5, 0.1], [0.6, 0.3, 0.1]])
    expected = np.array([0, 1, 1, 0])
    assert metrics.roc_auc_of_classes(expected, chances) == 1.0
    expected = np.array([1, 1, 0, 0])
    assert metrics.roc_auc_of_classes(expected, chances) == 0.5


def test_calibration_by_hand():
    """Two bins: 0.05 stated of four rows of which one came true, 0.95 of two that both did."""
    chances = np.array([0.05] * 4 + [0.95] * 2)
    both = np.stack([1 - chances, chances], axis=1)
    expected = np.array([1, 0, 0, 0, 1, 1])
    assert metrics.calibration_error(expected, both) == pytest.approx((4 * 0.2 + 2 * 0.05) / 6)


def test_calibration_of_more_classes_is_about_the_predicted_one():
    """The most probable class is right in half of the rows that state 0.6."""
    chances = np.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3]])
    assert metrics.calibration_error(np.array([0, 2]), chances) == pytest.approx(0.1)
    assert metrics.calibration_error(np.array([0, -1]), chances) == pytest.approx(0.1)


@given(scored())
def test_roc_points_count_rows_from_the_threshold_on(data):
    """At each threshold, the positive and negative rows with at least that score."""
    positive, score = data
    thresholds, hits, alarms = metrics.roc_points(positive, score)
    assert list(thresholds) == sorted(set(score), reverse=True)
    for threshold, hit, alarm in zip(thresholds, hits, alarms, strict=True):
        assert hit == sum(positive & (score >= threshold))
        assert alarm == sum(~positive & (score >= threshold))


def test_roc_points_are_few():
    """Of many thresholds at most 200 stay, the first and the last among them; the last counts all rows."""
    score = np.random.default_rng(0).random(5_000)
    positive = score > 0.3
    thresholds, hits, alarms = metrics.roc_points(positive, score)
    assert len(thresholds) <= 200
    assert (thresholds[0], thresholds[-1]) == (score.max(), score.min())
    assert (hits[-1], alarms[-1]) == (positive.sum(), (~positive).sum())


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([0.1, 0.2, 0.3])), min_size=1, max_size=9),
    st.integers(1, 4),
)
def test_ndcg_is_a_mean_over_all_orders_of_ties(rows, k):
    """Rows of equal score in every possible order: the mean of their gains, as a share of the best order's."""
    group, relevance, score = (np.array(each) for each in zip(*rows, strict=True))
    shares = []
    for one in set(group):
        mine = [(-s, 2.0**r - 1) for g, r, s in rows if g == one]
        best = sum(gain / math.log2(at + 2) for at, gain in enumerate(sorted((g for _, g in mine), reverse=True)[:k]))
        if best == 0 or len(mine) > 6:
            continue
        orders = [
            order for order in itertools.permutations(mine) if [s for s, _ in order] == sorted(s for s, _ in mine)
        ]
        gains = [sum(gain / math.log2(at + 2) for at, (_, gain) in enumerate(order[:k])) for order in orders]
        shares.append(np.mean(gains) / best)
    if any((group == one).sum() > 6 for one in set(group)):
        return
    value, groups = metrics.ndcg(group, relevance.astype(float), score, k)
    assert groups == len(shares)
    assert math.isnan(value) if not shares else value == pytest.approx(np.mean(shares))


def test_davies_bouldin_by_hand():
    """Three clusters on a line at 0, 1 and 5 with spreads 0.1, 0.3 and 0.5."""
    middles = np.array([0.0, 1.0, 5.0])
    found = metrics.davies_bouldin(np.array([0.1, 0.3, 0.5]), np.abs(middles[:, None] - middles))
    assert found == pytest.approx((0.4 / 1 + 0.4 / 1 + 0.8 / 4) / 3)
    assert math.isnan(metrics.davies_bouldin(np.array([0.1]), np.zeros((1, 1))))
