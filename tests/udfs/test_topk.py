"""The k best: equal to sorting everything, whatever the sizes and ties."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.udfs.ranking import RankingQuality, mean_ranks
from paretosql.udfs.topk import best, first_open, open_before


def slow(scores, k):
    """Each row sorted by falling score, then column; -inf left out."""
    rows = []
    for row in scores.tolist():
        order = sorted((-value, at) for at, value in enumerate(row) if value > -np.inf)[:k]
        rows.append([(at, -value) for value, at in order])
    return rows


def told(scores, k):
    """The same of ours."""
    columns, values = best(scores, k)
    assert columns.shape == values.shape == (len(scores), min(k, scores.shape[1]))
    return [
        [(c, v) for c, v in zip(*each, strict=True) if c >= 0]
        for each in zip(columns.tolist(), values.tolist(), strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 6), st.integers(1, 400), st.integers(1, 60), st.sampled_from([1, 2, 5, 1000]), st.integers(0, 2**31)
)
def test_equal_to_sorting(rows, width, k, levels, seed):
    """With few different scores, with many, and with -inf among them."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (rows, width)).astype(np.float32)
    scores[rng.random(scores.shape) < rng.choice([0.0, 0.3, 0.99])] = -np.inf
    assert told(scores, k) == slow(scores, k)


def test_a_wide_matrix():
    """Where groups stand for scores, and the best sit together in one group."""
    rng = np.random.default_rng(0)
    scores = rng.random((5, 20_000)).astype(np.float32)
    scores[:, 700:740] += 5
    assert told(scores, 10) == slow(scores, 10)


@given(st.integers(0, 6), st.integers(1, 30), st.integers(1, 8), st.floats(0, 1), st.integers(0, 2**31))
def test_first_open_places(rows, width, k, share, seed):
    """Equal to looking from the first place on, in whatever order the taken ones are told."""
    rng = np.random.default_rng(seed)
    taken = rng.random((rows, width)) < share
    row, place = np.nonzero(taken)
    before = open_before(row, place.astype(np.int32), rows)
    order = rng.permutation(len(row))
    found = first_open(row[order], before[order], (rows, width), k)
    assert found.shape == (rows, min(k, width))
    for at in range(rows):
        assert [each for each in found[at] if each < width] == np.flatnonzero(~taken[at])[:k].tolist()


def test_auc_of_items_that_tie_with_each_other():
    """Two held out items of equal score above all others are above all others."""
    quality = RankingQuality(10)
    scores = np.array([3, 3, 1, 1, 1], dtype=np.float32)
    quality.add(mean_ranks(scores, np.array([0, 1])), 5)
    quality.add(mean_ranks(scores, np.array([3, 4])), 5)
    assert dict(quality.metrics())["auc"] == (1.0 + 0.5 / 3) / 2
