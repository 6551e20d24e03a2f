"""The latency model of a cold start: a formula with few constants, for traces with few instances.

    latency = startup + in_bytes / rate + (in_rows * c + sum of operators' rows * c_op) / cores ** 0.8 * load
    load    = 1 + 0.8 * utilisation of processors;  everything times a factor of the hardware type

Source: section 4.2 of the method's notes; input rows beside operators, and the factor, a median, are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from paretosql.optimizer.applicability import Ranges
from paretosql.optimizer.boosted import spare_memory_gib
from paretosql.optimizer.combinations import expand, parts_of
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import LEVELS, column
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import LEAST_S

SPEED_UP, SLOW_DOWN = 0.8, 0.8  # exponent of cores, and share per utilisation; section 4.2
FACTOR_LIMITS = (0.25, 4.0)  # of a hardware type; our choice
ROWS_PER_TYPE = 5  # to give a hardware type a factor of its own; our choice
TERMS = ("startup_s", "in_bytes", "in_rows", "operator_rows", "operator_cost")


@dataclass(frozen=True)
class AnalyticLatency:
    """The formula with its constants.

    Attributes:
        constants: of `TERMS`: seconds, and seconds per byte, row, row and cost; none is negative.
        hw_factor: by code of hardware type; 1 for others.
    """

    encoding: Encoding
    constants: Floats
    hw_factor: Mapping[float, float] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=Ranges)
    quality: Mapping[str, float] | None = None
    errors: ErrorModel | None = None
    name: str = "analytic"

    @property
    def log_residuals(self) -> Floats:
        """A sample of log(actual / predicted) on jobs that training left out."""
        return self.errors.kept if self.errors else np.empty(0)

    def ready(self) -> Self:
        """A formula needs no preparation."""
        return self

    def predict(self, rows: Floats) -> Floats:
        """Seconds of whole rows of features, shape (p,)."""
        codes = rows[:, column("machine", "hw_type")]
        factor = np.ones(len(rows))
        for code, value in self.hw_factor.items():
            factor[codes == code] = value
        return np.maximum(terms(rows) @ self.constants * factor, LEAST_S)

    def predict_view(self, view: TrainingView, at: Ints) -> Floats:
        """Seconds of some instances of a trace, shape (len(at),)."""
        return self.predict(view.rows(at))

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of instances on machines in containers, shape (m, n, k)."""
        return expand(parts_of(stage, machines, containers, self.encoding, rows), self.predict)

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """A rule of thumb, shape (m,)."""
        return spare_memory_gib(stage)

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """In which ways this is unlike all training data."""
        return self.ranges.unlike(stage, machines, self.encoding.hw_codes)


def terms(rows: Floats) -> Floats:
    """What the constants are multiplied by, shape (p, len(TERMS)); unknown sizes are 0, unknown cores 1."""
    sizes = np.column_stack([np.expm1(rows[:, column("instance", name)]) for name in TERMS[1:]])
    cores = rows[:, column("container", "container_cores")]
    cores = np.where(cores > 0, cores, 1.0)
    load = 1.0 + SLOW_DOWN * (np.nan_to_num(rows[:, column("machine", "cpu_util")]) + 0.5) / LEVELS
    found = np.column_stack([np.ones(len(rows)), np.nan_to_num(sizes)])
    found[:, 2:] *= (load / cores**SPEED_UP)[:, None]
    return found


def learn_analytic(
    encoding: Encoding, rows: Floats, latency_s: Floats, ranges: Ranges | None = None
) -> AnalyticLatency:
    """Constants by least squares that are not negative, of errors relative to the root of latency; then for every
    hardware type with enough rows the median of actual over predicted.

    Args:
        rows: shape (N, len(COLUMNS)); N > 0.
    """
    from scipy.optimize import nnls

    weight = 1.0 / np.sqrt(np.maximum(latency_s, LEAST_S))
    columns = terms(rows) * weight[:, None]
    size = np.maximum(np.abs(columns).max(axis=0), 1e-12)  # of very different sizes, which the solver dislikes
    constants = nnls(columns / size, latency_s * weight)[0] / size
    plain = AnalyticLatency(encoding, constants, ranges=ranges or Ranges())
    ratio = latency_s / plain.predict(rows)
    codes = rows[:, column("machine", "hw_type")]
    factors = {
        float(code): float(np.clip(np.median(ratio[codes == code]), *FACTOR_LIMITS))
        for code in np.unique(codes[~np.isnan(codes)])
        if (codes == code).sum() >= ROWS_PER_TYPE
    }
    return AnalyticLatency(encoding, constants, factors, plain.ranges)
