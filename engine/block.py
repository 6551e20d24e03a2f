"""One SELECT that counts distinct values: its sketch steps, and the SELECT that takes its place."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import Pareto
from paretosql.engine.grouping import Grouping, grouping_of
from paretosql.engine.lift import AGGREGATE, KEY, RELATION, VALUE, Lifter, column, flatten, function_name, own_nodes, source_names
from paretosql.engine.nodes import NdvCall
from paretosql.engine.options import CountOptions, read_options
from paretosql.engine.outputs import expand_stars, name_outputs
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Call, Materialize, Sampling, Sketch, Step
from paretosql.engine.scope import Scope

GROUP, BITS, ARGUMENT = "__g", "__gid", "__x"


@dataclass
class Block:
    """The parts of one SELECT after analysis."""

    rows: exp.Select  # FROM and WHERE, no columns yet
    grouping: Grouping
    aggregates: list[exp.Expression]
    arguments: list[exp.Expression]  # one per distinct count, NULL where its FILTER does not hold
    options: list[CountOptions]

    def select(self, *columns: exp.Expression) -> exp.Select:
        """SELECT columns over the rows of the block."""
        query = self.rows.copy()
        query.set("expressions", [each.copy() for each in columns])
        return query


def replace_block(select: exp.Select, catalog: Catalog, steps: list[Step]) -> exp.Select:
    """The SELECT that takes the place of `select` once the steps appended here have run."""
    scope = Scope(select, catalog)
    expand_stars(scope)
    name_outputs(scope)
    _count_exactly(select, catalog)
    grouping = _grouping(select, scope)
    lifter = Lifter(grouping.keys, catalog.is_aggregate, set(scope.aliases), source_names(select))
    new = _lifted(select, lifter)
    block = Block(
        scope.rows(),
        grouping,
        [scope.resolve(each) for each in lifter.aggregates],
        [scope.resolve(_argument(each)) for each in lifter.calls],
        [read_options(_call(each), catalog) for each in lifter.calls],
    )
    if _must_keep_rows(block, catalog):
        steps.append(_keep_rows(block, scope, catalog))
    made = _sketches(block, scope, catalog)
    steps.extend(made)
    new.set("from_", exp.From(this=_grouped(block, made).subquery(RELATION)))
    return new


def _count_exactly(select: exp.Select, catalog: Catalog) -> None:
    """A rate of 1 is count(DISTINCT x), which DuckDB computes like any aggregate."""
    for part in ("expressions", "having", "qualify", "order", "windows", "distinct"):
        value = select.args.get(part)
        for root in value if isinstance(value, list) else [value] if value is not None else []:
            for node in [each for each in own_nodes(root) if isinstance(each, NdvCall)]:
                if read_options(node, catalog).exact:
                    node.replace(exp.Count(this=exp.Distinct(expressions=[_plain(node).copy()])))


def _plain(call: exp.Expression) -> exp.Expression:
    """The counted expression, without a DISTINCT that changes nothing."""
    inner: exp.Expression = call.this
    return inner.expressions[0] if isinstance(inner, exp.Distinct) else inner


def _call(node: exp.Expression) -> exp.Expression:
    return node.this if isinstance(node, exp.Filter) else node


def _argument(node: exp.Expression) -> exp.Expression:
    value = _plain(_call(node)).copy()
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


def _aggregates(item: exp.Expression, catalog: Catalog) -> bool:
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


def _must_keep_rows(block: Block, catalog: Catalog) -> bool:
    readers = len({each.sampling for each in block.options})
    readers += bool(block.grouping.keys or block.aggregates) + any(each.sampling.rate for each in block.options)
    if readers < 2:
        return False
    parts = [block.rows, *block.grouping.keys, *block.arguments, *block.aggregates]
    nodes = [node for part in parts for node in part.walk()]
    return any(
        isinstance(node, exp.TableSample)
        or (isinstance(node, exp.Table) and catalog.reads_once(node.name))
        or catalog.is_volatile(function_name(node))
        for node in nodes
    )


def _keep_rows(block: Block, scope: Scope, catalog: Catalog) -> Materialize:
    """Turn the block into one over a temporary table of its keys, arguments and aggregate inputs."""
    columns: dict[str, exp.Expression] = {}
    for at, key in enumerate(block.grouping.keys):
        columns[f"{KEY}{at}"] = key
    for at, argument in enumerate(block.arguments):
        columns[f"{ARGUMENT}{at}"] = argument

    def keep(expression: exp.Expression) -> str:
        for name, each in columns.items():
            if each == expression and not name.startswith(ARGUMENT):
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
    block.grouping = Grouping(tuple(column(f"{KEY}{at}") for at in range(len(block.grouping.keys))), block.grouping.sets)
    block.arguments = [column(f"{ARGUMENT}{at}") for at in range(len(block.arguments))]
    return Materialize(name, piece)


# sketches


def _sketches(block: Block, scope: Scope, catalog: Catalog) -> list[Sketch]:
    """One sketch step for each way of sampling."""
    made = []
    for sampling in dict.fromkeys(each.sampling for each in block.options):
        chosen = [at for at, each in enumerate(block.options) if each.sampling == sampling]
        made.append(_sketch(block, scope, catalog, sampling, chosen))
    return made


def _sketch(block: Block, scope: Scope, catalog: Catalog, sampling: Sampling, chosen: list[int]) -> Sketch:
    grouping = block.grouping
    calls = tuple(Call(f"{ARGUMENT}{at}", f"{VALUE}{at}", block.options[at].method) for at in chosen)
    groups = [exp.alias_(expression, name) for name, expression in _group_columns(grouping).items()]
    arguments = [exp.alias_(block.arguments[at].copy(), f"{ARGUMENT}{at}") for at in chosen]
    source: exp.Expression = block.select(*groups, *arguments)
    counts = None
    if sampling.rate is not None:
        source = sampled(source, sampling)
        counts = fragment(scope.alone(_counts(block, chosen)))
    name = catalog.new_name()
    step = Sketch(name, fragment(scope.alone(source)), calls, sampling, counts, _sets(grouping))
    catalog.declare(name, output_schema(step))
    return step


def output_schema(step: Sketch) -> pa.Schema:
    """Columns of the relation that a sketch step fills."""
    groups = [("gid", pa.int64()), ("g", pa.uint64())] if step.sets else []
    return pa.schema([*groups, *((call.output, pa.int64()) for call in step.calls)])


def _hash(columns: list[exp.Expression]) -> exp.Expression:
    return exp.Anonymous(this="hash", expressions=[each.copy() for each in columns])


def _group_columns(grouping: Grouping) -> dict[str, exp.Expression]:
    """Hashes of the finest group and of each coarser set, as columns of a sketch's source."""
    if not grouping.keys:
        return {}
    columns = {"g": _hash(list(grouping.keys))}
    for at, chosen in enumerate(dict.fromkeys(grouping.sets)):
        if 0 < len(chosen) < len(grouping.keys):
            columns[f"s{at}"] = _hash([grouping.keys[key] for key in chosen])
    return columns


