"""Machines of a simulated cluster, and the load that others put on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.machines import Machines

STEP_S = 10.0  # how long background load stays as it is; our choice


@dataclass(frozen=True)
class HardwareType:
    """A kind of machine. `speed` and `io_mib_s` act on latency and are hidden from optimizers, which see the rest."""

    name: str
    cores: int
    memory_gib: float
    clock_mhz: float
    speed: float
    io_mib_s: float


# our choices: four generations, as a cluster that grew over years has them
TYPES = (
    HardwareType("gen1", 16, 64, 2300, 0.75, 120),
    HardwareType("gen2", 32, 128, 2500, 1.0, 200),
    HardwareType("gen3", 32, 192, 2900, 1.3, 350),
    HardwareType("gen4", 64, 256, 3200, 1.6, 500),
)
SHARES = (0.3, 0.35, 0.25, 0.1)


@dataclass(frozen=True)
class Fleet:
    """n machines of `types`, and background load that follows AR(1) around a mean of each machine.

    Attributes:
        kind: shape (n,), the position in `types`.
        mean_cpu, mean_io: shape (n,), mean utilisation by others.
    """

    types: tuple[HardwareType, ...]
    kind: npt.NDArray[np.int64]
    mean_cpu: Floats
    mean_io: Floats
    phi: float = 0.9
    sigma: float = 0.05
    seed: int = 0

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def machines(self) -> Machines:
        """What an optimizer knows of them while nothing runs."""
        own = [self.types[at] for at in self.kind]
        return Machines(
            tuple(f"m{at:04d}" for at in range(len(self))),
            tuple(each.name for each in own),
            np.array([each.cores for each in own], dtype=np.float64),
            np.array([each.memory_gib for each in own], dtype=np.float64),
            np.array([each.clock_mhz for each in own], dtype=np.float64),
        )

    @cached_property
    def speed(self) -> Floats:
        """How fast one core is, 1 for an ordinary one; shape (n,)."""
        return np.array([self.types[at].speed for at in self.kind])

    @cached_property
    def io_mib_s(self) -> Floats:
        """What an instance reads or writes per second on an idle disk; shape (n,)."""
        return np.array([self.types[at].io_mib_s for at in self.kind])


class Background:
    """The load of others over time, made step by step as the clock moves on; the same for the same seed."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._rng = np.random.default_rng((fleet.seed, 0xBAC))
        self._mean = np.column_stack((fleet.mean_cpu, fleet.mean_io))
        spread = fleet.sigma / np.sqrt(1 - fleet.phi**2)
        self._load = self._mean + spread * self._rng.standard_normal(self._mean.shape)
        self._step = 0

    def at(self, time_s: float) -> Floats:
        """Utilisation of CPU and IO by others, shape (n, 2), at a time that never goes back."""
        step = int(time_s // STEP_S)
        while self._step < step:
            noise = self._fleet.sigma * self._rng.standard_normal(self._mean.shape)
            self._load = self._mean + self._fleet.phi * (self._load - self._mean) + noise
            self._step += 1
        found: Floats = np.clip(self._load, 0.0, 0.95)
        return found


def mixed_fleet(size: int, seed: int = 0, *, types: tuple[HardwareType, ...] = TYPES) -> Fleet:
    """`size` machines of several generations, most of them moderately busy, some hardly, some much."""
    rng = np.random.default_rng((seed, 0xF1EE7))
    shares = np.array(SHARES[: len(types)] if len(types) == len(SHARES) else [1.0] * len(types))
    kind = np.sort(rng.choice(len(types), size, p=shares / shares.sum()))
    kind = rng.permutation(kind)
    busy = rng.choice((0.15, 0.4, 0.7), size, p=(0.3, 0.5, 0.2))
    mean_cpu = np.clip(busy + 0.08 * rng.standard_normal(size), 0.02, 0.9)
    mean_io = np.clip(0.6 * busy + 0.1 * rng.standard_normal(size), 0.02, 0.9)
    return Fleet(types, kind.astype(np.int64), mean_cpu, mean_io, seed=seed)
