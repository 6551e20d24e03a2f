"""Real columns as populations: TPC-H, and tables the user names, read once and kept as frequencies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import paretosql
from benchmarks import tpch
from benchmarks.populations import Population, from_counts

TPCH = {
    "lineitem": ("l_orderkey", "l_partkey", "l_suppkey", "l_extendedprice", "l_shipdate", "l_comment"),
    "orders": ("o_custkey", "o_clerk", "o_totalprice", "o_orderdate"),
    "customer": ("c_name", "c_acctbal"),
}
FOLDER = "PARETOSQL_COLUMNS"  # environment variable: a folder of Parquet and CSV files whose columns join the test
FEWEST_ROWS = 20_000
COLUMNS = 6


def real(scale: float) -> dict[str, list[Population]]:
    """Columns of TPC-H at a scale factor and, where the environment names a folder, of the files in it."""
    with paretosql.connect() as con:
        tpch.create_views(con, tpch.folder(scale))
        found = {"TPC-H": [_column(con, table, name, name) for table, names in TPCH.items() for name in names]}
        own = list(_own_files(con))
        return {**found, "own files": own} if own else found


def _own_files(con: paretosql.Connection) -> Iterator[Population]:
    folder = os.environ.get(FOLDER)
    files = sorted(Path(folder).rglob("*")) if folder else []
    for file in (each for each in files if each.suffix in (".parquet", ".csv")):
        source = tpch.quoted(file)
        ((rows,),) = con.execute(f"SELECT count(*) FROM {source}").fetchall()
        if rows >= FEWEST_ROWS:
            for name, *_rest in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()[:COLUMNS]:
                column = _column(con, source, name, f"{file.parent.name}/{file.stem}.{name}")
                if column.distinct > 1:
                    yield column


def _column(con: paretosql.Connection, table: str, name: str, label: str) -> Population:
    quoted = '"' + name.replace('"', '""') + '"'
    query = f"SELECT count(*) FROM {table} WHERE {quoted} IS NOT NULL GROUP BY {quoted}"
    return from_counts(label, np.array([count for (count,) in con.execute(query).fetchall()], np.int64))
