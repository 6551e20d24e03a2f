"""The scheduler that the published method is compared with: machines by watermark, instances by number.

It ignores how heavy an instance is and how fast a machine is, and every instance gets the same container.
"""

from __future__ import annotations

import time

import numpy as np

from paretosql.optimizer.frontier import Ints
from paretosql.optimizer.policy import Outcome, PolicyOptions, policies, single
from paretosql.optimizer.problem import Plan, Problem
from paretosql.optimizer.simple import in_rounds, seat, standard_containers


@policies.register("fuxi")
def fuxi(problem: Problem, options: PolicyOptions) -> Outcome:
    """The key resource is the one with the highest utilisation over the cluster; machines come by its rising
    watermark, the first m with room take the instances in the order of their numbers, then round again.

    Source:
        section 1 of the notes on arXiv:2207.02026, the Fuxi baseline. Our choice: of equal resources CPU is the key,
        machines with an unknown watermark come last, and equal ones in the order of their numbers.
    """
    started = time.perf_counter()
    return single(problem, watermark_plan(problem), "fuxi", started)


def watermark_plan(problem: Problem) -> Plan:
    """The plan of `fuxi`."""
    order = np.argsort(problem.busy[:, key_resource(problem)], kind="stable")  # NaN is last
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return seat(problem, standard_containers(problem), np.arange(problem.size), in_rounds(rank))


def key_resource(problem: Problem) -> int:
    """The column of `busy` with the highest mean over the machines on which it is known; 0, CPU, when none is."""
    known: Ints = (~np.isnan(problem.busy)).sum(axis=0)
    mean = np.nansum(problem.busy, axis=0) / np.maximum(known, 1)
    return int(np.argmax(np.where(known > 0, mean, -np.inf)))
