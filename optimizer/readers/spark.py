"""What Spark notes about an application, as tables of a trace.

A query is a job, a Spark task is an instance. Input is what was read from files and from shuffles; output is what was
written to either. A task is given one slot of its executor, so an executor's cores and memory are divided among its
slots. Machine states are derived: how many tasks of the application ran on a machine when one was launched there.

The queries below read six tables of one application, `jobs`, `stages`, `stage_edges`, `operators`, `instances` and
`machines`, and `slots` (one row: cores, mem_mb of a task). A job is called APPLICATION/QUERY.
"""

from __future__ import annotations

import pyarrow as pa

from paretosql.optimizer.readers.source import Source

# Spark reports a task again, without its metrics, when its executor is lost after its success: the first report counts.
# Task attempts begin at 0 again in each attempt of a stage.
TASKS = """
    SELECT *, stage_attempt * (1 + max(attempt) OVER (PARTITION BY job_id, stage_id)) + attempt AS try,
        max(peak_mem_bytes) OVER () > 0 AS has_peak -- some engines leave it at 0
    FROM instances
    QUALIFY row_number() OVER (
        PARTITION BY job_id, stage_id, stage_attempt, instance_id, attempt ORDER BY run_ms IS NULL, launch_ms) = 1
"""
# The input of a stage counts each instance once, whatever was tried how often.
SPANS = """
    SELECT job_id, stage_id, min(start_ms) AS start_ms, max(finish_ms) AS finish_ms, count(*) AS seen,
        sum(latency_ms) AS total_instance_ms, CAST(sum(in_rows) AS BIGINT) AS in_rows,
        CAST(sum(in_bytes) AS BIGINT) AS in_bytes
    FROM (
        SELECT job_id, stage_id, min(launch_ms) AS start_ms, max(finish_ms) AS finish_ms, sum(latency_ms) AS latency_ms,
            max_by(input_rows + shuffle_read_rows, try) FILTER (status = 'ok') AS in_rows,
            max_by(input_bytes + shuffle_read_local_bytes + shuffle_read_remote_bytes, try) FILTER (status = 'ok')
                AS in_bytes
        FROM tasks GROUP BY job_id, stage_id, instance_id
    ) GROUP BY ALL
"""
# An operator without metrics is in the stage of the operators around it: exchanges, which part stages, have metrics.
PLACED = """
    SELECT o.job_id, o.op_id, o.parent_op_id, o.op_type, o.actual_rows, o.actual_bytes, s.stage_id
    FROM operators AS o
    LEFT JOIN operators AS above ON above.job_id = o.job_id AND above.op_id = o.parent_op_id
        AND EXISTS (FROM operators AS below WHERE below.job_id = o.job_id AND below.parent_op_id = o.op_id
            AND below.stage_id = above.stage_id)
    LEFT JOIN last_stages AS s ON s.job_id = o.job_id AND s.stage_id = coalesce(o.stage_id, above.stage_id)
"""
LAST_STAGES = "FROM stages QUALIFY row_number() OVER (PARTITION BY job_id, stage_id ORDER BY stage_attempt DESC) = 1"
DEFINED = {"last_stages": LAST_STAGES, "tasks": TASKS, "spans": SPANS, "placed": PLACED}
QUERIES = {
    "jobs": """
        SELECT job_id, split_part(job_id, '/', 1) AS workload, submit_ms, start_ms, finish_ms, n_stages, status
        FROM (SELECT job_id, count(*) AS n_stages FROM last_stages GROUP BY ALL)
        LEFT JOIN jobs USING (job_id) -- a stage may be of no known query
        LEFT JOIN (SELECT job_id, min(launch_ms) AS start_ms FROM tasks GROUP BY ALL) USING (job_id)
        ORDER BY submit_ms, job_id
    """,
    # the driver notes the end of a stage some ms late; with all tasks at hand their last end is it
    "stages": """
        SELECT s.job_id, s.stage_id, left(md5(scopes), 16) AS signature, n_instances, submit_ms AS release_ms, start_ms,
            CASE WHEN seen = n_instances THEN t.finish_ms ELSE greatest(s.finish_ms, t.finish_ms) END AS finish_ms,
            CASE WHEN seen = n_instances THEN t.finish_ms - start_ms END AS latency_ms,
            CASE WHEN seen = n_instances THEN total_instance_ms END AS total_instance_ms,
            slots.cores AS hbo_cpu, CAST(floor(slots.mem_mb) AS INTEGER) AS hbo_mem_mb,
            CASE WHEN seen = n_instances THEN in_rows END AS in_rows,
            CASE WHEN seen = n_instances THEN in_bytes END AS in_bytes,
            parallelism
        FROM last_stages AS s LEFT JOIN spans AS t USING (job_id, stage_id), slots,
            (SELECT count(DISTINCT container_id) AS parallelism FROM tasks)
        ORDER BY s.job_id, s.stage_id
    """,
    "stage_edges": "SELECT DISTINCT job_id, src_stage, dst_stage, kind FROM stage_edges ORDER BY ALL",
    "operators": """
        SELECT job_id, stage_id, op_id, op_type, actual_rows, actual_bytes
        FROM placed WHERE stage_id IS NOT NULL ORDER BY job_id, op_id
    """,
    "operator_edges": """
        SELECT o.job_id, o.stage_id, o.op_id AS src_op, above.op_id AS dst_op
        FROM placed AS o JOIN placed AS above
        ON above.job_id = o.job_id AND above.op_id = o.parent_op_id AND above.stage_id = o.stage_id ORDER BY ALL
    """,
    "instances": """
        SELECT job_id, stage_id, instance_id, CAST(try AS INTEGER) AS attempt, machine_id, container_id,
            slots.cores AS cpu_cores, CAST(floor(slots.mem_mb) AS INTEGER) AS mem_mb,
            launch_ms AS start_ms, finish_ms, latency_ms,
            CASE WHEN run_ms IS NOT NULL THEN cpu_ms END AS cpu_ms, gc_ms, fetch_wait_ms AS wait_ms,
            input_rows + shuffle_read_rows AS in_rows,
            input_bytes + shuffle_read_local_bytes + shuffle_read_remote_bytes AS in_bytes,
            shuffle_read_remote_bytes AS in_remote_bytes,
            shuffle_write_rows + output_rows AS out_rows, shuffle_write_bytes + output_bytes AS out_bytes,
            CASE WHEN has_peak THEN peak_mem_bytes END AS peak_mem_bytes, spill_disk_bytes AS spill_bytes, status
        FROM tasks, slots ORDER BY job_id, stage_id, instance_id, attempt
    """,
    "machines": """
        SELECT machine_id, hw_type, total_task_slots * cores AS cpu_cores,
            CAST(floor(total_task_slots * mem_mb) AS INTEGER) AS mem_mb
        FROM machines, slots ORDER BY machine_id
    """,
    "machine_states": """
        WITH changes AS (
            SELECT machine_id, launch_ms AS ts_ms, 1 AS step FROM tasks WHERE machine_id IS NOT NULL
            UNION ALL SELECT machine_id, finish_ms, -1 FROM tasks WHERE machine_id IS NOT NULL AND finish_ms IS NOT NULL
        ), moments AS (
            SELECT machine_id, ts_ms, count(*) FILTER (step > 0) AS launched, sum(step) AS step
            FROM changes GROUP BY ALL
        ), running AS ( -- without those that are launched in this very ms
            SELECT machine_id, ts_ms, launched, CAST(greatest(
                sum(step) OVER (PARTITION BY machine_id ORDER BY ts_ms) - launched, 0) AS INTEGER) AS running_instances
            FROM moments
        )
        SELECT machine_id, ts_ms, running_instances,
            CASE WHEN total_task_slots > 0 THEN least(running_instances / total_task_slots, 1.0) END AS cpu_util
        FROM running JOIN machines USING (machine_id) WHERE launched > 0 ORDER BY machine_id, ts_ms
    """,
}
COUNTED = {
    "operators of no known stage, left out": "SELECT count(*) FROM placed WHERE stage_id IS NULL",
    "instances reported twice, kept once": "SELECT (SELECT count(*) FROM instances) - (SELECT count(*) FROM tasks)",
    "stages of which instances are missing": """
        SELECT count(*) FROM last_stages LEFT JOIN spans USING (job_id, stage_id) WHERE coalesce(seen, 0) < n_instances
    """,
}


def tables_of(source: Source) -> tuple[dict[str, pa.Table], tuple[str, ...]]:
    """The tables of a trace, and notes about what is missing from them."""
    for name, sql in DEFINED.items():
        source.define(name, sql)
    tables = {name: source.table(name, sql) for name, sql in QUERIES.items()}
    counts = {what: source.number(sql) for what, sql in COUNTED.items()}
    return tables, tuple(f"{source.place.name}: {what}: {count:,}" for what, count in counts.items() if count)
