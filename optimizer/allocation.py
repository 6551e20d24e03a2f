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
from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.filling import Options, filled, options_of
from paretosql.optimizer.frontier import Floats, nearest_utopia, pareto
from paretosql.optimizer.hierarchy import Frontier, stage_frontier
from paretosql.optimizer.problem import TOLERANCE, WAITS, Plan, Problem, score

# our choices, measured by `python -m benchmarks decisions`
CAPS, MOST_CAPS = 9, 80  # latencies that are tried between the fastest and the cheapest plan
FILLED = 800  # groups of instances that are placed in all plans together
REFINED = 3  # more of them around the point that is chosen
ROUNDS = 12  # of raising prices
SHARES = (1.0, 0.5, 1.5)  # of these prices that plans are filled with, beside none; the first of them at every latency


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
    options = options_of(problem)
    if not problem.size or not len(options.container):  # nothing to place, or no room at all
        wait = Plan(np.full(problem.size, WAITS), np.full(problem.size, problem.default))
        return Allocation(np.zeros((1, 2)), (wait,), 0, stage_frontier([]))
    bound = _bound(options)
    tried: list[_Tried] = []
    known: dict[float, int] = {}  # how many of `SHARES` were tried within each cap

    def attempt(cap: float, shares: int) -> None:
        """Plans without prices and with the first few of `SHARES`, of which those that are not known yet are made.

        Where everyone gets its cheapest option without prices there is no other plan; else how much of the prices that
        would make demand fit suits depends on how well containers fill machines.
        """
        if known.get(cap, -1) >= shares:
            return
        cost = np.where(options.latency <= cap * (1 + TOLERANCE), options.cost, np.inf)
        if cap not in known:
            plan, undisturbed = filled(problem, options, cost)
            tried.append(_Tried(cap, score(problem, plan), plan))
            known[cap] = len(SHARES) if undisturbed else 0
        if known[cap] < shares:
            added = (_prices(options, cost)[options.machines] * options.use).sum(axis=1)
            for share in SHARES[known[cap] : shares]:
                plan, _ = filled(problem, options, cost + share * added)
                tried.append(_Tried(cap, score(problem, plan), plan))
            known[cap] = shares

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
        if late() or all(known.get(cap) == len(SHARES) for cap in nearby):
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


def _bound(options: Options) -> Frontier:
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


def _prices(options: Options, cost: Floats) -> Floats:
    """Prices of machine groups, shape (G, 3) for a core, a GiB and an instance, under which demand fits room, if a few
    rounds can find them.
    """
    use, room = options.use, options.room
    price = np.zeros(options.room.shape)
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
