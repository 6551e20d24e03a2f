"""Calls over stored sketches in a statement: ndv_estimate and ndv_profile become functions that DuckDB has."""

from __future__ import annotations

from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import SketchCall, call_name, options_of, spot_of
from paretosql.engine.options import check_known, check_method
from paretosql.engine.scalars import HIDDEN
from paretosql.engine.signatures import SCALARS
from paretosql.errors import NotSupportedError, compose


def replace_scalars(tree: exp.Expr, catalog: Catalog) -> None:
    """Put DuckDB's functions in the place of our calls, inner ones first.

    Raises:
        ProgrammingError: an unknown option or method.
        NotSupportedError: a call in a definition that would outlive the session, such as a default value.
    """
    for call in reversed(list(tree.find_all(SketchCall))):
        _check_place(call, catalog)
        name, options = call_name(call), options_of(call)
        check_known(call, name, SCALARS[name].options, catalog)
        arguments = [call.this.copy()]
        if name == "ndv_estimate":
            method, rows = options.get("method", exp.null()), options.get("rows", exp.null())
            if isinstance(method, exp.Literal):
                check_method(call, str(method.this) if method.is_string else method.to_py(), catalog)
            arguments += [exp.cast(method.copy(), exp.DType.VARCHAR), exp.cast(rows.copy(), exp.DType.DOUBLE)]
        call.replace(exp.Anonymous(this=HIDDEN + name, expressions=arguments))


def _check_place(call: exp.Expr, catalog: Catalog) -> None:
    """Columns and indexes keep their expressions in the database file, where no one else knows our functions."""
    outer = call.find_ancestor(exp.Query, exp.Create, exp.Alter)
    if isinstance(outer, (exp.Create, exp.Alter)):
        hint = "compute it in a query, or in a view"
        problem = f"{call_name(call)} cannot be part of a definition"
        raise NotSupportedError(compose(problem, spot_of(call, catalog.text), hint))
