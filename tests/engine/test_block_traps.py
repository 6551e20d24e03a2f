"""Files in which blocks or metadata would mislead: the answer or its range holds the truth, or it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import paretosql
from paretosql.engine.row_groups import BLOCK, Piece, read_footers, read_pieces

HALF = "rate => 0.5, sampling => 'block'"


def interval(con: paretosql.Connection, call: str, source: str) -> dict:
    """The range that a call gives over a source."""
    (found,) = con.execute(f"SELECT ndv_interval({call}) FROM {source}").fetchone()
    return found


def write(path: Path, column: object, size: int = 1_000, **options: object) -> str:
    parquet.write_table(pa.table({"x": column}), path, row_group_size=size, **options)
    return f"'{path}'"


def categories(used: int, known: int) -> pa.Array:
    """A column of which a dictionary knows more than it uses, as filtered categorical columns do."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.arange(5_000) % used), pa.array([f"u{at}" for at in range(known)])
    )


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(categories(2, 60), id="unused entries"),
        pytest.param(categories(1, 4), id="a constant"),
        pytest.param(pa.array([0.0, -0.0, 1.0, 2.0] * 1_000), id="zeros"),
        pytest.param(
            pa.array(np.frombuffer(np.array([0x7FF8000000000000, 0x7FF8000000000001] * 500).tobytes())), id="NaN"
        ),
    ],
)
def test_dictionaries_bound_from_above_only(con, tmp_path, column):
    """Entries that no row uses, or that are equal, are not counted."""
    source = write(tmp_path / "d.parquet", column)
    truth = con.execute(f"SELECT count(DISTINCT x) FROM {source}").fetchone()[0]
    assert con.execute(f"SELECT ndv(x, {HALF}) FROM {source}").fetchone()[0] == truth


def test_an_enum_is_not_its_type(con, tmp_path):
    """An ENUM of five members of which two occur has two values."""
    file = tmp_path / "enum.parquet"
    con.execute(
        f"COPY (SELECT (['a','b'][1 + range % 2])::ENUM('a','b','c','d','e') AS x FROM range(9000)) TO '{file}'"
    )
    assert con.execute(f"SELECT ndv(x, {HALF}) FROM '{file}'").fetchone()[0] == 2


def test_columns_renamed_by_place_are_refused(con, tmp_path):
    """With other names by their place a column would be looked up under the wrong one."""
    parquet.write_table(pa.table({"y": [1] * 100, "x": np.arange(100)}), tmp_path / "a.parquet")
    with pytest.raises(paretosql.NotSupportedError, match="Hint"):
        con.execute(f"SELECT ndv(x, {HALF}) FROM '{tmp_path / 'a.parquet'}' AS p(x, y)")


def test_files_of_different_types_are_not_judged_by_their_metadata(con, tmp_path):
    """BOOLEAN beside BIGINT is compared as BOOLEAN: two values, whatever the ranges say."""
    write(tmp_path / "1.parquet", pa.array([True, False] * 500))
    write(tmp_path / "2.parquet", pa.array(np.arange(1_000) % 100))
    source = f"read_parquet(['{tmp_path / '1.parquet'}', '{tmp_path / '2.parquet'}'])"
    assert con.execute(f"SELECT count(DISTINCT x) FROM {source}").fetchone()[0] == 2
    try:
        found = con.execute(f"SELECT ndv(x, {HALF}) FROM {source}").fetchone()[0]
    except paretosql.Error as refused:
        assert "Hint" in str(refused)
    else:
        assert found == 2


def test_names_with_dots_are_names(con, tmp_path):
    """A column called a.b is no part of a column a."""
    table = pa.table({"a.b": np.arange(50_000) % 1_000, "a": np.arange(50_000)})
    parquet.write_table(table, tmp_path / "dots.parquet", row_group_size=1_000)
    found = interval(con, f'"a.b", {HALF}', f"'{tmp_path / 'dots.parquet'}'")
    assert found["lower"] <= 1_000 <= found["upper"]


def test_dates_beyond_python_are_values(con, tmp_path):
    """Infinite and very old dates have no Python form; they are counted all the same."""
    file = tmp_path / "old.parquet"
    con.execute(
        "COPY (SELECT CASE range % 3 WHEN 0 THEN 'infinity'::DATE WHEN 1 THEN DATE '0044-03-15 (BC)'"
        f" ELSE DATE '2024-01-01' END AS x FROM range(9000)) TO '{file}'"
    )
    assert con.execute(f"SELECT ndv(x, {HALF}) FROM '{file}'").fetchone()[0] == 3


