"""The jobs of a trace as a workload, and truths that are learned from a trace.

`replay` scales what was recorded by the ratio that an independent model sees between the new and the recorded
situation; `oracle` takes that model's word alone. The model is trained on one half of the jobs and is of another family
(random forests on squared error, no constraints) than the one that decides, so the errors of the latter are real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.compute as pc

from paretosql.errors import DataError, compose
from paretosql.optimizer import library
from paretosql.optimizer.features import container_features, instance_features, machine_features, stage_features
from paretosql.optimizer.fleet import Fleet, HardwareType, mixed_fleet
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.generator import Shapes
from paretosql.optimizer.jobs import Job, Workload
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.material import Material, prepare
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.traced import Traced
from paretosql.optimizer.truth import BASE_GIB, Situation
from paretosql.optimizer.units import GIB, LEAST_S, MIB_PER_GIB
from paretosql.optimizer.workload import Trace

FOREST = {
    "boosting": "rf", "objective": "regression", "bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.6,
    "num_leaves": 63, "min_data_in_leaf": 5, "verbose": -1, "deterministic": True,
}  # fmt: skip
TREES = 60  # our choice


def shapes_of(trace: Trace) -> Shapes:
    """Shapes of jobs, numbers of instances and gaps between submissions, for `generate`."""
    stages = trace.scan("stages").to_table(columns=["job_id", "stage_id", "n_instances"]).to_pylist()
    place: dict[str, dict[int, int]] = {}
    for row in sorted(stages, key=lambda each: (each["job_id"], each["stage_id"])):
        mine = place.setdefault(row["job_id"], {})
        mine[row["stage_id"]] = len(mine)
    edges: dict[str, set[tuple[int, int]]] = {job: set() for job in place}
    for row in trace.scan("stage_edges").to_table(columns=["job_id", "src_stage", "dst_stage"]).to_pylist():
        mine = place.get(row["job_id"], {})
        if row["src_stage"] in mine and row["dst_stage"] in mine:
            ends = sorted((mine[row["src_stage"]], mine[row["dst_stage"]]))
            if ends[0] < ends[1]:
                edges[row["job_id"]].add((ends[0], ends[1]))
    jobs = tuple((len(mine), tuple(sorted(edges[job]))) for job, mine in place.items())
    counts = tuple(int(row["n_instances"]) for row in stages if row["n_instances"])
    submitted = trace.scan("jobs").to_table(columns=["submit_ms"])["submit_ms"].drop_null().to_numpy()
    gaps = np.diff(np.sort(submitted)).astype(np.float64)
    return Shapes(jobs, counts, tuple((gaps / gaps.mean()).tolist()) if len(gaps) and gaps.mean() > 0 else ())


def replayed(trace: Trace, jobs: int | None = None, *, machines: int = 40) -> tuple[Workload, Material]:
    """The jobs of a trace, at most `jobs` of them, in the order of their submission.

    Jobs whose submission is not recorded arrive one after the other. Machines are those of the trace; where it has
    none, a mixed fleet of `machines`.

    Raises:
        DataError: no job has instances with a known latency.
    """
    material = prepare(trace)
    found = material.traced
    by_job: dict[str, list[int]] = {}
    for at, stage in enumerate(found.stages):
        by_job.setdefault(stage.job_id, []).append(at)
    if not by_job:
        raise DataError(compose("this trace has no instances to replay", hint="--workload A, B or C makes jobs up."))
    first = {job: _first(found.submit_ms[mine]) for job, mine in by_job.items()}
    order = sorted(by_job, key=lambda job: (np.isnan(first[job]), np.nan_to_num(first[job]), job))[:jobs]
    edges = _edges(trace)
    start = np.nanmin([*(first[job] for job in order), np.inf])
    made, last = [], 0.0
    for job in order:
        last = last + 1.0 if np.isnan(first[job]) else (first[job] - start) / 1000.0
        mine = sorted(by_job[job], key=lambda at: found.stages[at].stage_id)
        place = {found.stages[at].stage_id: number for number, at in enumerate(mine)}
        stages = tuple(replace(found.stages[at], stage_id=number) for number, at in enumerate(mine))
        inner = tuple((place[a], place[b]) for a, b in edges.get(job, ()) if a in place and b in place)
        made.append(Job(job, stages[0].template_id, last, stages, inner))
    return Workload("replay", tuple(made), fleet_of(trace, machines)), material


def _first(times: Floats) -> float:
    known = times[~np.isnan(times)]
    return float(known.min()) if len(known) else float("nan")


def _edges(trace: Trace) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for row in trace.scan("stage_edges").to_table(columns=["job_id", "src_stage", "dst_stage"]).to_pylist():
        found.setdefault(row["job_id"], []).append((row["src_stage"], row["dst_stage"]))
    return found


def fleet_of(trace: Trace, size: int) -> Fleet:
    """The machines of a trace, moderately busy; a mixed fleet of `size` where sizes are not recorded."""
    rows = trace["machines"]
    rows = rows.filter(pc.and_(pc.is_valid(rows["cpu_cores"]), pc.is_valid(rows["mem_mb"]))).to_pylist()
    if not rows:
        return mixed_fleet(size)
    kinds: dict[tuple[Any, ...], int] = {}
    kind = []
    for row in rows:
        key = (row["hw_type"] or "unknown", row["cpu_cores"], row["mem_mb"], row["cpu_mhz"] or 2500.0)
        kind.append(kinds.setdefault(key, len(kinds)))
    types = tuple(
        HardwareType(str(name), max(1, int(cores)), memory / MIB_PER_GIB, float(clock), 1.0, 200.0)
        for name, cores, memory, clock in kinds
    )
    level = np.full(len(rows), 0.3)
    return Fleet(types, np.array(kind, dtype=np.int64), level, 0.5 * level)


@dataclass(frozen=True)
class Forest:
    """A random forest on log latency, from whole rows of features."""

    booster: Any
    material: Material
    encoding: Any

    def seconds(self, rows: Floats) -> Floats:
        """Shape (p,)."""
        found = np.asarray(self.booster.predict(rows, num_threads=1), dtype=np.float64)
        return np.maximum(np.expm1(found) / 1000.0, LEAST_S)


@dataclass(frozen=True)
class Learned:
    """A truth learned from a trace; `scaled` to what was recorded of each instance, where it was (`replay`)."""

    forest: Forest
    recorded_s: Mapping[tuple[str, int], Floats]
    expected_s: Mapping[tuple[str, int], Floats]
    name: str = "oracle"

    def seconds(self, stage: Stage, rows: Ints, where: Situation, fleet: Fleet) -> Floats:
        """Latency of instances in a situation."""
        past = self.forest.encoding.recurrence.past(stage)
        machines = _situated(fleet, where)
        columns = (
            np.repeat(stage_features(stage, past), len(rows), axis=0),
            instance_features(stage, past=past)[rows],
            container_features(np.column_stack((where.cores, where.memory_gib))),
            machine_features(machines, self.forest.encoding.hw_codes),
        )
        found = self.forest.seconds(np.concatenate(columns, axis=1))
        key = (stage.job_id, stage.stage_id)
        if self.name != "replay" or key not in self.recorded_s:
            return found
        recorded, expected = self.recorded_s[key][rows], self.expected_s[key][rows]
        return np.where(np.isnan(recorded), found, found * recorded / expected)

    def memory_gib(self, stage: Stage, rows: Ints) -> Floats:
        """Twice the input and a little, as nothing better is known."""
        return (BASE_GIB + 2.0 * np.nan_to_num(stage.in_bytes) / GIB)[rows]

    def cpu_s(self, stage: Stage, rows: Ints) -> Floats:
        """Not known."""
        return np.full(len(rows), np.nan)


def _situated(fleet: Fleet, where: Situation) -> Machines:
    """The machines of a situation, one per instance."""
    machines = fleet.machines
    at = where.machine
    return Machines(
        tuple(str(number) for number in range(len(at))),
        tuple(machines.hw_types[j] for j in at.tolist()),
        machines.cores[at],
        machines.memory_gib[at],
        machines.clock_mhz[at],
        cpu_util=where.cpu_util,
        io_util=where.io_util,
    )


def learn_truth(material: Material, name: str, seed: int = 0) -> Learned:
    """`oracle` or `replay` from a trace: a random forest trained on half of the jobs, drawn by `seed`.

    Raises:
        DataError: too few instances with a known latency.
    """
    lightgbm = library.lightgbm()

    rows = material.ok
    drawn = np.random.default_rng((seed, 0x7A1F)).permutation(int(material.job.max()) + 1)
    half = rows[drawn[material.job[rows]] % 2 == 0]
    half = half if len(half) >= 20 else rows
    if len(half) < 20:
        raise DataError(compose(f"{len(rows)} instances are too few for a truth", hint="--truth synthetic needs none."))
    encoding, view = material.learn(half)
    latency = material.outcomes.latency_s
    at = np.random.default_rng(seed).permutation(half)[:100_000]
    data = lightgbm.Dataset(view.rows(at), np.log1p(latency[at] * 1000.0))
    booster = lightgbm.train({**FOREST, "seed": seed + 17, "num_threads": 2}, data, TREES)
    forest = Forest(booster, material, encoding)
    recorded, expected = _by_stage(material.traced, latency, material.outcomes.ok, forest)
    return Learned(forest, recorded, expected, name)


def _by_stage(
    found: Traced, latency: Floats, ok: np.ndarray[Any, np.dtype[np.bool_]], forest: Forest
) -> tuple[dict[tuple[str, int], Floats], dict[tuple[str, int], Floats]]:
    """Recorded latencies, and those that the forest expects where they were recorded, of every stage."""
    view = forest.material.view(forest.encoding)
    everyone = np.arange(len(found))
    parts = np.array_split(everyone, len(found) // 50_000 + 1)
    guess = np.concatenate([forest.seconds(view.rows(each)) for each in parts])
    numbers: dict[tuple[str, int], int] = {}
    by_job: dict[str, list[int]] = {}
    for stage in found.stages:
        by_job.setdefault(stage.job_id, []).append(stage.stage_id)
    for job, own in by_job.items():
        numbers |= {(job, old): new for new, old in enumerate(sorted(own))}
    recorded, expected = {}, {}
    order = np.argsort(found.stage, kind="stable")
    starts = np.searchsorted(found.stage[order], np.arange(len(found.stages) + 1))
    for at, stage in enumerate(found.stages):
        mine = order[starts[at] : starts[at + 1]]
        mine = mine[ok[mine]]
        key = (stage.job_id, numbers[stage.job_id, stage.stage_id])
        recorded[key], expected[key] = np.full(len(stage), np.nan), np.full(len(stage), np.nan)
        recorded[key][found.instance[mine]] = latency[mine]
        expected[key][found.instance[mine]] = guess[mine]
    return recorded, expected
