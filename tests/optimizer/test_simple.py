"""Policies that place one instance after the other: which machine is next, and in which container."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paretosql.optimizer.fuxi import fuxi, key_resource
from paretosql.optimizer.policy import PolicyOptions
from paretosql.optimizer.problem import Problem, score
from paretosql.optimizer.simple import fixed, heaviest_first, least_loaded, round_robin, standard_containers
from tests.optimizer.problems import uniform_problem

ANY = PolicyOptions()
THREE_BY_THREE = [[10.0, 20.0, 14.0], [6.0, 12.0, 8.0], [3.0, 7.0, 5.0]]  # section 5


def stage(instances: int, free: list[tuple[float, float]], **changes: object) -> Problem:
    """Equal instances on machines with some free cores and memory; containers of 1 and 2 cores, 2 and 8 GiB."""
    machines = len(free)
    problem = uniform_problem([[1.0] * machines] * instances, [0] * machines)
    sizes = np.array([[1.0, 2.0], [1.0, 8.0], [2.0, 2.0], [2.0, 8.0]])
    return replace(
        problem,
        containers=sizes,
        latency=np.ones((instances, machines, 4)),
        free=np.array(free),
        **changes,  # type: ignore[arg-type]
    )


def test_fuxi_of_the_worked_example():
    """Section 5: watermarks sort machines 1, 0, 2, instances follow by number: the heaviest is on the slowest."""
    outcome = fuxi(uniform_problem(THREE_BY_THREE, [1, 1, 1], [0.5, 0.1, 0.9]), ANY)
    assert outcome.plan.machine.tolist() == [1, 0, 2]
    assert outcome.points[0, 0] == 20.0


def test_fuxi_goes_round():
    """Five instances on two machines of two and three places: one each, one each, and the last where room is left."""
    outcome = fuxi(uniform_problem([[1.0, 1.0]] * 5, [2, 3], [0.2, 0.7]), ANY)
    assert outcome.plan.machine.tolist() == [0, 1, 0, 1, 1]


def test_the_key_resource_is_the_busiest():
    """The mean decides, over machines on which it is known; unknown watermarks come last; nothing known means CPU."""
    busy = np.array([[0.9, np.nan], [0.1, 0.4], [0.1, 0.6]])
    problem = replace(uniform_problem([[1.0] * 3] * 3, [1, 1, 1]), busy=busy)
    assert key_resource(problem) == 1  # 0.5 over two machines, against 0.37 over three
    assert fuxi(problem, ANY).plan.machine.tolist() == [1, 2, 0]
    assert key_resource(replace(problem, busy=np.full((3, 2), np.nan))) == 0
    assert fuxi(replace(problem, busy=np.full((3, 2), np.nan)), ANY).plan.machine.tolist() == [0, 1, 2]


def test_round_robin_skips_full_machines():
    """Instances and machines both by number."""
    outcome = round_robin(uniform_problem([[1.0] * 3] * 5, [1, 0, 4]), ANY)
    assert outcome.plan.machine.tolist() == [0, 2, 2, 2, 2]


def test_least_loaded_looks_at_the_scarcer_resource():
    """Twelve cores, but memory for four containers of 2 GiB: memory decides, although machine 1 has more cores."""
    outcome = least_loaded(stage(3, [(4.0, 5.0), (8.0, 3.5)]), ANY)
    assert outcome.plan.machine.tolist() == [0, 1, 0]


def test_an_instance_that_needs_more_memory_gets_it():
    """The default of 2 GiB is too small for the second instance; the cheapest with enough is 1 core, 8 GiB."""
    problem = stage(3, [(4.0, 20.0)])
    problem.latency[1, :, [0, 2]] = np.inf
    assert standard_containers(problem).tolist() == [0, 1, 0]
    assert fuxi(problem, ANY).plan.container.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("too_small", "size"), [((), 0), ((0, 2), 1), ((0, 1, 2), 3), ((0, 1, 2, 3), 3)])
def test_fixed_is_the_cheapest_that_is_enough_for_all(too_small, size):
    """If there is none the largest is used, and who needs more than that waits."""
    problem = stage(3, [(8.0, 40.0)])
    problem.latency[1, :, list(too_small)] = np.inf
    plan = fixed(problem, ANY).plan
    assert plan.container.tolist() == [size] * 3
    assert plan.machine.tolist() == [0, -1 if len(too_small) == 4 else 0, 0]


def test_at_most_so_many_on_a_machine():
    """`most` holds though there is more room."""
    outcome = round_robin(stage(5, [(8.0, 40.0), (8.0, 40.0)], most=2), ANY)
    assert outcome.plan.machine.tolist() == [0, 1, 0, 1, -1]
    assert outcome.points.tolist() == [list(score(stage(5, [(8.0, 40.0)] * 2), outcome.plan))]


def test_heaviest_first():
    """By the best latency on a machine with room, then by weight, then by number."""
    problem = uniform_problem([[5.0, 9.0], [7.0, 1.0], [5.0, 6.0], [5.0, 5.0]], [1, 0])
    weighted = replace(problem, weight=np.array([1.0, 1.0, 2.0, 1.0]))
    assert heaviest_first(weighted, standard_containers(weighted)).tolist() == [1, 2, 0, 3]
