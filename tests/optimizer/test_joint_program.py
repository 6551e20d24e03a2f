"""The integer program against trying every plan, and every other policy against the integer program."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.errors import NotSupportedError
from paretosql.optimizer.frontier import pareto
from paretosql.optimizer.joint_program import milp
from paretosql.optimizer.policy import PolicyOptions, baselines
from paretosql.optimizer.problem import violations
from paretosql.optimizer.repair import joint_space
from tests.optimizer.problems import FOUR, every_score, plain_score, random_problem, tiny_problems, uniform_problem

pytest.importorskip("pulp")
ANY = PolicyOptions(limit_s=np.inf)


@given(problem=tiny_problems())
@settings(max_examples=12)
def test_it_is_the_frontier_of_all_plans(problem):
    """The points are those of the undominated among all plans that keep the rules and place the same instances."""
    everything = np.array(every_score(problem, joint_space(problem).now))
    outcome = milp(problem, ANY)
    assert outcome.complete
    assert outcome.points == pytest.approx(everything[pareto(everything)])
    assert violations(problem, outcome.plan) == []
    assert plain_score(problem, outcome.plan) == pytest.approx(outcome.points[outcome.chosen])


@given(seed=st.integers(0, 1000), hungry=st.sampled_from((0.0, 0.3)))
@settings(max_examples=4)
def test_no_policy_is_better(seed, hungry):
    """Every point of every other policy that starts the same instances is matched or beaten by one of the program's."""
    problem = random_problem(seed, 6, 4, containers=FOUR, room=3.0, hungry=hungry)
    reference = milp(problem, ANY)
    others = [baselines()[name](problem, ANY) for name in baselines() if name != "milp"]
    compared = [each for each in others if ((each.plan.machine >= 0) == (reference.plan.machine >= 0)).all()]
    assert {each.method for each in compared} >= {"nsga2", "weighted_sum", "progressive_frontier"}
    for each in compared:
        for point in each.points:
            assert (reference.points <= point * (1 + 1e-9)).all(axis=1).any(), each.method


def test_the_worked_example():
    """Section 5: the stage can end at 10, and no sooner."""
    outcome = milp(
        uniform_problem([[10, 20, 14], [6, 12, 8], [3, 7, 5]], [1, 1, 1]), PolicyOptions(weights=(1, 0), limit_s=np.inf)
    )
    assert outcome.points[0, 0] == 10.0


def test_at_most_so_many_on_a_machine():
    """The faster machine has room for all three and may take two."""
    problem = replace(uniform_problem([[1, 9]] * 3, [3, 3]), most=2)
    assert milp(problem, ANY).points == pytest.approx(np.array([[9.0, 11 * 1.25]]))


@pytest.mark.parametrize(("instances", "machines", "what"), [(7, 2, "6 instances"), (2, 5, "4 machines")])
def test_larger_stages_are_refused(instances, machines, what):
    """The error names the limit and a policy without one."""
    with pytest.raises(NotSupportedError, match=f"at most {what}(.|\n)*ipa_raa_path"):
        milp(random_problem(0, instances, machines, containers=FOUR), ANY)
    with pytest.raises(NotSupportedError, match="at most 4 containers, not 9"):
        milp(random_problem(0, 2, 2), ANY)


def test_nothing_to_place():
    """An empty stage, and full machines."""
    assert milp(random_problem(0, 0, 2, containers=FOUR), ANY).points.tolist() == [[0.0, 0.0]]
    assert milp(random_problem(0, 4, 2, containers=FOUR, room=0.0), ANY).plan.machine.tolist() == [-1] * 4


def test_without_time_it_answers_with_the_plan_of_the_scheduler():
    """The limit leaves a plan that keeps the rules, and says that it was cut."""
    problem = random_problem(0, 4, 2, containers=FOUR)
    outcome = milp(problem, PolicyOptions(limit_s=0.0))
    assert not outcome.complete
    assert violations(problem, outcome.plan) == []


def test_the_solver_does_not_warn():
    """Deprecation warnings of the solver do not reach the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        milp(random_problem(1, 3, 2, containers=FOUR), ANY)
