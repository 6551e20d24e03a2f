"""Runs a plan: its steps one after the other, each filling the relation that later fragments read."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.engine import fragment as fragments
from paretosql.engine.aggregate import WholeState, new_state
from paretosql.engine.answers import DistinctCounts, distinct_counts
from paretosql.engine.block_state import BlockState
from paretosql.engine.faults import translated_names
from paretosql.engine.plan import Blocks, Fragment, Infer, Materialize, Plan, Report, Scalar, Simulate, Sketch, Step
from paretosql.engine.record import Recorder, StepRecord
from paretosql.engine.reports import SCHEMA
from paretosql.engine.row_groups import BLOCK, read_pieces
from paretosql.engine.scan import Scanned, scan
from paretosql.engine.session import Session
from paretosql.engine.simulations import simulated
from paretosql.engine.tallies import Profiles


@dataclass(frozen=True)
class Run:
    """Where a plan runs, and for whom: `text` is what the user wrote."""

    session: Session
    plan: Plan
    text: str
    recorder: Recorder

    def batches(self, fragment: Fragment, rows: int | None = None) -> Generator[pa.RecordBatch]:
        """The rows of a fragment, a batch of so many at a time."""
        return fragments.batches(
            self.session, fragment, dict(self.plan.parameters), self.text, self.recorder, rows=rows
        )

    def table(self, fragment: Fragment) -> pa.Table:
        """The small result of a fragment."""
        return fragments.table(self.session, fragment, dict(self.plan.parameters), self.text)


def run_steps(session: Session, plan: Plan, text: str, recorder: Recorder) -> None:
    """Run every step of a plan; afterwards its final fragment can be run like any statement.

    Memory: one batch, plus the state of one step, plus one row per group of finished steps.
    """
    run = Run(session, plan, text, recorder)
    for step in plan.steps:
        _RUNNERS[type(step)](run, step)


def _materialize(run: Run, step: Materialize) -> None:
    began = time.monotonic()
    with translated_names(run.text):
        run.session.work.keep_rows(
            run.session.con, step.name, step.source.sql, fragments.pick(step.source, dict(run.plan.parameters))
        )
        ((count,),) = run.session.con.execute(f"SELECT count(*) FROM {step.name}").fetchall()
    run.recorder.finish(StepRecord(step.name, "materialize", count, 0, count, time.monotonic() - began))


def _blocks(run: Run, step: Blocks) -> None:
    reader = read_pieces(step.pieces, step.footers, step.schema)
    run.session.work.keep(run.session.con, step.name, reader)
    run.recorder.finish(StepRecord(step.name, "blocks", 0, 0, sum(each.stop - each.start for each in step.pieces), 0.0))


def _sketch(run: Run, step: Sketch) -> None:
    began = time.monotonic()
    state = new_state(step)
    read = scan(step, state, _reader(run, step))
    counts = run.table(step.counts) if step.counts is not None else None
    result = state.finish(counts)
    run.session.work.keep(run.session.con, step.name, result)
    seconds = time.monotonic() - began
    operator = "sketch" if step.sampling.rate is None else "sample"
    run.recorder.finish(StepRecord(step.name, operator, read.rows, read.size, result.num_rows, seconds))


def _reader(run: Run, step: Sketch) -> Callable[[Fragment], Generator[pa.RecordBatch]]:
    """How a step's source is read: by DuckDB, or where it would only hand rows on, straight from the files."""
    direct = None if step.blocks is None else step.blocks.direct
    if step.blocks is None or direct is None:
        return partial(run.batches, rows=step.batch_rows)
    columns = [*zip((call.column for call in step.calls), step.blocks.plain, strict=True), (BLOCK, BLOCK)]

    def read(_: Fragment) -> Generator[pa.RecordBatch]:
        for batch in read_pieces(direct.pieces, direct.footers, direct.schema):
            run.recorder.read(batch.num_rows, batch.nbytes)
            yield pa.RecordBatch.from_pydict({name: batch.column(stored) for name, stored in columns})

    return read


def _report(run: Run, step: Report) -> None:
    began = time.monotonic()
    width = len(step.names)
    counts = [0] * width
    if step.counts is not None:
        counts = [each[0].as_py() for each in run.table(step.counts).columns]
    read = Scanned()
    if step.exact:
        read.rows = max(counts[:width], default=0)
        lines = [_exact_line(*each) for each in zip(step.names, counts[:width], counts[width:], strict=True)]
    elif step.sketch.blocks is not None:
        in_blocks = BlockState(step.sketch)
        read = scan(step.sketch, in_blocks, _reader(run, step.sketch))
        lines = [_block_line(in_blocks, *each) for each in enumerate(step.names)]
    else:
        state = WholeState(step.sketch)
        read = scan(step.sketch, state, run.batches)
        parts = zip(step.names, range(width), state.tallies, counts, strict=True)
        lines = [_report_line(step, *each) for each in parts]
    run.session.work.keep(run.session.con, step.name, pa.Table.from_pylist(lines, schema=SCHEMA))
    run.recorder.finish(StepRecord(step.name, "report", read.rows, read.size, len(lines), time.monotonic() - began))


def _exact_line(name: str, rows: int, distinct: int) -> dict[str, Any]:
    return {"column": name, "estimate": distinct, "low": distinct, "high": distinct, "method": "exact",
            "sample_rows": rows, "bytes_sent": 0, "warnings": []}  # fmt: skip


def _report_line(step: Report, name: str, at: int, tally: Profiles, rows: int) -> dict[str, Any]:
    true_rows = None if step.counts is None else np.array([rows], np.int64)
    found = distinct_counts(step.sketch.calls[at], tally, np.zeros(1, np.uint64), true_rows)
    return {**_counted(name, found), "sample_rows": int(tally.rows()[0]), "bytes_sent": len(tally.to_bytes())}


def _block_line(state: BlockState, at: int, name: str) -> dict[str, Any]:
    sample = state.samples[at]
    return {**_counted(name, state.counts(at)), "sample_rows": sample.rows, "bytes_sent": len(sample.to_bytes())}


def _counted(name: str, found: DistinctCounts) -> dict[str, Any]:
    """The count of one column and its range."""
    low, high = found.bounds()
    return {
        "column": name,
        "estimate": found.estimates()[0].as_py(),
        "low": low[0].as_py(),
        "high": high[0].as_py(),
        "method": found.methods[0],
        "warnings": list(found.warnings[0]),
    }


def _simulate(run: Run, step: Simulate) -> None:
    began = time.monotonic()
    rows = simulated(step, lambda what, done, whole: run.recorder.read(0, 0))
    run.session.work.keep(run.session.con, step.name, rows)
    run.recorder.finish(StepRecord(step.name, "simulate", 0, 0, rows.num_rows, time.monotonic() - began))


def _infer(run: Run, step: Infer) -> None:
    from paretosql.engine.infer import inferred

    began = time.monotonic()
    before = run.recorder.total
    rows = inferred(run, step)
    table = rows.in_memory()
    run.session.work.keep(run.session.con, step.name, rows if table is None else table)
    read = run.recorder.total
    run.recorder.finish(
        StepRecord(
            step.name, step.verb, read[0] - before[0], read[1] - before[1], rows.num_rows, time.monotonic() - began
        )
    )


def _scalar(run: Run, step: Scalar) -> None:
    """Nothing: it is a part of some fragment."""


_RUNNERS: dict[type[Step], Callable[[Run, Any], None]] = {
    Materialize: _materialize,
    Blocks: _blocks,
    Sketch: _sketch,
    Report: _report,
    Simulate: _simulate,
    Infer: _infer,
    Scalar: _scalar,
}
