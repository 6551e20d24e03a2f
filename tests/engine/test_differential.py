"""The same statements on paretosql and on plain DuckDB: same rows, names, types, row counts and errors.

A statement that DuckDB answers must be answered here with the same rows. The statements come from files under
`tests/sql/corpus/` (one statement a paragraph) and from `tests/sql/combinations.py`. A second part replaces `ndv(x)` by
`count(DISTINCT x)` for DuckDB: on small data both are exact.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import paretosql
from tests.sql import combinations, random_queries

CORPUS = Path(__file__).parents[1] / "sql" / "corpus"
TPCH = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
ORDERED = re.compile(r"\bORDER\s+BY\b(?!.*\bFROM\b)[^()]*$", re.IGNORECASE | re.DOTALL)
NO_ROWS = ([], [("Count", "BIGINT")], [("Success", "BOOLEAN")])
PEP = (
    *("DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"),
    "DatabaseError",
)


def corpus(name: str) -> list[str]:
    """The statements of one corpus file; paragraphs are separated by empty lines."""
    return [part.strip() for part in (CORPUS / f"{name}.sql").read_text(encoding="utf-8").split("\n\n") if part.strip()]


class Pair:
    """Two databases that get the same statements; `differences` collects where the answers differ."""

    def __init__(self, folder: Path) -> None:
        self.ours = paretosql.connect(autocommit=True)
        self.theirs = duckdb.connect()
        self.folders = {name: folder / name for name in ("ours", "duck")}
        for path in self.folders.values():
            path.mkdir()
        self.differences: list[str] = []

    def verify(self) -> None:
        """Fail with the statements that differ."""
        shown = "\n".join(self.differences[:40])
        assert not self.differences, f"{len(self.differences)} statements differ\n{shown}"

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def check(self, statement: str, for_duckdb: str | None = None, parameters: Any = None) -> None:
        """Run one statement on both and note what differs; `for_duckdb` is its other wording there."""
        mine = self._run(statement.replace("{dir}", str(self.folders["ours"])), self._run_ours, parameters)
        theirs = self._run(
            (for_duckdb or statement).replace("{dir}", str(self.folders["duck"])), self._run_theirs, parameters
        )
        reason = difference(mine, theirs, ordered=bool(ORDERED.search(statement)), messages=parameters is None)
        if reason:
            self.differences.append(f"{statement}\n    {reason}")

    def _run(self, statement: str, run: Any, parameters: Any) -> dict[str, Any]:
        try:
            return run(statement, parameters)  # type: ignore[no-any-return]
        except Exception as fault:
            text = str(fault)
            for path in self.folders.values():
                text = text.replace(str(path), "{dir}")
            return {"error": fault, "message": text}

    def _run_ours(self, statement: str, parameters: Any) -> dict[str, Any]:
        cursor = self.ours.execute(statement, parameters)
        columns = [(column[0], str(column[1])) for column in cursor.description or []]
        out: dict[str, Any] = {"columns": columns, "rowcount": cursor.rowcount}
        if columns:
            out["rows"] = _cells(cursor.arrow()) if _zoned(columns) else cursor.fetchall()
        return out

    def _run_theirs(self, statement: str, parameters: Any) -> dict[str, Any]:
        cursor = self.theirs.execute(statement, parameters)
        columns = [(column[0], str(column[1])) for column in cursor.description or []]
        if not _zoned(columns):
            return {"columns": columns, "rows": cursor.fetchall() if columns else [], "rowcount": cursor.rowcount}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {"columns": columns, "rows": _cells(cursor.to_arrow_table()), "rowcount": cursor.rowcount}


def _zoned(columns: list[tuple[str, str]]) -> bool:
    """Plain DuckDB needs the package pytz for these; their values are compared as Arrow."""
    return any("TIMESTAMP WITH TIME ZONE" in kind for _, kind in columns)


def _cells(table: pa.Table) -> list[tuple[Any, ...]]:
    table = table.rename_columns([str(i) for i in range(table.num_columns)])
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def difference(mine: dict[str, Any], theirs: dict[str, Any], *, ordered: bool, messages: bool) -> str | None:
    """What differs between two outcomes, in words, or None; `messages`: the texts of errors must agree too."""
    if "error" in mine or "error" in theirs:
        return _error_difference(mine, theirs, messages)
    if not mine["columns"] and theirs["columns"] in NO_ROWS:
        count = theirs["rows"][0][0] if theirs["rows"] else -1
        return None if mine["rowcount"] == count else f"rowcount: got {mine['rowcount']}, DuckDB {count}"
    if mine["columns"] != theirs["columns"]:
        return f"columns: got {mine['columns']}, DuckDB {theirs['columns']}"
    got, wanted = mine["rows"], theirs["rows"]
    if not ordered:
        got, wanted = sorted(got, key=_key), sorted(wanted, key=_key)
    if len(got) != len(wanted):
        return f"number of rows: got {len(got)}, DuckDB {len(wanted)}"
    for left, right in zip(got, wanted, strict=True):
        if not same(left, right):
            return f"rows: got {left}, DuckDB {right}"
    return None


def _error_difference(mine: dict[str, Any], theirs: dict[str, Any], messages: bool) -> str | None:
    if "error" not in theirs:
        return f"got {type(mine['error']).__name__}: {mine['message']}, DuckDB has no error"
    if "error" not in mine:
        return f"got no error, DuckDB {type(theirs['error']).__name__}: {theirs['message']}"
    fault, other = mine["error"], theirs["error"]
    if not isinstance(fault, paretosql.Error):
        return f"got a foreign exception {type(fault)}: {fault}"
    names = [base.__name__ for base in type(other).__mro__]
    expected = next((name for name in PEP if name in names), "Error")
    if not isinstance(fault, getattr(paretosql, expected)):
        return f"error class: got {type(fault).__name__}, DuckDB {type(other).__name__}, so {expected}: {fault}"
    said, first = " ".join(mine["message"].split()), " ".join(theirs["message"].split("\n")[0].split())
    if not messages or not isinstance(other, duckdb.Error) or first in said:
        return None
    return f"message: got {said}, DuckDB {first}"


def same(left: Any, right: Any) -> bool:
    """Equal values of one type; floats to 1e-12, NaN equals NaN, nested values part by part."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or math.isclose(left, right, rel_tol=1e-12) or (math.isnan(left) and math.isnan(right))
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(map(repr, left)) == list(map(repr, right)) and all(map(same, left.values(), right.values()))
    return bool(left == right)


