"""A cluster in discrete events: jobs arrive, stages are decided, instances run and end.

Deterministic under a seed: the clock is the simulation's own, noise is drawn once for every instance whatever policy
places it, and events at the same moment happen in the order in which they were made. The time that a decision really
takes is measured beside it and never enters the clock.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from paretosql.errors import OperationalError, compose
from paretosql.optimizer.decide import Decision
from paretosql.optimizer.fleet import Background
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.jobs import Job, Workload
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.problem import TOLERANCE
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.truth import Situation, Truth

OWN_LOAD = 0.7  # utilisation of a core that a container has reserved; our choice
ARRIVES, ENDS = 0, 1

Decider = Callable[[Stage, Machines], Decision]
Noise = Callable[[str, int, int], Floats]  # job, stage, instances: a factor for each latency


@dataclass
class StageRun:
    """A stage while it runs, and what is known of it afterwards. Arrays have one entry per instance; times in s."""

    stage: Stage
    release_s: float
    decision: Decision
    decide_s: float
    factor: Floats
    machine: Ints
    start_s: Floats
    finish_s: Floats
    left: int
    waiting: dict[tuple[float, float], list[int]] = field(default_factory=dict)  # by container, heaviest last
    here: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # how many run on each machine now

    @property
    def finished_s(self) -> float:
        """When the last instance ended."""
        return float(self.finish_s.max()) if len(self.finish_s) else self.release_s

    @property
    def latency_s(self) -> float:
        """From release to the end of the last instance, waiting included."""
        return self.finished_s - self.release_s

    def cost(self, prices: tuple[float, float]) -> float:
        """What all containers cost while they ran."""
        return float(((self.finish_s - self.start_s) * (self.decision.containers @ np.asarray(prices))).sum())


@dataclass(frozen=True)
class Run:
    """A finished simulation: stages in the order of release, and when each job ended."""

    workload: Workload
    stages: tuple[StageRun, ...]
    job_finish_s: dict[str, float]
    states: tuple[tuple[float, Machines], ...]  # what decisions saw


@dataclass(frozen=True)
class _Ended:
    """An instance that ends."""

    run: StageRun
    row: int


@dataclass
class _JobRun:
    job: Job
    waits: list[set[int]]
    left: int


class Simulator:
    """Runs one workload under one decider.

    Args:
        decider: asked for every stage when all stages it waits for have ended.
        truth: how long instances really take; `noise` multiplies that.
        progress: called with (jobs done, jobs) after every job.
    """

    def __init__(
        self,
        workload: Workload,
        decider: Decider,
        truth: Truth,
        noise: Noise,
        *,
        sized: Callable[[Stage], Stage] = lambda stage: stage,
        progress: Callable[[int, int], None] | None = None,
        keep_states: bool = False,
    ) -> None:
        self._workload, self._fleet = workload, workload.fleet
        self._decider, self._truth, self._noise, self._sized = decider, truth, noise, sized
        self._progress, self._keep = progress, keep_states
        machines = self._fleet.machines
        self._size = np.column_stack((machines.cores, machines.memory_gib))
        self._free = self._size.copy()
        self._running = np.zeros(len(machines), dtype=np.int64)
        self._background = Background(self._fleet)
        self._events: list[tuple[float, int, int, object]] = []
        self._number = 0
        self._queue: list[StageRun] = []  # stages with instances that wait for room
        self._jobs: dict[str, _JobRun] = {}
        self._done: list[StageRun] = []
        self._finish: dict[str, float] = {}
        self._states: list[tuple[float, Machines]] = []

    def run(self) -> Run:
        """Until the last job has ended. O(events log events), an event per instance.

        Raises:
            OperationalError: instances wait for room that no machine will ever have.
        """
        for job in self._workload.jobs:
            self._push(job.submit_s, ARRIVES, job)
        while self._events:
            now, kind, _, what = heapq.heappop(self._events)
            if kind == ARRIVES:
                assert isinstance(what, Job)
                self._arrive(what, now)
            else:
                assert isinstance(what, _Ended)
                self._end(what.run, what.row, now)
        if self._queue:
            stuck = self._queue[0]
            count = sum(map(len, stuck.waiting.values()))
            problem = f"{count} instances of stage {stuck.stage.job_id}/{stuck.stage.stage_id} wait for room"
            hint = "offer smaller containers, or larger machines."
            raise OperationalError(compose(f"{problem} that no machine has", hint=hint))
        return Run(self._workload, tuple(self._done), self._finish, tuple(self._states))

    def _push(self, at: float, kind: int, what: object) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, kind, self._number, what))

    def _arrive(self, job: Job, now: float) -> None:
        run = _JobRun(job, [set(each) for each in job.parents()], len(job.stages))
        self._jobs[job.job_id] = run
        for at in [at for at, waits in enumerate(run.waits) if not waits]:  # an empty stage releases others at once
            self._release(run, at, now)
        if not job.stages:
            self._leave(job.job_id, now)

    def _load(self, now: float) -> Floats:
        """Utilisation of CPU and IO, ours and that of others; shape (n, 2)."""
        load = self._background.at(now)
        load[:, 0] = np.clip(load[:, 0] + OWN_LOAD * (1.0 - self._free[:, 0] / self._size[:, 0]), 0.0, 1.0)
        return load

    def _state(self, now: float) -> Machines:
        """What can be seen of the machines now."""
        load = self._load(now)
        return replace(
            self._fleet.machines,
            free_cores=self._free[:, 0].copy(),
            free_memory_gib=self._free[:, 1].copy(),
            cpu_util=load[:, 0],
            mem_util=np.clip(1.0 - self._free[:, 1] / self._size[:, 1], 0.0, 1.0),
            io_util=load[:, 1],
            running=self._running.astype(np.float64),
        )

    def _release(self, job: _JobRun, at: int, now: float) -> None:
        stage = self._sized(job.job.stages[at])
        machines = self._state(now)
        if self._keep:
            self._states.append((now, machines))
        began = time.perf_counter()
        decision = self._decider(stage, machines)
        seconds = time.perf_counter() - began
        stage = stage if decision.stage is None else decision.stage
        size = len(stage)
        run = StageRun(
            stage, now, decision, seconds, self._noise(stage.job_id, stage.stage_id, size),
            decision.machine.copy(), np.full(size, np.nan), np.full(size, np.nan), size,
            here=np.zeros(len(self._size), dtype=np.int64),
        )  # fmt: skip
        placed = np.flatnonzero(run.machine >= 0)
        self._start(run, placed, machines.cpu_util, machines.io_util, now)
        weight = np.nan_to_num(np.where(np.isnan(stage.in_bytes), stage.in_rows, stage.in_bytes))
        waiting = np.flatnonzero(run.machine < 0)
        for row in waiting[np.argsort(weight[waiting], kind="stable")].tolist():
            container = decision.containers[row]
            run.waiting.setdefault((float(container[0]), float(container[1])), []).append(row)
        if run.waiting:
            self._queue.append(run)
        if not size:
            self._finish_stage(run, now)

    def _start(self, run: StageRun, rows: Ints, cpu: Floats, io: Floats, now: float) -> None:
        machine = run.machine[rows]
        containers = run.decision.containers[rows]
        np.subtract.at(self._free, machine, containers)
        np.add.at(self._running, machine, 1)
        np.add.at(run.here, machine, 1)
        if (self._free < -TOLERANCE * 1e3).any():
            raise OperationalError(f"{run.decision.method} put more on a machine than it has room for")
        where = Situation(machine, containers[:, 0], containers[:, 1], cpu[machine], io[machine])
        seconds = self._truth.seconds(run.stage, rows, where, self._fleet) * run.factor[rows]
        run.start_s[rows] = now
        run.finish_s[rows] = now + seconds
        for row, at in zip(rows.tolist(), run.finish_s[rows].tolist(), strict=True):
            self._push(at, ENDS, _Ended(run, row))

    def _end(self, run: StageRun, row: int, now: float) -> None:
        j = int(run.machine[row])
        self._free[j] += run.decision.containers[row]
        self._running[j] -= 1
        run.here[j] -= 1
        run.left -= 1
        if not run.left:
            self._finish_stage(run, now)
        if self._queue:
            self._admit(j, now)

    def _admit(self, j: int, now: float) -> None:
        """Let waiting instances onto a machine that has room again: the oldest stage and its heaviest first, and never
        more of a stage than its decision allows on one machine.
        """
        for run in list(self._queue):
            most = np.inf if run.decision.most is None else run.decision.most
            for size, rows in list(run.waiting.items()):
                while rows and run.here[j] < most and (np.asarray(size) <= self._free[j] + TOLERANCE).all():
                    row = rows.pop()
                    run.machine[row] = j
                    load = self._load(now)
                    self._start(run, np.array([row]), load[:, 0], load[:, 1], now)
                if not rows:
                    del run.waiting[size]
            if not run.waiting:
                self._queue.remove(run)

    def _finish_stage(self, run: StageRun, now: float) -> None:
        self._done.append(run)
        job = self._jobs[run.stage.job_id]
        job.left -= 1
        for source, target in job.job.edges:
            if source == run.stage.stage_id:
                job.waits[target].discard(source)
                if not job.waits[target]:
                    self._release(job, target, now)
        if not job.left:
            self._leave(job.job.job_id, now)

    def _leave(self, job_id: str, now: float) -> None:
        self._finish[job_id] = now
        del self._jobs[job_id]
        if self._progress is not None:
            self._progress(len(self._finish), len(self._workload.jobs))
