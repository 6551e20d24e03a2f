"""The sketch operator: distinct counts over Arrow batches, in three movements.

`update` takes batches where they are, `merge` joins the states of several places, `finish` turns a state into one row
per group. Embedded, one state sees all batches; a cluster runs `update` in many processes and merges what they send.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.engine.block_state import BlockState
from paretosql.engine.plan import Call, Sketch
from paretosql.errors import DataError, compose
from paretosql.sketches import GroupedSketch, ProfileSketch
from paretosql.sketches.estimators import estimate

Ids = npt.NDArray[np.uint64]

COUNT = "__n"  # column of a source whose equal rows were counted before


class SketchState(Protocol):
    """What a sketch step accumulates."""

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        """Take one batch for these calls; a column COUNT, if there is one, says how many rows each row stands for."""

    def profile(self, at: int) -> dict[int, float]:
        """The profile of one call so far, over values or (group, value) pairs."""

    def restart(self, at: int) -> None:
        """Forget what one call has seen."""

    def merge(self, other: Any) -> None:
        """Add the state of another part of the same rows."""

    def to_bytes(self) -> bytes:
        """The state as bytes, for a place that will merge it."""

    def finish(self, counts: pa.Table | None) -> pa.Table:
        """The relation of the step; `counts` holds true row numbers when the batches were a sample."""


def new_state(step: Sketch) -> SketchState:
    """An empty state for a step."""
    if step.blocks is not None:
        return BlockState(step)
    return GroupedState(step) if step.sets else WholeState(step)


def read_state(step: Sketch, data: bytes) -> SketchState:
    """The state of a step that `to_bytes` wrote; for back ends that run `update` in other processes.

    Raises:
        DataError: the bytes are damaged.
    """
    if step.blocks is not None:
        return BlockState.from_bytes(step, data)
    return GroupedState.from_bytes(step, data) if step.sets else WholeState.from_bytes(step, data)


class WholeState:
    """One sketch per call, over all rows."""

    def __init__(self, step: Sketch) -> None:
        self._step = step
        self.sketches = [ProfileSketch(seed=step.sampling.seed) for _ in step.calls]

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        counts = _counts(batch)
        for at in calls:
            self.sketches[at].update(batch.column(self._step.calls[at].column), counts)

    def profile(self, at: int) -> dict[int, float]:
        return self.sketches[at].profile()

    def restart(self, at: int) -> None:
        self.sketches[at] = ProfileSketch(seed=self._step.sampling.seed)

    def merge(self, other: WholeState) -> None:
        for mine, theirs in zip(self.sketches, other.sketches, strict=True):
            mine.merge(theirs)

    def to_bytes(self) -> bytes:
        return _pack(pa.table({"sketch": pa.array([each.to_bytes() for each in self.sketches], pa.binary())}))

    @classmethod
    def from_bytes(cls, step: Sketch, data: bytes) -> WholeState:
        (table,) = _unpack(data)
        state = cls(step)
        state.sketches = [ProfileSketch.from_bytes(each) for each in table.column("sketch").to_pylist()]
        return state

    def finish(self, counts: pa.Table | None) -> pa.Table:
        values = {}
        for call, sketch in zip(self._step.calls, self.sketches, strict=True):
            if counts is None:
                value: float | None = sketch.distinct()
            else:
                rows = counts.column(call.column)[0].as_py()
                value = estimate(call.method, sketch.profile(), rows, sample_rows=sketch.rows).value
            values[call.output] = _whole_numbers([value])
        return pa.table(values)


class GroupedState:
    """One grouped sketch per call, at the finest grouping; coarser grouping sets are merged from it at the end."""

    def __init__(self, step: Sketch) -> None:
        self._step = step
        self._sketches = [GroupedSketch(seed=step.sampling.seed) for _ in step.calls]
        self._coarse = [name for name, _ in step.sets if name not in ("", "g")]
        self._links: list[dict[str, Ids]] = []  # finest group and its coarser ones, each finest group at least once

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        groups, counts = _ids(batch.column("g")), _counts(batch)
        for at in calls:
            self._sketches[at].update(groups, batch.column(self._step.calls[at].column), counts)
        if self._coarse:
            self._link(batch, groups)

    def profile(self, at: int) -> dict[int, float]:
        return self._sketches[at].profile_of_all()

    def restart(self, at: int) -> None:
        self._sketches[at] = GroupedSketch(seed=self._step.sampling.seed)

    def _link(self, batch: pa.RecordBatch | pa.Table, groups: Ids) -> None:
        fine, first = np.unique(groups, return_index=True)
        self._links.append({"g": fine, **{name: _ids(batch.column(name))[first] for name in self._coarse}})
        if len(self._links) > 64:  # our choice: rarely enough to be cheap, often enough to stay small
            self._links = [self._linked()]

    def _linked(self) -> dict[str, Ids]:
        """Every finest group once, with its coarser groups."""
        joined = {name: np.concatenate([each[name] for each in self._links]) for name in ("g", *self._coarse)}
        fine, first = np.unique(joined["g"], return_index=True)
        return {"g": fine, **{name: joined[name][first] for name in self._coarse}}

    def merge(self, other: GroupedState) -> None:
        for mine, theirs in zip(self._sketches, other._sketches, strict=True):
            mine.merge(theirs)
        self._links.extend(other._links)

    def to_bytes(self) -> bytes:
        sketches = pa.table({"sketch": pa.array([each.to_bytes() for each in self._sketches], pa.binary())})
        return _pack(sketches, *([pa.table(self._linked())] if self._links else []))

    @classmethod
    def from_bytes(cls, step: Sketch, data: bytes) -> GroupedState:
        table, *links = _unpack(data)
        state = cls(step)
        state._sketches = [GroupedSketch.from_bytes(each) for each in table.column("sketch").to_pylist()]
        state._links = [{name: _ids(each.column(name)) for name in each.column_names} for each in links]
        return state

    def finish(self, counts: pa.Table | None) -> pa.Table:
        if counts is not None and counts.num_rows:
            self._link(counts, _ids(counts.column("g")))
        parts = [self._finish_set(name, bits, counts) for name, bits in self._step.sets]
        return pa.concat_tables(parts)

    def _finish_set(self, name: str, bits: int, counts: pa.Table | None) -> pa.Table:
        columns: dict[str, pa.Array] = {}
        groups: Ids = np.empty(0, np.uint64)
        for call, fine in zip(self._step.calls, self._sketches, strict=True):
            sketch = fine if name == "g" else fine.regroup(*self._mapping(name, fine.groups()))
            if counts is None:
                groups, values = sketch.groups(), _round(sketch.distinct())
            else:
                groups, rows = self._true_rows(name, counts, call)
                values = _estimates(call, sketch, groups, rows)
            columns[call.output] = values
        bits_column = pa.array(np.full(len(groups), bits, np.int64))
        return pa.table({"gid": bits_column, "g": pa.array(groups), **columns})

    def _mapping(self, name: str, fine: Ids) -> tuple[Ids, Ids]:
        if not name:
            return fine, np.zeros(len(fine), np.uint64)
        linked = self._linked() if self._links else {"g": fine, name: fine}
        return linked["g"], linked[name]

    def _true_rows(self, name: str, counts: pa.Table, call: Call) -> tuple[Ids, npt.NDArray[np.int64]]:
        rows = counts.column(call.column).to_numpy()
        own = _ids(counts.column(name)) if name else np.zeros(counts.num_rows, np.uint64)
        groups, place = np.unique(own, return_inverse=True)
        total = np.zeros(len(groups), np.int64)
        np.add.at(total, place, rows)
        return groups, total


def _pack(*tables: pa.Table) -> bytes:
    """Tables one after the other, each an Arrow stream."""
    sink = io.BytesIO()
    for table in tables:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _unpack(data: bytes) -> list[pa.Table]:
    source = io.BytesIO(data)
    tables = []
    try:
        while source.tell() < len(data):
            with pa.ipc.open_stream(source) as reader:
                tables.append(reader.read_all())
    except (pa.ArrowException, OSError) as fault:
        raise DataError(compose("the state of a sketch step is damaged")) from fault
    return tables


def _ids(column: pa.Array | pa.ChunkedArray) -> Ids:
    ids: Ids = column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    return ids.astype(np.uint64, copy=False)


def _counts(batch: pa.RecordBatch) -> npt.NDArray[np.int64] | None:
    if COUNT not in batch.schema.names:
        return None
    counts: npt.NDArray[np.int64] = batch.column(COUNT).to_numpy()
    return counts


def _estimates(call: Call, sketch: GroupedSketch, groups: Ids, rows: npt.NDArray[np.int64]) -> pa.Array:
    """One estimate for each group that exists, sampled or not."""
    sampled = zip(sketch.groups().tolist(), sketch.profiles(), sketch.rows().tolist(), strict=True)
    known = {group: (profile, n) for group, profile, n in sampled}
    estimates = []
    for group, count in zip(groups.tolist(), rows.tolist(), strict=True):
        profile, n = known.get(group, ({}, 0))
        estimates.append(estimate(call.method, profile, count, sample_rows=n).value)
    return _whole_numbers(estimates)


def _round(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(np.rint(values).astype(np.int64))


def _whole_numbers(values: Iterable[float | None]) -> pa.Array:
    return pa.array([None if value is None else round(value) for value in values], pa.int64())
