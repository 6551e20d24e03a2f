"""Groups of instances, and of machines, that a model can hardly tell apart.

Grouping by what the model predicts, rather than by input sizes, needs no choice of features: instances in a group have
predictions within a few percent of each other at reference points, whatever made them equal. The published method
clusters by density of input rows; kernel densities of heavy tails put the largest instances, which decide over the
latency of a stage, into one group.
"""

from __future__ import annotations

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints


def by_prediction(latency: Floats, tolerance: float, most: int) -> tuple[Ints, Ints]:
    """Groups of rows whose predictions differ by less than a factor of `1 + tolerance` in every column; those
    below a millisecond are alike.

    Where that gives more than `most` groups, the tolerance is doubled until it does not.

    Args:
        latency: shape (p, q), seconds of p things at q reference points.
    Returns:
        The group of every row, shape (p,), numbered from 0 by rising latency; and of every group the row that is
        slowest at the first point, which stands for it.
    Cost: O(p q log p).
    """
    if len(latency) <= 1:
        return np.zeros(len(latency), dtype=np.int64), np.arange(len(latency))
    logs = np.log(np.maximum(latency, 1e-3))
    logs -= logs.min(axis=0)
    width = np.log1p(tolerance)
    while True:
        cells = np.floor(logs / width).astype(np.int64)
        _, group = np.unique(cells, axis=0, return_inverse=True)
        group = group.reshape(-1).astype(np.int64)
        if group.max() < most:
            break
        width *= 2
    order = np.lexsort((-latency[:, 0], group))
    first = np.concatenate(([True], group[order][1:] != group[order][:-1]))
    return group, order[first]
