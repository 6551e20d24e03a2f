"""Functions of ours that are tables: where they may stand, and the relation that takes their place."""

from __future__ import annotations

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


def put_relation(node: exp.Expr, function: str, name: str, schema: pa.Schema, catalog: Catalog) -> None:
    """Let the relation `name`, which a step will fill, stand in the place of a call in FROM."""
    catalog.declare(name, schema)
    table = node.parent
    assert table is not None
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(function))
    table.replace(exp.Table(this=exp.to_identifier(name), alias=alias))
