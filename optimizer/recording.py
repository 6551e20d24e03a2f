"""A finished simulation as a workload trace, in the same tables as a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.jobs import Job
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.simulate import Run, StageRun
from paretosql.optimizer.trace import Header, Trace
from paretosql.optimizer.truth import Truth
from paretosql.optimizer.units import GIB, MIB_PER_GIB

Columns = Mapping[str, Any]


def record(run: Run, truth: Truth, *, workload: str | None = None) -> Trace:
    """The trace of a run. Times are milliseconds since its start; O(instances) time and memory.

    Instances whose container was too small show what they spilled: the memory they wanted and did not have.
    """
    stages = sorted(run.stages, key=lambda each: (each.stage.job_id, each.stage.stage_id))
    name = workload or run.workload.name
    first: dict[str, float] = {}
    for each in stages:
        if len(each.stage):
            start = float(each.start_s.min())
            first[each.stage.job_id] = min(start, first.get(each.stage.job_id, start))
    tables = {
        "jobs": _table("jobs", [_job(job, run, name, first) for job in run.workload.jobs]),
        "stages": _table("stages", [_stage(each) for each in stages]),
        "stage_edges": _table("stage_edges", _edges(run.workload.jobs)),
        "operators": _table("operators", [row for each in stages for row in _operators(each)]),
        "operator_edges": _table("operator_edges", [row for each in stages for row in _operator_edges(each)]),
        "instances": _joined("instances", [_instances(each, run, truth) for each in stages]),
        "machines": _machines(run),
        "machine_states": _states(run),
    }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Trace(Header(time_base="start", source="simulation", engine="paretosql", created=created), tables)


def join(traces: Sequence[Trace]) -> Trace:
    """Traces of several days as one, each after the one before it: the same machines, jobs of different names."""
    tables: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    offset = 0
    for trace in traces:
        last = offset
        for name in TABLES:
            table = trace[name]
            for at, field in enumerate(table.schema):
                if field.type == pa.int64() and field.name.endswith("_ms") and field.name not in ("gc_ms", "wait_ms"):
                    moved = pc.add(table[field.name], offset)
                    table = table.set_column(at, field, moved)
                    if len(table):
                        last = max(last, int(pc.max(moved).as_py() or 0))
            if name != "machines" or not tables[name]:
                tables[name].append(table)
        offset = last + 1
    return Trace(traces[0].header, {name: pa.concat_tables(each) for name, each in tables.items()})


def _table(name: str, rows: Iterable[Columns]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=TABLES[name])


def _joined(name: str, parts: Sequence[Columns]) -> pa.Table:
    """Columns of several parts, those left out null."""
    schema = TABLES[name]
    tables = []
    for part in parts:
        size = len(next(iter(part.values())))
        columns = [
            pa.array(part[field.name], field.type, from_pandas=True)
            if field.name in part
            else pa.nulls(size, field.type)
            for field in schema
        ]
        tables.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _ms(seconds: float) -> int:
    return round(seconds * 1000.0)


def _job(job: Job, run: Run, name: str, first: Mapping[str, float]) -> Columns:
    start = first.get(job.job_id)
    return {
        "job_id": job.job_id,
        "template_id": job.template_id,
        "workload": name,
        "submit_ms": _ms(job.submit_s),
        "start_ms": None if start is None else _ms(start),
        "finish_ms": _ms(run.job_finish_s[job.job_id]),
        "n_stages": len(job.stages),
        "status": "ok",
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _total(values: Floats) -> int | None:
    return None if np.isnan(values).any() else int(values.sum())


def _stage(each: StageRun) -> Columns:
    stage, decision = each.stage, each.decision
    rows = [operator.rows for operator in stage.operators[:1]]
    sizes = [operator.bytes for operator in stage.operators[:1]]
    return {
        "job_id": stage.job_id,
        "stage_id": stage.stage_id,
        "signature": stage.signature or None,
        "n_instances": len(stage),
        "release_ms": _ms(each.release_s),
        "start_ms": _ms(float(each.start_s.min())) if len(stage) else None,
        "finish_ms": int(np.rint(each.finish_s * 1000.0).max()) if len(stage) else None,
        "hbo_cpu": stage.container.cores,
        "hbo_mem_mb": round(stage.container.memory_gib * MIB_PER_GIB),
        "in_rows": _total(stage.in_rows),
        "in_bytes": _total(stage.in_bytes),
        "est_rows": _known(rows[0]) if rows else None,
        "est_bytes": _known(sizes[0]) if sizes else None,
        "method": decision.method,
        "decide_ms": each.decide_s * 1000.0,
        "pred_latency_ms": _known(decision.latency_s * 1000.0),
        "pred_cost": _known(decision.cost),
    }


def _edges(jobs: Iterable[Job]) -> list[Columns]:
    return [
        {"job_id": job.job_id, "src_stage": source, "dst_stage": target, "kind": "shuffle"}
        for job in jobs
        for source, target in job.edges
    ]


def _operators(each: StageRun) -> list[Columns]:
    return [
        {
            "job_id": each.stage.job_id,
            "stage_id": each.stage.stage_id,
            "op_id": at,
            "op_type": operator.kind,
            "est_rows": _known(operator.rows),
            "est_bytes": _known(operator.bytes),
            "est_cost": _known(operator.cost),
        }
        for at, operator in enumerate(each.stage.operators)
    ]


def _operator_edges(each: StageRun) -> list[Columns]:
    return [
        {"job_id": each.stage.job_id, "stage_id": each.stage.stage_id, "src_op": source, "dst_op": at}
        for at, operator in enumerate(each.stage.operators)
        for source in operator.inputs
    ]


def _instances(each: StageRun, run: Run, truth: Truth) -> Columns:
    stage, rows = each.stage, np.arange(len(each.stage))
    containers = each.decision.containers
    wants = truth.memory_gib(stage, rows)
    names = np.array(run.workload.fleet.machines.ids, dtype=object)
    start, finish = np.rint(each.start_s * 1000.0), np.rint(each.finish_s * 1000.0)
    return {
        "job_id": np.full(len(rows), stage.job_id, dtype=object),
        "stage_id": np.full(len(rows), stage.stage_id, dtype=np.int32),
        "instance_id": rows.astype(np.int32),
        "attempt": np.zeros(len(rows), dtype=np.int32),
        "machine_id": names[each.machine],
        "cpu_cores": containers[:, 0].astype(np.float32),
        "mem_mb": np.rint(containers[:, 1] * MIB_PER_GIB).astype(np.int32),
        "submit_ms": np.full(len(rows), _ms(each.release_s), dtype=np.int64),
        "start_ms": start.astype(np.int64),
        "finish_ms": finish.astype(np.int64),
        "latency_ms": (each.finish_s - each.start_s) * 1000.0,
        "cpu_ms": truth.cpu_s(stage, rows) * 1000.0,
        "in_rows": _whole(stage.in_rows),
        "in_bytes": _whole(stage.in_bytes),
        "in_remote_bytes": _whole(stage.remote_bytes),
        "peak_mem_bytes": _whole(np.minimum(wants, containers[:, 1]) * GIB),
        "spill_bytes": _whole(np.maximum(wants - containers[:, 1], 0.0) * GIB),
        "status": np.full(len(rows), "ok", dtype=object),
        "pred_latency_ms": (each.decision.predicted_s * 1000.0).astype(np.float32),
    }


def _whole(values: Floats) -> npt.NDArray[np.object_]:
    """Numbers as whole ones, None for NaN."""
    known = ~np.isnan(values)
    found = np.full(len(values), None, dtype=object)
    found[known] = np.rint(values[known]).astype(np.int64)
    return found


def _machines(run: Run) -> pa.Table:
    machines = run.workload.fleet.machines
    return _table(
        "machines",
        [
            {
                "machine_id": name,
                "hw_type": machines.hw_types[at],
                "cpu_cores": machines.cores[at],
                "mem_mb": round(machines.memory_gib[at] * MIB_PER_GIB),
                "cpu_mhz": machines.clock_mhz[at],
            }
            for at, name in enumerate(machines.ids)
        ],
    )


def _states(run: Run) -> pa.Table:
    """What decisions saw; of several at one millisecond the last."""
    seen = {_ms(at): machines for at, machines in run.states}
    return _joined(
        "machine_states",
        [
            {
                "machine_id": np.array(machines.ids, dtype=object),
                "ts_ms": np.full(len(machines), at, dtype=np.int64),
                "cpu_util": machines.cpu_util.astype(np.float32),
                "mem_util": machines.mem_util.astype(np.float32),
                "io_util": machines.io_util.astype(np.float32),
                "running_instances": machines.running.astype(np.int32),
            }
            for at, machines in seen.items()
        ],
    )
