"""One plan of a stage: groups of instances take their options by regret, on real machines with real room.

An option is a group of machines and a container. What all plans of a stage share is in `Options`; plans differ by what
an option is said to cost, with prices on top or infinite beyond a cap on latency.
Source: our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem

FEW = 8  # options of a group of instances that are sorted before more are asked for


@dataclass(frozen=True)
class Options:
    """All (machine group, container) pairs as columns: their latency and cost for every group of instances."""

    latency: Floats  # (K, P) for P pairs
    cost: Floats
    container: Ints  # (P,)
    machines: Ints  # (P,), groups of machines
    size: Ints  # (K,)
    members: Ints  # (n,), machines, group by group, and where each group begins
    first_member: Ints
    use: Floats  # (P, 3): cores, GiB, and 1 for the instance itself
    room: Floats  # (G, 3): what all machines of a group have of each
    group: list[int]  # `machines`, the first two columns of `use`, and what is free in each group, for loops
    sizes: list[tuple[float, float]]
    free: tuple[list[list[float]], list[list[float]]]  # cores and GiB, a list for each group of machines
    first_pair: Ints  # (G',), where the pairs of each group of machines begin
    fastest: Floats  # (K,), the best latency of each group of instances, 0 where there is none
    slowest_first: Ints  # (K,), groups of instances by it
    order: Ints  # (m,), instances by group, in each the heaviest first; `starts` (K + 1,) is where groups begin
    starts: list[int]


def options_of(problem: Problem) -> Options:
    """Pairs that no machine of the group can hold are dropped, and containers with memory that makes nothing faster."""
    groups, containers = problem.latency.shape[1:]
    members = [np.flatnonzero(problem.machine_group == g) for g in range(groups)]
    holds = np.zeros((groups, containers), dtype=bool)
    for g, machines in enumerate(members):
        room = problem.free[machines]
        holds[g] = (room[:, None, :] + TOLERANCE >= problem.containers[None]).all(axis=2).any(axis=0)
    latency = np.where(holds[None], problem.latency, np.inf)
    for cores in np.unique(problem.containers[:, 0]):
        alike = np.flatnonzero(problem.containers[:, 0] == cores)
        alike = alike[np.argsort(problem.containers[alike, 1], kind="stable")]
        with_less = np.minimum.accumulate(latency[:, :, alike], axis=2)[:, :, :-1]
        latency[:, :, alike[1:]] = np.where(latency[:, :, alike[1:]] < with_less, latency[:, :, alike[1:]], np.inf)
    flat = np.flatnonzero(np.isfinite(latency).any(axis=0).ravel())
    latency = latency.reshape(len(latency), -1)[:, flat]
    use = np.column_stack((problem.containers[flat % containers], np.ones(len(flat))))
    size = np.bincount(problem.instance_group, minlength=len(latency))
    best = latency.min(axis=1, initial=np.inf)
    fastest = np.where(np.isfinite(best), best, 0.0)
    free = [problem.free[each] + TOLERANCE for each in members]
    return Options(
        latency,
        latency * problem.price_per_second[flat % containers],
        flat % containers,
        flat // containers,
        size,
        np.concatenate(members),
        np.cumsum([0, *map(len, members)])[:-1],
        use,
        np.array([[*problem.free[m].sum(axis=0), len(m) * problem.most] for m in members]),
        (flat // containers).tolist(),
        [(cores, memory) for cores, memory, _ in use.tolist()],
        ([each[:, 0].tolist() for each in free], [each[:, 1].tolist() for each in free]),
        np.flatnonzero(np.diff(flat // containers, prepend=-1) > 0),  # pairs are in order of machines
        fastest,
        np.argsort(-fastest, kind="stable"),
        np.lexsort((-problem.weight, problem.instance_group)),
        [0, *np.cumsum(size).tolist()],
    )


def filled(problem: Problem, options: Options, priced: Floats) -> tuple[Plan, bool]:
    """A plan by regret, and whether everyone got the option with the least of `priced`."""
    room = _Room(options.free, problem.most)
    taken: list[_Taken] = []
    left = options.size.tolist()

    def place(k: int, option: int) -> None:
        for j, count in room.take(options.group[option], *options.sizes[option], left[k]):
            taken.append((k, option, j, count))
            left[k] -= count

    undisturbed = True
    order, best = _by_regret(priced, options)
    for k, option in zip(order, best, strict=True):
        place(k, option)
        if left[k]:
            undisturbed = False
            _try_all(priced[k], place, k, left)
    for k in options.slowest_first.tolist():
        if left[k]:
            undisturbed = False
            _try_all(options.latency[k], place, k, left)
    return _written(problem, options, taken), undisturbed


def _try_all(values: Floats, place: Callable[[int, int], None], k: int, left: list[int]) -> None:
    """Place instances of group k by rising values of the options until none is left."""
    for option in _ascending(values):
        place(k, option)
        if not left[k]:
            return


def _ascending(values: Floats) -> Iterator[int]:
    """Positions of the finite values, smallest first; mostly the first few are all that is asked for."""
    few = np.argpartition(values, FEW)[:FEW] if len(values) > FEW else np.arange(len(values))
    few = few[np.lexsort((few, values[few]))]
    for at in few.tolist():
        if not np.isfinite(values[at]):
            return
        yield at
    if len(values) > FEW:
        order = np.argsort(values, kind="stable")
        seen = set(few.tolist())
        yield from (at for at in order[: int(np.isfinite(values).sum())].tolist() if at not in seen)


# instances of a group that got an option: the group, the option, which machine of the option's group, and how many
_Taken: TypeAlias = tuple[int, int, int, int]


class _Room:
    """What is free on every machine while a plan is filled: first fit, machine by machine, in each group.

    Plain lists, as most calls look at one or two machines, for which arrays take ten times as long.
    """

    def __init__(self, free: tuple[list[list[float]], list[list[float]]], most: int) -> None:
        self._cores, self._memory = ([list(each) for each in part] for part in free)
        self._slots = [[most] * len(each) for each in self._cores]
        self._first = [0] * len(self._cores)  # all machines before it are full of instances
        self._refused: list[list[tuple[float, float]]] = [[] for _ in self._cores]  # sizes that no machine has room for

    def take(self, g: int, cores: float, memory: float, wanted: int) -> list[tuple[int, int]]:
        """Reserve up to `wanted` containers in a group: positions of machines in it, and how many on each."""
        if any(cores >= least and memory >= also for least, also in self._refused[g]):
            return _NONE
        free_cores, free_memory, slots = self._cores[g], self._memory[g], self._slots[g]
        found, left, first = [], wanted, self._first[g]
        for j in range(first, len(slots)):
            if free_cores[j] >= cores and free_memory[j] >= memory and slots[j]:
                count = min(left, slots[j], int(free_cores[j] / cores), int(free_memory[j] / memory))
                free_cores[j] -= count * cores
                free_memory[j] -= count * memory
                slots[j] -= count
                found.append((j, count))
                left -= count
                if not left:
                    break
        else:
            self._refused[g].append((cores, memory))
        while first < len(slots) and not slots[first]:
            first += 1
        self._first[g] = first
        return found


_NONE: list[tuple[int, int]] = []


def _by_regret(priced: Floats, options: Options) -> tuple[list[int], list[int]]:
    """Groups of instances, first those that lose most per core when their best machines are full, and the best option
    of each.
    """
    by_machine = np.minimum.reduceat(priced, options.first_pair, axis=1)
    best = by_machine.min(axis=1)
    second = np.partition(by_machine, 1, axis=1)[:, 1] if len(options.first_pair) > 1 else best
    with np.errstate(invalid="ignore"):
        regret = np.where(np.isfinite(best), second - best, -1.0)
    rows = np.flatnonzero((options.size > 0) & np.isfinite(best))
    rows = rows[np.lexsort((-options.fastest[rows], -regret[rows]))]
    return rows.tolist(), priced[rows].argmin(axis=1).tolist()


def _written(problem: Problem, options: Options, taken: list[_Taken]) -> Plan:
    """Instances of a group in order of work take the places of the group, fastest first."""
    machine = np.full(problem.size, WAITS, dtype=np.int64)
    container = np.full(problem.size, problem.default, dtype=np.int64)
    if not taken:
        return Plan(machine, container)
    k, option, within, count = np.array(taken).T
    where = options.members[options.first_member[options.machines[option]] + within]
    by_speed = np.lexsort((option, options.latency[k, option], k))
    k, count = k[by_speed], count[by_speed]
    first = np.concatenate(([0], np.cumsum(count)))[:-1]
    begins = np.maximum.accumulate(np.where(np.concatenate(([True], np.diff(k) > 0)), first, 0))  # of each group
    at = np.repeat(np.asarray(options.starts)[k] + first - begins, count) + _counted(count)
    rows = options.order[at]
    machine[rows] = np.repeat(where[by_speed], count)
    container[rows] = np.repeat(options.container[option[by_speed]], count)
    return Plan(machine, container)


def _counted(counts: Ints) -> Ints:
    """0, 1, .. for each of some counts, one after the other."""
    total = np.cumsum(counts)
    found: Ints = np.arange(int(total[-1])) - np.repeat(total - counts, counts)
    return found
