"""Runs of scientific workflows on several machines, with processor time, files and memory of each task.

A stage is all tasks of one program at one depth of the graph of tasks: a program may run again on its own results.
The machines of two runs may have the same names and still be others, so a machine is named `RUN/MACHINE`. Input and
output are the files of a task. Times of day were not recorded.
Source: wfcommons/WfInstances.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from paretosql.optimizer.graphs import depths
from paretosql.optimizer.readers.reader import Reader, holds_only, readers
from paretosql.optimizer.readers.source import Source
from paretosql.optimizer.workload import Header, Trace

FILES = ("jobs", "instances", "machines", "task_edges")
TASKS = """
    SELECT i.*, family, row_number() OVER (ORDER BY job_id, task_id) - 1 AS node
    FROM instances AS i JOIN jobs USING (job_id)
"""
EDGES = """
    SELECT s.node AS src, d.node AS dst FROM task_edges AS e
    JOIN tasks AS s ON s.job_id = e.job_id AND s.task_id = src_task
    JOIN tasks AS d ON d.job_id = e.job_id AND d.task_id = dst_task
"""
PLACED = """
    SELECT tasks.*, depth, dense_rank() OVER (PARTITION BY job_id ORDER BY depth, stage) - 1 AS stage_id
    FROM tasks JOIN depths USING (node)
"""
QUERIES = {
    "jobs": """
        SELECT job_id, family AS template_id, family AS workload, count(DISTINCT stage_id) AS n_stages
        FROM placed GROUP BY ALL ORDER BY job_id
    """,
    "stages": """
        SELECT job_id, stage_id, concat_ws('/', family, stage, depth) AS signature, count(*) AS n_instances,
            sum(latency_s) * 1000 AS total_instance_ms, CAST(sum(in_file_bytes) AS BIGINT) AS in_bytes
        FROM placed GROUP BY job_id, stage_id, family, stage, depth ORDER BY job_id, stage_id
    """,
    "stage_edges": """
        SELECT DISTINCT s.job_id, s.stage_id AS src_stage, d.stage_id AS dst_stage
        FROM edges JOIN placed AS s ON s.node = src JOIN placed AS d ON d.node = dst ORDER BY ALL
    """,
    "instances": """
        SELECT job_id, stage_id,
            row_number() OVER (PARTITION BY job_id, stage_id ORDER BY task_id) - 1 AS instance_id, 0 AS attempt,
            job_id || '/' || machine_id AS machine_id, cores AS cpu_cores, latency_s * 1000 AS latency_ms,
            avg_cpu_pct / 100 * latency_s * 1000 AS cpu_ms, in_file_bytes AS in_bytes, out_file_bytes AS out_bytes,
            CAST(peak_mem_bytes AS BIGINT) AS peak_mem_bytes, 'ok' AS status
        FROM placed ORDER BY job_id, stage_id, instance_id
    """,
    "machines": """
        SELECT job_id || '/' || machine_id AS machine_id, cores AS cpu_cores,
            CAST(floor(mem_bytes / 1048576) AS INTEGER) AS mem_mb, mhz AS cpu_mhz
        FROM machines ORDER BY machine_id
    """,
}


def recognises(path: Path) -> bool:
    """A folder with these four files and no other tables."""
    return holds_only(path, FILES)


def read(path: Path) -> Trace:
    """Read the folder.

    Raises:
        DataError: a file is damaged or lacks a column, or tasks wait for each other.
    """
    source = Source(path)
    source.parquets(FILES)
    source.define("tasks", TASKS)
    source.define("edges", EDGES)
    edges, nodes = source.arrow("FROM edges"), source.number("SELECT count(*) FROM tasks")
    depth = depths(edges["src"].to_numpy(), edges["dst"].to_numpy(), nodes)
    source.register("depths", pa.table({"node": range(nodes), "depth": depth}))
    source.define("placed", PLACED)
    header = Header(time_base="start", source=f"wfinstances: {path.name}")
    return Trace(header, {name: source.table(name, sql) for name, sql in QUERIES.items()})


readers.add("wfinstances", Reader("wfinstances", recognises, read))
