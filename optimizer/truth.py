"""What really happens in a simulation: how long an instance takes on a machine in a container.

A truth is hidden from the models that decide; they see only traces of what it did. `Synthetic` is a closed form whose
shape (exponents, penalties) can be changed; the others are in `recorded_truth.py`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.fleet import Fleet
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.units import GIB

CPU_S_PER_GIB = 30.0  # median work of a core of speed 1 on one GiB; this and what follows are our choices
GIB_PER_GIB = 1.2  # median memory for one GiB of input
BASE_GIB = 0.3


@dataclass(frozen=True)
class Needs:
    """What instances need, hidden: core-seconds on a core of speed 1, GiB read and written, GiB of memory; (m,)."""

    cpu_s: Floats
    io_gib: Floats
    memory_gib: Floats
    startup_s: float


@dataclass(frozen=True)
class Situation:
    """Where some instances run: their machines, containers, and utilisation of these machines now; all (p,)."""

    machine: Ints
    cores: Floats
    memory_gib: Floats
    cpu_util: Floats
    io_util: Floats


class Truth(Protocol):
    """Tells the latency of instances before noise, and the memory they touch."""

    @property
    def name(self) -> str: ...

    def seconds(self, stage: Stage, rows: Ints, where: Situation, fleet: Fleet) -> Floats:
        """Latency of the instances at `rows` of a stage, shape (p,)."""
        ...

    def memory_gib(self, stage: Stage, rows: Ints) -> Floats:
        """Peak memory if there is enough, shape (p,)."""
        ...

    def cpu_s(self, stage: Stage, rows: Ints) -> Floats:
        """Core-seconds used, NaN when the truth does not know; shape (p,)."""
        ...


@dataclass(frozen=True)
class Synthetic:
    """latency = startup + io / rate + cpu / (cores ** cpu_exponent * speed) * (1 + slowdown * cpu_util), times a spill
    penalty 1 + memory_pressure * (need / memory - 1) where the container is too small.

    How much CPU, IO and memory a byte costs is drawn once for every signature from `seed`.
    """

    cpu_exponent: float = 0.8
    memory_pressure: float = 1.5
    slowdown: float = 0.8
    seed: int = 0
    name: str = "synthetic"

    def __post_init__(self) -> None:
        limits = {"cpu_exponent": 2.0, "memory_pressure": np.inf, "slowdown": np.inf}
        for name, most in limits.items():
            value = getattr(self, name)
            if not 0.0 <= value <= most or not np.isfinite(value):
                hint = "a number from 0." if np.isinf(most) else f"a number from 0 to {most:g}."
                raise DataError(compose(f"{name} is {value}", hint=hint))

    def needs(self, stage: Stage) -> Needs:
        """The hidden needs of all instances of a stage."""
        key = zlib.crc32((stage.signature or f"{stage.job_id}/{stage.stage_id}").encode())
        rng = np.random.default_rng((self.seed, key))
        cpu, memory, io = rng.lognormal(0.0, (0.8, 0.6, 0.4))
        gib = np.nan_to_num(stage.in_bytes) / GIB
        return Needs(
            CPU_S_PER_GIB * cpu * gib,
            gib * (1.0 + io * 0.5),
            BASE_GIB + GIB_PER_GIB * memory * gib,
            float(rng.uniform(0.3, 1.0)),
        )

    def seconds(self, stage: Stage, rows: Ints, where: Situation, fleet: Fleet) -> Floats:
        needs = self.needs(stage)
        io = needs.io_gib[rows] * 1024 / (fleet.io_mib_s[where.machine] * (1.0 - 0.7 * where.io_util))
        cpu = needs.cpu_s[rows] / (where.cores**self.cpu_exponent * fleet.speed[where.machine])
        spill = 1.0 + self.memory_pressure * np.maximum(0.0, needs.memory_gib[rows] / where.memory_gib - 1.0)
        found: Floats = needs.startup_s + (io + cpu * (1.0 + self.slowdown * where.cpu_util)) * spill
        return found

    def memory_gib(self, stage: Stage, rows: Ints) -> Floats:
        return self.needs(stage).memory_gib[rows]

    def cpu_s(self, stage: Stage, rows: Ints) -> Floats:
        return self.needs(stage).cpu_s[rows]
