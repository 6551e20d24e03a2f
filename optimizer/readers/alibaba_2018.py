"""Eight days of a cluster of 4000 machines with all instances: CSV files without headers, plain or gzipped.

    batch_task.csv  batch_instance.csv  machine_meta.csv  machine_usage.csv

Files may be absent, but for one of the first two. A task is a stage; its name tells the stages it waits for: `R4_2` is
stage 4, after stage 2. Other tasks have no edges and get the numbers after those. Times are seconds in the files, so a
latency is right to a second, and 0 where both times are equal. Memory is a share of a machine of unknown size and is
left out. Files of any size are read, in a stream, into a temporary folder (TMPDIR), which lives as long as the trace.
Source: Alibaba cluster-trace-v2018, columns as in its schema.txt, under Alibaba's terms.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.dataset as ds

from paretosql.errors import DataError, compose
from paretosql.optimizer.readers.reader import Reader, readers
from paretosql.optimizer.readers.source import Source, quoted
from paretosql.optimizer.workload import Header, Trace

FILES = {
    "batch_task": "task_name VARCHAR, instance_num BIGINT, job_name VARCHAR, task_type VARCHAR, status VARCHAR, "
    "start_time BIGINT, end_time BIGINT, plan_cpu DOUBLE, plan_mem DOUBLE",
    "batch_instance": "instance_name VARCHAR, task_name VARCHAR, job_name VARCHAR, task_type VARCHAR, status VARCHAR, "
    "start_time BIGINT, end_time BIGINT, machine_id VARCHAR, seq_no BIGINT, total_seq_no BIGINT, cpu_avg DOUBLE, "
    "cpu_max DOUBLE, mem_avg DOUBLE, mem_max DOUBLE",
    "machine_meta": "machine_id VARCHAR, time_stamp BIGINT, failure_domain_1 VARCHAR, failure_domain_2 VARCHAR, "
    "cpu_num BIGINT, mem_size DOUBLE, status VARCHAR",
    "machine_usage": "machine_id VARCHAR, time_stamp DOUBLE, cpu_util_percent DOUBLE, mem_util_percent DOUBLE, "
    "mem_gps DOUBLE, mkpi DOUBLE, net_in DOUBLE, net_out DOUBLE, disk_io_percent DOUBLE",
}
STATUS = """
    CASE status WHEN 'Terminated' THEN 'ok' WHEN 'Failed' THEN 'failed'
        WHEN 'Interrupted' THEN 'killed' WHEN 'Cancelled' THEN 'killed' END AS status
"""
# 0 means before or after the eight days
TIMES = """
    CASE WHEN start_time > 0 AND (end_time <= 0 OR end_time IS NULL OR end_time >= start_time)
        THEN start_time * 1000 END AS start_ms,
    CASE WHEN end_time > 0 AND (start_time <= 0 OR start_time IS NULL OR end_time >= start_time)
        THEN end_time * 1000 END AS finish_ms,
    start_time > 0 AND end_time > 0 AND end_time < start_time AS reversed
"""
INSTANCES = f"""
    SELECT job_name, task_name, CAST(nullif(regexp_extract(instance_name, '^ins_(\\d+)$', 1), '') AS INTEGER)
        AS instance_id, CAST(greatest(coalesce(seq_no, 1), 1) - 1 AS INTEGER) AS attempt, machine_id,
        CASE WHEN cpu_avg >= 0 THEN cpu_avg / 100 END AS cores_used, {STATUS}, {TIMES}
    FROM batch_instance
"""
SPANS = """
    SELECT job_name, task_name, count(*) AS seen, min(start_ms) AS start_ms, max(finish_ms) AS finish_ms,
        count(finish_ms) = count(*) AS ended
    FROM (SELECT job_name, task_name, instance_id, min(start_ms) AS start_ms,
            CASE WHEN count(finish_ms) = count(*) THEN max(finish_ms) END AS finish_ms
        FROM instances GROUP BY ALL)
    GROUP BY ALL
