"""Views that count distinct values: kept in DuckDB's own catalog, spelled out before a plan is made.

DuckDB stores the text of such a view as any other, so it lives in the database file, follows its transactions and is
dropped as usual. DuckDB alone cannot run it. The session knows the names of such views and looks for them in every
text; one that another connection has made meanwhile is noticed by the error DuckDB gives.
"""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.catalog import Catalog, View
from paretosql.engine.dialect import Pareto, parse
from paretosql.engine.nodes import NdvCall, NdvReport, counted, cte_levels
from paretosql.errors import NotSupportedError, compose

# While a view is created DuckDB must know the function to find the column types.
STUB = (
    "CREATE TEMP MACRO ndv(x, method := NULL, rate := NULL, sampling := NULL, seed := NULL) AS approx_count_distinct(x)"
)
DROP_STUB = "DROP MACRO temp.ndv"
STUB_NEEDED = "SELECT count(*) = 0 FROM duckdb_functions() WHERE function_name = 'ndv'"  # not when a user made one
_WHOLE = (exp.Describe, exp.Summarize, exp.Copy, NdvReport)  # they take a table by name, and also a query
DEEPEST = 100  # our choice: views inside views


def expand_views(tree: exp.Expr, catalog: Catalog, depth: int = 0) -> exp.Expr:
    """Replace every table that is a view of ours by the query behind it, in place."""
    if depth > DEEPEST:
        raise NotSupportedError(compose(f"views nested deeper than {DEEPEST}"))
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or (not table.db and names_cte(table)):
            continue
        if not isinstance(table.parent, (exp.From, exp.Join, exp.Pivot, *_WHOLE)) and table.arg_key != "using":
            continue
        view = catalog.view(table.name, table.db or None, table.catalog or None)
        if view is not None:
            _replace(table, view, catalog, depth)
    return tree


def names_cte(table: exp.Table) -> bool:
    """Whether a bare table name means a common table expression of a query around it."""
    return any(cte.alias.lower() == table.name.lower() for _, ctes in cte_levels(table) for cte in ctes)


def names_view(tree: exp.Expr, views: set[str]) -> bool:
    """Whether a table of the tree may be one of these views."""
    return bool(views) and any(table.name.lower() in views for table in tree.find_all(exp.Table))


def _qualify(body: exp.Expr, view: View, catalog: Catalog) -> None:
    """Name the database of the tables that stand beside the view, since DuckDB's text of a view leaves it out."""
    for table in body.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and not table.db and not names_cte(table)
        if plain and catalog.has_table(table.name, view):
            table.set("db", exp.to_identifier(view.schema, quoted=True))
            table.set("catalog", exp.to_identifier(view.database, quoted=True))


def _replace(table: exp.Table, view: View, catalog: Catalog, depth: int) -> None:
    create = parse(view.sql)[0]
    body = create.expression.copy()
    _qualify(body, view, catalog)
    body = expand_views(body, catalog, depth + 1)
    alias = table.args.get("alias")
    columns = create.this.expressions if isinstance(create.this, exp.Schema) else []
    if isinstance(table.parent, _WHOLE):
        query = exp.select("*").from_(_aliased(body, table.name, columns))
        bare = isinstance(table.parent, (exp.Describe, exp.Summarize))
        table.replace(query if bare else exp.Subquery(this=query))
        return
    new = _aliased(body, table.alias or table.name, alias.columns if alias is not None and alias.columns else columns)
    for name in ("sample", "joins", "pivots"):
        new.set(name, table.args.get(name))
    table.replace(new)


def _aliased(body: exp.Expr, name: str, columns: list[exp.Expr]) -> exp.Subquery:
    alias = exp.TableAlias(this=exp.to_identifier(name), columns=[each.copy() for each in columns])
    return exp.Subquery(this=body, alias=alias)


def storable(create: exp.Expr) -> str:
    """The text of CREATE VIEW as DuckDB can keep it: FILTER moves into the argument, DISTINCT goes."""
    tree = create.copy()
    if tree.find(NdvReport) is not None:
        raise NotSupportedError(compose("ndv_report inside a view is not supported", hint="call it in a query"))
    for call in list(tree.find_all(NdvCall)):
        inner = counted(call)
        call.set("this", inner)
        outer = call.parent
        if isinstance(outer, exp.Filter):
            case = exp.Case(ifs=[exp.If(this=outer.expression.this.copy(), true=inner.copy())])
            call.set("this", case)
            outer.replace(call.copy())
    return str(tree.sql(dialect=Pareto))
