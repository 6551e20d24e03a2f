"""Every layout that a reader knows, as files that are small enough to check by hand."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq

from paretosql.optimizer.trace import write_trace
from tests.optimizer.event_log import START, lines, log
from tests.optimizer.traces import right


def save(folder, **tables):
    """Write lists of rows as Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, given in tables.items():
        pq.write_table(
            given if isinstance(given, pa.Table) else pa.Table.from_pylist(given), folder / f"{name}.parquet"
        )
    return folder


def tpch_tasks(folder):
    """One stage of a query, run with 2 and with 4 executors."""
    job = {"job_id": "tpch-q01-sf2", "query_id": 1, "scale_gb": 2}
    runs = [(2, "fresh", 0, 900.0), (2, "rest", 1, 100.0), (4, "fresh", 0, 950.0), (4, "first", 1, 200.0)]
    return save(
        folder,
        instances=[
            {**job, "stage_id": 3, "n_executors": x, "wave": wave, "seq": seq, "latency_ms": ms}
            for x, wave, seq, ms in runs
        ],
        stages=[{**job, "stage_id": each, "spark_stage_id": each, "n_instances": n} for each, n in ((2, 9), (3, 2))],
        stage_edges=[{"job_id": job["job_id"], "src_stage": 2, "dst_stage": 3}],
    )


SQL_TASK = {
    "job_id": "app/sql0",
    "stage_id": 1,
    "stage_attempt": 0,
    "instance_id": 0,
    "attempt": 0,
    "machine_id": "app-m0",
    "container_id": "app-e0",
    "launch_ms": START,
    "finish_ms": START + 40,
    "latency_ms": 40,
    "run_ms": 35,
    "cpu_ms": 7.0,
    "gc_ms": 1,
    "input_rows": 10,
    "input_bytes": 1000,
    "shuffle_read_rows": 5,
    "shuffle_read_local_bytes": 20,
    "shuffle_read_remote_bytes": 30,
    "fetch_wait_ms": 2,
    "shuffle_write_rows": 4,
    "shuffle_write_bytes": 40,
    "output_rows": 1,
    "output_bytes": 8,
    "peak_mem_bytes": 0,
    "spill_disk_bytes": 0,
    "status": "ok",
}


def sql_logs(folder):
    """An application with a stage of two tasks, of which one was reported twice and the other started meanwhile."""
    twice = {**SQL_TASK, **dict.fromkeys(("run_ms", "input_rows", "input_bytes", "shuffle_read_rows"))}
    second = {**SQL_TASK, "instance_id": 1, "launch_ms": START + 10, "finish_ms": START + 60, "latency_ms": 50}
    stage = {
        "job_id": "app/sql0",
        "stage_id": 1,
        "stage_attempt": 0,
        "n_instances": 2,
        "submit_ms": START - 5,
        "finish_ms": START + 63,
        "failed": False,
        "container_cores": 4,
        "container_mem_mb": 4096,
        "scopes": "Exchange|Scan",
    }
    operators = [
        (0, None, "Project", None),
        (1, 0, "HashAggregate", 1),
        (2, 1, "InputAdapter", None),
        (3, 2, "Sort", 1),
    ]
    return save(
        folder,
        jobs=[
            {
                "job_id": "app/sql0",
                "workload": "app",
                "engine": "spark",
                "submit_ms": START - 9,
                "finish_ms": START + 70,
            }
        ],
        stages=[stage, {**stage, "stage_id": 2, "scopes": "Sum"}],
        stage_edges=[{"job_id": "app/sql0", "src_stage": 1, "dst_stage": 2}],
        operators=[
            {
                "job_id": "app/sql0",
                "op_id": each,
                "parent_op_id": parent,
                "op_type": kind,
                "stage_id": stage_id,
                "actual_rows": 3.0,
                "actual_bytes": None,
            }
            for each, parent, kind, stage_id in operators
        ],
        instances=[SQL_TASK, twice, second],
        machines=[{"machine_id": "app-m0", "hw_type": "cpu", "total_task_slots": 4}],
    )


