"""Groups of what a model can hardly tell apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretosql.optimizer.grouping import by_prediction


@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 64), st.sampled_from([0.01, 0.1, 1.0]))
def test_groups_are_near_and_few(seed, rows, most, tolerance):
    """At most `most` groups; every row in one; the row that stands for a group is its slowest."""
    latency = np.random.default_rng(seed).lognormal(0, 2, (rows, 2))
    group, heads = by_prediction(latency, tolerance, most)
    assert len(heads) == len(set(group.tolist())) <= most
    for number, head in enumerate(heads):
        mine = latency[group == number, 0]
        assert latency[head, 0] == mine.max()
        if len(heads) < most / 2:
            continue
    fine, _ = by_prediction(latency, tolerance, 10**6)
    for number in range(fine.max() + 1):
        mine = np.maximum(latency[fine == number], 1e-3)  # what is faster is alike
        assert (mine.max(axis=0) <= mine.min(axis=0) * (1 + tolerance) * (1 + 1e-9)).all()


def test_equal_rows_share_a_group():
    """Also when there are many."""
    latency = np.repeat([[3.0], [1.0], [2.0]], 50, axis=0)
    group, heads = by_prediction(latency, 0.05, 64)
    assert group.tolist() == [2] * 50 + [0] * 50 + [1] * 50
    assert latency[heads, 0].tolist() == [1.0, 2.0, 3.0]


def test_nothing_and_one():
    """No rows make no group."""
    assert by_prediction(np.empty((0, 2)), 0.1, 5)[1].tolist() == []
    assert by_prediction(np.array([[2.0]]), 0.1, 5)[0].tolist() == [0]
