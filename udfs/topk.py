"""The k best of many scores, exactly, ties in a fixed order.

Scores are dealt into groups, whose maxima one fast pass finds. The k-th highest of these maxima is not above the k-th
highest score, so only scores that reach it are looked at any further: a few times k of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from paretosql.udfs.model import Ints, Singles

GROUPS = 6  # times k; with fewer scores for each group a partition of all is faster; our choice, measured
LEAST_GROUP = 8  # scores in a group
MANY = 16  # times k: with more scores that reach the bound (ties), rows are partitioned instead; our choice


def best(scores: Singles, k: int) -> tuple[Ints, Singles]:
    """Columns of the k highest scores of each row, highest first; of equal ones the lower columns win.

    Args:
        scores: shape (b, n); -inf is never chosen.
    Returns:
        Two arrays of shape (b, min(k, n)): columns, -1 where a row has no more, and their scores, -inf there.
    Cost: O(b * (n + k log k)).
    """
    rows, width = scores.shape
    k = min(k, width)
    columns, values = np.full((rows, k), -1, dtype=np.int64), np.full((rows, k), -np.inf, dtype=np.float32)
    if not k or not rows:
        return columns, values
    row, column = reaching(scores, k)
    found = scores[row, column]
    order = np.lexsort((-found, row))  # columns ascend already, and stay so where scores are equal
    row, column, found = row[order], column[order], found[order]
    first = np.searchsorted(row, np.arange(rows))
    rank = np.arange(len(row)) - first[row]
    kept = rank < k
    columns[row[kept], rank[kept]] = column[kept]
    values[row[kept], rank[kept]] = found[kept]
    return columns, values


def reaching(scores: Singles, k: int) -> tuple[Ints, Ints]:
    """Rows and columns of scores among which are the k best of each row, row by row; -inf is not among them."""
    reach = scores >= _bounds(scores, k)[:, None]
    many = np.count_nonzero(reach, axis=1) > MANY * k
    if many.any():  # rows with many equal scores
        reach[many] = among_best(scores[many], k)
    row, column = np.divmod(np.flatnonzero(reach), scores.shape[1])
    finite = scores[row, column] > -np.inf
    return (row, column) if finite.all() else (row[finite], column[finite])


def _bounds(scores: Singles, k: int) -> Singles:
    """A number for each row that at least k of its scores reach."""
    rows, width = scores.shape
    groups = GROUPS * k
    if width < LEAST_GROUP * groups:
        exact: Singles = np.partition(scores, width - k, axis=1)[:, width - k]
        return exact
    size = width // groups
    maxima = scores[:, : groups * size].reshape(rows, size, groups).max(axis=1)
    found: Singles = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    return found


def among_best(scores: Singles, k: int) -> npt.NDArray[np.bool_]:
    """Which scores are the k best of each row, the lower columns of equal ones; in no order, so cheaper than `best`."""
    width = scores.shape[1]
    if k >= width:
        return np.ones(scores.shape, dtype=bool)
    least = np.partition(scores, width - k, axis=1)[:, width - k : width - k + 1]
    found: npt.NDArray[np.bool_] = scores >= least
    tied = np.flatnonzero(np.count_nonzero(found, axis=1) > k)
    above, level = scores[tied] > least[tied], scores[tied] == least[tied]
    room = k - np.count_nonzero(above, axis=1)[:, None]
    found[tied] = above | (level & (np.cumsum(level, axis=1) <= room))
    return found


def first_open(row: Ints, before: Ints, shape: tuple[int, int], k: int) -> Ints:
    """The first k places of each row that are not taken, shape (b, k); numbers from the width on where there are none.

    Args:
        row, before: shape (t,), for each place that is taken its row, and how many open places lie before it; in any
            order. See `open_before`.
        shape: (b, n), how many rows and places.
    Cost: O(t + b * k).

    >>> first_open(np.array([0, 0, 1]), np.array([0, 1, 3]), (2, 4), 3).tolist()
    [[1, 3, 4], [0, 1, 2]]
    """
    rows, width = shape
    k = min(k, width)
    near = np.flatnonzero(before < k)
    passed = np.bincount(row[near] * k + before[near], minlength=rows * k).reshape(rows, k).cumsum(axis=1)
    found: Ints = np.arange(k) + passed
    return found


def open_before(row: Ints, taken: Ints, rows: int) -> Ints:
    """How many open places lie before each that is taken, shape (t,), for places that ascend within each row.

    Args:
        row, taken: shape (t,), rows ascending, and a place that is taken in each, no place twice in a row.

    >>> open_before(np.array([0, 0, 1]), np.array([0, 2, 3]), 2).tolist()
    [0, 1, 3]
    """
    starts = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=rows)))).astype(np.int32)
    found: Ints = taken - (np.arange(len(row), dtype=np.int32) - starts[row])
    return found
