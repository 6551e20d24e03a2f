"""Boosted trees evaluated on all combinations of instances, machines and containers at once.

A leaf of a tree is reached when every split on the way to it is passed, and each split looks at one feature: of the
stage, the instance, the container or the machine. So whether a combination reaches a leaf is the product of four
answers, one per part, each computed once; a prediction for every combination is a product of small matrices over the
leaves, instead of one walk through all trees per combination. Leaves that the stage alone rules out are dropped first.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, Ints

Bools = npt.NDArray[np.bool_]
NOWHERE = -1


@dataclass(frozen=True)
class Forest:
    """All trees as one: nodes in order of depth, so that parents stand before their children.

    Attributes:
        feature, threshold, missing_left, missing_zero: of each node, shape (N,): go left when value <= threshold;
            NaN goes left where `missing_left`, and counts as 0 where `missing_zero`.
        depth: shape (N,), rising.
        left, right: shape (N,), the node below, or `NOWHERE`.
        left_leaf, right_leaf: shape (N,), the leaf below, or `NOWHERE`.
        roots: the first nodes of the trees.
        value: shape (L,), of each leaf.
        constant: the sum of trees that are only a leaf.
    """

    feature: Ints
    threshold: Floats
    missing_left: Bools
    missing_zero: Bools
    depth: Ints
    left: Ints
    right: Ints
    left_leaf: Ints
    right_leaf: Ints
    value: Floats
    constant: float

    @cached_property
    def _levels(self) -> list[tuple[int, int]]:
        """First and last node (exclusive) of each depth."""
        edges = [0, *(np.flatnonzero(np.diff(self.depth)) + 1).tolist(), len(self.depth)]
        return list(itertools.pairwise(edges)) if len(self.depth) else []

    def reached(self, rows: Floats, columns: Sequence[int]) -> Bools:
        """Which leaves each row may reach, as far as some features say; shape (p, L).

        Args:
            rows: shape (p, c), values of the features `columns`; splits on others are passed on both sides.
        Cost: O(p * nodes).
        """
        place = np.full(int(self.feature.max(initial=-1)) + 1, NOWHERE, dtype=np.int64)
        for at, column in enumerate(columns):
            if column < len(place):
                place[column] = at
        nodes = np.ones((len(self.feature), len(rows)), dtype=bool)
        leaves = np.ones((len(self.value), len(rows)), dtype=bool)
        values = np.ascontiguousarray(rows.T)
        for first, last in self._levels:
            mine = nodes[first:last]
            asked = place[self.feature[first:last]]
            known = np.flatnonzero(asked >= 0)
            goes_left, goes_right = mine.copy(), mine.copy()
            if len(known):
                left = self._passes(values[asked[known]], first + known)
                goes_left[known] &= left
                goes_right[known] &= ~left
            for goes, below, leaf in (
                (goes_left, self.left, self.left_leaf),
                (goes_right, self.right, self.right_leaf),
            ):
                inner = np.flatnonzero(below[first:last] >= 0)
                nodes[below[first:last][inner]] = goes[inner]
                outer = np.flatnonzero(leaf[first:last] >= 0)
                leaves[leaf[first:last][outer]] = goes[outer]
        return leaves.T

    def _passes(self, values: Floats, nodes: Ints) -> Bools:
        """Whether values, shape (nodes, p), go left."""
        missing = np.isnan(values)
        left = values <= self.threshold[nodes, None]
        if missing.any():
            zero = (self.threshold[nodes] >= 0.0) & self.missing_zero[nodes]
            goes = np.where(self.missing_zero[nodes], zero, self.missing_left[nodes])
            left = np.where(missing, goes[:, None], left)
        return left

    def pruned(self, live: Bools) -> Forest:
        """Only the live leaves, shape (L,), and the nodes where a row has a choice between them."""
        leaf_at = np.cumsum(live) - 1
        into = np.empty(len(self.feature), dtype=np.int64)  # what stands for a node: a node, ~leaf, or _GONE
        keep = np.zeros(len(self.feature), dtype=bool)
        for first, last in reversed(self._levels):
            left, right = (
                np.where(
                    leaf[first:last] >= 0,
                    np.where(live[leaf[first:last]], ~leaf[first:last], _GONE),
                    into[below[first:last]],
                )
                for below, leaf in ((self.left, self.left_leaf), (self.right, self.right_leaf))
            )
            own = np.arange(first, last)
            both = (left != _GONE) & (right != _GONE)
            keep[first:last] = both
            into[first:last] = np.where(both, own, np.where(left != _GONE, left, right))
        kept = np.flatnonzero(keep)
        number = np.cumsum(keep) - 1

        def under(below: Ints, leaf: Ints) -> tuple[Ints, Ints]:
            """The node and the leaf that stand below each kept node now; one of them is `NOWHERE`."""
            target = np.where(leaf[kept] >= 0, ~leaf[kept], into[below[kept]])
            node = np.where(target < 0, NOWHERE, number[np.maximum(target, 0)])
            at = np.where(target < 0, leaf_at[np.where(target < 0, ~target, 0)], NOWHERE)
            return node.astype(np.int64), at.astype(np.int64)

        left, left_leaf = under(self.left, self.left_leaf)
        right, right_leaf = under(self.right, self.right_leaf)
        return Forest(
            self.feature[kept], self.threshold[kept], self.missing_left[kept], self.missing_zero[kept],
            self.depth[kept], left, right, left_leaf, right_leaf, self.value[live], self.constant,
        )  # fmt: skip

    def predict(self, rows: Floats) -> Floats:
        """The sum over trees for whole rows, shape (p,); for tests and few rows."""
        return self.constant + self.reached(rows, range(rows.shape[1])) @ self.value


_GONE = np.iinfo(np.int64).min


def product(forest: Forest, parts: Mapping[str, tuple[Floats, Sequence[int]]]) -> Floats:
    """The sum over trees for all combinations of `instance`, `machine` and `container` rows of one `stage` row.

    Args:
        parts: for each of the four names its rows, shape (p, c), and which features its columns are.
    Returns:
        Shape (m, n, k).
    Cost: O((m + n + k) * nodes) for the answers, then O(m * n * (leaves + k * q)) as products of matrices of 32 bit
        floats, for the leaves that the stage can reach and the q different sets of containers that reach one.
    """
    reached: dict[str, Bools] = {}
    for name in sorted(parts, key=lambda part: len(parts[part][0])):
        rows, columns = parts[name]
        mine = forest.reached(rows, columns)
        live: Bools = np.asarray(mine.any(axis=0))
        if not live.all():
            forest = forest.pruned(live)
            mine = mine[:, live]
            reached = {other: each[:, live] for other, each in reached.items()}
        reached[name] = mine
    stage = reached["stage"][0]
    by_leaf = {name: np.ascontiguousarray(each[:, stage].T) for name, each in reached.items()}
    patterns, order, edges = _patterns(by_leaf["container"])
    instance = by_leaf["instance"][order].astype(np.float32)
    machine = by_leaf["machine"][order] * forest.value[stage][order, None].astype(np.float32)
    shape = (instance.shape[1], machine.shape[1])
    sums = np.empty((len(patterns), *shape), dtype=np.float32)
    for at, (first, last) in enumerate(itertools.pairwise(edges)):
        np.matmul(instance[first:last].T, machine[first:last], out=sums[at])
    found = (sums.reshape(len(patterns), shape[0] * shape[1]).T @ patterns.astype(np.float32)).astype(np.float64)
    return found.reshape(*shape, patterns.shape[1]) + forest.constant


def _patterns(containers: Bools) -> tuple[Bools, Ints, list[int]]:
    """The different sets of containers that reach a leaf, shape (q, k), few because splits are on two sizes; leaves
    sorted by them, and where each begins.
    """
    packed = np.packbits(containers, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    keys = padded.view(np.uint64)
    order = np.lexsort(keys.T)
    ranked = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], (ranked[1:] != ranked[:-1]).any(axis=1))))[: len(ranked)]
    return containers[order[starts]], order, [*starts.tolist(), len(order)]


def compile_forest(model: Mapping[str, Any]) -> Forest:
    """The trees of `lightgbm.Booster.dump_model()`.

    Raises:
        DataError: a split that is not numeric.
    """
    nodes: list[tuple[int, int, float, bool, bool, int, int, int]] = []  # depth, feature, .., parent, side
    values: list[float] = []
    leaf_of: list[tuple[int, int]] = []
    constant = 0.0
    for info in model["tree_info"]:
        todo = [(info["tree_structure"], 0, NOWHERE, 0)]
        while todo:
            node, depth, parent, side = todo.pop()
            if "split_feature" not in node:
                if parent == NOWHERE:
                    constant += float(node["leaf_value"])
                    continue
                values.append(float(node["leaf_value"]))
                leaf_of.append((parent, side))
                continue
            if node["decision_type"] != "<=":
                raise DataError(compose("the trees have a split that is not numeric", hint="encode categories first."))
            kind = node["missing_type"]
            own = len(nodes)
            nodes.append(
                (depth, int(node["split_feature"]), float(node["threshold"]), bool(node["default_left"]),
                 kind == "None", parent, side, own)
            )  # fmt: skip
            todo.append((node["left_child"], depth + 1, own, 0))
            todo.append((node["right_child"], depth + 1, own, 1))
    return _arranged(nodes, values, leaf_of, constant)


def _arranged(
    nodes: list[tuple[int, int, float, bool, bool, int, int, int]],
    values: list[float],
    leaf_of: list[tuple[int, int]],
    constant: float,
) -> Forest:
    """Nodes sorted by depth, links turned round from parents to children."""
    order = sorted(range(len(nodes)), key=lambda at: nodes[at][0])
    number = np.empty(len(nodes), dtype=np.int64)
    number[order] = np.arange(len(nodes))
    below = np.full((2, len(nodes)), NOWHERE, dtype=np.int64)
    leaf = np.full((2, len(nodes)), NOWHERE, dtype=np.int64)
    for at, node in enumerate(nodes):
        if node[5] != NOWHERE:
            below[node[6], number[node[5]]] = number[at]
    for at, (parent, side) in enumerate(leaf_of):
        leaf[side, number[parent]] = at
    columns = list(zip(*(nodes[at] for at in order), strict=True)) or [()] * 8
    return Forest(
        np.array(columns[1], dtype=np.int64), np.array(columns[2], dtype=np.float64),
        np.array(columns[3], dtype=bool), np.array(columns[4], dtype=bool), np.array(columns[0], dtype=np.int64),
        below[0], below[1], leaf[0], leaf[1], np.array(values, dtype=np.float64), constant,
    )  # fmt: skip
