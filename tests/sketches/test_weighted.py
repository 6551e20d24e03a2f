"""Weighted sums over distinct values: exact while small, the same however the rows are split, unbiased when sampled."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches.weighted import WeightedSketch

row = st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 12)), st.integers(-5, 5).map(lambda w: w / 2))


def sketch(rows, capacity=65_536) -> WeightedSketch:
    groups = np.array([g for g, _, _ in rows], np.uint64)
    weights = np.array([w for _, _, w in rows], np.float64)
    return WeightedSketch(capacity).update(groups, pa.array([x for _, x, _ in rows], pa.int64()), weights)


def truth(rows, key) -> dict[int, float]:
    """By group, the sum over its distinct values of the largest weight of each."""
    largest: dict[tuple[int, int], float] = {}
    for g, x, w in rows:
        if x is not None:
            largest[key(g), x] = max(w, largest.get((key(g), x), -math.inf))
    sums: dict[int, float] = {}
    for (g, _), w in largest.items():
        sums[g] = sums.get(g, 0.0) + w
    return sums


def found(state: WeightedSketch) -> dict[int, float]:
    return dict(zip(state.groups().tolist(), state.sums().tolist(), strict=True))


@given(st.lists(row, max_size=60))
def test_small_groups_are_exact(rows):
    """Every distinct value of a group counts once, with the largest of its weights; NULL does not count."""
    assert found(sketch(rows)) == pytest.approx(truth(rows, lambda g: g))
    assert sketch(rows).deviations().tolist() == [0.0] * len(truth(rows, lambda g: g))


@given(st.lists(st.lists(row, max_size=30), min_size=1, max_size=4), st.sampled_from([1, 3, 65_536]))
def test_parts_merge_to_the_same_bytes(parts, capacity):
    """However the rows are split, ordered and sent, the merged sketch is the one of all rows."""
    whole = sketch([each for part in parts for each in part][::-1], capacity)
    merged = WeightedSketch(capacity)
    for part in parts:
        merged.merge(WeightedSketch.from_bytes(sketch(part, capacity).to_bytes()))
    assert merged.to_bytes() == whole.to_bytes()


@given(st.lists(row, max_size=60), st.sampled_from([2, 65_536]))
def test_groups_merge_to_coarser_ones(rows, capacity):
    """Regrouping gives the sketch of the coarser groups."""
    fine = np.arange(5, dtype=np.uint64)
    coarse = sketch([(g // 2, x, w) for g, x, w in rows], capacity)
    assert sketch(rows, capacity).regroup(fine, fine // np.uint64(2)).to_bytes() == coarse.to_bytes()


def test_sampled_sums_are_unbiased_and_know_their_error():
    """Over 200 seeds the mean is the truth within its own error, and the standard error describes the spread."""
    weights = np.random.default_rng(1).lognormal(0, 1, 4_000)
    values = pa.array(np.repeat(np.arange(4_000), 2))
    ones, twice = np.zeros(8_000, np.uint64), np.repeat(weights, 2)
    made = [WeightedSketch(500, seed).update(ones, values, twice) for seed in range(200)]
    errors = np.array([each.sums()[0] for each in made]) - weights.sum()
    claimed = np.array([each.deviations()[0] for each in made])
    assert abs(errors.mean()) < 4 * errors.std() / math.sqrt(200)
    assert 0.85 < errors.std() / math.sqrt(np.mean(claimed**2)) < 1.15


def test_many_groups_share_a_budget():
    """The capacity of all groups halves before their entries outgrow the budget, and the sums stay near the truth."""
    values = np.arange(3_000_000)
    made = WeightedSketch(20_000).update((values % 120).astype(np.uint64), values, np.ones(3_000_000))
    assert made.sampled().max() < 1
    assert np.abs(made.sums() / 25_000 - 1).max() < 0.05


def test_wrong_arguments_are_explained():
    """Lengths, seeds, kinds and missing groups."""
    one = np.zeros(1, np.uint64)
    with pytest.raises(ProgrammingError, match="do not fit 2 rows"):
        WeightedSketch().update(one, pa.array([1, 2]), np.ones(2))
    with pytest.raises(ProgrammingError, match="cannot merge a str"):
        WeightedSketch().merge("x")
    with pytest.raises(DataError, match="seed 0 and seed 1"):
        WeightedSketch().merge(WeightedSketch(seed=1))
    with pytest.raises(DataError, match="no coarse group"):
        sketch([(3, 1, 1.0)]).regroup(one, one)


def test_damaged_bytes_are_refused():
    """A sketch that was cut, changed or is of another kind raises DataError."""
    data = sketch([(1, 2, 3.0), (2, 3, 1.0)]).to_bytes()
    for broken in (data[:20], data[:-9], data[:40] + b"\x07" + data[41:], b"NDVP" + data[4:], b""):
        with pytest.raises(DataError):
            WeightedSketch.from_bytes(broken)
