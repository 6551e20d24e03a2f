"""TPC-H data as Parquet files: found, or generated once into `.cache/tpch-sfN` of the checkout.

The variable PARETOSQL_TPCH names a folder with the eight files to use instead, whatever their scale factor.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from benchmarks.environment import ROOT

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
VARIABLE = "PARETOSQL_TPCH"
CACHE = ROOT / ".cache"
BYTES_PER_SCALE = 400_000_000  # Parquet files of scale factor 1, rounded up


class NoData(Exception):
    """The data can be neither found nor made; the message says why and what to do."""


class Executes(Protocol):
    """A connection, ours or DuckDB's."""

    def execute(self, sql: str, /) -> object: ...


def folder(scale: float) -> Path:
    """The folder that holds the eight Parquet files; generates them when they are missing.

    Raises:
        NoData: PARETOSQL_TPCH names a folder without them, or the generator is missing or failed.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _checked(Path(named))
    target = CACHE / f"tpch-sf{scale:g}"
    return target if _complete(target) else _generate(scale, target)


def queries() -> dict[str, str]:
    """The 22 queries of the specification with its validation parameters, `q01` to `q22`."""
    files = sorted((Path(__file__).parent / "queries").glob("q*.sql"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def create_views(con: Executes, data: Path) -> None:
    """Make the eight tables known to a connection, as views over the files."""
    for name in TABLES:
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM {quoted(data / f'{name}.parquet')}")


def quoted(path: str | Path) -> str:
    """A path as an SQL string.

    >>> quoted("it's.parquet")
    "'it''s.parquet'"
    """
    return "'" + str(path).replace("'", "''") + "'"


def _complete(data: Path) -> bool:
    return all((data / f"{name}.parquet").is_file() for name in TABLES)


def _checked(data: Path) -> Path:
    missing = [f"{name}.parquet" for name in TABLES if not (data / f"{name}.parquet").is_file()]
    if missing:
        raise NoData(f"{VARIABLE}={data} lacks {', '.join(missing)}")
    return data


def _generate(scale: float, target: Path) -> Path:
    """Fill a folder beside the target, then rename it, so that the target is whole or absent."""
    program = _generator()
    CACHE.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < BYTES_PER_SCALE * scale:
        raise NoData(
            f"TPC-H at scale factor {scale:g} needs {BYTES_PER_SCALE * scale / 1e6:,.0f} MB of free disk space"
        )
    print(f"Generating TPC-H at scale factor {scale:g} into {_short(target)} (once) ...", file=sys.stderr, flush=True)
    half = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=CACHE))
    try:
        _run([program, "parquet", "-s", f"{scale:g}", "--output-dir", str(half)])
        half.chmod(0o755)
        if not _complete(target):
            shutil.rmtree(target, ignore_errors=True)
            half.rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return target


def _run(command: list[str]) -> None:
    """Run the generator; Ctrl-C ends it before it leaves this function."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            _, said = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode != 0:
        last = said.strip().splitlines()[-1] if said.strip() else f"exit status {process.returncode}"
        raise NoData(f"the TPC-H generator failed: {last}")


def _generator() -> str:
    found = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
    if found is None:
        hint = "pip install tpchgen-cli, or name a folder with the eight Parquet files in"
        raise NoData(f"the TPC-H generator is not installed: {hint} {VARIABLE}")
    return found


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
