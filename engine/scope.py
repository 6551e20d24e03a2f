"""What the FROM of a SELECT can see: common table expressions around it, output aliases, and its own columns."""

from __future__ import annotations

from functools import cached_property

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import ModelCall, NdvCall, cte_levels, holds, own_nodes, spot_of
from paretosql.engine.parameters import fragment
from paretosql.engine.stand_in import stand_in
from paretosql.errors import NotSupportedError, compose


def sources(select: exp.Expr, *columns: exp.Expr) -> exp.Select:
    """SELECT columns over the FROM of `select`, and nothing else of it."""
    query = exp.Select(expressions=[each.copy() for each in columns])
    _copy_parts(select, query, ("from_", "joins", "laterals"))
    return query


def _copy_parts(select: exp.Expr, query: exp.Select, names: tuple[str, ...]) -> None:
    for name in names:
        part = select.args.get(name)
        if part is not None:
            query.set(name, [each.copy() for each in part] if isinstance(part, list) else part.copy())


def visible_with(select: exp.Expr, text: str) -> exp.With | None:
    """A copy of the common table expressions that `select` may name and does, inner ones hiding outer ones."""
    found: dict[str, exp.CTE] = {}
    recursive = False
    for with_, ctes in cte_levels(select):
        recursive = recursive or bool(with_.args.get("recursive"))
        for cte in ctes:
            if holds(cte, select):
                _refuse_recursion(with_, cte, select, text)
        found = {**{cte.alias.lower(): cte for cte in ctes}, **found}
    used = _used(select, found)
    if not used:
        return None
    return exp.With(expressions=[cte.copy() for name, cte in found.items() if name in used], recursive=recursive)


def _refuse_recursion(with_: exp.With, cte: exp.CTE, select: exp.Expr, text: str) -> None:
    if with_.args.get("recursive") and any(
        table.name.lower() == cte.alias.lower() for table in select.find_all(exp.Table)
    ):
        call = cte.find(NdvCall, ModelCall)
        asks = isinstance(call, ModelCall)
        problem = f"{'asking a model' if asks else 'ndv'} inside the recursive table {cte.alias} is not supported"
        hint = f"{'ask it' if asks else 'count'} in the query that reads the recursive table"
        raise NotSupportedError(compose(problem, spot_of(call, text) if call is not None else None, hint))


def _used(select: exp.Expr, known: dict[str, exp.CTE]) -> set[str]:
    used: set[str] = set()
    todo: list[exp.Expr] = [select]
    while todo:
        for table in todo.pop().find_all(exp.Table):
            name = table.name.lower()
            if not table.db and name in known and name not in used:
                used.add(name)
                todo.append(known[name])
    return used


class Scope:
    """The names of one SELECT. `rows(...)` builds queries over the same rows."""

    def __init__(self, select: exp.Select, catalog: Catalog) -> None:
        self.select = select
        self.catalog = catalog
        self.with_ = visible_with(select, catalog.text)
        self.aliases = {each.alias.lower(): each.this for each in select.expressions if isinstance(each, exp.Alias)}

    def rows(self, *columns: exp.Expr) -> exp.Select:
        """SELECT columns FROM, WHERE as in this SELECT, without its grouping."""
        query = sources(self.select, *columns)
        _copy_parts(self.select, query, ("sample",))
        where = self.select.args.get("where")
        if where is not None:
            query.set("where", exp.Where(this=self.resolve(where.this)))
        return query

    def alone(self, query: exp.Expr) -> exp.Expr:
        """The query with the common table expressions it needs, so that it can run by itself."""
        if self.with_ is not None:
            query.set("with_", self.with_.copy())
        return query

    @cached_property
    def columns(self) -> list[str]:
        """Column names of FROM."""
        if self.select.args.get("from_") is None:
            return []
        query = self.alone(sources(self.select, exp.Star()))
        stand_in(query)  # what counts inside FROM may not have been replaced yet
        piece = fragment(query)
        return [name for name, _ in self.catalog.describe(piece.sql, piece.wants)]

    def is_alias(self, node: exp.Expr) -> bool:
        """Whether a bare name means an output column, because FROM has no column of that name."""
        return (
            isinstance(node, exp.Column)
            and not node.table
            and node.name.lower() in self.aliases
            and node.name.lower() not in {name.lower() for name in self.columns}
        )

    def resolve(self, expression: exp.Expr) -> exp.Expr:
        """A copy in which names of output columns are replaced by what they stand for."""
        copy = exp.Paren(this=expression.copy())
        for node in list(own_nodes(copy)):
            if isinstance(node, exp.Column) and node.name.lower() in self.aliases and self.is_alias(node):
                meant = self.aliases[node.name.lower()]
                if meant is not expression and not any(
                    each.name.lower() == node.name.lower() for each in meant.find_all(exp.Column)
                ):
                    node.replace(exp.Paren(this=meant.copy()) if not isinstance(meant, exp.Column) else meant.copy())
        inner = copy.this
        inner.pop()
        bare: exp.Expr = inner.this if isinstance(inner, exp.Paren) and not isinstance(expression, exp.Paren) else inner
        return bare

    def key(self, expression: exp.Expr) -> exp.Expr:
        """What an entry of GROUP BY means: an ordinal or an alias stands for an output expression."""
        if isinstance(expression, exp.Literal) and not expression.is_string and str(expression.this).isdigit():
            at = int(expression.this) - 1
            if 0 <= at < len(self.select.expressions):
                return self.resolve(self.select.expressions[at].unalias())
        return self.resolve(expression)
