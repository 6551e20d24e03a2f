"""Workload traces: read, write and hold what ran, for training, simulation and benchmarks.

>>> trace = read_trace("traces/spark_tpch_tasks")  # doctest: +SKIP
>>> trace["instances"].num_rows  # doctest: +SKIP
943279
"""

from __future__ import annotations

from pathlib import Path

from paretosql.optimizer.checks import check
from paretosql.optimizer.readers import reader_of, readers
from paretosql.optimizer.trace_files import write_trace
from paretosql.optimizer.workload import Header, Trace

__all__ = ["Header", "Trace", "read_trace", "write_trace"]


def read_trace(path: str | Path, reader: str | None = None, *, checked: bool = True) -> Trace:
    """Read a trace in our own format, or in another one that a reader recognises.

    Args:
        path: a folder or file.
        reader: the name of a reader, where the layout is not enough to tell.
        checked: False: believe the trace, which saves a pass over all its rows.

    Raises:
        OperationalError: nothing is there.
        DataError: the layout is not known, a file is damaged, or the trace contradicts itself.
        NotSupportedError: a later version of this package wrote it.
        ProgrammingError: no reader has this name.
    """
    place = Path(path)
    chosen = reader_of(place) if reader is None else readers[reader]
    trace = chosen.read(place)
    if checked:
        check(trace)
    return trace
