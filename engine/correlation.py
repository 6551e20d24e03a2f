"""Correlated subqueries that count distinct values become grouped ones.

    SELECT t.k, (SELECT ndv(u.x) FROM u WHERE u.k = t.k) FROM t

counts once per distinct `t.k` instead of once per row:

    SELECT t.k, (SELECT c.n FROM (SELECT d.o0, ndv(u.x) AS n
                                  FROM (SELECT DISTINCT t.k AS o0 FROM t) AS d
                                  LEFT JOIN LATERAL (SELECT *, 1 AS one FROM u WHERE u.k = d.o0) AS u ON TRUE
                                  GROUP BY d.o0) AS c
                 WHERE c.o0 IS NOT DISTINCT FROM t.k) FROM t

The join keeps outer values for which the subquery has no rows, as a row of NULLs; aggregates are filtered so that they
do not see it. A subquery with a GROUP BY of its own has no group then, and no row: its join is an inner one.

Source: the general idea of Neumann and Kemper, "Unnesting Arbitrary Queries" (BTW 2015), for one level and one source.
"""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import NdvCall, function_name, inner_nodes, source_names, spot_of
from paretosql.engine.scope import Scope, sources
from paretosql.errors import NotSupportedError, ProgrammingError, compose

DOMAIN, COUNTED, ONE = "__d", "__c", "__one"
_OUT_OF_LIST = (exp.From, exp.Join, exp.CTE, exp.Lateral)


def decorrelate(tree: exp.Expr, catalog: Catalog) -> None:
    """Replace, in place, every counting SELECT of `tree` that names columns of the SELECT around it."""
    for select in list(tree.find_all(exp.Select)):
        if not any(isinstance(node, NdvCall) for node in inner_nodes(select)):
            continue
        outer = _around(select)
        if outer is None:
            _refuse_lateral(select, catalog)
            continue
        foreign = _foreign_columns(select, outer, catalog)
        if foreign:
            _refuse_hard_cases(select, catalog)
            _rewrite(select, outer, foreign, catalog)


def _around(select: exp.Select) -> exp.Select | None:
    """The SELECT whose list, WHERE or HAVING holds this one."""
    node = select.parent
    while node is not None and not isinstance(node, exp.Select):
        if isinstance(node, _OUT_OF_LIST):
            return None
        node = node.parent
    return node


def _foreign_columns(select: exp.Select, outer: exp.Select, catalog: Catalog) -> list[exp.Column]:
    """Columns in `select` that only `outer` can mean."""
    own, around = source_names(select), source_names(outer)
    columns = [
        node for node in inner_nodes(select) if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star)
    ]
    found = [each for each in columns if each.table and each.table.lower() not in own and each.table.lower() in around]
    bare = [each for each in columns if not each.table]
    if bare:
        known = {name.lower() for name in Scope(select, catalog).columns} | {
            each.alias.lower() for each in select.expressions if isinstance(each, exp.Alias)
        }
        unknown = [each for each in bare if each.name.lower() not in known]
        if unknown:
            outside = {name.lower() for name in Scope(outer, catalog).columns}
            found += [each for each in unknown if each.name.lower() in outside]
    return found


def _refuse_lateral(select: exp.Select, catalog: Catalog) -> None:
    """A counting SELECT in FROM cannot name the tables beside it."""
    outer = select.parent_select
    if outer is None or not isinstance(outer, exp.Select):
        return
    own, around = source_names(select), source_names(outer)
    for node in inner_nodes(select):
        if isinstance(node, exp.Column) and node.table and node.table.lower() in around - own:
            hint = "count in a subquery that groups by the column, and join that"
            spot = spot_of(node, catalog.text)
            raise NotSupportedError(compose("ndv in a correlated LATERAL is not supported", spot, hint))


