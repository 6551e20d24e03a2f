"""Placement as an integer program: slow, exact, and independent of the other methods, so it can check them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from paretosql.errors import OperationalError, compose
from paretosql.optimizer.frontier import Floats, Ints


def bottleneck_program(latency: Floats, room: Ints, limit_s: float = 60.0) -> Ints:
    """A machine for every instance with the least largest latency; m * n binary variables.

    Raises:
        OperationalError: the solver did not finish within `limit_s`.
    """
    import pulp

    instances, machines = latency.shape
    pairs = [(i, j) for i in range(instances) for j in range(machines) if np.isfinite(latency[i, j])]
    problem = pulp.LpProblem("placement", pulp.LpMinimize)
    slowest = problem.add_variable("slowest", lowBound=0)
    x = {pair: problem.add_variable(f"x_{pair[0]}_{pair[1]}", cat="Binary") for pair in pairs}
    problem += slowest
    for i in range(instances):
        mine = [x[pair] for pair in pairs if pair[0] == i]
        problem += pulp.lpSum(mine) == 1
        problem += pulp.lpSum(latency[pair] * x[pair] for pair in pairs if pair[0] == i) <= slowest
    for j in range(machines):
        problem += pulp.lpSum(x[pair] for pair in pairs if pair[1] == j) <= int(room[j])
    status = solved(problem, limit_s)
    if status != "Optimal":
        raise OperationalError(compose(f"the integer program ended as {status!r}", hint="use method='exact'."))
    machine = np.empty(instances, dtype=np.int64)
    for (i, j), variable in x.items():
        if variable.value() > 0.5:
            machine[i] = j
    return machine


def solved(program: Any, limit_s: float) -> str:
    """Run CBC on a `pulp.LpProblem`; its status: Optimal, Infeasible, Not Solved (the limit came first), or another."""
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # version 3.3 warns of the solver it brings itself
        solver = pulp.COIN_CMD(msg=False, timeLimit=limit_s)
        if not solver.available():
            solver = pulp.PULP_CBC_CMD(msg=False, timeLimit=limit_s)
        return str(pulp.LpStatus[program.solve(solver)])
