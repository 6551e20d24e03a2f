"""Training of the graph transformer, on what the parts beneath it leave of log latency (needs torch)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.boosted import EXPECTED, SLOPE, BoostedLatency
from paretosql.optimizer.boosting import MOST_ROWS, sample, typical
from paretosql.optimizer.features import PAST_OF_STAGE, column
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.graph_latency import (
    GraphLatency,
    Scaling,
    Weights,
    network_type,
    new_network,
    tensors,
)
from paretosql.optimizer.learning import Report, circumstances
from paretosql.optimizer.material import Material
from paretosql.optimizer.plan_graphs import PlanGraphs, plan_graphs
from paretosql.optimizer.training_view import TrainingView

if TYPE_CHECKING:
    from torch import Tensor

    from paretosql.optimizer.graph_network import PlanNetwork

RATE, LAST_RATE, DECAY = 3e-3, 1e-5, 1e-2  # section 4.2
STAGES, PER_STAGE = 128, 8  # rows of a batch, together 1,024, section 4.2; from how few stages is our choice
STEPS = 1_500  # our choice: the authors' 200 epochs take an hour on two cores, and on our traces bring nothing more
PAST = [*(column("stage", name) for name in PAST_OF_STAGE), EXPECTED, SLOPE]
JUDGED_AT_ONCE = 4_096
CHECKS = 15  # times that a network is judged on validation rows; the best one is kept


@dataclass(frozen=True)
class Training:
    """How the network is trained: batches, the seed of everything random, threads of torch."""

    steps: int = STEPS
    seed: int = 0
    threads: int = 2


def learn_graph(
    material: Material,
    rows: Ints,
    below: BoostedLatency,
    how: Training,
    *,
    validation: Ints | None = None,
    report: Report | None = None,
) -> GraphLatency:
    """A network from some instances, by position, on top of a model that was trained on the same.

    The loss is the absolute error of log latency, weighted by the typical latency of a stage: nearly WMAPE, which is
    the authors' loss, without its explosions.

    Args:
        validation: other instances; of the networks on the way the best one on them is kept.
        report: called after every step.
    Raises:
        NotSupportedError: torch is not installed.
    Cost: about 30 ms for a step of 1,024 rows on two cores, whatever the trace.
    """
    network_type()  # refuses without torch
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(how.threads)
    try:
        with torch.random.fork_rng(devices=[]):  # the state of everyone else's random numbers stays as it is
            torch.manual_seed(how.seed)
            data, checked = _prepared(material, rows, below, how.seed, validation)
            return GraphLatency(below, _fitted(data, checked, how, report), data.scaling)
    finally:
        torch.set_num_threads(threads)


def _prepared(
    material: Material, rows: Ints, below: BoostedLatency, seed: int, validation: Ints | None
) -> tuple[_Data, _Data | None]:
    """What to train on, each job with a past without itself and once more without any, as new stages come; and what to
    judge on.
    """
    latency = material.outcomes.latency_s
    log_ms = np.log1p(latency * 1000.0)
    plain = material.view(material.codes(rows))
    _, view = material.learn(rows, circumstances(below.general, below.effect, plain, rows))
    at, weight = sample(typical(material.cell[rows], latency[rows]), MOST_ROWS, seed)
    whole = view.rows(rows[at])
    scaling = _scaling(whole, log_ms[rows[at]])
    hidden = whole.copy()
    hidden[:, PAST] = np.nan
    both, twice = np.concatenate((whole, hidden)), np.tile(rows[at], 2)
    target = log_ms[twice] - scaling.start(both, below)
    data = _data(both, view, twice, target, np.tile(weight, 2), scaling=scaling)
    if validation is None or not len(validation):
        return data, None
    at, weight = sample(typical(material.cell[validation], latency[validation]), MOST_ROWS // 5, seed)
    view = material.view(below.encoding)
    whole = view.rows(validation[at])
    target = log_ms[validation[at]] - scaling.start(whole, below)
    return data, _data(whole, view, validation[at], target, weight, scaling=scaling)


def _fitted(data: _Data, checked: _Data | None, how: Training, report: Report | None) -> Weights:
    """The weights of the network that is best on `checked`, or of the last one."""
    import torch

    network = new_network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, how.steps, LAST_RATE)
    rng = np.random.default_rng(how.seed)
    best, kept = np.inf, _weights(network)
    for step in range(1, how.steps + 1):
        network.train()
        loss = _loss(network, data, data.draw(rng))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if checked is not None and step % max(how.steps // CHECKS, 1) == 0:
            found = _judged(network, checked)
            if found < best:
                best, kept = found, _weights(network)
        if report is not None:
            report(step, how.steps)
    return _weights(network) if checked is None else kept


def _weights(network: PlanNetwork) -> Weights:
    return {name: each.detach().numpy().copy() for name, each in network.state_dict().items()}


@dataclass(frozen=True)
class _Data:
    """Rows for the network: what it reads, the graphs of their stages, and what it should say with what weight."""

    features: npt.NDArray[np.float32]
    plans: PlanGraphs
    of_stage: Ints
    target: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    scaling: Scaling

    def draw(self, rng: np.random.Generator) -> Ints:
        """Rows of a batch: all are as likely, but they come from few stages, as plans are what takes time."""
        order, starts, count = self._by_stage
        stage = rng.choice(len(starts), STAGES, p=count / count.sum())
        within = (rng.random((PER_STAGE, STAGES)) * count[stage]).astype(np.int64)
        found: Ints = order[(starts[stage] + within).ravel()]
        return found

    @cached_property
    def _by_stage(self) -> tuple[Ints, Ints, Ints]:
        """Rows in the order of their stages, where each stage begins, and how many it has."""
        order = np.argsort(self.of_stage, kind="stable")
        count = np.bincount(self.of_stage)
        return order, np.cumsum(count) - count, count


def _data(rows: Floats, view: TrainingView, at: Ints, target: Floats, weight: Floats, *, scaling: Scaling) -> _Data:
    """Whole rows of the instances `at`, with the plans of their stages."""
    stages, of_stage = np.unique(view.traced.stage[at], return_inverse=True)
    return _Data(
        scaling(rows),
        plan_graphs([view.traced.stages[each] for each in stages.tolist()]),
        of_stage,
        target.astype(np.float32),
        (weight / weight.mean()).astype(np.float32),
        scaling,
    )


def _scaling(rows: Floats, log_ms: Floats) -> Scaling:
    known = ~np.isnan(rows)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, rows, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, rows - middle, 0.0) ** 2).sum(axis=0) / count)
    return Scaling(middle, np.where(spread > 1e-6, spread, 1.0), float(np.median(log_ms)))


def _loss(network: PlanNetwork, data: _Data, chosen: Ints) -> Tensor:
    """The weighted absolute error of some rows."""
    import torch

    stages, of_stage = np.unique(data.of_stage[chosen], return_inverse=True)
    plans = network.embed(*tensors(data.plans.take(stages)))[torch.from_numpy(of_stage)]
    said = network(plans, torch.from_numpy(data.features[chosen]))
    wrong: Tensor = (said - torch.from_numpy(data.target[chosen])).abs() * torch.from_numpy(data.weight[chosen])
    return wrong.mean()


def _judged(network: PlanNetwork, data: _Data) -> float:
    """The loss on all rows, a batch at a time, without dropout."""
    import torch

    network.eval()
    total = 0.0
    with torch.no_grad():
        for first in range(0, len(data.features), JUDGED_AT_ONCE):
            part = np.arange(first, min(first + JUDGED_AT_ONCE, len(data.features)))
            total += float(_loss(network, data, part)) * len(part)
    return total / max(len(data.features), 1)
