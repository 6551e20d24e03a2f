"""Folders that are written whole or not at all: what was there before stays until the new one is complete."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paretosql.errors import OperationalError, compose


@contextmanager
def written_whole(path: str | Path, kind: str, holds: Callable[[Path], bool], *, replace: bool) -> Iterator[Path]:
    """A new folder to write into, which takes its place at `path` when the block ends well, and vanishes otherwise.

    On Linux it changes places with an old one in one step, so that a process that dies leaves one of both there.

    Args:
        kind: what the folder holds, for messages: trace, model.
        holds: whether a folder is one of these.
        replace: True: take the place of another one of its kind.
    Raises:
        OperationalError: something else is there, or the disk failed.
    """
    target = Path(path).resolve()
    refuse_occupied(target, kind, holds, replace=replace)
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    old = half.with_name(f"{half.name}.old")
    new_parents = [each for each in target.parents if not each.exists()]
    try:
        half.mkdir(parents=True)
        yield half
        _move(half, target, old)
    except OSError as fault:
        raise OperationalError(f"cannot write the {kind} {target}: {fault.strerror or fault}") from fault
    finally:
        shutil.rmtree(half, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            for each in filter(Path.exists, new_parents):
                each.rmdir()


def refuse_occupied(path: str | Path, kind: str, holds: Callable[[Path], bool], *, replace: bool) -> None:
    """OperationalError when a folder of this kind cannot be written here; see `written_whole`."""
    target = Path(path)
    if not target.exists():
        return
    if not target.is_dir():
        raise OperationalError(compose(f"{target} is a file", hint=f"a {kind} is a folder; name another place."))
    if not any(target.iterdir()):
        return
    if not holds(target):
        hint = f"name a new folder; only a {kind} can be replaced."
        raise OperationalError(compose(f"{target} holds other files", hint=hint))
    if not replace:
        hint = "name a new folder, or allow replacing it (--replace)."
        raise OperationalError(compose(f"{target} holds a {kind} already", hint=hint))


def says(file: Path, *, field: str, value: object = None) -> bool:
    """Whether a file is JSON of an object with this field, of this value where one is given."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and field in found and value in (None, found[field])


def _move(half: Path, target: Path, old: Path) -> None:
    """Put a complete folder in its place; what was there goes to `old`, and comes back when that fails."""
    if target.exists() and _exchanged(half, target):
        return  # the old one is now where the new one was, and goes with it
    try:
        if target.exists():
            os.rename(target, old)
        os.rename(half, target)
    except BaseException:
        if old.exists() and not target.exists():
            os.rename(old, target)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where the system cannot, with nothing changed."""
    if not sys.platform.startswith("linux"):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of linux/fs.h
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0
