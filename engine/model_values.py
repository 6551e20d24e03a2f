"""Calls of models as values: `verb(MODEL m, a, b)` becomes a function that DuckDB calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.model_calls import Call, look_up, raw_inputs
from paretosql.engine.nodes import spot_of
from paretosql.engine.plan import Scalar
from paretosql.engine.pushdown import variables
from paretosql.engine.transforms import transformed
from paretosql.errors import NotSupportedError, ProgrammingError, Spot, compose, spelt
from paretosql.udfs.batches import answers


def replace_scalar_call(node: exp.Expr, catalog: Catalog) -> Scalar | None:
    """Put a function of DuckDB's in the place of `verb(MODEL m, a, b)`; None when an earlier call has made it.

    Raises:
        ProgrammingError: another number of expressions than the model reads; a verb that answers with a table.
    """
    call = look_up(node, catalog)
    verb, model, row = call.verb, call.loaded.model, call.loaded.row
    spot = spot_of(node, catalog.text)
    if not verb.passes or node.args.get("source") is not None:
        problem = f"{verb.name} of rows is a table, not a value"
        raise ProgrammingError(compose(problem, spot, f"SELECT * FROM {verb.name}(MODEL {row.name}, TABLE t)"))
    if call.relations:
        hint = f"SELECT * FROM {verb.name}(MODEL {row.name}, TABLE t, history => ..)"
        raise NotSupportedError(compose("tables as arguments belong to the form in FROM", spot, hint))
    if isinstance(node.parent, exp.Window):
        problem = f"{verb.name} answers each row by itself and cannot stand over a window"
        raise ProgrammingError(compose(problem, spot, "leave OVER out."))
    outer = node.find_ancestor(exp.Query, exp.Create, exp.Alter)
    if isinstance(outer, (exp.Create, exp.Alter)):
        problem, hint = f"{verb.name} of a model cannot be part of a definition", "ask it in a query"
        raise NotSupportedError(compose(problem, spot, hint))
    transform = call.loaded.entry.transform
    fields = model.inputs(verb.name)
    wanted = [name for name, _ in raw_inputs(call.loaded, verb.name)] if transform else [field.name for field in fields]
    given = node.expressions
    if len(given) != len(wanted):
        problem = f"{verb.name} of {row.name!r} takes {len(wanted)} expressions, {len(given)} given"
        listed = ", ".join(map(spelt, wanted))
        hint = f"{verb.name}(MODEL {row.name}, {listed}), by position; or a table of them: TABLE t."
        raise ProgrammingError(compose(problem, spot, hint))
    arguments = [each.copy() for each in given]
    if transform:
        by_name = dict(zip((name.lower() for name in wanted), arguments, strict=True))
        arguments = [_substituted(transformed(transform, field.name), by_name, spot) for field in fields]
    names = [field.name for field in fields]
    output = model.outputs(verb.name, names)[0]
    key = (row.token, verb.name, repr(sorted(call.arguments.items())))
    known = catalog.functions.get(key)  # one function, so that GROUP BY finds its expression in the list of SELECT
    function = known or catalog.declare_function(
        _answering(model, call, names, output), output, f"{verb.name}_{row.name}"
    )
    catalog.functions[key] = function
    node.replace(exp.Anonymous(this=function, expressions=arguments))
    if known is not None:
        return None
    return Scalar(function, verb.name, row.name, row.token, tuple(names), tuple(call.arguments.items()))


def _substituted(value: exp.Expr | None, by_name: Mapping[str, exp.Expr], spot: Spot | None) -> exp.Expr:
    """An expression of TRANSFORM with the arguments of a call in the place of columns."""
    assert value is not None
    bound = {name for node in value.walk() for name in variables(node)}
    for read, each in by_name.items():
        names = [read, *(column.name.lower() for column in each.find_all(exp.Column))]
        caught = next((name for name in names if name in bound), None)
        if caught is not None:
            problem = f"the column {caught} has the name of a variable in the TRANSFORM of the model"
            raise NotSupportedError(compose(problem, spot, "give it another name in a subquery, or ask about a table."))
    return value.transform(
        lambda each: (
            exp.paren(by_name[each.name.lower()].copy())
            if isinstance(each, exp.Column) and each.name.lower() in by_name
            else each
        )
    )


def _answering(model: Any, call: Call, names: list[str], output: pa.Field) -> Any:
    """The function that DuckDB calls with columns of up to 2048 rows."""
    arguments = model.prepare(call.verb.name, call.arguments)
    known: set[tuple[pa.DataType, ...]] = set()

    def answer(*columns: pa.ChunkedArray) -> pa.Array:
        batch = pa.RecordBatch.from_arrays([_one(each) for each in columns], names=names)
        types = tuple(batch.schema.types)
        if types not in known:  # of a wrong type no row can be answered, and that is an error
            model.apply(call.verb.name, batch.slice(0, 0), arguments)
            known.add(types)
        found = answers(model, call.verb.name, batch, arguments)
        return found.column(output.name).cast(output.type)

    return answer


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    return column
