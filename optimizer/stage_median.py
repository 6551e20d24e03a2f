"""The baseline that every figure is shown beside: an instance takes as long as the median one did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from paretosql.optimizer.boosted import spare_memory_gib
from paretosql.optimizer.combinations import expand, parts_of
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import column
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.recurrence import NO_PAST, Past
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import LEAST_S

PAST_LOG_MS = column("stage", "past_log_ms")


@dataclass(frozen=True)
class StageMedians:
    """Median log(1 + ms) of stages by name, and of signatures."""

    of_stage: Mapping[tuple[str, int], float] = field(default_factory=dict)
    of_signature: Mapping[str, float] = field(default_factory=dict)

    def past(self, stage: Stage, warmth: Floats | None = None) -> Past:
        """The median of this very stage, else of its signature, else nothing."""
        by_signature = self.of_signature.get(stage.signature)
        found = self.of_stage.get((stage.job_id, stage.stage_id), by_signature)
        return NO_PAST if found is None else Past(log_ms=found)


@dataclass(frozen=True)
class StageMedian:
    """Of the very stage in training, else of its signature, else of all instances: `overall_s`."""

    encoding: Encoding
    overall_s: float = 1.0
    quality: Mapping[str, float] | None = None
    errors: ErrorModel | None = None
    name: str = "stage_median"

    @property
    def log_residuals(self) -> Floats:
        """A sample of log(actual / predicted) on jobs that training left out."""
        return self.errors.kept if self.errors else np.empty(0)

    def predict(self, rows: Floats) -> Floats:
        """Seconds of whole rows of features, shape (p,)."""
        past = np.expm1(rows[:, PAST_LOG_MS]) / 1000.0
        return np.maximum(np.where(np.isnan(past), self.overall_s, past), LEAST_S)

    def predict_view(self, view: TrainingView, at: Ints) -> Floats:
        """Seconds of some instances of a trace, shape (len(at),)."""
        return self.predict(view.rows(at))

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of instances on machines in containers, shape (m, n, k): all the same."""
        return expand(parts_of(stage, machines, containers, self.encoding, rows), self.predict)

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """A rule of thumb, shape (m,)."""
        return spare_memory_gib(stage)

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """It knows no ranges."""
        return ()


def learn_stage_median(stages: Sequence[Stage], stage: Ints, latency_s: Floats) -> StageMedian:
    """Learn from N instances: shape (N,), the position of the stage of each, and its latency. O(N log N)."""
    log_ms = np.log1p(latency_s * 1000.0)
    names = [(each.job_id, each.stage_id) for each in stages]
    signatures: dict[str, int] = {}
    of_signature = np.array([signatures.setdefault(each.signature, len(signatures)) for each in stages], dtype=np.int64)
    by_stage = {names[at]: value for at, value in _medians(stage, log_ms).items()}
    by_signature = _medians(of_signature[stage], log_ms)
    known = {name: by_signature[at] for name, at in signatures.items() if name and at in by_signature}
    overall = float(np.median(latency_s)) if len(latency_s) else 1.0
    return StageMedian(Encoding({}, StageMedians(by_stage, known)), overall)


def _medians(group: Ints, values: Floats) -> dict[int, float]:
    order = np.argsort(group, kind="stable")
    found, starts = np.unique(group[order], return_index=True)
    parts = np.split(values[order], starts[1:]) if len(order) else []
    return {int(each): float(np.median(part)) for each, part in zip(found, parts, strict=True)}
