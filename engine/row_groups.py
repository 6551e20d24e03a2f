"""Row groups of Parquet files: what the footers say, and single row groups as Arrow batches.

DuckDB can be asked for ranges of `file_row_number`, and then reads the right bytes. But it compares every range with
every row group, 10 ms for each range of a file of 814 row groups: a range costs as much as ten row groups read in full.
So blocks are read by Arrow, and DuckDB sees them as a stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import NotSupportedError, OperationalError, compose

BLOCK = "__b"  # the column that says which block a row is from


@dataclass(frozen=True)
class Piece:
    """Rows `start` to `stop` (exclusive) of one row group of a file."""

    path: str
    row_group: int
    start: int
    stop: int


@dataclass(frozen=True)
class Footers:
    """The metadata of files, read once: `files` holds pyarrow.parquet.FileMetaData."""

    paths: tuple[str, ...]
    files: tuple[Any, ...]

    def sizes(self) -> npt.NDArray[np.int64]:
        """Rows of every row group, in the order of the files."""
        return np.array([each.row_group(at).num_rows for each in self.files for at in range(each.num_row_groups)], int)

    def places(self) -> list[tuple[str, int]]:
        """File and number of every row group, in the same order."""
        pairs = zip(self.paths, self.files, strict=True)
        return [(path, at) for path, each in pairs for at in range(each.num_row_groups)]

    def schema(self) -> pa.Schema:
        """The columns of the first file."""
        schema: pa.Schema = self.files[0].schema.to_arrow_schema()
        return schema.remove_metadata()


def read_footers(paths: Sequence[str]) -> Footers:
    """The footers of local files; 1 ms for 400 row groups of one column.

    Raises:
        OperationalError: a file cannot be opened or is damaged.
    """
    from pyarrow import parquet

    files = []
    for path in paths:
        try:
            files.append(parquet.read_metadata(path))
        except (OSError, pa.ArrowException) as fault:
            raise OperationalError(compose(f"cannot read the metadata of {path}: {fault}")) from fault
    return Footers(tuple(paths), tuple(files))


def read_pieces(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> pa.RecordBatchReader:
    """The pieces one after the other as a stream of `schema` and a last column BLOCK, int32, the number of the piece.

    Only the bytes of the schema's columns in the row groups named are read, each row group once if its pieces follow
    each other. Memory: one row group.
    """
    return pa.RecordBatchReader.from_batches(with_block(schema), _batches(pieces, footers, schema))


def with_block(schema: pa.Schema) -> pa.Schema:
    """The schema of `read_pieces`."""
    return schema.append(pa.field(BLOCK, pa.int32()))


def _batches(pieces: Sequence[Piece], footers: Footers, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    known = dict(zip(footers.paths, footers.files, strict=True))
    at, path, file, table = None, None, None, None
    whole = with_block(schema)
    try:
        for number, piece in enumerate(pieces):
            if piece.path != path:
                if file is not None:
                    file.close()
                path, file = piece.path, parquet.ParquetFile(piece.path, metadata=known[piece.path])
            if (piece.path, piece.row_group) != at:
                at = (piece.path, piece.row_group)
                table = _as_schema(file.read_row_group(piece.row_group, columns=schema.names), schema, piece.path)
            part = table.slice(piece.start, piece.stop - piece.start)
            block = pa.array(np.full(part.num_rows, number, np.int32))
            yield from pa.table([*part.columns, block], schema=whole).to_batches()
    finally:
        if file is not None:
            file.close()


def _as_schema(table: pa.Table, schema: pa.Schema, path: str) -> pa.Table:
    """The columns of `schema`, in its order and types."""
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, pa.ArrowException) as fault:
        hint = "files with other columns or types are read by sampling => 'bernoulli'."
        raise NotSupportedError(compose(f"{path} has not the columns of the first file: {fault}", hint=hint)) from fault
