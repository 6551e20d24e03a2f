"""Bounds from metadata: never wrong, and tight where the writer left enough."""

from __future__ import annotations

import datetime
import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from paretosql.engine.dictionary_pages import dictionary_sizes, entries_of
from paretosql.engine.parquet_bounds import known_of
from paretosql.engine.row_groups import read_footers

DAY = datetime.date(2024, 1, 1)
VALUES = st.one_of(
    st.lists(st.none() | st.integers(-50, 50)),
    st.lists(st.none() | st.booleans()),
    st.lists(st.none() | st.dates(DAY, DAY + datetime.timedelta(60))),
    st.lists(st.none() | st.text("ab", max_size=3)),
    st.lists(st.none() | st.floats(allow_nan=True)),
    st.lists(st.none() | st.decimals(-5, 5, places=1)),
    st.lists(st.none() | st.binary(max_size=2)),
)


def known(*files, column="x", filtered=False):
    with duckdb.connect() as con:
        return known_of(read_footers([str(each) for each in files]), column, con, filtered=filtered)


def is_nan(value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def distinct(values) -> int:
    """What count(DISTINCT x) says: NaN is one value, and so are 0.0 and -0.0."""
    return len({"nan" if is_nan(value) else value for value in values if value is not None})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(VALUES, st.integers(1, 20), st.booleans(), st.booleans())
def test_bounds_hold_the_truth(tmp_path, values, size, dictionary, in_order):
    """Whatever the values, their order, the row groups and the encoding."""
    if in_order:
        values = sorted(each for each in values if each is not None and not is_nan(each))
    file = tmp_path / "x.parquet"
    column = pa.array(values) if any(each is not None for each in values) else pa.array(values, pa.int32())
    parquet.write_table(pa.table({"x": column}), file, row_group_size=size, use_dictionary=dictionary)
    found = known(file)
    assert found.lower <= distinct(values) <= found.upper
    assert found.rows is None or found.rows == sum(each is not None for each in values)
    part = known(file, filtered=True)
    assert part.lower == 0
    assert part.upper == found.upper


@pytest.mark.parametrize("writer", ["duckdb", "arrow"])
def test_a_sorted_column_is_counted_by_its_metadata(tmp_path, writer):
    """Row groups that do not overlap, with dictionaries: borders are shared, and the bounds meet where the dictionaries
    are known to hold nothing else, which is so for DuckDB's.
    """
    file = tmp_path / "sorted.parquet"
    with duckdb.connect() as con:
        if writer == "duckdb":
            con.execute(f"COPY (SELECT range // 30 AS x FROM range(60_000)) TO '{file}' (ROW_GROUP_SIZE 2048)")
        else:
            parquet.write_table(
                con.sql("SELECT range // 30 AS x FROM range(60_000)").to_arrow_table(), file, row_group_size=2048
            )
    found = known(file)
    assert (found.rows, found.upper, found.disjoint) == (60_000, 2_000, True)
    assert found.lower == 2_000 if writer == "duckdb" else 30 <= found.lower <= 2_000


def test_ranges_bound_whole_numbers(tmp_path):
    """Random values without a dictionary: as many as fit between the smallest and the largest."""
    file = tmp_path / "random.parquet"
    values = np.random.default_rng(0).integers(100, 200, 10_000)
    parquet.write_table(pa.table({"x": values}), file, row_group_size=1_000, use_dictionary=False)
    found = known(file)
    assert found.upper == 100
    assert not found.disjoint


def test_a_dictionary_that_was_given_up_bounds_nothing(tmp_path):
    """A writer that leaves its dictionary when it grows too large has counted a part of the values."""
    file = tmp_path / "given_up.parquet"
    values = np.random.default_rng(0).permutation(200_000) * 1_000
    parquet.write_table(pa.table({"x": values}), file, dictionary_pagesize_limit=80_000)
    found = known(file)
    assert found.lower <= 200_000 <= found.upper


def test_several_files_add_up(tmp_path):
    """Files of one day each: the sum of their values."""
    for at in range(3):
        duckdb.execute(f"COPY (SELECT {at * 100} + range // 5 AS x FROM range(500)) TO '{tmp_path / f'{at}.parquet'}'")
    found = known(*sorted(tmp_path.glob("*.parquet")))
    assert (found.rows, found.lower, found.upper) == (1500, 300, 300)


def test_nothing_is_known_of_parts(tmp_path):
    """Columns with parts have no bounds, and a column that no file has is empty."""
    file = tmp_path / "nested.parquet"
    parquet.write_table(pa.table({"x": [{"a": 1}, {"a": 2}], "l": [[1], [2]]}), file)
    assert known(file).upper == known(file, column="l").upper == float("inf")


@pytest.mark.parametrize("values", [1, 2, 100, 70_000])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
@pytest.mark.parametrize("page", ["1.0", "2.0"])
def test_dictionary_headers_are_read(tmp_path, values, version, page):
    """The entries of a dictionary are the distinct values of its chunk, for all forms of the header."""
    file = tmp_path / "d.parquet"
    column = pa.array(np.arange(100_000) % values).cast(pa.string())
    parquet.write_table(pa.table({"x": column}), file, version=version, data_page_version=page)
    chunk = parquet.read_metadata(file).row_group(0).column(0)
    assert dictionary_sizes([(str(file), 0, chunk)]) == [values]


@given(st.binary(max_size=40))
def test_other_bytes_are_no_header(data):
    """Bytes of anything give a number or None, never an error."""
    assert entries_of(data) is None or isinstance(entries_of(data), int)


def test_shared_borders_are_taken_off(tmp_path):
    """Even numbers in runs of thirty: ranges have room for twice as many, dictionaries tell, borders count once."""
    file = tmp_path / "even.parquet"
    duckdb.execute(f"COPY (SELECT range // 30 * 2 AS x FROM range(60_000)) TO '{file}' (ROW_GROUP_SIZE 2048)")
    found = known(file)
    assert (found.lower, found.upper) == (2_000, 2_000)
    assert known(file, filtered=True).rows is None
