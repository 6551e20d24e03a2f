"""One SELECT that counts distinct values: its sketch steps, and the SELECT that takes its place."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from paretosql.engine.answers import exact_interval
from paretosql.engine.catalog import Catalog
from paretosql.engine.countable import (
    distinct_in_arrow,
    domain_of,
    number_of,
    refuse_collations,
    refuse_other_than_blob,
)
from paretosql.engine.grouping import Grouping, grouping_of
from paretosql.engine.lift import (
    KEY,
    RELATION,
    Lifter,
    column,
    flatten,
)
from paretosql.engine.nodes import NdvCall, call_name, counted, function_name, own_nodes, spot_of, with_filter
from paretosql.engine.options import read_options
from paretosql.engine.outputs import expand_stars, name_outputs
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Materialize, Sketch, Step
from paretosql.engine.relation import grouped
from paretosql.engine.rows import ARGUMENT, WEIGHT, Block
from paretosql.engine.scope import Scope
from paretosql.engine.sketching import sketch_steps
from paretosql.engine.spelling import Spelling


def replace_block(select: exp.Select, catalog: Catalog, steps: list[Step]) -> exp.Select:
    """The SELECT that takes the place of `select` once the steps appended here have run."""
    scope = Scope(select, catalog)
    expand_stars(scope)
    name_outputs(scope)
    _count_exactly(select, catalog)
    if select.find(NdvCall) is None:
        return select
    grouping = _grouping(select, scope)
    spelling = Spelling(select, lambda: scope.columns)
    lifter = Lifter(grouping.keys, catalog.is_aggregate, set(scope.aliases), spelling)
    new = _lifted(select, lifter)
    calls = [_call(each) for each in lifter.calls]
    weighted = {at: each.args["weight"] for at, each in enumerate(calls) if each.args.get("weight") is not None}
    block = Block(
        scope.rows(),
        grouping,
        [scope.resolve(each) for each in lifter.aggregates],
        [scope.resolve(_argument(each)) for each in lifter.calls],
        [read_options(each, catalog) for each in calls],
        calls,
        {at: scope.resolve(each) for at, each in weighted.items()},
        [spot_of(each, catalog.text) for each in calls],
    )
    _prepare_values(block, scope, catalog)
    parts = [block.rows, *block.grouping.keys, *block.arguments, *block.weights.values(), *block.aggregates]
    changing = catalog.rows_change(parts if scope.with_ is None else [*parts, scope.with_])
    if changing and _readers(block) > 1:
        steps.append(_keep_rows(block, scope, catalog))
        changing = False
    made = sketch_steps(block, scope, catalog, repeatable=not changing)
    steps.extend(made)
    sketches = [each for each in made if isinstance(each, Sketch)]
    new.set("from_", exp.From(this=grouped(block, sketches).subquery(RELATION)))
    return new


def _prepare_values(block: Block, scope: Scope, catalog: Catalog) -> None:
    """Look at the types of keys, counted values and weights before anything is hashed."""
    values = [*block.grouping.keys, *block.arguments, *block.weights.values()]
    named = (exp.alias_(each.copy(), f"__t{at}") for at, each in enumerate(values))
    piece = fragment(scope.alone(block.select(*named)))
    types = [kind for _, kind in catalog.columns(piece.sql, piece.wants)]
    refuse_collations(zip(values, types, strict=True), catalog, block.rows, scope.with_)
    kinds = types[len(block.grouping.keys) :]
    counted_kinds = zip(block.calls, kinds, block.spots, strict=False)
    for call, kind, spot in counted_kinds:
        if call_name(call) == "ndv_merge":
            refuse_other_than_blob(kind, spot)
    block.domains = [domain_of(kind) for _, kind in zip(block.arguments, kinds, strict=False)]
    block.arguments = [distinct_in_arrow(*each) for each in zip(block.arguments, kinds, strict=False)]
    for (at, weight), kind in zip(block.weights.items(), kinds[len(block.arguments) :], strict=True):
        block.weights[at] = number_of(weight, kind, block.spots[at])


def _count_exactly(select: exp.Select, catalog: Catalog) -> None:
    """A rate of 1 is count(DISTINCT x), which DuckDB computes like any aggregate."""
    for part in ("expressions", "having", "qualify", "order", "windows", "distinct"):
        value = select.args.get(part)
        for root in value if isinstance(value, list) else [value] if value is not None else []:
            for node in [each for each in own_nodes(root) if isinstance(each, NdvCall)]:
                exactly = _EXACTLY.get(call_name(node))
                if exactly is not None and read_options(node, catalog).exact:
                    exactly(node)


def _exact_count(node: exp.Expr) -> None:
    node.replace(exp.Count(this=exp.Distinct(expressions=[counted(node).copy()])))


def _exact_interval(node: exp.Expr) -> None:
    whole = with_filter(node)
    count: exp.Expr = exp.Count(this=exp.Distinct(expressions=[counted(node).copy()]))
    if whole is not node:
        count = exp.Filter(this=count, expression=whole.expression.copy())
    whole.replace(exact_interval(count, "exact"))


_EXACTLY: dict[str, Callable[[exp.Expr], None]] = {"ndv": _exact_count, "ndv_interval": _exact_interval}


def _call(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Filter) else node


def _argument(node: exp.Expr) -> exp.Expr:
    value = counted(_call(node)).copy()
    if isinstance(node, exp.Filter):
        return exp.Case(ifs=[exp.If(this=node.expression.this.copy(), true=value)])
    return value


def _grouping(select: exp.Select, scope: Scope) -> Grouping:
    group = select.args.get("group")
    if group is None:
        return Grouping((), ((),))
    if group.args.get("all"):
        plain = [each.unalias() for each in select.expressions if not _aggregates(each, scope.catalog)]
        keys = list(dict.fromkeys(scope.resolve(each) for each in plain if not isinstance(each, exp.Placeholder)))
        return Grouping(tuple(keys), (tuple(range(len(keys))),))
    return grouping_of(group, scope.key)


def _aggregates(item: exp.Expr, catalog: Catalog) -> bool:
    return any(
        isinstance(node, (NdvCall, exp.Window)) or catalog.is_aggregate(function_name(node)) for node in own_nodes(item)
    )


_KEPT = ("limit", "offset", "distinct", "with_", "windows", "order", "qualify")


def _lifted(select: exp.Select, lifter: Lifter) -> exp.Select:
    """The list, HAVING, QUALIFY, ORDER BY and LIMIT of `select`, over the grouped relation."""
    new = exp.Select(expressions=[lifter.lift(each) for each in select.expressions])
    for name in _KEPT:
        part = select.args.get(name)
        if name in ("limit", "offset", "with_"):
            new.set(name, part)
        elif isinstance(part, list):
            new.set(name, [lifter.lift(each) for each in part])
        elif part is not None:
            new.set(name, lifter.lift(part, alias_first=name == "order"))
    having = select.args.get("having")
    if having is not None:
        new.set("where", exp.Where(this=lifter.lift(having.this)))
    return new


# rows that differ when they are read again


def _readers(block: Block) -> int:
    """How many queries of the plan read the rows of the block."""
    readers = len({each.sampling for each in block.options})
    return readers + bool(block.grouping.keys or block.aggregates) + any(each.sampling.rate for each in block.options)


def _keep_rows(block: Block, scope: Scope, catalog: Catalog) -> Materialize:
    """Turn the block into one over a temporary table of its keys, arguments and aggregate inputs."""
    columns: dict[str, exp.Expr] = {}
    for at, key in enumerate(block.grouping.keys):
        columns[f"{KEY}{at}"] = key
    for at, argument in enumerate(block.arguments):
        columns[f"{ARGUMENT}{at}"] = argument
    for at, weight in block.weights.items():
        columns[f"{WEIGHT}{at}"] = weight

    def keep(expression: exp.Expr) -> str:
        for name, each in columns.items():
            if each == expression and not name.startswith((ARGUMENT, WEIGHT)):
                return name
        name = f"__p{len(columns)}"
        columns[name] = expression.copy()
        return name

    block.aggregates = [flatten(each, keep) for each in block.aggregates]
    columns = columns or {"__p0": exp.Literal.number(1)}
    source = block.select(*(exp.alias_(each.copy(), name) for name, each in columns.items()))
    piece = fragment(scope.alone(source))
    name = catalog.new_name()
    catalog.declare_query(name, piece.sql, piece.wants)
    block.rows = exp.Select().from_(exp.to_table(name))
    block.grouping = Grouping(
        tuple(column(f"{KEY}{at}") for at in range(len(block.grouping.keys))), block.grouping.sets
    )
    block.arguments = [column(f"{ARGUMENT}{at}") for at in range(len(block.arguments))]
    block.weights = {at: column(f"{WEIGHT}{at}") for at in block.weights}
    return Materialize(name, piece)
