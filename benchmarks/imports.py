"""How long `import paretosql` takes, beyond the packages it stands on."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.harness import Row, Setting, benchmark

FOUNDATION = "import duckdb, pyarrow, numpy"
PROGRAM = """
import time
began = time.perf_counter()
{foundation}
between = time.perf_counter()
import paretosql
end = time.perf_counter()
{first}
print(between - began, end - between, time.perf_counter() - end)
"""
FIRST = 'paretosql.connect().execute("SELECT ndv(range) FROM range(10)").fetchall()'
SHOWN = 8  # modules in the table; our choice


@benchmark("import/time", unit="ms", lower_is_better=True, minutes=0.3)
def seconds(setting: Setting) -> Iterator[Row]:
    """`import paretosql` in a fresh process after duckdb, pyarrow and numpy have been imported, the median of several
    processes; and the first counting statement after it, which imports the parser.
    """
    program = PROGRAM.format(foundation=FOUNDATION, first=FIRST)
    runs = [
        [float(word) * 1000 for word in _python("-c", program).stdout.split()] for _ in range(2 * setting.rounds + 1)
    ]
    for name, column in zip(
        (FOUNDATION, "import paretosql, after that", "connect and the first ndv(x), after that"),
        zip(*runs, strict=True),
        strict=True,
    ):
        yield Row(what=name, median_ms=statistics.median(column), least_ms=min(column), most_ms=max(column))


@benchmark("import/modules", unit="ms", lower_is_better=True, minutes=0.1)
def modules(setting: Setting) -> Iterator[Row]:
    """What the modules that `import paretosql` loads after those three cost by themselves, the costliest first; from
    `python -X importtime`.
    """
    runs = [_importtime() for _ in range(setting.rounds)]
    names = set.intersection(*(set(run) for run in runs))
    costs = {name: statistics.median(run[name] for run in runs) for name in names}
    for name in sorted(costs, key=costs.__getitem__, reverse=True)[:SHOWN]:
        yield Row(module=name, own_ms=costs[name])
    yield Row(module=f"all {len(costs)}", own_ms=sum(costs.values()))


def _importtime() -> dict[str, float]:
    """Milliseconds of each module that `import paretosql` adds, without what it imports itself."""
    said = _python(
        "-X", "importtime", "-c", f"{FOUNDATION}\nimport sys; print('MARK', file=sys.stderr)\nimport paretosql"
    ).stderr
    _, _, ours = said.partition("MARK")
    found = {}
    for line in ours.splitlines():
        if line.startswith("import time:"):
            own, _, name = line.removeprefix("import time:").split("|")
            found[name.strip()] = float(own) / 1000
    return found


def _python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