@pytest.fixture
def days(tmp_path: Path) -> str:
    """A hundred days of 2,000 rows each, stored in order, a row group a day, all values different."""
    random = np.random.default_rng(1)
    table = pa.table({"day": np.arange(200_000) // 2_000, "u": random.permutation(200_000)})
    parquet.write_table(table, tmp_path / "days.parquet", row_group_size=2_000)
    return f"'{tmp_path / 'days.parquet'}'"


def test_no_row_of_a_filter_is_no_answer(con, days):
    """Where no drawn block holds a day, its values are unknown, and not none."""
    unknown = 0
    for seed in range(6):
        found = interval(con, f"u, rate => 0.1, sampling => 'block', seed => {seed}", f"{days} WHERE day = 57")
        assert found["lower"] <= 2_000 <= found["upper"]
        assert "TOO_FEW_BLOCKS" in found["warnings"]
        unknown += found["estimate"] is None
    assert unknown > 0


def test_ranges_know_that_the_filtered_rows_are_a_guess(con, days):
    """How many rows a filter leaves is estimated from the blocks, and the range says so in 9 of 10 draws."""
    held = 0
    for seed in range(10):
        call = f"u, rate => 0.4, sampling => 'block', seed => {seed}"
        found = interval(con, call, f"{days} WHERE day BETWEEN 40 AND 66")
        held += found["lower"] <= 54_000 <= found["upper"]
    assert held >= 9


def test_alternating_stretches_are_clustered(con, tmp_path):
    """Constant stretches between unique ones have as many values per block, on average, as a random order would."""
    at = np.arange(200_000)
    source = write(tmp_path / "mixed.parquet", pa.array(np.where((at // 20_000) % 2 == 0, 0, at)), 2_000)
    held = 0
    for seed in range(6):
        found = interval(con, f"x + 0, rate => 0.3, sampling => 'block', seed => {seed}", source)
        assert "CLUSTERED_SAMPLE" in found["warnings"]
        held += found["lower"] <= 100_001 <= found["upper"]
    assert held >= 5


def test_large_samples_know_the_error_of_their_sketch(con, tmp_path):
    """Of a key, 200,000 sampled rows are kept as 65,536 hashes; the range has room for what that costs."""
    source = write(tmp_path / "key.parquet", pa.array(np.random.default_rng(2).permutation(1_000_000)), 10_000)
    held = 0
    for seed in range(8):
        found = interval(con, f"x + 0, rate => 0.2, sampling => 'block', seed => {seed}", source)
        held += found["lower"] <= 1_000_000 <= found["upper"]
    assert held >= 7


def test_an_alias_behind_a_star_is_another_column(con, tmp_path):
    """A subquery may give a name twice; the first one counts, the star's, and metadata must know."""
    at = np.arange(60_000)
    source = tmp_path / "twice.parquet"
    parquet.write_table(pa.table({"x": at, "y": at % 7}), source, row_group_size=2_000)
    for inner in ("*, y AS x", "*, y AS X", "* EXCLUDE (y), y AS x"):
        query = f"SELECT ndv(x, rate => 0.5, sampling => 'block') FROM (SELECT {inner} FROM '{source}')"
        assert con.sql(query).fetchall()[0][0] > 50_000


def test_row_groups_unlike_the_sample_are_named(con, tmp_path):
    """A stretch of unique values that no block is from: its bytes give it away, and the range reaches up to it."""
    at = np.arange(1_000_000)
    rare = np.where((at >= 333_333) & (at < 353_333), at * 7919, at * 31 % 100)
    source = write(tmp_path / "rare.parquet", pa.array(rare), 10_000)
    for seed in range(8):
        found = interval(con, f"x, rate => 0.01, sampling => 'block', seed => {seed}", source)
        assert {"UNLIKE_BLOCKS", "CLUSTERED_SAMPLE"} & set(found["warnings"])
        assert found["lower"] <= 20_100 <= found["upper"]


def test_a_row_group_is_read_up_to_its_last_block(con, tmp_path):
    """One large row group: the rows of its blocks are those of the file, wherever decoding is cut."""
    source = write(tmp_path / "large.parquet", pa.array(np.arange(400_000) // 4), 400_000)
    found = interval(con, "x + 0, rate => 0.2, sampling => 'block'", source)
    assert found["lower"] <= 100_000 <= found["upper"]
    footers = read_footers([str(tmp_path / "large.parquet")])
    schema = pa.schema([("x", pa.int64())])
    pieces = [
        Piece(footers.paths[0], 0, start, stop) for start, stop in ((5, 9), (131_070, 131_075), (262_144, 262_145))
    ]
    read = read_pieces(pieces, footers, schema).read_all()
    assert read.column("x").to_pylist() == [row // 4 for row in (5, 6, 7, 8, *range(131_070, 131_075), 262_144)]
    assert read.column(BLOCK).to_pylist() == [0] * 4 + [1] * 5 + [2]


def test_nothing_sampled_of_a_sparse_column_is_a_warning(con, tmp_path):
    """A column with five values that no block is likely to meet has no answer, and says why."""
    column = [None] * 100_000
    column[70_001:70_006] = [1, 2, 3, 4, 5]
    source = write(tmp_path / "sparse.parquet", pa.array(column, pa.int64()), 2_000)
    found = interval(con, "x, rate => 0.001, sampling => 'block'", source)
    assert found["estimate"] is None
    assert "TOO_FEW_BLOCKS" in found["warnings"]
    assert found["upper"] == 5
