"""A lazy result: the query runs each time it is read, as a stream of Arrow batches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pyarrow as pa

from paretosql.engine import render, route
from paretosql.engine.binding import Parameters
from paretosql.engine.glyphs import Screen
from paretosql.engine.record import Progress
from paretosql.engine.session import Session
from paretosql.engine.stream import Row, Stream
from paretosql.engine.types import ColumnType, Description
from paretosql.errors import NotSupportedError, ProgrammingError, compose

SHOWN_ROWS = 20
_NO_ROWS = "(the statement has run; it returns no rows)"
CHUNK_ROWS = 10_000


class Result:
    """What `Connection.sql` returns. A query runs when rows, Arrow or a picture of it are asked for, each time anew."""

    def __init__(
        self, session: Session, query: str, parameters: Parameters, progress: Callable[[Progress], None] | None
    ):
        self._session = session
        self._query = query
        self._parameters = parameters
        self._progress = progress
        self._kept: tuple[Description, pa.Table] | None = None  # of a statement that must not run twice
        self._description: Description | None = None

    @classmethod
    def of(
        cls, session: Session, query: str, parameters: Parameters, progress: Callable[[Progress], None] | None
    ) -> Result:
        """A result that has checked its query; statements that change something have run."""
        result = cls(session, query, parameters, progress)
        if not route.repeatable(session, query):
            outcome = route.execute(session, query, parameters, progress, arrow=True)
            if outcome.stream is not None:
                result._kept = (outcome.stream.description, outcome.stream.reader().read_all())
            else:
                result._kept = ([], pa.table({}))
        return result

    # reading

    def reader(self) -> pa.RecordBatchReader:
        """The rows as a stream of Arrow batches; memory stays at a few batches."""
        if self._kept is not None:
            return self._kept[1].to_reader()
        return self._stream(arrow=True).reader()

    def arrow(self) -> pa.Table:
        """The rows as one Arrow table."""
        return self.reader().read_all()

    def fetchall(self) -> list[Row]:
        """The rows as tuples of Python values."""
        return list(self)

    def __iter__(self) -> Iterator[Row]:
        if self._kept is not None:
            from paretosql.engine.values import rows_of

            description, table = self._kept
            for batch in table.to_batches():
                yield from rows_of(batch, description)
            return
        stream = self._stream()
        while rows := stream.fetch(CHUNK_ROWS):
            yield from rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Arrow's PyCapsule interface: pyarrow, polars, pandas and duckdb read a result through it without copies."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def _stream(self, *, arrow: bool = False) -> Stream:
        outcome = route.execute(self._session, self._query, self._parameters, self._progress, arrow=arrow)
        if outcome.stream is None:
            raise ProgrammingError(compose("the statement returns no rows"))
        return outcome.stream

    # looking

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [each[0] for each in self._described()]

    @property
    def types(self) -> list[ColumnType]:
        """SQL types of the columns."""
        return [each[1] for each in self._described()]

    def _described(self) -> Description:
        if self._kept is not None:
            return self._kept[0]
        if self._description is None:
            self._description = route.describe(self._session, self._query, self._parameters)
        return self._description

    def show(self, limit: int = SHOWN_ROWS) -> None:
        """Print the first rows as a box, types under the names."""
        if limit < 0:
            raise ProgrammingError(compose(f"show wants a number of rows from 0, not {limit}"))
        if self._kept is not None and not self._kept[0]:
            print(_NO_ROWS)
            return
        print(render.box(*self._head(limit), screen=Screen.of(sys.stdout)))

    def explain(self) -> str:
        """The plan of the query as text."""
        return route.explain(self._session, self._query, self._parameters)

    def frontier(self) -> None:
        """Reserved: the choices of latency and cost, once a resource optimizer makes them."""
        raise NotSupportedError(
            compose(
                "a frontier needs the resource optimizer, which is not part of this version",
                hint="explain() works today",
            )
        )

    def __repr__(self) -> str:
        if self._kept is not None and not self._kept[0]:
            return _NO_ROWS
        return render.box(*self._head(SHOWN_ROWS))

    def _repr_html_(self) -> str:
        if self._kept is not None and not self._kept[0]:
            return f"<p>{_NO_ROWS}</p>"
        return render.html(*self._head(SHOWN_ROWS))

    def _head(self, limit: int) -> tuple[pa.Table, list[str], int | None]:
        """The first rows, the printed types, and the number of rows (None: more than were read)."""
        if self._kept is not None:
            description, table = self._kept
            return table.slice(0, limit), [kind.sql for _, kind, *_ in description], table.num_rows
        stream = self._stream(arrow=True)
        types = [kind.sql for _, kind, *_ in stream.description]
        batches, seen = [], 0
        reader = stream.reader()
        for batch in reader:
            batches.append(batch.slice(0, max(limit + 1 - seen, 0)))
            seen += batch.num_rows
            if seen > limit:
                break
        stream.close()
        head = pa.Table.from_batches(batches, schema=reader.schema)
        return head.slice(0, limit), types, seen if seen <= limit else None
