"""From a stage, machines and a model to the `Problem` that policies are asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.grouping import by_prediction
from paretosql.optimizer.latency_model import LatencyModel
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.problem import Problem
from paretosql.optimizer.stage import Container, Stage
from paretosql.optimizer.units import LEAST_S, PRICES

CORES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # section 6.1
MEMORY_GIB = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # section 6.1, and 32 for the largest instances: our choice
MOST = 1_000_000_000  # of anything that is counted, and of seconds, which are 30 years


@dataclass(frozen=True)
class Terms:
    """What decisions are made under.

    Attributes:
        cores, memory_gib: the sizes of containers; all combinations are offered.
        prices: per core and second, per GiB and second.
        most: a machine runs at most this many instances of one stage; doubled while a stage finds no room.
        instance_tolerance, machine_tolerance: predictions that differ by less share a group.
        instance_groups, machine_groups: at most this many of them.
    """

    cores: tuple[float, ...] = CORES
    memory_gib: tuple[float, ...] = MEMORY_GIB
    prices: tuple[float, float] = PRICES
    most: int = 8
    instance_tolerance: float = 0.05
    machine_tolerance: float = 0.03
    instance_groups: int = 40  # section 5 has 64; these two are measured, see docs/optimizer.md
    machine_groups: int = 16

    def __post_init__(self) -> None:
        if not self.cores or not self.memory_gib or min(*self.cores, *self.memory_gib) <= 0:
            raise DataError(
                compose("containers need sizes", hint="cores and memory_gib are tuples of numbers above 0.")
            )
        for name in ("most", "instance_groups", "machine_groups"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not 1 <= value <= MOST:
                raise DataError(compose(f"{name} is {value!r}", hint=f"a whole number from 1 to {MOST:,}."))
        for name in ("instance_tolerance", "machine_tolerance"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise DataError(compose(f"{name} is {getattr(self, name)}", hint="a number from 0."))
        if not np.isfinite(self.prices).all():
            raise DataError(f"prices are {self.prices}; expected two numbers from 0, such as {PRICES}")
        if len(self.prices) != 2 or min(self.prices) < 0 or not any(self.prices):
            raise DataError(f"prices are {self.prices}; expected two numbers from 0, such as {PRICES}")

    def containers(self) -> Floats:
        """All sizes, shape (T, 2), small first."""
        return np.array([(cores, memory) for cores in sorted(self.cores) for memory in sorted(self.memory_gib)])


def holding(containers: Floats, wanted: Container) -> int:
    """The smallest container with at least these cores and this memory; where there is none, the largest one."""
    enough = (containers >= np.array([wanted.cores, wanted.memory_gib]) - 1e-9).all(axis=1)
    if not enough.any():
        nearest = np.minimum(containers / np.array([max(wanted.cores, 1e-9), max(wanted.memory_gib, 1e-9)]), 1.0)
        return int(np.lexsort((-nearest[:, 1], -nearest.sum(axis=1)))[0])
    return int(np.flatnonzero(enough)[np.argmin(containers[enough].prod(axis=1))])


def blind(stage: Stage, machines: Machines, terms: Terms) -> Problem:
    """A problem without predictions, for policies that need none: every latency is one second."""
    containers = terms.containers()
    return _assemble(
        stage,
        machines,
        terms,
        groups=(np.zeros(len(stage), dtype=np.int64), np.zeros(len(machines), dtype=np.int64)),
        latency=np.ones((1, 1, len(containers))),
        weight=_work(stage),
    )


def predicted(stage: Stage, machines: Machines, model: LatencyModel, terms: Terms) -> Problem:
    """A problem with the predictions of a model.

    Three calls of the model: all instances on one machine, one instance on all machines, and groups of both with all
    containers. O(m + n + K * G * T) predictions.

    Raises:
        DataError: the model predicts NaN, or answers something else than it was asked.
    """
    containers = terms.containers()
    default = holding(containers, stage.container)
    middle = _middle(machines)
    few = containers[[default, len(containers) - 1]]
    alone = _asked(model, stage, machines.take([middle]), few)[:, 0, :]
    instance_group, heavy = by_prediction(alone, terms.instance_tolerance, terms.instance_groups)
    typical = heavy[[len(heavy) // 2, len(heavy) - 1]]
    across = _asked(model, stage, machines, few[:1], typical)[:, :, 0].T
    machine_group, slow = by_prediction(across, terms.machine_tolerance, terms.machine_groups)
    latency = _asked(model, stage, machines.take(slow), containers, heavy)
    floor = np.zeros(len(heavy))
    np.fmax.at(floor, instance_group, model.memory_floor_gib(stage))  # what is not known is no need
    short = containers[None, :, 1] + 1e-9 < np.minimum(floor, _largest(containers, machines))[:, None]
    latency = np.where(short[:, None, :], np.inf, latency)
    return _assemble(
        stage, machines, terms, groups=(instance_group, machine_group), latency=latency, weight=alone[:, 0]
    )


def _largest(containers: Floats, machines: Machines) -> float:
    """The most memory that a container on an empty machine can have: who needs more gets this."""
    sizes = np.column_stack((machines.cores, machines.memory_gib))
    fits = np.asarray((containers[:, None, :] <= sizes[None] + 1e-9).all(axis=2)).max(axis=1)
    return float(containers[fits, 1].max()) if fits.any() else float(containers[:, 1].min())


def _asked(
    model: LatencyModel, stage: Stage, machines: Machines, containers: Floats, rows: Ints | None = None
) -> Floats:
    """What a model predicts, at least a millisecond."""
    found = np.asarray(model.grid(stage, machines, containers, rows=rows), dtype=np.float64)
    expected = (len(stage) if rows is None else len(rows), len(machines), len(containers))
    if found.shape != expected:
        raise DataError(f"the model {model.name!r} answers with the shape {found.shape}, not {expected}")
    if np.isnan(found).any():
        raise DataError(f"the model {model.name!r} predicts NaN")
    if found.size and found.max() > MOST:
        raise DataError(f"the model {model.name!r} predicts {found.max():g} seconds")
    return np.maximum(found, LEAST_S)


def _middle(machines: Machines) -> int:
    """A machine that stands for the others where one must: of middling load."""
    load = np.nan_to_num(machines.cpu_util, nan=0.5)
    return int(np.argsort(load, kind="stable")[len(load) // 2])


def _work(stage: Stage) -> Floats:
    size = np.where(np.isnan(stage.in_bytes), stage.in_rows, stage.in_bytes)
    return np.nan_to_num(size)


def _assemble(
    stage: Stage,
    machines: Machines,
    terms: Terms,
    *,
    groups: tuple[Ints, Ints],
    latency: Floats,
    weight: Floats,
) -> Problem:
    containers = terms.containers()
    default = holding(containers, stage.container)
    free = np.column_stack((machines.free_cores, machines.free_memory_gib))
    free = np.clip(np.nan_to_num(free, nan=0.0, posinf=MOST), 0.0, MOST)  # overbooked or unknown: nothing is free
    most = terms.most
    while most * len(machines) < len(stage):  # diversity must not make a stage impossible
        most *= 2
    return Problem(
        *groups,
        latency,
        containers,
        np.asarray(terms.prices, dtype=np.float64),
        free,
        most,
        default,
        weight,
        np.column_stack((machines.cpu_util, machines.io_util)),
    )
