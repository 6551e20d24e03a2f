"""Answers kept by the content of the rows they answer, so that equal rows are asked once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa

MOST_ROWS = 1_000_000  # our choice: past it everything is forgotten
Ask = Callable[[pa.RecordBatch], pa.RecordBatch]


class Remembered:
    """The answers of one version of a model to one question; several threads may ask.

    Cost: about a microsecond per value for the keys, worth it where a model takes longer or rows repeat.
    """

    def __init__(self) -> None:
        self._place: dict[bytes, int] = {}
        self._answers: pa.Table | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._place)

    def ask(self, batch: pa.RecordBatch, ask: Ask) -> pa.RecordBatch:
        """The answers to a batch; `ask` gets the rows that nobody has asked about before."""
        keys = _keys(batch)
        with self._lock:
            new = {key: at for at, key in reversed(list(enumerate(keys))) if key not in self._place}
            if len(self._place) + len(new) > MOST_ROWS:
                self._place, self._answers = {}, None
                new = {key: at for at, key in reversed(list(enumerate(keys)))}
            if new or self._answers is None:
                rows = sorted(new.values())
                found = pa.Table.from_batches([ask(batch.take(pa.array(rows, pa.int64())))])
                start = 0 if self._answers is None else self._answers.num_rows
                self._answers = found if self._answers is None else pa.concat_tables([self._answers, found])
                self._place.update((keys[row], start + at) for at, row in enumerate(rows))
            places = np.fromiter((self._place[key] for key in keys), dtype=np.int64, count=len(keys))
            answers = self._answers.take(pa.array(places)).combine_chunks()
        batches = answers.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=answers.schema)


def _keys(batch: pa.RecordBatch) -> list[bytes]:
    """A digest of every row: values and their types, in the order of the columns."""
    kinds = str(batch.schema.types)
    rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return [hashlib.blake2b(f"{kinds}{row!r}".encode(), digest_size=16).digest() for row in rows]
