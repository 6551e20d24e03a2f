"""From a query to one over blocks of its table: which blocks are read, and what is known of its columns.

Only Parquet files, through expressions, WHERE, subqueries, common table expressions and views, are read in blocks; see
`leaf`. The choice is made while planning, so that EXPLAIN shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.leaf import Leaf, leaf_of
from paretosql.engine.parameters import fragment
from paretosql.engine.parquet_bounds import known_of, unlike_rows
from paretosql.engine.parquet_files import parquet_paths, scan_name
from paretosql.engine.plan import Blocks, BlockShare, Fragment, Sampling
from paretosql.engine.row_groups import Footers, Piece, read_footers, with_block
from paretosql.errors import NotSupportedError, Spot, compose
from paretosql.sketches.block_draw import Draw, draw
from paretosql.sketches.block_estimates import Known

HINT = "sampling => 'bernoulli' takes rows from anywhere."


@dataclass(frozen=True)
class InBlocks:
    """A query over sampled blocks: `step` fills what it reads, its rows have a last column BLOCK.

    share: what the operator needs.
    """

    step: Blocks
    rows: exp.Select
    share: BlockShare


def in_blocks(
    rows: exp.Select,
    with_: exp.With | None,
    values: Sequence[exp.Expr],
    sampling: Sampling,
    catalog: Catalog,
    *,
    spot: Spot | None,
) -> InBlocks:
    """Put sampled blocks in the place of the table behind a query.

    Args:
        rows: FROM and WHERE, without columns; `with_` are the common table expressions it may name.
        values: what is counted, over those rows.
        sampling: its rate is below 1.
        spot: where the user asked for it.
    Raises:
        NotSupportedError: the query reads something that has no blocks.
        OperationalError: a file cannot be read.
    """
    query = rows.copy()
    query.set("expressions", [each.copy() for each in values])
    leaf = leaf_of(query, with_, catalog)
    paths = None if leaf is None else parquet_paths(leaf.table, catalog)
    if leaf is None or paths is None:
        problem = "blocks are sampled from local Parquet files, not from joins, merged rows or other tables"
        raise NotSupportedError(compose(problem, spot, HINT))
    footers = read_footers(paths)
    whole = _whole(leaf)
    columns = catalog.describe(whole.sql, whole.wants)
    needed = _needed(leaf, [name for name, _ in columns], spot)
    schema = _schema(footers, needed, spot)
    name = catalog.new_name()
    catalog.declare(name, with_block(schema))
    made = _columns(columns, name, needed, catalog, spot)
    stored = [_stored(leaf, each, schema) for each in leaf.query.expressions]
    step = _step(name, whole, footers, schema, sampling)
    known = tuple(_known(column, footers, catalog, leaf, step.drawn) for column in stored)
    if all(each.exact for each in known):
        step = replace(step, pieces=())
    number, at_most = len(step.drawn.group), float(step.drawn.of_rows)
    share = BlockShare(step.drawn.share, tuple(replace(each, drawn=number, at_most=at_most) for each in known))
    plain = tuple(column for column in stored if column is not None)
    if len(plain) == len(stored) and not leaf.filtered and not any(each.find(exp.Cast) for each in made):
        share = replace(share, direct=step, plain=plain)
    leaf.put(name, scan_name(leaf.table), made)
    return InBlocks(step, leaf.query, share)


def _known(column: str | None, footers: Footers, catalog: Catalog, leaf: Leaf, drawn: Draw) -> Known:
    if column is None:
        return Known()
    known = known_of(footers, column, catalog.session.con, filtered=leaf.filtered)
    return known if known.exact else replace(known, unlike=unlike_rows(footers, column, drawn))


def _whole(leaf: Leaf) -> Fragment:
    """All rows of the table."""
    return fragment(exp.Select(expressions=[exp.Star()], from_=exp.From(this=leaf.table.copy())))


def _needed(leaf: Leaf, columns: list[str], spot: Spot | None) -> set[str]:
    """Lower-case names of the table's columns that the query reads."""
    names = {part.name.lower() for node in leaf.query.find_all(exp.Column) for part in node.parts}
    known = {each.lower() for each in columns}
    alias = (leaf.table.alias or scan_name(leaf.table)).lower()
    bare = {node.name.lower() for node in leaf.query.find_all(exp.Column)}
    outside = (bare & {"filename", "file_row_number", "file_index", "rowid", alias}) - known
    if outside:
        raise NotSupportedError(compose(f"a block sample cannot read {min(outside)!r}", spot, HINT))
    return known if leaf.renamed else names & known


def _schema(footers: Footers, needed: set[str], spot: Spot | None) -> pa.Schema:
    """The columns to read, as the files have them."""
    whole = footers.schema()
    chosen = [field for field in whole if field.name.lower() in needed]
    missing = needed - {field.name.lower() for field in chosen}
    if missing:
        raise NotSupportedError(compose(f"{min(missing)!r} is not stored in {footers.paths[0]}", spot, HINT))
    if len(chosen) != len(needed):
        problem = f"two columns of {footers.paths[0]} have one name"
        raise NotSupportedError(compose(problem, spot, HINT))
    return pa.schema(chosen)


def _columns(
    columns: list[tuple[str, str]], name: str, needed: set[str], catalog: Catalog, spot: Spot | None
) -> list[exp.Expr]:
    """The table's columns over what Arrow reads: of the same types, NULL where nobody looks."""
    read = {column.lower(): (column, kind) for column, kind in catalog.describe(f"FROM {name}")}
    made = []
    for column, kind in columns:
        own: exp.Expr = exp.null()
        if column.lower() in needed:
            stored, found = read[column.lower()]
            if found != kind and not (found.startswith("TIMESTAMP") and kind.startswith("TIMESTAMP")):
                raise NotSupportedError(compose(f"values of type {kind} cannot be read in blocks", spot, HINT))
            own = exp.column(exp.to_identifier(stored, quoted=True))
            own = own if found == kind else exp.cast(own, kind, dialect="duckdb")
        made.append(exp.alias_(own, exp.to_identifier(column, quoted=True)))
    return made


def _stored(leaf: Leaf, value: exp.Expr, schema: pa.Schema) -> str | None:
    """The column of the files that a value is; None for anything else."""
    column = leaf.column(value)
    return next((each for each in schema.names if column is not None and each.lower() == column.lower()), None)


def _step(name: str, whole: Fragment, footers: Footers, schema: pa.Schema, sampling: Sampling) -> Blocks:
    drawn = draw(footers.sizes(), sampling.rate or 1.0, sampling.seed)
    ranges = zip(footers.places(drawn.group), drawn.start.tolist(), drawn.stop.tolist(), strict=True)
    pieces = tuple(Piece(path, group, start, stop) for (path, group), start, stop in ranges)
    return Blocks(name, whole, pieces, footers, schema, drawn)
