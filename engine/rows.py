"""The rows of one counting SELECT, and the columns that every query over them uses to name groups.

Groups are named by DuckDB's own hash of their keys. It lives for one statement on one version, so it need not be
stable; two different groups share a 64-bit hash about once in 2**65 / groups**2 statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from paretosql.engine.grouping import Grouping
from paretosql.engine.options import CountOptions
from paretosql.errors import Spot

ARGUMENT = "__x"  # column name prefix of counted expressions
WEIGHT = "__w"  # and of the numbers that ndv_sum adds up


@dataclass
class Block:
    """The parts of one counting SELECT after analysis."""

    rows: exp.Select  # FROM and WHERE, no columns yet
    grouping: Grouping
    aggregates: list[exp.Expr]
    arguments: list[exp.Expr]  # one per distinct count, NULL where its FILTER does not hold
    options: list[CountOptions]
    calls: list[exp.Expr]  # as they are written, without FILTER
    weights: dict[int, exp.Expr]  # the second argument of those that have one
    spots: list[Spot | None]  # where they are written
    domains: list[float] = field(default_factory=list)  # how many values the type of each argument has at most

    def select(self, *columns: exp.Expr) -> exp.Select:
        """SELECT columns over the rows of the block."""
        query = self.rows.copy()
        query.set("expressions", [each.copy() for each in columns])
        return query


def hash_of(columns: Sequence[exp.Expr]) -> exp.Expr:
    return exp.Anonymous(this="hash", expressions=[each.copy() for each in columns])


def group_columns(grouping: Grouping) -> dict[str, exp.Expr]:
    """Hashes of the finest group and of each coarser set, as columns of a sketch's source."""
    if not grouping.keys:
        return {}
    columns = {"g": hash_of(list(grouping.keys))}
    for at, chosen in enumerate(dict.fromkeys(grouping.sets)):
        if 0 < len(chosen) < len(grouping.keys):
            columns[f"s{at}"] = hash_of([grouping.keys[key] for key in chosen])
    return columns


def set_columns(grouping: Grouping) -> tuple[tuple[str, int], ...]:
    """Which source column names the groups of each set; the set without keys has none."""
    if not grouping.keys:
        return ()
    sets = []
    for at, chosen in enumerate(dict.fromkeys(grouping.sets)):
        name = "g" if len(chosen) == len(grouping.keys) else f"s{at}" if chosen else ""
        sets.append((name, grouping.bits(chosen)))
    return tuple(sets)
