"""Memory while a long result is read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Row, Setting, benchmark
from benchmarks.probe import probe

QUERY = "SELECT range AS a, range::VARCHAR AS b, range * 0.5 AS c FROM range({0})"
SHARES = (0.01, 0.1, 1.0)
SMALLEST, LARGEST = 1_000, 10_000_000  # rows; our choice
WAYS = {"row by row": "rows", "sql().reader()": "result", "cursor.reader()": "cursor", "fetchall()": "fetchall"}


@benchmark("streaming/memory", unit="MiB", lower_is_better=True, minutes=1.3)
def memory(setting: Setting) -> Iterator[Row]:
    """How far memory rises while three columns are read and dropped: as Python rows, as the Arrow batches of a lazy
    result and of a cursor, and all at once; each in a process of its own. The first two must not grow with the rows.
    """
    sizes = [int(min(setting.rows, LARGEST) * share) for share in SHARES]
    for size in filter(lambda size: size >= SMALLEST, sizes):
        row = Row(rows=size)
        for name, read in WAYS.items():
            found = probe(QUERY.format(size), read)
            row[f"{name}_s"] = found.seconds
            row[f"{name} memory_mib"] = found.peak_mib
        yield row
