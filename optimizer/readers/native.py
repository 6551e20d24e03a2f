"""Traces in the format of this package, see `trace_files`."""

from __future__ import annotations

from pathlib import Path

from paretosql.optimizer.readers.reader import Reader, readers
from paretosql.optimizer.trace_files import HEADER_FILE, read_files


def recognises(path: Path) -> bool:
    """A folder with `trace.json`."""
    return (path / HEADER_FILE).is_file()


readers.add("native", Reader("native", recognises, read_files))
