"""The stages of a trace as an optimizer saw them before they ran, and what then happened to each instance.

Columns known only after the run are read into `Outcomes` alone, so that features cannot touch them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError, compose
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.schema import WARMTHS
from paretosql.optimizer.stage import Container, Operator, Stage
from paretosql.optimizer.stage_graph import graph_facts
from paretosql.optimizer.units import GIB, MIB_PER_GIB
from paretosql.optimizer.workload import Trace

WARMTH_CODE = {name: float(code) for code, name in enumerate(reversed(WARMTHS))}  # rest 0, first 1, fresh 2
EXCHANGE_CODE = {"forward": 0.0, "gather": 1.0, "broadcast": 2.0, "shuffle": 3.0}
STAGE_COLUMNS = [
    "job_id", "stage_id", "signature", "n_instances", "hbo_cpu", "hbo_mem_mb", "est_rows", "est_bytes", "exchange_in",
    "exchange_out", "parallelism",
]  # fmt: skip
INSTANCE_COLUMNS = [
    "job_id", "stage_id", "instance_id", "attempt", "machine_id", "cpu_cores", "mem_mb", "start_ms", "in_rows",
    "in_bytes", "in_remote_bytes", "warmth",
]  # fmt: skip
MOST_INSTANCES = 10_000_000  # of a stage: more would be arrays of gigabytes, and is a wrong number; our choice
UNSIZED = Container(1.0, 2.0)  # section 7: no history


@dataclass(frozen=True)
class Traced:
    """N instances of a trace, in its order, and their stages.

    Attributes:
        stages: every stage that has instances, with all inputs known beforehand.
        warmth: for every stage the warmth of its instances, shape (m,): 0 rest, 1 first, 2 fresh, NaN unknown.
        stage, instance: shape (N,), position in `stages` and within the stage.
        containers: shape (N, 2), cores and GiB, NaN unknown.
        keys: job_id, stage_id, instance_id, attempt, machine_id and start_ms of every instance.
        submit_ms: shape (stages,), when the job of each stage was submitted or started, NaN unknown.
    """

    stages: tuple[Stage, ...]
    warmth: tuple[Floats, ...]
    stage: Ints
    instance: Ints
    containers: Floats
    keys: pa.Table
    submit_ms: Floats

    def __len__(self) -> int:
        return len(self.stage)


@dataclass(frozen=True)
class Outcomes:
    """What happened: shape (N,) each, NaN unknown.

    Attributes:
        wanted_gib: memory that each would have used if it had had it: what it used at most, and what it spilled. A
            container hides the need beyond its size, but not that something was written to disk for want of it.
        ok: True for instances that ended well with a known latency.
    """

    latency_s: Floats
    wanted_gib: Floats
    ok: npt.NDArray[np.bool_]


def traced(trace: Trace) -> Traced:
    """Everything about the instances of a trace that was known before they ran. O(instances log instances).

    Raises:
        DataError: an instance of a stage that `stages` does not list, or stages that wait for each other.
    """
    stages = trace.scan("stages").to_table(columns=STAGE_COLUMNS)
    rows = trace.scan("instances").to_table(columns=INSTANCE_COLUMNS)
    position = _positions(stages, rows)
    instance = _numbers(rows, "instance_id").astype(np.int64)
    order = np.argsort(position, kind="stable")
    used, starts = np.unique(position[order], return_index=True)
    groups = np.split(order, starts[1:]) if len(order) else []
    facts = _facts(trace, stages)
    operators = _operators(trace)
    jobs = {row["job_id"]: row for row in trace.scan("jobs").to_table(
        columns=["job_id", "template_id", "submit_ms", "start_ms"]).to_pylist()}  # fmt: skip
    columns = {name: _numbers(rows, name) for name in ("in_rows", "in_bytes", "in_remote_bytes")}
    heat = _codes(rows["warmth"], WARMTH_CODE)
    listed = stages.to_pylist()
    made, warmth, submitted = [], [], []
    for at, mine in zip(used.tolist(), groups, strict=True):
        row = listed[at]
        size = _size(row, int(instance[mine].max()) + 1)
        job = jobs.get(row["job_id"], {})
        inputs = [_spread(size, instance[mine], columns[name][mine]) for name in columns]
        key = (row["job_id"], row["stage_id"])
        made.append(_stage(row, str(job.get("template_id") or ""), inputs, facts[at], operators.get(key, ())))
        warmth.append(_spread(size, instance[mine], heat[mine]))
        submitted.append(next((job[k] for k in ("submit_ms", "start_ms") if job.get(k) is not None), np.nan))
    where = np.zeros(len(listed), dtype=np.int64)
    where[used] = np.arange(len(used))
    containers = np.column_stack((_numbers(rows, "cpu_cores"), _numbers(rows, "mem_mb") / MIB_PER_GIB))
    keys = rows.select(["job_id", "stage_id", "instance_id", "attempt", "machine_id", "start_ms"])
    return Traced(
        tuple(made), tuple(warmth), where[position], instance, containers, keys, np.array(submitted, dtype=np.float64)
    )


def outcomes(trace: Trace) -> Outcomes:
    """What happened to the instances of a trace, in its order."""
    rows = trace.scan("instances").to_table(columns=["latency_ms", "peak_mem_bytes", "spill_bytes", "status"])
    latency = _numbers(rows, "latency_ms") / 1000.0
    ended_well = pc.fill_null(pc.equal(rows["status"], "ok"), False).to_numpy(zero_copy_only=False)
    wanted = _numbers(rows, "peak_mem_bytes") + np.nan_to_num(_numbers(rows, "spill_bytes"))
    return Outcomes(latency, wanted / GIB, ended_well & (latency >= 0))


def _stage(
    row: dict[str, Any], template: str, inputs: list[Floats], facts: dict[str, float], operators: tuple[Operator, ...]
) -> Stage:
    known = {name: float(row[name]) for name in ("parallelism", "est_rows", "est_bytes") if row[name] is not None}
    known |= {name: EXCHANGE_CODE[row[name]] for name in ("exchange_in", "exchange_out") if row[name] in EXCHANGE_CODE}
    usual = Container(
        float(row["hbo_cpu"] or UNSIZED.cores), float(row["hbo_mem_mb"] or 0) / MIB_PER_GIB or UNSIZED.memory_gib
    )
    return Stage(
        row["job_id"], row["stage_id"], inputs[0], inputs[1], inputs[2], row["signature"] or "", template, operators,
        {**facts, **known}, usual,
    )  # fmt: skip


def _size(row: dict[str, Any], listed: int) -> int:
    """How many instances a stage has: as planned, or as many as the largest number needs."""
    size = max(int(row["n_instances"] or 0), listed)
    if size > MOST_INSTANCES:
        problem = f"stage {row['job_id']}/{row['stage_id']} has {size:,} instances by n_instances or instance_id"
        raise DataError(compose(problem, hint=f"instances are numbered from 0; at most {MOST_INSTANCES:,} of a stage."))
    return size


def _numbers(table: pa.Table, name: str) -> Floats:
    """A column as float64, NaN for null."""
    found: Floats = table[name].cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    return found


def _codes(column: pa.ChunkedArray, codes: dict[str, float]) -> Floats:
    """A column of words as numbers, NaN for null and for words that are not known."""
    encoded = column.combine_chunks().dictionary_encode()
    table = np.array([*(codes.get(word, np.nan) for word in encoded.dictionary.to_pylist()), np.nan])
    at = encoded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)
    found: Floats = table[at]
    return found


def _spread(size: int, at: Ints, values: Floats) -> Floats:
    """Values at the positions of their instances, NaN elsewhere; of several attempts the largest."""
    found = np.full(size, np.nan)
    np.fmax.at(found, at, values)
    return found


def _positions(stages: pa.Table, rows: pa.Table) -> Ints:
    """For every instance the row of its stage."""
    names = pa.chunked_array([*stages["job_id"].chunks, *rows["job_id"].chunks], pa.string())
    codes = names.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    numbers = np.concatenate([_numbers(stages, "stage_id"), _numbers(rows, "stage_id")]).astype(np.int64)
    low = int(numbers.min(initial=0))
    key = codes * (int(numbers.max(initial=0)) - low + 1) + (numbers - low)
    known, wanted = key[: len(stages)], key[len(stages) :]
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], wanted), max(len(known) - 1, 0))
    wrong = np.flatnonzero(known[order][at] != wanted) if len(known) else np.arange(len(wanted))
    if len(wrong):
        row = rows.slice(int(wrong[0]), 1).to_pylist()[0]
        raise DataError(
            compose(
                f"instance {row['instance_id']} is of stage {row['job_id']}/{row['stage_id']}, which is not in stages",
                hint="a trace lists every stage that ran.",
            )
        )
    found: Ints = order[at]
    return found


def _facts(trace: Trace, stages: pa.Table) -> list[dict[str, float]]:
    """The graph facts of every row of `stages`."""
    edges = trace.scan("stage_edges").to_table(columns=["job_id", "src_stage", "dst_stage"])
    by_job: dict[str, list[tuple[int, int]]] = {}
    for job, source, target in zip(*(edges[name].to_pylist() for name in edges.column_names), strict=True):
        by_job.setdefault(job, []).append((source, target))
    rows: dict[str, list[tuple[int, int, float]]] = {}
    names = zip(*(stages[name].to_pylist() for name in ("job_id", "stage_id", "n_instances")), strict=True)
    for at, (job, number, count) in enumerate(names):
        rows.setdefault(job, []).append((number, at, float(count or 0)))
    found: list[dict[str, float]] = [{} for _ in range(len(stages))]
    for job, mine in rows.items():
        mine.sort()
        place = {number: position for position, (number, _, _) in enumerate(mine)}
        ends = by_job.get(job, ())
        inner = [(place[a], place[b]) for a, b in ends if a in place and b in place and a != b]
        for (_, at, _), facts in zip(mine, graph_facts([count for *_, count in mine], inner), strict=True):
            found[at] = facts
    return found


def _operators(trace: Trace) -> dict[tuple[str, int], tuple[Operator, ...]]:
    """The operators of every stage that has some, in the order of their numbers."""
    columns = ["job_id", "stage_id", "op_id", "op_type", "est_rows", "est_bytes", "est_cost"]
    rows = trace.scan("operators").to_table(columns=columns).sort_by([(name, "ascending") for name in columns[:3]])
    edges = trace.scan("operator_edges").to_table(columns=["job_id", "stage_id", "src_op", "dst_op"])
    reads: dict[tuple[str, int, int], list[int]] = {}
    for edge in edges.to_pylist():
        reads.setdefault((edge["job_id"], edge["stage_id"], edge["dst_op"]), []).append(edge["src_op"])
    stages: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        stages.setdefault((row["job_id"], row["stage_id"]), []).append(row)
    return {
        (job, stage): _inputs_first(mine, {row["op_id"]: reads.get((job, stage, row["op_id"]), []) for row in mine})
        for (job, stage), mine in stages.items()
    }


def _inputs_first(rows: list[dict[str, Any]], reads: dict[int, list[int]]) -> tuple[Operator, ...]:
    """Operators of one stage, each after those it reads; a cycle is cut where it is met."""
    by_number = {row["op_id"]: row for row in rows}
    place: dict[int, int] = {}
    found: list[Operator] = []
    for first in by_number:
        todo, open_ = [first], set()
        while todo:
            number = todo[-1]
            waits = [each for each in reads[number] if each in by_number and each not in place and each not in open_]
            open_.add(number)
            if waits:
                todo += waits
                continue
            todo.pop()
            if number in place:
                continue
            row = by_number[number]
            rows_out, size, cost = (
                np.nan if row[name] is None else float(row[name]) for name in ("est_rows", "est_bytes", "est_cost")
            )
            inputs = tuple(place[each] for each in reads[number] if each in place)
            place[number] = len(found)
            found.append(Operator(row["op_type"], rows_out, size, cost, inputs))
    return tuple(found)