"""
TASKS = f"""
    SELECT job_name, task_name, instance_num, plan_cpu, {STATUS}, {TIMES} FROM batch_task
    QUALIFY row_number() OVER (PARTITION BY job_name, task_name ORDER BY end_time DESC) = 1
"""
# A number that is used twice, or is none, makes way: such tasks come after the others.
NUMBERED = """
    WITH named AS (
        SELECT job_name, task_name, instance_num, plan_cpu, status, seen, ended,
            least(t.start_ms, s.start_ms) AS start_ms, t.finish_ms AS task_finish_ms, s.finish_ms AS last_ms,
            TRY_CAST(nullif(regexp_extract(task_name, '^[A-Za-z]+(\\d+)(?:_\\d+)*$', 1), '') AS INTEGER) AS number
        FROM tasks AS t FULL JOIN spans AS s USING (job_name, task_name)
    ), ranked AS (
        SELECT *, number IS NOT NULL
            AND row_number() OVER (PARTITION BY job_name, number ORDER BY task_name) = 1 AS first FROM named
    )
    SELECT *, CAST(CASE WHEN first THEN number ELSE coalesce(max(number) OVER (PARTITION BY job_name), 0)
        + row_number() OVER (PARTITION BY job_name, first ORDER BY task_name) END AS INTEGER) AS stage_id
    FROM ranked
"""
EDGES = """
    SELECT DISTINCT job_name, CAST(parent AS BIGINT) AS src_stage, stage_id AS dst_stage
    FROM (SELECT job_name, stage_id, unnest(string_split(task_name, '_')[2:]) AS parent
        FROM numbered WHERE number IS NOT NULL)
"""
KNOWN_EDGES = (
    "FROM edges AS e SEMI JOIN numbered AS p ON p.job_name = e.job_name AND p.stage_id = src_stage AND p.first"
)
QUERIES = {
    "jobs": """
        SELECT job_name AS job_id, 'alibaba-2018' AS workload, min(start_ms) AS start_ms,
            CASE WHEN count(finish_ms) = count(*) THEN max(finish_ms) END AS finish_ms, count(*) AS n_stages,
            CASE WHEN bool_or(status = 'failed') THEN 'failed'
                 WHEN bool_and(coalesce(status, '') = 'ok') THEN 'ok' END AS status
        FROM stages GROUP BY job_name ORDER BY job_name
    """,
    "stages": """
        SELECT job_name AS job_id, stage_id, instance_num AS n_instances, start_ms, finish_ms,
            finish_ms - start_ms AS latency_ms, plan_cpu / 100 AS hbo_cpu
        FROM stages ORDER BY job_name, stage_id
    """,
    "stage_edges": f"SELECT job_name AS job_id, src_stage, dst_stage {KNOWN_EDGES} ORDER BY ALL",
    "instances": """
        SELECT i.job_name AS job_id, stage_id, instance_id, attempt, machine_id, plan_cpu / 100 AS cpu_cores,
            i.start_ms, i.finish_ms, i.finish_ms - i.start_ms AS latency_ms,
            cores_used * (i.finish_ms - i.start_ms) AS cpu_ms, i.status
        FROM instances AS i JOIN stages AS s ON s.job_name = i.job_name AND s.task_name = i.task_name
    """,
    "machines": """
        SELECT machine_id, cpu_num AS cpu_cores, failure_domain_1 AS failure_domain
        FROM (FROM machine_meta QUALIFY row_number() OVER (PARTITION BY machine_id ORDER BY time_stamp DESC) = 1)
        FULL JOIN (SELECT machine_id FROM instances WHERE machine_id IS NOT NULL UNION SELECT machine_id FROM usage)
        USING (machine_id) ORDER BY machine_id
    """,
    # other values than 0 to 100 are invalid
    "machine_states": """
        SELECT machine_id, ts_ms,
            any_value(cpu_util_percent / 100) FILTER (cpu_util_percent BETWEEN 0 AND 100) AS cpu_util,
            any_value(mem_util_percent / 100) FILTER (mem_util_percent BETWEEN 0 AND 100) AS mem_util,
            any_value(disk_io_percent / 100) FILTER (disk_io_percent BETWEEN 0 AND 100) AS io_util
        FROM usage WHERE ts_ms > 0 GROUP BY machine_id, ts_ms ORDER BY machine_id, ts_ms
    """,
}
# where instances are missing, one of them may have been the last
STAGES = """
    SELECT *, CASE WHEN ended AND seen = instance_num AND last_ms >= start_ms THEN last_ms
        ELSE greatest(task_finish_ms, last_ms) END AS finish_ms
    FROM numbered
