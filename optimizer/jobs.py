"""Jobs that arrive at a cluster: stages with their dependencies, and the time of submission."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.fleet import Fleet
from paretosql.optimizer.graphs import ON_CYCLE, depths
from paretosql.optimizer.stage import Stage


@dataclass(frozen=True)
class Job:
    """One query: `edges` are pairs of positions in `stages`, the second waits for the first.

    Raises:
        DataError: an edge to a stage that is not there, or a cycle.
    """

    job_id: str
    template_id: str
    submit_s: float
    stages: tuple[Stage, ...]
    edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        self.parents()  # refuses edges to nowhere
        ends = np.array(self.edges, dtype=np.int64).reshape(-1, 2)
        stuck = np.flatnonzero(depths(ends[:, 0], ends[:, 1], len(self.stages)) == ON_CYCLE).tolist()
        if stuck:
            raise DataError(
                compose(f"stages {stuck} of job {self.job_id!r} wait for each other", hint="edges must have no cycle.")
            )

    def parents(self) -> list[list[int]]:
        """For every stage the stages it waits for."""
        found: list[list[int]] = [[] for _ in self.stages]
        for source, target in self.edges:
            if not (0 <= source < len(self.stages) and 0 <= target < len(self.stages)):
                raise DataError(f"job {self.job_id!r} has an edge {source} to {target}, but {len(self.stages)} stages")
            found[target].append(source)
        return found


@dataclass(frozen=True)
class Workload:
    """Jobs by time of submission, and the machines they run on."""

    name: str
    jobs: tuple[Job, ...]
    fleet: Fleet

    def __post_init__(self) -> None:
        times = [job.submit_s for job in self.jobs]
        if any(not np.isfinite(each) or each < 0 for each in times) or times != sorted(times):
            raise DataError("jobs must be sorted by submit_s, seconds from 0")

    def instances(self) -> int:
        """How many instances all jobs have."""
        return sum(len(stage) for job in self.jobs for stage in job.stages)
