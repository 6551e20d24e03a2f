"""The frontier of a stage against every combination of choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from paretosql.errors import DataError
from paretosql.optimizer.hierarchy import general_frontier, stage_frontier


def brute_force(choices, sizes):
    """Pareto-optimal (max latency, sum of costs) over all combinations, as exact tuples."""
    points = set()
    for plan in itertools.product(*(range(len(each)) for each in choices)):
        picked = [choices[i][at] for i, at in enumerate(plan)]
        points.add((max(p[0] for p in picked), sum(p[1] * s for p, s in zip(picked, sizes, strict=True))))
    return sorted(p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points))


def random_stage(seed, sized=False):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 6))
    choices = [rng.integers(1, 20, (int(rng.integers(1, 5)), 2)).astype(float) for _ in range(count)]
    return choices, (rng.integers(1, 6, count).tolist() if sized else [1] * count)


@pytest.mark.parametrize("sized", [False, True])
def test_it_is_every_combination(sized):
    """500 random stages, with and without groups: the same points, and every plan has the score of its point."""
    for seed in range(500):
        choices, sizes = random_stage(seed, sized)
        front = stage_frontier(choices, sizes if sized else None)
        assert [tuple(p) for p in front.points] == brute_force(choices, sizes)
        for at, (latency, cost) in enumerate(front.points):
            picked = [choices[i][row] for i, row in enumerate(front.assignment(at))]
            assert max(p[0] for p in picked) == latency
            assert sum(p[1] * s for p, s in zip(picked, sizes, strict=True)) == pytest.approx(cost)


def test_the_general_method_agrees():
    """With one objective joined by its maximum and one by its sum both methods give the same frontier."""
    for seed in range(100):
        choices, sizes = random_stage(seed, sized=True)
        found = general_frontier(choices, ("max", "sum"), sizes)
        assert found.tolist() == stage_frontier(choices, sizes).points.tolist()


def test_three_objectives():
    """Two maxima and a sum: by every combination."""
    rng = np.random.default_rng(3)
    choices = [rng.integers(1, 9, (3, 3)).astype(float) for _ in range(3)]
    points = set()
    for plan in itertools.product(range(3), repeat=3):
        p = np.array([choices[i][at] for i, at in enumerate(plan)])
        points.add((p[:, 0].max(), p[:, 1].max(), p[:, 2].sum()))
    best = sorted(
        p for p in points if not any(q != p and all(a <= b for a, b in zip(q, p, strict=True)) for q in points)
    )
    assert [tuple(each) for each in general_frontier(choices, ("max", "max", "sum"))] == best


def test_the_worked_example():
    """Section 6.2 of the method's notes."""
    front = stage_frontier([[(10, 1), (6, 2), (4, 4)], [(8, 2), (5, 3)]])
    assert front.points.tolist() == [[5, 7], [6, 5], [8, 4], [10, 3]]


def test_the_smallest_stages():
    """Nothing to run costs nothing; one instance has its own Pareto set; choices that cannot be are left out."""
    assert stage_frontier([]).points.tolist() == [[0, 0]]
    assert stage_frontier([]).assignment(0).tolist() == []
    assert stage_frontier([[(3, 1), (2, 2), (4, 4)]]).points.tolist() == [[2, 2], [3, 1]]
    assert stage_frontier([[(np.inf, np.inf), (2, 2)]]).points.tolist() == [[2, 2]]


def test_many_instances():
    """5,000 instances of 16 choices: tens of thousands of points, and the ends are the fastest and the cheapest."""
    rng = np.random.default_rng(5)
    choices = [np.column_stack((np.sort(rng.random(16))[::-1], np.sort(rng.random(16)))) for _ in range(5_000)]
    front = stage_frontier(choices)
    assert front.points[0, 0] == max(each[:, 0].min() for each in choices)
    assert front.points[-1, 1] == pytest.approx(sum(each[:, 1].min() for each in choices))
    assert len(front) > 30_000


@pytest.mark.parametrize(
    ("choices", "sizes", "words"),
    [
        ([[]], None, "instance 0 has no choice"),
        ([[(1, 2)], [(1, float("nan"))]], None, "instance 1: row 0"),
        ([[(1, 2, 3)]], None, "shape"),
        ([[(1, 2)]], [0], "sizes"),
        ([[(1, 2)]], [1, 1], "sizes"),
    ],
)
def test_bad_choices_are_refused(choices, sizes, words):
    """The instance is named."""
    with pytest.raises(DataError, match=words):
        stage_frontier(choices, sizes)


def test_there_is_no_such_point():
    """A position outside of the frontier, or a way of joining that does not exist."""
    with pytest.raises(DataError, match="none at 3"):
        stage_frontier([[(1, 2)]]).assignment(3)
    with pytest.raises(DataError, match="mean"):
        general_frontier([[(1, 2)]], ("max", "mean"))
    with pytest.raises(DataError, match="combinations"):
        general_frontier([np.random.default_rng(0).random((300, 3))], ("max", "max", "sum"))
