"""Progressive Frontier: how a found point splits a box, and what it finds on stages that can be tried through."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paretosql.optimizer.evolution import hypervolume
from paretosql.optimizer.frontier import pareto
from paretosql.optimizer.policy import PolicyOptions
from paretosql.optimizer.progressive import Box, explore, progressive_frontier
from paretosql.optimizer.repair import joint_space
from tests.optimizer.problems import every_score, random_problem, tiny_problems

UNIT = st.floats(0.0, 1.0)


@given(x=UNIT, y=UNIT)
def test_a_point_splits_a_box(x, y):
    """What dominates the point and what it dominates is dropped; the two parts that are neither stay."""
    parts = Box((0.0, 0.0), (1.0, 1.0)).split(np.array([x, y]))
    assert np.isclose(sum(each.area for each in parts), 1 - x * y - (1 - x) * (1 - y))
    for each in parts:
        middle = (np.array(each.low) + each.high) / 2
        assert not (middle < (x, y)).all()
        assert not (middle > (x, y)).all()


def test_a_failed_probe_leaves_the_dearer_half():
    """Nothing costs less than the middle, so only the half above it is left."""
    assert Box((0.0, 0.0), (4.0, 8.0)).rest() == [Box((0.0, 4.0), (4.0, 8.0))]


def test_after_a_failed_probe_the_dearer_half_is_probed():
    """There is one point, (4, 6): nothing is found within cost 4, then the middle between 4 and 8 finds it."""
    probes = []

    class OnePoint:
        points = np.array([[4.0, 6.0]])

        def minimise(self, target: int, high: np.ndarray) -> int | None:
            probes.append((target, high.tolist()))
            return 0 if (self.points[0] <= high).all() else None

        def late(self) -> bool:
            return False

    assert explore(OnePoint(), Box((0.0, 0.0), (8.0, 8.0)))  # type: ignore[arg-type]
    assert probes[:2] == [(0, [8.0, 4.0]), (0, [8.0, 6.0])]


@given(problem=tiny_problems())
@settings(max_examples=8)
def test_tiny_stages_are_solved(problem):
    """It finds nearly the whole frontier of stages with at most 1,296 plans, and nothing that is not there."""
    space = joint_space(problem)
    assume(len(space.now))
    everything = np.array(every_score(problem, space.now))
    best = everything[pareto(everything)]
    outcome = progressive_frontier(problem, PolicyOptions(limit_s=np.inf))
    reference = best.max(axis=0) * 2
    share = hypervolume(outcome.points, reference) / hypervolume(best, reference)
    assert outcome.complete
    assert 0.98 <= share <= 1 + 1e-9


def test_probes_improve_on_the_corners():
    """The probes add points between the fastest and the cheapest of the first samples."""
    problem = random_problem(8, 17, 5)
    first, last = (progressive_frontier(problem, PolicyOptions(limit_s=each)) for each in (0.0, np.inf))
    reference = np.maximum(first.points.max(axis=0), last.points.max(axis=0)) * 1.1
    assert not first.complete
    assert hypervolume(last.points, reference) > hypervolume(first.points, reference)
