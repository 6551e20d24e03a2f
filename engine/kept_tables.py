"""Common table expressions that differ each time they are read, kept as tables so that all their readers see one.

    WITH u AS (SELECT random() AS x FROM t) SELECT .. FROM predict(MODEL m, TABLE u) JOIN u USING (x)

The call reads u in a fragment of its own, the join in another.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import ModelCall, NdvCall, NdvReport, TraceSimulate
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Materialize
from paretosql.engine.scope import visible_with


def keep_changing_tables(tree: exp.Expr, catalog: Catalog) -> Iterator[Materialize]:
    """Steps that evaluate such expressions of the outermost WITH once, where more than one place reads them.

    One that calls a function of ours itself, or is recursive, stays as it is.
    """
    for with_ in list(tree.find_all(exp.With)):
        around = with_.parent.find_ancestor(exp.Select) if with_.parent is not None else None
        if with_.args.get("recursive") or around is not None:
            continue
        for cte in with_.expressions:
            name = cte.alias.lower()
            readers = sum(table.name.lower() == name and not table.db for table in tree.find_all(exp.Table))
            step = _kept(cte, catalog) if readers > 1 else None
            if step is not None:
                yield step


def _kept(cte: exp.CTE, catalog: Catalog) -> Materialize | None:
    beside = visible_with(cte.this, catalog.text)
    parts = [part for part in (cte.this, beside) if part is not None]
    if any(part.find(ModelCall, NdvCall, NdvReport, TraceSimulate) for part in parts) or not catalog.rows_change(parts):
        return None
    query = exp.select("*").from_(cte.this.copy().subquery("__c"))
    if beside is not None:
        query.set("with_", beside)
    piece = fragment(query)
    name = catalog.new_name()
    catalog.declare_query(name, piece.sql, piece.wants)
    cte.set("this", exp.select("*").from_(exp.to_table(name)))
    return Materialize(name, piece)
