"""What holds for every policy: rules are kept, scores are true, frontiers are frontiers, seeds decide."""

from __future__ import annotations

import doctest
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.optimizer import evolution, policy, progressive, staged, weighted_sum
from paretosql.optimizer.policy import Outcome, PolicyOptions, baselines
from paretosql.optimizer.problem import Problem, violations
from tests.optimizer.problems import dominated, plain_score, problems, random_problem, uniform_problem

SEARCHES = ("nsga2", "progressive_frontier", "weighted_sum")
DEFAULT_SIZED = ("round_robin", "least_loaded", "fuxi", "ipa")  # in standard containers
ANY_SIZE = ("fixed", *DEFAULT_SIZED, "ipa_raa_path", "ipa_raa_general", "raa_only", "uniform_raa", *SEARCHES)


def run(name: str, problem: Problem, **options: object) -> Outcome:
    """The outcome of a policy; searches are cut after their first samples unless told otherwise."""
    limits = {"limit_s": 0.02 if name in SEARCHES else 60.0}
    return baselines()[name](problem, PolicyOptions(**{**limits, **options}))  # type: ignore[arg-type]


def test_the_registry_holds_all_of_them():
    """Every policy is found by its name, and a misspelt one names the nearest."""
    assert set(baselines()) >= {*ANY_SIZE, "milp"}
    with pytest.raises(ProgrammingError, match="did you mean 'fuxi'"):
        baselines()["fuxy"]


@pytest.mark.parametrize("name", ANY_SIZE)
@given(problem=problems(), weights=st.sampled_from([(0.5, 0.5), (1.0, 0.0), (0.0, 1.0)]))
@settings(max_examples=60)
def test_every_outcome_keeps_the_rules(name, problem, weights):
    """Whatever the room: no rule is broken, the score is what the plan is worth, and no point is dominated."""
    outcome = run(name, problem, weights=weights)
    plan, points = outcome.plan, outcome.points
    assert violations(problem, plan) == []
    assert plan.machine.shape == plan.container.shape == (problem.size,)
    assert points[outcome.chosen] == pytest.approx(plain_score(problem, plan))
    assert not dominated(points)
    assert outcome.chosen == {0.0: len(points) - 1, 1.0: 0}.get(weights[0], outcome.chosen)
    assert outcome.method == name


@pytest.mark.parametrize("name", [each for each in ANY_SIZE if each != "fixed"])
@given(problem=problems(hungry=(0.0,)))
@settings(max_examples=30)
def test_as_many_start_as_fit(name, problem):
    """With default containers for all, the count is the room of the machines, and nobody waits where room is left."""
    outcome = run(name, problem)
    room = int(problem.fits(problem.default).sum())
    assert (outcome.plan.machine >= 0).sum() == min(problem.size, room)


@pytest.mark.parametrize("name", ("fixed", *DEFAULT_SIZED))
@given(problem=problems())
@settings(max_examples=30)
def test_nobody_waits_where_there_is_room(name, problem):
    """An instance waits only when no machine has room for its container, or none has enough memory for it."""
    plan = run(name, problem).plan
    left = problem.free.copy()
    placed = plan.machine >= 0
    np.subtract.at(left, plan.machine[placed], problem.containers[plan.container[placed]])
    count = np.bincount(plan.machine[placed], minlength=len(left))
    for i in np.flatnonzero(~placed):
        t = plan.container[i]
        seconds = problem.latency[problem.instance_group[i], problem.machine_group, t]
        room = (left >= problem.containers[t]).all(axis=1) & (count < problem.most)
        assert not (room & np.isfinite(seconds)).any()


@pytest.mark.parametrize("name", ANY_SIZE)
def test_the_same_seed_gives_the_same_answer(name):
    """Only the time taken differs between two runs that were not cut."""
    problem = random_problem(5, 12, 4, hungry=0.2)
    first, second = (run(name, problem, seed=3, limit_s=np.inf) for _ in range(2))
    assert first.complete and second.complete
    assert first.points.tolist() == second.points.tolist()
    assert first.plan.machine.tolist() == second.plan.machine.tolist()
    assert first.plan.container.tolist() == second.plan.container.tolist()


@pytest.mark.parametrize("name", SEARCHES)
def test_another_seed_gives_another_search(name):
    """The seed is used: on a stage too large to be searched through, frontiers differ."""
    problem = replace(random_problem(5, 60, 10, room=30.0), default=0)
    assert run(name, problem, seed=1).points.tolist() != run(name, problem, seed=2).points.tolist()


@pytest.mark.parametrize("name", SEARCHES)
def test_the_limit_cuts_a_search(name):
    """Without any time a search still answers, with the plans of its first sample, and says that it was cut."""
    outcome = run(name, random_problem(5, 200, 50), limit_s=0.0)
    assert not outcome.complete
    assert len(outcome.points)


@pytest.mark.parametrize("name", ANY_SIZE)
def test_nothing_to_place(name):
    """An empty stage takes no time and costs nothing; on full machines everybody waits."""
    assert run(name, random_problem(0, 0, 3)).points.tolist() == [[0.0, 0.0]]
    full = run(name, random_problem(0, 6, 3, room=0.0))
    assert full.plan.machine.tolist() == [-1] * 6
    assert full.points.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("name", ANY_SIZE)
def test_one_instance_on_one_machine(name):
    """There is one plan."""
    outcome = run(name, uniform_problem([[7.0]], [1]))
    assert outcome.plan.machine.tolist() == [0]
    assert outcome.points == pytest.approx(np.array([[7.0, 7.0 * 1.25]]))


@pytest.mark.parametrize("name", ANY_SIZE)
def test_a_machine_that_may_not_run_some(name):
    """inf may forbid a machine too: both instances may only run on the second, which takes one of them."""
    outcome = run(name, uniform_problem([[np.inf, 5.0], [np.inf, 4.0]], [2, 1]))
    assert violations(uniform_problem([[np.inf, 5.0], [np.inf, 4.0]], [2, 1]), outcome.plan) == []
    assert sorted(outcome.plan.machine.tolist()) == [-1, 1]


def test_options_are_checked():
    """Weights and limits that make no sense are refused when they are given."""
    with pytest.raises(DataError, match="weights"):
        PolicyOptions(weights=(0.0, 0.0))
    with pytest.raises(DataError, match="limit_s is -1"):
        PolicyOptions(limit_s=-1)


@pytest.mark.parametrize("module", [policy, staged, evolution, weighted_sum, progressive])
def test_examples_in_docstrings(module):
    """What docstrings show is what happens."""
    assert doctest.testmod(module).failed == 0
