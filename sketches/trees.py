"""Regression trees as flat arrays: all trees of a model walk down together, one level a step.

A model has some hundred trees and is asked about one sample at a time. Then this costs 0.1 ms, and importing the
library that trained it half a second.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, compose

Integers = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, shape (m,): a row goes to `left` where its `feature` is at most `threshold`, else to `right`.

    A leaf is its own child and has the `value`. roots: shape (t,), the first node of each tree.
    """

    roots: Integers
    feature: Integers
    left: Integers
    right: Integers
    threshold: Floats
    value: Floats

    @classmethod
    def of(cls, roots: Sequence[int], **nodes: Sequence[float]) -> Trees:
        """The trees of these nodes."""
        firsts, feature, left, right = (
            np.array(each, np.int32) for each in (roots, nodes["feature"], nodes["left"], nodes["right"])
        )
        threshold, value = (np.array(nodes[name], np.float64) for name in ("threshold", "value"))
        return cls(firsts, feature, left, right, threshold, value)

    def predict(self, rows: Floats) -> Floats:
        """The sums of the leaves that rows of shape (n, features) come to; shape (n,)."""
        at = np.repeat(self.roots[None, :], len(rows), axis=0)
        row = np.arange(len(rows))[:, None]
        while True:
            low = rows[row, self.feature[at]] <= self.threshold[at]
            below = np.where(low, self.left[at], self.right[at])
            if np.array_equal(below, at):
                found: Floats = self.value[at].sum(axis=1)
                return found
            at = below


def write_trees(path: Path, trees: Trees) -> None:
    """Write a model as an Arrow file: one row per node, marked where a tree begins; never half of one."""
    columns = {name: getattr(trees, name) for name in ("feature", "left", "right", "threshold", "value")}
    columns["root"] = np.isin(np.arange(len(trees.feature)), trees.roots)
    table = pa.table(columns)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_bytes(sink.getvalue())
    half.replace(path)


def read_trees(data: bytes) -> Trees:
    """The model that `write_trees` wrote; DataError when the bytes are none."""
    try:
        with pa.ipc.open_file(pa.BufferReader(data)) as reader:
            table = reader.read_all()
        columns: dict[str, Any] = {name: table.column(name).to_numpy() for name in table.column_names}
        roots = np.flatnonzero(columns.pop("root")).astype(np.int32)
        return Trees(roots, **columns)
    except (pa.ArrowException, KeyError, TypeError) as fault:
        raise DataError(compose("the model file of the learned estimator is damaged")) from fault
