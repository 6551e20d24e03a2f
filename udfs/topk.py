"""The k best of many scores, exactly, ties in a fixed order."""

from __future__ import annotations

import numpy as np

from paretosql.udfs.model import Ints, Singles


def best(scores: Singles, k: int) -> tuple[Ints, Singles]:
    """Columns of the k highest scores of each row, highest first; of equal ones the lower columns win.

    Args:
        scores: shape (b, n); -inf is never chosen.
    Returns:
        Two arrays of shape (b, min(k, n)): columns, -1 where a row has no more, and their scores.
    Cost: O(b * (n + k log k)).
    """
    rows, width = scores.shape
    k = min(k, width)
    if not k or not rows:
        return np.empty((rows, k), dtype=np.int64), np.empty((rows, k), dtype=np.float32)
    if k < width:
        chosen = np.argpartition(scores, width - k, axis=1)[:, width - k :]
        least = np.take_along_axis(scores, chosen, axis=1).min(axis=1)
        _settle_ties(scores, chosen, least, k)
    else:
        chosen = np.broadcast_to(np.arange(width), (rows, width)).copy()
    found = np.take_along_axis(scores, chosen, axis=1)
    order = np.lexsort((chosen, -found), axis=1)
    columns = np.take_along_axis(chosen, order, axis=1).astype(np.int64)
    values = np.take_along_axis(found, order, axis=1)
    columns[~np.isfinite(values)] = -1
    return columns, values


def _settle_ties(scores: Singles, chosen: Ints, least: Singles, k: int) -> None:
    """Where more columns have the least chosen score than there is room for, take the lowest ones, in place."""
    equal = (scores == least[:, None]).sum(axis=1)
    taken = (np.take_along_axis(scores, chosen, axis=1) == least[:, None]).sum(axis=1)
    for row in np.flatnonzero((equal > taken) & np.isfinite(least)):
        above = np.flatnonzero(scores[row] > least[row])
        level = np.flatnonzero(scores[row] == least[row])[: k - len(above)]
        chosen[row] = np.concatenate((above, level))
