"""Placement against independent optima: an integer program, and matchings on expanded slots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from paretosql.errors import DataError, ProgrammingError
from paretosql.optimizer.placement import place


def optimum(latency, capacity):
    """The least bottleneck: the first latency at which a matching on single slots covers all instances."""
    slots = np.repeat(np.arange(len(capacity)), np.minimum(capacity, len(latency)))
    for level in np.unique(latency[np.isfinite(latency)]):
        graph = csr_array(latency[:, slots] <= level)
        if (maximum_bipartite_matching(graph, perm_type="column") >= 0).all():
            return float(level)
    raise AssertionError("nothing fits")


def check(latency, capacity, found):
    """A placement that is one: everybody placed, nobody over capacity, numbers that belong to it."""
    latency, capacity = np.asarray(latency, float), np.asarray(capacity)
    assert (np.bincount(found.machine, minlength=len(capacity)) <= capacity).all()
    assert found.latency_s == latency[np.arange(len(latency)), found.machine].max()
    assert found.lower_bound_s <= found.latency_s
    assert found.gap == pytest.approx(found.latency_s / found.lower_bound_s - 1)


def column_ordered(rng, m, n):
    """Instances in one order of weight on all machines, with ties."""
    work = np.sort(rng.integers(1, 8, m))[:, None]
    factor = rng.integers(1, 6, n)[None, :]
    return np.sort(work * factor + rng.integers(0, 3, (m, n)), axis=0)[rng.permutation(m)].astype(float)


def test_greedy_is_optimal_under_column_order():
    """200 matrices with one order of instances on all machines, ties among them: gap 0, as the integer program says."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        m, n = int(rng.integers(2, 9)), int(rng.integers(1, 7))
        capacity = rng.integers(1, 4, n)
        capacity[0] += max(0, m - capacity.sum())
        latency = column_ordered(rng, m, n)
        greedy = place(latency, capacity, "greedy")
        check(latency, capacity, greedy)
        assert greedy.latency_s == optimum(latency, capacity)
        assert place(latency, capacity).gap == 0
        if seed < 40:
            assert place(latency, capacity, "milp").latency_s == greedy.latency_s


@pytest.mark.parametrize("method", ["auto", "exact"])
def test_any_matrix_is_solved(method):
    """500 random 8 x 5 matrices: the value of the best matching."""
    for seed in range(500):
        rng = np.random.default_rng(seed)
        capacity = rng.integers(1, 4, 5)
        capacity[int(rng.integers(5))] += max(0, 8 - capacity.sum())
        latency = np.round(rng.lognormal(0, 1, (8, 5)), 2)
        found = place(latency, capacity, method)
        check(latency, capacity, found)
        assert found.latency_s == optimum(latency, capacity)
        assert found.gap == 0


def test_instances_of_two_kinds():
    """60 instances, some bound by CPU and some by IO, on 20 machines that are good at one or the other."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        cpu, io = rng.lognormal(0, 1, 20), rng.lognormal(0, 1, 20)
        kind, work = rng.random(60) < 0.5, rng.lognormal(0, 1, 60)
        latency = work[:, None] * np.where(kind[:, None], cpu[None], io[None])
        found = place(latency, np.full(20, 4))
        assert found.latency_s == optimum(latency, np.full(20, 4))
        assert found.gap == 0


def test_the_tie_rule():
    """Both rows could run in 5; taking the first of them first would end at 9."""
    assert place([[5, 6], [5, 9]], [1, 1], "greedy").latency_s == 6


def test_the_worked_example():
    """Section 5 of the method's notes."""
    found = place([[10, 20, 14], [6, 12, 8], [3, 7, 5]], [1, 1, 1])
    assert found.machine.tolist() == [0, 2, 1]
    assert (found.latency_s, found.lower_bound_s, found.gap) == (10, 10, 0)


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 6))
def test_every_method_answers_with_a_placement(seed, m, n):
    """Whatever the matrix: capacity holds, exact is never worse than greedy, and greedy never below its bound."""
    rng = np.random.default_rng(seed)
    latency = rng.integers(0, 30, (m, n)).astype(float)
    latency[rng.random((m, n)) < 0.1] = np.inf
    latency[:, 0] = np.where(np.isinf(latency[:, 0]), 7.0, latency[:, 0])
    capacity = rng.integers(0, 4, n)
    capacity[0] = m
    greedy, exact = place(latency, capacity, "greedy"), place(latency, capacity, "exact")
    for found in (greedy, exact):
        assert (np.bincount(found.machine, minlength=n) <= capacity).all()
    assert exact.latency_s <= greedy.latency_s
    assert greedy.lower_bound_s <= exact.latency_s


def test_the_smallest_stages():
    """No instance, one instance, one machine, equal machines."""
    assert place(np.empty((0, 3)), [1, 1, 1]).machine.tolist() == []
    assert place(np.empty((0, 0)), []).latency_s == 0
    assert place([[3, 2]], [1, 1]).machine.tolist() == [1]
    assert place([[3], [2]], [2]).latency_s == 3
    assert sorted(place(np.full((3, 3), 2.0), [1, 1, 1]).machine.tolist()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("latency", "capacity", "words"),
    [
        ([[1, 2]], [0, 0], "room for 0"),
        ([[1], [2], [3]], [2], "3 instances, but room for 2"),
        ([[1, float("nan")]], [1, 1], r"latency\[0, 1\]"),
        ([[1, -1]], [1, 1], r"latency\[0, 1\] is -1"),
        ([[np.inf, np.inf]], [1, 1], "instance 0"),
        ([[np.inf, 1], [np.inf, 1]], [1, 1], "no placement"),
        ([[1, 2]], [1], "capacity has the shape"),
        ([[1, 2]], [1, 0.5], r"capacity\[1\]"),
        ([[1, 2]], [1, -1], r"capacity\[1\]"),
        ([1, 2], [1, 1], "shape"),
        ([["a"]], [1], "numbers"),
    ],
)
def test_bad_input_is_refused(latency, capacity, words):
    """What is wrong, and where."""
    with pytest.raises(DataError, match=words):
        place(latency, capacity)


def test_unknown_methods_are_refused():
    """With the nearest known name."""
    with pytest.raises(ProgrammingError, match="greedy"):
        place([[1]], [1], "gredy")
