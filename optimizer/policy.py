"""What a policy is: it decides, for one stage, which machine runs each instance in which container.

Policies are functions in a registry, one small module for each or for a few kin, and all of them see the same
predictions. Where room is short, a policy starts as many instances as fit and lets the others wait: machine `WAITS`.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, nearest_utopia, weights_of
from paretosql.optimizer.problem import Plan, Problem, score
from paretosql.registry import Registry

BASELINES = ("simple", "fuxi", "staged", "evolution", "weighted_sum", "progressive", "joint_program")  # modules


@dataclass(frozen=True)
class PolicyOptions:
    """What a user may ask of every policy.

    Attributes:
        weights: of latency and cost, for the choice from the frontier.
        seed: of everything random.
        limit_s: a search that has not ended by then returns the best it has, after at least one sample; policies that
            do not search pay no heed to it, and take a few seconds at most for 1,000 instances on 500 machines.

    Raises:
        DataError: weights that are not two numbers from 0 with one above 0, or a limit below 0.
    """

    weights: tuple[float, float] = (0.5, 0.5)
    seed: int = 0
    limit_s: float = 60.0  # section 6.5

    def __post_init__(self) -> None:
        weights_of(self.weights)
        if not self.limit_s >= 0:
            raise DataError(compose(f"limit_s is {self.limit_s}", hint="seconds from 0, inf for no limit."))


@dataclass(frozen=True)
class Outcome:
    """What a policy answers.

    Attributes:
        plan: breaks no rule, `violations(problem, plan) == []`.
        points: shape (p, 2), the frontier it found, latency_s and cost by rising latency; one row from a policy that
            knows one plan only.
        chosen: the row of `points` that is the score of `plan`.
        method: the name of the policy.
        seconds: that it took.
        complete: False where the time limit cut the search. A complete outcome is the same for the same seed.
        bound: shape (b, 2), a frontier that no plan is below in both, from policies that know one.
        gap: how much cheaper than `plan` a plan of its latency might be, as a share; NaN when not known.
    """

    plan: Plan
    points: Floats
    chosen: int
    method: str
    seconds: float
    complete: bool
    bound: Floats | None = None
    gap: float = float("nan")


Policy: TypeAlias = Callable[[Problem, PolicyOptions], Outcome]
policies: Registry[Policy] = Registry("policy")


def baselines() -> Registry[Policy]:
    """The registry with all policies of `BASELINES` in it; a module is imported at the first call.

    >>> "fuxi" in baselines()
    True
    """
    for name in BASELINES:
        importlib.import_module(f"paretosql.optimizer.{name}")
    return policies


def single(problem: Problem, plan: Plan, method: str, started: float) -> Outcome:
    """The outcome of a policy that found one plan; `started` is the `time.perf_counter()` of its beginning."""
    points = np.array([score(problem, plan)])
    return Outcome(plan, points, 0, method, time.perf_counter() - started, True)


def nearest(
    points: Floats,
    plan: Callable[[int], Plan],
    options: PolicyOptions,
    method: str,
    started: float,
    *,
    complete: bool = True,
) -> Outcome:
    """The outcome of a policy that found a frontier: the plan of the point nearest to utopia.

    Args:
        points: shape (p, 2), p > 0, latency_s and cost, by rising latency, none dominated.
        plan: the plan of a row of `points`.
        started: the `time.perf_counter()` of the policy's beginning.
    """
    chosen = nearest_utopia(points, options.weights)
    found = plan(chosen)
    return Outcome(found, points, chosen, method, time.perf_counter() - started, complete)
