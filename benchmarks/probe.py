"""One query in a process of its own: how long it takes, and how much memory it needs at its peak.

The parent calls `probe`; the child is `python -m benchmarks.probe` with the job as JSON on standard input.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import paretosql
from benchmarks.environment import ROOT


@dataclass(frozen=True)
class Probed:
    """Wall seconds of the query; MiB by which memory grew at its peak; rows read; the first row; bytes of files that
    were read, where the system tells (Linux).
    """

    seconds: float
    peak_mib: float
    rows: int
    first: list[Any]
    read_bytes: int = 0


def probe(sql: str, read: str = "fetchall") -> Probed:
    """Run a query in a new process.

    Args:
        read: "fetchall" keeps all rows; "rows" iterates and drops them; "result" and "cursor" do so with the Arrow
            batches of `Connection.sql(..).reader()` and of `Cursor.reader()`.
    """
    job = json.dumps({"sql": sql, "read": read})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.probe"], input=job, capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{sql}: {done.stderr.strip().splitlines()[-1]}")
    return Probed(**json.loads(done.stdout))


def _run(sql: str, read: str) -> Probed:
    con = paretosql.connect()
    # imports what a first statement imports, and a first sample
    con.execute("SELECT ndv(range), ndv(range, rate => 0.5) FROM range(1000)").fetchall()
    before, bytes_before = _restart_peak(), _bytes_read()
    began = time.perf_counter()
    rows, first = _READERS[read](con, sql)
    seconds = time.perf_counter() - began
    read_bytes = _bytes_read() - bytes_before
    return Probed(seconds, max(0.0, _peak() - before), rows, [int(each) for each in first], read_bytes)


def _fetchall(con: paretosql.Connection, sql: str) -> tuple[int, list[Any]]:
    rows = con.execute(sql).fetchall()
    return len(rows), list(rows[0]) if len(rows) == 1 else []


def _rows(con: paretosql.Connection, sql: str) -> tuple[int, list[Any]]:
    return sum(1 for _ in con.execute(sql)), []


def _result(con: paretosql.Connection, sql: str) -> tuple[int, list[Any]]:
    return sum(batch.num_rows for batch in con.sql(sql).reader()), []


def _cursor(con: paretosql.Connection, sql: str) -> tuple[int, list[Any]]:
    return sum(batch.num_rows for batch in con.execute(sql).reader()), []


_READERS: dict[str, Callable[[paretosql.Connection, str], tuple[int, list[Any]]]] = {
    "fetchall": _fetchall,
    "rows": _rows,
    "result": _result,
    "cursor": _cursor,
}


def _bytes_read() -> int:
    """Bytes that this process has read so far, from files or from the system's cache of them."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def _restart_peak() -> float:
    """Forget the peak so far where the system can; MiB in use now, or the peak where it cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return _status("VmRSS")
    except OSError:
        return _peak()


def _peak() -> float:
    """Peak memory of this process, MiB."""
    try:
        return _status("VmHWM")  # the kernel lends ru_maxrss of a child from its parent
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _status(field: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {field}")


if __name__ == "__main__":
    print(json.dumps(asdict(_run(**json.load(sys.stdin)))))
