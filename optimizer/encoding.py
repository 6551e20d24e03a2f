"""What turns names into numbers: codes of hardware types, and the past runs of signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.recurrence import NO_RECURRENCE, Past
from paretosql.optimizer.stage import Stage


class Pasts(Protocol):
    """Whatever knows what past runs say about a stage."""

    def past(self, stage: Stage, warmth: Floats | None = None) -> Past:
        """The past of a stage; `warmth` of its instances has shape (m,)."""
        ...


@dataclass(frozen=True)
class Encoding:
    """Both are learned in training; an empty one knows no type and no signature."""

    hw_codes: Mapping[str, float] = field(default_factory=dict)
    recurrence: Pasts = NO_RECURRENCE


def learn_hw_codes(hw_type: Sequence[str | None], stage: Ints, log_s: Floats) -> dict[str, float]:
    """A number for each hardware type: its rank by how much longer instances took on it than the median of their
    stage, fastest first; types that nothing tells apart by name. O(N log N).

    Args:
        hw_type: of N instances, None unknown.
        stage, log_s: shape (N,), the number of the stage and log latency.
    """
    names = np.array(["" if each is None else each for each in hw_type], dtype=object)
    if not len(names):
        return {}
    order = np.lexsort((log_s, stage))
    _, starts, count = np.unique(stage[order], return_index=True, return_counts=True)
    middle = log_s[order][starts + (count - 1) // 2]
    later = log_s - np.repeat(middle, count)[np.argsort(order, kind="stable")]
    found, at = np.unique(names.astype(str), return_inverse=True)
    mean = np.bincount(at, later) / np.bincount(at)
    known = [(round(float(mean[code]), 9), name) for code, name in enumerate(found.tolist()) if name]
    return {name: float(rank) for rank, (_, name) in enumerate(sorted(known))}
