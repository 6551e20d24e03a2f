"""A trace of recurring jobs whose latencies follow a formula, so that tests know what a model should find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import Header, Trace
from paretosql.optimizer.training import score

SPEED = {"old": 1.0, "new": 2.0}
MACHINES = {f"m{at}": ("old", "new")[at % 2] for at in range(4)}
# template: for each stage its operators, seconds per MB, and the stages it reads
TEMPLATES: dict[str, tuple[tuple[tuple[str, ...], float, tuple[int, ...]], ...]] = {
    "t0": ((("Scan parquet", "Filter"), 0.01, ()), (("Exchange", "HashAggregate"), 0.03, (0,))),
    "t1": ((("Scan parquet",), 0.02, ()), (("Scan csv",), 0.04, ()), (("Exchange", "SortMergeJoin"), 0.05, (0, 1))),
}
AFTERWARDS = {  # what nobody knows before the run
    "instances": ("finish_ms", "latency_ms", "cpu_ms", "gc_ms", "wait_ms", "out_rows", "out_bytes", "peak_mem_bytes",
                  "spill_bytes", "status", "pred_latency_ms"),
    "stages": ("finish_ms", "latency_ms", "total_instance_ms"),
    "jobs": ("finish_ms", "status"),
    "operators": ("actual_rows", "actual_bytes", "selectivity"),
}  # fmt: skip
ROW_BYTES = 100


def seconds(mb: float, per_mb: float, cores: float, hw_type: str, cpu_util: float) -> float:
    """The truth: startup, and work that more cores, faster machines and less load make shorter."""
    return 0.2 + mb * per_mb / (cores**0.8 * SPEED[hw_type]) * (1.0 + 0.8 * cpu_util)


def small_trace(jobs: int = 24, seed: int = 0, *, instances: int = 10, noise: float = 0.05, first: int = 0) -> Trace:
    """`jobs` jobs, one a minute, of two templates in turn; two or three stages of `instances` instances each.

    Args:
        first: number of the first job, so that two traces have different jobs of the same templates.
    """
    rng = np.random.default_rng((seed, first))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for name, hw_type in MACHINES.items():
        rows["machines"].append({"machine_id": name, "hw_type": hw_type, "cpu_cores": 16.0, "mem_mb": 65_536})
    for number in range(first, first + jobs):
        _add_job(rows, number, instances, noise, rng)
    tables = {name: pa.Table.from_pylist(each, schema=TABLES[name]) for name, each in rows.items()}
    return Trace(Header(time_base="start", source="tests"), tables)


def _add_job(
    rows: dict[str, list[dict[str, Any]]], number: int, instances: int, noise: float, rng: np.random.Generator
) -> None:
    template = ("t0", "t1")[number % 2]
    job, start = f"job-{number:04d}", 60_000 * number
    scale = float(rng.lognormal(0.0, 0.5))
    stages = TEMPLATES[template]
    rows["jobs"].append(
        {"job_id": job, "template_id": template, "workload": "tests", "submit_ms": start, "finish_ms": start + 50_000,
         "n_stages": len(stages), "status": "ok"}
    )  # fmt: skip
    for at, name in enumerate(MACHINES):
        rows["machine_states"].append(
            {"machine_id": name, "ts_ms": start, "cpu_util": float(rng.uniform(0, 0.9)), "running_instances": at}
        )
    util = {row["machine_id"]: row["cpu_util"] for row in rows["machine_states"][-len(MACHINES) :]}
    for stage, (kinds, per_mb, parents) in enumerate(stages):
        shares = rng.lognormal(0.0, 0.6, instances)
        mb = 20.0 * (1 + stage) * scale * instances * shares / shares.sum()
        total = float(mb.sum()) * 1e6
        rows["stages"].append(
            {"job_id": job, "stage_id": stage, "signature": f"{template}/{stage}", "n_instances": instances,
             "est_bytes": total, "latency_ms": float(rng.uniform(1, 9)), "parallelism": 8}
        )  # fmt: skip
        rows["stage_edges"] += [{"job_id": job, "src_stage": each, "dst_stage": stage} for each in parents]
        for op, kind in enumerate(kinds):
            rows["operators"].append(
                {
                    "job_id": job,
                    "stage_id": stage,
                    "op_id": op,
                    "op_type": kind,
                    "est_rows": total / ROW_BYTES / (1 + op),
                    "est_bytes": total / (1 + op),
                    "actual_rows": int(rng.integers(1, 1000)),
                }
            )
            if op:
                rows["operator_edges"].append({"job_id": job, "stage_id": stage, "src_op": op - 1, "dst_op": op})
        for at in range(instances):
            machine = list(MACHINES)[int(rng.integers(len(MACHINES)))]
            cores, memory = float(rng.choice([1.0, 2.0, 4.0])), int(rng.choice([2_048, 4_096, 8_192]))
            latency = seconds(float(mb[at]), per_mb, cores, MACHINES[machine], util[machine])
            latency_ms = 1000.0 * latency * float(np.exp(noise * rng.standard_normal()))
            begin = start + 1_000 * (1 + stage)
            rows["instances"].append(
                {"job_id": job, "stage_id": stage, "instance_id": at, "attempt": 0, "machine_id": machine,
                 "cpu_cores": cores, "mem_mb": memory, "start_ms": begin, "finish_ms": begin + round(latency_ms),
                 "latency_ms": latency_ms, "cpu_ms": latency_ms * cores, "in_rows": round(mb[at] * 1e6 / ROW_BYTES),
                 "in_bytes": round(mb[at] * 1e6), "in_remote_bytes": 0, "out_rows": int(rng.integers(1, 1000)),
                 "out_bytes": int(rng.integers(1, 1000)), "peak_mem_bytes": round(3 * mb[at] * 1e6), "spill_bytes": 0,
                 "status": "ok", "warmth": "first" if at < 8 else "rest"}
            )  # fmt: skip


def changed(trace: Trace, **tables: pa.Table) -> Trace:
    """The same trace with other tables."""
    return Trace(trace.header, {**{name: trace[name] for name in TABLES}, **tables})


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """The same table with other values in a column, which keeps its type and place."""
    at = table.schema.get_field_index(name)
    field = table.schema.field(at)
    given = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, field.type)
    return table.set_column(at, field, given)


def without_signatures(trace: Trace) -> Trace:
    """The same trace with stages that nobody would know again."""
    return changed(trace, stages=with_column(trace["stages"], "signature", [None] * trace.count("stages")))


def shuffled_outcomes(trace: Trace, seed: int = 1) -> Trace:
    """The same trace with the rows of every column that is known only afterwards in another order, and every third
    instance failed.
    """
    rng = np.random.default_rng(seed)
    tables = {}
    for name, columns in AFTERWARDS.items():
        table = trace[name]
        order = pa.array(rng.permutation(len(table)))
        for column in columns:
            table = with_column(table, column, table[column].take(order))
        tables[name] = table
    status = pa.array(["failed" if at % 3 == 0 else "ok" for at in range(len(tables["instances"]))])
    tables["instances"] = with_column(tables["instances"], "status", status)
    return changed(trace, **tables)


def measures(model, trace):
    """The measures of a model by name."""
    table = score(model, trace)
    return dict(zip(table["measure"].to_pylist(), table["value"].to_pylist(), strict=True))
