"""A trace in twenty lines: how much there is, how long it took, how uneven it is, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from paretosql.optimizer.graphs import deepest, edges_of
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace_sql import Queries, sql_over
from paretosql.optimizer.workload import Trace

Row = tuple[str, str]
LATENCY = """
    SELECT count(*), min(latency_ms), quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 0.95), max(latency_ms)
    FROM instances WHERE latency_ms IS NOT NULL AND coalesce(status, 'ok') = 'ok'
"""
# the skew of a stage of one instance says nothing
SKEW = """
    SELECT count(*), quantile_cont(skew, 0.5), quantile_cont(skew, 0.95), max(skew) FROM (
        SELECT max(latency_ms) / median(latency_ms) AS skew FROM instances
        WHERE latency_ms IS NOT NULL AND coalesce(status, 'ok') = 'ok'
        GROUP BY job_id, stage_id HAVING count(*) > 1 AND median(latency_ms) > 0
    )
"""
SIZES = """
    SELECT quantile_cont(n_instances, 0.5), max(n_instances) FROM stages WHERE n_instances IS NOT NULL
"""
MOMENTS = (
    ("jobs", "submit_ms", "finish_ms"),
    ("stages", "release_ms", "finish_ms"),
    ("instances", "start_ms", "finish_ms"),
)


def describe(trace: Trace) -> pa.Table:
    """Facts about a trace, in columns `what` and `value`, both text.

    Raises:
        DataError: rows on disk do not fit the schema.
    """
    with sql_over(trace) as queries:
        rows = [*_header(trace), *_counts(trace), *_numbers(queries), *_unknown(queries, trace)]
    rows += [("note", note) for note in trace.notes]
    return pa.table({"what": [what for what, _ in rows], "value": [value for _, value in rows]})


def _header(trace: Trace) -> Iterator[Row]:
    header = trace.header
    for what in ("source", "engine", "created"):
        if value := getattr(header, what):
            yield what, value
    yield "times", "since 1970" if header.time_base == "epoch" else "since the start of the trace"


def _counts(trace: Trace) -> Iterator[Row]:
    for name in TABLES:
        yield name.replace("_", " "), f"{trace.count(name):,}"


def _numbers(queries: Queries) -> Iterator[Row]:
    ends = " UNION ALL ".join(
        f"SELECT min({first}) AS low, max({last}) AS high FROM {name}" for name, first, last in MOMENTS
    )
    low, high = queries.rows(f"SELECT min(low), max(high) FROM ({ends})")[0]
    yield "time span", "unknown" if low is None or high is None else f"{(high - low) / 1000:,.1f} s"
    middle, most = queries.rows(SIZES)[0]
    if most is not None:
        yield "instances of a stage", f"median {middle:,.0f}, most {most:,}"
    count, *values = queries.rows(LATENCY)[0]
    if count:
        names = ("least", "median", "95 %", "most")
        texts = (f"{name} {value:,.0f} ms" for name, value in zip(names, values, strict=True))
        yield "latency of an instance", ", ".join(texts)
    count, *values = queries.rows(SKEW)[0]
    if count:
        texts = (f"{name} {value:.2f}" for name, value in zip(("median", "95 %", "most"), values, strict=True))
        yield "slowest / median instance of a stage", ", ".join(texts)
    deep = deepest(edges_of(queries, "stage_edges")) + 1
    if len(deep):
        yield "stages one after the other", f"median {np.median(deep):.0f}, most {deep.max()}"
    for status, rows in queries.rows(
        "SELECT coalesce(status, 'unknown'), count(*) FROM instances GROUP BY ALL ORDER BY count(*) DESC"
    ):
        yield f"instances {status}", f"{rows:,}"


def _unknown(queries: Queries, trace: Trace) -> Iterator[Row]:
    """Columns without a value, and how many rows lack one in the others."""
    for name, schema in TABLES.items():
        total = trace.count(name)
        columns = [field.name for field in schema if field.nullable]
        if not total or not columns:
            continue
        counts = ", ".join(f"count({column})" for column in columns)
        known = dict(zip(columns, queries.rows(f"SELECT {counts} FROM {name}")[0], strict=True))
        never = [column for column, count in known.items() if not count]
        partly = [f"{column} {_share(1 - count / total)}" for column, count in known.items() if 0 < count < total]
        for what, found in ((f"never known in {name}", never), (f"partly unknown in {name}", partly)):
            if found:
                yield what, ", ".join(found)


def _share(part: float) -> str:
    """A share for people: what is there is never 0 %, what is missing never 100 %.

    >>> _share(0.001), _share(0.5), _share(0.999)
    ('<1 %', '50 %', '>99 %')
    """
    if part < 0.01:
        return "<1 %"
    return ">99 %" if part > 0.99 else f"{part:.0%}".replace("%", " %")
