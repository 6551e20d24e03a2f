"""Which instance runs on which machine, all in containers of one size: the stage should end as early as possible.

With one size of container the room of a machine is a number of instances. Placement is then a bottleneck transportation
problem: the greedy rule of the published method solves it when instances keep their order on every machine, and a
search over latencies with one maximum flow each solves it always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.optimizer.bottleneck import bottleneck
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.registry import Registry

EXACT_PAIRS = 50_000  # of different rows and columns: an exact search up to here takes a fraction of a second


@dataclass(frozen=True)
class Placement:
    """Where every instance goes.

    Attributes:
        machine: shape (m,), the column of `latency` for every instance.
        latency_s: the largest latency, 0 without instances.
        lower_bound_s: no placement is faster than this.
        gap: latency_s / lower_bound_s - 1; 0 means proven optimal.
        method: what found it.
    """

    machine: Ints
    latency_s: float
    lower_bound_s: float
    gap: float
    method: str


Method = Callable[[Floats, Ints], tuple[Ints, float]]  # to machines and a lower bound
methods: Registry[Method] = Registry("placement method")


def place(latency: npt.ArrayLike, capacity: npt.ArrayLike, method: str = "auto") -> Placement:
    """Place m instances on n machines so that the slowest ends as early as possible.

    Args:
        latency: shape (m, n), seconds of every instance on every machine; inf where it must not run.
        capacity: shape (n,), how many instances each machine takes.
        method: `greedy` is the published rule, O(m n log n + m^2); `exact` a binary search of maximum flows,
            O(log(mn)) of them; `milp` the same by an integer program, for small stages and as a reference; `auto`
            is greedy, and exact where greedy is not proven optimal and the stage has at most 50,000 different pairs.
    Raises:
        DataError: shapes that do not fit, NaN or negative latencies, more instances than room, or an instance that no
            machine may run.
    Source:
        arXiv:2207.02026, IPA; tie rule, bounds and exact search are ours.

    >>> place([[10, 20, 14], [6, 12, 8], [3, 7, 5]], [1, 1, 1]).machine.tolist()
    [0, 2, 1]
    """
    times = _latencies(latency)
    room = _capacities(capacity, times)
    solve = methods[method]
    if not len(times):
        return Placement(np.empty(0, dtype=np.int64), 0.0, 0.0, 0.0, method)
    _refuse_impossible(times, room)
    machine, bound = solve(times, room)
    worst = float(times[np.arange(len(times)), machine].max())
    if not np.isfinite(worst):
        raise DataError(
            compose(
                f"{method} found no placement that runs every instance",
                hint="some machines may run too few of them, see inf; 'exact' finds one if there is one.",
            )
        )
    return Placement(machine, worst, bound, worst / bound - 1 if worst > bound else 0.0, method)


@methods.register("greedy")
def greedy(latency: Floats, room: Ints) -> tuple[Ints, float]:
    """The heaviest instance first, each on its best machine with room.

    The heaviest has the largest best-possible latency; of equals the one that is slower over all open machines, which
    under column order is slower on each of them. O(m n log n + m^2).
    """
    instances = np.arange(len(latency))
    order = np.argsort(latency, axis=1, kind="stable")
    at = np.zeros(len(latency), dtype=np.int64)
    left = room.copy()
    at = _next_open(order, at, left, instances)
    best = latency[instances, order[instances, at]]
    finite = np.where(np.isfinite(latency), latency, 0.0)
    total = finite @ (left > 0) + np.isinf(latency) @ (left > 0) * (finite.max() + 1.0) * len(room)
    bound = float(best.max())
    machine = np.full(len(latency), -1, dtype=np.int64)
    score = best.copy()  # -inf once placed
    for _ in instances:
        tied = np.flatnonzero(score == score.max())
        i = int(tied[np.argmax(total[tied])])
        same = np.flatnonzero((latency[i] == best[i]) & (left > 0))
        j = int(same[np.argmax(left[same])])
        machine[i], score[i] = j, -np.inf
        left[j] -= 1
        if left[j] == 0:
            column = np.where(np.isfinite(latency[:, j]), latency[:, j], (finite.max() + 1.0) * len(room))
            total -= column
            waiting = np.flatnonzero((score > -np.inf) & (order[instances, at] == j))
            if len(waiting) and left.any():
                at[waiting] = _next_open(order[waiting], at[waiting], left, np.arange(len(waiting)))
                best[waiting] = latency[waiting, order[waiting, at[waiting]]]
                score[waiting] = best[waiting]
    return machine, bound


def _next_open(order: Ints, at: Ints, left: Ints, rows: Ints) -> Ints:
    """For every row the first position from `at` whose machine has room."""
    at = at.copy()
    while True:
        full = rows[left[order[rows, at[rows]]] == 0]
        if not len(full):
            return at
        at[full] += 1
        rows = full


@methods.register("exact")
def exact(latency: Floats, room: Ints) -> tuple[Ints, float]:
    """The optimum, by maximum flows over the pairs below a latency."""
    machine, _ = greedy(latency, room)
    return _improve(latency, room, machine)


def _improve(latency: Floats, room: Ints, machine: Ints) -> tuple[Ints, float]:
    worst = float(latency[np.arange(len(latency)), machine].max())
    better = bottleneck(latency, room, worst)
    if better is None:
        return machine, worst
    return better, float(latency[np.arange(len(latency)), better].max())


@methods.register("auto")
def automatic(latency: Floats, room: Ints) -> tuple[Ints, float]:
    """Greedy, then exact where that can help and is quick."""
    machine, bound = greedy(latency, room)
    worst = float(latency[np.arange(len(latency)), machine].max())
    if worst <= bound or latency.size > EXACT_PAIRS:
        return machine, bound
    return _improve(latency, room, machine)


@methods.register("milp")
def milp(latency: Floats, room: Ints) -> tuple[Ints, float]:
    """The optimum by an integer program."""
    from paretosql.optimizer.integer_program import bottleneck_program

    machine = bottleneck_program(latency, room)
    return machine, float(latency[np.arange(len(latency)), machine].max())


def _latencies(latency: npt.ArrayLike) -> Floats:
    try:
        times = np.asarray(latency, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"latency is not a matrix of numbers: {problem}") from problem
    if times.size == 0 and times.ndim <= 2:
        return times.reshape(len(times), times.shape[1] if times.ndim == 2 else 0)
    if times.ndim != 2:
        raise DataError(compose(f"latency has the shape {times.shape}", hint="one row per instance, one column each."))
    wrong = np.argwhere(~(times >= 0))
    if len(wrong):
        i, j = wrong[0]
        raise DataError(
            compose(f"latency[{i}, {j}] is {times[i, j]}", hint="seconds from 0; inf forbids a machine to an instance.")
        )
    return times


def _capacities(capacity: npt.ArrayLike, times: Floats) -> Ints:
    try:
        given = np.asarray(capacity, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"capacity is not a list of numbers: {problem}") from problem
    if given.ndim != 1 or (len(times) and given.shape != (times.shape[1],)):
        raise DataError(f"capacity has the shape {given.shape}; expected ({times.shape[1] if times.ndim > 1 else 0},)")
    wrong = np.flatnonzero(~((given >= 0) & (given == np.floor(given))))
    if len(wrong):
        raise DataError(
            compose(f"capacity[{wrong[0]}] is {given[wrong[0]]}", hint="whole numbers from 0: instances per machine.")
        )
    whole: Ints = np.minimum(given, max(len(times), 1)).astype(np.int64)
    return whole


def _refuse_impossible(times: Floats, room: Ints) -> None:
    if int(room.sum()) < len(times):
        raise DataError(
            compose(
                f"{len(times)} instances, but room for {int(room.sum())}",
                hint="raise capacity, or let decide() run the stage in waves.",
            )
        )
    possible = np.isfinite(times[:, room > 0]).any(axis=1)
    if not possible.all():
        raise DataError(f"no machine with room may run instance {int(np.flatnonzero(~possible)[0])}")