def tpc_plans(folder):
    """Three stages: two write shuffles, the third reads both, one under a number that fits no sizes."""
    config = {"spark.executor.instances": "16", "spark.executor.cores": "1", "spark.executor.memory": "1g"}
    stage = {"job_id": "q1", "latency_ms": 50, "total_task_ms": 300, "in_rows": 7, "in_bytes": 70, "in_read": 0}
    return save(
        folder,
        jobs=[
            {
                "job_id": "q1",
                "benchmark": "tpch",
                "query_id": "1",
                "submit_ms": START,
                "finish_ms": START + 99,
                "config": json.dumps(config),
            }
        ],
        query_stages=[
            {**stage, "qs_id": 0, "shuf_read": 0, "shuf_write": 0, "part_sizes": None},
            {**stage, "qs_id": 1, "shuf_read": 0, "shuf_write": 100, "part_sizes": None},
            {**stage, "qs_id": 2, "shuf_read": 0, "shuf_write": 500, "part_sizes": None},
            {**stage, "qs_id": 3, "shuf_read": 90, "shuf_write": 0, "part_sizes": '{"0": [50, 55], "1": [1, 2]}'},
        ],
        operators=[
            {
                "job_id": "q1",
                "scope": "qs_physical",
                "qs_id": 3,
                "op_id": each,
                "op_type": "Sort",
                "est_rows": rows,
                "est_bytes": 8.0,
                "is_runtime": True,
            }
            for each, rows in ((0, -1.0), (1, 7.0))
        ],
        operator_edges=[{"job_id": "q1", "scope": "qs_physical", "qs_id": 3, "src": 1, "dst": 0, "link": "Operator"}]
        * 2,
    )


def workflow(folder):
    """A program that runs on two files and then on its own two results."""
    task = {
        "job_id": "w1",
        "stage": "merge",
        "latency_s": 2.5,
        "avg_cpu_pct": 50.0,
        "cores": None,
        "peak_mem_bytes": 1e6,
        "in_file_bytes": 11,
        "out_file_bytes": 12,
        "machine_id": "node",
    }
    return save(
        folder,
        jobs=[{"job_id": "w1", "family": "genes", "makespan_s": 9.0, "n_instances": 3}],
        instances=pa.Table.from_pylist(
            [{**task, "task_id": each} for each in ("a", "b", "c")],
            schema=pa.schema(
                [(name, pa.float64() if name == "cores" else pa.scalar(value).type) for name, value in task.items()]
                + [("task_id", pa.string())]
            ),
        ),
        machines=[{"job_id": "w1", "machine_id": "node", "cores": 24, "mhz": 2500.5, "mem_bytes": 2.0**30}],
        task_edges=[{"job_id": "w1", "src_task": each, "dst_task": "c"} for each in ("a", "b")],
    )


def alibaba_2017(folder):
    """Two tasks of a job, of which one still waits."""
    task = {"job_id": 7, "n_instances": 3, "plan_cpu_pct": 50.0, "plan_mem_norm": 0.1}
    return save(
        folder,
        batch_task=[
            {**task, "task_id": 1, "create_s": -100, "end_s": 20, "status": "Terminated"},
            {**task, "task_id": 2, "create_s": 10, "end_s": 11, "status": "Waiting"},
        ],
    )


TASK_LINES = """\
M1,2,j_1,1,Terminated,100,106,100,0.3
R2_1,1,j_1,1,Terminated,107,110,50,0.3
J3_1_2,1,j_1,1,Terminated,111,120,50,0.3
task_Nzg3==,1,j_1,2,Failed,100,90,,
R2_7,1,j_2,1,Waiting,0,0,100,0.3
"""
INSTANCE_LINES = """\
ins_1,M1,j_1,1,Terminated,100,104,m_1,1,1,90,100,0.1,0.2
ins_2,M1,j_1,1,Failed,100,103,m_1,1,2,90,100,0.1,0.2
ins_2,M1,j_1,1,Terminated,103,105,m_2,2,2,90,100,0.1,0.2
ins_4,task_Nzg3==,j_1,1,Failed,100,90,m_2,1,1,,,,
ins_5,X,j_3,1,Running,200,0,,1,1,,,,
"""


def alibaba_2018(folder):
    """Tasks with and without edges, a second try, an instance that ends before it starts, and a task not listed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "batch_task.csv").write_text(TASK_LINES)
    (folder / "batch_instance.csv").write_text(INSTANCE_LINES)
    (folder / "machine_meta.csv").write_text("m_1,0,1,4,96,100,USING\nm_1,10,1,4,64,100,USING\n")
    with gzip.open(folder / "machine_usage.csv.gz", "wt") as file:
        file.write("m_1,10,50,101,1,1,1,1,-1\nm_1,20,40,30,1,1,1,1,2\nm_1,0,1,1,1,1,1,1,1\n")
    return folder


def events(folder):
    """One log of one application."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app-1").write_text(lines(log()))
    return folder


def native(folder):
    """Our own format."""
    write_trace(right(), folder)
    return folder


LAYOUTS = {
    "native": native,
    "spark_tpch_tasks": tpch_tasks,
    "spark_sql_logs": sql_logs,
    "spark_tpc_plans": tpc_plans,
    "wfinstances": workflow,
    "alibaba_2017_tasks": alibaba_2017,
    "alibaba_2018": alibaba_2018,
    "spark_events": events,
}