def _key(row: tuple[Any, ...]) -> str:
    return repr([f"{value:.9g}" if isinstance(value, float) else value for value in row])


@pytest.fixture
def pair(tmp_path):
    """A fresh pair of databases."""
    both = Pair(tmp_path)
    yield both
    both.close()


@pytest.mark.parametrize("name", ["queries", "ddl_dml", "nested", "settings", "files"])
def test_corpus(pair, name):
    """A script of statements, run in order on both, gives the same at every step."""
    for statement in corpus(name):
        pair.check(statement)
    pair.verify()


@pytest.mark.parametrize("name", ["queries", "ddl_dml", "nested", "settings"])
def test_corpus_that_only_mentions_our_words(pair, name):
    """The word ndv in a comment makes the text look like ours; it must still mean what it means to DuckDB."""
    for statement in corpus(name):
        pair.check(f"/* ndv(x), MODEL m */ {statement}", statement)
    pair.verify()


def test_tpch(pair, tpch):
    """The 22 TPC-H queries over Parquet files."""
    for table in TPCH:
        pair.check(f"CREATE VIEW {table} AS SELECT * FROM '{tpch}/{table}.parquet'")
    queries = corpus("tpch")
    assert len(queries) == 22
    for query in queries:
        pair.check(query)
    pair.verify()


@pytest.mark.parametrize(
    "maker",
    ["casts", "values", "aggregates", "operators", "joins", "windows", "dates", "texts", "numbers", "set_operations"],
)
def test_combinations(pair, maker):
    """Types, functions, joins, windows and set operations, combined systematically."""
    for statement in combinations.SETUP:
        pair.check(statement)
    for statement in getattr(combinations, maker)():
        pair.check(statement)
    pair.verify()


def test_there_are_enough_statements():
    """The corpus and the combinations together hold at least 1,800 distinct statements."""
    written = {s for name in ("queries", "ddl_dml", "nested", "settings", "files", "tpch") for s in corpus(name)}
    assert len(written | set(combinations.everything())) >= 1800


