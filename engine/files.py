"""Database files: opened one at a time, and cleared of what a killed process left beside them."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

_door = threading.RLock()  # see `open_databases`
_SPILLED = re.compile(r"duckdb_temp_(\d+)")
IN_MEMORY = ":memory:"
PATIENCE_S = 2.0  # our choice: how long another thread may take to let go of a file


@contextmanager
def opening() -> Iterator[None]:
    """One thread at a time opens or closes a database; DuckDB refuses a file whose last connection is just closing."""
    with _door:
        yield


def open_database(database: str, read_only: bool, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Connect to a file or to memory.

    Raises:
        duckdb.Error: the file is no database, is locked, or must not be read.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with opening():
                con = duckdb.connect(database, read_only=read_only, config=config)
            break
        except duckdb.Error as fault:
            if "Unique file handle conflict" not in str(fault) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    if not read_only and database not in ("", IN_MEMORY):
        _remove_spills(Path(f"{database}.tmp"))
    return con


def name_in_memory(database: str | os.PathLike[str], own: int) -> str:
    """What all connections of this process to the same database in memory have in common.

    Args:
        own: a number for a database without a name, which no other connection shares.
    """
    name = os.fspath(database)
    return name if name.startswith(IN_MEMORY) and name != IN_MEMORY else f"{IN_MEMORY} {own}"


def _remove_spills(folder: Path) -> None:
    """Delete what killed processes spilled to disk; we hold the lock of the database, so nobody alive uses it."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        owner = _SPILLED.match(path.name)
        if owner and int(owner[1]) != os.getpid():
            with contextlib.suppress(OSError):
                path.unlink()
    with contextlib.suppress(OSError):  # not empty: this process spills right now
        folder.rmdir()
