"""What a latency model is: what decisions need of one, and what one that was trained on a trace can do besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training_view import TrainingView


class LatencyModel(Protocol):
    """Predicts latency before an instance starts.

    Attributes:
        name: the kind of model.
        quality: measures of `metrics.MEANING` on jobs that it was not trained on; None when unknown.
    """

    @property
    def name(self) -> str: ...

    @property
    def quality(self) -> Mapping[str, float] | None: ...

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of the instances of a stage on every machine in every container, shape (m, n, k).

        Args:
            containers: shape (k, 2), cores and GiB.
            rows: only these instances, by position; left out: all.
        """
        ...

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """The memory that each instance will not exceed with probability 0.95, shape (m,)."""
        ...

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """Sentences that say in which ways a stage or a machine is unlike all that the model was trained on."""
        ...


class TrainedModel(LatencyModel, Protocol):
    """A latency model that was trained on a trace.

    Attributes:
        encoding: how names were made into numbers.
        errors: how actual latencies differ from predicted ones; None when unknown.
        log_residuals: a sample of log(actual / predicted) on jobs it was not trained on, for simulations.
    """

    @property
    def encoding(self) -> Encoding: ...

    @property
    def errors(self) -> ErrorModel | None: ...

    @property
    def log_residuals(self) -> Floats: ...

    def predict_view(self, view: TrainingView, at: Ints) -> Floats:
        """Seconds of some instances of a trace, by position in it, before they ran; shape (len(at),)."""
        ...
