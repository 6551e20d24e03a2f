"""The usual latency model: boosted trees on log latency, on top of what past runs of a recurring stage took.

There are two sets of trees. Stages without a past are predicted by `general`, from the plan and the data alone. For
the others, `recurring` predicts by how much the log latency differs from what the past leads to expect; so sizes,
parallelisms and cores between those of past runs are interpolated smoothly, where trees would make a step. Under both
lies what each machine and its load add, see `machine_effect`.
Source: section 4.2 of the method's notes for trees, target and constraints; the past as their base is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.applicability import Ranges
from paretosql.optimizer.boosting import Trees
from paretosql.optimizer.combinations import Parts, parts_of
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import block, column, instance_features, stage_features
from paretosql.optimizer.forest import Forest, compile_forest, product
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machine_effect import NO_EFFECT, MachineEffect
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.past_runs import speedup
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import GIB, LEAST_S

EXPECTED, SLOPE = column("instance", "expected_log_ms"), column("instance", "expected_slope")
CORES, SERIAL = column("container", "container_cores"), column("stage", "past_serial")
SPARE_FACTOR, SPARE_GIB = 2.0, 0.25  # section 4.2: without a model, memory is 2 x in_bytes + 256 MB


@dataclass(frozen=True)
class BoostedLatency:
    """Two LightGBM boosters for latency, and one for memory; see the module.

    Attributes:
        general: from rows of features to log(1 + ms) without `effect`.
        recurring: from rows to what is left of it after `expected_log_ms`; None when no stage recurred in training.
        effect: what the machine adds to either.
        memory: from the stage and instance channels to the 95th percentile of log(1 + bytes wanted); None: unknown.
        ranges: of the features in training.
    """

    encoding: Encoding
    general: Trees
    recurring: Trees | None = None
    memory: Trees | None = None
    effect: MachineEffect = NO_EFFECT
    ranges: Ranges = field(default_factory=Ranges)
    quality: Mapping[str, float] | None = None
    errors: ErrorModel | None = None
    name: str = "boosted"

    @property
    def log_residuals(self) -> Floats:
        """A sample of log(actual / predicted) on jobs that training left out."""
        return self.errors.kept if self.errors else np.empty(0)

    def predict(self, rows: Floats) -> Floats:
        """Seconds of whole rows of features, shape (p,); at least 1 ms."""
        found = np.empty(len(rows))
        past = np.zeros(len(rows), dtype=bool)
        if self.recurring is not None:
            past = ~np.isnan(rows[:, EXPECTED])
            found[past] = expected_log_ms(rows[past]) + self.recurring(rows[past])
        found[~past] = self.general(rows[~past])
        found += self.effect.of_rows(rows)
        return np.maximum(np.expm1(found) / 1000.0, LEAST_S)

    def predict_view(self, view: TrainingView, at: Ints) -> Floats:
        """Seconds of some instances of a trace, shape (len(at),)."""
        return self.predict(view.rows(at))

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of instances on machines in containers, shape (m, n, k). For the cost see `forest.product`."""
        parts = self.parts(stage, machines, containers, rows)
        general, recurring = self._forests
        first = block("instance").start
        expected, slope = parts.instance[:, EXPECTED - first], parts.instance[:, SLOPE - first]
        past = np.zeros(len(expected), dtype=bool)
        found: Floats = np.empty(parts.shape)
        if recurring is not None and not np.isnan(expected).all():
            past = ~np.isnan(expected)
            cores = parts.container[:, CORES - block("container").start]
            faster = speedup(np.log(cores), parts.stage[0, SERIAL])
            base: Floats = (expected[past, None] + slope[past, None] * faster)[:, None, :]
            found[past] = base + product(recurring, _channels(parts, past))
        if not past.all():
            found[~past] = product(general, _channels(parts, ~past))
        found += self.effect(parts.machine)[:, None]
        return np.maximum(np.expm1(found) / 1000.0, LEAST_S)

    def ready(self) -> Self:
        """Arrange the trees for `grid`, which takes a moment, so that the first question is as quick as the others."""
        _ = self._forests
        return self

    @cached_property
    def _forests(self) -> tuple[Forest, Forest | None]:
        """The trees of both boosters, for `grid`."""
        return _compiled(self.general), None if self.recurring is None else _compiled(self.recurring)

    def parts(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Parts:
        """The features of a question, channel by channel."""
        return parts_of(stage, machines, containers, self.encoding, rows)

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """Memory that each instance stays below with probability 0.95, shape (m,)."""
        if self.memory is None:
            return spare_memory_gib(stage)
        past = self.encoding.recurrence.past(stage)
        instances = instance_features(stage, past=past)
        whole = np.concatenate([np.repeat(stage_features(stage, past), len(stage), axis=0), instances], axis=1)
        return np.maximum(np.expm1(self.memory(whole)) / GIB, 0.0)

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """In which ways this is unlike all training data."""
        return self.ranges.unlike(stage, machines, self.encoding.hw_codes)


def _compiled(trees: Trees) -> Forest:
    forest = compile_forest(trees.booster.dump_model(num_iteration=trees.rounds))
    return replace(forest, constant=forest.constant + trees.base)


def _channels(parts: Parts, chosen: npt.NDArray[np.bool_]) -> dict[str, tuple[Floats, range]]:
    """The channels of some instances, and where each is in a whole row."""
    values = {
        "stage": parts.stage, "instance": parts.instance[chosen], "container": parts.container, "machine": parts.machine
    }  # fmt: skip
    return {name: (rows, range(block(name).start, block(name).stop)) for name, rows in values.items()}


def expected_log_ms(rows: Floats) -> Floats:
    """What past runs lead to expect of whole rows, with their cores, shape (p,); NaN without a past."""
    faster = speedup(np.nan_to_num(np.log(rows[:, CORES])), rows[:, SERIAL])
    found: Floats = rows[:, EXPECTED] + rows[:, SLOPE] * faster
    return found


def spare_memory_gib(stage: Stage) -> Floats:
    """Memory of instances by their input alone, shape (m,): a rule of thumb where no peaks were recorded."""
    return SPARE_FACTOR * np.nan_to_num(stage.in_bytes) / GIB + SPARE_GIB


def memory_rows(rows: Floats) -> Floats:
    """The two channels that memory depends on, of whole rows."""
    return rows[:, block("stage").start : block("instance").stop]
