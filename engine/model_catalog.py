"""Models of a database: a table in it says which version a name means, a store beside it holds the versions.

The table `pareto_models.models` is an ordinary one, so a model belongs to the transaction that made it, and every
reader sees the models of its own moment. Versions are written before their row and never changed. What a transaction
that did not last has written, and what no name means any more, is removed when the database is opened and when its last
session is closed.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from paretosql.engine.faults import translated
from paretosql.engine.identifiers import quoted
from paretosql.engine.open_databases import OpenDatabase
from paretosql.errors import Error, OperationalError, ProgrammingError, Spot, closest, compose
from paretosql.udfs.model import Model, State, find_family
from paretosql.udfs.options import from_facts
from paretosql.udfs.remembered import Remembered
from paretosql.udfs.store import Entry, FolderStore, MemoryStore, Store

if TYPE_CHECKING:
    from paretosql.engine.session import Session

SCHEMA, TABLE = "pareto_models", "models"
FIELDS = {
    "key": "VARCHAR PRIMARY KEY",  # the name in lower case
    "name": "VARCHAR",
    "version": "BIGINT",
    "model_type": "VARCHAR",
    "token": "VARCHAR",
    "created_at": "TIMESTAMP",
    "rows": "BIGINT",
    "bytes": "BIGINT",
}
KEPT = 16  # loaded versions that a process keeps at hand; our choice


class ModelNotFound(ProgrammingError):
    """A statement names a model that the database does not hold."""

    def __init__(self, name: str, known: Collection[str], spot: Spot | None = None) -> None:
        near = closest(name, known)
        hint = f"did you mean {near!r}?" if near else "SHOW MODELS lists what there is, CREATE MODEL makes one."
        super().__init__(compose(f"no model named {name!r}", spot, hint))


@dataclass(frozen=True)
class ModelRow:
    """What the table says of a model."""

    name: str
    version: int
    model_type: str
    token: str
    created_at: datetime.datetime  # UTC, without a zone
    rows: int
    bytes: int


@dataclass(frozen=True)
class Loaded:
    """A version ready to be asked."""

    row: ModelRow
    entry: Entry
    model: Model


class Vanished(OperationalError):
    """The table of models was there a moment ago."""


class Shared:
    """What the sessions of one database in this process have in common: the store, and versions already loaded."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.written: dict[str, ModelRow] = {}  # the last row of each key, whether its transaction lasted or not
        self._loaded: OrderedDict[str, tuple[Entry, Model]] = OrderedDict()
        self._remembered: OrderedDict[tuple[str, Any], Remembered] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, token: str) -> tuple[Entry, Model]:
        """A version; read once while it is among the last used."""
        with self._lock:
            found = self._loaded.get(token)
            if found is None:
                entry, state = self.store.get(token)
                found = entry, assembled(entry, state)
            self._loaded[token] = found
            self._loaded.move_to_end(token)
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        return found

    def remembered(self, token: str, question: Any) -> Remembered:
        """The answers kept of one version to one question."""
        with self._lock:
            found = self._remembered.setdefault((token, question), Remembered())
            self._remembered.move_to_end((token, question))
            while len(self._remembered) > KEPT:
                self._remembered.popitem(last=False)
        return found


def assembled(entry: Entry, state: State) -> Model:
    """The model of a version; ProgrammingError when this installation does not know its type."""
    family, _ = find_family(entry.model_type)
    return family.model.from_arrays(state, from_facts(family.options, entry.options))


_shared: dict[str, Shared] = {}
_door = threading.RLock()  # see `open_databases`


