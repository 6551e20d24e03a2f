"""A plan as rows: what EXPLAIN and EXPLAIN ANALYZE answer for statements that count distinct values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from paretosql.engine.plan import (
    BLOCK_SAMPLING,
    Blocks,
    Call,
    Infer,
    Materialize,
    Plan,
    Report,
    Scalar,
    Simulate,
    Sketch,
    Step,
)
from paretosql.engine.record import Recorder, StepRecord
from paretosql.udfs.options import shown


def explained(plan: Plan) -> pa.Table:
    """One row per step: step, operator, detail (what it counts and how), sql (the fragment it reads)."""
    lines = [_line(step) for step in plan.steps]
    lines.append(
        {"step": "result", "operator": "fragment", "detail": "the rest of the statement", "sql": plan.final.sql}
    )
    return pa.Table.from_pylist(lines, schema=_PLAN)


def analyzed(plan: Plan, recorder: Recorder, rows: int) -> pa.Table:
    """The same with what happened: rows and Arrow bytes read, rows made, seconds; NULL for what is part of the last."""
    happened = {record.step: record for record in recorder.records}
    happened["result"] = StepRecord("result", "fragment", 0, 0, rows, recorder.seconds_since_last())
    lines = []
    for line in explained(plan).to_pylist():
        record = happened.get(line["step"])
        measured = {name: getattr(record, name, None) for name in ("rows_in", "bytes_in", "rows_out", "seconds")}
        lines.append({**line, **measured})
    return pa.Table.from_pylist(lines, schema=_ANALYZED)


_PLAN = pa.schema([(name, pa.string()) for name in ("step", "operator", "detail", "sql")])
_ANALYZED = pa.schema(
    [*_PLAN, ("rows_in", pa.int64()), ("bytes_in", pa.int64()), ("rows_out", pa.int64()), ("seconds", pa.float64())]
)


def _line(step: Step) -> dict[str, str]:
    operator, detail = _DETAILS[type(step)](step)
    return {"step": step.name, "operator": operator, "detail": detail, "sql": step.source.sql}


def _sketch(step: Sketch) -> tuple[str, str]:
    how = (
        "every row"
        if step.sampling.rate is None
        else f"a {step.sampling.rate:.6g} share of the rows, seed {step.sampling.seed}"
    )
    if step.sampling.kind == BLOCK_SAMPLING:
        how = f"a {step.sampling.rate:.6g} share of the rows in blocks, seed {step.sampling.seed}"
    counts = ", ".join(f"{call.output} = {_named(call)}" for call in step.calls)
    groups = f" per group in {len(step.sets)} grouping set{'s' * (len(step.sets) > 1)}" if step.sets else ""
    return ("sketch" if step.sampling.rate is None else "sample"), f"{counts}{groups}, from {how}"


def _named(call: Call) -> str:
    inputs = ", ".join(name for name in (call.column, call.weight) if name)
    counted = call.method if call.function == "ndv" else f"{call.function}"
    extra = f", {call.method}" if call.function == "ndv_interval" else ""
    return f"{counted}({inputs}{extra})"


def _materialize(step: Materialize) -> tuple[str, str]:
    return "materialize", "rows that would differ when read again"


def _blocks(step: Blocks) -> tuple[str, str]:
    if not step.pieces:
        return "blocks", f"none: the metadata of {step.drawn.of_groups} row groups tells all"
    drawn, files = step.drawn, len({piece.path for piece in step.pieces})
    where = f" in {files} of {len(step.footers.paths)} files" if len(step.footers.paths) > 1 else ""
    blocks = f"{len(step.pieces)} blocks of {drawn.rows:,} of {drawn.of_rows:,} rows"
    return "blocks", f"{blocks}, from {drawn.groups} of {drawn.of_groups} row groups{where}"


def _report(step: Report) -> tuple[str, str]:
    return "report", f"{'exact' if step.exact else step.method} for each of {len(step.names)} columns"


def _simulate(step: Simulate) -> tuple[str, str]:
    options = ", ".join(f"{name} = {value}" for name, value in step.options)
    return "simulate", f"{step.trace or 'jobs made up'}{', ' if options else ''}{options}"


def _infer(step: Infer) -> tuple[str, str]:
    given = [f"{name} = {shown(value)}" for name, value in step.arguments if value is not None]
    given += [f"{name} = ({piece.sql})" for name, piece in step.relations]
    reads = f", reads {', '.join(name for _, name in step.inputs)}" if step.inputs else ""
    return step.verb, f"model {step.model}{reads}{'; ' if given else ''}{', '.join(given)}"


def _scalar(step: Scalar) -> tuple[str, str]:
    given = "".join(f"; {name} = {shown(value)}" for name, value in step.arguments if value is not None)
    return step.verb, f"model {step.model}, reads {', '.join(step.inputs)}, as a function in the fragment{given}"


_DETAILS: dict[type[Step], Callable[[Any], tuple[str, str]]] = {
    Sketch: _sketch,
    Materialize: _materialize,
    Blocks: _blocks,
    Report: _report,
    Simulate: _simulate,
    Infer: _infer,
    Scalar: _scalar,
}
