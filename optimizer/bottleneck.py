"""The bottleneck transportation problem, solved exactly: the least latency at which every instance finds a place."""

from __future__ import annotations

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints


def bottleneck(latency: Floats, room: Ints, worst: float) -> Ints | None:
    """The best placement, or None when none is better than `worst`.

    A binary search over the distinct latencies between the largest row minimum and `worst`; each step is a maximum
    flow from instances over the pairs within the latency to machines. O(log(mn)) flows, O(mn) memory.

    Args:
        latency: shape (m, n), seconds, inf for pairs that must not be.
        room: shape (n,), instances per machine.
    """
    usable = np.where(room > 0, latency, np.inf)
    least = usable.min(axis=1).max()
    levels = np.unique(usable[(usable >= least) & (usable < worst)])
    low, high = 0, len(levels)
    found: Ints | None = None
    while low < high:
        middle = (low + high) // 2
        flow = _flow(usable <= levels[middle], room)
        if flow is None:
            low = middle + 1
        else:
            found, high = flow, middle
    return found


def _flow(allowed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], room: Ints) -> Ints | None:
    """A machine for every instance over allowed pairs, or None."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    instances, machines = allowed.shape
    if not allowed.any(axis=1).all():
        return None
    source, sink = instances + machines, instances + machines + 1
    i, j = np.nonzero(allowed)
    tails = np.concatenate((np.full(instances, source), i, instances + np.arange(machines)))
    heads = np.concatenate((np.arange(instances), instances + j, np.full(machines, sink)))
    capacity = np.concatenate((np.ones(instances + len(i), dtype=np.int32), room.astype(np.int32)))
    graph = csr_array((capacity, (tails, heads)), shape=(sink + 1, sink + 1), dtype=np.int32)
    result = maximum_flow(graph, source, sink)
    if result.flow_value < instances:
        return None
    flow = result.flow[:instances, instances:source].tocoo()
    machine = np.empty(instances, dtype=np.int64)
    machine[flow.row[flow.data > 0]] = flow.col[flow.data > 0]
    return machine
