"""The tasks of twelve hours of a cluster of 1300 machines: sizes and arrivals, nothing about single instances.

A task is a stage. It was created at some second and last changed at another, which is its end when it has ended. Times
are shifted so that the earliest is 0.
Source: Alibaba cluster-trace-v2017, table batch_task, under Alibaba's terms.
"""

from __future__ import annotations

from pathlib import Path

from paretosql.optimizer.readers.reader import Reader, holds_only, readers
from paretosql.optimizer.readers.source import Source
from paretosql.optimizer.workload import Header, Trace

TASKS = """
    SELECT job_id, task_id, n_instances, status, plan_cpu_pct, (create_s - first_s) * 1000 AS release_ms,
        CASE WHEN status IN ('Terminated', 'Failed') THEN (end_s - first_s) * 1000 END AS finish_ms
    FROM batch_task, (SELECT min(create_s) AS first_s FROM batch_task)
"""
QUERIES = {
    "jobs": """
        SELECT CAST(job_id AS VARCHAR) AS job_id, 'alibaba-2017' AS workload, min(release_ms) AS submit_ms,
            CASE WHEN count(finish_ms) = count(*) THEN max(finish_ms) END AS finish_ms, count(*) AS n_stages,
            CASE WHEN bool_or(status = 'Failed') THEN 'failed'
                 WHEN bool_and(status = 'Terminated') THEN 'ok' END AS status
        FROM tasks GROUP BY job_id ORDER BY tasks.job_id
    """,
    # 100 per cent are one core; memory is a share of a machine of unknown size
    "stages": """
        SELECT CAST(job_id AS VARCHAR) AS job_id, task_id AS stage_id, n_instances, release_ms, finish_ms,
            plan_cpu_pct / 100 AS hbo_cpu
        FROM tasks ORDER BY tasks.job_id, task_id
    """,
}
NOTES = ("nothing is known about instances, and no edges between stages",)


def recognises(path: Path) -> bool:
    """A folder with `batch_task.parquet` alone."""
    return holds_only(path, ("batch_task",))


def read(path: Path) -> Trace:
    """Read the folder.

    Raises:
        DataError: the file is damaged or lacks a column.
    """
    source = Source(path)
    source.parquets(("batch_task",))
    source.define("tasks", TASKS)
    header = Header(time_base="start", source=f"alibaba_2017_tasks: {path.name}", engine="fuxi")
    return Trace(header, {name: source.table(name, sql) for name, sql in QUERIES.items()}, NOTES)


readers.add("alibaba_2017_tasks", Reader("alibaba_2017_tasks", recognises, read))
