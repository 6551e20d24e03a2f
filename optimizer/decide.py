"""One decision: which machine runs each instance of a stage, in which container, within a deadline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from paretosql.errors import DataError, Error, compose
from paretosql.optimizer.allocation import allocate
from paretosql.optimizer.formulation import Terms, blind, predicted
from paretosql.optimizer.frontier import Floats, Ints, weights_of
from paretosql.optimizer.latency_model import LatencyModel
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.policy import Outcome, PolicyOptions, baselines, policies
from paretosql.optimizer.problem import Problem, latencies, score, violations
from paretosql.optimizer.stage import Stage

MODEL_FREE = ("round_robin", "least_loaded", "fixed", "fuxi")  # policies that look at no prediction
BASELINE = "fuxi"  # what is used where nothing better can be
COARSE = 0.5  # past this share of the deadline groups are made coarser; our choice
FLAT = 1.02  # predictions within this factor over all machines and containers say nothing; our choice


@dataclass(frozen=True)
class Decision:
    """What runs where.

    Attributes:
        machine: shape (m,), the position of a machine, or -1: the instance waits for room.
        containers: shape (m, 2), cores and GiB of memory.
        predicted_s: shape (m,), predicted latency of each placed instance, NaN where no model was asked.
        latency_s, cost: predicted, of the stage; NaN without a model.
        frontier: shape (p, 2), the plans there was a choice from, latency_s and cost; `chosen` is its row.
        lower_bound_s: no plan of the model's is faster, whatever it costs.
        gap: how much cheaper a plan of this latency might be, as a share; 0 is proven optimal, NaN unknown.
        seconds: what each part took: features and model together, policy.
        method: the policy that answered, which is the baseline's name when another had to be replaced.
        warnings: why, and where the model was asked about what it has never seen.
        most: a machine may run at most this many instances of the stage, also of those that wait; None: any number.
        stage: the stage as it was cut anew, see `partitions`; None: as it was asked.
    """

    machine: Ints
    containers: Floats
    predicted_s: Floats
    latency_s: float
    cost: float
    frontier: Floats
    chosen: int
    lower_bound_s: float
    gap: float
    seconds: Mapping[str, float]
    method: str
    warnings: tuple[str, ...] = field(default=())
    most: int | None = None
    stage: Stage | None = None

    @property
    def waiting(self) -> int:
        """How many instances wait for room."""
        return int((self.machine < 0).sum())


def decide(
    stage: Stage,
    machines: Machines,
    model: LatencyModel | None,
    *,
    weights: tuple[float, float] = (0.5, 0.5),
    deadline_s: float = 0.2,
    policy: str = "pareto",
    terms: Terms | None = None,
    seed: int = 0,
) -> Decision:
    """Decide a stage: a plan near the utopia point of latency and cost that fits into what is free.

    The answer never exceeds the room of a machine, never puts more than `terms.most` instances on one (unless the
    stage has more than all machines together may take, when the limit doubles), and never gives an instance less
    memory than the model says it needs (a container is at most as large as the terms offer). Where no machine has
    room for all, the heaviest instances start and the others wait.

    Args:
        model: what predicts latency; without one the baseline placement is used.
        weights: of latency and cost, two numbers from 0.
        deadline_s: the time for the decision. Past half of it the stage is decided in coarser groups; if predictions
            alone take all of it, by the baseline.
        policy: `pareto`, or the name of another policy.
    Raises:
        DataError: weights or terms that make no sense; a stage of which no instance fits an empty machine.
        ProgrammingError: no such policy.
    Cost: predictions and prices do not depend on the number of instances, filling in the plan is linear.
    """
    terms = terms or Terms()
    chosen = (float(weights_of(weights)[0]), float(weights_of(weights)[1]))
    if not deadline_s > 0:
        raise DataError(compose(f"deadline_s is {deadline_s}", hint="seconds above 0."))
    rule = baselines()[policy]
    if not len(stage):
        return _nothing(policy)
    _refuse_impossible(stage, machines, terms)
    ask = _Question(stage, machines, terms, PolicyOptions(chosen, seed, deadline_s), time.perf_counter())
    if policy in MODEL_FREE:
        return _unpredicted(ask, policy, ())
    if model is None:
        return _baseline(ask, "there is no model")
    try:
        warnings = tuple(model.extrapolates(stage, machines))
        problem, warned = _posed(ask, model)
    except Exception as fault:  # whatever a model does, a query must not fail for it
        return _baseline(ask, f"the model failed: {_words(fault)}")
    asked = time.perf_counter()
    if asked - ask.began > deadline_s:
        return _baseline(ask, f"predictions took {asked - ask.began:.2f} s")
    if _flat(problem):
        return _baseline(ask, "the model does not tell machines or containers apart")
    left_s = max(deadline_s - (asked - ask.began), 0.0)
    try:
        outcome = rule(problem, replace(ask.options, limit_s=left_s))
    except Exception as fault:  # such as more instances than an exact method takes, or latencies beyond all measure
        return _baseline(ask, f"{policy} gave up: {_words(fault)}")
    broken = violations(problem, outcome.plan)
    if broken:
        return _baseline(ask, f"{policy} broke a rule: {broken[0]}")
    if not np.isfinite(score(problem, outcome.plan)).all():
        return _baseline(ask, "the model predicts times without end for every plan")
    return _decision(problem, outcome, ask, asked, known=True, warnings=warnings + warned)


def _words(fault: Exception) -> str:
    """What went wrong, in one line."""
    return f"{type(fault).__name__}: {fault}".partition("\n")[0] if not isinstance(fault, Error) else str(fault)


@dataclass(frozen=True)
class _Question:
    """What `decide` was asked; `began` is a `time.perf_counter()`."""

    stage: Stage
    machines: Machines
    terms: Terms
    options: PolicyOptions
    began: float


def _posed(ask: _Question, model: LatencyModel) -> tuple[Problem, tuple[str, ...]]:
    """The problem, posed anew in coarse groups where fine ones took so long that the rest would be late."""
    problem = predicted(ask.stage, ask.machines, model, ask.terms)
    late = time.perf_counter() - ask.began > COARSE * ask.options.limit_s
    if late and problem.latency.shape[0] > 16:
        coarse = replace(
            ask.terms, instance_tolerance=0.25, machine_tolerance=0.15, instance_groups=16, machine_groups=8
        )
        return predicted(ask.stage, ask.machines, model, coarse), ("decided in coarse groups: the deadline was near",)
    return problem, ()


@policies.register("pareto")
def pareto_policy(problem: Problem, options: PolicyOptions) -> Outcome:
    """Machines and containers together, see `allocation`; the answer says how far from optimal it may be."""
    started = time.perf_counter()
    found = allocate(problem, options.weights, started + options.limit_s * 0.8)
    plan = found.plans[found.chosen]
    seconds = time.perf_counter() - started
    return Outcome(plan, found.points, found.chosen, "pareto", seconds, True, found.bound.points, found.gap)


def _flat(problem: Problem) -> bool:
    """Whether predictions say nothing about where and in what to run."""
    finite = np.isfinite(problem.latency)
    low = np.where(finite, problem.latency, np.inf).min(axis=(1, 2))
    high = np.where(finite, problem.latency, -np.inf).max(axis=(1, 2))
    known = np.isfinite(low) & (high > 0)
    return not known.any() or bool((high[known] <= low[known] * FLAT).all())


def _baseline(ask: _Question, reason: str) -> Decision:
    return _unpredicted(ask, BASELINE, (f"{BASELINE} placement: {reason}",))


def _unpredicted(ask: _Question, policy: str, warnings: tuple[str, ...]) -> Decision:
    """The answer of a policy that looks at no prediction."""
    problem = blind(ask.stage, ask.machines, ask.terms)
    asked = time.perf_counter()
    return _decision(problem, baselines()[policy](problem, ask.options), ask, asked, known=False, warnings=warnings)


def _decision(
    problem: Problem, outcome: Outcome, ask: _Question, asked: float, *, known: bool, warnings: tuple[str, ...] = ()
) -> Decision:
    plan = outcome.plan
    nan = float("nan")
    latency, cost = score(problem, plan) if known else (nan, nan)
    times = np.where(plan.machine >= 0, latencies(problem, plan), nan) if known else np.full(problem.size, nan)
    bound = outcome.bound
    return Decision(
        plan.machine,
        problem.containers[plan.container],
        times,
        latency,
        cost,
        outcome.points if known else np.empty((0, 2)),
        outcome.chosen,
        float(bound[0, 0]) if bound is not None and len(bound) else nan,
        outcome.gap,
        {"model": asked - ask.began, "policy": time.perf_counter() - asked},
        outcome.method,
        warnings,
        problem.most,
    )


def _nothing(policy: str) -> Decision:
    none = np.empty(0)
    return Decision(
        none.astype(np.int64), np.empty((0, 2)), none, 0.0, 0.0, np.zeros((1, 2)), 0, 0.0, 0.0,
        {"model": 0.0, "policy": 0.0}, policy,
    )  # fmt: skip


def _refuse_impossible(stage: Stage, machines: Machines, terms: Terms) -> None:
    """No machine, even empty, has room for the smallest container."""
    least = terms.containers().min(axis=0)
    holds = (machines.cores + 1e-9 >= least[0]) & (machines.memory_gib + 1e-9 >= least[1])
    if not holds.any():
        raise DataError(
            compose(
                f"no machine can run an instance of stage {stage.job_id}/{stage.stage_id}: the smallest container has"
                f" {least[0]:g} cores and {least[1]:g} GiB",
                hint="offer smaller containers in terms, or larger machines.",
            )
        )
