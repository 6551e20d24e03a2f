"""The tables of a workload trace: which jobs ran, cut into which stages, with one row per instance.

`TABLES` maps each of the eight names to an Arrow schema. Every column carries its `unit` and its `meaning` as field
metadata. Times are whole milliseconds since the epoch or since the start of the trace (`Header.time_base` says which),
sizes are bytes, utilisations are shares from 0 to 1. Unknown is null, never -1.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

SCHEMA_VERSION = 1
STATUSES = ("ok", "failed", "killed")  # null: not recorded, or not ended when the trace did
EXCHANGES = ("shuffle", "broadcast", "gather", "forward")
WARMTHS = ("fresh", "first", "rest")
KEYS: dict[str, tuple[str, ...]] = {
    "jobs": ("job_id",),
    "stages": ("job_id", "stage_id"),
    "stage_edges": ("job_id", "src_stage", "dst_stage"),
    "operators": ("job_id", "stage_id", "op_id"),
    "operator_edges": ("job_id", "stage_id", "src_op", "dst_op"),
    "instances": ("job_id", "stage_id", "instance_id", "attempt"),
    "machines": ("machine_id",),
    "machine_states": ("machine_id", "ts_ms"),
}
TYPES = {
    "text": pa.string(),
    "i32": pa.int32(),
    "i64": pa.int64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
}

# One line per column: name, type (? = may be null), unit (- = none), meaning.
COLUMNS = {
    "jobs": """
        job_id text - name of one run of one query or workflow
        template_id text? - the same for every run of a recurring job
        workload text - the set of jobs it belongs to
        sql text? - the statement
        submit_ms i64? ms when it was submitted
        start_ms i64? ms when its first instance started
        finish_ms i64? ms when its last instance ended
        n_stages i32 - stages that ran
        status text? - ok, failed or killed
        weights_latency f32? - how much its user cares about latency
        weights_cost f32? - how much its user cares about cost
    """,
    "stages": """
        job_id text - the job
        stage_id i32 - number of the stage within its job
        signature text? - the same for every run of a recurring stage
        n_instances i32? - instances it was cut into
        release_ms i64? ms when its inputs were complete
        start_ms i64? ms when its first instance started
        finish_ms i64? ms when its last instance ended
        latency_ms f64? ms from start to finish, also where only the difference is known
        total_instance_ms f64? ms latencies of its instances, summed
        hbo_cpu f32? cores what history-based sizing gives to each instance
        hbo_mem_mb i32? MiB what history-based sizing gives to each instance
        in_rows i64? rows input of all instances
        in_bytes i64? bytes input of all instances
        est_rows f64? rows the planner's estimate of the input, known before the stage runs
        est_bytes f64? bytes the planner's estimate of the input, known before the stage runs
        exchange_in text? - how the input arrives: shuffle, broadcast, gather or forward
        exchange_out text? - how the output leaves
        method text? - the policy that decided resources
        decide_ms f32? ms time that policy took
        pred_latency_ms f32? ms latency that policy expected
        pred_cost f32? USD cost that policy expected
        parallelism i32? - executors the run had: at most so many instances at once
    """,
    "stage_edges": """
        job_id text - the job
        src_stage i32 - the stage that is read
        dst_stage i32 - the stage that reads it
        kind text? - shuffle, broadcast, gather or forward
    """,
    "operators": """
        job_id text - the job
        stage_id i32 - the stage
        op_id i32 - number of the operator
        op_type text - name of the operator in the engine
        est_rows f64? rows the planner's estimate of its output
        est_bytes f64? bytes the planner's estimate of its output
        est_cost f64? - the planner's cost, in the planner's own unit
        actual_rows i64? rows its output
        actual_bytes i64? bytes its output
        selectivity f64? - output rows per input row
        options text? - other properties, as JSON
    """,
    "operator_edges": """
        job_id text - the job
        stage_id i32 - the stage of both ends
        src_op i32 - the operator that is read
        dst_op i32 - the operator that reads it
    """,
    "instances": """
        job_id text - the job
        stage_id i32 - the stage
        instance_id i32 - number of the instance within its stage
        attempt i32 - 0 for the first try
        machine_id text? - where it ran
        container_id text? - the process or container it ran in
        cpu_cores f32? cores reserved for it
        mem_mb i32? MiB reserved for it
        submit_ms i64? ms when it could have started
        start_ms i64? ms when it started
        finish_ms i64? ms when it ended
        latency_ms f64? ms from start to finish
        cpu_ms f64? ms processor time
        gc_ms i64? ms pauses of garbage collection
        wait_ms i64? ms waiting for input
        in_rows i64? rows input
        in_bytes i64? bytes input
        in_remote_bytes i64? bytes the part of the input that came from other machines
        out_rows i64? rows output
        out_bytes i64? bytes output
        peak_mem_bytes i64? bytes most memory in use at once
        spill_bytes i64? bytes written to disk for want of memory
        status text? - ok, failed or killed
        pred_latency_ms f32? ms latency that the policy expected
        warmth text? - fresh: its executor was newly given to the job; first: of the stage on its executor; rest: others
    """,
    "machines": """
        machine_id text - name
        hw_type text? - the same for machines that are alike
        cpu_cores f32? cores that instances may use
        mem_mb i32? MiB that instances may use
        cpu_mhz f32? MHz clock
        disk text? - kind of disk
        net_gbps f32? Gbit/s network
        failure_domain text? - the same for machines that fail together
    """,
    "machine_states": """
        machine_id text - the machine
        ts_ms i64 ms when this was so
        cpu_util f32? share processor in use
        mem_util f32? share memory in use
        io_util f32? share disk in use
        net_util f32? share network in use
        running_instances i32? - instances that were running
    """,
}


def _fields(lines: str) -> Iterator[pa.Field]:
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, kind, unit, meaning = line.split(maxsplit=3)
        described = {"unit": "" if unit == "-" else unit, "meaning": meaning}
        yield pa.field(name, TYPES[kind.rstrip("?")], nullable=kind.endswith("?"), metadata=described)


TABLES: dict[str, pa.Schema] = {name: pa.schema(list(_fields(lines))) for name, lines in COLUMNS.items()}


def required(table: str) -> list[str]:
    """The columns of a table that are never null."""
    return [field.name for field in TABLES[table] if not field.nullable]


def empty(table: str) -> pa.Table:
    """A table without rows."""
    return TABLES[table].empty_table()


def sql_types(table: str) -> dict[str, str]:
    """The columns of a table with their types in DuckDB's SQL."""
    names = {pa.string(): "VARCHAR", pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float32(): "FLOAT"}
    return {field.name: names.get(field.type, "DOUBLE") for field in TABLES[table]}
