"""The joint space of machines and containers, and the repair that makes any vector of it a plan that keeps the rules.

A vector holds a machine and a container for each of the a instances that start now. Searches handle P vectors at once:
two arrays of shape (P, a), one column after the other, so that the work per step is over the population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem
from paretosql.optimizer.simple import emptiest, heaviest_first, seat, standard_containers

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Space:
    """Where joint policies search.

    Attributes:
        problem: whose instances are placed.
        now: shape (a,), the instances that start now, all of them in every plan: those that need more than the default
            container, then the rest, the heaviest first.
        machine, container: shape (a,), a plan for them that keeps the rules: standard containers on empty machines.
        open: machines with room for some container.
        enough: shape (K, G, T), the container itself or, where it is below the memory that is needed, the cheapest
            that is enough; -1 where none is.
    """

    problem: Problem
    now: Ints
    machine: Ints
    container: Ints
    open: Ints
    enough: Ints

    def plan(self, machine: Ints, container: Ints) -> Plan:
        """The plan of one vector; instances that do not start now wait in the containers of the scheduler."""
        everyone = np.full(self.problem.size, WAITS, dtype=np.int64)
        size = standard_containers(self.problem)
        everyone[self.now], size[self.now] = machine, container
        return Plan(everyone, size)


def joint_space(problem: Problem) -> Space:
    """The space of a problem. Which instances start now is decided here, by standard containers, so that policies
    that search are compared on the same instances; the heaviest start (section 7)."""
    size = standard_containers(problem)
    order = heaviest_first(problem, size)
    order = order[np.argsort(-problem.containers[size[order], 1] * (size[order] != problem.default), kind="stable")]
    plan = seat(problem, size, order, emptiest(problem, problem.default))
    now = order[plan.machine[order] >= 0]
    room = np.array([problem.fits(t) for t in range(len(problem.containers))])
    by_price = np.argsort(problem.price_per_second, kind="stable")
    possible = np.isfinite(problem.latency)
    cheapest = by_price[np.argmax(possible[:, :, by_price], axis=2)][:, :, None]
    enough = np.where(possible, np.arange(len(problem.containers)), cheapest)
    enough[~possible.any(axis=2)] = -1
    return Space(problem, now, plan.machine[now], size[now], np.flatnonzero((room > 0).any(axis=0)), enough)


def draw(space: Space, rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """`count` random vectors: every machine with room and every container equally likely, not repaired."""
    shape = (count, len(space.now))
    machine = space.open[rng.integers(len(space.open), size=shape)]
    return machine, rng.integers(len(space.problem.containers), size=shape)


def evaluate(space: Space, machine: Ints, container: Ints) -> Floats:
    """Latency_s and cost of repaired vectors, shape (P, 2)."""
    problem = space.problem
    seconds = problem.latency[problem.instance_group[space.now], problem.machine_group[machine], container]
    return np.column_stack((seconds.max(axis=1), (seconds * problem.price_per_second[container]).sum(axis=1)))


def repair(space: Space, machine: Ints, container: Ints) -> tuple[Ints, Ints]:
    """The same vectors, changed where they break a rule; shape (P, a) both.

    Too little memory is mended by the cheapest container that is enough. Vectors that then keep the rules stay as they
    are, so every plan for `now` can be found. In the others instances come in the order of the columns. Each gets what
    its vector says if there is room and if the instances after it still find room in default containers; else its
    standard container on the machine it names; else that on the machine with the most room. Only where instances need
    more memory than the default one may be left without a machine; the vector becomes the plan of the scheduler.

    O(P a), and for vectors that break a rule O(a) steps over them all.
    Source: our choice; section 6.5 asks for a repair without saying which.
    """
    problem = space.problem
    size = space.enough[problem.instance_group[space.now], problem.machine_group[machine], container]
    broken = np.flatnonzero(~_keeps_the_rules(problem, machine, size))
    machine, size = machine.copy(), size.copy()
    machine[broken], size[broken] = _in_turn(space, machine[broken], container[broken])
    return machine, size


def _keeps_the_rules(problem: Problem, machine: Ints, container: Ints) -> Bools:
    """Which vectors break no rule, shape (P,); a container of -1 breaks one, and machines are not `WAITS`."""
    vectors, machines = len(machine), len(problem.free)
    at = (np.arange(vectors)[:, None] * machines + machine).ravel()
    count = np.bincount(at, minlength=vectors * machines).reshape(vectors, machines)
    kept = (container >= 0).all(axis=1) & (count <= problem.most).all(axis=1)
    for k, free in enumerate(problem.free.T):
        used = np.bincount(at, problem.containers[container, k].ravel(), vectors * machines)
        kept &= (used.reshape(vectors, machines) <= free + TOLERANCE).all(axis=1)
    return np.asarray(kept)


def _in_turn(space: Space, machine: Ints, container: Ints) -> tuple[Ints, Ints]:
    """Vectors as the instances take room one after the other, see `repair`."""
    problem = space.problem
    if not len(machine):
        return machine, container
    room = _Room(problem, len(machine))
    plain = space.container == problem.default
    after = np.cumsum(plain[::-1])[::-1] - plain  # instances in default containers that are yet to come
    for at, i in enumerate(space.now):
        enough = space.enough[problem.instance_group[i]]
        group, base, later = problem.machine_group, int(space.container[at]), int(after[at])
        wish, size = machine[:, at].copy(), enough[group[machine[:, at]], container[:, at]]
        waiting = room.take(np.arange(len(machine)), wish, size, later)
        if len(waiting):
            size[waiting] = np.where(enough[group[wish[waiting]], base] == base, base, -1)
            waiting = room.take(waiting, wish[waiting], size[waiting], later)
        if len(waiting):
            wish[waiting] = room.emptiest(waiting, base, enough[group, base] == base)
            size[waiting] = np.where(enough[group[wish[waiting]], base] == base, base, -1)
            waiting = room.take(waiting, wish[waiting], size[waiting], later)
            wish[waiting], size[waiting] = WAITS, base
        machine[:, at], container[:, at] = wish, size
    lost = (machine == WAITS).any(axis=1)
    machine[lost], container[lost] = space.machine, space.container
    return machine, container


class _Room:
    """Free room of every machine in every vector of a population, as instances take it."""

    def __init__(self, problem: Problem, vectors: int) -> None:
        self._cores, self._memory_gib = problem.containers[:, 0].copy(), problem.containers[:, 1].copy()
        self._default, self._most = problem.default, problem.most
        self._free_cores = np.tile(problem.free[:, 0], (vectors, 1))
        self._free_gib = np.tile(problem.free[:, 1], (vectors, 1))
        self._count = np.zeros((vectors, len(problem.free)), dtype=np.int64)
        self._slots = np.tile(problem.fits(problem.default), (vectors, 1))  # default containers that still fit
        self._total = self._slots.sum(axis=1)

    def take(self, rows: Ints, machine: Ints, size: Ints, later: int) -> Ints:
        """Let vectors `rows` put a container, -1 for none, on a machine each, if `later` default containers still fit
        elsewhere; the rows that could not."""
        cores = self._free_cores[rows, machine] - self._cores[size] + TOLERANCE
        gib = self._free_gib[rows, machine] - self._memory_gib[size] + TOLERANCE
        count = self._most - self._count[rows, machine] - 1
        slots = np.minimum(cores // self._cores[self._default], gib // self._memory_gib[self._default])
        slots = np.clip(slots, 0, count).astype(np.int64)
        change = slots - self._slots[rows, machine]
        taken = (size >= 0) & (cores >= 0) & (gib >= 0) & (count >= 0) & (self._total[rows] + change >= later)
        at = (rows[taken], machine[taken])
        self._free_cores[at] = cores[taken] - TOLERANCE
        self._free_gib[at] = gib[taken] - TOLERANCE
        self._count[at] += 1
        self._slots[at] = slots[taken]
        self._total[rows[taken]] += change[taken]
        refused: Ints = rows[~taken]
        return refused

    def emptiest(self, rows: Ints, size: int, may_run: Bools) -> Ints:
        """For vectors `rows`, the machine with room for the most default containers that takes one of `size`."""
        slots = self._slots[rows]
        if size != self._default:
            fits = (self._free_cores[rows] + TOLERANCE >= self._cores[size]) & (self._count[rows] < self._most)
            slots = np.where(fits & (self._free_gib[rows] + TOLERANCE >= self._memory_gib[size]), slots, -1)
        if not may_run.all():
            slots = np.where(may_run, slots, -1)
        found: Ints = slots.argmax(axis=1)
        return found
