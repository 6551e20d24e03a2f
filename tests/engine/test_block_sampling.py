"""Block samples in SQL: the right answer from few row groups of real Parquet files, whoever wrote them and however."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import paretosql
from paretosql.errors import DataError, NotSupportedError, OperationalError, ProgrammingError

ROWS = 400_000
COLUMNS = {
    "scattered": "(hash(hash(range) % 40_000) >> 1)::BIGINT",
    "runs": "range // 20",
    "bursts": "(hash(range // 20) >> 1)::BIGINT",
    "days": "DATE '2024-01-01' + (range // 1_000)::INTEGER",
    "words": "'w' || (hash(range) % 3_000)",
    "gaps": "CASE WHEN range % 4 = 0 THEN (hash(range) % 5_000)::INTEGER END",
    "one": "7",
    "nothing": "NULL::INTEGER",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One table of 400,000 rows in several files: by DuckDB and by Arrow, in row groups of several sizes."""
    folder = tmp_path_factory.mktemp("blocks")
    con = paretosql.connect()
    made = ", ".join(f"{sql} AS {name}" for name, sql in COLUMNS.items())
    con.execute(f"CREATE TABLE t AS SELECT {made} FROM range({ROWS})")
    for size in (2_048, 122_880):
        con.execute(f"COPY t TO '{folder}/duck{size}.parquet' (ROW_GROUP_SIZE {size})")
    table = con.sql("SELECT * FROM t").arrow()
    parquet.write_table(table, folder / "arrow.parquet", row_group_size=5_000)
    parquet.write_table(table, folder / "plain.parquet", row_group_size=5_000, use_dictionary=False)
    for at in range(8):
        parquet.write_table(table.slice(at * 50_000, 50_000), folder / f"part{at}.parquet", row_group_size=4_000)
    con.close()
    return folder


@pytest.fixture(scope="module")
def truth(folder):
    con = paretosql.connect()
    counts = ", ".join(f"count(DISTINCT {name})" for name in COLUMNS)
    (values,) = con.execute(f"SELECT {counts} FROM '{folder}/plain.parquet'").fetchall()
    con.close()
    return dict(zip(COLUMNS, values, strict=True))


