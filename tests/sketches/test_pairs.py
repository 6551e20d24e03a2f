"""Sorting and counting of (group, hash) pairs agrees with sorting and counting in Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.sketches import pairs

# Hashes that agree in many leading bits, so that the packed sort has runs to put right.
WORDS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 5), st.integers(2**63, 2**63 + 5))
ROWS = st.lists(st.tuples(st.integers(0, 4), WORDS), max_size=60)


@given(ROWS)
def test_order_is_that_of_python(rows):
    """Rows come out sorted by rank, then by hash."""
    ranks, words = np.array([r for r, _ in rows], np.intp), np.array([w for _, w in rows], np.uint64)
    order, ordered_ranks, ordered = pairs.order_pairs(ranks, words, 5)
    assert ordered_ranks.tolist() == ranks[order].tolist()
    assert list(zip(ranks[order].tolist(), ordered.tolist(), strict=True)) == sorted(rows)
    assert sorted(order.tolist()) == list(range(len(rows)))


@pytest.mark.parametrize("groups", [1, 7, 2**20, 2**50])
def test_order_with_few_and_many_groups(groups):
    """However many bits the ranks take, the order is that of lexsort, also where hashes share their leading bits."""
    rng = np.random.default_rng(groups)
    ranks = rng.integers(0, groups, 20_000)
    ranks[10_000:] = ranks[0]
    words = rng.integers(0, 2**64, 20_000, dtype=np.uint64) & np.uint64(0xFF000000000000FF)
    order, ordered_ranks, ordered = pairs.order_pairs(ranks, words, groups)
    expected = np.lexsort((words, ranks))
    assert np.array_equal(ordered_ranks, ranks[expected])
    assert np.array_equal(ranks[order], ranks[expected])
    assert np.array_equal(ordered, words[expected])
    assert np.array_equal(ordered, words[order])


@given(st.lists(WORDS, max_size=60))
def test_dense_numbers_ids_in_their_order(ids):
    """Ids are numbered by their place among the distinct ids, small or large."""
    distinct, ranks = pairs.dense(np.array(ids, np.uint64))
    assert distinct.tolist() == sorted(set(ids))
    assert [distinct.tolist()[rank] for rank in ranks] == ids


@given(ROWS, st.data())
def test_collapse_counts_pairs(rows, data):
    """Equal pairs become one, with their counts added up, and sizes say how many each group has."""
    weights = data.draw(st.none() | st.lists(st.integers(1, 9), min_size=len(rows), max_size=len(rows)))
    expected: Counter[tuple[int, int]] = Counter()
    for row, weight in zip(rows, weights or [1] * len(rows), strict=True):
        expected[row] += weight
    ranks, words = np.array([r for r, _ in rows], np.intp), np.array([w for _, w in rows], np.uint64)
    counts = None if weights is None else np.array(weights, np.int64)
    sizes, keys, totals = pairs.collapse(ranks, words, counts, 6)
    assert sizes.tolist() == [sum(rank == group for rank, _ in expected) for group in range(6)]
    assert keys.tolist() == [word for _, word in sorted(expected)]
    assert totals.tolist() == [expected[pair] for pair in sorted(expected)]
