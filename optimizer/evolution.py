"""A genetic search (NSGA-II) over machine and container of every instance at once.

In numpy because the usual library, pymoo 0.6, brings eleven more packages and takes half a second to import, while
its general operators would still need our repair.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints, pareto
from paretosql.optimizer.policy import Outcome, PolicyOptions, nearest, policies, single
from paretosql.optimizer.problem import Problem
from paretosql.optimizer.repair import Space, draw, evaluate, joint_space, repair

POPULATION = 100  # section 6.5
CROSSED = 0.9  # of the pairs of parents: the usual choice of NSGA-II
PATIENCE = 50  # generations without a gain, after which it has converged; our choice
GAIN = 1e-3  # of the hypervolume, relative; our choice


@dataclass(frozen=True)
class Population:
    """P repaired vectors: machines and containers of shape (P, a), and what they are worth, (P, 2)."""

    machine: Ints
    container: Ints
    points: Floats

    def take(self, rows: Ints) -> Population:
        """Some of the vectors."""
        return Population(self.machine[rows], self.container[rows], self.points[rows])

    def join(self, other: Population) -> Population:
        """All vectors of both."""
        return Population(
            np.concatenate((self.machine, other.machine)),
            np.concatenate((self.container, other.container)),
            np.concatenate((self.points, other.points)),
        )


@policies.register("nsga2")
def nsga2(problem: Problem, options: PolicyOptions) -> Outcome:
    """NSGA-II on the joint vector; it ends when 50 generations gained nothing, or at the limit.

    The first population is random, but for the plan of the scheduler, which exists however short room is.

    Source:
        K. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002; as a baseline section 6.5.
    """
    started = time.perf_counter()
    space = joint_space(problem)
    if not len(space.now):
        return single(problem, space.plan(space.machine, space.container), "nsga2", started)
    rng = np.random.default_rng(options.seed)
    machine, container = draw(space, rng, POPULATION)
    machine[0], container[0] = space.machine, space.container
    people = survivors(_settled(space, machine, container))
    reference = people.points.max(axis=0) * 1.1
    best, idle = 0.0, 0
    while idle < PATIENCE and time.perf_counter() - started < options.limit_s:
        people = survivors(people.join(_settled(space, *offspring(space, people, rng))))
        volume = hypervolume(people.points[pareto(people.points)], reference)
        idle = 0 if volume > best * (1 + GAIN) else idle + 1
        best = volume if idle == 0 else best
    front = people.take(pareto(people.points))
    return nearest(
        front.points,
        lambda at: space.plan(front.machine[at], front.container[at]),
        options,
        "nsga2",
        started,
        complete=idle >= PATIENCE,
    )


def _settled(space: Space, machine: Ints, container: Ints) -> Population:
    machine, container = repair(space, machine, container)
    return Population(machine, container, evaluate(space, machine, container))


def survivors(people: Population) -> Population:
    """The best `POPULATION` vectors, best first: by rank, then by crowding; repetitions last."""
    rank = ranks(people.points)
    _, first = np.unique(people.points, axis=0, return_index=True)
    again = np.ones(len(rank), dtype=bool)
    again[first] = False
    rank[again] += len(rank)
    distance = np.concatenate([crowding(people.points[rank == each]) for each in np.unique(rank)])
    rows = np.concatenate([np.flatnonzero(rank == each) for each in np.unique(rank)])
    order = np.lexsort((-distance, rank[rows]))
    return people.take(rows[order][:POPULATION])


def ranks(points: Floats) -> Ints:
    """The number of the front each point belongs to, 0 the best.

    >>> ranks(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [2.0, 3.0]])).tolist()
    [0, 0, 1, 2]
    """
    no_worse = np.all(points[:, None] <= points[None], axis=2)
    dominates = no_worse & ~no_worse.T
    above = dominates.sum(axis=0)
    rank = np.full(len(points), -1, dtype=np.int64)
    for level in range(len(points)):
        front = (above == 0) & (rank < 0)
        if not front.any():
            break
        rank[front] = level
        above = above - dominates[front].sum(axis=0)
    return rank


def crowding(points: Floats) -> Floats:
    """How far apart the neighbours of each point of one front are, both columns scaled to 0..1; inf at the ends."""
    total = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        gap = np.full(len(points), np.inf)
        gap[order[1:-1]] = (column[order[2:]] - column[order[:-2]]) / (spread if spread > 0 else 1.0)
        total += gap
    return total


def offspring(space: Space, people: Population, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """New vectors, not repaired: parents by binary tournament, uniform crossover, one new gene of each kind on average.

    Instances are crossed, machine and container together. `people` are sorted, best first.
    """
    size = len(people.points)
    mother, father = rng.integers(size, size=(2, 2, POPULATION)).min(axis=1)  # the lower row is the better one
    swap = (rng.random((POPULATION, len(space.now))) < 0.5) & (rng.random((POPULATION, 1)) < CROSSED)
    machine = np.where(swap, people.machine[father], people.machine[mother])
    container = np.where(swap, people.container[father], people.container[mother])
    return mutated(space, machine, container, rng, 1 / len(space.now))


def mutated(
    space: Space, machine: Ints, container: Ints, rng: np.random.Generator, share: float | Floats
) -> tuple[Ints, Ints]:
    """Vectors with a share of their machines and of their containers drawn anew; `share` may be of shape (P, 1)."""
    other_machine, other_container = draw(space, rng, len(machine))
    machine = np.where(rng.random(machine.shape) < share, other_machine, machine)
    return machine, np.where(rng.random(container.shape) < share, other_container, container)


def hypervolume(front: Floats, reference: Floats) -> float:
    """The area that a frontier, by rising latency, dominates up to a reference point.

    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0]))
    3.0
    """
    inside = front[(front < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    until = np.append(inside[1:, 0], reference[0])
    return float(((until - inside[:, 0]) * (reference[1] - inside[:, 1])).sum())
