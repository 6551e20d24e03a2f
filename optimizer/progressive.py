"""Progressive Frontier: the box between the best and the worst corner is probed where most of it is still unknown."""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field

import numpy as np

from paretosql.optimizer.evolution import mutated
from paretosql.optimizer.frontier import Floats, Ints, pareto
from paretosql.optimizer.policy import Outcome, PolicyOptions, nearest, policies, single
from paretosql.optimizer.problem import Problem
from paretosql.optimizer.repair import Space, draw, evaluate, joint_space, repair

PROBES = 30  # our choice: a stage of 1,000 instances on 500 machines then ends within the limit of section 6.5
UNKNOWN = 0.01  # of the first box: it ends when less than this is unknown; our choice
SAMPLES = 200  # vectors drawn at once by the inner solver; our choice
ROUNDS = 5  # of samples per probe, each around the best so far; our choice


@dataclass(frozen=True)
class Box:
    """A rectangle of objectives in which there may be points: its best and its worst corner, latency_s and cost."""

    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def area(self) -> float:
        """Zero for a box without inside."""
        return max(self.high[0] - self.low[0], 0.0) * max(self.high[1] - self.low[1], 0.0)

    def split(self, point: Floats) -> list[Box]:
        """What is left when a point is found: neither what dominates it, which is empty, nor what it dominates.

        >>> Box((0.0, 0.0), (8.0, 8.0)).split(np.array([3.0, 4.0]))
        [Box(low=(0.0, 4.0), high=(3.0, 8.0)), Box(low=(3.0, 0.0), high=(8.0, 4.0))]
        """
        latency, cost = float(point[0]), float(point[1])
        faster = Box((self.low[0], cost), (latency, self.high[1]))
        cheaper = Box((latency, self.low[1]), (self.high[0], cost))
        return [each for each in (faster, cheaper) if each.area > 0]

    def rest(self) -> list[Box]:
        """What is left when there is nothing in the half of lower cost."""
        middle = (self.low[1] + self.high[1]) / 2
        box = Box((self.low[0], middle), self.high)
        return [box] if box.area > 0 else []


LATENCY, COST = 0, 1  # columns of points


@dataclass
class Solver:
    """Constrained minimisation of one objective by random samples: half of them new, half around what is best so far.

    It keeps what it found for the next call.
    """

    space: Space
    rng: np.random.Generator
    deadline: float  # of `time.perf_counter()`
    points: Floats = field(default_factory=lambda: np.empty((0, 2)))
    vectors: Ints = field(default_factory=lambda: np.empty((0, 2, 0), dtype=np.int64))

    def minimise(self, target: int, high: Floats) -> int | None:
        """The row of `points` with the least `target`, a column, within `high`, shape (2,); None when there is none.

        `points` is the frontier of all samples so far, so an earlier sample may be the answer.
        """
        found: int | None = None
        for done in range(ROUNDS):
            if done and self.late():
                break
            self._sample(target, high)
            inside = np.flatnonzero((self.points <= high).all(axis=1))
            if len(inside):
                found = int(inside[np.lexsort((self.points[inside, 1 - target], self.points[inside, target]))[0]])
        return found

    def late(self) -> bool:
        """Whether the time limit is over."""
        return time.perf_counter() >= self.deadline

    def _sample(self, target: int, high: Floats) -> None:
        machine, container = draw(self.space, self.rng, SAMPLES)
        if not len(self.points):
            machine[0], container[0] = self.space.machine, self.space.container
        else:
            near = self.vectors[self._nearest(target, high)]
            half = SAMPLES // 2
            share = np.exp(self.rng.uniform(np.log(1 / len(self.space.now)), 0.0, size=(half, 1)))
            copies = np.repeat(near[:, None], half, axis=1)
            machine[:half], container[:half] = mutated(self.space, copies[0], copies[1], self.rng, share)
        machine, container = repair(self.space, machine, container)
        points = np.concatenate((self.points, evaluate(self.space, machine, container)))
        vectors = np.stack((machine, container), axis=1)
        kept = pareto(points)  # whatever is asked next, the answer is among these or among new samples
        self.vectors = (np.concatenate((self.vectors, vectors)) if len(self.vectors) else vectors)[kept]
        self.points = points[kept]

    def _nearest(self, target: int, high: Floats) -> int:
        """The best within `high`; while there is none, the one that exceeds it least."""
        excess = np.maximum(self.points / np.where(high > 0, high, 1.0) - 1, 0.0).max(axis=1)
        return int(np.lexsort((self.points[:, target], excess))[0])


@policies.register("progressive_frontier")
def progressive_frontier(problem: Problem, options: PolicyOptions) -> Outcome:
    """Progressive Frontier at the level of the stage, with random samples as the inner solver.

    The largest box is probed first, by the least latency in its half of lower cost. It ends after 30 probes or when
    1 % of the first box is left; at the limit it returns what it has.

    Source:
        section 6.4 of the notes on arXiv:2207.02026, and the code of its authors.
    """
    started = time.perf_counter()
    space = joint_space(problem)
    if not len(space.now):
        return single(problem, space.plan(space.machine, space.container), "progressive_frontier", started)
    solver = Solver(space, np.random.default_rng(options.seed), started + options.limit_s)
    for target in (LATENCY, COST):
        solver.minimise(target, np.full(2, np.inf))
    fastest, cheapest = solver.points[0], solver.points[-1]
    first = Box((float(fastest[0]), float(cheapest[1])), (float(cheapest[0]), float(fastest[1])))
    complete = explore(solver, first)
    points, vectors = solver.points, solver.vectors
    return nearest(
        points, lambda at: space.plan(*vectors[at]), options, "progressive_frontier", started, complete=complete
    )


def explore(solver: Solver, first: Box) -> bool:
    """Probe boxes, the largest first; False when the time limit cut it."""
    order = itertools.count()  # of boxes of one size
    queue = [(-first.area, next(order), first)]
    for _ in range(PROBES):
        if -sum(area for area, _, _ in queue) <= UNKNOWN * first.area:
            break
        if solver.late():
            return False
        _, _, box = heapq.heappop(queue)
        at = solver.minimise(LATENCY, np.array([box.high[0], (box.low[1] + box.high[1]) / 2]))
        parts = box.rest() if at is None else box.split(np.clip(solver.points[at], box.low, box.high))
        for each in parts:
            heapq.heappush(queue, (-each.area, next(order), each))
    return not solver.late()
