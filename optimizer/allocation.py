"""Machines and containers of a stage decided together: the frontier of plans that really fit.

The published method places all instances in containers of one size and sizes containers afterwards; a plan that gives
up a fast machine because a smaller container on it would do is out of its reach. Here every cap on latency is one
question: what is the cheapest (machine, container) of every instance within the cap, such that all fit? Without room as
a limit the answer is separable and optimal, which bounds every plan from below. With it, machines that too many want
get a price per core, per GiB and per instance, raised until demand fits; what is left is placed by regret, machine by
machine, so that a plan never exceeds real room.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints, nearest_utopia, pareto
from paretosql.optimizer.hierarchy import Frontier, stage_frontier
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem, score

# our choices, measured by `python -m benchmarks decisions`
CAPS, MOST_CAPS = 9, 80  # latencies that are tried between the fastest and the cheapest plan
FILLED = 800  # groups of instances that are placed in all plans together
REFINED = 3  # more of them around the point that is chosen
ROUNDS = 12  # of raising prices
SHARES = (1.0, 0.5, 1.5)  # of these prices that plans are filled with, beside none; the first of them at every latency
FEW = 8  # options of a group of instances that are sorted before more are asked for


@dataclass(frozen=True)
class Allocation:
    """Plans of a stage, from fast to cheap.

    Attributes:
        points: shape (p, 2), predicted latency_s and cost of `plans`, by rising latency.
        chosen: the position of the recommended one.
        bound: the frontier of the same stage on machines with endless room; no plan is below it in both.
    """

    points: Floats
    plans: tuple[Plan, ...]
    chosen: int
    bound: Frontier

    @property
    def gap(self) -> float:
        """How much more the recommended plan costs than the bound allows at its latency: 0 is proven optimal."""
        latency, cost = self.points[self.chosen]
        within = self.bound.points[:, 0] <= latency * (1 + TOLERANCE)
        least = float(self.bound.points[within, 1].min()) if within.any() else 0.0
        return max(0.0, float(cost) / least - 1.0) if least > 0 else 0.0


class _Room:
    """What is free on every machine while a plan is filled: first fit, machine by machine, in each group.

    Plain lists: most calls look at one or two machines, for which arrays take ten times as long.
    """

    def __init__(self, free: list[list[tuple[float, float]]], most: int) -> None:
        self._cores = [[cores + TOLERANCE for cores, _ in each] for each in free]
        self._memory = [[memory + TOLERANCE for _, memory in each] for each in free]
        self._slots = [[most] * len(each) for each in free]
        self._first = [0] * len(free)  # all machines before it are full of instances
        self._refused: list[list[tuple[float, float]]] = [[] for _ in free]  # sizes that no machine has room for

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


@dataclass(frozen=True)
class _Options:
    """All (machine group, container) pairs as columns: their latency and cost for every group of instances."""

    latency: Floats  # (K, P) for P pairs
    cost: Floats
    container: Ints  # (P,)
    machines: Ints  # (P,), groups of machines
    size: Ints  # (K,)
    members: list[Ints]  # machines of each group
    members_flat: Ints  # the same one after the other, and where each begins
    members_from: Ints
    use: Floats  # (P, 3): cores, GiB, and 1 for the instance itself
    room: Floats  # (G, 3): what all machines of a group have of each
    group: list[int]  # `machines`, the first two columns of `use`, and what is free in each group, for loops
    sizes: list[tuple[float, float]]
    free: list[list[tuple[float, float]]]
    slowest_first: Ints  # (K,), groups of instances by the best latency of each
    order: Ints  # (m,), instances by group, in each the heaviest first; `starts` (K + 1,) is where groups begin
    starts: list[int]


# instances of a group that got an option: the group, the option, which machine of the option's group, and how many
_Taken: TypeAlias = tuple[int, int, int, int]


def allocate(problem: Problem, weights: tuple[float, float] = (0.5, 0.5), deadline: float | None = None) -> Allocation:
    """The plans between the fastest and the cheapest, and the one nearest to the utopia point.

    O(caps * rounds * K * G * T) for the prices and O(caps * K * n) to fill machines: independent of the number of
    instances but for writing down their plans. Where room is short the heaviest instances are placed and the others
    wait.

    Args:
        deadline: `time.perf_counter()` at which no further latency is tried.
    Source:
        the objectives and the hierarchy are those of arXiv:2207.02026; prices, bound and filling are ours.
    """
    options = _options(problem)
    if not problem.size or not len(options.container):  # nothing to place, or no room at all
        wait = Plan(np.full(problem.size, WAITS), np.full(problem.size, problem.default))
        return Allocation(np.zeros((1, 2)), (wait,), 0, stage_frontier([]))
    bound = _bound(options)
    tried: list[_Tried] = []
    known: set[tuple[float, int]] = set()

    def attempt(cap: float, shares: int) -> None:
        """Plans with none and with the first few of `SHARES`, of which those that are not known yet are made."""
        if (cap, shares) not in known:
            wanted = [each for each in range(shares + 1) if (cap, each) not in known]
            tried.extend(_Tried(cap, score(problem, plan), plan) for plan in _plans(problem, options, cap, wanted))
            known.update((cap, each) for each in range(shares + 1))

    def late() -> bool:
        return deadline is not None and time.perf_counter() > deadline and bool(tried)

    for cap in _caps(bound, len(options.latency)):
        if late():
            break
        attempt(cap, 1)
    front = _front(tried)
    for _ in range(REFINED):
        points = np.array([each.point for each in front])
        chosen = nearest_utopia(points, weights)
        nearby = {front[chosen].cap, *_between(points, chosen)}
        if late() or all((cap, len(SHARES)) in known for cap in nearby):
            break
        for cap in sorted(nearby):
            attempt(cap, len(SHARES))
        front = _front(tried)
    points = np.array([each.point for each in front])
    return Allocation(points, tuple(each.plan for each in front), nearest_utopia(points, weights), bound)


@dataclass(frozen=True)
class _Tried:
    """A plan, its latency and cost, and the cap within which it was sought."""

    cap: float
    point: tuple[float, float]
    plan: Plan


def _options(problem: Problem) -> _Options:
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
    return _Options(
        latency,
        latency * problem.price_per_second[flat % containers],
        flat % containers,
        flat // containers,
        size,
        members,
        np.concatenate(members),
        np.cumsum([0, *map(len, members)])[:-1],
        use,
        np.array([[*problem.free[m].sum(axis=0), len(m) * problem.most] for m in members]),
        (flat // containers).tolist(),
        [(cores, memory) for cores, memory, _ in use.tolist()],
        [[(cores, memory) for cores, memory in problem.free[machines].tolist()] for machines in members],
        np.argsort(-np.where(np.isfinite(best), best, 0.0), kind="stable"),
        np.lexsort((-problem.weight, problem.instance_group)),
        [0, *np.cumsum(size).tolist()],
    )


def _bound(options: _Options) -> Frontier:
    """The frontier with endless room, of the instances that some machine can hold."""
    known = [(at, np.isfinite(options.latency[at])) for at in range(len(options.latency)) if options.size[at]]
    known = [(at, finite) for at, finite in known if finite.any()]
    choices = [np.column_stack((options.latency[at][finite], options.cost[at][finite])) for at, finite in known]
    return stage_frontier(choices, [int(options.size[at]) for at, _ in known])


def _caps(bound: Frontier, groups: int) -> list[float]:
    """Latencies from the fastest to the slowest plan of the bound, evenly spread in logarithm, and no cap at all; more
    of them for fewer groups of instances, whose plans take less time.
    """
    times = bound.points[:, 0]
    if times[-1] <= 0:
        return [np.inf]
    number = int(np.clip(FILLED // max(groups, 1), CAPS, MOST_CAPS))
    if len(times) <= number:
        return [*times.tolist(), np.inf]
    wanted = np.geomspace(max(times[0], 1e-9), max(times[-1], 1e-9), number)
    at = np.unique(np.searchsorted(times, wanted * (1 - TOLERANCE)).clip(0, len(times) - 1))
    return [*times[at].tolist(), np.inf]


def _front(tried: list[_Tried]) -> list[_Tried]:
    """Undominated plans of those that place the most instances, by rising latency."""
    placed = [int((each.plan.machine >= 0).sum()) for each in tried]
    most = [each for each, count in zip(tried, placed, strict=True) if count == max(placed)]
    return [most[at] for at in pareto(np.array([each.point for each in most]))]


def _between(points: Floats, chosen: int) -> list[float]:
    """Caps half way from the chosen point to its neighbours, where these are far."""
    caps = []
    for other in (chosen - 1, chosen + 1):
        if 0 <= other < len(points):
            low, high = sorted((points[chosen, 0], points[other, 0]))
            if low > 0 and high / low > 1.05:
                caps.append(float(np.sqrt(low * high)))
    return caps


def _plans(problem: Problem, options: _Options, cap: float, wanted: list[int]) -> Iterator[Plan]:
    """Plans within the cap as far as room allows; the rest takes what is fastest, or waits.

    Where everyone gets its cheapest option that is the only one; else others follow, with more or less of the prices
    that would make demand fit: how much suits depends on how well containers fill machines.

    Args:
        wanted: 0 for the plan without prices, 1 for that with the first of `SHARES`, and so on.
    """
    cost = np.where(options.latency <= cap * (1 + TOLERANCE), options.cost, np.inf)
    if 0 in wanted:
        plan, undisturbed = _fill(problem, options, cost)
        yield plan
        if undisturbed:
            return
    added = (_prices(options, cost)[options.machines] * options.use).sum(axis=1)
    for each in wanted:
        if each:
            yield _fill(problem, options, cost + SHARES[each - 1] * added)[0]


def _fill(problem: Problem, options: _Options, priced: Floats) -> tuple[Plan, bool]:
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


def _fastest(options: _Options) -> Floats:
    best: Floats = options.latency.min(axis=1)
    return np.where(np.isfinite(best), best, 0.0)


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


def _prices(options: _Options, cost: Floats) -> Floats:
    """Prices of machine groups, shape (G, 3) for a core, a GiB and an instance, under which demand fits room, if a few
    rounds can find them.
    """
    use, room = options.use, options.room
    price = np.zeros((len(options.members), 3))
    rows = np.flatnonzero(np.isfinite(cost).any(axis=1) & (options.size > 0))
    if not len(rows):
        return price
    reach, size = cost[rows], options.size[rows]
    scale = float(np.median(reach.min(axis=1))) / use.mean(axis=0)
    priced = reach
    for round_ in range(ROUNDS):
        choice = priced.argmin(axis=1)
        where, much = options.machines[choice], use[choice] * size[:, None]
        demand = np.column_stack([np.bincount(where, each, len(price)) for each in much.T])
        excess = demand / np.maximum(room, TOLERANCE) - 1.0
        if (excess <= 0).all():
            break
        price = np.maximum(0.0, price + scale * np.clip(excess, -0.5, 2.0) / np.sqrt(1.0 + round_))
        priced = reach + (price[options.machines] * use).sum(axis=1)
    return price


def _by_regret(priced: Floats, options: _Options) -> tuple[list[int], list[int]]:
    """Groups of instances, first those that lose most per core when their best machines are full, and the best option
    of each.
    """
    starts = np.flatnonzero(np.concatenate(([True], np.diff(options.machines) > 0)))  # pairs are in order of machines
    by_machine = np.minimum.reduceat(priced, starts, axis=1)
    best = by_machine.min(axis=1)
    second = np.partition(by_machine, 1, axis=1)[:, 1] if len(starts) > 1 else best
    with np.errstate(invalid="ignore"):
        regret = np.where(np.isfinite(best), second - best, -1.0)
    rows = np.flatnonzero((options.size > 0) & np.isfinite(best))
    rows = rows[np.lexsort((-_fastest(options)[rows], -regret[rows]))]
    return rows.tolist(), priced[rows].argmin(axis=1).tolist()


def _written(problem: Problem, options: _Options, taken: list[_Taken]) -> Plan:
    """Instances of a group in order of work take the places of the group, fastest first."""
    machine = np.full(problem.size, WAITS, dtype=np.int64)
    container = np.full(problem.size, problem.default, dtype=np.int64)
    if not taken:
        return Plan(machine, container)
    k, option, within, count = np.array(taken).T
    where = options.members_flat[options.members_from[options.machines[option]] + within]
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
