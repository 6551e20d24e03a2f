"""Output columns of a SELECT: stars are spelled out, and every column gets the name DuckDB would give it."""

from __future__ import annotations

import re

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import Pareto
from paretosql.engine.nodes import (
    ModelCall,
    NdvCall,
    SketchCall,
    is_value,
    own_nodes,
    source_names,
    spot_of,
)
from paretosql.engine.parameters import fragment
from paretosql.engine.scope import Scope, sources
from paretosql.engine.stand_in import stand_in
from paretosql.errors import NotSupportedError, ProgrammingError, compose


def expand_stars(scope: Scope) -> None:
    """Replace `*` and `t.*` in the list of a SELECT by the columns they stand for.

    Raises:
        NotSupportedError: EXCLUDE, REPLACE or COLUMNS(...) beside a distinct count.
    """
    expanded: list[exp.Expr] = []
    for item in scope.select.expressions:
        star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
        if not isinstance(star, exp.Star):
            if item.find(exp.Columns):
                raise _no_star(scope.catalog, "COLUMNS(...)")
            expanded.append(item)
            continue
        if any(star.args.get(name) for name in ("except_", "replace", "rename", "except")):
            raise _no_star(scope.catalog, "a star with EXCLUDE, REPLACE or RENAME")
        piece = fragment(scope.alone(sources(scope.select, item)))
        table = item.table if isinstance(item, exp.Column) else None
        for name, _ in scope.catalog.describe(piece.sql, piece.wants):
            expanded.append(exp.column(exp.to_identifier(name, quoted=True), table=table or None))
    scope.select.set("expressions", expanded)


def _no_star(catalog: Catalog, what: str) -> NotSupportedError:
    return NotSupportedError(
        compose(f"{what} beside ndv is not supported", hint="name the columns; ndv_report(TABLE t) counts all of them")
    )


def name_subqueries(tree: exp.Expr) -> None:
    """Name output columns that hold a subquery with a call of ours, a model's value, or a call over a stored sketch,
    before their text changes.
    """
    items: dict[int, tuple[exp.Expr, str]] = {}
    for call in tree.find_all(NdvCall, SketchCall, ModelCall):
        node: exp.Expr = call
        inside_query = is_value(call) or isinstance(call, SketchCall)
        while node.parent is not None:
            if inside_query and node.arg_key == "expressions" and isinstance(node.parent, exp.Select):
                items.setdefault(id(node), (node, node.sql(dialect=Pareto)))
            inside_query = inside_query or isinstance(node, exp.Query)
            node = node.parent
    for item, text in items.values():
        _name(item, text)


def _name(item: exp.Expr, text: str) -> None:
    if not isinstance(item, (exp.Alias, exp.Aliases)):
        alias = exp.Alias(alias=exp.to_identifier(text, quoted=True))
        item.replace(alias)
        alias.set("this", item)  # the item itself and not a copy: the caller still walks in it


def name_outputs(scope: Scope) -> None:
    """Give every output column without an alias its name; binds the SELECT, so that wrong names are found here."""
    bound = scope.select.copy()
    stand_in(bound)
    piece = fragment(scope.alone(bound))
    try:
        described = scope.catalog.describe(piece.sql, piece.wants)
    except ProgrammingError as fault:
        _refuse_correlation(fault, scope)
        raise
    items = scope.select.expressions
    for at, item in enumerate(items):
        if not isinstance(item, (exp.Alias, exp.Aliases)):
            counts = any(isinstance(node, NdvCall) for node in own_nodes(item))
            name = item.sql(dialect=Pareto) if counts or len(described) != len(items) else described[at][0]
            item.replace(exp.alias_(item.copy(), exp.to_identifier(name, quoted=True)))


def _refuse_correlation(fault: ProgrammingError, scope: Scope) -> None:
    """Say so when the table that DuckDB misses belongs to a query further out."""
    missing = re.match(r'Binder Error: Referenced table "([^"]+)" not found', str(fault))
    outer = scope.select.parent_select
    while missing is not None and outer is not None:
        if missing[1].lower() in source_names(outer):
            call = scope.select.find(NdvCall)
            spot = spot_of(call, scope.catalog.text) if call is not None else None
            hint = (
                "group by the column in a subquery and join it: .. JOIN (SELECT k, ndv(x) AS n .. GROUP BY k) USING (k)"
            )
            problem = f"ndv in a query that depends on {missing[1]} of a query around it is not supported here"
            raise NotSupportedError(compose(problem, spot, hint)) from fault.__cause__
        outer = outer.parent_select
