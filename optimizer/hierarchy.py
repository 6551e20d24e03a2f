"""From the choices of every instance to the frontier of the whole stage.

A stage is as slow as its slowest instance and costs what all of them cost together. So only instance choices that are
themselves Pareto-optimal can occur in an optimal stage, and under a cap on latency every instance takes the cheapest
choice within the cap, whatever the others do: one sweep over the caps yields the complete frontier.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, Ints, pareto, points_of

MAX, SUM = "max", "sum"
MOST_CAPS = 50_000  # combinations of caps that `general_frontier` tries; our choice


@dataclass(frozen=True)
class Frontier:
    """The frontier of a stage; plans are rebuilt when asked for, not stored.

    Attributes:
        points: shape (p, 2), latency_s and cost, by rising latency.
    """

    points: Floats
    _latency: Floats  # every instance's Pareto choices one after the other, slowest first
    _row: Ints  # the row of the given array that each came from
    _first: Ints  # shape (m,), where each instance's choices begin

    def __len__(self) -> int:
        return len(self.points)

    def assignment(self, at: int) -> Ints:
        """For point `at`, the row of `choices[i]` that every instance i takes; shape (m,). O(sum of choices).

        Raises:
            DataError: there is no such point.
        """
        if not -len(self.points) <= at < len(self.points):
            raise DataError(f"the frontier has {len(self.points)} points, none at {at}")
        if not len(self._first):
            return np.empty(0, dtype=np.int64)
        slower = np.add.reduceat(self._latency > self.points[at, 0], self._first)
        taken: Ints = self._row[self._first + slower]
        return taken


def stage_frontier(choices: Sequence[npt.ArrayLike], sizes: Sequence[int] | None = None) -> Frontier:
    """The complete frontier of a stage.

    O(S log S) for S choices in all: the walk of the published method needs a heap, but the points it visits are just
    the distinct latencies down to the slowest of the fastest choices, and costs are one running sum.

    Args:
        choices: an array of shape (k, 2) per instance, or per group of equal instances: latency_s, cost.
        sizes: how many instances each group has; 1 each when left out.
    Raises:
        DataError: an instance without choices, NaN or negative numbers, sizes below 1.
    Source:
        arXiv:2207.02026, hierarchical optimization and RAA path; the formulation as a sweep is ours.

    >>> front = stage_frontier([[(10, 1), (6, 2), (4, 4)], [(8, 2), (5, 3)]])
    >>> front.points.tolist()
    [[5.0, 7.0], [6.0, 5.0], [8.0, 4.0], [10.0, 3.0]]
    >>> front.assignment(1).tolist()
    [1, 1]
    """
    count = _sizes(sizes, len(choices))
    if not len(choices):
        empty = np.empty(0, dtype=np.int64)
        return Frontier(np.zeros((1, 2)), np.empty(0), empty, empty)
    given = [points_of(each, f"choices of instance {at}") for at, each in enumerate(choices)]
    for at, each in enumerate(given):
        if not np.isfinite(each).all(axis=1).any():
            raise DataError(compose(f"instance {at} has no choice", hint="give it at least one (latency_s, cost)."))
    kept = [pareto(each)[::-1] for each in given]
    kept = [rows[np.isfinite(each[rows]).all(axis=1)] for rows, each in zip(kept, given, strict=True)]
    length = np.array([len(rows) for rows in kept])
    first = np.concatenate(([0], np.cumsum(length)[:-1])).astype(np.int64)
    flat = np.concatenate([each[rows] for each, rows in zip(given, kept, strict=True)])
    latency, cost = flat[:, 0], flat[:, 1] * np.repeat(count, length)
    last = first + length - 1
    slowest = latency[last].max()  # nobody can make the stage faster than this
    step = np.append(np.diff(cost), 0.0)
    step[last] = 0.0  # the fastest choice is never left
    order = np.argsort(-latency, kind="stable")
    caps, starts = np.unique(-latency[order], return_index=True)
    left = np.concatenate(([0.0], np.cumsum(step[order])))[starts]  # what leaving all slower choices adds
    reached = -caps >= slowest
    points = np.column_stack((-caps[reached], cost[first].sum() + left[reached]))
    return Frontier(points[::-1].copy(), latency, np.concatenate(kept), first)


def _sizes(sizes: Sequence[int] | None, groups: int) -> Floats:
    if sizes is None:
        return np.ones(groups)
    count = np.asarray(sizes, dtype=np.float64)
    if count.shape != (groups,) or not (count >= 1).all():
        raise DataError(compose(f"sizes do not fit {groups} groups", hint="one number from 1 for each group."))
    return count


def general_frontier(
    choices: Sequence[npt.ArrayLike],
    kinds: Sequence[str],
    sizes: Sequence[int] | None = None,
    *,
    weights: int = 11,
) -> Floats:
    """Pareto-optimal stage points for any number of objectives, each joined by its largest value or by its sum.

    Every combination of caps on the `max` objectives is tried; under one, every instance takes the choice with the
    least weighted sum of the `sum` objectives. With one `sum` objective the answer is the complete frontier; with more
    of them it is its convex part, as fine as `weights` steps per objective. O(caps * S) time.

    Args:
        choices: an array of shape (k, d) per instance or group.
        kinds: d words, `max` or `sum`.
    Returns:
        Shape (p, d), sorted by columns.
    Raises:
        DataError: shapes or words that do not fit, or more combinations of caps than can be tried.
    Source:
        arXiv:2207.02026, general hierarchical optimization.

    >>> general_frontier([[(10, 1), (6, 2), (4, 4)], [(8, 2), (5, 3)]], ("max", "sum")).tolist()
    [[5.0, 7.0], [6.0, 5.0], [8.0, 4.0], [10.0, 3.0]]
    """
    for kind in kinds:
        if kind not in (MAX, SUM):
            raise DataError(compose(f"no way to join objectives is called {kind!r}", hint="max or sum."))
    count = _sizes(sizes, len(choices))
    given = [np.asarray(each, dtype=np.float64) for each in choices]
    for at, each in enumerate(given):
        if each.ndim != 2 or each.shape[1] != len(kinds) or not len(each) or np.isnan(each).any():
            raise DataError(f"choices of instance {at} have the shape {each.shape}; expected (k, {len(kinds)}), k > 0")
    if not given:
        return np.zeros((1, len(kinds)))
    tops = [at for at, kind in enumerate(kinds) if kind == MAX]
    sums = [at for at, kind in enumerate(kinds) if kind == SUM]
    caps = [np.unique(np.concatenate([each[:, at] for each in given])) for at in tops]
    if np.prod([float(len(each)) for each in caps]) > MOST_CAPS:
        raise DataError(f"{' x '.join(str(len(each)) for each in caps)} combinations of caps; at most {MOST_CAPS:,}")
    mixes = _mixes(len(sums), weights)
    found = []
    for cap in itertools.product(*caps):
        allowed = [(each[:, tops] <= cap).all(axis=1) for each in given]
        if not all(rows.any() for rows in allowed):
            continue
        for mix in mixes:
            taken = []
            for each, rows in zip(given, allowed, strict=True):
                score = np.where(rows, each[:, sums] @ mix, np.inf)
                taken.append(each[np.lexsort((each[:, tops].sum(axis=1), score))[0]])
            plan = np.array(taken)
            point = np.empty(len(kinds))
            point[tops] = plan[:, tops].max(axis=0)
            point[sums] = (plan[:, sums] * count[:, None]).sum(axis=0)
            found.append(point)
    return _undominated(np.array(found))


def _mixes(objectives: int, steps: int) -> Floats:
    """Weights of the `sum` objectives: all combinations on a grid that add up to 1."""
    if objectives <= 1:
        return np.ones((1, objectives))
    grid = itertools.product(range(steps), repeat=objectives)
    return np.array([each for each in grid if sum(each) == steps - 1], dtype=np.float64) / (steps - 1)


def _undominated(points: Floats) -> Floats:
    points = np.unique(points, axis=0)
    kept = []
    for at, point in enumerate(points):
        better = (points <= point).all(axis=1) & (points < point).any(axis=1)
        if not better.any():
            kept.append(at)
    return points[kept]
