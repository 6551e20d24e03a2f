"""Makes wrong statements out of right ones, and runs them in a process of its own.

`mutate(number)` is a pure function of the number: the statement that broke something can be made again. As a program,
`python mutator.py START STOP` runs the statements of these numbers and prints two lines for each: its number before,
and what came of it after, so that whoever started it sees which statement hung or killed it.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import threading
from functools import cache
from pathlib import Path

SQL = Path(__file__).parents[1] / "sql"
TOKEN = re.compile(r"\s+|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|--[^\n]*|.", re.DOTALL)
BUILDERS = re.compile(
    r"repeat|range|generate|series|pad|bar|resize|sequence|factorial|array_|list_|pow|\*\*|<<|\^", re.I
)
BIG = re.compile(r"\d{5,}")
WORDS = (
    "SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT ndv ndv_report TABLE FILTER OVER method => rate seed 'gee' 0.5 "
    "ndv_interval ndv_sketch ndv_merge ndv_sum ndv_estimate ndv_profile rows confidence ANALYZE SAMPLE "
    "1 NULL * , ( ) [ ] { } ; . :: ? $a $1 WITH RECURSIVE AS UNION ALL EXCEPT DISTINCT ON USING JOIN LEFT LATERAL "
    "CASE WHEN THEN END NOT AND OR IN EXISTS BETWEEN LIKE ROLLUP CUBE GROUPING SETS INSERT INTO VALUES UPDATE SET "
    "DELETE CREATE VIEW PIVOT EXPLAIN STAGES MODEL DESCRIBE MERGE RETURNING QUALIFY WINDOW PARTITION INTERVAL "
    "DATE -1 1e308 'x' \"x\" -- /* */ $$ := -> || t"
)
STRANGE = [
    "\0",
    "é",
    "🦆",
    "\u202e",
    "\u0000",
    "\ufeff",
    "\u2028",
    "ß",
    "İ",
    "\ud800",
    "'",
    '"',
    "\\",
    "`",
    "\x7f",
    "\t\r\n",
]
LIMITS = [
    "SET memory_limit = '400MB'",
    "SET threads = 2",
    "SET max_temp_directory_size = '50MB'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
]
SETUP = [
    "CREATE TABLE t AS SELECT range AS id, range AS i, range % 3 AS g, range % 5 AS a, 'n' || range AS name "
    "FROM range(20)",
    "CREATE VIEW v AS SELECT a, ndv(i) AS n FROM t GROUP BY a",
]


# the tables of TPC-H, so that the statements about them have something to read
TPCH = {
    "lineitem": "orderkey partkey suppkey linenumber quantity extendedprice discount tax returnflag linestatus "
    "shipdate commitdate receiptdate shipinstruct shipmode comment",
    "orders": "orderkey custkey orderstatus totalprice orderdate orderpriority clerk shippriority comment",
    "customer": "custkey name address nationkey phone acctbal mktsegment comment",
    "part": "partkey name mfgr brand type size container retailprice comment",
    "partsupp": "partkey suppkey availqty supplycost comment",
    "supplier": "suppkey name address nationkey phone acctbal comment",
    "nation": "nationkey name regionkey comment",
    "region": "regionkey name comment",
}
NUMBERS = "number quantity price discount tax acctbal size qty cost priority"


def _tpch(table: str, columns: str) -> str:
    short = "ps" if table == "partsupp" else table[0]
    parts = []
    for column in columns.split():
        if column.endswith("key"):
            value = "range % 9"
        elif column.endswith("date"):
            value = "DATE '1995-01-01' + (range * 30)::INTEGER"
        else:
            value = "(range % 4)::DECIMAL(12, 2)" if any(map(column.endswith, NUMBERS.split())) else "'x' || range % 5"
        parts.append(f"{value} AS {short}_{column}")
    return f"CREATE TABLE {table} AS SELECT {', '.join(parts)} FROM range(40)"


@cache
def setup() -> list[str]:
    """What every new database begins with: limits, tables of our own, and those that the corpus makes for itself."""
    made = [
        each for each in statements() if each.startswith(("CREATE TABLE emp", "CREATE TABLE n", "CREATE TABLE day"))
    ]
    return [*LIMITS, *SETUP, *(_tpch(table, columns) for table, columns in TPCH.items()), *made]


@cache
def statements() -> list[str]:
    """What is mutated: every statement of the corpus and of the sqllogictest files, about a thousand."""
    found = []
    for path in sorted((SQL / "corpus").glob("*.sql")):
        found += path.read_text(encoding="utf-8").split("\n\n")
    for path in sorted(SQL.glob("*.test")):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            lines = [line for line in block.strip().split("\n") if not line.startswith("#")]
            if lines and lines[0].startswith(("statement", "query")):
                found.append("\n".join(lines[1:]).split("\n----")[0])
    return [statement.strip() for statement in found if statement.strip()]


def mutate(number: int) -> str:
    """A statement that is wrong in one to four places; the same for the same number."""
    draw = random.Random(number)
    tokens = TOKEN.findall(draw.choice(statements()))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 4))):
        tokens = draw.choice(CHANGES)(tokens or [" "], draw)
    text = "".join(tokens)
    # a huge number in range() or repeat() would only test patience
    return BIG.sub("7", text) if BUILDERS.search(text) else text


def _delete(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens))
    return tokens[:at] + tokens[at + draw.choice((1, 1, 2, 5)) :]


def _double(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens))
    return tokens[:at] + tokens[at : at + draw.choice((1, 2, 6))] * 2 + tokens[at + 1 :]


def _swap(tokens: list[str], draw: random.Random) -> list[str]:
    one, two = draw.randrange(len(tokens)), draw.randrange(len(tokens))
    tokens = list(tokens)
    tokens[one], tokens[two] = tokens[two], tokens[one]
    return tokens


def _insert(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens) + 1)
    return [*tokens[:at], " ", draw.choice(WORDS.split()), " ", *tokens[at:]]


def _replace(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens))
    return [*tokens[:at], draw.choice(WORDS.split()), *tokens[at + 1 :]]


def _quote(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens) + 1)
    return [*tokens[:at], draw.choice(("'", '"', "(", ")", "/*", "$$", "[", "}")), *tokens[at:]]


def _strange(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens) + 1)
    return [*tokens[:at], draw.choice(STRANGE) * draw.choice((1, 1, 3)), *tokens[at:]]


def _cut(tokens: list[str], draw: random.Random) -> list[str]:
    text = "".join(tokens)
    return [text[: draw.randrange(len(text) + 1)]]


def _splice(tokens: list[str], draw: random.Random) -> list[str]:
    other = TOKEN.findall(draw.choice(statements()))
    return tokens[: draw.randrange(len(tokens) + 1)] + other[draw.randrange(len(other)) :]


def _nest(tokens: list[str], draw: random.Random) -> list[str]:
    depth = draw.choice((3, 30, 300))
    opening, closing = draw.choice(
        (("(", ")"), ("ndv(", ")"), ("(SELECT ", ")"), ("[", "]"), ("CASE WHEN ", " END"), ("- ", ""))
    )
    at = draw.randrange(len(tokens))
    return [
        *tokens[:at],
        opening * depth,
        tokens[at],
        closing * draw.choice((depth, depth, depth - 1)),
        *tokens[at + 1 :],
    ]


def _lengthen(tokens: list[str], draw: random.Random) -> list[str]:
    at = draw.randrange(len(tokens))
    # many open brackets, and 50 times `WITH q AS (`, take DuckDB's parser minutes
    times = 5000 if tokens[at].isalnum() else 5 if len(tokens[at]) > 3 else 50
    return [*tokens[:at], tokens[at].strip()[:20] * times, *tokens[at + 1 :]]


def _wrap(tokens: list[str], draw: random.Random) -> list[str]:
    before, after = draw.choice(
        (
            ("SELECT ndv(x) FROM (", ") AS q(x)"),
            ("SELECT * FROM ndv_report((", "))"),
            ("EXPLAIN ", ""),
            ("CREATE TABLE made AS ", ""),
            ("INSERT INTO t ", ""),
            ("WITH q AS (", ") SELECT ndv(COLUMNS(*)) FROM q"),
            ("SELECT ndv((", "))"),
        )
    )
    return [before, *tokens, after]


CHANGES = (_delete, _double, _swap, _insert, _replace, _quote, _strange, _cut, _splice, _nest, _lengthen, _wrap)


def _run(numbers: range) -> None:
    import paretosql

    con = None
    for number in numbers:
        if con is None or number % 50 == 0:
            con = _fresh(con)
        print(f"run {number}", flush=True)
        timer = threading.Timer(3.0, con.interrupt)
        timer.start()
        try:
            cursor = con.execute(mutate(number))
            if cursor.description is not None:
                cursor.fetchmany(500)
            outcome = "fine"
        except paretosql.Error as fault:
            str(fault)
            outcome = f"error {type(fault).__name__}"
        except BaseException as fault:
            outcome = f"foreign {type(fault).__name__}: {fault}".replace("\n", " ")
        timer.cancel()
        print(json.dumps(outcome[:300]), flush=True)
    _fresh(con)


def _fresh(con):  # type: ignore[no-untyped-def]
    """A new database; the old connection must still have been alive."""
    import paretosql

    if con is not None:
        con.rollback()
        assert con.execute("SELECT 42").fetchall() == [(42,)], "the connection is broken"
        con.close()
    con = paretosql.connect(autocommit=True)
    for statement in setup():
        con.execute(statement)
    return con


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    _run(range(int(sys.argv[1]), int(sys.argv[2])))
