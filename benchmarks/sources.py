"""What the demonstration counts: TPC-H, or files that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import paretosql
from benchmarks import tpch

MOST_COLUMNS = 8
PARQUET, CSV = (".parquet", ".pq"), (".csv", ".tsv", ".csv.gz", ".tsv.gz")
FEWEST_GROUPS, MOST_GROUPS = 2, 20


class NoSource(Exception):
    """The files cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Source:
    """A relation to count: its name, columns, and what it is; `keys` to group by, where they are known beforehand."""

    table: str
    columns: tuple[str, ...]
    about: str
    keys: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()  # the columns to count per group, likewise
    report: str = "data"  # the relation for ndv_report


def open_tpch(con: paretosql.Connection) -> Source:
    """TPC-H at scale factor 1, generated on the first call."""
    data = tpch.folder(1.0)
    tpch.create_views(con, data)
    ((rows,),) = con.execute("SELECT count(*) FROM lineitem").fetchall()
    size = (data / "lineitem.parquet").stat().st_size
    columns = ("l_suppkey", "l_shipdate", "l_partkey", "l_extendedprice", "l_orderkey", "l_comment")
    about = f"TPC-H, table lineitem: {rows:,} rows in {size / 1e6:,.0f} MB of Parquet"
    return Source("lineitem", columns, about, ("l_returnflag", "l_linestatus"), ("l_partkey", "l_orderkey"), "orders")


def open_files(con: paretosql.Connection, names: Sequence[str]) -> Source:
    """The user's files as one relation called `data`.

    Raises:
        NoSource: a file is missing, empty, or neither Parquet nor CSV; there are no rows or no columns.
    """
    files = [_checked(Path(name)) for name in names]
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise NoSource("the files are partly Parquet and partly CSV; name files of one kind")
    paths = ", ".join(tpch.quoted(file) for file in files)
    if kinds == {"parquet"}:
        con.execute(f"CREATE VIEW data AS SELECT * FROM read_parquet([{paths}], union_by_name = true)")
    else:  # parsed once, because every statement reads the table again
        con.execute(f"CREATE TABLE data AS SELECT * FROM read_csv([{paths}], union_by_name = true)")
    columns = [row[0] for row in con.execute("DESCRIBE data").fetchall()]
    if not columns:
        raise NoSource("the files have no columns")
    ((rows,),) = con.execute("SELECT count(*) FROM data").fetchall()
    if not rows:
        raise NoSource("the files have no rows: there is nothing to count")
    size = sum(file.stat().st_size for file in files)
    what = files[0].name if len(files) == 1 else f"{len(files)} files"
    about = f"{what}: {rows:,} rows, {len(columns)} columns, {size / 1e6:,.1f} MB"
    if len(columns) > MOST_COLUMNS:
        about += f"; the first {MOST_COLUMNS} columns are counted"
    return Source("data", tuple(columns[:MOST_COLUMNS]), about)


def _checked(file: Path) -> Path:
    if not file.exists():
        raise NoSource(f"there is no file {file}")
    if not file.is_file():
        raise NoSource(f"{file} is not a file; name files, for example {file / '*.parquet'}")
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
    except OSError as problem:
        raise NoSource(f"{file} cannot be read: {problem.strerror}") from None
    if not start:
        raise NoSource(f"{file} is empty")
    if _kind(file) == "parquet" and start != b"PAR1":
        raise NoSource(f"{file} is not a Parquet file, whatever its name says")
    return file


def _kind(file: Path) -> str:
    name = file.name.lower()
    if name.endswith(PARQUET):
        return "parquet"
    if name.endswith(CSV):
        return "csv"
    raise NoSource(f"{file} is neither Parquet ({', '.join(PARQUET)}) nor CSV ({', '.join(CSV)})")
