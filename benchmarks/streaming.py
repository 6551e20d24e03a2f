"""Memory while a long result is read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Row, Setting, benchmark
from benchmarks.probe import probe

QUERY = "SELECT range AS a, range::VARCHAR AS b, range * 0.5 AS c FROM range({0})"
SHARES = (0.01, 0.1, 1.0)
LARGEST = 10_000_000  # rows read one by one; our choice


@benchmark("streaming/memory", unit="MiB", lower_is_better=True, minutes=1.5)
def memory(setting: Setting) -> Iterator[Row]:
    """How far memory rises while three columns are read, as Python rows one by one, as Arrow batches, and, for
    comparison, all at once with `fetchall`; each in a process of its own. The first two must not grow with the rows.
    """
    for share in SHARES:
        size = max(1, int(min(setting.rows, LARGEST) * share))
        row = Row(rows=size)
        for name, read in (("one by one", "rows"), ("batches", "batches"), ("fetchall", "fetchall")):
            found = probe(QUERY.format(size), read)
            row[f"{name}_s"] = found.seconds
            row[f"{name} memory_mib"] = found.peak_mib
        yield row
