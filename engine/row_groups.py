"""Row groups of Parquet files: what the footers say, and single row groups as Arrow batches.

DuckDB can be asked for ranges of `file_row_number`, and then reads the right bytes. But it compares every range with
every row group, 10 ms for each range of a file of 814 row groups: a range costs as much as ten row groups read in full.
So blocks are read by Arrow, and DuckDB sees them as a stream.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import NotSupportedError, OperationalError, compose

SETTLED_NS = 10 * 10**9  # our choice, DuckDB's too: a file changed just now may change again unseen
BLOCK = "__b"  # the column that says which block a row is from


@dataclass(frozen=True)
class Piece:
    """Rows `start` to `stop` (exclusive) of one row group of a file."""

    path: str
    row_group: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Footers:
    """The metadata of files, read once: `files` holds pyarrow.parquet.FileMetaData.

    notes: what has been learned from it so far, by column.
    """

    paths: tuple[str, ...]
    files: tuple[Any, ...]
    notes: dict[str, Any] = field(default_factory=dict)

    def sizes(self) -> npt.NDArray[np.int64]:
        """Rows of every row group, in the order of the files."""
        return np.array([each.row_group(at).num_rows for each in self.files for at in range(each.num_row_groups)], int)

    def places(self, groups: npt.NDArray[np.int64]) -> list[tuple[str, int]]:
        """File and number there of row groups that are numbered through all files."""
        ends = np.cumsum([each.num_row_groups for each in self.files])
        file = np.searchsorted(ends, groups, side="right")
        first = ends[file] - [self.files[at].num_row_groups for at in file]
        return [(self.paths[at], number) for at, number in zip(file, (groups - first).tolist(), strict=True)]

    def schema(self) -> pa.Schema:
        """The columns of the first file."""
        from pyarrow import parquet

        with parquet.ParquetFile(self.paths[0], metadata=self.files[0]) as file:
            schema: pa.Schema = file.schema_arrow
        return schema.remove_metadata()


def read_footers(paths: Sequence[str]) -> Footers:
    """The footers of local files; those of files that have not changed are kept from one statement to the next.

    Cost: 1 ms for 400 row groups of one column the first time, then 10 us per file.

    Raises:
        OperationalError: a file cannot be opened or is damaged.
    """
    try:
        seen = tuple(_seen(path) for path in paths)
        settled = all(time.time_ns() - each.changed_ns > SETTLED_NS for each in seen)
        return _kept(seen) if settled else _read(seen)
    except (OSError, pa.ArrowException) as fault:
        raise OperationalError(compose(f"cannot read the metadata of Parquet files: {fault}")) from fault


@dataclass(frozen=True)
class _Seen:
    """A file as it is now."""

    path: str
    changed_ns: int
    size: int
    number: int


def _seen(path: str) -> _Seen:
    status = os.stat(path)
    return _Seen(path, status.st_mtime_ns, status.st_size, status.st_ino)


def _read(seen: tuple[_Seen, ...]) -> Footers:
    from pyarrow import parquet

    return Footers(tuple(each.path for each in seen), tuple(parquet.read_metadata(each.path) for each in seen))


_kept = lru_cache(maxsize=8)(_read)  # our choice: a footer of 1,000 row groups and ten columns takes about 10 MB


def read_pieces(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> pa.RecordBatchReader:
    """The pieces one after the other as a stream of `schema` and a last column BLOCK, int32, the number of the piece.

    Only the bytes of the schema's columns in the row groups named are read, each row group once if its pieces follow
    each other. Memory: two row groups.
    """
    return pa.RecordBatchReader.from_batches(with_block(schema), _batches(pieces, footers, schema))


def with_block(schema: pa.Schema) -> pa.Schema:
    """The schema of `read_pieces`."""
    return schema.append(pa.field(BLOCK, pa.int32()))


def _batches(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    whole = with_block(schema)
    number = 0
    with ThreadPoolExecutor(1) as worker:  # reads a row group while the last one is hashed
        tables = _row_groups(pieces, footers, schema)
        ahead = worker.submit(next, tables, None)
        while (found := ahead.result()) is not None:
            ahead = worker.submit(next, tables, None)
            table, own = found
            for piece in own:
                part = table.slice(piece.start, piece.stop - piece.start)
                block = pa.array(np.full(part.num_rows, number, np.int32))
                yield from pa.table([*part.columns, block], schema=whole).to_batches()
                number += 1


def _row_groups(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> Iterator[tuple[pa.Table, list[Piece]]]:
    """Every row group that has pieces, and those."""
    from pyarrow import parquet

    known = dict(zip(footers.paths, footers.files, strict=True))
    for path, in_file in itertools.groupby(pieces, key=lambda piece: piece.path):
        with parquet.ParquetFile(path, metadata=known[path]) as file:
            for row_group, own in itertools.groupby(in_file, key=lambda piece: piece.row_group):
                yield _as_schema(file.read_row_group(row_group, columns=schema.names), schema, path), list(own)


def _as_schema(table: pa.Table, schema: pa.Schema, path: str) -> pa.Table:
    """The columns of `schema`, in its order and types."""
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowException) as fault:
        hint = "files with other columns or types are read by sampling => 'bernoulli'."
        raise NotSupportedError(compose(f"{path} has not the columns of the first file: {fault}", hint=hint)) from fault
