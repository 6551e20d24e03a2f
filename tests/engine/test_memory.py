"""Memory: results stream, whatever their size; one that is moved aside goes to disk when it is big.

Every measurement is the peak resident size of a process of its own, so nothing else counts.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

QUERY = "SELECT range AS a, range * 2 AS b FROM range({rows})"

PEAK = """
import paretosql
con = paretosql.connect()
con.execute("SET threads = 2")
con.execute("SET memory_limit = '400MB'")
{body}
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""

CURSOR = """
rows = total = 0
for a, b in con.execute({query!r}):
    rows += 1
    total += b - 2 * a
assert (rows, total) == ({rows}, 0)
"""

FETCHMANY = """
cursor, rows = con.execute({query!r}), 0
while got := cursor.fetchmany(10_000):
    rows += len(got)
assert rows == {rows}
"""

READER = """
rows = sum(batch.num_rows for batch in con.execute({query!r}, arrow=True).reader())
assert rows == {rows}
"""

RESULT = """
rows = sum(batch.num_rows for batch in con.sql({query!r}).reader())
assert rows == {rows}
"""

RESULT_ROWS = """
rows = 0
for a, b in con.sql({query!r}):
    rows += 1
assert rows == {rows}
"""

STREAM = """
import pyarrow as pa
rows = sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(con.sql({query!r})))
assert rows == {rows}
"""

ASIDE = """
cursor = con.execute({query!r})
assert cursor.fetchone() == (0, 0)
assert con.execute("SELECT ndv(range) FROM range(1000)").fetchone() == (1000,)
assert con.execute("SELECT 5").fetchone() == (5,)
rows, last = 1, 0
for a, b in cursor:
    rows, last = rows + 1, a
assert (rows, last) == ({rows}, {rows} - 1)
"""

NDV = """
assert abs(con.execute("SELECT ndv(range) FROM range({rows})").fetchone()[0] / {rows} - 1) < 0.05
"""

NDV_GROUPS = """
found = con.execute("SELECT range % 1000 AS g, ndv(range) AS n FROM range({rows}) GROUP BY g").arrow()
assert found.num_rows == 1000
"""

WAYS = {
    "cursor": CURSOR,
    "fetchmany": FETCHMANY,
    "reader": READER,
    "result": RESULT,
    "result-rows": RESULT_ROWS,
    "arrow-stream": STREAM,
}


def peak_mib(body: str, rows: int, timeout_s: float) -> float:
    """The peak resident memory, in MiB, of a process that runs `body` over `rows` rows."""
    code = PEAK.format(body=body.format(query=QUERY.format(rows=rows), rows=rows))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.split()[-1]) / 1024


@pytest.mark.parametrize("way", WAYS)
def test_a_result_is_never_in_memory_as_a_whole(way):
    """20 million rows of two numbers are 320 MB as Arrow, gigabytes as tuples; reading them takes under 300 MiB."""
    rows = 2_000_000 if way in ("result-rows", "fetchmany") else 20_000_000
    # a program that reads nothing needs about 100 MiB
    assert peak_mib(WAYS[way], rows, 250) < 300


def test_a_result_that_is_moved_aside_stays_small_and_readable():
    """Another statement on the connection moves an unread result to disk: bounded memory, every row still there."""
    assert peak_mib(ASIDE, 8_000_000, 250) < 600


@pytest.mark.parametrize("body", [NDV, NDV_GROUPS], ids=["one", "groups"])
def test_ndv_keeps_sketches_not_rows(body):
    """Counting 20 million different values takes a sketch, not a table; so do a thousand groups of 20,000."""
    assert peak_mib(body, 20_000_000, 250) < 800


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("way", WAYS)
def test_two_hundred_million_rows_stay_under_a_gibibyte(way):
    """The same with 200 million rows: the peak does not grow with the result."""
    assert peak_mib(WAYS[way], 200_000_000, 2800) < 1024


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_huge_result_moved_aside(tmp_path):
    """100 million unread rows are moved aside within a gibibyte."""
    assert peak_mib(ASIDE, 100_000_000, 2800) < 1024
