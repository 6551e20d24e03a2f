"""A trace prepared for training: inputs and outcomes side by side, and features for any choice of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from paretosql.optimizer.encoding import Encoding, learn_hw_codes
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.past_runs import UNKNOWN, Ran
from paretosql.optimizer.recurrence import Past, learn_recurrence
from paretosql.optimizer.traced import Outcomes, Traced, outcomes, traced
from paretosql.optimizer.training_view import (
    Blocks,
    MachineColumns,
    TrainingView,
    blocks_of,
    machine_columns,
    view_of,
)
from paretosql.optimizer.workload import Trace


@dataclass(frozen=True)
class Material:
    """What can be known before each instance of a trace, and what then happened."""

    traced: Traced
    machines: MachineColumns
    outcomes: Outcomes

    @cached_property
    def ok(self) -> Ints:
        """The instances that ended well, which models learn from."""
        return np.flatnonzero(self.outcomes.ok)

    @cached_property
    def job(self) -> Ints:
        """The number of the job of each instance, from 0, in the order of the stages."""
        numbers: dict[str, int] = {}
        of_stage = [numbers.setdefault(stage.job_id, len(numbers)) for stage in self.traced.stages]
        found: Ints = np.array(of_stage, dtype=np.int64)[self.traced.stage]
        return found

    @cached_property
    def submit_ms(self) -> Floats:
        """When each job began, by its number; NaN unknown."""
        found = np.full(int(self.job.max(initial=-1)) + 1, np.nan)
        found[self.job] = self.traced.submit_ms[self.traced.stage]
        return found

    @cached_property
    def cell(self) -> Ints:
        """A number for instances of one stage that are alike in warmth."""
        flat = self.blocks.first[self.traced.stage] + self.traced.instance
        heat = np.concatenate([*self.traced.warmth, np.empty(0)])[flat]
        found: Ints = self.traced.stage * 4 + np.nan_to_num(heat, nan=UNKNOWN).astype(np.int64)
        return found

    @cached_property
    def blocks(self) -> Blocks:
        """The channels of stages and instances without their past."""
        return blocks_of(self.traced)

    def codes(self, rows: Ints) -> Encoding:
        """An encoding that knows the hardware types of some rows and no past."""
        log_ms = np.log1p(self.outcomes.latency_s[rows] * 1000.0)
        return Encoding(learn_hw_codes(self.machines.hw_type.take(rows).to_pylist(), self.traced.stage[rows], log_ms))

    def learn(self, rows: Ints, effect: Floats | None = None) -> tuple[Encoding, TrainingView]:
        """An encoding learned from some rows, and the features to train on: the past of a stage is without its job.

        Args:
            effect: shape of `rows`, what container and machine add to the log latency of each, for a past that is
                about usual ones; left out: nothing.
        """
        log_ms = np.log1p(self.outcomes.latency_s[rows] * 1000.0) - (0.0 if effect is None else effect)
        own = self.traced
        recurrence, left_out = learn_recurrence(
            Ran(own.stages, own.warmth, own.stage[rows], own.instance[rows], log_ms, own.containers[rows, 0])
        )
        encoding = replace(self.codes(rows), recurrence=recurrence)
        return encoding, self.view(encoding, left_out)

    def view(self, encoding: Encoding, left_out: Mapping[int, Past] | None = None) -> TrainingView:
        """The features of all instances."""
        return view_of(self.traced, self.blocks, self.machines, encoding, left_out)


def prepare(trace: Trace) -> Material:
    """Read what models need of a trace."""
    rows = traced(trace)
    return Material(rows, machine_columns(trace, rows), outcomes(trace))
