"""Does a trace contradict itself? Every rule is one query, so a trace larger than memory is checked as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from paretosql.errors import DataError, compose
from paretosql.optimizer.graphs import COLUMNS, cyclic, edges_of
from paretosql.optimizer.rules import Rule, rules_of
from paretosql.optimizer.schema import KEYS, TABLES
from paretosql.optimizer.trace_sql import Queries, sql_over
from paretosql.optimizer.workload import Trace


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, at the first row that shows it.

    Attributes:
        row: position in the table, from 0.
        rows: how many rows are like this one.
        text: key, value and what is wrong with it.
    """

    table: str
    row: int
    column: str
    text: str
    hint: str = ""
    rows: int = 1

    def __str__(self) -> str:
        more = f" (and {self.rows - 1:,} more rows)" if self.rows > 1 else ""
        return f"{self.table}, row {self.row:,}, {self.text}{more}"


def check(trace: Trace) -> None:
    """Refuse a trace that contradicts itself.

    Raises:
        DataError: names the table, the row and its key, the value, and what would be right.
    """
    found = problems(trace, limit=2)
    if found:
        more = "\nparetosql trace check DIR lists what else is wrong." if len(found) > 1 else ""
        raise DataError(compose(f"the trace is wrong: {found[0]}", hint=f"{found[0].hint}{more}"))


def problems(trace: Trace, limit: int = 20) -> list[Problem]:
    """What is wrong with a trace, in the order of its tables: for every rule that is broken the first row.

    Args:
        limit: stop after so many.
    Raises:
        DataError: rows on disk do not fit the schema.
    """
    with sql_over(trace) as queries:
        return list(islice(_problems(queries, trace), limit))


def _problems(queries: Queries, trace: Trace) -> Iterator[Problem]:
    for table in TABLES:
        if not trace.count(table):
            continue
        for source, rules in groupby(rules_of(table, trace.header.time_base), key=lambda rule: rule.source):
            yield from _broken(queries, table, source, list(rules))
        if table in COLUMNS:
            yield from _cycles(queries, table)


def _broken(queries: Queries, table: str, source: str, rules: list[Rule]) -> Iterator[Problem]:
    """Count the bad rows of all rules of one source in one pass, then find the first row of each that has some."""
    counts = ", ".join(f"count(*) FILTER ({rule.bad})" for rule in rules)
    totals = queries.rows(f"SELECT {counts} FROM {source.format(rows=table)}")[0]
    for rule, total in zip(rules, totals, strict=True):
        if total:
            yield _first(queries, rule, total)


def _first(queries: Queries, rule: Rule, total: int) -> Problem:
    numbered = f"(SELECT *, row_number() OVER () - 1 AS row_index FROM {rule.table})"
    keys = ", ".join(KEYS[rule.table])
    if " AS child " in rule.source:
        keys = ", ".join(f"child.{key}" for key in KEYS[rule.table])
    row, text, *values = queries.rows(
        f"SELECT row_index, {rule.text}, {keys} FROM {rule.source.format(rows=numbered)} WHERE {rule.bad} "
        "ORDER BY row_index LIMIT 1"
    )[0]
    return Problem(rule.table, row, rule.column, f"{_key(rule.table, values)}: {text}", rule.hint, total)


def _key(table: str, values: list[object]) -> str:
    return ", ".join(f"{key} {value!r}" for key, value in zip(KEYS[table], values, strict=True))


def _cycles(queries: Queries, table: str) -> Iterator[Problem]:
    """Edges that no order of the nodes allows."""
    edges = edges_of(queries, table)
    bad = cyclic(edges.source, edges.target)
    if len(bad):
        row = int(bad[0])
        values = queries.rows(f"SELECT {', '.join(KEYS[table])} FROM {table} LIMIT 1 OFFSET {row}")[0]
        _, source, target = COLUMNS[table]
        text = f"{_key(table, list(values))}: this edge is part of a cycle"
        hint = f"{source} ends before {target} begins; nothing waits for itself."
        yield Problem(table, row, target, text, hint, len(bad))
