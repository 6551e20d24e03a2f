"""Block samples: the statistics of blocks, their merge, and the test for clusters."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches.blocks import MOST_VALUES, Blocks, BlockSample

COLUMN = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 12)), max_size=60)


def sampled(rows, seed=0) -> BlockSample:
    """A sample of (block, value) rows in the order of their blocks."""
    rows = sorted(rows, key=lambda row: row[0])
    values = pa.array([value for _, value in rows], pa.int64())
    return BlockSample(seed).update(values, np.array([block for block, _ in rows], np.int64))


def same(left: Blocks, right: Blocks) -> bool:
    return (left.rows.tolist(), left.distinct.tolist(), left.by_row, left.by_block, left.changes) == (
        right.rows.tolist(),
        right.distinct.tolist(),
        right.by_row,
        right.by_block,
        right.changes,
    )


@given(COLUMN)
def test_small_samples_are_counted_exactly(rows):
    """Rows, distinct values per block and both profiles are those of a count in plain Python; NULL rows are none."""
    known = sorted(((block, value) for block, value in rows if value is not None), key=lambda row: row[0])
    found = sampled(rows).summary()
    sizes = Counter(block for block, _ in known)
    pairs = set(known)
    assert found.rows.tolist() == [sizes[block] for block in sorted(sizes)]
    assert found.distinct.tolist() == [sum(block == own for own, _ in pairs) for block in sorted(sizes)]
    assert found.by_row == Counter(Counter(value for _, value in known).values())
    assert found.by_block == Counter(Counter(value for _, value in pairs).values())
    neighbours = itertools.pairwise(known)
    assert found.changes == sum(left[0] == right[0] and left[1] != right[1] for left, right in neighbours)


@given(COLUMN, st.integers(1, 7))
def test_batches_do_not_matter(rows, size):
    """Rows that come in small batches give the same statistics."""
    ordered = sorted(rows, key=lambda row: row[0])
    sample = BlockSample()
    for at in range(0, len(ordered), size):
        part = ordered[at : at + size]
        sample.update(pa.array([value for _, value in part], pa.int64()), np.array([block for block, _ in part]))
    assert same(sample.summary(), sampled(rows).summary())


@given(COLUMN)
def test_merged_parts_equal_the_whole(rows):
    """Blocks seen in two places and merged, after a way through bytes, count like blocks seen in one."""
    even = sampled([row for row in rows if row[0] % 2 == 0])
    odd = sampled([row for row in rows if row[0] % 2])
    merged = BlockSample.from_bytes(even.to_bytes()).merge(BlockSample.from_bytes(odd.to_bytes()))
    assert same(merged.summary(), sampled(rows).summary())


def test_large_samples_stay_small_and_close():
    """Beyond 65,536 values the statistics are estimates with an error below 2 %, the same for one or two parts."""
    values = np.random.default_rng(5).integers(0, 300_000, 600_000)
    blocks = np.arange(600_000) // 20_000
    whole = BlockSample().update(values, blocks)
    left, right = BlockSample().update(values[:200_000], blocks[:200_000]), BlockSample()
    right.update(values[200_000:], blocks[200_000:])
    found = whole.summary()
    assert found.by_row == left.merge(right).summary().by_row
    assert found.kept < 1
    assert sum(found.by_block.values()) == pytest.approx(len(np.unique(values)), rel=0.02)
    pairs = sum(len(np.unique(values[blocks == at])) for at in range(30))
    assert found.distinct.sum() == pytest.approx(pairs, rel=0.02)
    assert len(whole.to_bytes()) < 48 * MOST_VALUES


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("values", [50, 5_000, 500_000])
def test_random_order_is_no_cluster(values, seed):
    """Whatever the number of values, rows in random order pass the test."""
    rng = np.random.default_rng(seed)
    found = BlockSample().update(rng.integers(0, values, 60_000), np.arange(60_000) // 2_000).summary()
    assert not found.clustered
    assert found.order == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("column", "runs"),
    [
        (lambda rows: rows // 20, True),
        (lambda rows: np.random.default_rng(1).permutation(30_000).repeat(2)[rows], True),
        (lambda rows: rows // 6_000 * 1_000 + np.random.default_rng(1).integers(0, 4_000, len(rows)), False),
    ],
    ids=["sorted", "pairs", "drifting"],
)
def test_clusters_are_noticed(column, runs):
    """Sorted rows, pairs in random order, and values that come and go; only the first two lie side by side."""
    rows = np.arange(60_000)
    found = BlockSample().update(column(rows), rows // 2_000).summary()
    assert found.clustered
    assert found.in_runs == runs


def test_what_does_not_fit_is_refused():
    """Blocks of another length, other seeds, a block in both parts, and bytes of something else."""
    one = sampled([(0, 1)])
    with pytest.raises(ProgrammingError, match="2 values"):
        BlockSample().update(np.array([1, 2]), np.array([0]))
    with pytest.raises(DataError, match="do not merge"):
        one.merge(sampled([(1, 1)], seed=1))
    with pytest.raises(DataError, match="do not merge"):
        one.merge(sampled([(0, 2)]))
    with pytest.raises(DataError, match="no block sample"):
        BlockSample.from_bytes(b"NDVP")


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint32(), pa.int64(), pa.date32(), pa.timestamp("us")])
def test_runs_of_numbers_are_what_their_rows_are(kind):
    """Equal numbers side by side are hashed once; the state is that of the same rows as a dictionary, hashed each."""
    numbers = np.repeat(np.array([3, 4, 3, 7, 7, 9, 3]), [9, 1, 30, 5, 5, 2, 40])
    blocks = np.repeat([0, 1, 2], [20, 52, 20])
    plain = pa.array(numbers, pa.int64()).cast(pa.int32() if kind == pa.date32() else kind).cast(kind)
    encoded = BlockSample().update(plain.dictionary_encode(), blocks)
    assert BlockSample().update(plain, blocks).to_bytes() == encoded.to_bytes()
    assert BlockSample().update(plain[:31], blocks[:31]).update(plain[31:], blocks[31:]).rows == 92
