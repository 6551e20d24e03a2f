"""`ndv_report`: distinct counts of every column of a table or query, as rows."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.block_sampling import in_blocks
from paretosql.engine.catalog import Catalog
from paretosql.engine.countable import distinct_in_arrow, domain_of, refuse_collations
from paretosql.engine.options import CountOptions, read_options
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import BLOCK_SAMPLING, Call, Fragment, Materialize, Report, Sketch, Step
from paretosql.engine.row_groups import BLOCK
from paretosql.engine.rows import ARGUMENT
from paretosql.engine.scope import visible_with
from paretosql.engine.sketching import sampled
from paretosql.engine.sources import source_query, whole_piece
from paretosql.engine.table_functions import put_relation, refuse_value
from paretosql.engine.types import ColumnType

SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("estimate", pa.int64()),
        ("low", pa.int64()),
        ("high", pa.int64()),
        ("method", pa.string()),
        ("sample_rows", pa.int64()),
        ("bytes_sent", pa.int64()),
        ("warnings", pa.list_(pa.string())),
    ]
)


def replace_report(node: exp.Expr, catalog: Catalog) -> list[Step]:
    """The steps that fill a report, after putting its relation in the place of the call."""
    options = read_options(node, catalog)
    refuse_value(node, "ndv_report", "SELECT * FROM ndv_report(TABLE t)", catalog)
    with_ = visible_with(node, catalog.text)
    query = source_query(node.this)
    columns = catalog.columns(*whole_piece(query, with_))
    refuse_collations(((node, kind) for _, kind in columns), catalog, query, with_)
    steps: list[Step] = []
    if options.sampling.kind == BLOCK_SAMPLING and not options.exact:
        name = catalog.new_name()
        made = _block_report(name, query, with_, columns, options=options, catalog=catalog)
        put_relation(node, "ndv_report", name, SCHEMA, catalog)
        return made
    changing = catalog.rows_change([query] if with_ is None else [query, with_])
    if changing and options.sampling.rate is not None:  # the sample and the true row numbers are two reads
        steps.append(_keep_rows(query, with_, catalog))
        query, changing = exp.select("*").from_(exp.to_table(steps[0].name)), False
    name = catalog.new_name()
    steps.append(_report(name, query, with_, columns, options, repeatable=not changing))
    put_relation(node, "ndv_report", name, SCHEMA, catalog)
    return steps


def _block_report(
    name: str,
    query: exp.Expr,
    with_: exp.With | None,
    columns: list[tuple[str, ColumnType]],
    *,
    options: CountOptions,
    catalog: Catalog,
) -> list[Step]:
    """The report from sampled blocks, after the step that reads them."""
    alias = exp.TableAlias(this=exp.to_identifier("__r"))
    rows = exp.Select().from_(exp.Subquery(this=query.copy(), alias=alias))
    plain = [exp.column(exp.to_identifier(column, quoted=True)) for column, _ in columns]
    values = [distinct_in_arrow(each, kind) for each, (_, kind) in zip(plain, columns, strict=True)]
    sampled_rows = in_blocks(rows, with_, values, options.sampling, catalog, spot=options.spot)
    source = sampled_rows.rows.copy()
    named = [exp.alias_(each, f"{ARGUMENT}{at}") for at, each in enumerate(values)]
    source.set("expressions", [*named, exp.column(BLOCK)])
    if with_ is not None:
        source.set("with_", with_.copy())
    how, confidence = options.method, options.confidence
    calls = tuple(Call(f"{ARGUMENT}{at}", f"n{at}", how, confidence=confidence) for at in range(len(columns)))
    sketch = Sketch(name, fragment(source), calls, options.sampling, repeatable=False, blocks=sampled_rows.share)
    return [sampled_rows.step, Report(name, sketch, None, tuple(column for column, _ in columns))]


def _keep_rows(query: exp.Expr, with_: exp.With | None, catalog: Catalog) -> Materialize:
    sql, wants = whole_piece(query, with_)
    name = catalog.new_name()
    catalog.declare_query(name, sql, wants)
    return Materialize(name, Fragment(sql, wants))


def _report(
    name: str,
    query: exp.Expr,
    with_: exp.With | None,
    columns: list[tuple[str, ColumnType]],
    options: CountOptions,
    *,
    repeatable: bool,
) -> Report:
    renamed = _renamed(query, len(columns))
    arguments = [exp.column(f"{ARGUMENT}{at}") for at in range(len(columns))]
    counted = [distinct_in_arrow(each, kind) for each, (_, kind) in zip(arguments, columns, strict=True)]
    source: exp.Expr = exp.select(*(exp.alias_(each.copy(), arguments[at].name) for at, each in enumerate(counted)))
    source.set("from_", exp.From(this=renamed))
    if options.sampling.rate is not None:
        source = sampled(source, options.sampling)
    counts: exp.Expr | None = None
    if options.exact or options.sampling.rate is not None:
        counts = exp.select(*_counts(arguments, options.exact)).from_(renamed.copy())
    for each in (source, counts):
        if with_ is not None and each is not None:
            each.set("with_", with_.copy())
    how, confidence = options.method, options.confidence
    domains = [domain_of(kind) for _, kind in columns]
    calls = tuple(
        Call(each.name, f"n{at}", how, confidence=confidence, domain=domains[at]) for at, each in enumerate(arguments)
    )
    sketch = Sketch(name, fragment(source), calls, options.sampling, repeatable=repeatable)
    names = tuple(column for column, _ in columns)
    return Report(name, sketch, None if counts is None else fragment(counts), names, options.exact)


def _counts(arguments: list[exp.Column], exact: bool) -> list[exp.Expr]:
    """Rows of every column and, when the report is exact, its distinct values."""
    counts: list[exp.Expr] = [exp.Count(this=each.copy()) for each in arguments]
    if exact:
        counts += [exp.Count(this=exp.Distinct(expressions=[each.copy()])) for each in arguments]
    return [exp.alias_(each, f"n{at}") for at, each in enumerate(counts)]


def _renamed(query: exp.Expr, width: int) -> exp.Subquery:
    columns = [exp.to_identifier(f"{ARGUMENT}{at}") for at in range(width)]
    return exp.Subquery(this=query.copy(), alias=exp.TableAlias(this=exp.to_identifier("__r"), columns=columns))
