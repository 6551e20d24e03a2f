"""Arrow values as text, written the way DuckDB writes them.

Python's own conversions fail on values that SQL knows (the date infinity, years before Christ, nanoseconds, intervals),
so a small private DuckDB casts each batch. Values arrive as Arrow, and leave as Arrow strings or as plain Python
values that `json` text can be made from.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence

import duckdb
import pyarrow as pa
from duckdb.sqltypes import VARCHAR, DuckDBPyType

SLICE_ROWS = 16_384  # our choice: text of one slice stays in cache
SLICE_BYTES = 32 << 20  # our choice: far below the 2 GiB an Arrow string column can hold
SHORT_NAMES = {"timestamp with time zone": "timestamptz", "time with time zone": "timetz", '"null"': "null"}
_starting = threading.Lock()


@functools.cache
def _printer() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def as_varchar(_kind: DuckDBPyType) -> DuckDBPyType:
    """The target of a cast that makes every column text."""
    return VARCHAR


class Caster:
    """Casts the batches of one schema, column by column, to the types that `target` chooses."""

    def __init__(self, schema: pa.Schema, target: Callable[[DuckDBPyType], DuckDBPyType] = as_varchar) -> None:
        with _starting:
            self._printer = _printer().cursor()
        for field in schema:
            if pa.types.is_timestamp(field.type) and field.type.tz:
                with contextlib.suppress(duckdb.Error):  # Arrow has zones that DuckDB has no name for: +02:00
                    self._printer.execute("SET TimeZone = ?", [field.type.tz])  # a connection has one time zone
                break
        self._names = [f"c{index}" for index in range(len(schema))]
        named = pa.schema([field.with_name(name) for field, name in zip(schema, self._names, strict=True)])
        kinds = self._printer.from_arrow(pa.RecordBatchReader.from_batches(named, [])).types
        self.kinds: list[DuckDBPyType] = list(kinds)
        self._casts = ", ".join(
            f"CAST({name} AS {target(kind)}) AS {name}" for name, kind in zip(self._names, kinds, strict=True)
        )

    def cast(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """The columns of one batch after the cast, in the same row order."""
        table = pa.Table.from_batches([batch]).rename_columns(self._names)
        done = self._printer.from_arrow(table).project(self._casts).to_arrow_table()
        return [whole(column) for column in done.columns]


def whole(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def slices(batches: Iterator[pa.RecordBatch] | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The same rows in pieces that are small enough to become text one after the other; no piece is empty."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        row_bytes = max(1, batch.nbytes // batch.num_rows)
        step = max(1, min(SLICE_ROWS, SLICE_BYTES // row_bytes))
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def stream(data: object) -> pa.RecordBatchReader:
    """A reader over `data`: a reader, a table, or anything with `__arrow_c_stream__`."""
    return data if isinstance(data, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(data)


def type_names(kinds: Sequence[object]) -> list[str]:
    """SQL type names as tables show them: lower case, the long ones shortened.

    >>> type_names(["BIGINT", "TIMESTAMP WITH TIME ZONE"])
    ['bigint', 'timestamptz']
    """
    names = [str(kind) for kind in kinds]
    names = [name if "(" in name and not name.startswith("DECIMAL") else name.lower() for name in names]
    return [SHORT_NAMES.get(name, name) for name in names]
