"""A latency model that reads the plan as a graph: a network in the place of the boosted trees.

What lies beneath is that of `boosted`: the effect of machines, the past of recurring stages and the need of memory. The
network is trained, as the trees are, on what is left of log latency. More cores and memory never make a prediction
slower: of all containers that are no larger the fastest counts.
Needs torch, which is imported when a network is trained or asked.
Source: see `graph_network`; the common base is our choice, so that both learners are compared on the same ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from paretosql.errors import NotSupportedError, compose
from paretosql.optimizer.boosted import BoostedLatency, expected_log_ms
from paretosql.optimizer.combinations import ROWS_AT_ONCE, expand
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import COLUMNS
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.operator_kinds import KINDS
from paretosql.optimizer.plan_graphs import NUMBERS, POSITIONS, PlanGraphs, plan_graphs
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import LEAST_S

if TYPE_CHECKING:
    from paretosql.optimizer.graph_network import PlanNetwork

Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Scaling:
    """Rows of features as a network likes them: shape (f,) each; `level` is where stages without a past start."""

    middle: Floats
    spread: Floats
    level: float

    def __call__(self, rows: Floats) -> npt.NDArray[np.float32]:
        """Standardised, with a column for each that says what was known, shape (p, 2 f)."""
        known = ~np.isnan(rows)
        scaled = np.where(known, np.clip((rows - self.middle) / self.spread, -5.0, 5.0), 0.0)
        return np.concatenate((scaled, known), axis=1).astype(np.float32)

    def start(self, rows: Floats, below: BoostedLatency) -> Floats:
        """Log latency before the network: what the past leads to expect, else the level; and the machine's effect."""
        expected = expected_log_ms(rows)
        return np.where(np.isnan(expected), self.level, expected) + below.effect.of_rows(rows)


@dataclass(frozen=True)
class GraphLatency:
    """A trained network.

    Attributes:
        below: encoding, past, effect of machines, need of memory and ranges; its trees are not asked.
        weights: of `graph_network.PlanNetwork`, by name.
    """

    below: BoostedLatency
    weights: Weights
    scaling: Scaling
    quality: Mapping[str, float] | None = None
    errors: ErrorModel | None = None
    name: str = "graph_transformer"

    @property
    def encoding(self) -> Encoding:
        """How names were made into numbers."""
        return self.below.encoding

    @property
    def log_residuals(self) -> Floats:
        """A sample of log(actual / predicted) on jobs that training left out."""
        return self.errors.kept if self.errors else np.empty(0)

    def predict_view(self, view: TrainingView, at: Ints) -> Floats:
        """Seconds of some instances of a trace, shape (len(at),)."""
        stages, of_stage = np.unique(view.traced.stage[at], return_inverse=True)
        plans = self._plans(plan_graphs([view.traced.stages[each] for each in stages.tolist()]))
        return self._seconds(view.rows(at), plans, of_stage)

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of instances on machines in containers, shape (m, n, k). O(m * n * k) rows through the network."""
        parts = self.below.parts(stage, machines, containers, rows)
        plans = self._plans(plan_graphs([stage]))
        found = expand(parts, lambda whole: self._seconds(whole, plans, np.zeros(len(whole), dtype=np.int64)))
        return _never_slower(found, np.asarray(containers, dtype=np.float64))

    def ready(self) -> Self:
        """Build the network, which takes a moment, so that the first question is as quick as the others."""
        _ = self._network
        return self

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """Memory that each instance stays below with probability 0.95, shape (m,)."""
        return self.below.memory_floor_gib(stage)

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """In which ways this is unlike all training data."""
        return self.below.extrapolates(stage, machines)

    def _seconds(self, rows: Floats, plans: npt.NDArray[np.float32], of_stage: Ints) -> Floats:
        import torch

        found = self.scaling.start(rows, self.below)
        with torch.no_grad():
            for first in range(0, len(rows), ROWS_AT_ONCE):
                part = slice(first, first + ROWS_AT_ONCE)
                features = torch.from_numpy(self.scaling(rows[part]))
                found[part] += self._network(torch.from_numpy(plans[of_stage[part]]), features).numpy()
        return np.maximum(np.expm1(np.minimum(found, MOST_LOG_MS)) / 1000.0, LEAST_S)

    def _plans(self, graphs: PlanGraphs) -> npt.NDArray[np.float32]:
        import torch

        with torch.no_grad():
            parts = [
                self._network.embed(
                    *tensors(graphs.take(np.arange(first, min(first + PLANS_AT_ONCE, len(graphs.kind)))))
                )
                for first in range(0, len(graphs.kind), PLANS_AT_ONCE)
            ]
            found: npt.NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    @cached_property
    def _network(self) -> PlanNetwork:
        network = new_network()  # refuses without torch
        import torch

        network.load_state_dict({name: torch.from_numpy(np.array(each)) for name, each in self.weights.items()})
        network.eval()
        return network


MOST_LOG_MS = 25.0  # about two years; the network is not asked to say more
PLANS_AT_ONCE = 1_000


def network_type() -> type[PlanNetwork]:
    """The class of networks.

    Raises:
        NotSupportedError: torch is not installed.
    """
    try:
        from paretosql.optimizer.graph_network import PlanNetwork
    except ModuleNotFoundError as fault:
        problem = "a graph transformer needs torch, which is not installed"
        hint = "pip install 'paretosql[models]', or use the boosted trees."
        raise NotSupportedError(compose(problem, hint=hint)) from fault
    return PlanNetwork


def new_network() -> PlanNetwork:
    """An untrained network for plans and rows of features."""
    return network_type()(len(KINDS), NUMBERS, POSITIONS, 2 * len(COLUMNS))


def tensors(graphs: PlanGraphs) -> tuple[object, ...]:
    """The arrays of plans, for `PlanNetwork.embed`."""
    import torch

    arrays = (graphs.kind, graphs.numbers, graphs.position, graphs.near, graphs.there)
    return tuple(torch.from_numpy(each) for each in arrays)


def _never_slower(seconds: Floats, containers: Floats) -> Floats:
    """For each container the least of those that are no larger, shape (m, n, k)."""
    found = [seconds[:, :, (containers <= each).all(axis=1)].min(axis=2) for each in containers]
    return np.stack(found, axis=2)
