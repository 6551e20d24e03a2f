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
AT_ONCE = 1 << 17  # our choice: rows decoded at once; a row group that DuckDB writes has 122,880
BLOCK = "__pareto_block"  # the column that says which block a row is from


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

    Only the bytes of the schema's columns in the row groups named are read, each row group once and up to its last
    piece, if its pieces follow each other in order. Memory: the bytes of a row group and 2 * AT_ONCE rows.
    """
    return pa.RecordBatchReader.from_batches(with_block(schema), _batches(pieces, footers, schema))


def with_block(schema: pa.Schema) -> pa.Schema:
    """The schema of `read_pieces`."""
    return schema.append(pa.field(BLOCK, pa.int32()))


def _batches(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    whole = with_block(schema)
    with ThreadPoolExecutor(1) as worker:  # reads on while the last rows are hashed
        parts = _parts(pieces, footers, schema)
        ahead = worker.submit(next, parts, None)
        while (found := ahead.result()) is not None:
            ahead = worker.submit(next, parts, None)
            number, part = found
            block = pa.array(np.full(part.num_rows, number, np.int32))
            yield from pa.table([*part.columns, block], schema=whole).to_batches()


def _parts(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each piece, in one part or several, with its number."""
    from pyarrow import parquet

    known = dict(zip(footers.paths, footers.files, strict=True))
    numbered = enumerate(pieces)
    for path, in_file in itertools.groupby(numbered, key=lambda each: each[1].path):
        with parquet.ParquetFile(path, metadata=known[path]) as file:
            for row_group, group in itertools.groupby(in_file, key=lambda each: each[1].row_group):
                own, first = list(group), 0
                for batch in file.iter_batches(AT_ONCE, row_groups=[row_group], columns=schema.names):
                    last = first + batch.num_rows
                    table = _as_schema(pa.Table.from_batches([batch]), schema, path)
                    for number, piece in own:
                        start, stop = max(piece.start, first), min(piece.stop, last)
                        if start < stop:
                            yield number, table.slice(start - first, stop - start)
                    first = last
                    if first >= own[-1][1].stop:  # nobody wants the rest
                        break


def _as_schema(table: pa.Table, schema: pa.Schema, path: str) -> pa.Table:
    """The columns of `schema`, in its order and types."""
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowException) as fault:
        hint = "files with other columns or types are read by sampling => 'bernoulli'."
        raise NotSupportedError(compose(f"{path} has not the columns of the first file: {fault}", hint=hint)) from fault
