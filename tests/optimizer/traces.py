"""A trace that is right, small enough to print, and ways to spoil it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.workload import Header, Trace

DAY = 1_700_000_000_000  # ms since 1970: in November 2023
JOB = {"job_id": "a", "workload": "tests", "submit_ms": DAY, "finish_ms": DAY + 900, "n_stages": 2, "status": "ok"}
STAGES = [
    {"job_id": "a", "stage_id": 0, "signature": "scan", "n_instances": 2, "start_ms": DAY + 10, "finish_ms": DAY + 410},
    {"job_id": "a", "stage_id": 1, "signature": "sum", "n_instances": 1, "start_ms": DAY + 420, "finish_ms": DAY + 900},
]
OPERATORS = [
    {"job_id": "a", "stage_id": 0, "op_id": 0, "op_type": "Scan", "actual_rows": 100},
    {"job_id": "a", "stage_id": 0, "op_id": 1, "op_type": "Filter", "est_rows": 12.5},
    {"job_id": "a", "stage_id": 1, "op_id": 2, "op_type": "Sum"},
]
MACHINES = [{"machine_id": "m0", "hw_type": "big", "cpu_cores": 8.0}, {"machine_id": "m1", "hw_type": "small"}]
STATES = [{"machine_id": "m0", "ts_ms": DAY, "cpu_util": 0.5, "running_instances": 4}]


def instance(stage: int, number: int, start: int, finish: int, **more: Any) -> dict[str, Any]:
    """A row of `instances` with times in ms after `DAY`."""
    return {
        "job_id": "a",
        "stage_id": stage,
        "instance_id": number,
        "attempt": 0,
        "machine_id": "m0",
        "start_ms": DAY + start,
        "finish_ms": DAY + finish,
        "latency_ms": float(finish - start),
        "in_rows": 50,
        "status": "ok",
        **more,
    }


INSTANCES = [instance(0, 0, 10, 400), instance(0, 1, 15, 410, machine_id="m1"), instance(1, 0, 420, 900)]


def rows() -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of a trace that is right, fresh copies."""
    given = {
        "jobs": [JOB],
        "stages": STAGES,
        "stage_edges": [{"job_id": "a", "src_stage": 0, "dst_stage": 1, "kind": "gather"}],
        "operators": OPERATORS,
        "operator_edges": [{"job_id": "a", "stage_id": 0, "src_op": 0, "dst_op": 1}],
        "instances": INSTANCES,
        "machines": MACHINES,
        "machine_states": STATES,
    }
    return {name: [dict(row) for row in each] for name, each in given.items()}


def trace_of(tables: dict[str, list[dict[str, Any]]], time_base: str = "epoch") -> Trace:
    """A trace with these rows; columns that are left out are null."""
    made = {name: pa.Table.from_pylist(each, schema=TABLES[name]) for name, each in tables.items()}
    return Trace(Header(time_base=time_base, source="tests", engine="none"), made)


def right() -> Trace:
    """A trace without a fault: one job, two stages, three instances on two machines."""
    return trace_of(rows())
