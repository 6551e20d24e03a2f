"""Folders that are written whole or not at all: what was there before stays until the new one is complete."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paretosql.errors import OperationalError, compose


@contextmanager
def written_whole(path: str | Path, kind: str, marker: str, *, replace: bool) -> Iterator[Path]:
    """A new folder to write into, which takes its place at `path` when the block ends well, and vanishes otherwise.

    Args:
        kind: what the folder holds, for messages: trace, model.
        marker: the file by which such a folder is known.
        replace: True: take the place of another one of its kind.
    Raises:
        OperationalError: something else is there, or the disk failed.
    """
    target = Path(path).resolve()
    refuse_occupied(target, kind, marker, replace=replace)
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


def refuse_occupied(path: str | Path, kind: str, marker: str, *, replace: bool) -> None:
    """OperationalError when a folder of this kind cannot be written here; see `written_whole`."""
    target = Path(path)
    if not target.exists():
        return
    if not target.is_dir():
        raise OperationalError(compose(f"{target} is a file", hint=f"a {kind} is a folder; name another place."))
    if not any(target.iterdir()):
        return
    if not (target / marker).is_file():
        hint = f"name a new folder; only a {kind} can be replaced."
        raise OperationalError(compose(f"{target} holds other files", hint=hint))
    if not replace:
        hint = "name a new folder, or allow replacing it (--replace)."
        raise OperationalError(compose(f"{target} holds a {kind} already", hint=hint))


def _move(half: Path, target: Path, old: Path) -> None:
    """Put a complete folder in its place; what was there goes to `old`, and comes back when that fails."""
    try:
        if target.exists():
            os.rename(target, old)
        os.rename(half, target)
    except BaseException:
        if old.exists() and not target.exists():
            os.rename(old, target)
        raise
