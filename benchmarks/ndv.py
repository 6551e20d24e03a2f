"""Distinct counts of every column of TPC-H lineitem: time and error against DuckDB's own two ways to count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import partial

import paretosql
from benchmarks import tpch
from benchmarks.harness import Row, Setting, benchmark
from benchmarks.timing import median, median_ratio, take_turns

RATES = (0.01, 0.1)
METHODS = ("auto", "profile_nnls", "ae", "duj2a", "duj1", "chao", "gee")  # duj1 is the rule of PostgreSQL


@benchmark("ndv/columns", unit="s, relative error", lower_is_better=True, minutes=1.5)
def columns(setting: Setting) -> Iterator[Row]:
    """`ndv(x)` for each column of lineitem, beside `approx_count_distinct(x)` and `count(DISTINCT x)` on the same
    connection and the same Parquet file; a ratio is the time of `ndv(x)` divided by the other.
    """
    rounds = max(1, setting.rounds // 2)
    rows: list[Row] = []
    with paretosql.connect() as con:
        for name in _open(con, setting):
            programs = {
                "ndv": partial(_value, con, f"SELECT ndv({name}) FROM lineitem"),
                "approx": partial(_value, con, f"SELECT approx_count_distinct({name}) FROM lineitem"),
                "exact": partial(_value, con, f"SELECT count(DISTINCT {name}) FROM lineitem"),
            }
            times = take_turns(programs, rounds)
            found = {each: program() for each, program in programs.items()}
            row = Row(column=name, distinct=found["exact"])
            for each in programs:
                row[f"{each}_s"] = median(times, each)
            for each in ("ndv", "approx"):
                row[f"{each}_error"] = found[each] / found["exact"] - 1
            for each in ("approx", "exact"):
                row[f"ndv / {each}_ratio"] = median_ratio(times, "ndv", each)
            rows.append(row)
        con.close()
    yield from rows
    yield _summary(rows)


def _summary(rows: list[Row]) -> Row:
    """Medians of the ratios, means of the sizes of the errors."""
    last = Row(column="median ratio, mean size of error")
    for name in rows[0]:
        values = [value for row in rows if isinstance(value := row[name], float)]
        if name.endswith("_ratio"):
            last[name] = statistics.median(values)
        elif name.endswith("_error"):
            last[name] = statistics.fmean(map(abs, values))
    return last


@benchmark("ndv/sampled", unit="factor between estimate and truth", lower_is_better=True, minutes=0.2)
def sampled(setting: Setting) -> Iterator[Row]:
    """`ndv(x, method => .., rate => ..)` for each column of lineitem: the larger of estimate/truth and truth/estimate,
    1 is perfect. No estimator can be good on every column of a small sample.
    """
    with paretosql.connect() as con:
        for name in _open(con, setting):
            truth = _value(con, f"SELECT count(DISTINCT {name}) FROM lineitem")
            row = Row(column=name, distinct=truth)
            for rate in RATES:
                calls = ", ".join(
                    f"ndv({name}, method => '{method}', rate => {rate}, seed => {setting.seed})" for method in METHODS
                )
                began = time.perf_counter()
                estimates = con.execute(f"SELECT {calls} FROM lineitem").fetchall()[0]
                row[f"{rate:.0%}_s"] = time.perf_counter() - began
                for method, estimate in zip(METHODS, estimates, strict=True):
                    row[f"{method}_{rate:.0%}_off"] = _off(estimate, truth)
            yield row
        con.close()


def _open(con: paretosql.Connection, setting: Setting) -> list[str]:
    """Make the tables known; the columns of lineitem."""
    tpch.create_views(con, tpch.folder(setting.scale))
    return [str(row[0]) for row in con.execute("DESCRIBE lineitem").fetchall()]


def _value(con: paretosql.Connection, sql: str) -> int:
    ((value,),) = con.execute(sql).fetchall()
    return int(value)


def _off(estimate: int, truth: int) -> float:
    return max(estimate / truth, truth / max(estimate, 1))
