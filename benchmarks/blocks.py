"""Block samples of a Parquet file: time, bytes, memory and error against scans and against samples of single rows."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pyarrow import parquet

import paretosql
from benchmarks.harness import Row, Setting, benchmark
from benchmarks.probe import probe
from benchmarks.timing import median, median_ratio, take_turns
from benchmarks.tpch import CACHE, NoData, quoted

RATE = 0.01
COLUMNS = {  # drifting: a day's users come from a pool that moves on by a tenth each day
    "scattered": "(hash(hash(range) % ({rows} // 10)) >> 1)::BIGINT",  # each value in about ten rows, anywhere
    "drifting": "(hash(range // ({rows} // 100) * ({rows} // 1000) + hash(range) % ({rows} // 100)) >> 1)::BIGINT",
    "bursts": "(hash(range // 20) >> 1)::BIGINT",  # each value in twenty rows side by side, in no order
    "sorted": "range // 20",
}
CALLS = {
    "block": f"ndv({{0}}, rate => {RATE}, sampling => 'block')",
    "bernoulli": f"ndv({{0}}, rate => {RATE})",
    "approx": "approx_count_distinct({0})",
    "exact": "count(DISTINCT {0})",
}
BYTES_PER_ROW = 30  # on disk, rounded up


@benchmark("blocks/columns", unit="s, MiB, share of the column's bytes", lower_is_better=True, minutes=6.0)
def columns(setting: Setting) -> Iterator[Row]:
    """`ndv(x, rate => 0.01, sampling => 'block')` on columns of one Parquet file that DuckDB wrote, beside a Bernoulli
    sample of the same rate, `approx_count_distinct(x)` and `count(DISTINCT x)`. Times are taken in turns on one
    connection; memory and bytes in a process of its own for each; bytes, footers among them, as a part of those of the
    column, and for blocks also of the file.
    """
    file = _file(setting.rows)
    sizes = _column_bytes(file)
    with paretosql.connect() as con:
        for name in COLUMNS:
            queries = {each: f"SELECT {call.format(name)} FROM {quoted(file)}" for each, call in CALLS.items()}
            programs = {each: partial(_value, con, sql) for each, sql in queries.items()}
            times = take_turns(programs, max(1, setting.rounds // 2))
            found = {each: program() for each, program in programs.items()}
            row = Row(column=name, distinct=found["exact"])
            for each in CALLS:
                row[f"{each}_s"] = median(times, each)
            row["approx / block_ratio"] = 1 / median_ratio(times, "block", "approx")
            for each in ("block", "bernoulli", "approx"):
                row[f"{each}_error"] = found[each] / found["exact"] - 1
            for each, sql in queries.items():
                probed = probe(sql)
                row[f"{each} memory_mib"] = probed.peak_mib
                row[f"{each} bytes_ratio"] = probed.read_bytes / sizes[name]
                if each == "block":
                    row["block of file_ratio"] = probed.read_bytes / file.stat().st_size
            yield row


def _value(con: paretosql.Connection, sql: str) -> int:
    ((value,),) = con.execute(sql).fetchall()
    return int(value)


def _column_bytes(file: Path) -> dict[str, int]:
    """Compressed bytes of each column."""
    footer = parquet.read_metadata(file)
    groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
    return {name: sum(each.column(at).total_compressed_size for each in groups) for at, name in enumerate(COLUMNS)}


def _file(rows: int) -> Path:
    """The file with this many rows; made when it is missing, under another name until it is whole."""
    target = CACHE / f"blocks-{rows}.parquet"
    if target.is_file():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < BYTES_PER_ROW * rows:
        raise NoData(f"the file of {rows:,} rows needs {BYTES_PER_ROW * rows / 1e6:,.0f} MB of free disk space")
    print(f"Generating {target.name} into {CACHE.name} (once) ...", file=sys.stderr, flush=True)
    made = ", ".join(f"{sql.format(rows=rows)} AS {name}" for name, sql in COLUMNS.items())
    with tempfile.TemporaryDirectory(prefix=f"{target.name}.part-", dir=CACHE) as folder, paretosql.connect() as con:
        half = Path(folder) / target.name
        con.execute(f"COPY (SELECT {made} FROM range({rows})) TO {quoted(half)}")
        half.rename(target)
    return target
