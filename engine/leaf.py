"""The one table behind a query, and another in its place.

A block sample replaces what is scanned and keeps the rest of the query, so it needs a query in which every row stands
for one row of one table: a SELECT with expressions and WHERE over a table, or over such a SELECT as a subquery, a
common table expression or a view.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import parse
from paretosql.engine.nodes import function_name, own_nodes
from paretosql.engine.parquet_files import scan_name
from paretosql.engine.row_groups import BLOCK

DEEPEST = 100  # our choice: views inside views
_MANY = (
    "joins",
    "laterals",
    "group",
    "having",
    "qualify",
    "distinct",
    "limit",
    "offset",
    "sample",
    "windows",
    "pivots",
)
_TABLE_PARTS = ("sample", "joins", "laterals", "pivots", "ordinality", "version", "when")


@dataclass(frozen=True)
class Leaf:
    """`table` is what is scanned; `path` are the SELECTs from the outermost to the one that scans it, in one tree."""

    table: exp.Table
    path: tuple[exp.Select, ...]

    @property
    def query(self) -> exp.Select:
        """The whole tree."""
        return self.path[0]

    @property
    def filtered(self) -> bool:
        """Whether rows of the table may be missing from the query."""
        return any(select.args.get("where") is not None for select in self.path)

    def column(self, value: exp.Expr) -> str | None:
        """The table's column that an expression over the query is, as it is spelt; None for anything else."""
        for select in self.path:
            value = value.unalias()
            if not isinstance(value, exp.Column) or isinstance(value.this, exp.Star) or value.args.get("db"):
                return None
            if value.table and value.table.lower() != _called(select.args["from_"].this).lower():
                return None  # a part of a column
            if select is self.path[-1]:
                return value.name
            found = _projection(self.path[self.path.index(select) + 1], value.name)
            if found is None:
                return None
            value = found
        return None

    @property
    def renamed(self) -> bool:
        """Whether columns are called by their place, or all at once, so that none may be missing."""
        stars = [star for select in self.path for each in select.expressions for star in each.find_all(exp.Star)]
        plain = [each for select in self.path for each in select.expressions if each.is_star]
        return len(stars) > len(plain) or any(alias.columns for alias in self.query.find_all(exp.TableAlias))

    def put(self, name: str, alias: str, columns: list[exp.Expr]) -> None:
        """Read another relation, of whose columns the table's are made; the rows of the query then carry BLOCK.

        Args:
            alias: what the table is called where the query does not say.
        """
        scan = exp.From(this=exp.Table(this=exp.to_identifier(name)))
        source = exp.Select(expressions=[*columns, exp.column(BLOCK)], from_=scan)
        called = self.table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
        self.table.replace(exp.Subquery(this=source, alias=called.copy()))
        for select in self.path[1:]:
            for star in [each for each in select.expressions if each.is_star]:
                _leave_out(star)
            select.append("expressions", exp.column(BLOCK))


def leaf_of(query: exp.Select, with_: exp.With | None, catalog: Catalog) -> Leaf | None:
    """The table behind a query whose common table expressions are `with_`; None when rows of several tables meet, or
    rows are merged, cut or multiplied. The leaf stands in a copy of the query, with subqueries for views and common
    table expressions.
    """
    tree = query.copy()
    ctes = {cte.alias.lower(): cte for cte in (with_.expressions if with_ is not None else [])}
    path, select = [tree], tree
    while len(path) < DEEPEST:
        from_ = select.args.get("from_")
        if from_ is None or not _row_by_row(select, catalog, outermost=select is tree):
            return None
        source = from_.this
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            source = _spelt_out(source, ctes, catalog)
        if any(source.args.get(part) for part in _TABLE_PARTS):
            return None
        if isinstance(source, exp.Table):
            alias = source.args.get("alias")  # columns renamed by their place would be read by the wrong names
            return None if alias is not None and alias.columns else Leaf(source, tuple(path))
        if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select) or source.args.get("with_"):
            return None
        select = source.this
        path.append(select)
    return None


def _row_by_row(select: exp.Select, catalog: Catalog, *, outermost: bool) -> bool:
    """Whether each row of the SELECT stands for one row of its FROM."""
    if any(select.args.get(part) for part in _MANY) or (not outermost and select.args.get("with_") is not None):
        return False
    inner = [node for each in select.expressions for node in own_nodes(each)]
    return not any(
        isinstance(node, (exp.Window, exp.Explode, exp.Unnest))
        or function_name(node).lower() == "unnest"
        or (not outermost and catalog.is_aggregate(function_name(node)))
        for node in inner
    )


def _spelt_out(table: exp.Table, ctes: dict[str, exp.CTE], catalog: Catalog) -> exp.Expr:
    """The table, or a subquery in its place when it names a common table expression or a view."""
    alias = table.args.get("alias")
    cte = None if table.db else ctes.get(table.name.lower())
    if cte is not None:
        body, columns = cte.this.copy(), cte.args["alias"].columns
    else:
        sql = catalog.view_text(table.name, table.db or None, table.catalog or None)
        if sql is None:
            return table
        create = parse(sql)[0]
        body = create.expression.copy()
        columns = create.this.expressions if isinstance(create.this, exp.Schema) else []
    columns = alias.columns if alias is not None and alias.columns else columns
    name = exp.to_identifier(table.alias or table.name, quoted=True)
    new = exp.Subquery(this=body, alias=exp.TableAlias(this=name, columns=[each.copy() for each in columns]))
    for part in _TABLE_PARTS:
        new.set(part, table.args.get(part))
    table.replace(new)
    return new


def _projection(select: exp.Select, name: str) -> exp.Expr | None:
    """What a SELECT calls `name`; a bare star hands every name on. None when columns were renamed from outside, or when
    a star may have brought the name before another column got it: the first one counts.
    """
    around = select.parent
    alias = around.args.get("alias") if around is not None else None
    if alias is not None and alias.columns:
        return None
    star = seen = False
    for each in select.expressions:
        if each.is_star:
            seen = True
            star = star or not (each.args.get("except_") or each.args.get("replace") or each.args.get("rename"))
        elif each.alias_or_name.lower() == name.lower():
            found: exp.Expr = each.unalias()
            return None if seen else found
    return exp.column(name) if star else None


def _called(source: exp.Expr) -> str:
    """What a query calls the one thing in its FROM."""
    return source.alias or (scan_name(source) if isinstance(source, exp.Table) else "")


def _leave_out(star: exp.Expr) -> None:
    node = star.this if isinstance(star, exp.Column) else star
    node.set("except_", [*(node.args.get("except_") or []), exp.to_identifier(BLOCK)])
