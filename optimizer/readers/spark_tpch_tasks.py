"""Durations of the tasks of real Spark runs of TPC-H, with 2 to 100 executors.

One run is one job: `tpch-q01-sf2` on ten executors is the job `tpch-q01-sf2-x10`. Its template is the query, so a
stage has one signature over all scales. Start times, machines, operators and sizes per task were not recorded.
Source: hongzimao/decima-sim (SIGCOMM 2019), tidied into Parquet.
"""

from __future__ import annotations

from pathlib import Path

from paretosql.optimizer.readers.reader import Reader, holds_only, readers
from paretosql.optimizer.readers.source import Source
from paretosql.optimizer.workload import Header, Trace

FILES = ("instances", "stages", "stage_edges")
RUN = "job_id || '-x' || n_executors"
TEMPLATE = "format('tpch-q{:02d}', query_id)"
TABLES = {
    "jobs": f"""
        SELECT {RUN} AS job_id, {TEMPLATE} AS template_id, 'tpch' AS workload, n_stages
        FROM runs ORDER BY query_id, scale_gb, n_executors
    """,
    # the planner knows the size of the input: a scale factor is a gigabyte of text
    "stages": f"""
        SELECT {RUN} AS job_id, stage_id, {TEMPLATE} || '/' || stage_id AS signature,
            coalesce(nullif(count(seq), 0), any_value(n_instances)) AS n_instances,
            scale_gb * 1e9 AS est_bytes, n_executors AS parallelism, sum(latency_ms) AS total_instance_ms
        FROM stages JOIN runs USING (job_id, query_id, scale_gb)
        LEFT JOIN instances USING (job_id, query_id, scale_gb, n_executors, stage_id)
        GROUP BY job_id, query_id, scale_gb, n_executors, stage_id ORDER BY query_id, scale_gb, n_executors, stage_id
    """,
    "stage_edges": f"""
        SELECT {RUN} AS job_id, src_stage, dst_stage
        FROM stage_edges JOIN runs USING (job_id) ORDER BY query_id, scale_gb, n_executors, src_stage, dst_stage
    """,
    "instances": f"""
        SELECT {RUN} AS job_id, stage_id, seq AS instance_id, 0 AS attempt, 1.0 AS cpu_cores, latency_ms,
            'ok' AS status, wave AS warmth
        FROM instances ORDER BY query_id, scale_gb, n_executors, stage_id, seq
    """,
}


def recognises(path: Path) -> bool:
    """A folder with these three files and no other tables."""
    return holds_only(path, FILES)


def read(path: Path) -> Trace:
    """Read the folder.

    Raises:
        DataError: a file is damaged or lacks a column.
    """
    source = Source(path)
    source.parquets(FILES)
    source.define(
        "runs",
        """
        SELECT job_id, query_id, scale_gb, n_executors, count(DISTINCT s.stage_id) AS n_stages
        FROM (SELECT DISTINCT job_id, query_id, scale_gb, n_executors FROM instances)
        JOIN stages AS s USING (job_id, query_id, scale_gb) GROUP BY ALL
        """,
    )
    header = Header(time_base="start", source=f"spark_tpch_tasks: {path.name}", engine="spark")
    return Trace(header, {name: source.table(name, sql) for name, sql in TABLES.items()})


readers.add("spark_tpch_tasks", Reader("spark_tpch_tasks", recognises, read))
