"""Results as DuckDB prints them, and the comparison with what a sqllogictest file expects."""

from __future__ import annotations

import hashlib
import math
import re

import duckdb
import pyarrow as pa

NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$")
HASH = re.compile(r"(\d+) values hashing to ([0-9a-f]{32})$")


class Mismatch(AssertionError):
    """A record did not give what it should; the text begins with file and line."""


def printed(table: pa.Table) -> list[list[str]]:
    """The rows of a table as DuckDB prints them: NULL, (empty), 1.5, 2020-01-01, [a, b]."""
    if not table.num_columns:
        return []
    table = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
    with duckdb.connect() as plain:
        plain.execute("SET threads = 1")
        plain.register("result", table)
        rows = plain.execute("SELECT COLUMNS(*)::VARCHAR FROM result").fetchall()
    return [["NULL" if v is None else "(empty)" if v == "" else v.replace("\0", "\\0") for v in row] for row in rows]


def compare(sql: str, rows: list[list[str]], expected: list[str] | None, kinds: list[str], sort: str) -> None:
    """Raise Mismatch unless the rows are the expected ones (tab-separated rows, one value a line, or a hash)."""
    if expected is None:
        return
    values = [value for row in rows for value in row]
    found = HASH.match(expected[0]) if len(expected) == 1 else None
    if found:
        if len(values) != int(found[1]) or digest(rows) != found[2]:
            raise Mismatch(f"got {len(values)} values hashing to {digest(rows)}, expected {expected[0]}\n{sql}")
        return
    by_row = [line.split("\t") for line in expected]
    if not (len(kinds) > 1 and all(len(row) == len(kinds) for row in by_row)):
        by_row = [expected[i : i + len(kinds)] for i in range(0, len(expected), len(kinds))]
    wanted = ordered(by_row, sort)
    same = len(wanted) == len(rows) and all(
        len(mine) == len(theirs) and all(map(_equal, mine, theirs, kinds))
        for mine, theirs in zip(rows, wanted, strict=True)
    )
    if not same:
        show = ["\n".join("\t".join(row) for row in some[:30]) for some in (wanted, rows)]
        raise Mismatch(f"wrong result\n{sql}\n-- expected --\n{show[0]}\n-- got --\n{show[1]}")


def _equal(mine: str, wanted: str, kind: str) -> bool:
    if mine == wanted:
        return True
    if wanted.startswith(("<REGEX>:", "<!REGEX>:")):
        positive = wanted.startswith("<REGEX>:")
        return (re.fullmatch(wanted.split(":", 1)[1], mine, re.DOTALL) is not None) is positive
    if kind == "BOOLEAN":
        return {"true": "1", "false": "0"}.get(mine, mine) == wanted.lower()
    if NUMERIC.match(kind) and "NULL" not in (mine, wanted):
        try:
            left, right = float(mine), float(wanted)
        except ValueError:
            return False
        if kind in ("FLOAT", "DOUBLE"):
            return math.isclose(left, right, rel_tol=1e-6 if kind == "FLOAT" else 1e-9) or left == right
        return left == right and abs(left) < 2**53
    return False


def check_message(sql: str, expected: list[str] | None, message: str) -> None:
    wanted = "\n".join(expected or [])
    if wanted.startswith(("<REGEX>:", "<!REGEX>:")):
        fits = (re.search(wanted.split(":", 1)[1], message, re.DOTALL) is not None) is wanted.startswith("<REGEX>:")
    else:
        fits = wanted.lower() in message.lower()
    if not fits:
        raise Mismatch(f"wrong error message\n{sql}\n-- expected --\n{wanted}\n-- got --\n{message}")


def ordered(rows: list[list[str]], sort: str) -> list[list[str]]:
    if sort == "valuesort":
        width = len(rows[0]) if rows else 1
        flat = sorted(value for row in rows for value in row)
        return [flat[i : i + width] for i in range(0, len(flat), width)]
    return sorted(rows) if sort == "rowsort" else rows


def digest(rows: list[list[str]]) -> str:
    return hashlib.md5("".join(f"{value}\n" for row in rows for value in row).encode()).hexdigest()
