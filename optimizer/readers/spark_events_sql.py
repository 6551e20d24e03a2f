"""Events of one Spark application as the tables that `spark` reads: SQL over `events` (file, line, event, body)."""

from __future__ import annotations

EVENTS = (
    "SparkListenerLogStart",
    "SparkListenerApplicationStart",
    "SparkListenerEnvironmentUpdate",
    "SparkListenerExecutorAdded",
    "SparkListenerExecutorRemoved",
    "SparkListenerJobStart",
    "SparkListenerJobEnd",
    "SparkListenerStageSubmitted",
    "SparkListenerStageCompleted",
    "SparkListenerTaskEnd",
    "SparkListenerSQLExecutionStart",
    "SparkListenerSQLExecutionEnd",
    "SparkListenerSQLAdaptiveExecutionUpdate",
)
# one task is given one core unless spark.task.cpus says more; without a unit memory is in MiB
APPLICATION = """
    SELECT coalesce(max(id) || coalesce('-attempt' || max(attempt), ''), '{name}') AS app, max(version) AS version,
        coalesce(max(cpus), 1) AS task_cpus,
        max(CAST(nullif(regexp_extract(memory, '^(\\d+)', 1), '') AS DOUBLE)
            * CASE regexp_extract(memory, '^\\d+([kmgt]?)', 1)
                WHEN 'k' THEN 1 / 1024 WHEN 'g' THEN 1024 WHEN 't' THEN 1048576 ELSE 1 END) AS executor_mem_mb
    FROM (
        SELECT body ->> 'App ID' AS id, body ->> 'App Attempt ID' AS attempt, body ->> 'Spark Version' AS version,
            CAST(body ->> '$."Spark Properties"."spark.task.cpus"' AS INTEGER) AS cpus,
            lower(body ->> '$."Spark Properties"."spark.executor.memory"') AS memory
        FROM events
        WHERE event IN ('SparkListenerLogStart', 'SparkListenerApplicationStart', 'SparkListenerEnvironmentUpdate')
    )
"""
SPARK_JOBS = """
    SELECT CAST(body -> 'Job ID' AS INTEGER) AS job_no, CAST(body -> 'Submission Time' AS BIGINT) AS submit_ms,
        coalesce('sql' || (body ->> '$.Properties."spark.sql.execution.id"'), 'job' || (body ->> 'Job ID')) AS name,
        CAST(body -> 'Stage Infos' AS JSON[]) AS stages
    FROM events WHERE event = 'SparkListenerJobStart'
"""
JOBS = """
    WITH ends AS (
        SELECT CAST(body -> 'Job ID' AS INTEGER) AS job_no, CAST(body -> 'Completion Time' AS BIGINT) AS finish_ms,
            body ->> '$."Job Result".Result' AS result FROM events WHERE event = 'SparkListenerJobEnd'
    ), queries AS (
        SELECT 'sql' || (body ->> 'executionId') AS name,
            min(CAST(body -> 'time' AS BIGINT)) FILTER (event = 'SparkListenerSQLExecutionStart') AS submit_ms,
            max(CAST(body -> 'time' AS BIGINT)) FILTER (event = 'SparkListenerSQLExecutionEnd') AS finish_ms
        FROM events WHERE event IN ('SparkListenerSQLExecutionStart', 'SparkListenerSQLExecutionEnd') GROUP BY ALL
    )
    SELECT app || '/' || name AS job_id,
        least(any_value(queries.submit_ms), min(spark_jobs.submit_ms)) AS submit_ms,
        CASE WHEN count(ends.finish_ms) = count(*) THEN greatest(any_value(queries.finish_ms), max(ends.finish_ms)) END
            AS finish_ms,
        CASE WHEN bool_or(result <> 'JobSucceeded') THEN 'failed'
             WHEN bool_and(coalesce(result, '') = 'JobSucceeded') THEN 'ok' END AS status
    FROM spark_jobs LEFT JOIN ends USING (job_no) LEFT JOIN queries USING (name), application GROUP BY app, name
"""
# The first RDD of a stage is what it makes: a skipped stage and the one that ran before it have the same.
LISTED = """
    SELECT DISTINCT ON (stage_id) stage_id, name, rdd, parents FROM (
        SELECT job_no, name, CAST(info -> 'Stage ID' AS INTEGER) AS stage_id,
            CAST(info -> '$."RDD Info"[0]."RDD ID"' AS INTEGER) AS rdd,
            CAST(info -> 'Parent IDs' AS INTEGER[]) AS parents
        FROM (SELECT job_no, name, unnest(stages) AS info FROM spark_jobs)
    ) ORDER BY stage_id, job_no
"""
STAGES = """
    WITH infos AS (
        SELECT body -> 'Stage Info' AS info
        FROM events WHERE event IN ('SparkListenerStageSubmitted', 'SparkListenerStageCompleted')
    ), attempts AS (
        SELECT CAST(info -> 'Stage ID' AS INTEGER) AS stage_id,
            CAST(info -> 'Stage Attempt ID' AS INTEGER) AS stage_attempt,
            any_value(CAST(info -> 'Number of Tasks' AS INTEGER)) AS n_instances,
            max(CAST(info -> 'Submission Time' AS BIGINT)) AS submit_ms,
            max(CAST(info -> 'Completion Time' AS BIGINT)) AS finish_ms,
            any_value(list_transform(info ->> '$."RDD Info"[*].Scope', lambda scope:
                regexp_replace(scope ->> 'name', ' \\(\\d+\\)$', ''))) AS scopes
        FROM infos GROUP BY ALL
    )
    SELECT coalesce(app || '/' || name, app) AS job_id, stage_id, stage_attempt,
        max(n_instances) OVER (PARTITION BY stage_id) AS n_instances, -- a later attempt runs only what is missing
        submit_ms, finish_ms, list_aggregate(list_sort(list_distinct(scopes)), 'string_agg', '|') AS scopes
    FROM attempts LEFT JOIN listed USING (stage_id), application
"""
EDGES = """
    WITH ran AS (SELECT DISTINCT stage_id FROM stages), makers AS (
        SELECT rdd, stage_id FROM listed SEMI JOIN ran USING (stage_id)
    )
    SELECT app || '/' || child.name AS job_id, src_stage, child.stage_id AS dst_stage, 'shuffle' AS kind
    FROM (
        SELECT child.stage_id, child.name, max(makers.stage_id) AS src_stage
        FROM (SELECT stage_id, name, unnest(parents) AS parent FROM listed SEMI JOIN ran USING (stage_id)) AS child
        JOIN listed AS p ON p.stage_id = child.parent
        JOIN makers ON makers.rdd = p.rdd AND makers.stage_id < child.stage_id
        GROUP BY child.stage_id, child.name, child.parent
    ) AS child JOIN listed AS source ON source.stage_id = src_stage AND source.name = child.name, application
"""
TASK = """{
    "Stage ID": "INTEGER", "Stage Attempt ID": "INTEGER", "Task End Reason": {"Reason": "VARCHAR"},
    "Task Info": {"Index": "INTEGER", "Attempt": "INTEGER", "Launch Time": "BIGINT", "Finish Time": "BIGINT",
        "Executor ID": "VARCHAR", "Host": "VARCHAR", "Killed": "BOOLEAN", "Failed": "BOOLEAN"},
    "Task Metrics": {"Executor Run Time": "BIGINT", "Executor CPU Time": "BIGINT", "JVM GC Time": "BIGINT",
        "Peak Execution Memory": "BIGINT", "Disk Bytes Spilled": "BIGINT",
        "Shuffle Read Metrics": {"Fetch Wait Time": "BIGINT", "Remote Bytes Read": "BIGINT",
            "Local Bytes Read": "BIGINT", "Total Records Read": "BIGINT"},
        "Shuffle Write Metrics": {"Shuffle Bytes Written": "BIGINT", "Shuffle Records Written": "BIGINT"},
        "Input Metrics": {"Bytes Read": "BIGINT", "Records Read": "BIGINT"},
        "Output Metrics": {"Bytes Written": "BIGINT", "Records Written": "BIGINT"}}}"""
