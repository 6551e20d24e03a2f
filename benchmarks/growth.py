"""How time and memory of a distinct count grow with the rows and with the groups, on tables made by `range`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Row, Setting, benchmark
from benchmarks.probe import probe

COUNTS = {"ndv": "ndv({0})", "approx": "approx_count_distinct({0})", "exact": "count(DISTINCT {0})"}
SMALLEST = 100_000
GROUPS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
LARGEST_GROUPED = 10_000_000


@benchmark("ndv/rows", unit="s, MiB", lower_is_better=True, minutes=0.5)
def rows(setting: Setting) -> Iterator[Row]:
    """One distinct count over a table of n rows and n/10 values, each count in a process of its own: wall time, and how
    far memory rose at its peak.
    """
    size = min(SMALLEST, setting.rows)
    while size <= setting.rows:
        row = Row(rows=size, distinct=max(1, size // 10))
        for name, call in COUNTS.items():
            # a multiplication by an odd number scatters the values
            numbers = f"SELECT range * 2654435761 % {max(1, size // 10)} AS x FROM range({size})"
            found = probe(f"SELECT {call.format('x')} FROM ({numbers})")
            row[f"{name}_s"] = found.seconds
            row[f"{name} memory_mib"] = found.peak_mib
            if name != "exact":
                row[f"{name}_error"] = found.first[0] / max(1, size // 10) - 1
        yield row
        size *= 10


@benchmark("ndv/groups", unit="s, MiB", lower_is_better=True, minutes=1.0)
def groups(setting: Setting) -> Iterator[Row]:
    """`SELECT g, ndv(x) .. GROUP BY g` over ten million rows (--quick: a hundred thousand) in more and more groups of
    equal size, all values different: wall time, how far memory rose, and the mean error over the groups.
    """
    size = min(LARGEST_GROUPED, setting.rows // 10 if setting.rows < LARGEST_GROUPED else setting.rows)
    for number in GROUPS:
        if number * 10 > size:
            break
        row = Row(groups=number, rows_per_group=size // number)
        for name, call in COUNTS.items():
            query = f"SELECT range % {number} AS g, {call.format('range')} AS n FROM range({size}) GROUP BY 1"
            found = probe(f"SELECT count(*), avg(abs(n - {size // number})) * 1e9 FROM ({query})")
            row[f"{name}_s"] = found.seconds
            row[f"{name} memory_mib"] = found.peak_mib
            if name != "exact":
                row[f"{name} mean_error"] = found.first[1] / 1e9 / (size // number)
        yield row