def _sets(grouping: Grouping) -> tuple[tuple[str, int], ...]:
    """Which source column names the groups of each set; the set without keys has none."""
    if not grouping.keys:
        return ()
    sets = []
    for at, chosen in enumerate(dict.fromkeys(grouping.sets)):
        name = "g" if len(chosen) == len(grouping.keys) else f"s{at}" if chosen else ""
        sets.append((name, grouping.bits(chosen)))
    return tuple(sets)


def sampled(source: exp.Expression, sampling: Sampling) -> exp.Expression:
    """A Bernoulli sample of the rows, the same ones for the same seed."""
    percent = f"{(sampling.rate or 1) * 100:.12f}".rstrip("0").rstrip(".")
    return exp.maybe_parse(
        f"SELECT * FROM ({source.sql(dialect=Pareto)}) AS __r USING SAMPLE {percent} PERCENT (bernoulli, {sampling.seed})",
        dialect=Pareto,
    )


def _counts(block: Block, chosen: list[int]) -> exp.Select:
    """True numbers of rows per finest group, which estimators need beside the sample."""
    groups = _group_columns(block.grouping)
    columns: list[exp.Expression] = []
    for name, each in groups.items():
        columns.append(exp.alias_(each if name == "g" else exp.Anonymous(this="any_value", expressions=[each]), name))
    for at in chosen:
        columns.append(exp.alias_(exp.Count(this=block.arguments[at].copy()), f"{ARGUMENT}{at}"))
    query = block.select(*columns)
    if groups:
        query.set("group", exp.Group(expressions=[exp.Literal.number(1)]))
    return query


