"""The grouped relation of one counting SELECT: keys, ordinary aggregates and distinct counts, one row per group.

DuckDB groups the rows for keys and ordinary aggregates; the relations that sketch steps filled are joined to that by
the hash of the keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from paretosql.engine.answers import FINISHERS
from paretosql.engine.grouping import Grouping
from paretosql.engine.lift import AGGREGATE, KEY, column
from paretosql.engine.plan import Sketch
from paretosql.engine.rows import Block, hash_of

GROUP, BITS = "__g", "__gid"


def grouped(block: Block, sketches: list[Sketch]) -> exp.Select:
    """Keys, ordinary aggregates and distinct counts, one row per group."""
    grouping = block.grouping
    aggregates = [exp.alias_(each.copy(), f"{AGGREGATE}{at}") for at, each in enumerate(block.aggregates)]
    if not grouping.keys:
        base = _one_row(block, aggregates)
        query = exp.select("*").from_(base.subquery("__s"))
        for step in sketches:
            query = query.join(exp.to_table(step.name), join_type="cross")
        return query
    keys = [exp.alias_(each.copy(), f"{KEY}{at}") for at, each in enumerate(grouping.keys)]
    base = block.select(*keys, *aggregates)
    names = [column(f"{KEY}{at}") for at in range(len(grouping.keys))]
    if grouping.plain:
        base.set("group", exp.Group(expressions=[each.copy() for each in grouping.keys]))
        group: exp.Expr = hash_of(names)
        bits: exp.Expr = exp.Literal.number(0)
    else:
        base.append("expressions", exp.alias_(exp.Grouping(expressions=[each.copy() for each in grouping.keys]), BITS))
        base.set("group", exp.Group(expressions=[_grouping_sets(grouping)]))
        group, bits = _group_by_bits(grouping, names), column(BITS)
    base = exp.select("*", exp.alias_(group, GROUP)).from_(base.subquery("__u"))
    query = exp.select("__s.*").from_(base.subquery("__s"))
    for step in sketches:
        query = _join(query, step, bits)
    return query


def _one_row(block: Block, aggregates: list[exp.Expr]) -> exp.Select:
    """The aggregates over all rows; one row, or one for each time the clause says GROUP BY ()."""
    if len(block.grouping.sets) > 1:
        base = block.select(*(aggregates or [exp.alias_(exp.Count(this=exp.Star()), "__one")]))
        base.set("group", exp.Group(expressions=[_grouping_sets(block.grouping)]))
        return base
    return block.select(*aggregates) if aggregates else exp.select(exp.alias_(exp.Literal.number(1), "__one"))


def _join(query: exp.Select, step: Sketch, bits: exp.Expr) -> exp.Select:
    on = exp.and_(
        exp.EQ(this=exp.column("g", step.name), expression=exp.column(GROUP, "__s")),
        exp.EQ(this=exp.column("gid", step.name), expression=bits.copy()),
    )
    query = query.join(exp.to_table(step.name), on=on, join_type="left")
    for call in step.calls:
        missing = exp.column("g", step.name).is_(exp.null())
        value = exp.Case(
            ifs=[exp.If(this=missing, true=FINISHERS[call.function].missing(call, step.sampling))],
            default=exp.column(call.output, step.name),
        )
        query = query.select(exp.alias_(value, call.output))
    return query


def _grouping_sets(grouping: Grouping) -> exp.Expr:
    tuples = [exp.Tuple(expressions=[grouping.keys[key].copy() for key in chosen]) for chosen in grouping.sets]
    return exp.GroupingSets(expressions=tuples)


def _group_by_bits(grouping: Grouping, names: Sequence[exp.Expr]) -> exp.Expr:
    """The hash of the keys that are not rolled up in a row."""
    cases = []
    for chosen in dict.fromkeys(grouping.sets):
        value = (
            hash_of([names[key] for key in chosen]) if chosen else exp.cast(exp.Literal.number(0), exp.DType.UBIGINT)
        )
        condition = exp.EQ(this=column(BITS), expression=exp.Literal.number(grouping.bits(chosen)))
        cases.append(exp.If(this=condition, true=value))
    return exp.Case(ifs=cases)
