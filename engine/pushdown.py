"""What the SELECT around a call of a model lets be done before the model is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import function_name, inner_nodes


@dataclass
class Asked:
    """What the SELECT around a call wants of it.

    columns: lower-case names of the columns it reads, None when it may read any. conditions: parts of its WHERE that
    stand for themselves. limit: how many rows it takes of those that the conditions leave, when nothing else cuts.
    """

    columns: set[str] | None = None
    select: exp.Expr | None = None
    conditions: list[exp.Expr] = field(default_factory=list)
    limited: bool = False
    called: str = ""  # what the SELECT calls the relation, in lower case

    def push(self, base: exp.Select, columns: Mapping[str, str], catalog: Catalog) -> int | None:
        """Move conditions on some columns from the SELECT around into the source.

        Args:
            columns: those that the answer takes over from the source as they are, with their SQL types.
        Returns:
            How many rows of the answer are enough; None when all may be wanted.
        """
        if self.select is None:
            return None
        texts = {name.lower() for name, kind in columns.items() if kind == "VARCHAR"}
        known = {name.lower() for name, kind in columns.items() if kind == "VARCHAR" or "VARCHAR" not in kind}
        if self.conditions and texts and catalog.collates_by_default:
            known -= texts
        mine = [each for each in self.conditions if _only(each, known, self.called, catalog)]
        rest = [each for each in self.conditions if each not in mine]
        if mine:
            base.where(*(_below(each, texts) for each in mine), copy=False)
            self.select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
        limit = self.select.args.get("limit")
        return int(limit.expression.this) if self.limited and not rest and limit is not None else None


_CUTS = (
    "group",
    "having",
    "qualify",
    "distinct",
    "order",
    "windows",
    "offset",
    "sample",
    "joins",
    "laterals",
    "pivots",
)


def asked_of(call: exp.Expr) -> Asked:
    """Of a call in FROM; nothing is known where it is joined with others, or stands elsewhere."""
    table = call.parent
    select = table.find_ancestor(exp.Select) if table is not None else None
    if table is None or select is None or not isinstance(table.parent, exp.From) or table.parent.parent is not select:
        return Asked()
    alias = table.args.get("alias")
    if select.args.get("joins") or select.args.get("laterals") or (alias is not None and alias.columns):
        return Asked()
    if any(table.args.get(part) for part in ("sample", "joins", "laterals", "pivots")) or select.args.get("sample"):
        return Asked()
    where = select.args.get("where")
    conditions = list(where.this.flatten()) if where is not None and isinstance(where.this, exp.And) else []
    if where is not None and not conditions:
        conditions = [where.this]
    limit = select.args.get("limit")
    plain = all(
        isinstance(each.unalias(), (exp.Column, exp.Star, exp.Literal))
        and each.find(exp.Window, exp.Func) is None  # in * REPLACE (..)
        for each in select.expressions
    )
    cut = any(select.args.get(part) for part in _CUTS)
    limited = limit is not None and isinstance(limit, exp.Limit) and plain and not cut and _literal(limit)
    called = (table.alias or str(call.args["verb"])).lower()
    return Asked(_read(select, called), select, conditions, limited, called)


def _literal(limit: exp.Expr) -> bool:
    if any(limit.args.get(part) for part in limit.args if part != "expression"):  # PERCENT, WITH TIES
        return False
    count = limit.args.get("expression")
    return isinstance(count, exp.Literal) and str(count.this).isdigit()


def _read(select: exp.Expr, called: str) -> set[str] | None:
    """Names of all columns that stand anywhere in a SELECT; None where a star, or the relation as a whole, is read."""
    names: set[str] = set()
    for node in inner_nodes(select):
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            return None
        if isinstance(node, (exp.Columns, exp.Subquery, exp.Query, exp.PositionalColumn)):
            return None
        if isinstance(node, exp.Column) and not node.table and node.name.lower() == called:
            return None
        if isinstance(node, exp.Column):
            names |= {part.name.lower() for part in node.parts}
    if any(
        isinstance(each, exp.Query)
        for each in select.find_all(exp.Query)
        if each is not select and not _of_the_call(each, select)
    ):
        return None
    return names


def _of_the_call(query: exp.Expr, select: exp.Expr) -> bool:
    """Whether a query belongs to the source or an argument of the call itself."""
    from paretosql.engine.nodes import ModelCall

    found = query.find_ancestor(ModelCall)
    return found is not None and found.find_ancestor(exp.Select) is select


def variables(node: exp.Expr) -> set[str]:
    """Lower-case names that an expression gives to elements of a list: of a lambda or a list comprehension."""
    if isinstance(node, exp.Lambda):
        return {each.name.lower() for each in node.expressions}
    if isinstance(node, exp.Comprehension):
        return {each.name.lower() for each in (node.expression, node.args.get("position")) if each is not None}
    if isinstance(node, exp.JSONExtract) and isinstance(node.this, exp.Column) and not node.expression.is_string:
        return {node.this.name.lower()}  # x -> x + 1 is written like j -> 'key'
    return set()


def _only(condition: exp.Expr, names: set[str], called: str, catalog: Catalog) -> bool:
    """Whether a condition reads nothing but columns of these names, and says the same whenever it is asked."""
    for node in condition.walk():
        if isinstance(node, (exp.Query, exp.Window, exp.Star, exp.PositionalColumn)) or node.args.get("verb"):
            return False
        if variables(node):  # which may be called like columns
            return False
        if isinstance(node, exp.Column) and (node.name.lower() not in names or len(node.parts) > 2):
            return False
        if isinstance(node, exp.Column) and node.table and node.table.lower() != called:  # of a query around this one
            return False
        name = function_name(node)
        if name and (catalog.is_volatile(name) or catalog.is_aggregate(name)):
            return False
    return True


def _below(condition: exp.Expr, texts: Collection[str]) -> exp.Expr:
    """The condition for the source: column names stand alone, since there is one table only, and texts are compared
    byte by byte, as above the model, where nothing is left of a column's collation.
    """

    def moved(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        column = exp.column(node.this.copy())
        return exact(column) if node.name.lower() in texts else column

    return condition.copy().transform(moved)


def exact(text: exp.Expr) -> exp.Expr:
    """A text that is compared byte by byte."""
    return exp.paren(exp.Collate(this=text, expression=exp.var("posix")), copy=False)
