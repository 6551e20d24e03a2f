"""From a tree to a plan: every SELECT that counts distinct values becomes a sketch step and a smaller SELECT over it.

    SELECT g, ndv(x), sum(y) FROM f WHERE w GROUP BY g HAVING ndv(x) > 1

runs as a sketch step named `n` over the fragment `SELECT hash(g) AS g, x AS x0 FROM f WHERE w`, and in its place stands

    SELECT k0 AS g, v0 AS "ndv(x)", a0 AS "sum(y)"
    FROM (SELECT g AS k0, sum(y) AS a0, hash(g) AS g FROM f WHERE w GROUP BY g) AS s LEFT JOIN n ON n.g = s.g
    WHERE v0 > 1

Inner SELECTs are replaced before outer ones, common table expressions before their users.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from paretosql.engine.block import replace_block
from paretosql.engine.catalog import Catalog
from paretosql.engine.correlation import decorrelate
from paretosql.engine.kept_tables import keep_changing_tables
from paretosql.engine.nodes import (
    ModelCall,
    NdvCall,
    NdvReport,
    TraceSimulate,
    call_name,
    function_name,
    inner_nodes,
    is_value,
    own_nodes,
    spot_of,
)
from paretosql.engine.outputs import name_subqueries
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Plan, Step
from paretosql.engine.reports import replace_report
from paretosql.engine.simulations import replace_simulation
from paretosql.engine.stored import replace_scalars
from paretosql.engine.views import expand_views
from paretosql.errors import NotSupportedError, ProgrammingError, compose


def plan(tree: exp.Expr, catalog: Catalog) -> Plan:
    """The plan of a statement that holds calls of ours; `tree` is consumed.

    O(nodes) work here, and two binds by DuckDB for each SELECT that counts.

    Raises:
        ProgrammingError: unknown names, wrong options, `ndv` where no aggregate may stand.
        NotSupportedError: a place this version cannot count in.
    """
    tree = expand_views(tree, catalog)
    name_subqueries(tree)
    replace_scalars(tree, catalog)
    decorrelate(tree, catalog)
    steps: list[Step] = [*keep_changing_tables(tree, catalog)]
    for node in list(_inner_first(tree)):
        if isinstance(node, NdvReport):
            steps.extend(replace_report(node, catalog))
        elif isinstance(node, TraceSimulate):
            steps.append(replace_simulation(node, catalog))
        elif isinstance(node, ModelCall):
            _replace_model_call(node, catalog, steps)
        elif isinstance(node, exp.Select) and any(isinstance(each, NdvCall) for each in inner_nodes(node)):
            _check_place(node, catalog)
            new = replace_block(node, catalog, steps)
            if node is tree:
                tree = new
            elif new is not node:
                node.replace(new)
    left = tree.find(NdvCall)
    if left is not None:
        name = call_name(left)
        hint = f"count in a subquery: (SELECT {name}(x) FROM ..)"
        raise NotSupportedError(compose(f"{name} cannot be computed here", spot_of(left, catalog.text), hint))
    return Plan(tuple(steps), fragment(tree), catalog.parameters)


def _inner_first(tree: exp.Expr) -> Iterator[exp.Expr]:
    """SELECTs and table functions of ours in a tree: common table expressions first, then inner before outer."""
    with_ = tree.args.get("with_")
    if with_ is not None:
        yield from _inner_first(with_)
    for child in tree.iter_expressions():
        if child is not with_:
            yield from _inner_first(child)
    if isinstance(tree, (exp.Select, NdvReport, TraceSimulate, ModelCall)):
        yield tree


def _replace_model_call(node: exp.Expr, catalog: Catalog, steps: list[Step]) -> None:
    """The form in FROM becomes a step, the scalar form a function."""
    from paretosql.engine.model_calls import replace_model_call
    from paretosql.engine.model_values import replace_scalar_call

    if is_value(node):
        step = replace_scalar_call(node, catalog)
        if step is not None:
            steps.append(step)
    else:
        steps.append(replace_model_call(node, catalog))


_OUTSIDE = {"where": "WHERE", "group": "GROUP BY", "from_": "FROM", "joins": "a join condition", "laterals": "FROM"}


def _check_place(select: exp.Expr, catalog: Catalog) -> None:
    """Refuse `ndv` where SQL allows no aggregate, and over windows."""
    text = catalog.text
    for name, words in _OUTSIDE.items():
        part = select.args.get(name)
        for root in part if isinstance(part, list) else [part] if part is not None else []:
            for node in own_nodes(root):
                if isinstance(node, NdvCall) and node.find_ancestor(exp.Pivot) is not None:
                    hint, problem = "group in a subquery, then pivot", f"{call_name(node)} in PIVOT is not supported"
                    raise NotSupportedError(compose(problem, spot_of(node, text), hint))
                if isinstance(node, NdvCall):
                    hint = f"HAVING filters groups by {call_name(node)}(..); a subquery can compute it first"
                    problem = f"{call_name(node)} is an aggregate and cannot stand in {words}"
                    raise ProgrammingError(compose(problem, spot_of(node, text), hint))
    for node in inner_nodes(select):
        if isinstance(node, NdvCall):
            _check_call(node, catalog)


def _check_call(node: exp.Expr, catalog: Catalog) -> None:
    spot, name = spot_of(node, catalog.text), call_name(node)
    outer = node.parent
    while isinstance(outer, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        if not isinstance(outer, exp.Filter):
            problem = f"{name} counts a set: order and NULLs do not matter"
            raise NotSupportedError(compose(problem, spot, f"write {name}(x)"))
        outer = outer.parent
    around = _aggregate_around(node, catalog)
    if around:
        hint = f"compute {name} in a subquery: SELECT {around}(n) FROM (SELECT g, {name}(x) AS n .. GROUP BY g)"
        raise ProgrammingError(compose(f"{name} cannot stand inside the aggregate {around}", spot, hint))
    if isinstance(outer, exp.Window):
        hint = f"group in a subquery and join: SELECT g, {name}(x) .. GROUP BY g"
        raise NotSupportedError(compose(f"{name} over a window is not supported", spot, hint))
    if isinstance(node.this, exp.Order):
        raise NotSupportedError(compose(f"{name} counts a set: order does not matter", spot, "leave ORDER BY out"))
    inner = next((each for each in inner_nodes(node) if isinstance(each, (exp.AggFunc, exp.Window))), None)
    if inner is not None:
        what = "a window" if isinstance(inner, exp.Window) else "an aggregate"
        hint = "aggregate in a subquery first"
        raise ProgrammingError(compose(f"{name} reads values of rows, not {what}", spot, hint))


def _aggregate_around(call: exp.Expr, catalog: Catalog) -> str:
    """The aggregate function, not one over a window, that has the call in its arguments."""
    node = call.parent
    while node is not None and not isinstance(node, exp.Query):
        name = function_name(node)
        if name and catalog.is_aggregate(name):
            outer = node.parent
            while isinstance(outer, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
                outer = outer.parent
            if not isinstance(outer, exp.Window):
                return name
        node = node.parent
    return ""