INSTANCES = f"""
    WITH ends AS (
        SELECT line, t."Stage ID" AS stage_id, t."Stage Attempt ID" AS stage_attempt, t."Task Info" AS i,
            t."Task Metrics" AS m, t."Task End Reason".Reason AS reason
        FROM (SELECT line, json_transform(body, '{TASK}') AS t FROM events WHERE event = 'SparkListenerTaskEnd')
    )
    SELECT coalesce(app || '/' || name, app) AS job_id, stage_id, stage_attempt, i."Index" AS instance_id,
        i.Attempt AS attempt, app || '/' || i.Host AS machine_id, app || '/' || i."Executor ID" AS container_id,
        i."Launch Time" AS launch_ms, i."Finish Time" AS finish_ms, i."Finish Time" - i."Launch Time" AS latency_ms,
        m."Executor Run Time" AS run_ms, m."Executor CPU Time" / 1e6 AS cpu_ms, m."JVM GC Time" AS gc_ms,
        m."Input Metrics"."Records Read" AS input_rows, m."Input Metrics"."Bytes Read" AS input_bytes,
        m."Shuffle Read Metrics"."Total Records Read" AS shuffle_read_rows,
        m."Shuffle Read Metrics"."Local Bytes Read" AS shuffle_read_local_bytes,
        m."Shuffle Read Metrics"."Remote Bytes Read" AS shuffle_read_remote_bytes,
        m."Shuffle Read Metrics"."Fetch Wait Time" AS fetch_wait_ms,
        m."Shuffle Write Metrics"."Shuffle Records Written" AS shuffle_write_rows,
        m."Shuffle Write Metrics"."Shuffle Bytes Written" AS shuffle_write_bytes,
        m."Output Metrics"."Records Written" AS output_rows, m."Output Metrics"."Bytes Written" AS output_bytes,
        m."Peak Execution Memory" AS peak_mem_bytes, m."Disk Bytes Spilled" AS spill_disk_bytes,
        CASE WHEN reason IN ('Success', 'Resubmitted') THEN 'ok'
             WHEN reason = 'TaskKilled' OR i.Killed THEN 'killed' ELSE 'failed' END AS status
    FROM ends LEFT JOIN listed USING (stage_id), application
"""
EXECUTORS = """
    SELECT body ->> 'Executor ID' AS executor, body ->> '$."Executor Info".Host' AS host,
        CAST(body -> '$."Executor Info"."Total Cores"' AS INTEGER) AS cores,
        CAST(body -> 'Timestamp' AS BIGINT) AS at_ms
    FROM events WHERE event = 'SparkListenerExecutorAdded'
"""
SLOTS = """
    SELECT CAST(task_cpus AS DOUBLE) AS cores,
        executor_mem_mb * task_cpus / (SELECT CASE WHEN min(cores) = max(cores) THEN min(cores) END FROM executors)
            AS mem_mb
    FROM application
"""
# as many slots as a host had at once
MACHINES = """
    WITH steps AS (
        SELECT host, at_ms, cores FROM executors
        UNION ALL SELECT host, CAST(body -> 'Timestamp' AS BIGINT), -cores
        FROM events JOIN executors ON executor = body ->> 'Executor ID' WHERE event = 'SparkListenerExecutorRemoved'
    ), sizes AS (
        SELECT host, max(cores) AS cores FROM (
            SELECT host, sum(cores) OVER (PARTITION BY host ORDER BY at_ms, cores ROWS UNBOUNDED PRECEDING) AS cores
            FROM steps) GROUP BY ALL
    )
    SELECT app || '/' || host AS machine_id, NULL AS hw_type, cores / task_cpus AS total_task_slots
    FROM sizes, application
    UNION ALL SELECT machine_id, NULL, NULL FROM instances, application
    WHERE machine_id NOT IN (SELECT app || '/' || host FROM sizes) GROUP BY ALL
"""
DEFINED = {
    "application": APPLICATION,
    "spark_jobs": SPARK_JOBS,
    "jobs": JOBS,
    "listed": LISTED,
    "stages": STAGES,
    "stage_edges": EDGES,
    "instances": INSTANCES,
    "executors": EXECUTORS,
    "slots": SLOTS,
    "machines": MACHINES,
}
