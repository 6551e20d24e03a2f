"""Pareto sets of points, and the choice from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.optimizer.frontier import dominates, nearest_utopia, pareto

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


@given(POINTS)
def test_pareto_keeps_what_nothing_dominates(points):
    """By definition: a point stays when no other is as good in both and better in one, and of equal points one."""
    found = {points[at] for at in pareto(points)}
    best = {p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)}
    assert found == best
    assert len(pareto(points)) == len(best)


@given(POINTS)
def test_pareto_is_sorted(points):
    """Latency rises, cost falls."""
    kept = np.array([points[at] for at in pareto(points)])
    assert (np.diff(kept[:, 0]) > 0).all()
    assert (np.diff(kept[:, 1]) < 0).all()


@pytest.mark.parametrize(
    ("weights", "expected"), [((1, 1), (6, 5)), ((1, 0.2), (5, 7)), ((1, 0), (5, 7)), ((0, 1), (10, 3))]
)
def test_the_worked_example(weights, expected):
    """Section 6.2 of the method's notes; all weight on one objective gives its best point."""
    front = [(10, 3), (8, 4), (6, 5), (5, 7)]
    assert front[nearest_utopia(front, weights)] == expected


@given(POINTS, st.tuples(st.integers(1, 5), st.integers(1, 5)), st.integers(1, 7), st.integers(0, 5))
def test_the_choice_depends_on_neither_unit_nor_origin(points, weights, unit, origin):
    """Scaling or shifting an objective, as other units and prices do, changes no choice."""
    moved = [(unit * a + origin, b) for a, b in points]
    assert points[nearest_utopia(points, weights)] == points[nearest_utopia(moved, weights)]


def test_ties_go_to_the_faster():
    """Two points as near: the lower latency wins, whatever the order."""
    assert nearest_utopia([(0, 4), (4, 0), (3, 3.9)], (1, 1)) == 0
    assert nearest_utopia([(4, 0), (0, 4), (3, 3.9)], (1, 1)) == 1
    assert nearest_utopia([(3, 3)], (1, 1)) == 0


@pytest.mark.parametrize(
    ("points", "weights", "words"),
    [
        ([], (1, 1), "points have the shape"),
        ([(1, 2)], (0, 0), "weights"),
        ([(1, 2)], (-1, 2), "weights"),
        ([(1, 2)], (1,), "weights"),
        ([(1, 2)], "ab", "weights"),
        ([(1, float("nan"))], (1, 1), "row 0"),
    ],
)
def test_bad_input_is_refused(points, weights, words):
    """Nothing to choose from, or weights that are none."""
    with pytest.raises(DataError, match=words):
        nearest_utopia(points, weights)


def test_points_must_be_points():
    """Shape and sign are checked, and the row is named."""
    with pytest.raises(DataError, match="shape"):
        pareto([1, 2, 3])
    with pytest.raises(DataError, match="row 1"):
        pareto([(1, 1), (-1, 2)])
    assert pareto([]).tolist() == []


def test_dominates():
    """No worse in anything, up to the slack."""
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 4), (1, 3))
    assert dominates((1.04, 2), (1, 3), slack=0.05)
