"""Statements about models: CREATE MODEL, DROP MODEL, SHOW MODELS, SHOW MODEL TYPES, DESCRIBE MODEL."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.binding import Parameters
from paretosql.engine.blocks import plan
from paretosql.engine.catalog import Catalog
from paretosql.engine.dialect import Pareto
from paretosql.engine.fragment import batches
from paretosql.engine.identifiers import quoted
from paretosql.engine.model_calls import model_name, raw_inputs
from paretosql.engine.model_catalog import Loaded, Vanished
from paretosql.engine.narrow import readable
from paretosql.engine.nodes import CreateModel, DescribeModel, DropModel, ShowModels, option_node, options_of, spot_of
from paretosql.engine.options import constant
from paretosql.engine.parameters import name_parameters
from paretosql.engine.plan import Fragment
from paretosql.engine.record import Progress, Recorder
from paretosql.engine.run import run_steps
from paretosql.engine.session import Outcome, Session
from paretosql.engine.statements import split
from paretosql.engine.transforms import refuse_unsteady, transform_items, with_constants
from paretosql.errors import Error, ProgrammingError, compose
from paretosql.udfs.choices import Candidates, Range, hparam_candidates, hparam_range
from paretosql.udfs.model import Family, Training, families, find_family
from paretosql.udfs.options import fields_of, option_name, shown
from paretosql.udfs.roles import folded
from paretosql.udfs.rows import Spool
from paretosql.udfs.store import Entry
from paretosql.udfs.trainer import train
from paretosql.udfs.verbs import ALWAYS, VERBS

Watcher = Callable[[Progress], None] | None


def run_model_statement(
    session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher
) -> Outcome:
    """Run a statement about models; `text` is what the user wrote."""

    def once() -> Outcome:
        with session.changing(False), session.plan_transaction():
            return _RUNNERS[type(tree)](session, tree, text, parameters, progress)

    try:
        return once()
    except Vanished:
        if session.transaction is not None:
            raise
    return once()  # without the table that this session remembered


def _create(session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher) -> Outcome:
    catalog = Catalog(session, text, {})
    catalog.parameters = name_parameters(tree, text, parameters)
    name = model_name(tree.this)
    spot = spot_of(tree.this, text) or spot_of(tree, text)
    if not name:
        raise ProgrammingError(compose("a model needs a name", spot, "CREATE MODEL name OPTIONS (..) AS SELECT .."))
    models = session.models
    replaces = tree.args.get("replace") and not tree.args.get("exists")
    known = models.supposed(name) if replaces else models.find(name)
    if known is not None and tree.args.get("exists"):
        return Outcome(None, -1)
    models.refuse_read_only()
    if known is not None and not tree.args.get("replace"):
        hint = f"CREATE OR REPLACE MODEL {name} .. trains it anew, DROP MODEL {name} removes it."
        raise ProgrammingError(compose(f"the model {known.name!r} exists already", spot, hint))
    family, given = _family_and_options(tree, catalog)
    recorder = Recorder(1, progress)
    columns, transform, rows = _training_rows(session, tree, catalog, recorder)
    training = Training(
        tell=lambda what, done, whole: recorder.read(0, 0, f"{what} {done:,}/{whole:,}"),
        stopped=session.stopped.is_set,
        threads=lambda: _threads(session),
    )
    began = time.perf_counter()
    try:
        trained = train(family, given, rows, training)
    except Error as fault:
        problem, _, hint = str(fault).partition("\nHint: ")
        raise type(fault)(compose(problem, _blamed(tree, problem, text) or spot, hint or None)) from fault
    finally:
        rows.close()
    entry = Entry(
        name=name, version=0, model_type=family.name,
        created_at=datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(sep=" "),
        rows=rows.num_rows, seconds=time.perf_counter() - began, options=_facts(trained.options), columns=columns,
        transform=transform, evaluation=trained.evaluation, held_out=trained.held_out, log=trained.log,
        trials=trained.trials, notes=trained.notes,
    )  # fmt: skip
    models.put(entry, trained.model, known)
    return Outcome(None, -1)


def _facts(options: Any) -> Mapping[str, Any]:
    from paretosql.udfs.options import as_facts

    return as_facts(options)


def _threads(session: Session) -> int:
    ((count,),) = session.con.execute("SELECT current_setting('threads')").fetchall()
    return max(1, min(int(count), os.cpu_count() or 1))


def _blamed(tree: exp.Expr, problem: str, text: str) -> Any:
    """The option that an error is about, when it begins with its name or quotes it."""
    for name in options_of(tree):
        if problem.lower().startswith(f"{name} ") or f"option {name!r}" in problem.lower():
            node = option_node(tree, name)
            return None if node is None else spot_of(node, text)
    return None


def _family_and_options(tree: exp.Expr, catalog: Catalog) -> tuple[Family, dict[str, Any]]:
    """The family that model_type names, and the options that were written."""
    given = {name: _value(tree, name, node, catalog) for name, node in options_of(tree).items()}
    kind = given.pop("model_type", None)
    if not isinstance(kind, str):
        hint = f"OPTIONS (model_type = '{'ease'}', ..); SHOW MODEL TYPES lists what there is."
        raise ProgrammingError(compose("CREATE MODEL needs a model_type", spot_of(tree, catalog.text), hint))
    try:
        family, preset = find_family(kind)
    except ProgrammingError as fault:
        problem, _, hint = str(fault).partition("\nHint: ")
        node = option_node(tree, "model_type")
        spot = None if node is None else spot_of(node, catalog.text)
        raise ProgrammingError(compose(problem, spot, hint or None)) from fault
    written = {option_name(family.options, name) for name in given}
    left = {name: value for name, value in preset.items() if option_name(family.options, name) not in written}
    return family, {**left, **given}


def _value(tree: exp.Expr, name: str, node: exp.Expr, catalog: Catalog) -> Any:
    """A value of OPTIONS: a constant, a list of constants, or what a search chooses from."""
    if isinstance(node, (exp.Array, exp.Tuple)):
        return [_value(tree, name, each, catalog) for each in node.expressions]
    if isinstance(node, exp.Paren):
        return _value(tree, name, node.this, catalog)
    if isinstance(node, exp.Column) and not node.table:  # model_type = ease, as it is typed first
        return node.name
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("hparam_candidates", "hparam_range"):
        values = [_value(tree, name, each, catalog) for each in node.expressions]
        choices: dict[str, Callable[..., Candidates | Range]] = {
            "hparam_candidates": hparam_candidates,
            "hparam_range": hparam_range,
        }
        try:
            return choices[node.name.lower()](*values)
        except (ProgrammingError, TypeError):
            hint = "write hparam_candidates([a, b, ..]) or hparam_range(low, high)."
            problem = f"{name} has nothing to choose from"
            raise ProgrammingError(compose(problem, spot_of(node, catalog.text), hint)) from None
    return constant(tree, name, node, catalog, boolean=True)


def _training_rows(
    session: Session, tree: exp.Expr, catalog: Catalog, recorder: Recorder
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], Spool]:
    """Columns of the training query with their types, the transform as it is kept, and the rows to learn from."""
    made = plan(tree.expression, catalog)
    run_steps(session, made, catalog.text, recorder)
    columns = tuple(catalog.describe(made.final.sql, made.final.wants))
    names = [folded(name) for name, _ in columns]
    twice = next((name for name, _ in columns if names.count(folded(name)) > 1), None)
    if twice is not None:
        hint = "name the columns, rename one with AS, or leave it out: SELECT t.* EXCLUDE (..)."
        problem = f"the training query gives two columns called {twice!r}"
        raise ProgrammingError(compose(problem, spot_of(tree, catalog.text), hint))
    rows = _spooled(session, readable(made.final, columns), catalog, recorder)
    if not tree.args.get("transform"):
        return columns, (), rows
    name = catalog.new_name()
    session.work.keep(session.con, name, rows)
    items = transform_items(tree, [each for each, _ in columns], catalog.text)
    refuse_unsteady(items, catalog)

    def ask(expressions: Sequence[str]) -> Sequence[Any]:
        listed = ", ".join(f"{each} AS c{at}" for at, each in enumerate(expressions))
        return session.con.execute(f"SELECT {listed} FROM {name}").fetchall()[0]

    with_values = with_constants(items, _translated(ask, catalog))
    listed = ", ".join(f"{sql} AS {quoted(each)}" for each, sql in with_values)
    changed = _spooled(session, Fragment(f"SELECT {listed} FROM {name}"), catalog, recorder)
    rows.close()
    return columns, with_values, changed


def _translated(ask: Callable[[Sequence[str]], Sequence[Any]], catalog: Catalog) -> Callable[..., Sequence[Any]]:
    from paretosql.engine.faults import translated_names

    def asked(expressions: Sequence[str]) -> Sequence[Any]:
        with translated_names(catalog.text):
            return ask(expressions)

    return asked


def _spooled(session: Session, piece: Fragment, catalog: Catalog, recorder: Recorder) -> Spool:
    spool: Spool | None = None
    for batch in batches(session, piece, catalog.parameters, catalog.text, recorder, rows=1 << 16):
        spool = Spool(batch.schema) if spool is None else spool
        spool.add(batch)
    if spool is None:
        given = {name: catalog.parameters[name] for name in sorted(piece.wants)}
        spool = Spool(session.con.sql(f"SELECT * FROM ({piece.sql}) LIMIT 0", params=given).to_arrow_table().schema)
    return spool


def _drop(session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher) -> Outcome:
    name, models = model_name(tree.this), session.models
    if models.find(name) is None and tree.args.get("exists"):
        return Outcome(None, -1)
    models.drop(models.named(name, spot_of(tree.this, text) or spot_of(tree, text)))
    return Outcome(None, -1)


def _show(session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher) -> Outcome:
    if tree.args.get("types"):
        return _answer(session, text, model_types())
    schema = pa.schema(
        [
            ("name", pa.string()),
            ("model_type", pa.string()),
            ("version", pa.int64()),
            ("rows", pa.int64()),
            ("bytes", pa.int64()),
            ("created_at", pa.timestamp("us")),
        ]
    )
    rows = [{name: getattr(row, name) for name in schema.names} for row in session.models.rows()]
    like = tree.args.get("like")
    where = "" if like is None else f" WHERE name ILIKE {like.sql(dialect=Pareto)}"
    return _answer(session, text, pa.Table.from_pylist(rows, schema=schema), where)


def model_types() -> pa.Table:
    """One row for each family: what it is, what it can be asked, its options and other names."""
    known = families()
    rows = [
        {
            "model_type": name,
            "about": known[name].about,
            "verbs": list(known[name].verbs),
            "options": list(fields_of(known[name].options)),
            "aliases": sorted(known[name].aliases),
            "source": known[name].source,
        }
        for name in known
    ]
    text, many = pa.string(), pa.list_(pa.string())
    schema = [
        ("model_type", text),
        ("about", text),
        ("verbs", many),
        ("options", many),
        ("aliases", many),
        ("source", text),
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))


def _describe(session: Session, tree: exp.Expr, text: str, parameters: Parameters, progress: Watcher) -> Outcome:
    spot = spot_of(tree.this, text) or spot_of(tree, text)
    models = session.models
    loaded = models.load(models.named(model_name(tree.this), spot))

    def kind(field: pa.Field) -> str:
        """The type as SQL calls it."""
        empty = session.work.new_name()
        session.work.keep(session.con, empty, pa.schema([field]).empty_table())
        return str(session.con.execute(f"DESCRIBE {empty}").fetchall()[0][1])

    lines = [dict(zip(("part", "name", "value", "about"), each, strict=True)) for each in described(loaded, kind)]
    schema = pa.schema([(name, pa.string()) for name in ("part", "name", "value", "about")])
    return _answer(session, text, pa.Table.from_pylist(lines, schema=schema))


def described(loaded: Loaded, kind: Callable[[pa.Field], str]) -> list[tuple[str, str, str, str]]:
    """What there is to know of a model, as part, name, value and explanation; `kind` tells the SQL type of a column."""
    row, entry, model = loaded.row, loaded.entry, loaded.model
    family = model.family
    lines = [
        ("model", "name", row.name, ""),
        ("model", "model_type", family.name, family.about),
        ("model", "version", str(row.version), ""),
        ("model", "created_at", str(row.created_at), "UTC"),
        ("model", "rows", f"{row.rows}", "in training, those held out included"),
        ("model", "bytes", f"{row.bytes}", ""),
        ("model", "seconds", f"{entry.seconds:.3f}", "of training"),
    ]
    for name, (_, default, about) in fields_of(family.options).items():
        value = entry.options.get(name, default)
        unusual = "" if shown(value) == shown(default) else f" (default {shown(default)})"
        lines.append(("option", name, shown(value), f"{about.text}{unusual}"))
    lines += [("column", name, kind, "of the training query") for name, kind in entry.columns]
    lines += [("transform", name, sql, "") for name, sql in entry.transform]
    for verb in model.verbs():
        if verb in ALWAYS:
            continue
        known = VERBS[verb]
        outputs = list(known.schema) if known.schema is not None else model.outputs(verb)
        if known.source != "none" and not known.whole:
            inputs = [(each.name, kind(each)) for each in model.inputs(verb)]
            inputs = raw_inputs(loaded, verb) if entry.transform else inputs
            lines += [(f"{verb} reads", *each, "") for each in inputs]
            lines += [(f"{verb} reads", each.name, kind(each), "or this alone") for each in model.other_inputs(verb)]
        lines += [(f"{verb} gives", each.name, kind(each), "") for each in outputs]
    about_rows = "on rows held out" if entry.held_out else "on the training rows"
    lines += [("evaluation", name, f"{value:.6g}", about_rows) for name, value in entry.evaluation]
    lines += [("note", str(at), text, "") for at, text in enumerate(entry.notes, 1)]
    return lines


def _answer(session: Session, text: str, rows: pa.Table, where: str = "") -> Outcome:
    """Rows as the result of a statement; `where` chooses among them."""
    name = session.work.new_name()
    session.work.keep(session.con, name, rows)
    (statement,) = split(session.con, f"SELECT * FROM {name}{where}")
    return session.run_final(statement, None)


_RUNNERS: dict[type[exp.Expr], Callable[..., Outcome]] = {
    CreateModel: _create,
    DropModel: _drop,
    ShowModels: _show,
    DescribeModel: _describe,
}
