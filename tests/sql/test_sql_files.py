"""Every `*.test` file beside this one is a list of SQL statements with the results they must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql.comparison import Mismatch
from tests.sql.runner import Runner, Skip, run_file

FILES = sorted(Path(__file__).parent.glob("*.test"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_sql_file(path):
    """Every record of the file gives what it says, and the file has records."""
    assert run_file(path) > 0


BROKEN = [
    ("query I\nSELECT 1\n----\n2\n", "wrong result"),
    ("query I\nSELECT 1\n----\n1\n1\n", "wrong result"),
    ("query II\nSELECT 1\n----\n1\n", "2 columns expected"),
    ("query I\nSELECT * FROM range(3)\n----\n3 values hashing to 00000000000000000000000000000000\n", "hashing to"),
    ("statement ok\nSELEC 1\n", "should work"),
    ("query I\nSELECT * FROM nowhere\n----\n1\n", "should work"),
    ("statement error\nSELECT 1\n", "should fail"),
    ("statement error\nSELECT * FROM nowhere\n----\nno such words\n", "wrong error message"),
    ("query I nosort a\nSELECT 1\n\nquery I nosort a\nSELECT 2\n", "labelled 'a'"),
    ("query T\nSELECT 'abc'\n----\n<REGEX>:a.d\n", "wrong result"),
    ("query R\nSELECT 1.5::DOUBLE\n----\n1.6\n", "wrong result"),
    ("loop i 0 2\n\nquery I\nSELECT ${i}\n----\n0\n\nendloop\n", "wrong result"),
]


@pytest.mark.parametrize(("text", "reason"), BROKEN)
def test_the_runner_notices_what_is_wrong(tmp_path, text, reason):
    """A runner that passes everything proves nothing: each wrong file fails with file, line and reason."""
    path = tmp_path / "wrong.test"
    path.write_text(f"# a comment\n\n{text}")
    with pytest.raises(Mismatch, match=reason) as caught:
        run_file(path)
    assert f"{path}:" in str(caught.value)


def test_the_runner_names_the_line(tmp_path):
    """The number in the message is the line of the record that failed."""
    path = tmp_path / "wrong.test"
    path.write_text("statement ok\nSELECT 1\n\n# a comment\nquery I\nSELECT 1\n----\n2\n")
    with pytest.raises(Mismatch, match=r"wrong\.test:5: "):
        run_file(path)


RIGHT = """
# name: right.test
require parquet

mode skip

statement ok
this is no SQL

mode unskip

statement ok
CREATE TABLE t (a INTEGER, b VARCHAR)

foreach word one two

statement ok
INSERT INTO t VALUES (1, '${word}')

endloop

query IT rowsort
SELECT a, b FROM t
----
1\ttwo
1\tone

query IT valuesort
SELECT a, b FROM t
----
1
1
one
two

query T
SELECT NULL UNION ALL SELECT ''
----
NULL
(empty)

query II nosort same
SELECT a, a + 1 FROM t
----
4 values hashing to 3aa075e16185615e8fe25b2487de8fa9

query II nosort same
SELECT 1, 2 FROM t

query BRT
SELECT true, 0.1::DOUBLE + 0.2, DATE '2020-01-01'
----
1
0.3
<REGEX>:2020-.*

skipif duckdb
query I
SELECT 1
----
2

onlyif sqlite
query I
SELECT 1
----
2

load __TEST_DIR__/two.db

statement ok con1
CREATE TABLE u AS SELECT 7 AS a

query I con2
FROM u
----
7

restart

query I
FROM u
----
7

statement error
FROM nowhere
----
<REGEX>:.*nowhere does not exist.*

halt

statement ok
this is no SQL
"""


def test_the_runner_knows_the_format(tmp_path):
    """Skips, loops, sorting, hashes, labels, regular expressions, databases, connections and halt."""
    path = tmp_path / "right.test"
    path.write_text(RIGHT)
    runner = Runner(path, tmp_path)
    assert runner.run() == 13


@pytest.mark.parametrize(
    "text", ["require spatial\n", "concurrentloop i 0 2\n\nendloop\n", "require vector_size 4096\n"]
)
def test_the_runner_skips_what_it_does_not_have(tmp_path, text):
    """An extension that is not here, or a command this runner does not know, skips the file."""
    path = tmp_path / "skipped.test"
    path.write_text(text)
    with pytest.raises(Skip):
        run_file(path)
