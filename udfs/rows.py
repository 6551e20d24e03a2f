"""Rows that can be read again: in memory while they are few, then in a temporary file without a name."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, Protocol

import pyarrow as pa

KEPT_BYTES = 1 << 28  # our choice: rows beyond it go to disk


class Rows(Protocol):
    """A sequence of record batches of one schema that can be read several times."""

    @property
    def schema(self) -> pa.Schema: ...
    @property
    def num_rows(self) -> int: ...
    def batches(self) -> Iterator[pa.RecordBatch]:
        """All batches, from the first."""
        ...


class Spool:
    """Rows kept by us. A process that dies leaves nothing behind: the file has no name."""

    def __init__(self, schema: pa.Schema, kept_bytes: int = KEPT_BYTES) -> None:
        self.schema = schema
        self.num_rows = 0
        self.num_bytes = 0
        self._limit = kept_bytes
        self._kept: list[pa.RecordBatch] = []
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchWriter | None = None

    @classmethod
    def of(cls, schema: pa.Schema, batches: Iterable[pa.RecordBatch], kept_bytes: int = KEPT_BYTES) -> Spool:
        """All rows of some batches."""
        spool = cls(schema, kept_bytes)
        for batch in batches:
            spool.add(batch)
        return spool

    @classmethod
    def of_table(cls, table: pa.Table) -> Spool:
        """The rows of a table."""
        return cls.of(table.schema, table.to_batches(), kept_bytes=max(KEPT_BYTES, table.nbytes + 1))

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; O(its size)."""
        self.num_rows += batch.num_rows
        self.num_bytes += batch.nbytes
        if self._writer is None and self.num_bytes > self._limit:
            self._file = tempfile.TemporaryFile(prefix="paretosql-")  # noqa: SIM115
            self._writer = pa.ipc.new_stream(self._file, self.schema)
        if self._writer is None:
            self._kept.append(batch)
        else:
            self._writer.write_batch(batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All batches; the last `add` comes before the first reading."""
        yield from self._kept
        if self._file is None:
            return
        if self._writer is not None:
            self._writer.close()
            self._file.flush()
        with pa.ipc.open_stream(_Reading(self._file.fileno())) as reader:
            yield from reader

    def in_memory(self) -> pa.Table | None:
        """All rows as a table, which others read faster than a stream; None when some are on disk."""
        return pa.Table.from_batches(self._kept, self.schema) if self._file is None else None

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """All rows as a stream, each time anew."""
        reader = pa.RecordBatchReader.from_batches(self.schema, self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def close(self) -> None:
        """Let go of everything."""
        self._kept = []
        if self._writer is not None:
            self._writer.close()
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


class _Reading(io.RawIOBase):
    """One reading of a file from its start, with a place of its own: several may go on at once."""

    def __init__(self, handle: int) -> None:
        super().__init__()
        self._handle, self._at = handle, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._handle, [buffer], self._at)
        self._at += count
        return count

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return self.readall()
        data = os.pread(self._handle, size, self._at)
        self._at += len(data)
        return data
