"""ProfileSketch: exact when small, right on average when large, and the same whatever way the rows are split."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, NotSupportedError, ProgrammingError
from paretosql.sketches import ndvp, profile
from paretosql.sketches.profile import ProfileSketch

ROWS = st.lists(st.none() | st.integers(0, 60), max_size=120)
TEXTS = st.lists(st.none() | st.text("ab\0é", max_size=12), max_size=60)
CAPACITIES = st.integers(1, 40)


def sketch_of(rows, capacity=65_536, kind=None) -> ProfileSketch:
    return ProfileSketch(capacity).update(pa.array(rows, kind or pa.int64()))


def profile_of(rows) -> dict[int, int]:
    """The true profile, counted by Python."""
    return dict(sorted(Counter(Counter(each for each in rows if each is not None).values()).items()))


@given(TEXTS)
def test_small_sketches_are_exact(rows):
    """While the values fit, distinct, profile and rows are those that Python counts, and the error is 0."""
    sketch = sketch_of(rows, kind=pa.string())
    known = [each for each in rows if each is not None]
    assert sketch.distinct() == len(set(known))
    assert sketch.profile() == profile_of(rows)
    assert sketch.rows == len(known)
    assert (sketch.exact, sketch.theta, sketch.rse()) == (True, 2**64, 0.0)


@given(ROWS, CAPACITIES, st.data())
def test_batches_and_order_do_not_matter(rows, capacity, data):
    """The same rows in any order and any batches give the same bytes."""
    whole = sketch_of(rows, capacity)
    mixed = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    parts = ProfileSketch(capacity)
    for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        parts.update(pa.array(mixed[start:stop], pa.int64()))
        if data.draw(st.booleans()):
            parts.distinct()  # reading in between must not change anything
    assert parts.to_bytes() == whole.to_bytes()


@given(ROWS, ROWS, ROWS, CAPACITIES)
def test_merging_is_adding_rows(a, b, c, capacity):
    """Merging is associative and commutative, and equals one sketch of all rows."""
    whole = sketch_of(a + b + c, capacity).to_bytes()
    left = sketch_of(a, capacity).merge(sketch_of(b, capacity)).merge(sketch_of(c, capacity))
    right = sketch_of(c, capacity).merge(sketch_of(b, capacity).merge(sketch_of(a, capacity)))
    assert left.to_bytes() == right.to_bytes() == whole


@given(ROWS, ROWS, CAPACITIES, CAPACITIES)
def test_different_capacities_merge_to_the_smaller(a, b, small, large):
    """Sketches of two capacities merge, either way round, to the sketch of all rows with the smaller one."""
    if not any(each is not None for each in a) or not any(each is not None for each in b):
        return  # covered by the identity below
    expected = sketch_of(a + b, min(small, large)).to_bytes()
    assert sketch_of(a, small).merge(sketch_of(b, large)).to_bytes() == expected
    assert sketch_of(b, large).merge(sketch_of(a, small)).to_bytes() == expected


@given(ROWS.filter(any), CAPACITIES, CAPACITIES)
def test_a_sketch_without_rows_is_the_identity(rows, capacity, other):
    """Merging a sketch that has seen no value changes nothing, whatever its capacity, either way round."""
    expected = sketch_of(rows, capacity).to_bytes()
    assert sketch_of(rows, capacity).merge(sketch_of([None], other)).to_bytes() == expected
    assert sketch_of([], other).merge(sketch_of(rows, capacity)).to_bytes() == expected


@given(ROWS, ROWS, CAPACITIES)
def test_merging_leaves_the_other_alone(a, b, capacity):
    """`merge` returns the first sketch and changes only that."""
    first, second = sketch_of(a, capacity), sketch_of(b, capacity)
    before = second.to_bytes()
    assert first.merge(second) is first
    first.update(pa.array([1, 2, 3]))
    assert second.to_bytes() == before


@given(ROWS, CAPACITIES)
def test_what_is_kept_are_the_smallest_hashes(rows, capacity):
    """The kept keys are the smallest distinct hashes, theta is the next one, and their counts are true."""
    words, valid = profile.hash64(pa.array(rows, pa.int64()))
    counts = Counter(words.tolist() if valid is None else words[valid].tolist())
    ordered = sorted(counts)
    record = ndvp.decode(sketch_of(rows, capacity).to_bytes())
    assert record.entries[0].tolist() == ordered[:capacity]
    assert record.entries[1].tolist() == [counts[key] for key in ordered[:capacity]]
    assert record.theta == (ordered[capacity] if len(ordered) > capacity else 2**64)


def test_many_small_and_few_large_batches_agree():
    """Batches below, at and above the buffer sizes give one sketch, for rows that overflow all buffers."""
    values = np.random.default_rng(5).integers(0, 50_000, 2 * profile.PENDING_ROWS + 12_345)
    expected = ProfileSketch(1_000).update(values).to_bytes()
    for size in (2_048, 122_880, profile.SLICE_ROWS, profile.PENDING_ROWS + 1):
        sketch = ProfileSketch(1_000)
        for start in range(0, len(values), size):
            sketch.update(values[start : start + size])
        assert sketch.to_bytes() == expected
    chunked = pa.chunked_array([values[:100_000], values[100_000:]])
    assert ProfileSketch(1_000).update(chunked).to_bytes() == expected


def test_update_copies_what_it_keeps():
    """An array that is overwritten after `update` returned does not change the sketch."""
    values = np.arange(100)
    sketch = ProfileSketch().update(values)
    values[:] = 0
    assert sketch.distinct() == 100


SEEDS = range(40)
CAPACITY = 400


@pytest.fixture(scope="module")
def large() -> list[ProfileSketch]:
    """Sketches under 40 seeds of 30,000 values: 18,000 once, 9,000 twice, 3,000 three times."""
    values = np.concatenate([np.arange(30_000), np.arange(12_000), np.arange(3_000)])
    return [ProfileSketch(CAPACITY, seed).update(values) for seed in SEEDS]


def test_distinct_is_unbiased_with_the_error_it_states(large):
    """Over seeds, distinct() scatters around the truth with its rse, and not more: checked to five standard errors."""
    errors = np.array([(sketch.distinct() / 30_000 - 1) / sketch.rse() for sketch in large])
    assert abs(errors.mean()) < 5 / math.sqrt(len(errors))
    assert 0.5 < errors.std() < 1.6
    assert large[0].rse() == pytest.approx(1 / math.sqrt(CAPACITY), rel=0.02)


@pytest.mark.parametrize(("count", "truth"), [(1, 18_000), (2, 9_000), (3, 3_000)])
def test_profile_is_unbiased_with_binomial_error(large, count, truth):
    """Over seeds, each f_i scatters around the truth with relative error 1 / sqrt(kept values with that count)."""
    found = np.array([sketch.profile().get(count, 0.0) for sketch in large])
    expected_error = truth / math.sqrt(CAPACITY * truth / 30_000)
    errors = (found - truth) / expected_error
    assert abs(errors.mean()) < 5 / math.sqrt(len(errors))
    assert 0.5 < errors.std() < 1.6


def test_profile_adds_up(large):
    """The f_i of a profile add up to distinct()."""
    for sketch in large[:5]:
        assert math.fsum(sketch.profile().values()) == pytest.approx(sketch.distinct(), rel=1e-12)


@given(ROWS, CAPACITIES, st.integers(0, 2**64 - 1))
def test_bytes_read_back(rows, capacity, seed):
    """A stored sketch reads back as it was: same numbers, same bytes, and it goes on as before."""
    sketch = ProfileSketch(capacity, seed).update(pa.array(rows, pa.int64()))
    again = ProfileSketch.from_bytes(sketch.to_bytes())
    assert again.to_bytes() == sketch.to_bytes()
    assert (again.rows, again.theta, again.capacity, again.seed) == (sketch.rows, sketch.theta, capacity, seed)
    more = pa.array([100, 101, 102])
    assert again.update(more).to_bytes() == sketch.update(more).to_bytes()


def test_other_seeds_do_not_merge():
    """Merging sketches of two seeds raises DataError and names both."""
    with pytest.raises(DataError, match=r"(?s)seed 3 and seed 4.*Hint"):
        ProfileSketch(seed=3).merge(ProfileSketch(seed=4))


def test_other_things_do_not_merge():
    """Merging anything but a ProfileSketch raises ProgrammingError."""
    with pytest.raises(ProgrammingError, match="cannot merge a str"):
        ProfileSketch().merge("sketch")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("capacity", "error"), [(0, DataError), (-1, DataError), (2**32, DataError), (1.5, ProgrammingError)]
)
def test_bad_capacities_are_refused(capacity, error):
    """A capacity is a whole number from 1 on."""
    with pytest.raises(error, match="capacity"):
        ProfileSketch(capacity)


def test_records_with_other_content_are_refused():
    """A stored sample or heavy list would be lost on reading, so it is refused."""
    keys, counts = np.array([5], np.uint64), np.array([2])
    sampled = ndvp.encode(ndvp.Record(0, 2**64, 10, 2, (keys, counts), rate=0.5))
    with pytest.raises(NotSupportedError, match="sample"):
        ProfileSketch.from_bytes(sampled)


def test_repr_shows_the_numbers():
    """The representation says how much was seen and kept."""
    assert repr(sketch_of([1, 1, 2])) == "ProfileSketch(rows=3, distinct=2, entries=2, capacity=65536, seed=0)"


def test_million_rows_of_few_values():
    """Counts of heavy values are exact."""
    values = pa.array(["x", "y", "z"]).take(pa.array(np.arange(1_000_000) % 3))
    assert ProfileSketch().update(values).profile() == {333_333: 2.0, 333_334: 1.0}


def test_a_new_sketch_is_empty():
    """Without rows there are no values and no error."""
    empty = ProfileSketch()
    assert (empty.distinct(), empty.profile(), empty.rows, empty.entries, empty.rse()) == (0.0, {}, 0, 0, 0.0)


@given(st.lists(st.integers(0, 300), max_size=400), st.integers(1, 64))
def test_counted_values_are_rows(values, capacity):
    """A value with a count is the value that many times: same bytes."""
    rows = ProfileSketch(capacity).update(pa.array(values, pa.int64()))
    counted = Counter(values)
    weights = np.array(list(counted.values()), np.int64)
    merged = ProfileSketch(capacity).update(pa.array(list(counted), pa.int64()), weights)
    assert merged.to_bytes() == rows.to_bytes()
