"""The machines of a cluster at one moment, as columns.

Unknown numbers are NaN, never -1. Memory is in GiB because prices are per GiB and second; utilisations are shares
from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _unknown() -> Floats:
    return np.empty(0)


@dataclass(frozen=True)
class Machines:
    """n machines: what they are (type, size, clock) and what is going on there (free room, utilisation).

    `cores` and `memory_gib` are sizes, `free_cores` and `free_memory_gib` what a new container may still reserve; all
    arrays have shape (n,). Columns left out are filled: everything is free, nothing runs, the rest is unknown (NaN).

    Raises:
        DataError: columns of different lengths, two machines of one name, sizes that are not positive.
    """

    ids: tuple[str, ...]
    hw_types: tuple[str, ...]
    cores: Floats
    memory_gib: Floats
    clock_mhz: Floats = field(default_factory=_unknown)
    free_cores: Floats = field(default_factory=_unknown)
    free_memory_gib: Floats = field(default_factory=_unknown)
    cpu_util: Floats = field(default_factory=_unknown)
    mem_util: Floats = field(default_factory=_unknown)
    io_util: Floats = field(default_factory=_unknown)
    net_util: Floats = field(default_factory=_unknown)
    running: Floats = field(default_factory=_unknown)

    def __post_init__(self) -> None:
        size = len(self.ids)
        unknown = np.full(size, np.nan)
        absent = {"free_cores": self.cores, "free_memory_gib": self.memory_gib, "running": np.zeros(size)}
        for name in NUMBERS:
            given = np.asarray(getattr(self, name), dtype=np.float64)
            if given.size == 0 and name not in ("cores", "memory_gib"):
                given = np.asarray(absent.get(name, unknown), dtype=np.float64)
            if given.shape != (size,):
                raise DataError(f"{name} of {size} machines has the shape {given.shape}; expected ({size},)")
            object.__setattr__(self, name, given)
        if len(self.hw_types) != size:
            raise DataError(f"{size} machines have {len(self.hw_types)} hardware types")
        if len(set(self.ids)) < size:
            twice = next(each for at, each in enumerate(self.ids) if each in self.ids[:at])
            raise DataError(f"two machines are called {twice!r}")
        for name in ("cores", "memory_gib"):
            wrong = np.flatnonzero(~(getattr(self, name) > 0))
            if len(wrong):
                at = int(wrong[0])
                raise DataError(
                    compose(
                        f"machine {self.ids[at]!r} has {name} = {getattr(self, name)[at]}",
                        hint="sizes are positive numbers.",
                    )
                )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, at: Sequence[int] | Ints) -> Machines:
        """The machines at some positions."""
        chosen: dict[str, Any] = {name: getattr(self, name)[at] for name in NUMBERS}
        return Machines(tuple(self.ids[i] for i in at), tuple(self.hw_types[i] for i in at), **chosen)


NUMBERS = (
    "cores",
    "memory_gib",
    "clock_mhz",
    "free_cores",
    "free_memory_gib",
    "cpu_util",
    "mem_util",
    "io_util",
    "net_util",
    "running",
)
