"""The model operator: rows of a fragment through a model in batches, their order kept."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from paretosql.engine.plan import Fragment, Infer
from paretosql.errors import Error, OperationalError, compose
from paretosql.udfs.batches import answers, rebatched
from paretosql.udfs.model import Arguments, Model
from paretosql.udfs.rows import Spool
from paretosql.udfs.verbs import VERBS

if TYPE_CHECKING:
    from paretosql.engine.run import Run


def inferred(run: Run, step: Infer) -> Spool:
    """The answers to all rows. Memory: one batch of rows and answers; what is beyond `KEPT_BYTES` goes to disk.

    Raises:
        Error: what the model says of the rows, pointing at the call.
    """
    try:
        model = run.session.models.model(step.token)
        arguments: dict[str, Any] = dict(step.arguments)
        for name, piece in step.relations:
            arguments[name] = run.table(piece)
        if VERBS[step.verb].whole:
            return Spool.of_table(_fitted(_summary(run, step, model, arguments), step.schema))
        prepared = model.prepare(step.verb, arguments)
        with closing(_answered(run, step, model, prepared)) as answered:
            return _filled(Spool(step.schema), answered, step.enough)
    except Error as fault:
        if step.spot is None or "line " in str(fault):
            raise
        problem, _, hint = str(fault).partition("\nHint: ")
        raise type(fault)(compose(problem, step.spot, hint or None)) from fault


def _filled(spool: Spool, batches: Iterable[pa.RecordBatch], enough: int | None) -> Spool:
    for batch in batches if enough != 0 else ():
        spool.add(batch)
        if enough is not None and spool.num_rows >= enough:
            break
    return spool


def _rows(run: Run, step: Infer, model: Model) -> Iterator[pa.RecordBatch]:
    """The source's batches, or those of what the verb is about when no rows were given."""
    if step.read is None:
        yield from model.default_rows(step.verb).to_batches(max_chunksize=1 << 16)
        return
    with closing(run.batches(step.read)) as batches:
        yield from batches


def _answered(run: Run, step: Infer, model: Model, arguments: Arguments) -> Generator[pa.RecordBatch]:
    first_row = 0
    size = model.bytes_per_row(step.verb, arguments)
    names = dict(step.inputs)
    cached = arguments.get("cache") and not step.relations
    remembered = run.session.models.remembered(step.token, (step.verb, *step.arguments)) if cached else None
    for batch in rebatched(_rows(run, step, model), size):
        if run.session.stopped.is_set():
            raise OperationalError("the statement was stopped")
        run.recorder.read(0, 0, f"{step.verb} {first_row:,} rows")
        given = batch if step.read is None else _named(batch, names)
        asked = {**arguments, "first_row": first_row}
        if remembered is None:
            found = answers(model, step.verb, given, asked)
        else:
            found = remembered.ask(given, partial(_answers, model, step.verb, asked))
        first_row += batch.num_rows
        if VERBS[step.verb].passes:
            first = batch.columns if step.read is None else [batch.column(key) for key, _ in step.passed]
            columns = [*first, *found.columns]
        else:
            columns = found.columns
        yield pa.RecordBatch.from_arrays(
            [each.cast(field.type) for each, field in zip(columns, step.schema, strict=True)], schema=step.schema
        )


def _answers(model: Model, verb: str, arguments: Arguments, rows: pa.RecordBatch) -> pa.RecordBatch:
    return answers(model, verb, rows, arguments)


def _named(batch: pa.RecordBatch, names: dict[str, str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(key) for key in names], names=list(names.values()))


def _summary(run: Run, step: Infer, model: Model, arguments: dict[str, Any]) -> pa.Table:
    entry = run.session.models.entry(step.token)
    if step.verb == "training_info":
        columns = zip(*entry.log, strict=True) if entry.log else ((), (), ())
        return pa.table(dict(zip(("iteration", "loss", "seconds"), map(list, columns), strict=True)))
    if step.verb == "trial_info":
        import json

        rows = [{**each, "options": json.dumps(each["options"])} for each in entry.trials]
        return pa.Table.from_pylist(rows, schema=step.schema)
    if step.read is None and step.verb == "evaluate":
        metrics = [{"metric": name, "value": value} for name, value in entry.evaluation]
        return pa.Table.from_pylist(metrics, schema=step.schema)
    if step.read is None:
        return model.summarize(step.verb, None, arguments)
    names = dict(step.inputs)
    spool: Spool | None = None
    for batch in _rows(run, step, model):
        named = _named(batch, names)
        spool = Spool(named.schema) if spool is None else spool
        spool.add(named)
    if spool is None and step.read is not None:
        empty = run.table(Fragment(f"SELECT * FROM ({step.read.sql}) LIMIT 0", step.read.wants))
        spool = Spool(pa.schema([empty.schema.field(key).with_name(name) for key, name in names.items()]))
    assert spool is not None
    with closing(spool):
        return model.summarize(step.verb, spool, arguments)


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns of the schema; NULL for those it lacks."""
    columns = [
        table.column(field.name).cast(field.type) if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=schema)
