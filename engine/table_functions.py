"""Functions of ours that are tables: where they may stand, and the relation that takes their place."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import spot_of
from paretosql.errors import ProgrammingError, compose


def refuse_value(node: exp.Expr, function: str, hint: str, catalog: Catalog) -> None:
    """ProgrammingError when the call does not stand in FROM; `hint` shows how it may stand."""
    if not isinstance(node.parent, exp.Table):
        problem = f"{function} is a table, not a value"
        raise ProgrammingError(compose(problem, spot_of(node, catalog.text), hint))


def put_relation(
    node: exp.Expr,
    function: str,
    name: str,
    schema: pa.Schema,
    catalog: Catalog,
    *,
    casts: Mapping[str, str] | None = None,
) -> None:
    """Let the relation `name`, which a step will fill, stand in the place of a call in FROM.

    Args:
        casts: SQL types of columns that Arrow carries as another one.
    """
    catalog.declare(name, schema)
    table = node.parent
    assert table is not None
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(function))
    new: exp.Expr = exp.Table(this=exp.to_identifier(name))
    if casts:
        columns = []
        for each in schema.names:
            column = exp.column(exp.to_identifier(each, quoted=True))
            kind = casts.get(each)
            cast = column if kind is None else exp.cast(column, exp.DataType.build(kind, dialect="duckdb", udt=True))
            columns.append(exp.alias_(cast, exp.to_identifier(each, quoted=True)))
        new = exp.Subquery(this=exp.select(*columns).from_(new))
    new.set("alias", alias)
    for part in ("joins", "laterals", "pivots", "sample"):
        if table.args.get(part):
            new.set(part, table.args[part])
    table.replace(new)
