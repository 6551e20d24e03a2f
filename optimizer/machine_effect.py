"""What a machine and its load add to log latency, as a sum: the part of a prediction that trees start from.

Trees are flat beyond the machines they saw, and shrink what few rows show; which machine is faster is what placement is
about. Within one stage all instances are alike but for their size and their machine, so least squares inside stages
see the machine without the stage.
Source: our choice; the published system has these inputs, but no such part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.optimizer.features import MACHINE, block, column
from paretosql.optimizer.frontier import Floats, Ints

LOADS = ("cpu_util", "mem_util", "io_util", "net_util", "running")
LOAD_COLUMNS = [MACHINE.index(name) for name in LOADS]
TYPE = MACHINE.index("hw_type")
# of an instance: how log latency depends on them inside a stage is found alongside, and not kept
SIZES = [column("instance", name) for name in ("in_rows", "in_bytes", "place", "wave")]
PRIOR_ROWS = 30.0  # rows of evidence that nothing matters; our choice
REWEIGHTED = 5  # rounds of weights 1 / |error|, so that stragglers do not decide; our choice
SMALL_ERROR = 0.05


@dataclass(frozen=True)
class MachineEffect:
    """What types and loads add, in log latency.

    Attributes:
        types: of each code of a hardware type, shape (types,); 0 is the mean of all instances in training.
        loads: per level of utilisation, and per running instance, in the order of `LOADS`, shape (5,).
        usual: the mean of each load in training, which stands for an unknown one, shape (5,).
    """

    types: Floats
    loads: Floats
    usual: Floats

    def __call__(self, machines: Floats) -> Floats:
        """Log latency that machines, shape (n, len(MACHINE)), add to that of a usual one, shape (n,)."""
        load = machines[:, LOAD_COLUMNS]
        found: Floats = np.where(np.isnan(load), 0.0, load - self.usual) @ self.loads
        code = machines[:, TYPE]
        known = code < len(self.types)  # False for NaN
        found[known] += self.types[code[known].astype(np.int64)]
        return found

    def of_rows(self, rows: Floats) -> Floats:
        """The same for whole rows of features, shape (p, f)."""
        return self(rows[:, block("machine")])


NO_EFFECT = MachineEffect(np.empty(0), np.zeros(len(LOADS)), np.zeros(len(LOADS)))


def machine_effect(rows: Floats, cell: Ints, target: Floats, types: int) -> MachineEffect:
    """Fit to whole rows of features, shape (N, f).

    Args:
        cell: shape (N,), the same number for instances of one stage that are alike in warmth.
        target: shape (N,), log latency.
        types: how many codes of hardware types there are.
    Cost: O(N * c ** 2) for c = types + 9 columns.
    """
    machines = rows[:, block("machine")]
    load = machines[:, LOAD_COLUMNS]
    known = ~np.isnan(load)
    usual = np.where(known.any(axis=0), np.nansum(load, axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    code = machines[:, TYPE]
    kinds = (code[:, None] == np.arange(types)).astype(np.float64)
    design = np.column_stack((kinds, np.where(known, load - usual, 0.0), np.nan_to_num(rows[:, SIZES])))
    groups, at = np.unique(cell, return_inverse=True)
    weight = np.ones(len(target))
    solution = np.zeros(design.shape[1])
    for _ in range(REWEIGHTED):
        total = np.bincount(at, weight, len(groups))
        inside = np.column_stack(
            [each - (np.bincount(at, weight * each, len(groups)) / total)[at] for each in (*design.T, target)]
        )
        left, right = inside[:, :-1], inside[:, -1]
        spread = np.sqrt((weight[:, None] * left**2).sum(axis=0) / weight.sum())
        gram = (left * weight[:, None]).T @ left + np.diag(PRIOR_ROWS * weight.mean() * np.maximum(spread, 1e-6) ** 2)
        solution = np.linalg.solve(gram, (left * weight[:, None]).T @ right)
        weight = 1.0 / np.sqrt((right - left @ solution) ** 2 + SMALL_ERROR**2)
    kept = solution[: types + len(LOADS)]
    return MachineEffect(kept[:types] - (kept[:types] @ kinds.mean(axis=0) if types else 0.0), kept[types:], usual)
