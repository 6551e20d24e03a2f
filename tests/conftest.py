"""Fixtures shared by all tests: a fresh connection, a database file, and small TPC-H tables."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import paretosql

# started in the background, a process inherits that Ctrl-C is ignored, and so would the programs that the tests start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# shared machines stall now and then; a slow example is no failure
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def con() -> Iterator[paretosql.Connection]:
    """A fresh in-memory connection, closed at the end of the test."""
    connection = paretosql.connect()
    yield connection
    connection.close()


@pytest.fixture
def cur(con: paretosql.Connection) -> paretosql.Cursor:
    """A cursor on a fresh database that holds the table `item(name, price)` with six rows."""
    cursor = con.cursor()
    cursor.execute("CREATE TABLE item (name VARCHAR, price INTEGER)")
    cursor.executemany("INSERT INTO item VALUES (?, ?)", [(f"item {i}", i) for i in range(6)])
    con.commit()
    return cursor


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    """Where a database file may be made; nothing is there yet."""
    return tmp_path / "shop.db"


@pytest.fixture(scope="session")
def tpch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the eight TPC-H tables as Parquet files, scale factor 0.01 (60,175 line items)."""
    program = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
    if program is None:
        pytest.skip("tpchgen-cli is not installed: pip install tpchgen-cli")
    folder = tmp_path_factory.mktemp("tpch")
    subprocess.run([program, "parquet", "-s", "0.01", "--output-dir", str(folder)], check=True, capture_output=True)
    return folder
