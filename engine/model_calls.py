"""Calls of models in FROM: `verb(MODEL m, TABLE t)` becomes a step and its relation.

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
from paretosql.engine.narrow import CHANGED, NARROW, base_type, passed_on, read, readable
from paretosql.engine.nodes import option_node, options_of, source_names, spot_of
from paretosql.engine.options import constant
from paretosql.engine.parameters import fragment
from paretosql.engine.plan import Fragment, Infer
from paretosql.engine.pushdown import Asked, asked_of, exact
from paretosql.engine.scope import visible_with
from paretosql.engine.sources import source_query, whole_piece
from paretosql.engine.table_functions import put_relation
from paretosql.engine.transforms import transformed
from paretosql.errors import Error, NotSupportedError, ProgrammingError, closest, compose, spelt
from paretosql.udfs.model import STATUS
from paretosql.udfs.roles import found_column
from paretosql.udfs.verbs import RELATION, VERBS, Verb, argument_of, read_arguments

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
        if verb.name in model.family.verbs:
            problem = f"{name!r} cannot be asked to {verb.name}, though some {model.family.name} models can"
        hint = f"it can be asked to {listed}; the page of {model.family.name} in docs/families says when."
        raise ProgrammingError(compose(problem, spot, hint))
    values: dict[str, Any] = {}
    relations: dict[str, exp.Expr] = {}
    for word, value in options_of(node).items():
        known = argument_of(verb, word)
        if known is None and node.expressions and isinstance(value, exp.Column):
            problem = f"{verb.name} has no argument {word!r}, and reads expressions by their place"
            hint = f"{verb.name}(MODEL {name}, {value.name}, ..), in the order that DESCRIBE MODEL shows."
            raise ProgrammingError(compose(problem, spot_of(option_node(node, word) or node, catalog.text), hint))
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


def raw_inputs(loaded: Loaded, verb: str) -> list[tuple[str, str]]:
    """The columns that a verb needs of a table whose model has a TRANSFORM, in the order of the training query, and
    their SQL types there.
    """
    used: set[str] = set()
    for field in loaded.model.inputs(verb):
        value = transformed(loaded.entry.transform, field.name)
        used |= {each.name.lower() for each in value.find_all(exp.Column)} if value is not None else set()
    return [(name, kind) for name, kind in loaded.entry.columns if name.lower() in used]


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
        extra = node.expressions[0]
        hint = f"{verb.name}(MODEL {call.loaded.row.name}, TABLE t)"
        if verb.arguments:
            hint += f"; arguments have names: {next(iter(verb.arguments))} => value."
        problem = f"{verb.name} in FROM takes rows and named arguments, not expressions"
        raise ProgrammingError(compose(problem, spot_of(extra, catalog.text) or spot, hint))
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
    if verb.name == "evaluate" and source is None and node.args.get("options"):
        given = next(iter(options_of(node)))
        problem = f"{given} is about rows, and evaluate without rows shows what was measured in training"
        hint = f"give rows: evaluate(MODEL {call.loaded.row.name}, TABLE t, {given} => ..)."
        raise ProgrammingError(compose(problem, spot, hint))
    relations = tuple(
        (word, _given(query, visible_with(node, catalog.text), catalog)) for word, query in call.relations.items()
    )
    name = catalog.slot_name()
    try:
        asked = Asked() if verb.whole else asked_of(node)
        if source is None and asked.conditions:
            source = _default_source(call, catalog)
        rows = _source(call, source, asked, catalog)
        schema = _schema(call, rows, catalog)
    except Error as fault:
        _refuse_correlation(fault, call, catalog)
        if "line " in str(fault):
            raise
        raise type(fault)(_pointed(fault, spot)) from fault
    put_relation(node, verb.name, name, schema, catalog, casts=_casts(call, rows, schema))
    where = call.loaded.row
    return Infer(
        name, verb.name, where.name, where.token, rows.read, tuple(rows.passed.items()),
        tuple(rows.inputs.items()), tuple(call.arguments.items()), relations, schema, rows.enough, spot,
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


def _given(query: exp.Expr, with_: exp.With | None, catalog: Catalog) -> Fragment:
    """A table among the arguments."""
    piece = Fragment(*whole_piece(query, with_))
    return readable(piece, catalog.describe(piece.sql, piece.wants))


def _default_source(call: Call, catalog: Catalog) -> exp.Expr:
    """The rows that a call without rows is about, as a query that conditions can be moved into."""
    rows = call.loaded.model.default_rows(call.verb.name)
    name, known = catalog.new_name(), dict(call.loaded.entry.columns)
    catalog.session.work.keep(catalog.session.con, name, rows)
    columns = []
    for each in rows.column_names:
        kind = known.get(each, "")
        column: exp.Expr = quoted_column(each)
        if base_type(kind) in CHANGED:
            column = exp.cast(column, exp.DataType.build(kind, dialect="duckdb", udt=True))
        columns.append(exp.alias_(column, exp.to_identifier(each, quoted=True)))
    return exp.Subquery(this=exp.select(*columns).from_(exp.Table(this=exp.to_identifier(name))))


@dataclass(frozen=True)
class Source:
    """What a step reads: its fragment, None where no rows are given, and how many answers are enough.

    Attributes:
        passed, inputs: columns of the fragment that are handed on, and that the model reads, with the names users know.
        types: all columns of the rows, with their SQL types.
    """

    read: Fragment | None
    enough: int | None
    passed: Mapping[str, str]
    inputs: Mapping[str, str]
    types: Mapping[str, str]


def _source(call: Call, source: exp.Expr | None, asked: Asked, catalog: Catalog) -> Source:
    if source is None:
        return Source(None, asked.push(exp.select(), {}, catalog), {}, {}, {})
    query, with_ = source_query(source), visible_with(call.node, catalog.text)
    sql, wants = whole_piece(query, with_)
    types = dict(catalog.describe(sql, wants))
    columns = list(types)
    model, verb = call.loaded.model, call.verb
    names = [name for name, _ in call.loaded.entry.transform] or columns
    alias = exp.TableAlias(this=exp.to_identifier("__r"))
    base = exp.select().from_(exp.Subquery(this=query, alias=alias))
    passed: dict[str, str] = {}
    enough, keys = None, model.key_columns(verb.name, columns)
    if verb.passes:
        outputs = {each.name.lower() for each in model.outputs(verb.name, names)} | {STATUS}
        free = {each: kind for each, kind in types.items() if each.lower() not in outputs}
        enough = asked.push(base, free, catalog)
        if enough is not None:
            base.limit(enough, copy=False)
        kept = columns if asked.columns is None else _kept(columns, asked.columns, outputs)
        passed = {f"{PASSED}{at}": name for at, name in enumerate(kept)}
    elif not verb.whole:
        free = {} if call.loaded.entry.transform else {each: types[each] for each in keys}
        enough = asked.push(base, free, catalog)
    if verb.whole:
        wanted = names if call.loaded.entry.transform else columns
    else:
        wanted = [field.name for field in model.inputs(verb.name, names)]
    inputs: dict[str, str] = {}
    items = [exp.alias_(passed_on(quoted_column(name), types[name]), key) for key, name in passed.items()]
    for at, name in enumerate(wanted):
        value = transformed(call.loaded.entry.transform, name) or _input(call, name, columns, types)
        direct = value.name if isinstance(value, exp.Column) else None
        known = next(
            (key for key, column in passed.items() if column == direct and base_type(types[column]) not in NARROW), None
        )
        if known is None:
            known = f"{INPUT}{at}"
            # one answer for each user: a collation would take different ones for one
            once = keys and not verb.passes and direct is not None and types.get(direct) == "VARCHAR"
            items.append(exp.alias_(exact(value) if once else value, known))
        inputs[known] = name
    base.set("expressions", items or [exp.alias_(exp.Literal.number(1), "__one")])
    if keys and not verb.passes:
        base = _each_once(base, list(inputs))
    if with_ is not None:
        base.set("with_", with_.copy())
    return Source(fragment(base), enough, passed, inputs, types)


def _kept(columns: list[str], read: set[str], outputs: set[str]) -> list[str]:
    """The columns that are read, and those whose names change what the outputs are called."""
    beside = tuple(f"{each}_" for each in outputs)
    lower = {each: each.lower() for each in columns}
    return [each for each, name in lower.items() if name in read or name in outputs or name.startswith(beside)]


def _each_once(rows: exp.Select, names: list[str]) -> exp.Select:
    """Different rows, in the order in which the first of each comes."""
    place = exp.Window(this=exp.Anonymous(this="row_number"))
    numbered = rows.select(exp.alias_(place, "__n"))
    once = exp.select(*(exp.column(name) for name in names)).from_(numbered.subquery("__s"))
    return once.group_by(*(exp.column(name) for name in names)).order_by(exp.Min(this=exp.column("__n")))


def quoted_column(name: str) -> exp.Column:
    """A column of exactly this name."""
    return exp.column(exp.to_identifier(name, quoted=True))


def _input(call: Call, name: str, columns: list[str], types: Mapping[str, str]) -> exp.Expr:
    found = found_column(columns, name)
    if found is None:
        near = closest(name, columns)
        start = f"write {spelt(near)} AS {spelt(name)}? " if near else ""
        problem = f"{call.verb.name} of {call.loaded.row.name!r} needs the column {name!r}"
        raise ProgrammingError(compose(problem, hint=f"{start}The rows have {', '.join(columns)}."))
    return read(quoted_column(found), types[found])


def _schema(call: Call, source: Source, catalog: Catalog) -> pa.Schema:
    """The columns of the answer; asks the model about no rows, so that wrong types are found before the first batch."""
    model, verb = call.loaded.model, call.verb
    if verb.whole:
        return verb.schema
    names = list(source.inputs.values())
    outputs = model.outputs(verb.name, names)
    if source.read is None:
        if not verb.passes:
            return pa.schema(outputs)
        return pa.schema(_apart([*model.default_rows(verb.name).schema, *outputs, pa.field(STATUS, pa.string())]))
    schema = catalog.schema(source.read.sql, source.read.wants)
    batch = pa.RecordBatch.from_arrays([pa.array([], schema.field(key).type) for key in source.inputs], names=names)
    quiet = {**call.arguments, **dict.fromkeys(call.relations)}
    outputs = list(model.apply(verb.name, batch, model.prepare(verb.name, quiet)).schema)
    if not verb.passes:
        return pa.schema(outputs)
    outputs = [each for each in outputs if each.name != STATUS]
    first = [pa.field(name, schema.field(key).type) for key, name in source.passed.items()]
    return pa.schema(_apart([*first, *outputs, pa.field(STATUS, pa.string())]))


def _casts(call: Call, source: Source, schema: pa.Schema) -> dict[str, str]:
    """SQL types that columns of the answer had where they came from, and lose on the way through Arrow."""
    names = list(source.passed.values()) if call.verb.passes else schema.names
    types = source.types if call.verb.passes else {**dict(call.loaded.entry.columns), **source.types}
    first = dict(zip(names, schema.names, strict=False))
    return {first[name]: types[name] for name in names if name in types and base_type(types[name]) in CHANGED}


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
