"""Simple policies: one instance after the other, each to the machine that some rule prefers.

They know nothing of latency, but that an instance must not run in a container below its memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.policy import Outcome, PolicyOptions, policies, single
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem

Preference = Callable[[Floats, Ints], Floats]  # of free room (n, 2) and instances so far (n,): the least is next


def standard_containers(problem: Problem) -> Ints:
    """The container of every instance without any optimizer: the default or, where that is below the memory it needs,
    the cheapest that is enough; shape (m,). The default too where none is enough. O(K G T + m)."""
    possible = np.any(np.isfinite(problem.latency[:, np.unique(problem.machine_group)]), axis=1)
    by_price = np.argsort(problem.price_per_second, kind="stable")
    cheapest = by_price[np.argmax(possible[:, by_price], axis=1)]
    kept = possible[:, problem.default] | ~possible.any(axis=1)
    found: Ints = np.where(kept, problem.default, cheapest)[problem.instance_group].astype(np.int64)
    return found


def heaviest_first(problem: Problem, container: Ints) -> Ints:
    """Instances by falling best possible latency in their containers, then by falling weight, then by number; (m,).

    The best possible latency is the least over all machines that take the container; what no machine may run is last.
    Source: section 5, BPL, and section 7, who waits.
    """
    best = np.full(problem.size, np.inf)
    for t in np.unique(container):
        mine = container == t
        groups = np.unique(problem.machine_group[problem.fits(t) > 0])
        if len(groups):
            best[mine] = problem.latency[:, groups, t].min(axis=1)[problem.instance_group[mine]]
    order: Ints = np.lexsort((-problem.weight, np.where(np.isfinite(best), -best, np.inf)))
    return order.astype(np.int64)


def seat(problem: Problem, container: Ints, order: Ints, preference: Preference) -> Plan:
    """A plan that gives one instance after the other the preferred machine among those with room; O(m n).

    Args:
        container: shape (m,), of every instance.
        order: instances, shape (m,); who finds no room waits, those after it are still tried.
        preference: the machine with the least number is taken; of equals the first.
    """
    left, count = problem.free.copy(), np.zeros(len(problem.free), dtype=np.int64)
    machine = np.full(problem.size, WAITS, dtype=np.int64)
    may_run = np.isfinite(problem.latency)
    for i in order:
        size = problem.containers[container[i]]
        room = (left[:, 0] + TOLERANCE >= size[0]) & (left[:, 1] + TOLERANCE >= size[1]) & (count < problem.most)
        room &= may_run[problem.instance_group[i], problem.machine_group, container[i]]
        if room.any():
            j = int(np.argmin(np.where(room, preference(left, count), np.inf)))
            machine[i] = j
            left[j] -= size
            count[j] += 1
    return Plan(machine, container)


def in_rounds(rank: Ints) -> Preference:
    """Machines by rising `rank`, shape (n,); once each had one instance, round again."""
    return lambda left, count: (count * len(rank) + rank).astype(np.float64)


def emptiest(problem: Problem, container: int) -> Preference:
    """The machine with the most free room of the resource of which the cluster takes the fewest such containers."""
    scarce = int(np.argmin(problem.free.sum(axis=0) / problem.containers[container]))
    return lambda left, count: -left[:, scarce]


@policies.register("round_robin")
def round_robin(problem: Problem, options: PolicyOptions) -> Outcome:
    """Instances in the order of their numbers over machines in the order of theirs, in default containers."""
    started = time.perf_counter()
    turns = in_rounds(np.arange(len(problem.free)))
    plan = seat(problem, standard_containers(problem), np.arange(problem.size), turns)
    return single(problem, plan, "round_robin", started)


@policies.register("least_loaded")
def least_loaded(problem: Problem, options: PolicyOptions) -> Outcome:
    """Each instance to the machine with the most free room of the scarcer resource, in default containers."""
    started = time.perf_counter()
    preference = emptiest(problem, problem.default)
    plan = seat(problem, standard_containers(problem), np.arange(problem.size), preference)
    return single(problem, plan, "least_loaded", started)


@policies.register("fixed")
def fixed(problem: Problem, options: PolicyOptions) -> Outcome:
    """One size for all: the cheapest that is enough for every instance, else the one with the most memory; machines as
    in `least_loaded`. Instances for which even that is not enough wait."""
    started = time.perf_counter()
    groups = np.unique(problem.instance_group)
    enough = np.all(np.isfinite(problem.latency[np.ix_(groups, np.unique(problem.machine_group))]), axis=(0, 1))
    by_price = np.argsort(problem.price_per_second, kind="stable")
    largest = int(np.lexsort((-problem.containers[:, 0], -problem.containers[:, 1]))[0])
    size = int(by_price[np.argmax(enough[by_price])]) if enough.any() else largest
    everyone = np.full(problem.size, size, dtype=np.int64)
    plan = seat(problem, everyone, np.arange(problem.size), emptiest(problem, size))
    return single(problem, plan, "fixed", started)
