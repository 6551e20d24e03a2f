"""The sketch operator: distinct counts over Arrow batches, in three movements.

`update` takes batches where they are, `merge` joins the states of several places, `finish` turns a state into one row
per group. Embedded, one state sees all batches; a cluster runs `update` in many processes and merges what they send.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.engine.answers import FINISHERS
from paretosql.engine.block_state import BlockState
from paretosql.engine.packing import pack, unpack
from paretosql.engine.plan import Call, Sketch
from paretosql.engine.tallies import Ids, Profiles, Tally, new_tally, read_tally

COUNT = "__n"  # column of a source whose equal rows were counted before


class SketchState(Protocol):
    """What a sketch step accumulates."""

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        """Take one batch for these calls; a column COUNT, if there is one, says how many rows each row stands for."""

    def profile(self, at: int) -> dict[int, float]:
        """The profile of one call of `countable` so far, over values or (group, value) pairs."""

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
    """One tally per call, over all rows."""

    def __init__(self, step: Sketch) -> None:
        self._step = step
        self.tallies: list[Any] = [new_tally(call, step.sampling, grouped=False) for call in step.calls]

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        counts = _counts(batch)
        for at in calls:
            self.tallies[at].update(None, _inputs(batch, self._step.calls[at]), counts)

    def profile(self, at: int) -> dict[int, float]:
        tally: Profiles = self.tallies[at]
        return tally.profile()

    def restart(self, at: int) -> None:
        self.tallies[at] = new_tally(self._step.calls[at], self._step.sampling, grouped=False)

    def merge(self, other: WholeState) -> None:
        for mine, theirs in zip(self.tallies, other.tallies, strict=True):
            mine.merge(theirs)

    def to_bytes(self) -> bytes:
        return pack(_tallies_table(self.tallies))

    @classmethod
    def from_bytes(cls, step: Sketch, data: bytes) -> WholeState:
        (table,) = unpack(data)
        state = cls(step)
        state.tallies = _tallies(step, table, grouped=False)
        return state

    def finish(self, counts: pa.Table | None) -> pa.Table:
        one_group, values = np.zeros(1, np.uint64), {}
        for call, tally in zip(self._step.calls, self.tallies, strict=True):
            rows = None if counts is None else counts.column(call.column).to_numpy()
            finish = FINISHERS[call.function].finish
            values[call.output] = finish(call, tally, self._step.sampling, one_group, rows)
        return pa.table(values)


class GroupedState:
    """One tally per call, at the finest grouping; coarser grouping sets are merged from it at the end."""

    def __init__(self, step: Sketch) -> None:
        self._step = step
        self._tallies: list[Any] = [new_tally(call, step.sampling, grouped=True) for call in step.calls]
        self._coarse = [name for name, _ in step.sets if name not in ("", "g")]
        self._links: list[dict[str, Ids]] = []  # finest group and its coarser ones, each finest group at least once

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        groups, counts = _ids(batch.column("g")), _counts(batch)
        for at in calls:
            self._tallies[at].update(groups, _inputs(batch, self._step.calls[at]), counts)
        if self._coarse:
            self._link(batch, groups)

    def profile(self, at: int) -> dict[int, float]:
        tally: Profiles = self._tallies[at]
        return tally.profile()

    def restart(self, at: int) -> None:
        self._tallies[at] = new_tally(self._step.calls[at], self._step.sampling, grouped=True)

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
        for mine, theirs in zip(self._tallies, other._tallies, strict=True):
            mine.merge(theirs)
        self._links.extend(other._links)

    def to_bytes(self) -> bytes:
        return pack(_tallies_table(self._tallies), *([pa.table(self._linked())] if self._links else []))

    @classmethod
    def from_bytes(cls, step: Sketch, data: bytes) -> GroupedState:
        table, *links = unpack(data)
        state = cls(step)
        state._tallies = _tallies(step, table, grouped=True)
        state._links = [{name: _ids(each.column(name)) for name in each.column_names} for each in links]
        return state

    def finish(self, counts: pa.Table | None) -> pa.Table:
        if counts is not None and counts.num_rows:
            self._link(counts, _ids(counts.column("g")))
        parts = [self._finish_set(name, bits, counts) for name, bits in self._step.sets]
        return pa.concat_tables(parts)

    def _finish_set(self, name: str, bits: int, counts: pa.Table | None) -> pa.Table:
        found: list[tuple[str, Ids, pa.Array]] = []
        for call, fine in zip(self._step.calls, self._tallies, strict=True):
            tally = fine if name == "g" else fine.regroup(*self._mapping(name, fine.groups()))
            groups, rows = (tally.groups(), None) if counts is None else self._true_rows(name, counts, call)
            finish = FINISHERS[call.function].finish
            found.append((call.output, groups, finish(call, tally, self._step.sampling, groups, rows)))
        everywhere = _united([groups for _, groups, _ in found])
        columns = {output: _spread(answers, groups, everywhere) for output, groups, answers in found}
        bits_column = pa.array(np.full(len(everywhere), bits, np.int64))
        return pa.table({"gid": bits_column, "g": pa.array(everywhere), **columns})

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


def _tallies_table(tallies: Iterable[Tally]) -> pa.Table:
    return pa.table({"tally": pa.array([each.to_bytes() for each in tallies], pa.large_binary())})


def _tallies(step: Sketch, table: pa.Table, *, grouped: bool) -> list[Any]:
    stored = zip(step.calls, table.column("tally").to_pylist(), strict=True)
    return [read_tally(call, data, grouped=grouped) for call, data in stored]


def _inputs(batch: pa.RecordBatch, call: Call) -> list[pa.Array]:
    """The columns that a call reads."""
    return [batch.column(name) for name in (call.column, call.weight) if name]


def _united(parts: list[Ids]) -> Ids:
    """All groups of lists that ascend, ascending."""
    if all(np.array_equal(part, parts[0]) for part in parts[1:]):
        return parts[0]
    united: Ids = np.unique(np.concatenate(parts))
    return united


def _spread(answers: pa.Array, groups: Ids, everywhere: Ids) -> pa.Array:
    """The answers of some groups as those of all groups, NULL for the others; both ascend."""
    if len(groups) == len(everywhere):
        return answers
    place = np.searchsorted(groups, everywhere)
    absent = ~np.isin(everywhere, groups)
    return answers.take(pa.array(np.where(absent, 0, place), mask=absent))


def _ids(column: pa.Array | pa.ChunkedArray) -> Ids:
    ids: Ids = column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    return ids.astype(np.uint64, copy=False)


def _counts(batch: pa.RecordBatch) -> npt.NDArray[np.int64] | None:
    if COUNT not in batch.schema.names:
        return None
    counts: npt.NDArray[np.int64] = batch.column(COUNT).to_numpy()
    return counts
