"""Random stages for the tests of policies, and what a plan is worth, worked out without the package."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from paretosql.optimizer.problem import Plan, Problem, violations

SIZES = ((0, 3), (1, 1), (3, 0), (4, 3), (6, 4), (17, 5), (40, 12), (200, 50))  # instances, machines
PRICES = np.array([1.0, 0.25])


def grid(cores: list[float], memory_gib: list[float]) -> npt.NDArray[np.float64]:
    """Every combination of cores and memory, shape (T, 2)."""
    return np.array([(c, g) for c in cores for g in memory_gib])


NINE = grid([0.5, 1.0, 2.0], [1.0, 2.0, 4.0])
FOUR = grid([1.0, 2.0], [1.0, 3.0])
THREE = np.array([(0.5, 1.0), (1.0, 2.0), (2.0, 3.0)])


def random_problem(
    seed: int,
    instances: int = 17,
    machines: int = 5,
    *,
    containers: npt.NDArray[np.float64] = NINE,
    room: float = 2.0,
    hungry: float = 0.0,
    equal_machines: bool = False,
    most: int | None = None,
) -> Problem:
    """A stage of a given size.

    Args:
        room: the free room of the cluster over what default containers for all would take; 0 for full machines.
        hungry: the share of groups of instances that need more memory than the default container has.
        equal_machines: one group of machines with equal room; else hardware and free room differ.
    """
    rng = np.random.default_rng(seed)
    default = int(rng.integers(len(containers)))
    groups = int(rng.integers(1, max(instances, 1) + 1))
    kinds = 1 if equal_machines else max(1, machines // 2)
    work = rng.lognormal(1.0, 1.0, groups)
    speed = np.ones(kinds) if equal_machines else rng.uniform(0.5, 2.0, kinds)
    scale = containers[:, 0] ** -0.8 * (1 + 0.3 / containers[:, 1])
    latency = work[:, None, None] / speed[None, :, None] * scale * rng.lognormal(0.0, 0.2, (groups, kinds, 1))
    need = np.where(rng.random(groups) < hungry, containers[default, 1] * 1.5, 0.0)
    latency = np.where(containers[None, None, :, 1] < need[:, None, None], np.inf, latency)
    share = np.ones(machines) if equal_machines else rng.uniform(0.2, 1.8, machines)
    free = share[:, None] * containers[default] * room * max(instances, 1) / max(machines, 1)
    busy = rng.uniform(0.0, 1.0, (machines, 2))
    busy[rng.random((machines, 2)) < 0.1] = np.nan
    group = rng.integers(groups, size=instances)
    kind = rng.integers(kinds, size=machines)
    most = most or max(instances, 1)
    return Problem(group, kind, latency, containers, PRICES, free, most, default, work[group], busy)


@st.composite
def problems(draw: st.DrawFn, hungry: tuple[float, ...] = (0.0, 0.3, 1.0)) -> Problem:
    """Stages of all sizes; room from none to plenty, few or no instances with a need, equal and unequal machines."""
    instances, machines = draw(st.sampled_from(SIZES))
    return random_problem(
        draw(st.integers(0, 1000)),
        instances,
        machines,
        room=draw(st.sampled_from((0.0, 0.5, 1.0, 3.0, 30.0))),
        hungry=draw(st.sampled_from(hungry)),
        equal_machines=draw(st.booleans()),
        most=draw(st.sampled_from((None, 1, 3))),
    )


@st.composite
def tiny_problems(draw: st.DrawFn) -> Problem:
    """Stages of which every plan can be tried."""
    return random_problem(
        draw(st.integers(0, 1000)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 2)),
        containers=THREE,
        room=draw(st.sampled_from((0.6, 1.0, 3.0))),
        hungry=draw(st.sampled_from((0.0, 0.3))),
        most=draw(st.sampled_from((None, 2))),
    )


def uniform_problem(latency: list[list[float]], room: list[int], watermarks: list[float] | None = None) -> Problem:
    """One size of container: seconds by instance and machine, and how many instances each machine takes."""
    seconds = np.array(latency, dtype=np.float64)
    instances, machines = seconds.shape
    return Problem(
        instance_group=np.arange(instances),
        machine_group=np.arange(machines),
        latency=seconds[:, :, None],
        containers=np.array([[1.0, 1.0]]),
        prices=PRICES,
        free=np.array(room, dtype=np.float64)[:, None] * np.ones(2),
        most=instances,
        default=0,
        weight=np.ones(instances),
        busy=np.column_stack((watermarks or np.zeros(machines), np.zeros(machines))),
    )


def plain_score(problem: Problem, plan: Plan) -> tuple[float, float]:
    """Latency and cost of a plan, one instance after the other."""
    slowest, cost = 0.0, 0.0
    for i in range(problem.size):
        j, t = int(plan.machine[i]), int(plan.container[i])
        if j >= 0:
            seconds = float(problem.latency[problem.instance_group[i], problem.machine_group[j], t])
            cores, gib = problem.containers[t]
            slowest = max(slowest, seconds)
            cost += seconds * (cores * problem.prices[0] + gib * problem.prices[1])
    return slowest, cost


def every_score(problem: Problem, now: npt.NDArray[np.int64]) -> list[tuple[float, float]]:
    """What all plans that keep the rules and place exactly the instances `now` are worth."""
    pairs = list(itertools.product(range(len(problem.free)), range(len(problem.containers))))
    found = []
    for vector in itertools.product(pairs, repeat=len(now)):
        machine, container = np.full(problem.size, -1), np.full(problem.size, problem.default)
        if len(now):
            machine[now], container[now] = np.array(vector).T
        plan = Plan(machine, container)
        if not violations(problem, plan):
            found.append(plain_score(problem, plan))
    return found


def dominated(points: npt.NDArray[np.float64], slack: float = 1e-9) -> bool:
    """Whether any row is no better in either column than another row, or rows are not by rising latency."""
    faster, cheaper = np.diff(points[:, 0]), np.diff(points[:, 1])
    return bool((faster <= -slack).any() or (cheaper >= slack * points[1:, 1]).any())