"""
COUNTED = {
    "instances that end before they start, now without times": "SELECT count(*) FROM instances WHERE reversed",
    "instances without start or end": "SELECT count(*) FROM instances WHERE start_ms IS NULL OR finish_ms IS NULL",
    "tasks that end before they start, now without times": "SELECT count(*) FROM tasks WHERE reversed",
    "tasks listed more than once, kept once": "SELECT (SELECT count(*) FROM batch_task) - (SELECT count(*) FROM tasks)",
    "tasks whose number another task has": "SELECT count(*) FROM numbered WHERE number IS NOT NULL AND NOT first",
    "edges from tasks that are not listed, left out": f"""
        SELECT (SELECT count(*) FROM edges) - (SELECT count(*) {KNOWN_EDGES})
    """,
    "machine states without a time, left out": "SELECT count(*) FROM usage WHERE ts_ms <= 0 OR ts_ms IS NULL",
}
KEPT = {
    "instances": INSTANCES,
    "usage": "SELECT * EXCLUDE (time_stamp), CAST(time_stamp * 1000 AS BIGINT) AS ts_ms FROM machine_usage",
}
DEFINED = {"tasks": TASKS, "spans": SPANS, "numbered": NUMBERED, "stages": STAGES, "edges": EDGES}


def _file(path: Path, name: str) -> Path | None:
    found = [file for file in (path / f"{name}.csv", path / f"{name}.csv.gz") if file.is_file()]
    if len(found) > 1:
        raise DataError(compose(f"{path} has both {found[0].name} and {found[1].name}", hint="keep one of the two."))
    return found[0] if found else None


def recognises(path: Path) -> bool:
    """A folder with a CSV file of tasks or of instances."""
    return any(
        (path / f"{name}.csv{end}").is_file() for name in ("batch_task", "batch_instance") for end in ("", ".gz")
    )


def read(path: Path) -> Trace:
    """Read the folder.

    Raises:
        DataError: names file and line of a value that does not fit its column.
    """
    folder = tempfile.TemporaryDirectory(prefix="paretosql-")
    try:
        tables, notes = _read(path, Path(folder.name))
    except BaseException:
        folder.cleanup()  # an interrupted program may not come to do it at its end
        raise
    header = Header(time_base="start", source=f"alibaba_2018: {path.name}", engine="fuxi")
    return Trace(header, tables, notes, holds=folder)


def _read(path: Path, place: Path) -> tuple[dict[str, ds.Dataset], tuple[str, ...]]:
    source = Source(path, place)
    for name, columns in FILES.items():
        _view(source, name, columns, _file(path, name))
    for name, sql in KEPT.items():
        source.keep(name, sql, place)
    for name, sql in DEFINED.items():
        source.define(name, sql)
    tables = {name: source.data_set(name, sql, place) for name, sql in QUERIES.items()}
    counts = {what: source.number(sql) for what, sql in COUNTED.items()}
    for name in KEPT:
        (place / f"{name}.kept.parquet").unlink()
    return tables, tuple(f"{what}: {count:,}" for what, count in counts.items() if count)


def _view(source: Source, name: str, columns: str, file: Path | None) -> None:
    names = [column.split() for column in columns.split(", ")]
    if file is None:
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in names)
        source.view(name, f"SELECT {empty} WHERE false")
        return
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in names)
    source.view(
        name,
        f"SELECT * FROM read_csv({quoted(file)}, header = false, auto_detect = false, delim = ',', quote = '', "
        f"escape = '', nullstr = '', columns = {{{types}}})",
    )


readers.add("alibaba_2018", Reader("alibaba_2018", recognises, read))
