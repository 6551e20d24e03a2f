"""The published method in its two steps, and each of them alone: first machines, then containers.

| policy | machines | containers |
| --- | --- | --- |
| `ipa` | greedy placement | default |
| `ipa_raa_path` | greedy placement | of every instance, by the complete frontier |
| `ipa_raa_general` | greedy placement | of every instance, by combinations of caps |
| `raa_only` | as `fuxi` | of every instance, by the complete frontier |
| `uniform_raa` | as `fuxi` | one for the entire stage |

Source: arXiv:2207.02026, IPA and RAA, without clusters.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from paretosql.errors import DataError
from paretosql.optimizer.frontier import Floats, Ints, pareto
from paretosql.optimizer.fuxi import watermark_plan
from paretosql.optimizer.hierarchy import MAX, SUM, general_frontier, stage_frontier
from paretosql.optimizer.placement import place
from paretosql.optimizer.policy import Outcome, PolicyOptions, nearest, policies, single
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem, fitting, score
from paretosql.optimizer.simple import heaviest_first, standard_containers

MOST_CAPS = 200  # of `ipa_raa_general`; our choice: 1,000 groups then take some seconds


@policies.register("ipa")
def ipa(problem: Problem, options: PolicyOptions) -> Outcome:
    """The heaviest instance first, each on its best machine with room, in default containers."""
    started = time.perf_counter()
    return single(problem, advised_placement(problem), "ipa", started)


@policies.register("ipa_raa_path")
def ipa_raa_path(problem: Problem, options: PolicyOptions) -> Outcome:
    """`ipa`, then containers from the complete frontier of the stage."""
    started = time.perf_counter()
    return _by_path(problem, advised_placement(problem), options, "ipa_raa_path", started)


@policies.register("raa_only")
def raa_only(problem: Problem, options: PolicyOptions) -> Outcome:
    """`fuxi`, then containers from the complete frontier of the stage."""
    started = time.perf_counter()
    return _by_path(problem, watermark_plan(problem), options, "raa_only", started)


@policies.register("ipa_raa_general")
def ipa_raa_general(problem: Problem, options: PolicyOptions) -> Outcome:
    """`ipa`, then containers by general hierarchical optimization.

    The same frontier as `ipa_raa_path` while the stage may end at 200 times at most: the different latencies of all
    choices of its instances. Of more, 200 are the caps, and the frontier is as fine as they are.
    """
    started = time.perf_counter()
    plan = advised_placement(problem)
    offer = offers(problem, plan)
    if not len(offer.sizes):
        return single(problem, plan, "ipa_raa_general", started)
    groups = np.arange(len(offer.sizes))
    by_latency = np.argsort(offer.choices[:, :, 0], axis=1, kind="stable")  # of equal costs the fastest is the first
    latency, cost = offer.choices[groups[:, None], by_latency].transpose(2, 0, 1)
    latency = rounded_up(latency, MOST_CAPS)
    rounded = np.stack((latency, cost), axis=2)
    usable = [each[np.isfinite(each).all(axis=1)] for each in rounded]
    caps = general_frontier(usable, (MAX, SUM), offer.sizes.tolist())[:, 0]
    taken = np.array([np.where(latency <= cap, cost, np.inf).argmin(axis=1) for cap in caps])
    rows = by_latency[groups, taken]
    taken = offer.choices[groups, rows]  # (p, groups, 2)
    points = np.column_stack((taken[:, :, 0].max(axis=1), taken[:, :, 1] @ offer.sizes))
    kept = pareto(points)
    return nearest(points[kept], lambda at: offer.plan(plan, rows[kept[at]]), options, "ipa_raa_general", started)


@policies.register("uniform_raa")
def uniform_raa(problem: Problem, options: PolicyOptions) -> Outcome:
    """`fuxi`, then one container for the entire stage, chosen on its frontier.

    An instance for which a container is below the memory it needs keeps the one it has.
    """
    started = time.perf_counter()
    plan = watermark_plan(problem)
    placed = plan.machine >= 0
    group = problem.machine_group[plan.machine[placed]]
    plans = []
    for t in range(len(problem.containers)):
        enough = np.isfinite(problem.latency[problem.instance_group[placed], group, t])
        container = plan.container.copy()
        container[placed] = np.where(enough, t, container[placed])
        used = np.zeros_like(problem.free)
        np.add.at(used, plan.machine[placed], problem.containers[container[placed]])
        if (used <= problem.free + TOLERANCE).all():
            plans.append(Plan(plan.machine, container))
    plans = plans or [plan]
    points = np.array([score(problem, each) for each in plans])
    kept = pareto(points)
    return nearest(points[kept], lambda at: plans[kept[at]], options, "uniform_raa", started)


def advised_placement(problem: Problem) -> Plan:
    """Machines by greedy placement in standard containers; where room is short, the heaviest instances start.

    Instances with the largest containers are placed first, since placement knows one size at a time.
    """
    container = standard_containers(problem)
    left, count = problem.free.copy(), np.zeros(len(problem.free), dtype=np.int64)
    machine = np.full(problem.size, WAITS, dtype=np.int64)
    order = heaviest_first(problem, container)
    sizes = np.unique(container)
    for t in sizes[np.lexsort(-problem.containers[sizes].T)]:
        room = np.minimum(fitting(left, problem.containers[t], problem.most), problem.most - count)
        latency = problem.latency[:, :, t][:, problem.machine_group]
        possible = np.any(np.isfinite(latency[:, room > 0]), axis=1)
        mine = order[(container[order] == t) & possible[problem.instance_group[order]]][: int(room.sum())]
        if not len(mine):
            continue
        found = _places(latency[problem.instance_group[mine]], room)
        machine[mine] = found
        found = found[found >= 0]
        np.subtract.at(left, found, problem.containers[t])
        count += np.bincount(found, minlength=len(count))
    return Plan(machine, container)


def _places(latency: Floats, room: Ints) -> Ints:
    """Machines by greedy placement; where not all can be placed, each by itself on its best, and some wait."""
    try:
        return place(latency, room, method="greedy").machine
    except DataError:  # a machine runs only some of the instances, and too many of those
        machine, left = np.full(len(latency), WAITS, dtype=np.int64), room.copy()
        for at, row in enumerate(latency):
            j = int(np.argmin(np.where(left > 0, row, np.inf)))
            if left[j] > 0 and np.isfinite(row[j]):
                machine[at] = j
                left[j] -= 1
        return machine


@dataclass(frozen=True)
class Offers:
    """The containers that instances may take where they are; equal ones share a group.

    Attributes:
        choices: shape (groups, T, 2), latency_s and cost; inf where there is no room or too little memory.
        sizes: shape (groups,), instances in each.
        placed: shape (a,), the instances that have a machine.
        group: shape (a,), the group of each of these.
    """

    choices: Floats
    sizes: Ints
    placed: Ints
    group: Ints

    def plan(self, plan: Plan, rows: Ints) -> Plan:
        """`plan` with the container `rows[g]` for every instance of group g."""
        container = plan.container.copy()
        container[self.placed] = rows[self.group]
        return Plan(plan.machine, container)


def offers(problem: Problem, plan: Plan) -> Offers:
    """What each placed instance may take when all on its machine have the same part of what they leave free.

    With equal containers that is free room / instances of the stage there. O(m T).
    Source: section 6.2; the form for unequal containers is ours.
    """
    placed = np.flatnonzero(plan.machine >= 0)
    machine, container = plan.machine[placed], plan.container[placed]
    unused = problem.free.copy()
    np.subtract.at(unused, machine, problem.containers[container])
    count = np.bincount(machine, minlength=len(unused))
    most = problem.containers[container] + (unused / np.maximum(count, 1)[:, None])[machine] + TOLERANCE
    allowed = np.all(problem.containers[None] <= most[:, None], axis=2)
    allowed[np.arange(len(placed)), container] = True
    kind = np.column_stack(
        (problem.instance_group[placed], problem.machine_group[machine], np.packbits(allowed, axis=1))
    )
    _, first, group, sizes = np.unique(kind, axis=0, return_index=True, return_inverse=True, return_counts=True)
    latency = problem.latency[problem.instance_group[placed], problem.machine_group[machine]][first]
    latency = np.where(allowed[first], latency, np.inf)
    choices = np.stack((latency, latency * problem.price_per_second), axis=2)
    return Offers(choices, sizes.astype(np.int64), placed, group.ravel().astype(np.int64))


def _by_path(problem: Problem, plan: Plan, options: PolicyOptions, method: str, started: float) -> Outcome:
    offer = offers(problem, plan)
    if not len(offer.sizes):
        return single(problem, plan, method, started)
    front = stage_frontier(list(offer.choices), offer.sizes.tolist())
    return nearest(front.points, lambda at: offer.plan(plan, front.assignment(at)), options, method, started)


def rounded_up(latency: Floats, levels: int) -> Floats:
    """Latencies with at most `levels` different finite values, each rounded up to one that occurs; (groups, T).

    What is faster than the stage can ever be, the fastest choice of the slowest group, becomes that.

    >>> rounded_up(np.array([[1.0, 2.0, 3.0, 5.0], [2.0, 4.0, 6.0, np.inf]]), 3).tolist()
    [[2.0, 2.0, 4.0, 6.0], [2.0, 4.0, 6.0, inf]]
    """
    finite = np.isfinite(latency)
    least = latency.min(axis=1).max()
    values = np.unique(latency[finite & (latency >= least)])
    if len(values) > levels:
        values = values[np.linspace(0, len(values) - 1, levels).round().astype(np.int64)]
    up = values[np.minimum(np.searchsorted(values, latency), len(values) - 1)]
    return np.where(finite, up, np.inf)
