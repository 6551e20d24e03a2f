"""An open result: rows or Arrow batches that arrive as they are read.

A DuckDB connection carries one open result at a time. When the next statement needs the connection, the session calls
`detach` on the open stream, which moves its unread rest aside: into memory while it is small, then into a temporary
file without a name, so that nothing stays behind even if the process dies.
"""

from __future__ import annotations

import itertools
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import IO, Any

import duckdb
import pyarrow as pa

from paretosql.engine.timezones import rows_have_zones
from paretosql.engine.types import Description
from paretosql.engine.values import needs_zones, rows_of
from paretosql.errors import InterfaceError, compose

BATCH_ROWS = 122_880  # DuckDB's row group; our choice
CHUNK_ROWS = 10_000
REST_ROWS = 100_000
ASIDE_BYTES = 64 << 20  # what a detached result may hold in memory; our choice

Row = tuple[Any, ...]


class Stream:
    """The rest of one result. Memory: one batch while live, at most about ASIDE_BYTES once detached."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        description: Description,
        guard: Callable[[], AbstractContextManager[None]],
        release: Callable[[], None],
        reader: pa.RecordBatchReader | None = None,
    ) -> None:
        self.description = description
        self._con: duckdb.DuckDBPyConnection | None = con
        self._translated = guard  # one thread at a time, and foreign errors become ours
        self._release = release  # frees the connection
        self._batches: Iterator[pa.RecordBatch] | None = None if reader is None else iter(reader)
        self._schema: pa.Schema | None = None if reader is None else reader.schema
        self._rows: Iterator[list[Row]] | None = None  # set once unread rows have been moved aside
        self._left: list[Row] = []
        self._ended = False  # the last row has been read
        self._dropped = False  # closed before that
        if reader is None and needs_zones(description) and not rows_have_zones():
            self._open_batches()

    # reading

    def fetch(self, size: int) -> list[Row]:
        """At most `size` more rows; an empty list at the end.

        Raises:
            InterfaceError: the result was closed before its end.
        """
        with self._translated():  # nobody moves the rows aside while it is decided where they are
            self._refuse_dropped()
            if self._rows is None and self._batches is None:
                return self._fetch_live(size)
            while len(self._left) < size:
                chunk = self._next_chunk()
                if not chunk:
                    break
                self._left = self._left + chunk if self._left else chunk
            rows, self._left = self._left[:size], self._left[size:]
            return rows

    def fetch_rest(self) -> list[Row]:
        """All rows that are left; errors as `fetch`."""
        with self._translated():  # as in `fetch`
            self._refuse_dropped()
            if self._rows is None and self._batches is None:
                rows = self._fetch_live(REST_ROWS)
                while self._con is not None:  # in pieces, so that Ctrl-C is heard between them
                    rows += self._fetch_live(REST_ROWS)
                return rows
            rest, self._left = self._left, []
            while chunk := self._next_chunk():
                rest.extend(chunk)
            return rest

    def reader(self) -> pa.RecordBatchReader:
        """The rest as Arrow batches, each about BATCH_ROWS long.

        A result that was executed for rows is first turned into Arrow as a whole, which needs memory for all of it.

        Raises:
            InterfaceError: the rest was already moved aside as Python rows.
        """
        if self._rows is not None or self._left:
            raise InterfaceError(
                compose(
                    "this result was read as rows and then moved aside by another statement",
                    hint="call arrow() or reader() before running the next statement on the connection",
                )
            )
        self._open_batches()
        assert self._schema is not None
        return pa.RecordBatchReader.from_batches(self._schema, self._each_batch())

    def _each_batch(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._next_batch()) is not None:
            yield batch

    def _fetch_live(self, size: int) -> list[Row]:
        if self._con is None:
            return []
        with self._failing_closed():
            rows = self._con.fetchmany(size)
        if len(rows) < size:
            self._end()
        return rows

    def _next_chunk(self) -> list[Row]:
        if self._rows is not None:
            return next(self._rows, [])
        while (batch := self._next_batch()) is not None:
            if batch.num_rows:
                with self._failing_closed():
                    return rows_of(batch, self.description)
        return []

    def _next_batch(self) -> pa.RecordBatch | None:
        self._refuse_dropped()
        if self._batches is None:
            return None
        with self._failing_closed():
            batch = next(self._batches, None)
        if batch is None:
            self._end()
        return batch

    def _refuse_dropped(self) -> None:
        if self._dropped:
            raise InterfaceError(
                compose(
                    "the result was closed before its last row",
                    hint="keep cursor and connection open, and run nothing else on the cursor, until it is read",
                )
            )

    def _open_batches(self) -> None:
        if self._batches is not None:
            return
        if self._con is None:
            self._schema, self._batches = self._schema or pa.schema([]), iter(())
            return
        con = self._con
        with self._translated(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the copy it warns of is cheaper than a second run
            reader: pa.RecordBatchReader = con.to_arrow_reader(BATCH_ROWS)
            self._schema, self._batches = reader.schema, iter(reader)

    @contextmanager
    def _failing_closed(self) -> Iterator[None]:
        """An error while reading ends the result, so that the connection is free for other work."""
        try:
            with self._translated():
                yield
        except BaseException:
            with suppress(Exception):
                self.close()
            raise

    # leaving the connection

    @property
    def live(self) -> bool:
        """True while the connection is busy with this result."""
        return self._con is not None

    def detach(self) -> None:
        """Move the unread rest aside, so that the connection is free; O(rest) time, bounded memory."""
        if self._con is None:
            return
        if self._batches is not None and self._schema is not None:
            self._batches = _aside_batches(self._each_live_batch(self._batches), self._schema)
        else:
            self._rows = _aside_rows(iter(lambda: self._fetch_live(CHUNK_ROWS), []))
        self._con = None

    def _each_live_batch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self._translated():
            yield from batches

    def close(self) -> None:
        """Drop the rest; the connection is free, and reading on is an error."""
        self._dropped = self._dropped or not self._ended
        self._end()

    def _end(self) -> None:
        con, self._con = self._con, None
        self._ended = True
        self._batches = None if self._batches is None else iter(())
        self._rows = None if self._rows is None else iter(())
        if con is not None:
            with self._translated():
                self._release()


def _aside_rows(chunks: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Read all chunks now, keep what is small in memory, the rest on disk; yield them later."""
    kept = list(itertools.islice(chunks, 10))
    spill: IO[bytes] | None = None
    for chunk in chunks:
        # a temporary file of this process alone: no other program can write what is read back
        spill = spill or tempfile.TemporaryFile(prefix="paretosql-")  # noqa: SIM115
        pickle.dump(chunk, spill, protocol=pickle.HIGHEST_PROTOCOL)
    return _read_rows(kept, spill)


def _read_rows(kept: list[list[Row]], spill: IO[bytes] | None) -> Iterator[list[Row]]:
    yield from kept
    if spill is None:
        return
    with spill:
        end = spill.tell()
        spill.seek(0)
        while spill.tell() < end:
            yield pickle.load(spill)


def _aside_batches(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The same for Arrow batches, in Arrow's own stream format."""
    kept: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        kept.append(batch)
        size += batch.nbytes
        if size > ASIDE_BYTES:
            break
    else:
        return iter(kept)
    spill = tempfile.TemporaryFile(prefix="paretosql-")  # noqa: SIM115
    with pa.ipc.new_stream(spill, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return _read_batches(kept, spill)


def _read_batches(kept: list[pa.RecordBatch], spill: IO[bytes]) -> Iterator[pa.RecordBatch]:
    yield from kept
    kept.clear()
    with spill:
        spill.seek(0)
        yield from pa.ipc.open_stream(spill)
