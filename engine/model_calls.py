"""Calls of models in a statement: `verb(MODEL m, TABLE t)` becomes a step and its relation, and the scalar form a
function that DuckDB calls.

    SELECT id, predicted_y FROM predict(MODEL m, TABLE t) WHERE id > 5 LIMIT 3

reads `SELECT id AS c0, x AS i0 FROM t WHERE id > 5 LIMIT 3` in batches, asks the model, and selects from the answers:
conditions and limits go below the model where that changes nothing, columns that nobody reads are not carried along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.model_catalog import Loaded
from paretosql.engine.nodes import ModelCall, option_node, options_of, source_names, spot_of
from paretosql.engine.options import constant
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Fragment, Infer, Scalar
from paretosql.engine.pushdown import Asked, asked_of
from paretosql.engine.scope import visible_with
from paretosql.engine.sources import source_query, whole_piece
from paretosql.engine.table_functions import put_relation
from paretosql.engine.transforms import transformed
from paretosql.errors import Error, NotSupportedError, ProgrammingError, closest, compose
from paretosql.udfs.model import STATUS
from paretosql.udfs.roles import found_column
from paretosql.udfs.verbs import RELATION, VERBS, Verb, read_arguments

INPUT, PASSED = "__i", "__c"  # column name prefixes of the fragment that a step reads


@dataclass(frozen=True)
class Call:
    """One call, looked up: the model, the verb, and the arguments that are values."""

    node: exp.Expr
    loaded: Loaded
    verb: Verb
    arguments: Mapping[str, Any]
    relations: Mapping[str, exp.Expr]


def look_up(node: exp.Expr, catalog: Catalog) -> Call:
    """The model behind a call.

    Raises:
        ModelNotFound: there is none. ProgrammingError: it cannot be asked this, or not with these arguments.
    """
    spot = spot_of(node, catalog.text)
    name = model_name(node.this)
    loaded = catalog.session.models.load(catalog.session.models.named(name, spot_of(node.this, catalog.text) or spot))
    verb = VERBS[str(node.args["verb"])]
    model = loaded.model
    if verb.name not in model.verbs():
        listed = ", ".join(model.verbs())
        problem = f"{model.family.name} models cannot be asked to {verb.name}: {name!r} is one"
        raise ProgrammingError(compose(problem, spot, f"it can be asked to {listed}."))
    values: dict[str, Any] = {}
    relations: dict[str, exp.Expr] = {}
    for word, value in options_of(node).items():
        known = verb.arguments.get(word)
        if known is not None and known.kind == RELATION:
            relations[word] = _relation(node, word, value, catalog)
        else:
            values[word] = constant(node, word, value, catalog, boolean=True)
    try:
        arguments = read_arguments(verb.name, values, name)
    except ProgrammingError as fault:
        blamed = next((each for each in values if f"{each!r}" in str(fault) or str(fault).startswith(f"{each} ")), "")
        wrong = option_node(node, blamed) or node
        raise ProgrammingError(_pointed(fault, spot_of(wrong, catalog.text) or spot)) from fault
    return Call(node, loaded, verb, arguments, relations)


def model_name(node: exp.Expr) -> str:
    """The name of a model as it was written, with dots; `project.dataset.model` in one pair of quotes, too."""
    return ".".join(part.name for part in node.parts) if isinstance(node, exp.Table) else node.name


def _pointed(fault: Error, spot: Any) -> str:
    """The text of an error with the place it is about."""
    problem, _, hint = str(fault).partition("\nHint: ")
    return compose(problem, spot, hint or None)


def _relation(node: exp.Expr, word: str, value: exp.Expr, catalog: Catalog) -> exp.Expr:
    if isinstance(value, exp.Subquery):
        query: exp.Expr = value.this
        return query
    if isinstance(value, exp.Table):
        return exp.select("*").from_(value.copy())
    spot = spot_of(option_node(node, word) or node, catalog.text)
    raise ProgrammingError(
        compose(f"{word} is a table or a query", spot, f"write {word} => TABLE t, or {word} => (SELECT ..).")
    )


def replace_model_call(node: exp.Expr, catalog: Catalog) -> Infer:
    """The step that asks a model about rows, after putting its relation in the place of a call in FROM.

    Raises:
        ProgrammingError: no such model, verb, argument or column; rows that are missing, or not wanted.
    """
    call = look_up(node, catalog)
    verb, spot = call.verb, spot_of(node, catalog.text)
    if node.expressions:
        raise ProgrammingError(
            compose(f"{verb.name} in FROM takes rows, not expressions", spot, f"{verb.name}(MODEL m, TABLE t)")
        )
    source = node.args.get("source")
    if source is None and verb.source == "needed":
        raise ProgrammingError(
            compose(f"{verb.name} needs rows", spot, f"write {verb.name}(MODEL {call.loaded.row.name}, TABLE t).")
        )
    if source is not None and verb.source == "none":
        hint = f"write {verb.name}(MODEL {call.loaded.row.name})."
        raise ProgrammingError(compose(f"{verb.name} reads no rows", spot, hint))
    if verb.name == "evaluate" and source is None and not call.loaded.entry.evaluation:
        hint = "give rows: evaluate(MODEL m, TABLE t), or hold some out: OPTIONS (split = 'leave_last_out')."
        raise ProgrammingError(compose(f"{call.loaded.row.name!r} was trained without rows held out", spot, hint))
    relations = tuple(
        (word, Fragment(*whole_piece(query, visible_with(node, catalog.text))))
        for word, query in call.relations.items()
    )
    name = catalog.new_name()
    try:
        asked = asked_of(node) if verb.passes else Asked()
        read, passed, inputs = _source(call, source, asked, catalog)
        schema = _schema(call, read, passed, inputs, catalog)
    except Error as fault:
        _refuse_correlation(fault, call, catalog)
        if "line " in str(fault):
            raise
        raise type(fault)(_pointed(fault, spot)) from fault
    put_relation(node, verb.name, name, schema, catalog, casts=_casts(call, source, schema, passed, catalog))
    where = call.loaded.row
    return Infer(
        name, verb.name, where.name, where.token, read, tuple(passed.items()), tuple(inputs.items()),
        tuple(call.arguments.items()), relations, schema, spot,
    )  # fmt: skip


def _refuse_correlation(fault: Error, call: Call, catalog: Catalog) -> None:
    """NotSupportedError when the table that DuckDB misses in the rows belongs to a query around the call."""
    missing = re.match(r'Binder Error: Referenced table "([^"]+)" not found', str(fault))
    outer = call.node.parent_select
    while missing is not None and outer is not None:
        if missing[1].lower() in source_names(outer):
            name, verb = call.loaded.row.name, call.verb
            problem = f"the rows of {verb.name} cannot depend on {missing[1]} of the query around it"
            hint = f"join the answers: FROM {missing[1]} JOIN {verb.name}(MODEL {name}, (SELECT ..)) USING (..)"
            if verb.passes:
                hint += f"; or ask for each row: {verb.name}(MODEL {name}, {missing[1]}.x, ..)"
            raise NotSupportedError(compose(problem, spot_of(call.node, catalog.text), hint)) from fault.__cause__
        outer = outer.parent_select


def _source(
    call: Call, source: exp.Expr | None, asked: Asked, catalog: Catalog
) -> tuple[Fragment | None, dict[str, str], dict[str, str]]:
    """What a step reads: the fragment, its columns that are handed on by their names, and those the model reads."""
    if source is None:
        return None, {}, {}
    query, with_ = source_query(source), visible_with(call.node, catalog.text)
    sql, wants = whole_piece(query, with_)
    columns_and_types = catalog.describe(sql, wants)
    columns = [name for name, _ in columns_and_types]
    model, verb = call.loaded.model, call.verb
    names = [name for name, _ in call.loaded.entry.transform] or columns
    alias = exp.TableAlias(this=exp.to_identifier("__r"))
    base = exp.select().from_(exp.Subquery(this=query, alias=alias))
    passed: dict[str, str] = {}
    if verb.passes:
        outputs = {each.name.lower() for each in model.outputs(verb.name, names)} | {STATUS}
        asked.push(base, columns, outputs, catalog)
        kept = columns if asked.columns is None else [each for each in columns if each.lower() in asked.columns]
        passed = {f"{PASSED}{at}": name for at, name in enumerate(kept)}
    if verb.whole:
        wanted = names if call.loaded.entry.transform else columns
    else:
        wanted = [field.name for field in model.inputs(verb.name, names)]
    inputs: dict[str, str] = {}
    types = dict(columns_and_types)
    items = [exp.alias_(_whole(quoted_column(name), types[name]), key) for key, name in passed.items()]
    for at, name in enumerate(wanted):
        value = transformed(call.loaded.entry.transform, name) or _input(call, name, columns)
        direct = value.name if isinstance(value, exp.Column) else None
        known = next((key for key, column in passed.items() if column == direct and types[column] not in _NARROW), None)
        if known is None:
            known = f"{INPUT}{at}"
            items.append(exp.alias_(value, known))
        inputs[known] = name
    base.set("expressions", items or [exp.alias_(exp.Literal.number(1), "__one")])
    if with_ is not None:
        base.set("with_", with_.copy())
    return fragment(base), passed, inputs


def quoted_column(name: str) -> exp.Column:
    """A column of exactly this name."""
    return exp.column(exp.to_identifier(name, quoted=True))


def _whole(column: exp.Expr, kind: str) -> exp.Expr:
    """A column as text where Arrow would carry less than it holds."""
    return exp.cast(column, exp.DType.VARCHAR) if kind in _NARROW else column


def _input(call: Call, name: str, columns: list[str]) -> exp.Expr:
    found = found_column(columns, name)
    if found is None:
        near = closest(name, columns)
        start = f"did you mean {near!r}? " if near else ""
        problem = f"{call.verb.name} of {call.loaded.row.name!r} needs the column {name!r}"
        raise ProgrammingError(compose(problem, hint=f"{start}The rows have {', '.join(columns)}."))
    return quoted_column(found)


def _schema(
    call: Call, read: Fragment | None, passed: Mapping[str, str], inputs: Mapping[str, str], catalog: Catalog
) -> pa.Schema:
    """The columns of the answer; asks the model about no rows, so that wrong types are found before the first batch."""
    model, verb = call.loaded.model, call.verb
    if verb.whole:
        return verb.schema
    names = list(inputs.values())
    outputs = model.outputs(verb.name, names)
    if read is None:
        if not verb.passes:
            return pa.schema(outputs)
        return pa.schema(_apart([*model.default_rows(verb.name).schema, *outputs, pa.field(STATUS, pa.string())]))
    schema = catalog.schema(read.sql, read.wants)
    batch = pa.RecordBatch.from_arrays(
        [pa.array([], schema.field(key).type) for key in inputs], names=list(inputs.values())
    )
    quiet = {**call.arguments, **dict.fromkeys(call.relations)}
    outputs = [
        each for each in model.apply(verb.name, batch, model.prepare(verb.name, quiet)).schema if each.name != STATUS
    ]
    if not verb.passes:
        return pa.schema(outputs)
    first = [pa.field(name, schema.field(key).type) for key, name in passed.items()]
    return pa.schema(_apart([*first, *outputs, pa.field(STATUS, pa.string())]))


# types that Arrow carries as others, and of these the ones it carries too narrowly; by DuckDB's names
_CHANGED = ("UUID", "HUGEINT", "UHUGEINT", "BIT", "TIME WITH TIME ZONE", "JSON", "ENUM")
_NARROW = ("HUGEINT", "UHUGEINT", "BIT", "TIME WITH TIME ZONE")


def _casts(
    call: Call, source: exp.Expr | None, schema: pa.Schema, passed: Mapping[str, str], catalog: Catalog
) -> dict[str, str]:
    """SQL types that columns of the answer had where they came from, and lose on the way through Arrow."""
    known = dict(call.loaded.entry.columns)
    given: dict[str, str] = {}
    if source is not None:
        given = dict(catalog.describe(*whole_piece(source_query(source), visible_with(call.node, catalog.text))))
    names = list(passed.values()) if call.verb.passes else schema.names
    types = given if call.verb.passes else {**known, **given}
    first = dict(zip(names, schema.names, strict=False))
    return {first[name]: types[name] for name in names if name in types and types[name].partition("(")[0] in _CHANGED}


def _apart(fields: list[pa.Field]) -> list[pa.Field]:
    """Fields with different names: later ones get _1, _2, .. as DuckDB names columns twice selected."""
    taken: set[str] = set()
    found = []
    for field in fields:
        name, number = field.name, 0
        while name.lower() in taken:
            number += 1
            name = f"{field.name}_{number}"
        taken.add(name.lower())
        found.append(field.with_name(name))
    return found


# the scalar form


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
    outer = node.find_ancestor(exp.Query, exp.Create, exp.Alter)
    if isinstance(outer, (exp.Create, exp.Alter)):
        problem, hint = f"{verb.name} of a model cannot be part of a definition", "ask it in a query"
        raise NotSupportedError(compose(problem, spot, hint))
    transform = call.loaded.entry.transform
    fields = model.inputs(verb.name)
    wanted = _raw_inputs(call) if transform else [field.name for field in fields]
    given = node.expressions
    if len(given) != len(wanted):
        problem = f"{verb.name} of {row.name!r} takes {len(wanted)} expressions, {len(given)} given"
        hint = f"{verb.name}(MODEL {row.name}, {', '.join(wanted)}), by position; or a table of them: TABLE t."
        raise ProgrammingError(compose(problem, spot, hint))
    arguments = [each.copy() for each in given]
    if transform:
        by_name = dict(zip((name.lower() for name in wanted), arguments, strict=True))
        arguments = [_substituted(transformed(transform, field.name), by_name) for field in fields]
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


def _raw_inputs(call: Call) -> list[str]:
    """The columns of the training query, in order, that the features are made of."""
    used: set[str] = set()
    for field in call.loaded.model.inputs(call.verb.name):
        value = transformed(call.loaded.entry.transform, field.name)
        used |= {each.name.lower() for each in value.find_all(exp.Column)} if value is not None else set()
    return [name for name, _ in call.loaded.entry.columns if name.lower() in used]


def _substituted(value: exp.Expr | None, by_name: Mapping[str, exp.Expr]) -> exp.Expr:
    assert value is not None
    return value.transform(
        lambda each: exp.paren(by_name[each.name.lower()].copy()) if isinstance(each, exp.Column) else each
    )


def _answering(model: Any, call: Call, names: list[str], output: pa.Field) -> Any:
    """The function that DuckDB calls with columns of up to 2048 rows."""
    from paretosql.udfs.batches import answers

    arguments = model.prepare(call.verb.name, call.arguments)

    def answer(*columns: pa.ChunkedArray) -> pa.Array:
        batch = pa.RecordBatch.from_arrays([_one(each) for each in columns], names=names)
        found = answers(model, call.verb.name, batch, arguments)
        return found.column(output.name).cast(output.type)

    return answer


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    return column


def is_scalar(node: exp.Expr) -> bool:
    """Whether a call stands where a value does."""
    return isinstance(node, ModelCall) and not isinstance(node.parent, exp.Table)