# the grouped relation


def _grouped(block: Block, sketches: list[Sketch]) -> exp.Select:
    """Keys, ordinary aggregates and distinct counts, one row per group."""
    grouping = block.grouping
    aggregates = [exp.alias_(each.copy(), f"{AGGREGATE}{at}") for at, each in enumerate(block.aggregates)]
    if not grouping.keys:
        base = block.select(*aggregates) if aggregates else exp.select(exp.alias_(exp.Literal.number(1), "__one"))
        query = exp.select("*").from_(base.subquery("__s"))
        for step in sketches:
            query = query.join(exp.to_table(step.name), join_type="cross")
        return query
    keys = [exp.alias_(each.copy(), f"{KEY}{at}") for at, each in enumerate(grouping.keys)]
    base = block.select(*keys, *aggregates)
    names = [column(f"{KEY}{at}") for at in range(len(grouping.keys))]
    if grouping.plain:
        base.set("group", exp.Group(expressions=[each.copy() for each in grouping.keys]))
        group: exp.Expression = _hash(names)
        bits: exp.Expression = exp.Literal.number(0)
    else:
        base.append("expressions", exp.alias_(exp.Grouping(expressions=[each.copy() for each in grouping.keys]), BITS))
        base.set("group", exp.Group(expressions=[_grouping_sets(grouping)]))
        group, bits = _group_by_bits(grouping, names), column(BITS)
    base = exp.select("*", exp.alias_(group, GROUP)).from_(base.subquery("__u"))
    query = exp.select("__s.*").from_(base.subquery("__s"))
    for step in sketches:
        query = _join(query, step, bits)
    return query


def _join(query: exp.Select, step: Sketch, bits: exp.Expression) -> exp.Select:
    on = exp.and_(
        exp.EQ(this=exp.column("g", step.name), expression=exp.column(GROUP, "__s")),
        exp.EQ(this=exp.column("gid", step.name), expression=bits.copy()),
    )
    query = query.join(exp.to_table(step.name), on=on, join_type="left")
    for call in step.calls:
        missing = exp.column("g", step.name).is_(exp.null())
        value = exp.Case(ifs=[exp.If(this=missing, true=exp.Literal.number(0))], default=exp.column(call.output, step.name))
        query = query.select(exp.alias_(value, call.output))
    return query


def _grouping_sets(grouping: Grouping) -> exp.Expression:
    tuples = [exp.Tuple(expressions=[grouping.keys[key].copy() for key in chosen]) for chosen in grouping.sets]
    return exp.GroupingSets(expressions=tuples)


def _group_by_bits(grouping: Grouping, names: list[exp.Expression]) -> exp.Expression:
    """The hash of the keys that are not rolled up in a row."""
    cases = []
    for chosen in dict.fromkeys(grouping.sets):
        value = _hash([names[key] for key in chosen]) if chosen else exp.cast(exp.Literal.number(0), exp.DType.UBIGINT)
        condition = exp.EQ(this=column(BITS), expression=exp.Literal.number(grouping.bits(chosen)))
        cases.append(exp.If(this=condition, true=value))
    return exp.Case(ifs=cases)
