"""NSGA-II: its parts against their definitions, and the whole against stages that can be tried through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from paretosql.optimizer.evolution import (
    POPULATION,
    Population,
    crowding,
    hypervolume,
    nsga2,
    offspring,
    ranks,
    survivors,
)
from paretosql.optimizer.frontier import pareto
from paretosql.optimizer.policy import PolicyOptions
from paretosql.optimizer.problem import Plan
from paretosql.optimizer.repair import joint_space
from paretosql.optimizer.weighted_sum import best_by_weight, weighted_sum
from tests.optimizer.problems import THREE, every_score, random_problem, tiny_problems

WHOLE = st.integers(0, 6).map(float)


@given(points=arrays.arrays(np.float64, st.tuples(st.integers(1, 20), st.just(2)), elements=WHOLE))
@settings(max_examples=60)
def test_ranks_are_layers(points):
    """Rank 0 is dominated by nobody; every other rank by someone of the rank below, and by nobody of its own."""
    rank = ranks(points)
    for i, point in enumerate(points):
        above = (points <= point).all(axis=1) & (points < point).any(axis=1)
        assert rank[i] == (rank[above].max() + 1 if above.any() else 0)


def test_crowding():
    """Ends are infinitely far from others; a point in between counts the gap of its neighbours in each column."""
    assert crowding(np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]])).tolist() == [np.inf, 2.0, np.inf]


@given(points=arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=WHOLE))
@settings(max_examples=60)
def test_hypervolume_counts_cells(points):
    """On whole numbers it is the number of unit cells that some point dominates."""
    front = points[pareto(points)]
    x, y = np.meshgrid(np.arange(8), np.arange(8))
    cells = np.any([(x >= p[0]) & (y >= p[1]) for p in points], axis=0)
    assert hypervolume(front, np.array([8.0, 8.0])) == cells.sum()


def test_repetitions_survive_last():
    """A copy of the best point is worth less than the worst of the others."""
    points = np.array([[1.0, 1.0]] * POPULATION + [[2.0, 2.0], [3.0, 3.0]])
    none = np.zeros((len(points), 1), dtype=np.int64)
    kept = survivors(Population(none, none, points)).points
    assert kept[:4].tolist() == [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 1.0]]


def test_better_parents_have_more_children():
    """Of two parents the better wins: by rank 0 to 99, winners have rank 33 on average, losers 66."""
    space = joint_space(random_problem(1, 200, POPULATION, room=50.0))
    genes = np.repeat(np.arange(POPULATION)[:, None], 200, axis=1)
    people = Population(genes, np.zeros_like(genes), np.zeros((POPULATION, 2)))
    machine, _ = offspring(space, people, np.random.default_rng(0))
    assert 25 < machine.mean() < 42


def test_weighted_sums_of_all_plans():
    """Of a stage with 216 plans every one is drawn, so the points are the best of them for each weight."""
    problem = random_problem(10, 3, 2, containers=THREE, room=3.0)
    everything = np.array(every_score(problem, np.arange(3)))
    front = everything[pareto(everything)]
    expected = front[np.unique(best_by_weight(front, everything.max(axis=0)))]
    assert len(expected) == 4
    assert weighted_sum(problem, PolicyOptions(limit_s=np.inf)).points == pytest.approx(expected)


@given(problem=tiny_problems())
@settings(max_examples=8)
def test_tiny_stages_are_solved(problem):
    """Both random searches find nearly the whole frontier of stages with at most 1,296 plans."""
    space = joint_space(problem)
    assume(len(space.now))
    everything = np.array(every_score(problem, space.now))
    best = everything[pareto(everything)]
    reference = best.max(axis=0) * 2
    for policy, share in ((nsga2, 0.98), (weighted_sum, 0.9)):
        found = policy(problem, PolicyOptions(limit_s=np.inf)).points
        assert hypervolume(found, reference) >= share * hypervolume(best, reference)
        assert hypervolume(found, reference) <= hypervolume(best, reference) * (1 + 1e-9)


def test_it_gets_better_with_time():
    """The frontier of a search that converged covers more than that of its first population."""
    problem = random_problem(8, 17, 5)
    first, last = nsga2(problem, PolicyOptions(limit_s=0.0)), nsga2(problem, PolicyOptions(limit_s=np.inf))
    reference = np.maximum(first.points.max(axis=0), last.points.max(axis=0)) * 1.1
    assert last.complete
    assert hypervolume(last.points, reference) > 1.2 * hypervolume(first.points, reference)


@pytest.mark.parametrize("policy", [nsga2, weighted_sum])
def test_weights_choose_from_the_frontier(policy):
    """With all weight on one objective the plan is that end of the frontier."""
    problem = random_problem(8, 6, 4)
    fast, cheap = (policy(problem, PolicyOptions(weights=each, limit_s=np.inf)) for each in ((1, 0), (0, 1)))
    assert isinstance(fast.plan, Plan)
    assert fast.points.tolist() == cheap.points.tolist()
    assert (fast.chosen, cheap.chosen) == (0, len(fast.points) - 1)
