"""Queries that hold calls of ours, made fit for DuckDB to bind: it looks for names and types and never runs them."""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.answers import FINISHERS
from paretosql.engine.nodes import NdvCall, call_name, counted, with_filter


def stand_in(tree: exp.Expr) -> None:
    """Put in the place of every call, and of its FILTER, an aggregate of DuckDB's with the same inputs and type."""
    for call in list(tree.find_all(NdvCall)):
        _replace(call)


def _replace(call: exp.Expr) -> None:
    inputs = [counted(call), *([call.args["weight"]] if call.args.get("weight") is not None else [])]
    value = inputs[0] if len(inputs) == 1 else exp.Tuple(expressions=[each.copy() for each in inputs])
    made: exp.Expr = exp.Anonymous(this="approx_count_distinct", expressions=[value.copy()])
    kind = FINISHERS[call_name(call)].sql
    if kind == "BIGINT":
        call.replace(made)
        return
    whole = with_filter(call)
    if whole is not call:
        made = exp.Filter(this=made, expression=whole.expression.copy())
    never = exp.LT(this=made, expression=exp.Literal.number(0))
    whole.replace(exp.Case(ifs=[exp.If(this=never, true=exp.cast(exp.null(), kind, dialect="duckdb"))]))
