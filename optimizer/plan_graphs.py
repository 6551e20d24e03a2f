"""The operators of stages as graphs of numbers: what a network reads of a plan.

A graph has at most `MOST_NODES` operators; of larger plans the last ones, which write the stage's result, are kept.
Source: operators with estimates, edges and Laplacian positions are those of the authors' public code as the method's
notes have it; limits and scaling are our choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.operator_kinds import KINDS, kind_of
from paretosql.optimizer.stage import Stage

MOST_NODES = 48
POSITIONS = 8  # eigenvectors of the Laplacian, section 4.2
NUMBERS = 6  # log rows, bytes and cost, and whether each is known
KIND_CODE = {name: code for code, name in enumerate(KINDS)}


@dataclass(frozen=True)
class PlanGraphs:
    """G plans, padded to the largest one of P nodes.

    Attributes:
        kind: shape (G, P), codes of operator kinds.
        numbers: shape (G, P, 6).
        position: shape (G, P, 8).
        near: shape (G, P, P), whether two nodes exchange rows or are the same; False for padding.
        there: shape (G, P), whether there is a node.
    """

    kind: Ints
    numbers: npt.NDArray[np.float32]
    position: npt.NDArray[np.float32]
    near: npt.NDArray[np.bool_]
    there: npt.NDArray[np.bool_]

    def take(self, at: Ints) -> PlanGraphs:
        """Some of the plans, padded as before."""
        return PlanGraphs(self.kind[at], self.numbers[at], self.position[at], self.near[at], self.there[at])


def plan_graphs(stages: Sequence[Stage]) -> PlanGraphs:
    """The plans of stages, in their order; a stage without operators is a graph without nodes. O(G * P ** 3)."""
    cut = [_last(stage) for stage in stages]
    size = max((len(kinds) for kinds, _, _ in cut), default=0) or 1
    found = PlanGraphs(
        np.zeros((len(cut), size), dtype=np.int64),
        np.zeros((len(cut), size, NUMBERS), dtype=np.float32),
        np.zeros((len(cut), size, POSITIONS), dtype=np.float32),
        np.zeros((len(cut), size, size), dtype=bool),
        np.zeros((len(cut), size), dtype=bool),
    )
    positions: dict[bytes, Floats] = {}  # recurring stages have the same shape
    for at, (kinds, numbers, near) in enumerate(cut):
        count = len(kinds)
        if not count:
            continue
        found.kind[at, :count] = kinds
        found.numbers[at, :count] = numbers
        found.near[at, :count, :count] = near
        found.there[at, :count] = True
        key = near.tobytes()
        if key not in positions:
            positions[key] = laplacian_positions(near)
        found.position[at, :count] = positions[key]
    return found


def laplacian_positions(near: npt.NDArray[np.bool_]) -> Floats:
    """The eigenvectors of the normalised Laplacian with the smallest eigenvalues above 0, shape (p, `POSITIONS`).

    Signs are made the same for the same graph: the largest entry of each is positive. Missing ones are 0.
    """
    links = near & ~np.eye(len(near), dtype=bool)
    degree = np.maximum(links.sum(axis=1), 1)
    laplacian = np.eye(len(near)) - links / np.sqrt(np.outer(degree, degree))
    _, vectors = np.linalg.eigh(laplacian)
    chosen = vectors[:, 1 : 1 + POSITIONS]
    if chosen.shape[1]:
        largest = np.abs(chosen).argmax(axis=0)
        chosen = chosen * np.where(chosen[largest, np.arange(chosen.shape[1])] < 0, -1.0, 1.0)
    found: Floats = np.pad(chosen, ((0, 0), (0, POSITIONS - chosen.shape[1])))
    return found


def _last(stage: Stage) -> tuple[list[int], Floats, npt.NDArray[np.bool_]]:
    """Kinds, numbers and neighbourhood of the last operators of a stage."""
    first = max(len(stage.operators) - MOST_NODES, 0)
    mine = stage.operators[first:]
    numbers = np.array([[each.rows, each.bytes, each.cost] for each in mine], dtype=np.float64).reshape(-1, 3)
    known = ~np.isnan(numbers)
    near = np.eye(len(mine), dtype=bool)
    for at, each in enumerate(mine):
        for source in each.inputs:
            if source >= first:
                near[at, source - first] = near[source - first, at] = True
    scaled = np.where(known, np.log1p(np.nan_to_num(numbers)) / 10.0, 0.0)
    return [KIND_CODE[kind_of(each.kind)] for each in mine], np.concatenate((scaled, known), axis=1), near
