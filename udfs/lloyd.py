"""Clusters by Lloyd's algorithm: points in blocks, starts far apart, middles that settle."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from paretosql.udfs.examples import BLOCK_BYTES, Examples
from paretosql.udfs.features import Floats
from paretosql.udfs.model import Ints, Training

SAMPLE = 1 << 15  # our choice: rows on which starts are tried
Read = Callable[[], Iterable[Floats]]  # all points, from the first


def nearest(points: Floats, middles: Floats) -> tuple[Ints, Floats]:
    """The nearest middle of each point and the squared distance to it, shape (n,) both. Memory: `BLOCK_BYTES`.

    The distance is right to about 1e-8 of the lengths of point and middle; `apart` has all digits.
    """
    which = np.empty(len(points), dtype=np.int64)
    square = np.einsum("ij,ij->i", points, points)
    half = np.square(middles).sum(axis=1) / 2
    step = max(1, BLOCK_BYTES // (8 * len(middles)))
    for first in range(0, len(points), step):
        part = slice(first, first + step)
        less = half - points[part] @ middles.T
        which[part] = less.argmin(axis=1)
        square[part] += 2 * np.take_along_axis(less, which[part, None], axis=1)[:, 0]
    return which, np.maximum(square, 0.0)


def apart(points: Floats, middles: Floats, which: Ints) -> Floats:
    """The squared distance of each point to one of the middles, shape (n,)."""
    found: Floats = np.square(points - middles[which]).sum(axis=1)
    return found


def settled(
    read: Read, middles: Floats, tolerance: float, most: int, training: Training, *, on_sphere: bool = False
) -> tuple[Floats, float]:
    """Middles that no longer move much, and the mean squared distance of points from them.

    A middle that has lost all its points goes to one that is far from every other.

    Args:
        tolerance: it ends when the mean squared distance falls by no more than this share.
        most: passes over the points.
        on_sphere: whether middles are scaled to length 1, for points that are.
    """
    before, mean = np.inf, np.inf
    for number in range(1, most + 1):
        sums, count, square = np.zeros_like(middles), np.zeros(len(middles)), 0.0
        for points in read():
            which, distance = nearest(points, middles)
            square += float(distance.sum())
            add_by(which, points, sums, count)
        mean = square / count.sum()
        training.round(number, most, float(mean))
        lost = np.flatnonzero(count == 0)
        if number > 1 and not len(lost) and before - mean <= tolerance * before:
            break
        before = mean
        middles = sums / np.maximum(count, 1.0)[:, None]
        if on_sphere:
            length = np.linalg.norm(middles, axis=1, keepdims=True)
            middles /= np.where(length > 0, length, 1.0)
        for each in lost:
            middles[each] = _farthest(read, middles[count > 0])
            count[each] = 1.0
    return middles, float(mean)


def add_by(which: Ints, points: Floats, sums: Floats, count: Floats) -> None:
    """Add points to the sums of their clusters, shape (k, width), and to the count, shape (k,)."""
    from scipy import sparse

    count += np.bincount(which, minlength=len(count))
    places = sparse.csr_array((np.ones(len(which)), which, np.arange(len(which) + 1)), shape=(len(which), len(count)))
    sums += places.T @ points


def _farthest(read: Read, middles: Floats) -> Floats:
    """The point that is farthest from its nearest middle."""
    found: tuple[float, Floats] = (-1.0, middles[0])
    for points in read():
        _, distance = nearest(points, middles)
        at = int(distance.argmax())
        if distance[at] > found[0]:
            found = (float(distance[at]), points[at])
    return found[1]


def far_apart(points: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k points to start from: each the best of some drawn by their squared distance from those before. O(n k log k)."""
    tries = 2 + int(np.log(k))
    chosen = [points[rng.integers(len(points))]]
    square = np.square(points - chosen[0]).sum(axis=1)
    for _ in range(1, k):
        total = np.cumsum(square)
        drawn = np.searchsorted(total, rng.random(tries) * total[-1], side="right").clip(max=len(points) - 1)
        closer = [np.minimum(square, np.square(points - points[each]).sum(axis=1)) for each in drawn]
        best = int(np.argmin([each.sum() for each in closer]))
        chosen.append(points[drawn[best]])
        square = closer[best]
    return np.stack(chosen)


def sampled(examples: Examples, rng: np.random.Generator) -> Floats:
    """At most `SAMPLE` rows, each as likely as any other."""
    mine = np.ones(examples.rows, dtype=bool)
    if examples.rows > SAMPLE:
        mine[:] = False
        mine[rng.choice(examples.rows, SAMPLE, replace=False)] = True
    found, at = [], 0
    for points, _ in examples.blocks():
        found.append(points[mine[at : at + len(points)]])
        at += len(points)
    return np.ascontiguousarray(np.concatenate(found))


def different(examples: Examples, sample: Floats, wanted: int) -> Floats:
    """Different rows: those of the sample, and of all rows where these are too few."""
    found: Floats = np.unique(sample, axis=0)
    if len(found) >= wanted or len(sample) == examples.rows:
        return found
    for points, _ in examples.blocks():
        found = np.unique(np.concatenate([found, points]), axis=0)
        if len(found) >= wanted:
            break
    return found
