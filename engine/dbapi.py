"""Connections and cursors of PEP 249, a thin layer over the session and the route.

`connect` opens a database; a `Cursor` runs statements and reads rows. Python's sqlite3 is the model where the PEP
leaves things open: a transaction begins by itself at the first change of data, `with` commits or rolls back and leaves
the connection open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from paretosql import errors
from paretosql.engine import route
from paretosql.engine.binding import Parameters
from paretosql.engine.record import Progress
from paretosql.engine.result import Result
from paretosql.engine.session import Session
from paretosql.engine.stream import Row, Stream
from paretosql.engine.types import Description
from paretosql.errors import InterfaceError, NotSupportedError, ProgrammingError, compose

if TYPE_CHECKING:
    from paretosql.engine.asking import ModelHandle

READ_AHEAD = 1_000  # rows a cursor takes from the engine at a time; our choice


def connect(
    database: str | os.PathLike[str] = ":memory:",
    *,
    cluster: None = None,
    objective: Literal["balanced"] = "balanced",
    model_dir: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    read_only: bool = False,
    autocommit: bool = False,
    variables: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Connection:
    """Open a database file, or a new database in memory.

    Args:
        database: path of a DuckDB database file, created when it does not exist; ":memory:" for one that vanishes.
        cluster, objective: reserved; this version runs in one process.
        model_dir: where models are kept; default: a folder beside the database file, memory for one in memory.
        threads: how many threads a statement may use; default: all cores.
        read_only: open an existing file without the right to change it; several processes may do so at once.
        autocommit: True makes every statement stand for itself; False opens a transaction at the first change of data.
        variables: True lets a query name Python variables that hold Arrow, pandas or polars tables.
        progress: called about ten times a second with a `Progress` while a sketch statement runs.
    Raises:
        OperationalError: the file cannot be opened. NotSupportedError: a reserved argument is used.
    """
    for name, value, neutral in (("cluster", cluster, None), ("objective", objective, "balanced")):
        if value != neutral:
            raise NotSupportedError(
                compose(f"connect({name}={value!r}): this version runs in one process", hint=f"leave {name} out")
            )
    session = Session(
        database, threads=threads, read_only=read_only, autocommit=autocommit, variables=variables, model_dir=model_dir
    )
    if progress is not None:
        session.watch()
    return Connection(session, progress)


class Connection:
    """One database session. Threads may share the module, not a connection (threadsafety 1)."""

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, session: Session, progress: Callable[[Progress], None] | None = None) -> None:
        self._session = session
        self._progress = progress

    def cursor(self) -> Cursor:
        """A new cursor on this connection's transaction."""
        _ = self._session.con
        return Cursor(self)

    def execute(self, operation: str, parameters: Parameters = None, *, arrow: bool = False) -> Cursor:
        """Run statements on a new cursor and return it."""
        return self.cursor().execute(operation, parameters, arrow=arrow)

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters]) -> Cursor:
        """Run one statement for each set of parameters on a new cursor and return it."""
        return self.cursor().executemany(operation, seq_of_parameters)

    def sql(self, query: str, parameters: Parameters = None) -> Result:
        """A lazy result: a query runs each time it is read; any other statement runs once, now."""
        _ = self._session.con
        return Result.of(self._session, query, parameters, self._progress)

    def register(self, name: str, data: Any) -> None:
        """Make Arrow data queryable as a table called `name`.

        Args:
            data: anything with `__arrow_c_stream__` or `__arrow_c_array__` (pyarrow, polars, pandas, our results); a
                stream that can be read only once can be queried only once.
        Raises:
            ProgrammingError: `data` has no Arrow stream.
        """
        route.register(self._session, name, data)

    def unregister(self, name: str) -> None:
        """Forget a name given by `register`."""
        route.unregister(self._session, name)

    def create_model(
        self,
        name: str,
        model_type: str,
        rows: Any,
        parameters: Parameters = None,
        *,
        replace: bool = False,
        transform: str = "",
        **options: Any,
    ) -> None:
        """Train a model; the same as CREATE [OR REPLACE] MODEL [TRANSFORM (..)].

        Args:
            rows: a query, the name of a table, or anything with an Arrow stream.
            options: those of the family, by name; `hparam_candidates` and `hparam_range` for a search.
        """
        from paretosql.engine.asking import creating

        given = {"model_type": model_type, **options}
        with creating(self, name, rows, given, replace=replace, transform=transform) as statement:
            self.execute(statement, parameters)

    def drop_model(self, name: str, *, if_exists: bool = False) -> None:
        """Remove a model; the same as DROP MODEL."""
        from paretosql.engine.identifiers import quoted

        self.execute(f"DROP MODEL {'IF EXISTS ' if if_exists else ''}{quoted(name)}")

    def model(self, name: str) -> ModelHandle:
        """A model to ask: `con.model("taste").recommend("visitors", k=5)`.

        Raises:
            ProgrammingError: there is none of this name.
        """
        from paretosql.engine.asking import ModelHandle

        with self._session.lock:
            self._session.free()
            return ModelHandle(self, self._session.models.named(name).name)

    def export_model(self, name: str, folder: str | os.PathLike[str], *, replace: bool = False) -> None:
        """Write a model into a new folder, whole or not at all; `replace`: in the place of another model."""
        from paretosql.engine.model_files import export_model

        export_model(self._session, name, folder, replace=replace)

    def import_model(
        self, folder: str | os.PathLike[str], name: str | None = None, *, replace: bool = False
    ) -> ModelHandle:
        """Read a model that `export_model` wrote, under another `name` if one is given; the model to ask."""
        from paretosql.engine.model_files import import_model

        return self.model(import_model(self._session, folder, name, replace=replace).name)

    def commit(self) -> None:
        """Make all changes since the last commit last."""
        _ = self._session.con
        self._session.commit()

    def rollback(self) -> None:
        """Undo all changes since the last commit."""
        _ = self._session.con
        self._session.rollback()

    def close(self) -> None:
        """Roll back what is not committed and release the database; closing twice is allowed."""
        self._session.close()

    def interrupt(self) -> None:
        """Stop the statement that another thread is running; it raises OperationalError there."""
        self._session.interrupt()

    def percent(self) -> float | None:
        """How far DuckDB is with the statement that another thread runs, 0..100; None when it does not know.

        Known only on connections opened with `progress`.
        """
        return self._session.percent()

    @property
    def autocommit(self) -> bool:
        """Whether every statement stands for itself; setting it to True commits what is open."""
        return self._session.autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        _ = self._session.con
        self._session.autocommit = value

    @property
    def in_transaction(self) -> bool:
        """True while changes wait for commit or rollback."""
        return self._session.transaction is not None

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._session.closed

    def __enter__(self) -> Connection:
        _ = self._session.con
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.closed:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()


