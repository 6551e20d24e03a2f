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
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints, nearest_utopia, pareto
from paretosql.optimizer.hierarchy import Frontier, stage_frontier
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem, score

# our choices, measured by `python -m benchmarks decisions`
CAPS, MOST_CAPS = 9, 80  # latencies that are tried between the fastest and the cheapest plan
FILLED = 800  # groups of instances that are placed in all plans together
REFINED = 3  # more of them around the point that is chosen
ROUNDS = 12  # of raising prices
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
    """What is free on every machine while a plan is filled."""

    def __init__(self, problem: Problem, members: list[Ints]) -> None:
        self.free = [problem.free[machines] for machines in members]
        self.slots = [np.full(len(machines), problem.most, dtype=np.int64) for machines in members]
        self._best = [self._most(g) for g in range(len(members))]

    def take(self, g: int, container: Floats, wanted: int) -> Ints:
        """Reserve up to `wanted` containers in a group; how many on each of its machines, empty without any room."""
        best = self._best[g]
        if container[0] > best[0] or container[1] > best[1]:
            return _NONE
        each = np.floor((self.free[g] + TOLERANCE) / container).min(axis=1)
        each = np.minimum(np.maximum(each, 0), self.slots[g]).astype(np.int64)
        total = np.cumsum(each)
        each = np.minimum(each, np.maximum(0, wanted - (total - each)))
        self.free[g] -= each[:, None] * container
        self.slots[g] -= each
        self._best[g] = self._most(g)
        taken: Ints = each
        return taken

    def _most(self, g: int) -> tuple[float, float]:
        """Cores and GiB that no machine of the group exceeds."""
        open_ = self.slots[g] > 0
        if not open_.any():
            return (0.0, 0.0)
        cores, memory = self.free[g][open_].max(axis=0) + TOLERANCE
        return float(cores), float(memory)


_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class _Options:
    """All (machine group, container) pairs as columns: their latency and cost for every group of instances."""

    latency: Floats  # (K, P) for P pairs
    cost: Floats
    container: Ints  # (P,)
    machines: Ints  # (P,), groups of machines
    size: Ints  # (K,)
    members: list[Ints]  # machines of each group
    use: Floats  # (P, 3): cores, GiB, and 1 for the instance itself
    room: Floats  # (G, 3): what all machines of a group have of each
    group: list[int]  # `machines`, and the first two columns of `use`, for loops
    sizes: list[Floats]


