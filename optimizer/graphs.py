"""Directed graphs in tables of a trace: edges between numbers, how deep each node is, and which edges are on a cycle.

A table holds many graphs, one for each job or stage; all of them are worked on at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.trace_sql import Queries

Ints = npt.NDArray[np.int64]
ON_CYCLE = -1
COLUMNS = {  # of a table of edges: what names a graph, and the two ends
    "stage_edges": (("job_id",), "src_stage", "dst_stage"),
    "operator_edges": (("job_id", "stage_id"), "src_op", "dst_op"),
}


@dataclass(frozen=True)
class Edges:
    """All edges of a table in its order, shape (m,): nodes from 0 to nodes - 1, graphs from 0 to graphs - 1."""

    source: Ints
    target: Ints
    graph: Ints
    nodes: int
    graphs: int


def edges_of(queries: Queries, table: str) -> Edges:
    """The edges of a table of a trace."""
    keys, source, target = COLUMNS[table]
    names = ", ".join(keys)
    rows = queries.arrow(
        f"""
        WITH edges AS (
            SELECT {names}, {source} AS src, {target} AS dst, row_number() OVER () - 1 AS position FROM {table}
        ), nodes AS (
            SELECT *, row_number() OVER () - 1 AS node, dense_rank() OVER (ORDER BY {names}) - 1 AS graph FROM
                (SELECT {names}, src AS id FROM edges UNION SELECT {names}, dst FROM edges)
        )
        SELECT s.node AS src, d.node AS dst, s.graph, (SELECT count(*) FROM nodes) AS nodes,
            (SELECT max(graph) + 1 FROM nodes) AS graphs
        FROM edges
        JOIN (SELECT * RENAME (id AS src) FROM nodes) AS s USING ({names}, src)
        JOIN (SELECT * RENAME (id AS dst) FROM nodes) AS d USING ({names}, dst) ORDER BY position
        """
    )
    counts = [int(rows[name][0].as_py()) if len(rows) else 0 for name in ("nodes", "graphs")]
    return Edges(*(rows[name].to_numpy() for name in ("src", "dst", "graph")), *counts)


def depths(source: npt.ArrayLike, target: npt.ArrayLike, nodes: int) -> Ints:
    """The most edges on a way to each node, shape (nodes,); -1 behind or on a cycle.

    Args:
        source, target: shape (m,), edges between nodes 0 to nodes - 1. Many graphs may share the arrays.

    Kahn's algorithm, a layer at a time: O(m) for every layer.

    >>> depths([0, 1, 0], [1, 2, 2], 4).tolist()
    [0, 1, 2, 0]
    """
    tail, head = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    waiting = np.bincount(head, minlength=nodes)
    depth = np.full(nodes, ON_CYCLE, dtype=np.int64)
    layer, level = waiting == 0, 0
    while layer.any():
        depth[layer] = level
        done = layer[tail]
        waiting -= np.bincount(head[done], minlength=nodes)
        tail, head = tail[~done], head[~done]
        layer = (waiting == 0) & (depth == ON_CYCLE)
        level += 1
    return depth


def cyclic(source: npt.ArrayLike, target: npt.ArrayLike) -> Ints:
    """Positions of the edges on a cycle or between two cycles, in order; empty when there is none.

    >>> cyclic([0, 1, 2], [1, 2, 1]).tolist()
    [1, 2]
    """
    tail, head = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
    nodes = int(max(tail.max(initial=-1), head.max(initial=-1))) + 1
    forward, backward = depths(tail, head, nodes), depths(head, tail, nodes)
    stuck = (forward == ON_CYCLE) & (backward == ON_CYCLE)
    return np.flatnonzero(stuck[tail] & stuck[head])


def deepest(edges: Edges) -> Ints:
    """The most edges on a way through each graph, shape (graphs,); what is behind a cycle does not count."""
    depth = depths(edges.source, edges.target, edges.nodes)
    most = np.zeros(edges.graphs, dtype=np.int64)
    np.maximum.at(most, edges.graph, depth[edges.target])
    return most
