"""Event logs of real Spark SQL applications, tidied into Parquet: a folder for one application, or one of several.

A part of the tasks is not in these files, so the load of a machine may have been larger than its state says.
Source: NVIDIA/spark-rapids-tools, event logs among its tests.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from paretosql.optimizer.readers.reader import Reader, readers
from paretosql.optimizer.readers.source import Source, quoted
from paretosql.optimizer.readers.spark import tables_of
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.workload import Header, Trace

FILES = ("jobs", "stages", "operators", "instances", "machines")
EDGES = """
    SELECT e.job_id, src_stage, dst_stage,
        CASE WHEN contains(scopes, 'BroadcastExchange') THEN 'broadcast'
             WHEN contains(scopes, 'Exchange') THEN 'shuffle' END AS kind
    FROM read_parquet({file}) AS e JOIN stages AS s ON s.job_id = e.job_id AND s.stage_id = src_stage
"""
# An executor whose tasks are all missing would make slots look larger: the machine with most executors decides.
SLOTS = """
    SELECT container_cores / per_container AS cores, container_mem_mb / per_container AS mem_mb FROM
        (SELECT max(container_cores) AS container_cores, max(container_mem_mb) AS container_mem_mb FROM stages),
        (SELECT min(total_task_slots / containers) AS per_container FROM machines JOIN
            (SELECT machine_id, count(DISTINCT container_id) AS containers FROM instances GROUP BY ALL)
            USING (machine_id))
"""


def _is_application(path: Path) -> bool:
    return {file.stem for file in path.glob("*.parquet")} == {*FILES, "stage_edges"} and not (
        path / "trace.json"
    ).exists()


def _applications(path: Path) -> list[Path]:
    return [path] if _is_application(path) else sorted(filter(_is_application, path.iterdir()))


def recognises(path: Path) -> bool:
    """A folder with the six files of an application, or a folder of such folders."""
    return path.is_dir() and bool(_applications(path))


def read(path: Path) -> Trace:
    """Read one application or all applications of a folder.

    Raises:
        DataError: a file is damaged or lacks a column.
    """
    parts = [_read_application(each) for each in _applications(path)]
    tables = {name: pa.concat_tables([part[0][name] for part in parts]) for name in TABLES}
    engine = ", ".join(sorted({part[1] for part in parts}))
    header = Header(time_base="epoch", source=f"spark_sql_logs: {path.name}", engine=engine)
    return Trace(header, tables, tuple(note for part in parts for note in part[2]))


def _read_application(folder: Path) -> tuple[dict[str, pa.Table], str, tuple[str, ...]]:
    source = Source(folder)
    for name in FILES:
        source.parquet(name, folder / f"{name}.parquet", ", NULL AS status" if name == "jobs" else "")
    source.view("stage_edges", EDGES.format(file=quoted(folder / "stage_edges.parquet")))
    source.define("slots", SLOTS)
    tables, notes = tables_of(source)
    return tables, source.text("SELECT string_agg(DISTINCT engine, ', ' ORDER BY engine) FROM jobs"), notes


readers.add("spark_sql_logs", Reader("spark_sql_logs", recognises, read))