@dataclass(frozen=True)
class _Taken:
    """Instances of group k that got an option, and their machines."""

    k: int
    option: int
    machines: Ints


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
    tried: dict[float, tuple[tuple[float, float], Plan]] = {}
    price = np.zeros((len(options.members), 3))

    def attempt(cap: float) -> None:
        if cap not in tried:
            plan = _fill(problem, options, cap, price)
            tried[cap] = (score(problem, plan), plan)

    def late() -> bool:
        return deadline is not None and time.perf_counter() > deadline and bool(tried)

    for cap in _caps(bound, len(options.latency)):
        if late():
            break
        attempt(cap)
    for _ in range(REFINED):
        points, _, chosen = _front(tried, weights)
        nearby = _between(points, chosen, tried)
        if late() or not nearby:
            break
        for cap in nearby:
            attempt(cap)
    points, plans, chosen = _front(tried, weights)
    return Allocation(points, plans, chosen, bound)


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
    return _Options(
        latency,
        latency * problem.price_per_second[flat % containers],
        flat % containers,
        flat // containers,
        np.bincount(problem.instance_group, minlength=len(latency)),
        members,
        use,
        np.array([[*problem.free[m].sum(axis=0), len(m) * problem.most] for m in members]),
        (flat // containers).tolist(),
        list(use[:, :2]),
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


def _front(
    tried: dict[float, tuple[tuple[float, float], Plan]], weights: tuple[float, float]
) -> tuple[Floats, tuple[Plan, ...], int]:
    """Undominated plans of those that place the most instances."""
    placed = np.array([int((plan.machine >= 0).sum()) for _, plan in tried.values()])
    most = [each for each, count in zip(tried.values(), placed, strict=True) if count == placed.max()]
    points = np.array([point for point, _ in most])
    kept = pareto(points)
    points = points[kept]
    return points, tuple(most[at][1] for at in kept), nearest_utopia(points, weights)


def _between(points: Floats, chosen: int, tried: dict[float, tuple[tuple[float, float], Plan]]) -> list[float]:
    """Caps half way from the chosen point to its neighbours, where these are far."""
    caps = []
    for other in (chosen - 1, chosen + 1):
        if 0 <= other < len(points):
            low, high = sorted((points[chosen, 0], points[other, 0]))
            if low > 0 and high / low > 1.05:
                caps.append(float(np.sqrt(low * high)))
    return [cap for cap in caps if cap not in tried]


def _fill(problem: Problem, options: _Options, cap: float, price: Floats) -> Plan:
    """A plan within the cap as far as room allows; the rest takes what is fastest, or waits."""
    cost = np.where(options.latency <= cap * (1 + TOLERANCE), options.cost, np.inf)
    priced = _priced(problem, options, cost, price)
    room = _Room(problem, options.members)
    taken: list[_Taken] = []
    left = options.size.tolist()

    def place(k: int, order: Iterator[int]) -> None:
        for option in order:
            if not left[k]:
                return
            g = options.group[option]
            each = room.take(g, options.sizes[option], left[k])
            if each.any():
                taken.append(_Taken(k, option, np.repeat(options.members[g], each)))
                left[k] -= int(each.sum())

    for k in _by_regret(priced, options).tolist():
        place(k, _ascending(priced[k]))
    for k in np.argsort(-_fastest(options), kind="stable").tolist():
        if left[k]:
            place(k, _ascending(options.latency[k]))
    return _written(problem, options, taken)


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


def _priced(problem: Problem, options: _Options, cost: Floats, price: Floats) -> Floats:
    """Costs with prices for machine groups on top that make demand fit, if a few rounds can.

    `price`, shape (G, 3) for a core, a GiB and an instance, is where they start, and is left where they end.
    """
    use, room = options.use, options.room
    possible = np.isfinite(cost).any(axis=1) & (options.size > 0)
    if not possible.any():
        return cost
    rows = np.flatnonzero(possible)
    reach, size = cost[rows], options.size[rows]
    scale = float(np.median(reach.min(axis=1))) / use.mean(axis=0)
    priced = reach + (price[options.machines] * use).sum(axis=1) if price.any() else reach
    for round_ in range(ROUNDS):
        choice = priced.argmin(axis=1)
        demand = np.zeros_like(price)
        np.add.at(demand, options.machines[choice], use[choice] * size[:, None])
        excess = demand / np.maximum(room, TOLERANCE) - 1.0
        if (excess <= 0).all():
            break
        price[:] = np.maximum(0.0, price + scale * np.clip(excess, -0.5, 2.0) / np.sqrt(1.0 + round_))
        priced = reach + (price[options.machines] * use).sum(axis=1)
    found = cost.copy()
    found[rows] = priced
    return found


def _by_regret(priced: Floats, options: _Options) -> Ints:
    """Groups of instances, first those that lose most per core when their best machines are full."""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(options.machines) > 0)))  # pairs are in order of machines
    by_machine = np.minimum.reduceat(priced, starts, axis=1)
    best = by_machine.min(axis=1)
    second = np.partition(by_machine, 1, axis=1)[:, 1] if len(starts) > 1 else best
    with np.errstate(invalid="ignore"):
        regret = np.where(np.isfinite(best), second - best, -1.0)
    rows = np.flatnonzero((options.size > 0) & np.isfinite(best))
    return rows[np.lexsort((-_fastest(options)[rows], -regret[rows]))]


def _written(problem: Problem, options: _Options, taken: list[_Taken]) -> Plan:
    """Instances of a group in order of work take the places of the group, fastest first."""
    machine = np.full(problem.size, WAITS, dtype=np.int64)
    container = np.full(problem.size, problem.default, dtype=np.int64)
    places: dict[int, list[tuple[float, int, Ints]]] = {}
    for each in taken:
        seconds = float(options.latency[each.k, each.option])
        places.setdefault(each.k, []).append((seconds, each.option, each.machines))
    order = np.lexsort((-problem.weight, problem.instance_group))
    starts = np.concatenate(([0], np.cumsum(options.size)))
    for k, mine in places.items():
        mine.sort(key=lambda place: place[0])
        where = np.concatenate([machines for _, _, machines in mine])
        which = np.concatenate([np.full(len(m), options.container[option]) for _, option, m in mine])
        rows = order[starts[k] : starts[k] + len(where)]
        machine[rows], container[rows] = where, which
    return Plan(machine, container)
