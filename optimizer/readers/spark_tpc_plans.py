"""Plans and stages of real Spark runs of TPC-H and TPC-DS at 100 GB, on 16 executors of one core.

A query stage is a stage. Its estimated input was known before it started; what it read in the end is its input. An
instance is a partition of the shuffle that a stage reads: adaptive execution joins small ones, so fewer tasks ran, and
nothing else about them is known. A stage names the shuffles it reads by numbers: they count the stages that wrote one,
as sizes confirm. Edges are those of shuffles; which stage a broadcast came from was not recorded.
Source: udao-moo/udao-spark-optimizer, query plan samples.
"""

from __future__ import annotations

from pathlib import Path

from paretosql.optimizer.readers.reader import Reader, holds_only, readers
from paretosql.optimizer.readers.source import Source
from paretosql.optimizer.workload import Header, Trace

FILES = ("jobs", "query_stages", "operators", "operator_edges")
TEMPLATE = "benchmark || '-q' || query_id"
PARTITIONS = """
    SELECT job_id, qs_id, CAST(parent AS INTEGER) AS parent,
        CAST(json_extract(part_sizes, '$."' || parent || '"') AS BIGINT[]) AS sizes
    FROM (SELECT job_id, qs_id, part_sizes, unnest(json_keys(part_sizes)) AS parent FROM query_stages
        WHERE part_sizes IS NOT NULL)
"""
# sizes of partitions are estimates, a few per cent above what was written: the limits are our choice
EDGES = """
    SELECT DISTINCT p.job_id, s.qs_id AS src_stage, p.qs_id AS dst_stage, 'shuffle' AS kind,
        list_sum(sizes) BETWEEN 0.95 * shuf_write AND 1.4 * shuf_write AND s.qs_id < p.qs_id AS confirmed
    FROM partitions AS p LEFT JOIN (
        SELECT job_id, qs_id, shuf_write, row_number() OVER (PARTITION BY job_id ORDER BY qs_id) - 1 AS number
        FROM query_stages WHERE shuf_write > 0
    ) AS s ON s.job_id = p.job_id AND number = parent
"""
# one executor of one core runs one task at a time
SLOT = """
    SELECT job_id, benchmark, query_id, CAST(config ->> '$."spark.executor.instances"' AS INTEGER) AS parallelism,
        CASE WHEN config ->> '$."spark.executor.cores"' = '1' THEN 1.0 END AS cores,
        CASE WHEN config ->> '$."spark.executor.cores"' = '1' THEN
            1024 * CAST(regexp_extract(config ->> '$."spark.executor.memory"', '^(\\d+)g$', 1) AS INTEGER) END AS mem_mb
    FROM jobs
"""
QUERIES = {
    "jobs": f"""
        SELECT job_id, {TEMPLATE} AS template_id, benchmark AS workload, submit_ms, finish_ms, n_stages
        FROM jobs JOIN (SELECT job_id, count(*) AS n_stages FROM query_stages GROUP BY ALL) USING (job_id)
        ORDER BY job_id
    """,
    "stages": f"""
        SELECT job_id, qs_id AS stage_id, {TEMPLATE} || '/' || qs_id AS signature,
            CAST(latency_ms AS DOUBLE) AS latency_ms, CAST(total_task_ms AS DOUBLE) AS total_instance_ms,
            cores AS hbo_cpu, mem_mb AS hbo_mem_mb, in_read + shuf_read AS in_bytes,
            CAST(in_rows AS DOUBLE) AS est_rows, CAST(in_bytes AS DOUBLE) AS est_bytes, parallelism
        FROM query_stages JOIN slot USING (job_id) ORDER BY job_id, qs_id
    """,
    "stage_edges": "SELECT * EXCLUDE (confirmed) FROM edges WHERE confirmed ORDER BY ALL",
    "operators": """
        SELECT job_id, qs_id AS stage_id, op_id, op_type, CASE WHEN est_rows >= 0 THEN est_rows END AS est_rows,
            CASE WHEN est_bytes >= 0 THEN est_bytes END AS est_bytes,
            CASE WHEN is_runtime THEN '{"is_runtime": true}' ELSE '{"is_runtime": false}' END AS options
        FROM operators WHERE scope = 'qs_physical' ORDER BY job_id, qs_id, op_id
    """,
    "operator_edges": """
        SELECT DISTINCT job_id, qs_id AS stage_id, src AS src_op, dst AS dst_op
        FROM operator_edges WHERE scope = 'qs_physical' ORDER BY ALL
    """,
    "instances": """
        SELECT job_id, qs_id AS stage_id, instance_id, 0 AS attempt, CAST(sum(size) AS BIGINT) AS in_bytes
        FROM (SELECT job_id, qs_id, generate_subscripts(sizes, 1) - 1 AS instance_id, unnest(sizes) AS size
            FROM partitions)
        GROUP BY job_id, qs_id, instance_id ORDER BY job_id, qs_id, instance_id
    """,
}
NOTES = (
    "instances are partitions of shuffles: adaptive execution joined small ones, so fewer tasks ran",
    "edges of broadcasts are not recorded",
    "edges of shuffles whose sizes fit no stage, left out: {}",
)


def recognises(path: Path) -> bool:
    """A folder with these four files and no other tables."""
    return holds_only(path, FILES)


def read(path: Path) -> Trace:
    """Read the folder.

    Raises:
        DataError: a file is damaged or lacks a column.
    """
    source = Source(path)
    source.parquets(FILES)
    source.define("partitions", PARTITIONS)
    source.define("edges", EDGES)
    source.define("slot", SLOT)
    lost = source.number("SELECT count(*) FROM edges WHERE confirmed IS DISTINCT FROM true")
    header = Header(time_base="epoch", source=f"spark_tpc_plans: {path.name}", engine="spark")
    return Trace(
        header,
        {name: source.table(name, sql) for name, sql in QUERIES.items()},
        tuple(note.format(lost) for note in NOTES),
    )


readers.add("spark_tpc_plans", Reader("spark_tpc_plans", recognises, read))