PARAMETERS = [
    ("SELECT ?", [1]),
    ("SELECT ?, ?", ("a", None)),
    ("SELECT ? + 1.5, typeof(?)", [2, 2]),
    ("SELECT $2, $1", [1, "x"]),
    ("SELECT $a, $b, $a", {"a": 1, "b": "x"}),
    ("SELECT ?::DATE + 1", ["2024-01-31"]),
    ("SELECT unnest(?)", [[1, 2, 3]]),
    ("SELECT ?, typeof($1)", [1]),
    ("SELECT typeof(?), typeof(?), typeof(?)", [2**40, 2**70, -1]),
    ("SELECT typeof(?), typeof(?)", [dt.datetime(2024, 1, 1), dt.timedelta(days=1)]),
    ("SELECT ?", [{"a": [1, {"b": 2}]}]),
    ("SELECT ?", [float("nan")]),
    ("SELECT count(*) FROM range(100) WHERE range < ?", [10]),
    ("SELECT * FROM range(?) LIMIT ?", [10, 3]),
    ("SELECT ? IN (1, 2), ? LIKE ?", [1, "abc", "a%"]),
    ("SELECT ?", []),
    ("SELECT ?", [1, 2]),
    ("SELECT $a", {"b": 1}),
    ("SELECT 1 WHERE ? = 'x'", [5]),
    ("SELECT ?", ["\U0001f986 \x00 é"]),
    ("SELECT len(?)", [b"\x00\xff"]),
    ("VALUES (?, ?)", [True, False]),
    ("SELECT ?::INTEGER", ["abc"]),
    ("SELECT '?' || ?", ["!"]),
    ('SELECT ? AS "?"', [1]),
]


def test_parameters(pair):
    """Parameters by position, number and name mean the same; so do wrong ones."""
    for statement, parameters in PARAMETERS:
        pair.check(statement, parameters=parameters)
    pair.verify()


def test_rows_beside_a_time_zone_column_are_the_same(pair):
    """One TIMESTAMPTZ column makes us build the rows ourselves: all other columns must not notice."""
    theirs = duckdb.connect()
    for kind, literals in combinations.TYPES.items():
        for literal in literals:
            value = f"CAST({literal} AS {kind})"
            if kind == "TIMESTAMPTZ":
                continue
            columns = f"{value}, [{value}], {{'f': {value}}}, MAP {{'k': {value}}}, [[{value}], NULL]"
            query = f"SELECT {columns}, TIMESTAMPTZ '2024-01-01 00:00:00+00'"
            (mine,) = pair.ours.execute(query).fetchall()
            (wanted,) = theirs.execute(f"SELECT {columns}").fetchall()
            if not same(mine[:-1], wanted):
                pair.differences.append(f"{query}\n    rows: got {mine[:-1]}, DuckDB {wanted}")
    pair.verify()


def test_ndv_equals_count_distinct(pair, tpch):
    """On small data ndv(x) is count(DISTINCT x): 150 queries with the one and the other."""
    for table in TPCH:
        pair.check(f"CREATE TABLE {table} AS SELECT * FROM '{tpch}/{table}.parquet'")
    schema = pair.theirs.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    queries = [*corpus("ndv"), *(f"SELECT ndv({column}) AS n FROM {table}" for table, column in schema)]
    assert len({query for query in queries if "ndv(" in query}) >= 150
    for query in queries:
        pair.check(query, re.sub(r"\bndv\(", "count(DISTINCT ", query))
    pair.verify()


def check_random_queries(pair: Pair, seeds: range) -> None:
    """Random queries with ndv against the same with count(DISTINCT ...)."""
    for statement in random_queries.SETUP:
        pair.check(statement)
    for seed in seeds:
        query = random_queries.query(seed)
        pair.check(query, re.sub(r"\bndv\(", "count(DISTINCT ", query))
    pair.verify()


def test_random_ndv_queries(pair):
    """300 random queries: wherever ndv may stand, it is count(DISTINCT ...)."""
    check_random_queries(pair, range(300))


@pytest.mark.slow
def test_many_random_ndv_queries(pair):
    """5,000 others."""
    check_random_queries(pair, range(10_000, 15_000))