FILES = ["duck2048.parquet", "duck122880.parquet", "arrow.parquet", "plain.parquet", "part*.parquet"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", COLUMNS)
def test_every_order_of_rows_is_estimated(con, folder, truth, file, name):
    """Random, sorted, in bursts, by day, with NULLs and without a value: within a factor of 1.5 at 10 %."""
    sql = f"SELECT ndv({name}, rate => 0.1, sampling => 'block', seed => 5) FROM '{folder}/{file}'"
    ((value,),) = con.execute(sql).fetchall()
    assert truth[name] / 1.5 <= value <= truth[name] * 1.5


def test_rows_of_a_sorted_file_taken_for_random_ones_mislead(con, folder, truth):
    """Without the collapse the same blocks give a tenth of the truth; the report says that values cluster."""
    file = f"{folder}/plain.parquet"
    sql = (
        "SELECT estimate, low, high, warnings"
        f" FROM ndv_report((SELECT bursts FROM '{file}'), rate => 0.1, sampling => 'block')"
    )
    ((estimate, low, high, warnings),) = con.execute(sql).fetchall()
    assert truth["bursts"] / 1.5 <= estimate <= truth["bursts"] * 1.5
    assert low <= estimate <= high
    assert "CLUSTERED_SAMPLE" in warnings
    sql = sql.replace("bursts FROM", "scattered FROM")
    assert con.execute(sql).fetchall()[0][3] == []


def test_the_report_covers_every_column(con, folder, truth):
    """ndv_report takes the option, and its interval holds the truth of each column of this file."""
    report = f"ndv_report(TABLE '{folder}/duck2048.parquet', rate => 0.1, sampling => 'block')"
    sql = f'SELECT "column", low, high FROM {report}'
    found = {name: (low, high) for name, low, high in con.execute(sql).fetchall()}
    assert found.keys() == COLUMNS.keys()
    for name, (low, high) in found.items():
        assert low <= truth[name] <= high, name


def test_the_seed_decides(con, folder):
    """The same seed gives the same number again, and another seed another sample."""
    sql = "SELECT ndv(scattered, rate => 0.05, sampling => 'block', seed => {}) FROM '" + f"{folder}/plain.parquet'"
    first, again, other = (con.execute(sql.format(seed)).fetchall() for seed in (1, 1, 2))
    assert first == again != other


SHAPES = [
    "SELECT ndv(scattered, {o}) FROM '{f}'",
    "SELECT ndv(p.scattered, {o}) FROM read_parquet('{f}') AS p",
    "SELECT ndv(plain.scattered, {o}) FROM '{f}'",
    "SELECT ndv(scattered, {o}) FROM read_parquet(['{f}'])",
    "SELECT ndv(x, {o}) FROM (SELECT scattered AS x, * FROM '{f}') WHERE runs >= 0",
    "SELECT ndv(SCATTERED, {o}) FROM v",
    "SELECT ndv(b, {o}) FROM w",
    "WITH c AS (SELECT scattered + 1 AS y FROM v) SELECT ndv(y, {o}) FROM c",
    "SELECT ndv(scattered, {o}) FILTER (WHERE runs >= 0) FROM v",
    "SELECT max(n) FROM (SELECT ndv(scattered, {o}) AS n FROM v)",
    "SELECT (SELECT ndv(scattered, {o}) FROM v) FROM range(1)",
    "SELECT ndv(q.a, {o}) FROM (SELECT * FROM v) AS q(a)",
    "SELECT ndv(scattered, {o}) + 0 * count(*) FROM v HAVING ndv(runs, {o}) > 0 ORDER BY 1",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_to_name_a_file_gives_the_same_sample(con, folder, shape):
    """Views, subqueries, expressions and filters that keep every row do not change the estimate by more than 5 %."""
    file = f"{folder}/plain.parquet"
    con.execute(f"CREATE VIEW v AS SELECT * FROM '{file}'")
    con.execute(f"CREATE VIEW w(a, b) AS SELECT runs, scattered FROM read_parquet('{file}')")
    options = "rate => 0.1, sampling => 'block', seed => 3"
    ((expected,),) = con.execute(f"SELECT ndv(scattered, {options}) FROM '{file}'").fetchall()
    ((value,),) = con.execute(shape.format(f=file, o=options)).fetchall()
    assert value == pytest.approx(expected, rel=0.05)


def test_a_filter_counts_what_it_leaves(con, folder):
    """WHERE applies to the rows of the blocks, and rows are scaled to those it leaves."""
    sql = "SELECT ndv(scattered, rate => 0.2, sampling => 'block') FROM '{}' WHERE scattered % 2 = 0"
    ((value,),) = con.execute(sql.format(folder / "plain.parquet")).fetchall()
    ((truth,),) = con.execute(f"SELECT count(DISTINCT scattered) FROM '{folder}/plain.parquet' WHERE scattered % 2 = 0")
    assert value == pytest.approx(truth, rel=0.3)


def test_parameters_name_files_and_options(con, folder):
    """A prepared statement may leave open which file, and at what rate."""
    sql = "SELECT ndv(runs, rate => ?, sampling => ?) FROM read_parquet(?)"
    ((value,),) = con.execute(sql, [0.1, "block", str(folder / "plain.parquet")]).fetchall()
    assert value == pytest.approx(20_000, rel=0.5)


def test_only_the_bytes_of_the_blocks_are_read(con, folder, tmp_path):
    """At 5 % of a file with many row groups at most 8 % of the column's bytes are read, footers aside."""
    file = tmp_path / "wide.parquet"
    values = np.random.default_rng(0).integers(0, 2**62, 2_000_000)
    parquet.write_table(pa.table({"x": values, "y": values}), file, row_group_size=10_000, use_dictionary=False)
    column = sum(parquet.read_metadata(file).row_group(at).column(0).total_compressed_size for at in range(200))
    sql = f"SELECT ndv(x, rate => 0.05, sampling => 'block') FROM '{file}'"
    before = _bytes_read()
    con.execute(f"SELECT ndv(x, rate => 0.000001, sampling => 'block') FROM '{file}'").fetchall()
    fewest = _bytes_read() - before
    before = _bytes_read()
    con.execute(sql).fetchall()
    assert _bytes_read() - before - fewest < 0.08 * column
    before = _bytes_read()
    con.execute(f"SELECT ndv(x, rate => 0.05) FROM '{file}'").fetchall()
    assert _bytes_read() - before > 0.9 * column


def _bytes_read() -> int:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        pytest.skip("this system does not say what a process reads")
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def test_explain_says_which_blocks(con, folder):
    """EXPLAIN shows blocks, rows, row groups and files, and none where metadata is enough."""
    sql = "EXPLAIN SELECT ndv({}, rate => 0.1, sampling => 'block') FROM '{}'"
    lines = {row[1]: row[2] for row in con.execute(sql.format("bursts", f"{folder}/part*.parquet")).fetchall()}
    assert "32 blocks of 40,000 of 400,000 rows" in lines["blocks"]
    assert "row groups in" in lines["blocks"]
    assert "of 8 files" in lines["blocks"]
    assert "in blocks" in lines["sample"]
    lines = {row[1]: row[2] for row in con.execute(sql.format("runs", f"{folder}/duck2048.parquet")).fetchall()}
    assert "metadata" in lines["blocks"]


@pytest.mark.parametrize("rows", [0, 1, 2, 31, 1_000])
def test_tiny_files(con, tmp_path, rows):
    """Files of few rows or none give an answer in range."""
    file = tmp_path / "tiny.parquet"
    con.execute(f"COPY (SELECT range AS x, 'v' || range AS s FROM range({rows})) TO '{file}'")
    for column in ("x", "s", "x + 1"):
        ((value,),) = con.execute(f"SELECT ndv({column}, rate => 0.5, sampling => 'block') FROM '{file}'").fetchall()
        assert 0 <= value <= rows
        assert bool(value) == bool(rows)


def test_a_file_that_changes_is_read_anew(con, tmp_path):
    """The footers of a file are those of the file as it is now."""
    file = tmp_path / "changing.parquet"
    for rows in (10, 20, 30):
        con.execute(f"COPY (SELECT range AS x FROM range({rows})) TO '{file}'")
        os.utime(file, (1_000_000_000, 1_000_000_000 + rows))
        sql = f"SELECT ndv(x, rate => 0.5, sampling => 'block') FROM '{file}'"
        assert con.execute(sql).fetchall() == [(rows,)]


def test_types_keep_their_meaning(con, tmp_path):
    """Values of other types count like count(DISTINCT x): -0.0 and 0.0 are one, and so are NaN."""
    file = tmp_path / "types.parquet"
    con.execute(
        "COPY (SELECT CASE range % 4 WHEN 0 THEN 0.0 WHEN 1 THEN -0.0 WHEN 2 THEN 'nan'::DOUBLE END AS f,"
        " (range % 9)::DECIMAL(9, 2) AS d, TIMESTAMP_MS '2024-01-01' + INTERVAL (range % 5) DAY AS t,"
        " [range % 3] AS l, {'a': range % 6} AS s, uuid() AS u FROM range(20_000)) TO '" + str(file) + "'"
    )
    sql = f"SELECT \"column\", estimate FROM ndv_report(TABLE '{file}', rate => 0.1, sampling => 'block')"
    found = dict(con.execute(sql).fetchall())
    assert found == {"f": 2, "d": 9, "t": 5, "l": 3, "s": 6, "u": found["u"]}
    assert found["u"] > 10_000


def test_a_part_of_a_column_is_not_a_column_of_its_name(con, tmp_path):
    """s.a is the field of the column s, whatever the column a holds; t.a is the column."""
    file = tmp_path / "parts.parquet"
    con.execute(f"COPY (SELECT 1 AS a, {{'a': range % 50}} AS s FROM range(20_000)) TO '{file}'")
    counts = "ndv(s.a, rate => 0.2, sampling => 'block'), ndv(t.a, rate => 0.2, sampling => 'block')"
    assert con.execute(f"SELECT {counts} FROM '{file}' AS t").fetchall() == [(50, 1)]


def test_several_samples_in_one_statement(con, folder, truth):
    """Blocks, single rows and a full scan beside each other."""
    counts = "ndv(one, rate => 0.1, sampling => 'block'), ndv(one, rate => 0.1), ndv(days), count(*)"
    found = con.execute(f"SELECT {counts} FROM '{folder}/plain.parquet'").fetchall()
    assert found == [(1, 1, truth["days"], ROWS)]


REFUSED = [
    ("SELECT ndv(x, rate => 0.1, sampling => 'block') FROM range(9) AS t(x)", NotSupportedError, "bernoulli"),
    ("SELECT ndv(a.x, rate => 0.1, sampling => 'block') FROM v AS a, v AS b", NotSupportedError, "joins"),
    ("SELECT ndv(x, rate => 0.1, sampling => 'block') FROM (SELECT DISTINCT x FROM v)", NotSupportedError, "merged"),
    ("SELECT ndv(x, rate => 0.1, sampling => 'block') FROM (SELECT x FROM v LIMIT 5)", NotSupportedError, "merged"),
    ("SELECT ndv(x, rate => 0.1, sampling => 'block') FROM v GROUP BY x", NotSupportedError, "per group"),
    ("SELECT ndv(filename, rate => 0.1, sampling => 'block') FROM '{f}'", NotSupportedError, "filename"),
    ("SELECT ndv(x, sampling => 'block') FROM v", ProgrammingError, "add a rate"),
    ("SELECT ndv(x, rate => 0.1, sampling => 'rows') FROM v", ProgrammingError, "'bernoulli' or 'block'"),
    ("SELECT ndv(x, rate => 0.1, sampling => 3) FROM v", ProgrammingError, "'bernoulli' or 'block'"),
    ("SELECT ndv(x, rate => 0.1, samplng => 'block') FROM v", ProgrammingError, "did you mean sampling"),
    ("SELECT ndv(x, rate => 0.1, sampling => 'block') FROM '{f}.none.parquet'", OperationalError, "No files"),
    ("SELECT * FROM ndv_report((SELECT x FROM v UNION SELECT x FROM v), rate => 0.1, sampling => 'block')",
     NotSupportedError, "joins"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "error", "words"), REFUSED)
def test_what_has_no_blocks_is_refused(con, tmp_path, sql, error, words):
    """The message names the option, or what cannot be read in blocks, and a way that works."""
    file = tmp_path / "one.parquet"
    con.execute(f"COPY (SELECT range AS x FROM range(10)) TO '{file}'")
    con.execute(f"CREATE VIEW v AS SELECT * FROM '{file}'")
    with pytest.raises(error, match=words):
        con.execute(sql.format(f=file)).fetchall()


def test_a_guess_is_refused(con, tmp_path):
    """A filter that leaves rows of three blocks leaves nothing to learn from."""
    file = tmp_path / "sorted.parquet"
    con.execute(f"COPY (SELECT (range // 500) * 7 % 4001 AS x, range AS i FROM range(2_000_000)) TO '{file}'")
    with pytest.raises(DataError, match="larger rate"):
        con.execute(f"SELECT ndv(x, rate => 0.01, sampling => 'block') FROM '{file}' WHERE i < 100_000").fetchall()


def test_bernoulli_is_the_default(con, folder):
    """sampling => 'bernoulli' changes nothing."""
    sql = f"SELECT ndv(scattered, rate => 0.1{{}}) FROM '{folder}/plain.parquet'"
    assert con.execute(sql.format("")).fetchall() == con.execute(sql.format(", sampling => 'bernoulli'")).fetchall()


def test_rate_one_counts(con, folder, truth):
    """rate => 1 is count(DISTINCT x), however it would be sampled."""
    sql = f"SELECT ndv(runs, rate => 1, sampling => 'block') FROM '{folder}/plain.parquet'"
    assert con.execute(sql).fetchall() == [(truth["runs"],)]


def test_a_view_may_count_in_blocks(con, folder):
    """The option is kept in a stored view."""
    con.execute(
        f"CREATE VIEW n AS SELECT ndv(runs, rate => 0.1, sampling => 'block') AS n FROM '{folder}/plain.parquet'"
    )
    ((value,),) = con.execute("SELECT n FROM n").fetchall()
    assert math.isclose(value, 20_000, rel_tol=0.5)


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("name", ["scattered", "runs", "bursts", "words", "gaps"])
def test_two_threads_answer_as_one(folder, name, rate):
    """Halves of a sample that are read side by side merge to what one thread would have made of it."""
    sql = f"SELECT ndv_interval({name}, rate => {rate}, sampling => 'block') FROM '{folder}/part*.parquet'"
    answers = []
    for threads in (1, 4):
        with paretosql.connect(threads=threads) as con:
            answers.append(con.execute(sql).fetchall())
    assert answers[0] == answers[1]
