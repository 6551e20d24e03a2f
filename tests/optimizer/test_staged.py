"""Machines first, then containers: the worked examples, and frontiers against all containers that may be taken."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from paretosql.optimizer.frontier import pareto
from paretosql.optimizer.fuxi import watermark_plan
from paretosql.optimizer.policy import PolicyOptions
from paretosql.optimizer.problem import TOLERANCE, Plan, Problem
from paretosql.optimizer.staged import (
    advised_placement,
    ipa,
    ipa_raa_general,
    ipa_raa_path,
    offers,
    raa_only,
    rounded_up,
    uniform_raa,
)
from tests.optimizer.problems import plain_score, random_problem, tiny_problems, uniform_problem

ANY = PolicyOptions()


def two_instances() -> Problem:
    """Section 6.2: A takes (10, 1), (6, 2) or (4, 4), B (8, 2) or (5, 3); a container costs what its cores say."""
    sizes = np.array([[1 / 10, 1], [2 / 6, 1], [4 / 4, 1], [2 / 8, 1], [3 / 5, 1]])
    problem = uniform_problem([[1.0], [1.0]], [100])
    seconds = np.full((2, 1, 5), np.inf)
    seconds[0, 0, :3], seconds[1, 0, 3:] = (10, 6, 4), (8, 5)
    return replace(problem, latency=seconds, containers=sizes, prices=np.array([1.0, 0.0]))


def test_placement_of_the_worked_example():
    """Section 5: the heaviest is first and gets the fastest machine; the stage ends at 10 instead of 20."""
    outcome = ipa(uniform_problem([[10, 20, 14], [6, 12, 8], [3, 7, 5]], [1, 1, 1]), ANY)
    assert outcome.plan.machine.tolist() == [0, 2, 1]
    assert outcome.points[0, 0] == 10.0


def test_ties_of_the_best_latency():
    """Section 5: both could end at 5; the one that is slower elsewhere goes first, and the stage ends at 6."""
    assert ipa(uniform_problem([[5, 6], [5, 9]], [1, 1]), ANY).points[0, 0] == 6.0


@pytest.mark.parametrize("policy", [ipa_raa_path, ipa_raa_general])
@pytest.mark.parametrize(
    ("weights", "point"), [((1, 1), (6, 5)), ((1, 0.2), (5, 7)), ((1, 0), (5, 7)), ((0, 1), (10, 3))]
)
def test_containers_of_the_worked_example(policy, weights, point):
    """Section 6.2: the frontier of the stage, and the choice by weights."""
    outcome = policy(two_instances(), PolicyOptions(weights=weights))
    assert outcome.points == pytest.approx(np.array([(5.0, 7.0), (6.0, 5.0), (8.0, 4.0), (10.0, 3.0)]))
    assert outcome.points[outcome.chosen] == pytest.approx(point)
    assert plain_score(two_instances(), outcome.plan) == pytest.approx(point)


def test_the_heaviest_start_when_room_is_short():
    """Section 7: two places, so the lightest of three waits."""
    outcome = ipa(uniform_problem([[3, 7], [10, 20], [6, 12]], [1, 1]), ANY)
    assert outcome.plan.machine.tolist() == [-1, 0, 1]


def test_the_rest_waits_and_the_others_are_placed_as_if_alone():
    """The tie of section 5 with a third instance for which there is no room."""
    outcome = ipa(uniform_problem([[5, 6], [5, 9], [1, 1]], [1, 1]), ANY)
    assert outcome.plan.machine.tolist() == [1, 0, -1]


def test_who_needs_the_most_memory_is_placed_first():
    """Room for one container of 8 GiB or two of 4; the instance that needs 8 is the lightest, and starts."""
    problem = uniform_problem([[9.0], [9.0], [1.0]], [0])
    seconds = np.repeat(problem.latency, 2, axis=2)
    seconds[2, 0, 0] = np.inf
    sizes = np.array([[1.0, 4.0], [1.0, 8.0]])
    problem = replace(problem, latency=seconds, containers=sizes, free=np.array([[4.0, 9.0]]))
    assert ipa(problem, ANY).plan.machine.tolist() == [-1, -1, 0]


def test_of_equal_costs_the_fastest(monkeypatch):
    """A takes (4.2, 4) or (2, 4), B (4.1, 1) or (1, 3); with two caps, 2 and 4.2, A does not slow the stage down."""
    monkeypatch.setattr("paretosql.optimizer.staged.MOST_CAPS", 2)
    rates = [4 / 4.2, 2.0, 1 / 4.1, 3.0]
    problem = replace(two_instances(), containers=np.array([(each, 1.0) for each in rates]))
    seconds = np.full((2, 1, 4), np.inf)
    seconds[0, 0, :2], seconds[1, 0, 2:] = (4.2, 2.0), (4.1, 1.0)
    points = ipa_raa_general(replace(problem, latency=seconds), ANY).points
    assert points == pytest.approx(np.array([(2.0, 7.0), (4.1, 5.0)]))


def test_what_instances_may_take():
    """4 cores for two instances are 2 for each; what needs more memory keeps it and shares what is left over."""
    sizes = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [1.0, 4.0]])
    problem = replace(uniform_problem([[1.0], [1.0]], [0]), containers=sizes, latency=np.ones((2, 1, 4)))
    problem = replace(problem, free=np.array([[4.0, 8.0]]))
    problem = replace(problem, instance_group=np.zeros(2, dtype=np.int64))
    offer = offers(problem, Plan(np.zeros(2, int), np.zeros(2, int)))
    assert np.isfinite(offer.choices[:, :, 0]).tolist() == [[True, True, False, True]]
    assert offer.sizes.tolist() == [2]  # equal instances are one group
    problem = replace(problem, free=np.array([[4.0, 5.0]]))
    offer = offers(problem, Plan(np.zeros(2, int), np.array([0, 3])))
    allowed = np.isfinite(offer.choices[offer.group][:, :, 0])
    assert allowed.tolist() == [[True, True, False, False], [True, True, False, True]]


def containers_by_trial(problem: Problem, plan: Plan) -> np.ndarray:
    """The frontier over all containers of placed instances within equal parts of the room that the plan leaves."""
    placed = np.flatnonzero(plan.machine >= 0)
    options = []
    for i in placed:
        j = plan.machine[i]
        beside = np.flatnonzero(plan.machine == j)
        left = problem.free[j] - problem.containers[plan.container[beside]].sum(axis=0)
        most = problem.containers[plan.container[i]] + left / len(beside) + TOLERANCE
        seconds = problem.latency[problem.instance_group[i], problem.machine_group[j]]
        options.append(np.flatnonzero((problem.containers <= most).all(axis=1) & np.isfinite(seconds)))
    points = []
    for taken in itertools.product(*options):
        container = plan.container.copy()
        container[placed] = taken
        points.append(plain_score(problem, Plan(plan.machine, container)))
    found = np.array(points)
    return found[pareto(found)]


@given(problem=tiny_problems())
@settings(max_examples=60)
def test_frontiers_are_complete(problem):
    """Path and general agree with trying all containers, for machines by either placement."""
    plan = advised_placement(problem)
    expected = containers_by_trial(problem, plan)
    for policy in (ipa_raa_path, ipa_raa_general):
        assert policy(problem, ANY).points == pytest.approx(expected)
    assert raa_only(problem, ANY).points == pytest.approx(containers_by_trial(problem, watermark_plan(problem)))


@given(problem=tiny_problems())
@settings(max_examples=40)
def test_one_container_for_the_stage(problem):
    """`uniform_raa` moves nobody, and gives all that may take it the same container."""
    outcome, start = uniform_raa(problem, ANY), raa_only(problem, ANY)
    assert outcome.plan.machine.tolist() == start.plan.machine.tolist()
    placed = outcome.plan.machine >= 0
    seconds = problem.latency[problem.instance_group, :, :].min(axis=1)
    common = [t for t in range(len(problem.containers)) if (outcome.plan.container[placed] == t).any()]
    assert len(common) <= 1 or any(np.isinf(seconds[placed][:, t]).any() for t in common)


def test_general_with_many_caps():
    """Past 200 different latencies the frontier is coarser, but its ends are right and it is never better."""
    problem = random_problem(3, 200, 50, room=20.0)
    path, general = ipa_raa_path(problem, ANY), ipa_raa_general(problem, ANY)
    assert general.points[0] == pytest.approx(path.points[0])
    assert general.points[-1] == pytest.approx(path.points[-1])
    for latency, cost in general.points:
        under = path.points[path.points[:, 0] <= latency * (1 + 1e-9)]
        assert under[-1, 1] <= cost * (1 + 1e-9)


def test_rounding_up_keeps_the_order():
    """No latency falls, none passes the largest, and there are no more than the levels asked for."""
    seconds = np.random.default_rng(1).uniform(1, 100, (20, 30))
    up = rounded_up(seconds, 10)
    assert (up >= seconds).all()
    assert up.max() == seconds.max()
    assert len(np.unique(up)) <= 10
