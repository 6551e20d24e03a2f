"""What every policy is asked: predictions for a stage, containers and room; and what it answers: a plan.

Instances and machines that the model cannot tell apart, or nearly, share a group, so predictions are a small array
whatever the size of the stage. All policies see the same predictions, so comparing them compares their decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints

WAITS = -1  # in place of a machine: the instance starts when another has ended
TOLERANCE = 1e-9  # of room, for sums of fractions of cores


@dataclass(frozen=True)
class Problem:
    """One stage with m instances in K groups, n machines in G groups, and T sizes of container.

    Attributes:
        instance_group: shape (m,), from 0 to K - 1.
        machine_group: shape (n,), from 0 to G - 1.
        latency: shape (K, G, T), predicted seconds; inf where the container is below the memory the instance needs.
        containers: shape (T, 2), cores and GiB of memory.
        prices: shape (2,), per core and second, per GiB and second.
        free: shape (n, 2), cores and GiB that may still be reserved on each machine.
        most: no machine runs more instances of this stage at once.
        default: which container history-based sizing gives to every instance.
        weight: shape (m,), order of instances by work: more input first; only for ties and expansion.
        busy: shape (n, 2), utilisation of CPU and IO from 0 to 1, NaN unknown.
    """

    instance_group: Ints
    machine_group: Ints
    latency: Floats
    containers: Floats
    prices: Floats
    free: Floats
    most: int
    default: int
    weight: Floats
    busy: Floats

    @property
    def size(self) -> int:
        """The number of instances."""
        return len(self.instance_group)

    @property
    def price_per_second(self) -> Floats:
        """What one second of each container costs; shape (T,)."""
        rate: Floats = self.containers @ self.prices
        return rate

    def fits(self, container: int) -> Ints:
        """How many containers of one size each machine still takes, shape (n,)."""
        return fitting(self.free, self.containers[container], self.most)


@dataclass(frozen=True)
class Plan:
    """Shape (m,) each: a machine, or `WAITS`, and the row of its container for every instance."""

    machine: Ints
    container: Ints


def fitting(free: Floats, container: Floats, most: int) -> Ints:
    """How many containers of one size fit into free room, shape (n,); at most `most`."""
    each = np.floor((free + TOLERANCE) / container).min(axis=1)
    fits: Ints = np.clip(each, 0, most).astype(np.int64)
    return fits


def latencies(problem: Problem, plan: Plan) -> Floats:
    """The predicted seconds of every instance that is placed, 0 for those that wait; shape (m,)."""
    placed = plan.machine >= 0
    found = np.zeros(problem.size)
    group = problem.machine_group[plan.machine[placed]]
    found[placed] = problem.latency[problem.instance_group[placed], group, plan.container[placed]]
    return found


def score(problem: Problem, plan: Plan) -> tuple[float, float]:
    """Predicted latency_s and cost of a plan."""
    seconds = latencies(problem, plan)
    if not len(seconds):
        return 0.0, 0.0
    return float(seconds.max()), float(seconds @ problem.price_per_second[plan.container])


def violations(problem: Problem, plan: Plan) -> list[str]:
    """What is wrong with a plan: room, the most instances on a machine, memory below the need. Empty when nothing."""
    placed = plan.machine >= 0
    used = np.zeros_like(problem.free)
    np.add.at(used, plan.machine[placed], problem.containers[plan.container[placed]])
    count = np.bincount(plan.machine[placed], minlength=len(problem.free))
    over = np.flatnonzero((used > problem.free + TOLERANCE * (1 + count[:, None])).any(axis=1))
    found = [f"machine {j}: {used[j].tolist()} reserved of {problem.free[j].tolist()}" for j in over]
    found += [
        f"machine {j}: {count[j]} instances, at most {problem.most}" for j in np.flatnonzero(count > problem.most)
    ]
    missing = np.flatnonzero(~np.isfinite(latencies(problem, plan)))
    found += [f"instance {i}: its container is below the memory it needs" for i in missing]
    return found
