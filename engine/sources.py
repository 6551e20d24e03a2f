"""The table or query that a table function reads: `TABLE t`, `(SELECT ..)` or the name of a file."""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.parameters import fragment


def source_query(source: exp.Expr) -> exp.Expr:
    """The query behind a Subquery, a Table, or a string that names a file."""
    if isinstance(source, exp.Subquery):
        query: exp.Expr = source.this.copy()
        return query
    if isinstance(source, exp.Table):
        return exp.select("*").from_(source.copy())
    return exp.select("*").from_(exp.Table(this=exp.to_identifier(source.name, quoted=True)))


def whole_piece(query: exp.Expr, with_: exp.With | None) -> tuple[str, frozenset[str]]:
    """SELECT * over a query and the common table expressions it names: the text, and the parameters it wants."""
    alias = exp.TableAlias(this=exp.to_identifier("__r"))
    whole = exp.select("*").from_(exp.Subquery(this=query.copy(), alias=alias))
    if with_ is not None:
        whole.set("with_", with_.copy())
    piece = fragment(whole)
    return piece.sql, piece.wants