class Cursor:
    """Runs statements and reads their rows; see PEP 249."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream: Stream | None = None
        self._ahead: list[Row] = []
        self._at = 0  # the next row of `_ahead`
        self._given = 0  # rows handed out beside those of `_ahead`
        self._closed = False
        self.arraysize = 1
        self.rowcount = -1

    @property
    def connection(self) -> Connection:
        """The connection that made this cursor."""
        return self._connection

    @property
    def description(self) -> Description | None:
        """Seven-tuples (name, type_code, None, None, precision, scale, None), or None when no rows can be read."""
        return self._stream.description if self._stream is not None else None

    @property
    def rownumber(self) -> int | None:
        """The place of the next row in the result, from 0; None without a result."""
        return None if self._stream is None else self._given + self._at

    def execute(self, operation: str, parameters: Parameters = None, *, arrow: bool = False) -> Cursor:
        """Run statements; parameters go to the last one. Returns this cursor.

        Args:
            arrow: True when the result will be read with `reader` or `arrow`: it then streams as Arrow, whatever its
                size. Rows can be fetched either way; False is faster for them.
        """
        session = self._session()
        self._reset()
        outcome = route.execute(session, operation, parameters, self._connection._progress, arrow=arrow)
        self._stream, self.rowcount = outcome.stream, outcome.rowcount
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters]) -> Cursor:
        """Run one statement for each set of parameters: all of them or, after an error, none.

        Raises:
            ProgrammingError: the statement returns rows.
        """
        session = self._session()
        self._reset()
        if isinstance(seq_of_parameters, (str, bytes)):
            raise ProgrammingError(compose("executemany wants a sequence of parameter sets, not text"))
        self.rowcount = route.execute_many(session, operation, seq_of_parameters)
        return self

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        if self._at < len(self._ahead) and not self._closed and not self._connection.closed:
            self._at += 1
            return self._ahead[self._at - 1]
        stream = self._rows()
        self._given += self._at
        self._ahead, self._at = stream.fetch(READ_AHEAD), 0
        if not self._ahead:
            return None
        self._at = 1
        return self._ahead[0]

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows (default: arraysize); fewer at the end."""
        stream = self._rows()
        size = self.arraysize if size is None else size
        if size < 0:
            raise ProgrammingError(compose(f"fetchmany wants a number of rows from 0, not {size}"))
        rows = self._ahead[self._at : self._at + size]
        self._at += len(rows)
        if len(rows) < size:
            more = stream.fetch(size - len(rows))
            self._given += len(more)
            rows = rows + more
        return rows

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        stream = self._rows()
        rows = self._ahead[self._at :]
        rest = stream.fetch_rest()
        rows = rows + rest if rows else rest
        self._given += self._at + len(rows)
        self._ahead, self._at = [], 0
        return rows

    def reader(self) -> pa.RecordBatchReader:
        """The rows that are left as Arrow batches; they stream when `execute` was told `arrow=True`."""
        stream = self._rows()
        if self._at < len(self._ahead):
            raise InterfaceError(
                compose(
                    "some rows of this result were already read ahead", hint="call reader() or arrow() before fetching"
                )
            )
        return stream.reader()

    def arrow(self) -> pa.Table:
        """The rows that are left as one Arrow table."""
        return self.reader().read_all()

    def setinputsizes(self, sizes: Any) -> None:
        """Does nothing; DuckDB finds the sizes itself."""
        self._session()

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing; values of any size are returned whole."""
        self._session()

    def close(self) -> None:
        """Drop what is unread; every later use raises InterfaceError. Closing twice is allowed."""
        if not self._closed:
            self._closed = True
            if not self._connection.closed:
                self._reset()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def __enter__(self) -> Cursor:
        self._session()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # helpers

    def _session(self) -> Session:
        if self._closed:
            raise InterfaceError(compose("the cursor is closed", hint="connection.cursor() makes a new one"))
        _ = self._connection._session.con
        return self._connection._session

    def _rows(self) -> Stream:
        self._session()
        if self._stream is None:
            raise ProgrammingError(
                compose("there are no rows to fetch", hint="execute a query first; a change of data returns no rows")
            )
        return self._stream

    def _reset(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._ahead, self._at, self._given = None, [], 0, 0
        self.rowcount = -1
