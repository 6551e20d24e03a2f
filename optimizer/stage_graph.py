"""Where a stage stands in its job: numbers that the plan alone gives, for models that have never seen the stage.

How much data reaches a stage is not known before its job runs. What is known is which scans feed it, through how many
stages, and into how many instances every stage on the way is cut, which follows the size of the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose

Edges = tuple[tuple[int, int], ...]
Bools = npt.NDArray[np.bool_]

GRAPH_FACTS = {
    "stages": "stages of the job",
    "position": "number of the stage among them, from 0",
    "depth": "stages before it on the longest path",
    "height": "stages after it on the longest path",
    "parents": "stages it reads",
    "children": "stages that read it",
    "ancestors": "stages that must end before it",
    "descendants": "stages that wait for it",
    "sources": "stages without parents among its ancestors",
    "siblings": "other stages read by the stages that read it",
    "leaf_parents": "parents without parents",
    "parent_instances": "instances of its parents",
    "parent_most": "instances of its largest parent",
    "parent_least": "instances of its smallest parent",
    "leaf_parent_instances": "instances of its parents without parents",
    "second_source_instances": "instances of its parents' parents that have no parents",
    "source_instances": "instances of its sources",
    "source_most": "instances of its largest source",
    "sibling_instances": "instances of its siblings",
    "sibling_most": "instances of its largest sibling",
    "sibling_source_most": "instances of the largest source of a sibling, or of a sibling that is one",
    "child_parents": "parents of that child that has most",
    "child_instances": "instances of its largest child",
    "child_height": "height of its highest child, -1 without children",
    "job_sources": "stages of the job without parents",
    "job_source_instances": "instances of them",
    "job_instances": "instances of the job",
}


def graph_facts(instances: Sequence[float], edges: Sequence[tuple[int, int]]) -> list[dict[str, float]]:
    """The `GRAPH_FACTS` of every stage of one job.

    Args:
        instances: how many instances each stage has, by position.
        edges: pairs of positions, the second stage reads the first.
    Raises:
        DataError: a position that is not there, or a cycle.
    Cost: O(stages * (stages + edges)).

    >>> scan, join = graph_facts([8, 200], [(0, 1)])
    >>> scan["depth"], scan["height"], join["depth"], join["source_instances"]
    (0.0, 1.0, 1.0, 8.0)
    """
    rows = _facts(tuple(float(each) for each in instances), tuple(sorted({(int(a), int(b)) for a, b in edges})))
    return [dict(zip(GRAPH_FACTS, row, strict=True)) for row in rows]


@lru_cache(maxsize=1024)
def _facts(count: tuple[float, ...], edges: Edges) -> tuple[tuple[float, ...], ...]:
    """Recurring jobs have the same graph again and again, so answers are kept."""
    size = len(count)
    reads = np.zeros((size, size), dtype=bool)  # [stage, parent]
    for source, target in edges:
        if not (0 <= source < size and 0 <= target < size):
            raise DataError(f"a job has an edge {source} to {target}, but {size} stages")
        reads[target, source] = True
    order = _order(reads)
    before, depth = _closure(reads, order)
    after, height = _closure(reads.T, order[::-1])
    number = np.array(count)
    leaf = ~reads.any(axis=1)
    sources = before & leaf
    beside = (reads.T.astype(np.float32) @ reads.astype(np.float32) > 0) & ~np.eye(size, dtype=bool)
    feeds = (before | np.eye(size, dtype=bool)) & leaf  # sources of a stage, itself when it is one
    source_of = np.where(feeds, number, 0.0).max(axis=1, initial=0.0)
    second = reads.astype(np.float32) @ (reads & leaf).astype(np.float32)  # how often, one for each way
    most_parents = np.where(reads.T, reads.sum(axis=1), 0).max(axis=1, initial=0)
    columns = {
        "stages": np.full(size, size),
        "position": np.arange(size),
        "depth": depth,
        "height": height,
        "parents": reads.sum(axis=1),
        "children": reads.sum(axis=0),
        "ancestors": before.sum(axis=1),
        "descendants": after.sum(axis=1),
        "sources": sources.sum(axis=1),
        "siblings": beside.sum(axis=1),
        "leaf_parents": (reads & leaf).sum(axis=1),
        "parent_instances": reads @ number,
        "parent_most": _most(reads, number),
        "parent_least": np.where(reads, number, np.inf).min(axis=1, initial=np.inf),
        "leaf_parent_instances": (reads & leaf) @ number,
        "second_source_instances": second @ number,
        "source_instances": sources @ number,
        "source_most": _most(sources, number),
        "sibling_instances": beside @ number,
        "sibling_most": _most(beside, number),
        "sibling_source_most": _most(beside, source_of),
        "child_parents": most_parents,
        "child_instances": _most(reads.T, number),
        "child_height": np.where(reads.T, height, -1).max(axis=1, initial=-1),
        "job_sources": np.full(size, leaf.sum()),
        "job_source_instances": np.full(size, number[leaf].sum()),
        "job_instances": np.full(size, number.sum()),
    }
    columns["parent_least"] = np.where(np.isinf(columns["parent_least"]), 0.0, columns["parent_least"])
    table = np.column_stack([columns[name] for name in GRAPH_FACTS]).astype(np.float64)
    return tuple(tuple(row) for row in table.tolist())


def _most(related: Bools, number: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest number among the related stages of each, 0 without any."""
    found: npt.NDArray[np.float64] = np.where(related, number, 0.0).max(axis=1, initial=0.0)
    return found


def _order(reads: Bools) -> list[int]:
    """All stages, each after those it reads."""
    waits = reads.sum(axis=1)
    ready, order = np.flatnonzero(waits == 0).tolist(), []
    while ready:
        at = ready.pop()
        order.append(at)
        for reader in np.flatnonzero(reads[:, at]).tolist():
            waits[reader] -= 1
            if waits[reader] == 0:
                ready.append(reader)
    if len(order) < len(reads):
        stuck = sorted(set(range(len(reads))) - set(order))
        raise DataError(compose(f"stages {stuck} of a job wait for each other", hint="edges must have no cycle."))
    return order


def _closure(reads: Bools, order: list[int]) -> tuple[Bools, npt.NDArray[np.int64]]:
    """Everything each stage reads, directly or not; and how many stages the longest path to it has."""
    before = np.zeros_like(reads)
    depth = np.zeros(len(reads), dtype=np.int64)
    for at in order:
        parents = np.flatnonzero(reads[at])
        if len(parents):
            before[at] = before[parents].any(axis=0) | reads[at]
            depth[at] = depth[parents].max() + 1
    return before, depth
