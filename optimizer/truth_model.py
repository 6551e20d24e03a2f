"""A model that knows the truth: what a perfect model could save, for measuring headroom only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from paretosql.optimizer.fleet import Fleet
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.truth import Situation, Truth


class Oracle:
    """Predicts what the truth will do, but for noise. Never for decisions that are reported as ours."""

    name = "oracle"
    quality: Mapping[str, float] | None = None

    def __init__(self, truth: Truth, fleet: Fleet) -> None:
        self._truth, self._fleet = truth, fleet
        self._at = {name: at for at, name in enumerate(fleet.machines.ids)}

    def grid(self, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None) -> Floats:
        """Seconds of instances on machines in containers, shape (m, n, k)."""
        chosen = np.arange(len(stage)) if rows is None else rows
        shape = (len(chosen), len(machines), len(containers))
        i, j, k = (each.ravel() for each in np.indices(shape))
        own = np.array([self._at[name] for name in machines.ids])
        io = np.nan_to_num(machines.io_util)
        cpu = np.nan_to_num(machines.cpu_util)
        where = Situation(own[j], containers[k, 0], containers[k, 1], cpu[j], io[j])
        return self._truth.seconds(stage, chosen[i], where, self._fleet).reshape(shape)

    def memory_floor_gib(self, stage: Stage) -> Floats:
        """Memory that every instance will touch."""
        return self._truth.memory_gib(stage, np.arange(len(stage)))

    def extrapolates(self, stage: Stage, machines: Machines) -> tuple[str, ...]:
        """Nothing is new to it."""
        return ()