class ModelCatalog:
    """The models of one session. Its methods run inside whatever transaction is open."""

    def __init__(self, session: Session, home: OpenDatabase, database: str, *, read_only: bool) -> None:
        self._session, self._home = session, home
        self._read_only = read_only
        self._where = quoted(database)
        self._there = False  # the table of models was seen, committed
        self._database = database
        self._parses: dict[str, duckdb.Statement] = {}
        self._found: dict[str, ModelRow] = {}  # while `_calm`: see `find`
        self._calm: tuple[int, int] | None = None
        self._changed: dict[str, str] = {}  # tokens and names of versions that the open transaction has written
        with _door:
            first = home.key not in _shared
            if first:
                _shared[home.key] = Shared(
                    MemoryStore() if home.folder is None else FolderStore(home.folder, home.owner)
                )
            self._common = _shared[home.key]
            if first:
                self._sweep()  # before anybody else writes

    def close(self) -> None:
        """For the last session of a database: remove versions that nothing means any more. Never raises."""
        with _door:
            _shared.pop(self._home.key, None)
            self._sweep(closing=True)

    def _sweep(self, *, closing: bool = False) -> None:
        """Remove versions in doubt without a row; another connection looks, since ours may be inside a transaction."""
        if self._read_only:
            return
        with contextlib.suppress(duckdb.Error):
            wanted: list[str] = []
            if self._home.lasting or not closing:  # else the rows vanish in a moment
                with self._session.con.cursor() as con:
                    if self._columns(con):
                        wanted = [token for (token,) in con.execute(f"SELECT token FROM {self._table}").fetchall()]
            self._common.store.sweep(wanted)

    def committed(self) -> None:
        """The open transaction has lasted, and so do the versions that it made."""
        if self._home.lasting:
            for token in self._changed:
                self._common.store.settle(token)
        self._changed.clear()

    def rolled_back(self) -> None:
        """The open transaction has not lasted; its versions stay in doubt."""
        self._changed.clear()

    def not_committed(self, fault: Error) -> Error:
        """What to say when the open transaction cannot be committed; the models in its way are named."""
        names = [name for name in dict.fromkeys(self._changed.values()) if f'"{name.lower()}"' in str(fault)]
        self._changed.clear()
        return _conflict(names) if names and _is_conflict(fault) else fault

    @property
    def _table(self) -> str:
        return f"{self._where}.{SCHEMA}.{TABLE}"

    def _columns(self, con: duckdb.DuckDBPyConnection) -> list[str]:
        """Of the table of models; none when it is not there."""
        sql = "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
        return [name for (name,) in con.execute(sql, [self._database, SCHEMA, TABLE]).fetchall()]

    def _exists(self) -> bool:
        if self._there:
            return True
        columns = self._columns(self._session.con)
        if columns and not set(FIELDS) <= set(columns):
            hint = "rename it: ALTER TABLE pareto_models.models RENAME TO .., or use another database file."
            problem = f"{SCHEMA}.{TABLE} is not the table that holds models: it has no column"
            missing = next(name for name in FIELDS if name not in columns)
            raise OperationalError(compose(f"{problem} {missing!r}", hint=hint))
        self._there = bool(columns) and self._session.transaction is None
        return bool(columns)

    def rows(self) -> list[ModelRow]:
        """All models, by name."""
        return sorted(self._rows(""), key=lambda row: row.name.lower())

    def _rows(self, where: str, *values: str) -> list[ModelRow]:
        if not self._exists():
            return []
        columns = ", ".join(name for name in FIELDS if name != "key")
        found = self._ask(f"SELECT {columns} FROM {self._table} {where}", values)
        for each in found:
            if None in each:
                hint = f"DELETE FROM {SCHEMA}.{TABLE} WHERE .. removes it, and CREATE MODEL makes the model anew."
                problem = f"{SCHEMA}.{TABLE} has a row without a value where each must have one: {each}"
                raise OperationalError(compose(problem, hint=hint))
        return [ModelRow(*each) for each in found]

    def _ask(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement about the table, which is there; asked again and again, so its parse is kept."""
        con = self._session.con
        known = self._parses.get(sql)
        if known is None:
            (known,) = con.extract_statements(sql)
            self._parses[sql] = known
        try:
            with translated():
                return con.execute(known, list(values)).fetchall()
        except ProgrammingError as fault:
            self._there = False
            problem = f"the table {SCHEMA}.{TABLE} was dropped or changed, and all models with it"
            raise Vanished(compose(problem, hint="CREATE MODEL makes both anew.")) from fault

    def find(self, name: str) -> ModelRow | None:
        """The model of a name, in any case; None when there is none.

        The table is not asked again while nothing can have changed it: this session alone has the database open, and
        has run nothing but statements of ours that read.
        """
        alone = self._session.transaction is None and self._home.sessions == 1
        calm = (self._home.entries, self._session.work.disturbances) if alone else None
        if calm is None or calm != self._calm:
            self._found.clear()
            self._calm = calm
        key = name.lower()
        if key in self._found:
            return self._found[key]
        rows = self._rows("WHERE key = ?", key)
        if rows and calm is not None:
            self._found[key] = rows[0]
        return rows[0] if rows else None

    def named(self, name: str, spot: Spot | None = None) -> ModelRow:
        """The same; ModelNotFound when there is none."""
        found = self.find(name)
        if found is None:
            raise ModelNotFound(name, [row.name for row in self.rows()], spot)
        return found

    def load(self, row: ModelRow) -> Loaded:
        """The version that a row means.

        Raises:
            OperationalError: its files are missing or damaged. NotSupportedError: a newer version wrote them.
        """
        return Loaded(row, *self._common.load(row.token))

    def parts(self, row: ModelRow) -> tuple[Entry, State]:
        """The same, as it is stored: its type need not be known here."""
        return self._common.store.get(row.token)

    def model(self, token: str) -> Model:
        """A version by its token."""
        return self._common.load(token)[1]

    def remembered(self, token: str, question: Any) -> Remembered:
        """The answers kept of one version to one question, which must be hashable."""
        return self._common.remembered(token, question)

    def entry(self, token: str) -> Entry:
        """What is known of a version."""
        return self._common.load(token)[0]

    def supposed(self, name: str) -> ModelRow | None:
        """What `find` says, or what this process has last written under a name, which may not hold any more: for `put`,
        which notices that.
        """
        return self._common.written.get(name.lower()) or self.find(name)

    def put(self, entry: Entry, model: Model, before: ModelRow | None) -> ModelRow:
        """Write a version and let its name mean it, when the transaction is committed.

        Args:
            before: what the name means now, as `find` or `supposed` says.
        Raises:
            OperationalError: the database is read-only, the disk refuses, another transaction has made the same model.
        """
        self.refuse_read_only()
        entry = replace(entry, version=1 if before is None else before.version + 1)
        token = self._common.store.put(entry, model.arrays())
        try:
            size = self._common.store.size(token)
            made = datetime.datetime.fromisoformat(entry.created_at)
            row = ModelRow(entry.name, entry.version, entry.model_type, token, made, entry.rows, size)
            written = self._write(row, before)
        except BaseException:
            self._common.store.remove(token)
            raise
        if not written:
            self._common.store.remove(token)
            return self.put(entry, model, self.find(entry.name))
        if before is not None:
            self._common.store.doubt(before.token)
        self._found.clear()
        self._changed[token] = entry.name
        self._common.written[entry.name.lower()] = row
        return row

    def _write(self, row: ModelRow, before: ModelRow | None) -> bool:
        """Write a row in the place of another; False when that is not there."""
        con = self._session.con
        values = [getattr(row, name) for name in FIELDS if name != "key"]
        with _meeting(row.name), translated():
            if before is not None:  # faster than INSERT .. ON CONFLICT
                changed = ", ".join(f"{name} = ?" for name in FIELDS if name != "key")
                sql = f"UPDATE {self._table} SET {changed} WHERE key = ? AND token = ?"
                return self._exists() and self._ask(sql, [*values, row.name.lower(), before.token]) == [(1,)]
            if not self._exists():
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {self._where}.{SCHEMA}")
                fields = ", ".join(f"{name} {kind}" for name, kind in FIELDS.items())
                con.execute(f"CREATE TABLE IF NOT EXISTS {self._table} ({fields})")
            marks = ", ".join("?" for _ in FIELDS)
            con.execute(f"INSERT INTO {self._table} VALUES ({marks})", [row.name.lower(), *values]).fetchall()
            return True

    def drop(self, row: ModelRow) -> None:
        """Forget a name, when the transaction is committed; its version stays for those who read it."""
        self.refuse_read_only()
        self._common.store.doubt(row.token)
        self._found.clear()
        self._common.written.pop(row.name.lower(), None)
        with _meeting(row.name), translated():
            # DuckDB lets a DELETE pass over what another transaction has updated since; an UPDATE meets it
            for change in (f"UPDATE {self._table} SET version = version", f"DELETE FROM {self._table}"):
                self._session.con.execute(f"{change} WHERE key = ?", [row.name.lower()]).fetchall()

    def refuse_read_only(self) -> None:
        """OperationalError when the database must not be changed."""
        if self._read_only:
            raise OperationalError(
                compose("the database is read-only, models cannot be changed", hint="open it without read_only.")
            )


@contextlib.contextmanager
def _meeting(name: str) -> Iterator[None]:
    """Says which model two transactions have met at, where DuckDB knows rows only."""
    try:
        yield
    except Error as fault:
        if _is_conflict(fault):
            raise _conflict([name]) from fault
        raise


def _is_conflict(fault: Error) -> bool:
    return any(each in str(fault).lower() for each in ("conflict", "duplicate key"))  # DuckDB has no class for it


def _conflict(names: Collection[str]) -> OperationalError:
    """What a transaction is told that met another one at these models."""
    listed = ", ".join(repr(each) for each in names)
    hint = "rollback() ends this transaction; then run its statements again."
    return OperationalError(compose(f"another transaction has made, replaced or dropped {listed} first", hint=hint))
