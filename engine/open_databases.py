"""Which databases this process has open, with how many sessions, and where each of them keeps its models."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paretosql.errors import ProgrammingError, compose


@dataclass
class OpenDatabase:
    """A database that at least one session has open.

    key: what its sessions have in common. folder: of its models; None: they are kept in memory. owner: eight hex digits
    that mark its models in a folder which several databases may share. lasting: it outlives the process. sessions: how
    many have it open. entries: how many have opened it.
    """

    key: str
    folder: Path | None
    owner: str
    lasting: bool
    sessions: int = 0
    entries: int = 0


_open: dict[str, OpenDatabase] = {}
_door = threading.RLock()  # a session that nobody holds any more may be closed in the middle of what follows


def enter(key: str, path: str | None, model_dir: str | os.PathLike[str] | None) -> OpenDatabase:
    """Count another session of a database in.

    Args:
        path: of its file; None for one in memory. model_dir: where its models are to be kept; None: as its other
            sessions do, or beside the file.
    Raises:
        ProgrammingError: its other sessions keep models in another folder.
    """
    wanted = None if model_dir is None else Path(os.path.abspath(model_dir))  # wherever the process goes
    with _door:
        known = _open.get(key)
        if known is None:
            known = _open[key] = _first(key, path, wanted)
        known.sessions += 1  # before anything else: no other session may be the last from here on
        if wanted is not None and wanted != known.folder:
            known.sessions -= 1
            place = "in memory" if known.folder is None else f"in {str(known.folder)!r}"
            hint = "leave model_dir out, or close the other connections first."
            problem = f"model_dir is {str(wanted)!r}, but the database is open already with its models {place}"
            raise ProgrammingError(compose(problem, hint=hint))
        known.entries += 1
        return known


@contextmanager
def leaving(database: OpenDatabase) -> Iterator[bool]:
    """Count a session out; True when it is the last, and then nobody enters before the block ends."""
    with _door:
        database.sessions -= 1
        if database.sessions == 0:
            del _open[database.key]
        yield database.sessions == 0


def _first(key: str, path: str | None, wanted: Path | None) -> OpenDatabase:
    if path is None:
        return OpenDatabase(key, wanted, secrets.token_hex(4), lasting=False)
    beside = Path(os.path.abspath(f"{path}.models"))
    if wanted in (None, beside):
        return OpenDatabase(key, beside, "0" * 8, lasting=True)  # its own, wherever both are moved together
    owner = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:8]
    return OpenDatabase(key, wanted, owner, lasting=True)
