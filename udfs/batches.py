"""Asking a model about batches: sizes by a memory budget, order kept, and no row that spoils the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import DataError
from paretosql.udfs.model import MEMORY_BYTES, STATUS, Arguments, Model
from paretosql.udfs.verbs import VERBS

MOST_ROWS = 1 << 17  # our choice: more at once save nothing
HOPELESS = 64  # our choice: so many single rows that fail, and none that does not, are no bad rows but a wrong question


def rebatched(batches: Iterable[pa.RecordBatch], bytes_per_row: int) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, at most as many at once as fit the budget; nothing is copied."""
    most = max(1, min(MOST_ROWS, MEMORY_BYTES // max(1, bytes_per_row)))
    for batch in batches:
        for first in range(0, batch.num_rows, most):
            yield batch.slice(first, most)


def answers(model: Model, verb: str, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
    """What the model says of a batch; for verbs that pass rows on with a text `STATUS`, NULL where all is well.

    A row with a value that the model refuses gets NULL and the reason; it is found by halving the batch.

    Raises:
        DataError: no row can be answered, which a wrong question explains better than bad rows.
    """
    if not VERBS[verb].passes:
        return model.apply(verb, batch, arguments)
    return _with_status(_Asking(model, verb, arguments).of(batch))


class _Asking:
    """Halves batches that fail; counts rows that fail alone."""

    def __init__(self, model: Model, verb: str, arguments: Arguments) -> None:
        self._model, self._verb, self._arguments = model, verb, arguments
        self._bad, self._good = 0, 0

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # `_with_status` looks at what comes of it
                found = self._model.apply(self._verb, batch, self._arguments)
        except DataError as fault:
            if not batch.num_rows:
                raise
            if batch.num_rows == 1:
                return self._refused(batch, fault)
        else:
            self._good += batch.num_rows
            return found
        half = batch.num_rows // 2
        return _joined([_with_status(self.of(part)) for part in (batch.slice(0, half), batch.slice(half))])

    def _refused(self, batch: pa.RecordBatch, fault: DataError) -> pa.RecordBatch:
        self._bad += 1
        if self._bad >= HOPELESS and not self._good:
            raise fault
        outputs = self._model.outputs(self._verb, batch.schema.names)
        reason = str(fault).partition("\n")[0]
        arrays = [*(pa.nulls(1, each.type) for each in outputs), pa.array([reason])]
        return pa.RecordBatch.from_arrays(arrays, names=[*(each.name for each in outputs), STATUS])


def _with_status(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With a column `STATUS`; answers that are no finite numbers are none, and it says so."""
    names = [name for name in batch.schema.names if name != STATUS]
    columns = {name: batch.column(name) for name in names}
    status = batch.column(STATUS) if STATUS in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
    for name, column in columns.items():
        if not pa.types.is_floating(column.type):
            continue
        beyond = pc.invert(pc.is_finite(column))
        if pc.any(beyond).as_py():
            columns[name] = pc.if_else(beyond, pa.scalar(None, column.type), column)
            status = pc.if_else(pc.and_(beyond, pc.is_null(status)), f"{name} is beyond all numbers", status)
    return pa.RecordBatch.from_arrays([*columns.values(), status], names=[*names, STATUS])


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    first = parts[0].schema
    columns = [
        pa.concat_arrays([part.column(name).cast(first.field(name).type) for part in parts]) for name in first.names
    ]
    return pa.RecordBatch.from_arrays(columns, names=first.names)
