"""Machines and containers at once, as integer programs: exact, for tiny stages, and the reference for all others."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from paretosql.errors import NotSupportedError, OperationalError, compose
from paretosql.optimizer.frontier import Ints, pareto
from paretosql.optimizer.integer_program import solved
from paretosql.optimizer.policy import Outcome, PolicyOptions, nearest, policies, single
from paretosql.optimizer.problem import TOLERANCE, Plan, Problem, score
from paretosql.optimizer.repair import Space, joint_space

MOST_INSTANCES, MOST_MACHINES, MOST_CONTAINERS = 6, 4, 4  # section 6.5
A_WEEK = 604_800.0  # seconds; the solver takes no infinite limit


@policies.register("milp")
def milp(problem: Problem, options: PolicyOptions) -> Outcome:
    """The complete frontier: the least cost under one cap on latency after the other, downwards.

    The same instances start now as in the other searches; of these, all are placed. At the limit it returns the part
    of the frontier with the lower costs.

    Raises:
        NotSupportedError: more than 6 instances, 4 machines or 4 containers.
        OperationalError: the solver failed.
    Source:
        section 6.5: joint exact by epsilon-constraint.
    """
    started = time.perf_counter()
    _refuse_large(problem)
    space = joint_space(problem)
    scheduler = space.plan(space.machine, space.container)
    if not len(space.now):
        return single(problem, scheduler, "milp", started)
    plans: list[Plan] = []
    cap, complete = np.inf, True
    while True:
        left_s = started + options.limit_s - time.perf_counter()
        vector = cheapest_within(space, cap, left_s) if left_s > 0 else None
        if vector is None:
            complete = left_s > 0 and time.perf_counter() - started < options.limit_s
            break
        plans.append(space.plan(*vector))
        cap = score(problem, plans[-1])[0]
    plans = plans or [scheduler]
    points = np.array([score(problem, each) for each in plans])
    kept = pareto(points)
    return nearest(points[kept], lambda at: plans[kept[at]], options, "milp", started, complete=complete)


def _refuse_large(problem: Problem) -> None:
    limits = (
        (problem.size, MOST_INSTANCES, "instances"),
        (len(problem.free), MOST_MACHINES, "machines"),
        (len(problem.containers), MOST_CONTAINERS, "containers"),
    )
    for size, most, name in limits:
        if size > most:
            raise NotSupportedError(
                compose(
                    f"policy 'milp' takes at most {most} {name}, not {size}",
                    hint="it is a reference for tests; 'ipa_raa_path' takes stages of any size.",
                )
            )


def cheapest_within(space: Space, cap_s: float, limit_s: float) -> tuple[Ints, Ints] | None:
    """The machines and containers with the least cost when every instance is faster than `cap_s`; None when that is
    impossible, and when the limit comes first."""
    import pulp

    problem = space.problem
    latency = problem.latency[problem.instance_group[space.now]][:, problem.machine_group]  # (a, n, T)
    latency = np.where(latency < cap_s, latency, np.inf)
    if not np.isfinite(latency).any(axis=(1, 2)).all():
        return None
    program = pulp.LpProblem("stage", pulp.LpMinimize)
    choices = [tuple(each) for each in np.argwhere(np.isfinite(latency)).tolist()]
    x = {each: program.add_variable("x_{}_{}_{}".format(*each), cat="Binary") for each in choices}
    program += pulp.lpSum(latency[each] * problem.price_per_second[each[2]] * x[each] for each in choices)
    for i in range(len(space.now)):
        program += pulp.lpSum(x[each] for each in choices if each[0] == i) == 1
    for j in range(len(problem.free)):
        mine = [each for each in choices if each[1] == j]
        program += pulp.lpSum(x[each] for each in mine) <= problem.most
        for k in range(problem.free.shape[1]):
            used = pulp.lpSum(problem.containers[each[2], k] * x[each] for each in mine)
            program += used <= problem.free[j, k] + TOLERANCE
    if not _has_optimum(program, limit_s):
        return None
    vector = np.zeros((2, len(space.now)), dtype=np.int64)
    for (i, j, t), variable in x.items():
        if variable.value() > 0.5:
            vector[:, i] = j, t
    return vector[0], vector[1]


def _has_optimum(program: Any, limit_s: float) -> bool:
    """Whether an integer program has an optimum; False too when the limit came first."""
    status = solved(program, min(limit_s, A_WEEK))
    if status in ("Optimal", "Infeasible", "Not Solved"):
        return status == "Optimal"
    raise OperationalError(compose(f"the integer program ended as {status!r}", hint="use 'ipa_raa_path'."))
