"""The sketch steps of one counting SELECT: what each reads, and what it fills."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.answers import FINISHERS
from paretosql.engine.block_sampling import HINT, in_blocks
from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import Pareto
from paretosql.engine.lift import VALUE
from paretosql.engine.nodes import call_name
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import BLOCK_SAMPLING, Blocks, Call, Sampling, Sketch
from paretosql.engine.row_groups import BLOCK
from paretosql.engine.rows import ARGUMENT, WEIGHT, Block, group_columns, set_columns
from paretosql.engine.scope import Scope
from paretosql.errors import NotSupportedError, compose

LARGE_ROWS = 256  # our choice: stored sketches handed over at once, 100 MB of full ones


def sketch_steps(block: Block, scope: Scope, catalog: Catalog, *, repeatable: bool) -> list[Sketch | Blocks]:
    """One sketch step for each way of sampling, after the step that fills what it reads."""
    made: list[Sketch | Blocks] = []
    for sampling in dict.fromkeys(each.sampling for each in block.options):
        chosen = [at for at, each in enumerate(block.options) if each.sampling == sampling]
        if sampling.kind == BLOCK_SAMPLING:
            made += _block_sketch(block, scope, catalog, sampling, chosen)
        else:
            made.append(replace(_sketch(block, scope, catalog, sampling, chosen), repeatable=repeatable))
    return made


def _block_sketch(
    block: Block, scope: Scope, catalog: Catalog, sampling: Sampling, chosen: list[int]
) -> tuple[Blocks, Sketch]:
    spot = block.options[chosen[0]].spot
    if block.grouping.keys:
        raise NotSupportedError(compose("block samples are not taken per group", spot, HINT))
    values = [block.arguments[at] for at in chosen]
    sampled_rows = in_blocks(block.rows, scope.with_, values, sampling, catalog, spot=spot)
    source = sampled_rows.rows.copy()
    arguments = [exp.alias_(block.arguments[at].copy(), f"{ARGUMENT}{at}") for at in chosen]
    source.set("expressions", [*arguments, exp.column(BLOCK)])
    calls = tuple(_call(block, at) for at in chosen)
    name = catalog.new_name()
    step = Sketch(name, fragment(scope.alone(source)), calls, sampling, repeatable=False, blocks=sampled_rows.share)
    catalog.declare(name, output_schema(step))
    return sampled_rows.step, step


def _sketch(block: Block, scope: Scope, catalog: Catalog, sampling: Sampling, chosen: list[int]) -> Sketch:
    grouping = block.grouping
    calls = tuple(_call(block, at) for at in chosen)
    groups = [exp.alias_(expression, name) for name, expression in group_columns(grouping).items()]
    arguments = [exp.alias_(block.arguments[at].copy(), f"{ARGUMENT}{at}") for at in chosen]
    arguments += [exp.alias_(block.weights[at].copy(), f"{WEIGHT}{at}") for at in chosen if at in block.weights]
    source: exp.Expr = block.select(*groups, *arguments)
    counts = None
    if sampling.rate is not None:
        source = sampled(source, sampling)
        counts = fragment(scope.alone(_counts(block, chosen)))
    name = catalog.new_name()
    size = LARGE_ROWS if any(call.function == "ndv_merge" for call in calls) else None
    piece = fragment(scope.alone(source))
    step = Sketch(name, piece, calls, sampling, counts, sets=set_columns(grouping), batch_rows=size)
    catalog.declare(name, output_schema(step))
    return step


def _call(block: Block, at: int) -> Call:
    how, made = block.options[at], block.calls[at]
    weight = f"{WEIGHT}{at}" if at in block.weights else ""
    names = (f"{ARGUMENT}{at}", f"{VALUE}{at}", how.method, call_name(made), weight)
    return Call(*names, how.confidence, how.capacity, block.domains[at], block.spots[at])


def output_schema(step: Sketch) -> pa.Schema:
    """Columns of the relation that a sketch step fills."""
    groups = [("gid", pa.int64()), ("g", pa.uint64())] if step.sets else []
    return pa.schema([*groups, *((call.output, FINISHERS[call.function].kind) for call in step.calls)])


def sampled(source: exp.Expr, sampling: Sampling) -> exp.Expr:
    """A Bernoulli sample of the rows, the same ones for the same seed."""
    percent = f"{(sampling.rate or 1) * 100:.20f}".rstrip("0").rstrip(".")
    return exp.maybe_parse(
        f"SELECT * FROM ({source.sql(dialect=Pareto)}) AS __r"
        f" USING SAMPLE {percent} PERCENT (bernoulli, {sampling.seed})",
        dialect=Pareto,
    )


def _counts(block: Block, chosen: list[int]) -> exp.Select:
    """True numbers of rows per finest group, which estimators need beside the sample."""
    groups = group_columns(block.grouping)
    columns: list[exp.Expr] = []
    for name, each in groups.items():
        columns.append(exp.alias_(each if name == "g" else exp.Anonymous(this="any_value", expressions=[each]), name))
    for at in chosen:
        columns.append(exp.alias_(exp.Count(this=block.arguments[at].copy()), f"{ARGUMENT}{at}"))
    query = block.select(*columns)
    if groups:
        query.set("group", exp.Group(expressions=[exp.Literal.number(1)]))
    return query
