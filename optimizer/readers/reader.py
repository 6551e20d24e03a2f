"""What a reader of traces is, and which one fits a path."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from paretosql.errors import DataError, OperationalError, compose
from paretosql.optimizer.workload import Trace
from paretosql.registry import Registry


@dataclass(frozen=True)
class Reader:
    """One layout of files: `recognises` looks at names only, `read` returns a trace or raises DataError."""

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Trace]


readers: Registry[Reader] = Registry("reader")


def holds_only(path: Path, names: Collection[str]) -> bool:
    """Whether a folder has Parquet files of just these names, and is no trace in our own format."""
    return {file.stem for file in path.glob("*.parquet")} == set(names) and not (path / "trace.json").exists()


def reader_of(path: Path) -> Reader:
    """The one reader that recognises a path.

    Raises:
        OperationalError: nothing is there.
        DataError: no reader recognises it, or more than one.
    """
    if not path.exists():
        hint = "relative paths start at the working directory of the process."
        raise OperationalError(compose(f"no file or folder {str(path)!r}", hint=hint))
    found = [readers[name] for name in readers if readers[name].recognises(path)]
    if not found:
        raise DataError(compose(f"{path} is no trace that is known here", hint=f"readers: {', '.join(readers)}."))
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise DataError(compose(f"{path} fits several readers: {names}", hint="name one of them (--from NAME)."))
    return found[0]
