"""Pareto frontiers of latency and cost.

A frontier is a float64 array of shape (p, 2), columns (latency_s, cost), sorted by latency, in which no row is
dominated. All functions here are pure; nothing knows about stages or machines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def points_of(points: npt.ArrayLike, name: str = "points") -> Floats:
    """`points` as float64 of shape (p, 2); DataError for another shape, NaN or negative numbers."""
    try:
        found = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{name} are not numbers: {problem}") from problem
    if found.size == 0:
        return np.empty((0, 2))
    if found.ndim != 2 or found.shape[1] != 2:
        raise DataError(compose(f"{name} have the shape {found.shape}", hint="give (p, 2): latency_s, cost."))
    wrong = np.flatnonzero(~(found >= 0).all(axis=1))
    if len(wrong):
        raise DataError(f"{name}: row {wrong[0]} is {found[wrong[0]].tolist()}; latency and cost are numbers from 0")
    return found


def pareto(points: npt.ArrayLike) -> Ints:
    """Positions of the points that no other dominates, by rising latency; of equal points the first. O(p log p).

    >>> pareto([(10, 1), (6, 2), (7, 3), (4, 4), (4, 4)]).tolist()
    [3, 1, 0]
    """
    found = points_of(points)
    order = np.lexsort((found[:, 1], found[:, 0]))
    cost = found[order, 1]
    before = np.minimum.accumulate(np.concatenate(([np.inf], cost[:-1])))
    kept: Ints = order[cost < before].astype(np.int64)
    return kept


def utopia_distances(points: Floats, frontier: Floats, weights: Sequence[float]) -> Floats:
    """The squared distances of points, shape (p, k), from the utopia point of a frontier, shape (q, k), in whose ranges
    columns are scaled; see `nearest_utopia`.
    """
    factor = weights_of(weights, points.shape[1])
    low, high = frontier.min(axis=0), frontier.max(axis=0)
    with np.errstate(invalid="ignore"):
        scaled = np.where(high > low, (points - low) / np.where(high > low, high - low, 1.0), 0.0)
    found: Floats = ((scaled * (factor / factor.max())) ** 2).sum(axis=1)
    return found


def nearest_utopia(points: npt.ArrayLike, weights: Sequence[float] = (0.5, 0.5)) -> int:
    """The position of the point nearest to the utopia point, which is best in everything at once.

    Every column is scaled to 0..1 by its least and largest value over `points` (a constant column to 0), multiplied by
    its weight, and the smallest distance to the origin wins; of equals the lower first column. O(p).

    Args:
        points: shape (p, k), all columns minimised, p > 0.
        weights: k numbers from 0, not all 0.
    Raises:
        DataError: no points, NaN, or weights that do not fit.
    Source:
        weighted utopia nearest, as in the code of arXiv:2207.02026's authors; the tie rule is our choice.

    >>> nearest_utopia([(10, 3), (8, 4), (6, 5), (5, 7)], (1, 1)), nearest_utopia([(10, 3), (6, 5), (5, 7)], (1, 0.2))
    (2, 2)
    """
    found = np.asarray(points, dtype=np.float64)
    if found.ndim != 2 or not len(found):
        raise DataError(f"points have the shape {found.shape}; expected (p, k) with p > 0")
    if np.isnan(found).any():
        raise DataError(f"row {np.flatnonzero(np.isnan(found).any(axis=1))[0]} of the points is not a number")
    distance = utopia_distances(found, found, weights)
    return int(np.lexsort((*found.T[:0:-1], found[:, 0], distance))[0])


def weights_of(weights: Sequence[float], size: int = 2) -> Floats:
    """Weights as an array; DataError when they are not `size` numbers from 0 with one above 0."""
    try:
        factor = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"weights are not numbers: {weights!r}") from problem
    if factor.shape != (size,) or not (np.isfinite(factor) & (factor >= 0)).all() or not factor.any():
        raise DataError(
            compose(f"weights {weights!r} do not fit {size} objectives", hint="numbers from 0, such as (0.5, 0.5).")
        )
    return factor


def dominates(left: Sequence[float] | Floats, right: Sequence[float] | Floats, slack: float = 0.0) -> bool:
    """Whether `left` is no worse than `right` in any objective, up to a relative `slack`."""
    return bool((np.asarray(left) <= np.asarray(right) * (1 + slack)).all())
