"""Any random vector becomes a plan that keeps the rules, and one that keeps them already stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paretosql.optimizer.problem import latencies, violations
from paretosql.optimizer.repair import draw, evaluate, joint_space, repair
from tests.optimizer.problems import plain_score, problems, random_problem, tiny_problems, uniform_problem


@given(problem=problems(), seed=st.integers(0, 9))
@settings(max_examples=60)
def test_repaired_vectors_keep_the_rules(problem, seed):
    """None breaks a rule, and all that start now have a place."""
    space = joint_space(problem)
    assume(len(space.now))
    machine, container = repair(space, *draw(space, np.random.default_rng(seed), 12))
    points = evaluate(space, machine, container)
    for p in range(12):
        plan = space.plan(machine[p], container[p])
        assert violations(problem, plan) == []
        assert np.allclose(points[p], plain_score(problem, plan))
    assert (machine >= 0).all()


@given(problem=problems())
@settings(max_examples=60)
def test_the_plan_of_the_scheduler_stays(problem):
    """The plan that shows that all of `now` fit is not changed by the repair, so it exists in every population."""
    space = joint_space(problem)
    assume(len(space.now))
    assert violations(problem, space.plan(space.machine, space.container)) == []
    machine, container = repair(space, space.machine[None], space.container[None])
    assert machine[0].tolist() == space.machine.tolist()
    assert container[0].tolist() == space.container.tolist()


@given(problem=tiny_problems(), seed=st.integers(0, 9))
@settings(max_examples=60)
def test_what_keeps_the_rules_is_left_alone(problem, seed):
    """A vector is changed when, and only when, it breaks a rule."""
    space = joint_space(problem)
    assume(len(space.now))
    machine, container = draw(space, np.random.default_rng(seed), 20)
    after = repair(space, machine, container)
    for p in range(20):
        same = (after[0][p] == machine[p]).all() and (after[1][p] == container[p]).all()
        assert same == (not violations(problem, space.plan(machine[p], container[p])))


def test_the_room_of_later_instances_is_kept():
    """4 cores for two instances, 2 by default: 3 and 1 stays, 3 and 3 becomes 2 and 2, not 3 and none."""
    sizes = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    problem = replace(uniform_problem([[1.0], [1.0]], [4]), containers=sizes, latency=np.ones((2, 1, 3)), default=1)
    machine, container = repair(joint_space(problem), np.zeros((2, 2), int), np.array([[2, 0], [2, 2]]))
    assert machine.tolist() == [[0, 0], [0, 0]]
    assert container.tolist() == [[2, 0], [1, 1]]


def test_where_one_takes_what_another_needs_the_plan_of_the_scheduler_is_left():
    """Both need 8 of 16 GiB: after 12 for the first there is no place for the second."""
    sizes = np.array([[1.0, 1.0], [1.0, 8.0], [1.0, 12.0]])
    seconds = np.tile([np.inf, 2.0, 1.0], (2, 1, 1))
    problem = replace(uniform_problem([[1.0], [1.0]], [16]), containers=sizes, latency=seconds)
    machine, container = repair(joint_space(problem), np.zeros((1, 2), int), np.array([[2, 1]]))
    assert machine.tolist() == [[0, 0]]
    assert container.tolist() == [[1, 1]]


def test_too_little_memory_is_mended():
    """A container below the need becomes the cheapest that is enough."""
    problem = random_problem(4, 17, 5, room=100.0, hungry=1.0)
    problem = replace(problem, default=4)
    space = joint_space(problem)
    machine, _ = draw(space, np.random.default_rng(0), 5)
    _, container = repair(space, machine, np.zeros_like(machine))
    for row in range(5):
        plan = space.plan(machine[row], container[row])
        assert np.isfinite(latencies(problem, plan)).all()


def test_the_heaviest_start():
    """Where room is short, nobody who waits is heavier than one who starts."""
    problem = random_problem(6, 40, 12, room=0.5, equal_machines=True)
    space = joint_space(problem)
    seconds = problem.latency[problem.instance_group, 0, problem.default]
    waits = np.setdiff1d(np.arange(40), space.now)
    assert len(waits)
    assert seconds[waits].max() <= seconds[space.now].min()