def _refuse_hard_cases(select: exp.Select, catalog: Catalog) -> None:
    columns = len(select.expressions)
    if columns > 1 and not isinstance(select.parent, exp.Exists):
        raise ProgrammingError(
            compose(
                f"Subquery returns {columns} columns - expected 1", spot_of(select, catalog.text), "select one column"
            )
        )
    hard = any(
        select.args.get(name) for name in ("joins", "laterals", "limit", "offset", "order", "distinct", "qualify")
    )
    group = select.args.get("group")
    sets = group is not None and (group.args.get("all") or group.find(exp.GroupingSets, exp.Rollup, exp.Cube))
    if hard or sets or select.args.get("from_") is None:
        call = next(node for node in inner_nodes(select) if isinstance(node, NdvCall))
        hint = "group by the column in a subquery and join it: .. JOIN (SELECT k, ndv(x) AS n .. GROUP BY k) USING (k)"
        raise NotSupportedError(
            compose("a correlated ndv subquery has one source and plain grouping", spot_of(call, catalog.text), hint)
        )


def _rewrite(select: exp.Select, outer: exp.Select, foreign: list[exp.Column], catalog: Catalog) -> None:
    distinct = list(dict.fromkeys(each.copy() for each in foreign))
    names = [f"__o{at}" for at in range(len(distinct))]
    for each in foreign:
        each.replace(exp.column(names[distinct.index(each)], table=DOMAIN))
    grouped = _grouped(select, _domain(outer, distinct, names), names, catalog)
    value = exp.column(exp.to_identifier(grouped.expressions[-1].alias, quoted=True), table=COUNTED)
    same = [
        exp.NullSafeEQ(this=exp.column(name, table=COUNTED), expression=each.copy())
        for name, each in zip(names, distinct, strict=True)
    ]
    new = exp.Select(expressions=[value])
    new.set("from_", exp.From(this=grouped.subquery(COUNTED)))
    new.set("where", exp.Where(this=exp.and_(*same)))
    select.replace(new)


def _domain(outer: exp.Select, columns: list[exp.Column], names: list[str]) -> exp.Expr:
    """The different values that the outer columns take."""
    named = (exp.alias_(each.copy(), name) for each, name in zip(columns, names, strict=True))
    return sources(outer, *named).distinct().subquery(DOMAIN)


def _grouped(select: exp.Select, domain: exp.Expr, names: list[str], catalog: Catalog) -> exp.Select:
    """The subquery over all its outer values at once, the domain's columns first and its own value last."""
    new = select.copy()
    source = new.args["from_"].this
    rows = exp.select("*", exp.alias_(exp.Literal.number(1), ONE))
    rows.set("from_", exp.From(this=source.copy()))
    rows.set("where", new.args.get("where"))
    lateral = exp.Lateral(this=rows.subquery(), alias=exp.TableAlias(this=exp.to_identifier(source.alias_or_name)))
    new.set("where", None)
    new.set("from_", exp.From(this=domain))
    # without a GROUP BY of its own the subquery has a row for no rows, too
    side = None if select.args.get("group") else "LEFT"
    new.set("joins", [exp.Join(this=lateral, side=side, on=exp.true())])
    if side is not None:
        _ignore_missing_rows(new, catalog)
    keys = [exp.column(name, table=DOMAIN) for name in names]
    group = new.args.get("group")
    new.set("group", exp.Group(expressions=[*(each.copy() for each in keys), *(group.expressions if group else [])]))
    item = new.expressions[-1]
    named = item if isinstance(item, exp.Alias) else exp.alias_(item.copy(), "__value")
    new.set("expressions", [*(exp.alias_(each, name) for each, name in zip(keys, names, strict=True)), named])
    return new


def _ignore_missing_rows(select: exp.Select, catalog: Catalog) -> None:
    """Keep aggregates from seeing the row of NULLs that stands for an outer value without rows."""
    for node in list(inner_nodes(select)):
        if not isinstance(node, NdvCall) and not catalog.is_aggregate(function_name(node)):
            continue
        _filter(node, exp.Not(this=exp.column(ONE).is_(exp.null())))


def _filter(aggregate: exp.Expr, condition: exp.Expr) -> None:
    """Give an aggregate that is not over a window one more condition, in place."""
    while isinstance(aggregate.parent, (exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        aggregate = aggregate.parent
    if isinstance(aggregate.parent, exp.Filter):
        where = aggregate.parent.expression
        where.set("this", exp.and_(where.this, condition))
    elif not isinstance(aggregate.parent, exp.Window):
        filtered = exp.Filter(expression=exp.Where(this=condition))
        aggregate.replace(filtered)
        filtered.set("this", aggregate)
