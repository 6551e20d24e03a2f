"""Machines and containers decided together: they fit, nothing beats the bound, and with room to spare they reach it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.optimizer.allocation import allocate
from paretosql.optimizer.policy import PolicyOptions, baselines
from paretosql.optimizer.problem import Problem, score, violations
from tests.optimizer.problems import FOUR, SIZES, random_problem


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(SIZES),
    st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    st.sampled_from([0.0, 0.4]),
    st.booleans(),
)
def test_every_plan_fits(seed, size, room, hungry, equal):
    """Room, diversity and memory hold in every plan of the frontier; its points are the scores; none is dominated."""
    problem = random_problem(seed, *size, room=room, hungry=hungry, equal_machines=equal)
    found = allocate(problem)
    waiting = {int((plan.machine < 0).sum()) for plan in found.plans}
    assert len(waiting) == 1
    for point, plan in zip(found.points, found.plans, strict=True):
        assert violations(problem, plan) == []
        assert tuple(point) == pytest.approx(score(problem, plan))
    assert (np.diff(found.points[:, 0]) > 0).all()
    assert (np.diff(found.points[:, 1]) < 0).all()


def roomy(problem: Problem) -> Problem:
    """The same problem on machines that have room for everything."""
    free = np.full_like(problem.free, 1e6)
    return Problem(
        problem.instance_group, problem.machine_group, problem.latency, problem.containers, problem.prices, free,
        10**6, problem.default, problem.weight, problem.busy,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_with_room_for_all_it_is_optimal(seed):
    """No price is needed: the plan is on the bound, which is the frontier over all choices, and the gap is 0."""
    problem = roomy(random_problem(seed, 40, 12))
    found = allocate(problem)
    bound = {tuple(np.round(each, 9)) for each in found.bound.points}
    assert all(tuple(np.round(each, 9)) in bound for each in found.points)
    assert found.gap == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("room", "median"), [(1.0, 0.3), (1.5, 0.02), (4.0, 0.001)])
def test_it_is_near_the_exact_frontier(room, median):
    """On tiny stages: never below the integer program in both objectives, and near it unless machines are full."""
    exact = baselines()["milp"]
    over = []
    for seed in range(12):
        problem = random_problem(seed, 5, 3, containers=FOUR, room=room, most=3)
        found, best = allocate(problem), exact(problem, PolicyOptions())
        if (found.plans[0].machine < 0).any():
            continue
        for latency, cost in found.points:
            within = best.points[best.points[:, 0] <= latency * (1 + 1e-9)]
            assert len(within)
            over.append(cost / within[:, 1].min() - 1)
            assert over[-1] >= -1e-6
    assert np.median(over) <= median


def test_the_bound_is_below_every_policy():
    """No plan of any policy is cheaper than the bound allows at its latency."""
    for seed in range(5):
        problem = random_problem(seed, 40, 12, room=2.0)
        bound = allocate(problem).bound.points
        for name in ("fuxi", "ipa_raa_path", "round_robin", "least_loaded"):
            latency, cost = score(problem, baselines()[name](problem, PolicyOptions()).plan)
            assert cost >= bound[bound[:, 0] <= latency * (1 + 1e-9), 1].min() * (1 - 1e-9)


def test_weights_move_along_the_frontier():
    """All weight on latency gives its fastest plan, all weight on cost its cheapest."""
    problem = random_problem(3, 40, 12, room=3.0)
    fast, cheap = allocate(problem, (1, 0)), allocate(problem, (0, 1))
    assert fast.chosen == 0
    assert cheap.chosen == len(cheap.points) - 1
    assert fast.points[fast.chosen, 0] <= cheap.points[cheap.chosen, 0]


def test_short_room_starts_the_heaviest():
    """With room for a part of the instances, those with the most work run, and the others wait."""
    problem = random_problem(4, 40, 12, room=0.2)
    plan = allocate(problem).plans[0]
    assert 0 < (plan.machine >= 0).sum() < 40
    assert violations(problem, plan) == []
