"""A stage that is ready to run, as an optimizer sees it: only what is known before the first instance starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Container:
    """What an instance runs in: `cores` may be a fraction, memory is in GiB."""

    cores: float
    memory_gib: float

    def __post_init__(self) -> None:
        if not (self.cores > 0 and self.memory_gib > 0):
            raise DataError(f"a container of {self.cores} cores and {self.memory_gib} GiB; expected numbers above 0")


@dataclass(frozen=True)
class Operator:
    """A node of the stage's physical plan with the planner's estimates; `inputs` are positions in the stage's tuple."""

    kind: str
    rows: float = float("nan")
    bytes: float = float("nan")
    cost: float = float("nan")
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stage:
    """m instances of one stage.

    Args:
        job_id, stage_id: the name of the stage in its trace.
        signature: the same for every run of a recurring stage; '' when unknown.
        in_rows, in_bytes, remote_bytes: shape (m,), input of each instance; NaN when unknown.
        operators: the stage's part of the physical plan, inputs before those that read them.
        facts: other numbers known beforehand, by name, such as `depth` or `parents`.
        container: what history-based sizing would give every instance.

    Raises:
        DataError: arrays of different lengths, or negative sizes.
    """

    job_id: str
    stage_id: int
    in_rows: Floats
    in_bytes: Floats
    remote_bytes: Floats = field(default_factory=lambda: np.empty(0))
    signature: str = ""
    template_id: str = ""
    operators: tuple[Operator, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    container: Container = field(default_factory=lambda: Container(1.0, 2.0))  # section 7: no history

    def __post_init__(self) -> None:
        size = np.asarray(self.in_rows).shape
        if len(size) != 1:
            raise DataError(f"in_rows of stage {self.job_id}/{self.stage_id} has the shape {size}; expected (m,)")
        for name in ("in_rows", "in_bytes", "remote_bytes"):
            given = np.asarray(getattr(self, name), dtype=np.float64)
            if given.size == 0 and size[0]:
                given = np.full(size, np.nan)
            if given.shape != size:
                raise DataError(
                    f"{name} of stage {self.job_id}/{self.stage_id} has the shape {given.shape}, not {size}"
                )
            if (given < 0).any():
                at = int(np.flatnonzero(given < 0)[0])
                raise DataError(f"{name} of instance {at} of stage {self.job_id}/{self.stage_id} is {given[at]}")
            object.__setattr__(self, name, given)

    def __len__(self) -> int:
        return len(self.in_rows)
