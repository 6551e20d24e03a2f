"""What it costs to run ordinary SQL through ParetoSQL instead of DuckDB alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import duckdb

import paretosql
from benchmarks import tpch
from benchmarks.harness import Row, Setting, benchmark
from benchmarks.timing import median, median_ratio, take_turns

REPEATS = 200  # statements in one turn of the small ones; our choice


@benchmark("overhead/tpch", unit="ratio of wall time", lower_is_better=True, minutes=3.0)
def queries(setting: Setting) -> Iterator[Row]:
    """The 22 TPC-H queries over views of the same Parquet files, `execute` and `fetchall`, through ParetoSQL and
    through DuckDB alone: one process, one connection each, default threads, two turns per round. The ratio is the
    median over turns. The last column compares DuckDB with a second DuckDB connection in the same turns: how far it is
    from 1 is the noise of this machine.
    """
    data = tpch.folder(setting.scale)
    with paretosql.connect() as ours, duckdb.connect() as theirs, duckdb.connect() as again:
        connections = {"ours": ours, "duckdb": theirs, "again": again}
        for con in connections.values():
            tpch.create_views(con, data)
        ratios: dict[str, float] = {}
        noise: dict[str, float] = {}
        for name, sql in tpch.queries().items():
            programs = {each: partial(_read, con, sql) for each, con in connections.items()}
            times = take_turns(programs, 2 * setting.rounds)
            ratios[name] = median_ratio(times, "ours", "duckdb")
            noise[name] = median_ratio(times, "again", "duckdb")
            yield Row(
                query=name,
                duckdb_s=median(times, "duckdb"),
                paretosql_s=median(times, "ours"),
                ratio=ratios[name],
                **{"duckdb again_ratio": noise[name]},
            )
        for name, choose in (("median", statistics.median), ("largest", max)):
            yield Row(query=name, ratio=choose(ratios.values()), **{"duckdb again_ratio": choose(noise.values())})
        ours.close()


def _read(con: Any, sql: str) -> list[Any]:
    rows: list[Any] = con.execute(sql).fetchall()
    return rows


@benchmark("overhead/small", unit="µs per statement or per 1,000 rows", lower_is_better=True, minutes=0.3)
def small(setting: Setting) -> Iterator[Row]:
    """The fixed cost of a statement, which shows when it does almost nothing, and the cost of handing over rows."""
    with paretosql.connect(autocommit=True) as ours, duckdb.connect() as theirs:
        for con in (ours, theirs):
            con.execute("CREATE TABLE t (a INTEGER)")
            con.execute("CREATE TABLE r AS SELECT range AS a, range::VARCHAR AS b FROM range(100_000)")
        for name, (units, work) in _WORKS.items():
            times = take_turns({"ours": partial(work, ours), "duckdb": partial(work, theirs)}, setting.rounds)
            scale = 1e6 / units
            yield Row(
                work=name,
                duckdb_us=median(times, "duckdb") * scale,
                paretosql_us=median(times, "ours") * scale,
                ratio=median_ratio(times, "ours", "duckdb"),
            )
        ours.close()


def _repeat(con: Any, sql: str, parameters: list[int] | None = None) -> None:
    for _ in range(REPEATS):
        con.execute(sql, parameters).fetchall()


def _insert(con: Any) -> None:
    for _ in range(REPEATS):
        con.execute("INSERT INTO t VALUES (?)", [1])


def _one_by_one(con: Any) -> None:
    cursor = con.execute("SELECT * FROM r")
    while cursor.fetchone() is not None:
        pass


def _arrow(con: Any) -> None:
    result = con.sql("SELECT * FROM r")
    result.arrow() if isinstance(result, paretosql.Result) else result.to_arrow_table()


# name -> (units in one turn, work)
_WORKS: dict[str, tuple[int, Callable[[Any], object]]] = {
    "SELECT 42": (REPEATS, partial(_repeat, sql="SELECT 42")),
    "SELECT ? + 1, one parameter": (REPEATS, partial(_repeat, sql="SELECT ? + 1", parameters=[41])),
    "INSERT of one row, each its own transaction": (REPEATS, _insert),
    "1,000 rows with fetchall": (100, partial(_read, sql="SELECT * FROM r")),
    "1,000 rows with fetchone": (100, _one_by_one),
    "1,000 rows as Arrow": (100, _arrow),
}
