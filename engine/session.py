"""One DuckDB connection: its transaction, its open result, and the statements that run on it one after the other.

Cursors of a connection share a session, so they share a transaction and see each other's changes. The session keeps
DuckDB's rule of one open result per connection away from users by moving unread results aside.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from paretosql.engine import files, open_databases
from paretosql.engine.binding import Parameters
from paretosql.engine.faults import details, translated
from paretosql.engine.names import Names
from paretosql.engine.scalars import register_scalars
from paretosql.engine.statements import Statement, bind, counts_rows
from paretosql.engine.stream import BATCH_ROWS, Stream
from paretosql.engine.types import Description, describe
from paretosql.engine.workspace import Workspace
from paretosql.errors import Error, InterfaceError, OperationalError, ProgrammingError, compose

if TYPE_CHECKING:
    from paretosql.engine.model_catalog import ModelCatalog

_DATABASE = "SELECT database_name, path FROM duckdb_databases() WHERE database_name = current_database()"
_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Close what is still open while DuckDB's threads can end in order."""
    for session in list(_sessions):
        with contextlib.suppress(Exception):
            session.close()


class Session:
    """The state behind one connection; safe to call from several threads, which then wait for each other."""

    def __init__(
        self,
        database: str | os.PathLike[str],
        *,
        threads: int | None,
        read_only: bool,
        autocommit: bool,
        variables: bool,
        model_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        config: dict[str, Any] = {} if threads is None else {"threads": _positive("threads", threads)}
        with translated():
            self._con: duckdb.DuckDBPyConnection | None = files.open_database(os.fspath(database), read_only, config)
            self._con.execute("SET errors_as_json = true")  # positions for `faults`
            self._con.execute("SET parquet_metadata_cache = true")  # a statement that counts binds a file many times
            self._con.execute("SET enable_progress_bar_print = false")  # stdout belongs to the program
            self._con.execute(f"SET python_scan_all_frames = {str(variables).lower()}")  # ours lie between
            self._con.execute(f"SET python_enable_replacements = {str(variables).lower()}")
            if not autocommit:
                # a mistyped name must not cost the changes of a transaction the user never began
                self._con.execute("SET default_transaction_invalidation_policy = 'SYNTACTIC_ERRORS_DO_NOT_INVALIDATE'")
            register_scalars(self._con)
        self.lock = threading.RLock()
        self.stopped = threading.Event()  # the user wants the running statement to end
        self._read_only = read_only
        self._models: ModelCatalog | None = None
        self.transaction: str | None = None  # "implicit" | "explicit"
        self._suspect = False  # a statement failed inside the open transaction
        self._autocommit = autocommit
        self._open: weakref.ref[Stream] | None = None  # the result that keeps the connection busy
        self._release: Callable[[], None] = lambda: None  # frees the connection from it
        self.work = Workspace()  # relations of the last plan
        self._snapshot = False  # a plan's own read transaction is open until its result is read
        self.names = Names()
        with translated():
            self.names.learn_views(self._con)
            ((self._database, path),) = self._con.execute(_DATABASE).fetchall()
        self._home = open_databases.enter(path or files.name_in_memory(database, own=id(self)), path, model_dir)
        _sessions.add(self)
        if self._keeps_models():
            _ = self.models  # removes what a killed process left there

    # lifetime

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection, free for a statement; InterfaceError once closed."""
        if self._con is None:
            raise InterfaceError(compose("the connection is closed", hint="paretosql.connect(...) opens a new one"))
        return self._con

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._con is None

    @property
    def models(self) -> ModelCatalog:
        """The models of the database."""
        if self._models is None:
            from paretosql.engine.model_catalog import ModelCatalog

            self._models = ModelCatalog(self, self._home, self._database, read_only=self._read_only)
        return self._models

    def _keeps_models(self) -> bool:
        return not self._read_only and self._home.folder is not None and self._home.folder.is_dir()

    def close(self) -> None:
        """Stop what runs, roll back what is not committed, let go of the database; a second call does nothing."""
        while not self.lock.acquire(timeout=0.05):
            self.interrupt()  # another thread's statement; repeated, since one that is about to start does not hear it
        try:
            if self._con is None:
                return
            self._drop_open()
            con = self._con
            with translated(), files.opening():
                try:
                    if self.transaction is not None:
                        con.rollback()
                    with open_databases.leaving(self._home) as last:
                        if last and (self._models is not None or self._keeps_models()):
                            self.models.close()
                finally:
                    self._con, self.transaction = None, None
                    con.close()
        finally:
            self.lock.release()

    def __del__(self) -> None:
        # nobody reads from it any more: connections, results and open streams hold on to their session
        if self.__dict__.get("_con") is not None:
            with contextlib.suppress(Exception):
                self.close()

    def interrupt(self) -> None:
        """Stop the running statement; called from another thread."""
        self.stopped.set()
        if self._con is not None:
            self._con.interrupt()

    def watch(self) -> None:
        """Let DuckDB keep count of how far it is; see `percent`."""
        with translated():
            self.con.execute("SET enable_progress_bar = true")

    def percent(self) -> float | None:
        """How far the running statement is, 0..100; called from another thread."""
        done = -1.0 if self._con is None else self._con.query_progress()
        return done if done >= 0 else None

    # statements

    def free(self) -> duckdb.DuckDBPyConnection:
        """The connection, after moving an unread result aside and dropping what the last plan left."""
        con = self.con
        stream = self._open() if self._open is not None else None
        if stream is not None and stream.live:
            stream.detach()
        elif stream is None and self._open is not None:  # its cursor is gone, but the result still holds the connection
            self._release()
        self._open = None
        self.work.drop(con)
        if self._snapshot:
            self._snapshot = False
            self._commit(con)
        return con

    @contextmanager
    def plan_transaction(self) -> Iterator[None]:
        """One transaction around all fragments of a plan, so that they see the same data.

        An open transaction of the user serves; otherwise one is opened here, rolled back on an error and committed
        when the statement is over or, if its result is still to be read, before the next statement.
        """
        owned = self.transaction is None
        if owned:
            with translated():
                self.con.begin()
        try:
            yield
        except BaseException:
            if owned:
                self._open = None
                self._roll_back(self.con)
            raise
        if owned:
            self._snapshot = True
            if self._open is None:
                self.free()  # nothing is left to read: commit at once

    def run(self, statement: Statement, parameters: Parameters = None, *, arrow: bool = False) -> Outcome:
        """Run one statement as it stands.

        Args:
            arrow: the result of a query will be read as Arrow; it then streams in that form.

        Returns:
            Rows to read, or the number of changed rows (-1 when there is none).
        Raises:
            Error: as PEP 249 divides them. A transaction opened only for this statement is rolled back.
        """
        with self.lock:
            self.work.unplug(self.free())
            bound = bind(statement, parameters)
            if statement.kind in ("begin", "commit", "rollback"):
                return self._control(statement)
            with self.changing(statement.kind == "change"):
                return self.run_final(statement, bound, arrow=arrow)

    def run_final(
        self, statement: Statement, bound: list[Any] | dict[str, Any] | None, *, arrow: bool = False
    ) -> Outcome:
        """Run a statement inside whatever transaction is open, leaving a plan's relations in place."""
        with statement.translated():
            if arrow and statement.kind == "query":
                return self._arrow_outcome(statement, bound)
            self.con.execute(statement.raw, bound)
            return self._outcome(self.con, statement)

    def _arrow_outcome(self, statement: Statement, bound: list[Any] | dict[str, Any] | None) -> Outcome:
        try:
            relation = self.con.sql(statement.raw, params=bound)
        except duckdb.Error:
            self.con.execute(statement.raw, bound)  # fails again, and with the place in the whole text
            raise
        columns = describe(zip(relation.columns, relation.types, strict=True))
        reader = relation.to_arrow_reader(BATCH_ROWS)
        return self._streaming(Stream(self.con, columns, self._guard(statement), reader.close, reader), reader.close)

    def describe(self, statement: Statement, parameters: Parameters) -> Description:
        """The columns of a query, without running it."""
        with statement.translated():
            relation = self.con.sql(statement.raw, params=bind(statement, parameters))
            return describe(zip(relation.columns, relation.types, strict=True))

    @contextmanager
    def changing(self, changes: bool) -> Iterator[None]:
        """Around a statement: opens the implicit transaction for a change, and notes a failure inside a transaction."""
        opened = changes and self.begin_implicit()
        try:
            yield
        except BaseException:
            if opened:
                self.rollback()
            elif self.transaction is not None:
                self._suspect = True
            raise

    def _outcome(self, con: duckdb.DuckDBPyConnection, statement: Statement) -> Outcome:
        raw = con.description
        if not statement.returns_rows and not (statement.returns_rows is None and _has_rows(raw)):
            row = con.fetchone() if counts_rows(statement) else None
            con.complete()
            return Outcome(None, int(row[0]) if row and isinstance(row[0], int) else -1)
        # a change that returns rows is done already, and cancelling it would fail its transaction
        release = con.abort if statement.kind == "query" else con.complete
        return self._streaming(Stream(con, describe(raw), self._guard(statement), release), release)

    def _guard(self, statement: Statement) -> Callable[[], AbstractContextManager[None]]:
        # what a stream wraps around its use of the connection: one thread at a time, errors translated
        @contextmanager
        def guarded() -> Iterator[None]:
            with self.lock, statement.translated():
                yield

        return guarded

    def _streaming(self, stream: Stream, release: Callable[[], None]) -> Outcome:
        self._open, self._release = weakref.ref(stream), release
        return Outcome(stream, -1)

    def _drop_open(self) -> None:
        if self._open is not None and (stream := self._open()) is not None:
            stream.close()
        self._open = None

    # transactions

    @property
    def autocommit(self) -> bool:
        """True when every statement stands for itself unless BEGIN says otherwise."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        with self.lock:
            if value and self.transaction is not None:
                self.commit()
            self._autocommit = bool(value)

    def begin_implicit(self) -> bool:
        """Open a transaction before the first change; True when this call opened one."""
        if self._autocommit or self.transaction is not None:
            return False
        with translated():
            self.con.begin()
        self.transaction = "implicit"
        return True

    def commit(self) -> None:
        """Make the changes of the open transaction last; nothing happens without one.

        Raises:
            OperationalError: an earlier error had already undone the transaction.
        """
        with self.lock:
            con = self.free()
            if self.transaction is None:
                return
            if self._suspect and self._undone(con):
                self.rollback()
                raise OperationalError(
                    compose(
                        "nothing was committed: a failed statement had already undone the transaction",
                        hint="handle the first error with rollback(), then run the statements again",
                    )
                )
            self.transaction, self._suspect = None, False
            self._commit(con)

    def rollback(self) -> None:
        """Undo the open transaction; nothing happens without one."""
        with self.lock:
            con = self.free()
            if self.transaction is None:
                return
            self.transaction, self._suspect = None, False
            with translated():
                self._roll_back(con)

    def _commit(self, con: duckdb.DuckDBPyConnection) -> None:  # models that the transaction made follow it
        try:
            with translated():
                con.commit()
        except Error as fault:
            self.work.forget()
            raise fault if self._models is None else self._models.not_committed(fault) from fault
        if self._models is not None:
            self._models.committed()

    def _roll_back(self, con: duckdb.DuckDBPyConnection) -> None:
        if self._models is not None:
            self._models.rolled_back()
        con.rollback()
        self.work.forget()

    def _undone(self, con: duckdb.DuckDBPyConnection) -> bool:
        try:
            con.execute("SELECT 1").fetchall()
        except duckdb.Error as fault:
            return "aborted" in details(fault)["exception_message"]
        return False

    def _control(self, statement: Statement) -> Outcome:
        if statement.kind == "begin":
            if self.transaction == "implicit":
                self.commit()
            with translated(statement.whole):
                self.con.execute(statement.raw)
            self.transaction = "explicit"
            return Outcome(None, -1)
        if self.transaction is None:
            with translated(statement.whole):
                self.con.execute(statement.raw)  # which says that no transaction is open
        elif statement.kind == "commit":
            self.commit()
        else:
            self.rollback()
        return Outcome(None, -1)


class Outcome:
    """What a statement gave: a `stream` of rows, or None and the number of changed rows."""

    __slots__ = ("rowcount", "stream")

    def __init__(self, stream: Stream | None, rowcount: int) -> None:
        self.stream = stream
        self.rowcount = rowcount


def _has_rows(raw: Any) -> bool:
    """Whether DuckDB's description is of rows, and not of the count or success it reports for other statements."""
    return [each[0] for each in raw or ()] not in ([], ["Count"], ["Success"])


def _positive(name: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise ProgrammingError(compose(f"{name} is a whole number from 1, not {value!r}"))
    return value
