"""GroupedSketch: every group is the ProfileSketch of its rows, at any number of groups."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches import grouped
from paretosql.sketches.grouped import GroupedSketch
from paretosql.sketches.profile import ProfileSketch

IDS = st.sampled_from([0, 1, 2, 2**40, 2**64 - 1])
ROWS = st.lists(st.tuples(IDS, st.none() | st.integers(0, 40)), max_size=100)
CAPACITIES = st.integers(1, 30)


def ids_of(rows) -> np.ndarray:
    return np.array([group for group, _ in rows], np.uint64)


def sketch_of(rows, capacity=65_536, budget=grouped.BUDGET) -> GroupedSketch:
    return GroupedSketch(capacity, budget=budget).update(ids_of(rows), pa.array([v for _, v in rows], pa.int64()))


def check_against_profiles(sketch: GroupedSketch, rows, capacity: int) -> None:
    """Every group has the numbers of a ProfileSketch of its rows."""
    assert sketch.groups().tolist() == sorted({group for group, _ in rows})
    for index, group in enumerate(sketch.groups().tolist()):
        single = ProfileSketch(capacity).update(pa.array([v for g, v in rows if g == group], pa.int64()))
        assert sketch.rows()[index] == single.rows
        assert sketch.distinct()[index] == pytest.approx(single.distinct(), rel=1e-14)
        assert sketch.rse()[index] == pytest.approx(single.rse(), abs=1e-12)
        assert sketch.profile(index) == pytest.approx(single.profile(), rel=1e-14)


@given(ROWS)
def test_small_groups_are_exact(rows):
    """While its values fit, a group has the numbers that Python counts; NULL rows make a group, but do not count."""
    sketch = sketch_of(rows)
    counts = {group: Counter(v for g, v in rows if g == group and v is not None) for group, _ in rows}
    assert sketch.groups().tolist() == sorted(counts)
    assert sketch.rows().tolist() == [counts[group].total() for group in sorted(counts)]
    assert sketch.distinct().tolist() == [len(counts[group]) for group in sorted(counts)]
    assert [sketch.profile(i) for i in range(len(counts))] == [Counter(counts[g].values()) for g in sorted(counts)]
    assert not sketch.rse().any()


@given(ROWS, CAPACITIES)
def test_groups_equal_profile_sketches(rows, capacity):
    """A group is the sketch of its rows, also when values are left out."""
    check_against_profiles(sketch_of(rows, capacity), rows, capacity)


@given(ROWS, CAPACITIES, st.integers(1, 40), st.data())
def test_batches_and_order_do_not_matter(rows, capacity, budget, data):
    """The same rows in any order and any batches give the same bytes."""
    mixed = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    parts = GroupedSketch(capacity, budget=budget)
    for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        parts.update(ids_of(mixed[start:stop]), pa.array([v for _, v in mixed[start:stop]], pa.int64()))
        if data.draw(st.booleans()):
            parts.groups()  # reading in between must not change anything
    assert parts.to_bytes() == sketch_of(rows, capacity, budget).to_bytes()


@given(ROWS, ROWS, ROWS, CAPACITIES)
def test_merging_is_adding_rows(a, b, c, capacity):
    """Merging is associative and commutative, and equals one sketch of all rows."""
    left = sketch_of(a, capacity).merge(sketch_of(b, capacity)).merge(sketch_of(c, capacity))
    right = sketch_of(c, capacity).merge(sketch_of(b, capacity).merge(sketch_of(a, capacity)))
    assert left.to_bytes() == right.to_bytes() == sketch_of(a + b + c, capacity).to_bytes()


@given(ROWS.filter(bool), CAPACITIES)
def test_a_sketch_without_groups_is_the_identity(rows, capacity):
    """Merging an empty sketch changes nothing, either way round, whatever its capacity."""
    expected = sketch_of(rows, capacity).to_bytes()
    assert sketch_of(rows, capacity).merge(GroupedSketch(3)).to_bytes() == expected
    assert GroupedSketch(3).merge(sketch_of(rows, capacity)).to_bytes() == expected


@given(ROWS, CAPACITIES, st.dictionaries(IDS, st.integers(0, 2)))
def test_regrouping_equals_grouping_coarsely(rows, capacity, chosen):
    """Merging groups gives the sketch that the coarse groups would have had from the start."""
    coarse = {group: chosen.get(group, 9) for group in [0, 1, 2, 2**40, 2**64 - 1]}
    fine_ids, coarse_ids = (np.array(list(ids), np.uint64) for ids in (coarse.keys(), coarse.values()))
    sketch = sketch_of(rows, capacity)
    before = sketch.to_bytes()
    expected = sketch_of([(coarse[group], value) for group, value in rows], capacity)
    assert sketch.regroup(fine_ids, coarse_ids).to_bytes() == expected.to_bytes()
    assert sketch.to_bytes() == before


def test_regrouping_takes_the_smallest_threshold():
    """A small exact group merged with a large one is sampled as the large one is, and adds its rows."""
    values = np.concatenate([np.arange(10_000), np.arange(10_000, 10_010)])
    ids = (np.arange(10_010) >= 10_000).astype(np.uint64)
    sketch = GroupedSketch(1_000).update(ids, values)
    both = sketch.regroup(np.array([0, 1], np.uint64), np.array([5, 5], np.uint64))
    assert both.rows().tolist() == [10_010]
    assert both.distinct()[0] == pytest.approx(ProfileSketch(1_000).update(values).distinct(), rel=1e-12)


SHAPES = [(1, 400_000), (7, 30_000), (40_000, 3_000), (300_000, 10)]


@pytest.mark.parametrize(("groups", "values"), SHAPES)
@pytest.mark.parametrize("large_ids", [False, True])
def test_many_rows_in_few_and_many_groups(groups, values, large_ids):
    """With more rows than any buffer holds, sums over groups are true, and sampled groups equal their own sketch."""
    rng = np.random.default_rng(groups)
    ids = rng.integers(0, groups, 1_300_000).astype(np.uint64)
    ids = ids * np.uint64(0x9E3779B97F4A7C15 if large_ids else 1)
    column = rng.integers(0, values, len(ids))
    sketch = GroupedSketch(2_000)
    for start in range(0, len(ids), 122_880):
        sketch.update(ids[start : start + 122_880], column[start : start + 122_880])
    known, counts = np.unique(ids, return_counts=True)
    assert np.array_equal(sketch.groups(), known)
    assert np.array_equal(sketch.rows(), counts)
    for index in (0, len(known) // 2, len(known) - 1):
        single = ProfileSketch(sketch.capacity).update(column[ids == known[index]])
        assert sketch.distinct()[index] == pytest.approx(single.distinct(), rel=1e-12)
        assert sketch.profile(index) == pytest.approx(single.profile())


def test_budget_halves_the_capacity():
    """Above the budget the capacity halves until the entries fit, and every group stays the sketch of its rows."""
    rng = np.random.default_rng(1)
    ids, values = rng.integers(0, 10, 60_000).astype(np.uint64), rng.integers(0, 3_000, 60_000)
    sketch = GroupedSketch(4_096, budget=9_000).update(ids, values)
    assert (sketch.capacity, sketch.entries) == (512, 5_120)
    assert sketch.rse() == pytest.approx(np.sqrt((1 - 512 / 3_000) / 512), rel=0.05)
    for index in range(10):
        assert sketch.distinct()[index] == pytest.approx(ProfileSketch(512).update(values[ids == index]).distinct())


def test_capacity_does_not_fall_below_256():
    """The budget gives way before groups become too coarse, but a smaller capacity may be asked for."""
    ids, values = np.repeat(np.arange(20, dtype=np.uint64), 1_000), np.tile(np.arange(1_000), 20)
    assert GroupedSketch(65_536, budget=1).update(ids, values).entries == 20 * 256
    assert GroupedSketch(100, budget=1).update(ids, values).entries == 20 * 100


def test_grouped_estimates_are_unbiased():
    """Over 300 groups of 2,000 values, distinct() scatters around the truth with its rse."""
    ids, values = np.repeat(np.arange(300, dtype=np.uint64), 2_000), np.arange(600_000)
    sketch = GroupedSketch(300).update(ids, values)
    errors = (sketch.distinct() / 2_000 - 1) / sketch.rse()
    assert abs(errors.mean()) < 5 / np.sqrt(300)
    assert 0.8 < errors.std() < 1.2


def test_update_copies_what_it_keeps():
    """Arrays that are overwritten after `update` returned do not change the sketch."""
    ids, values = np.zeros(10, np.uint64), np.arange(10)
    sketch = GroupedSketch().update(ids, values)
    ids[:], values[:] = 7, 7
    assert (sketch.groups().tolist(), sketch.distinct().tolist()) == ([0], [10.0])
    sketch.groups()[0] = 9
    sketch.rows()[0] = 9
    assert (sketch.groups().tolist(), sketch.rows().tolist()) == ([0], [10])


def test_chunked_columns_and_text():
    """Chunks line up with the group ids."""
    values = pa.chunked_array([["a", "b"], [], ["b", None, "c"]])
    sketch = GroupedSketch().update(np.array([1, 1, 1, 2, 2], np.uint64), values)
    assert (sketch.rows().tolist(), sketch.distinct().tolist()) == ([3, 1], [2.0, 1.0])


@given(ROWS, CAPACITIES, st.integers(0, 2**64 - 1))
def test_bytes_read_back(rows, capacity, seed):
    """A stored sketch reads back as it was: same bytes, and it goes on as before."""
    sketch = GroupedSketch(capacity, seed, 50).update(ids_of(rows), pa.array([v for _, v in rows], pa.int64()))
    again = GroupedSketch.from_bytes(sketch.to_bytes())
    assert again.to_bytes() == sketch.to_bytes()
    more = np.array([1, 77], np.uint64), pa.array([100, 101])
    assert again.update(*more).to_bytes() == sketch.update(*more).to_bytes()


def test_wrong_arguments_are_named():
    """Wrong ids, lengths, groups and sketches raise errors that say what is wrong."""
    sketch = sketch_of([(1, 1), (2, 2)])
    with pytest.raises(ProgrammingError, match="uint64 array, not int64"):
        sketch.update(np.array([1]), np.array([1]))  # type: ignore[arg-type]
    with pytest.raises(ProgrammingError, match="uint64 array, not list"):
        sketch.update([1], np.array([1]))  # type: ignore[arg-type]
    with pytest.raises(ProgrammingError, match="1 group ids do not fit 2 rows"):
        sketch.update(np.array([1], np.uint64), np.array([1, 2]))
    with pytest.raises(DataError, match="no group 2"):
        sketch.profile(2)
    with pytest.raises(DataError, match="seed"):
        sketch.merge(GroupedSketch(seed=1))
    with pytest.raises(ProgrammingError, match="ProfileSketch"):
        sketch.merge(ProfileSketch())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="two coarse groups"):
        sketch.regroup(np.array([1, 2, 1], np.uint64), np.array([1, 1, 2], np.uint64))
    with pytest.raises(DataError, match="no coarse group"):
        sketch.regroup(np.array([1], np.uint64), np.array([1], np.uint64))
    with pytest.raises(DataError, match="budget 0 is out of range"):
        GroupedSketch(budget=0)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 99))), max_size=300), st.integers(1, 8)
)
def test_counted_rows_are_rows(rows, capacity):
    """A row with a count is that row many times: same bytes, mixed with plain rows or not."""
    ids = np.array([group for group, _ in rows], np.uint64)
    plain = GroupedSketch(capacity).update(ids, pa.array([value for _, value in rows], pa.int64()))
    half = len(rows) // 2
    mixed = GroupedSketch(capacity).update(ids[:half], pa.array([value for _, value in rows[:half]], pa.int64()))
    counted = Counter(rows[half:])
    some = np.array([group for group, _ in counted], np.uint64)
    weights = np.array(list(counted.values()), np.int64)
    mixed.update(some, pa.array([value for _, value in counted], pa.int64()), weights)
    assert mixed.to_bytes() == plain.to_bytes()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=300))
def test_profiles_are_those_of_each_group(rows):
    """`profiles` lists what `profile` says of each group, and `profile_of_all` is their sum."""
    sketch = GroupedSketch().update(
        np.array([group for group, _ in rows], np.uint64), pa.array([value for _, value in rows], pa.int64())
    )
    counted = Counter(rows)
    groups = sorted({group for group, _ in rows})
    expected = [Counter(n for (group, _), n in counted.items() if group == each) for each in groups]
    assert sketch.profiles() == expected
    assert sketch.profiles() == [sketch.profile(at) for at in range(len(groups))]
    assert sketch.profile_of_all() == Counter(counted.values())


def test_a_coarse_group_is_not_bound_by_a_halved_capacity():
    """Many small groups halve the capacity, but they were never cut, so their union keeps the whole capacity."""
    ids = np.repeat(np.arange(2000, dtype=np.uint64), 3)
    sketch = GroupedSketch(capacity=4096, budget=5000).update(ids, pa.array(np.arange(6000)))
    assert sketch.capacity < 4096
    whole = sketch.regroup(sketch.groups(), np.zeros(2000, np.uint64))
    assert whole.rse()[0] == pytest.approx(np.sqrt((1 - whole.sampled()[0]) / 4096), rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 30))), max_size=80))
def test_sketches_of_groups_are_sketches_of_their_rows(rows):
    """Taken out of the groups, each sketch has the bytes of one over the rows of its group, exact or cut."""
    ids, values = np.array([g for g, _ in rows], np.uint64), pa.array([x for _, x in rows], pa.int64())
    for capacity in (4, 65_536):
        grouped = GroupedSketch(capacity).update(ids, values)
        apart = [
            ProfileSketch(capacity).update(pa.array([x for g, x in rows if g == group], pa.int64())).to_bytes()
            for group in grouped.groups().tolist()
        ]
        assert [each.to_bytes() for each in grouped.sketches()] == apart


def test_sketches_of_groups_that_share_a_budget():
    """Where capacities had to halve, groups within theirs stay whole, and the others say what they were cut to."""
    ids = np.repeat(np.arange(3, dtype=np.uint64), [900, 900, 5])
    grouped = GroupedSketch(1_000, budget=1_010).update(ids, np.arange(1_805))
    large, _, small = grouped.sketches()
    assert (large.capacity, small.capacity, small.exact) == (500, 1_000, True)
    assert large.to_bytes() == ProfileSketch(500).update(np.arange(900)).to_bytes()
    assert small.to_bytes() == ProfileSketch(1_000).update(np.arange(1_800, 1_805)).to_bytes()
