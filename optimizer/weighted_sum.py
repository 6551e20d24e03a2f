"""Random plans, and of these the best for each of some weights."""

from __future__ import annotations

import time

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints, pareto
from paretosql.optimizer.policy import Outcome, PolicyOptions, nearest, policies, single
from paretosql.optimizer.problem import Problem
from paretosql.optimizer.repair import draw, evaluate, joint_space, repair

WEIGHTS = 11  # section 6.5
SAMPLES = 10_000  # section 6.5
BATCH = 500  # plans repaired at once; our choice


@policies.register("weighted_sum")
def weighted_sum(problem: Problem, options: PolicyOptions) -> Outcome:
    """Of 10,000 random vectors of machines and containers, repaired, the best for each of 11 weights.

    The first is the plan of the scheduler, which exists however short room is. Latency and cost are scaled to 0..1
    over the sample. At the limit it does with fewer vectors.
    """
    started = time.perf_counter()
    space = joint_space(problem)
    if not len(space.now):
        return single(problem, space.plan(space.machine, space.container), "weighted_sum", started)
    rng = np.random.default_rng(options.seed)
    points, vectors = np.empty((0, 2)), np.empty((0, 2, len(space.now)), dtype=np.int64)
    high, drawn = np.zeros(2), 0
    while drawn < SAMPLES and (drawn == 0 or time.perf_counter() - started < options.limit_s):
        machine, container = draw(space, rng, BATCH)
        if drawn == 0:
            machine[0], container[0] = space.machine, space.container
        machine, container = repair(space, machine, container)
        new = evaluate(space, machine, container)
        points = np.concatenate((points, new))
        vectors = np.concatenate((vectors, np.stack((machine, container), axis=1)))
        high = np.maximum(high, new.max(axis=0))
        front = pareto(points)  # whatever the weights, the best are among these
        points, vectors = points[front], vectors[front]
        drawn += BATCH
    kept = np.unique(best_by_weight(points, high))
    complete = drawn >= SAMPLES
    return nearest(
        points[kept], lambda at: space.plan(*vectors[kept[at]]), options, "weighted_sum", started, complete=complete
    )


def best_by_weight(points: Floats, high: Floats) -> Ints:
    """The row of a frontier with the least weighted sum for each of `WEIGHTS` weights; shape (WEIGHTS,).

    Both columns are scaled to 0..1 between their least value and `high`.

    >>> best_by_weight(np.array([[1.0, 9.0], [2.0, 2.0], [9.0, 1.0]]), np.array([9.0, 9.0])).tolist()
    [2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    low = points.min(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    share = np.linspace(0.0, 1.0, WEIGHTS)
    rows: Ints = (scaled @ np.stack((share, 1 - share))).argmin(axis=0).astype(np.int64)
    return rows
