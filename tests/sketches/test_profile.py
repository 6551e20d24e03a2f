"""ProfileSketch: exact when small, right on average when large, and the same whatever way the rows are split."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches import Origin, arguments, ndvp, profile
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
    for size in (2_048, 122_880, arguments.SLICE_ROWS, profile.PENDING_ROWS + 1):
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


SPLITS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), max_size=150)  # (value, site)


def sites_of(rows, **how) -> list[ProfileSketch]:
    return [ProfileSketch(**how).update(pa.array([v for v, at in rows if at == site], pa.int64())) for site in range(5)]


def merged(sketches, order=None) -> ProfileSketch:
    whole = ProfileSketch()
    for at in order or range(len(sketches)):
        whole.merge(sketches[at])
    return whole


@given(SPLITS, st.integers(1, 2**64), st.permutations(range(5)))
def test_a_common_threshold_makes_the_split_invisible(rows, theta, order):
    """Parts that begin with one threshold merge, in any order, to the bytes of one sketch with that threshold."""
    whole = ProfileSketch(theta=theta).update(pa.array([value for value, _ in rows], pa.int64()))
    parts = merged(sites_of(rows, theta=theta), order)
    assert (parts.theta, parts.to_bytes()) == (theta, whole.to_bytes())


@pytest.mark.parametrize("sites", [1, 2, 7, 64, 512])
def test_many_sites_are_one_column(sites):
    """The same rows over 1 to 512 sites, merged in any order and as a tree, give identical bytes for one threshold."""
    random = np.random.default_rng(sites)
    values, site = random.integers(0, 4_000, 6_000), random.integers(0, sites, 6_000)
    theta = 2**62

    def parts() -> list[ProfileSketch]:
        return [ProfileSketch(theta=theta).update(values[site == each]) for each in range(sites)]

    expected = ProfileSketch(theta=theta).update(values).to_bytes()
    assert merged(parts(), random.permutation(sites).tolist()).to_bytes() == expected
    tree = parts()
    while len(tree) > 1:
        tree = [tree[at].merge(tree[at + 1]) if at + 1 < len(tree) else tree[at] for at in range(0, len(tree), 2)]
    assert tree[0].to_bytes() == expected


HEAVY = st.lists(st.integers(0, 60), unique=True, max_size=8)


def hashes(values) -> np.ndarray:
    return np.sort(profile.hash64(pa.array(values, pa.int64()))[0])


def narrowed(rows, capacity, heavy) -> ProfileSketch:
    return ProfileSketch().update(pa.array(rows, pa.int64())).narrowed(capacity=capacity, heavy=hashes(heavy))


@given(ROWS, CAPACITIES, HEAVY)
def test_heavy_values_are_exact_and_use_no_capacity(rows, capacity, heavy):
    """Values of the heavy list have their true counts; of the others the smallest hashes are kept, as without it."""
    sketch = narrowed(rows, capacity, heavy)
    true = Counter(each for each in rows if each is not None)
    keys, counts = sketch.heavy()
    known = {int(hashes([value])[0]): true[value] for value in heavy}
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == known
    rest = ProfileSketch(capacity).update(pa.array([v for v in true.elements() if v not in heavy], pa.int64()))
    assert (sketch.theta, sketch.entries, sketch.rows) == (rest.theta, rest.entries, true.total())
    assert sketch.distinct() == pytest.approx(rest.distinct() + sum(true[v] > 0 for v in heavy), rel=1e-12)
    expected = Counter(rest.profile())
    expected.update(Counter(float(true[v]) for v in heavy if true[v]))
    assert sketch.profile() == pytest.approx(expected, rel=1e-12)
    assert list(sketch.profile()) == sorted(sketch.profile())
    assert sketch.rse() == pytest.approx(rest.rse() * rest.distinct() / max(1, sketch.distinct()))


@given(ROWS.filter(any), ROWS.filter(any), ROWS.filter(any), CAPACITIES, st.tuples(HEAVY, HEAVY, HEAVY))
def test_heavy_lists_merge_in_any_order(a, b, c, capacity, heavy):
    """Merging keeps apart what all parts count apart; the others go back among the rest, whatever the order."""

    def parts() -> list[ProfileSketch]:
        return [narrowed(rows, capacity, some) for rows, some in zip((a, b, c), heavy, strict=True)]

    common = set(heavy[0]) & set(heavy[1]) & set(heavy[2])
    expected = narrowed(a + b + c, capacity, sorted(common)).to_bytes()
    one, two, three = parts()
    assert one.merge(two).merge(three).to_bytes() == expected
    one, two, three = parts()
    assert three.merge(two.merge(one)).to_bytes() == expected


@given(ROWS, ROWS, CAPACITIES, HEAVY)
def test_heavy_values_go_on_counting(first, more, capacity, heavy):
    """Rows and counted rows added later count for heavy values too, and a stored sketch goes on in the same way."""
    sketch = narrowed(first, capacity, heavy)
    again = ProfileSketch.from_bytes(sketch.to_bytes())
    assert again.to_bytes() == sketch.to_bytes()
    counted = Counter(each for each in more if each is not None)
    again.update(pa.array(list(counted), pa.int64()), np.array(list(counted.values()), np.int64))
    assert sketch.update(pa.array(more, pa.int64())).to_bytes() == again.to_bytes()
    assert sketch.to_bytes() == narrowed(first + more, capacity, heavy).to_bytes()


@given(st.dictionaries(st.integers(0, 60), st.integers(1, 9), max_size=30), st.integers(0, 31))
def test_heaviest_are_the_largest_counts(counts, number):
    """`heaviest` gives the most frequent values, the smaller hash first among equals, sorted by hash."""
    sketch = ProfileSketch().update(pa.array(list(counts), pa.int64()), np.array(list(counts.values()), np.int64))
    pairs = sorted((-count, int(hashes([value])[0])) for value, count in counts.items())[:number]
    keys, found = sketch.heaviest(number)
    assert list(zip(keys.tolist(), found.tolist(), strict=True)) == sorted((key, -count) for count, key in pairs)


def test_unknown_counts_cannot_become_heavy():
    """A value above the threshold has an unknown count, and so cannot be counted apart afterwards."""
    sketch = ProfileSketch(10).update(np.arange(1_000))
    with pytest.raises(DataError, match=r"(?s)heavy value.*Hint"):
        sketch.narrowed(heavy=np.array([2**64 - 1], np.uint64))
    assert sketch.narrowed(heavy=sketch.heaviest(3)[0]).entries == 7


def test_narrowing_never_widens():
    """A narrowed sketch keeps at most what the first one had, and leaves it alone."""
    sketch = ProfileSketch(10).update(np.arange(1_000))
    before = sketch.to_bytes()
    assert sketch.narrowed(capacity=500, theta=2**64).to_bytes() == before
    assert sketch.narrowed(capacity=5).to_bytes() == ProfileSketch(5).update(np.arange(1_000)).to_bytes()
    assert sketch.to_bytes() == before


SAMPLED = Origin(0.01, "block", 1_000, 31)


def test_origins_merge():
    """Populations and blocks add up, survive storing, and an unknown population stays unknown."""
    a, b = (ProfileSketch(origin=SAMPLED).update(np.arange(size)) for size in (10, 20))
    again = ProfileSketch.from_bytes(a.merge(b).to_bytes())
    assert again.origin == Origin(0.01, "block", 2_000, 62)
    assert again.merge(ProfileSketch(origin=Origin(0.01, "block")).update(np.arange(5))).origin.population == 0


@pytest.mark.parametrize("other", [Origin(0.02, "block"), Origin(0.01, "reservoir"), Origin()])
def test_other_origins_are_refused(other):
    """Rows drawn at another rate or in another way do not merge, and nothing changes."""
    sketch = ProfileSketch(origin=SAMPLED).update(np.arange(10))
    before = sketch.to_bytes()
    with pytest.raises(DataError, match=r"(?s)cannot be merged with one of a.*Hint"):
        sketch.merge(ProfileSketch(origin=other).update(np.arange(3)))
    assert sketch.to_bytes() == before


def test_a_new_sketch_takes_any_origin():
    """A default sketch without rows is neutral, either way round; a sample without rows still has its population."""
    sampled = ProfileSketch(origin=SAMPLED).update(np.arange(10))
    expected = sampled.to_bytes()
    assert ProfileSketch().merge(sampled).to_bytes() == expected
    assert sampled.merge(ProfileSketch()).to_bytes() == expected
    assert sampled.merge(ProfileSketch(origin=SAMPLED)).origin.population == 2_000


def test_an_origin_is_an_origin():
    """A rate alone is not enough."""
    with pytest.raises(ProgrammingError, match="Origin"):
        ProfileSketch(origin=0.01)  # type: ignore[arg-type]


def part(name: str) -> ProfileSketch:
    return ProfileSketch(contribution=name.encode().ljust(16, b"."))


def test_contributions_add_up_in_any_order():
    """Digest and number do not depend on the order, and are stored."""
    left = part("a").merge(part("b")).merge(part("c"))
    right = part("c").merge(part("a").merge(part("b")))
    assert left.contributions == 3
    assert left.to_bytes() == right.to_bytes()
    again = ProfileSketch.from_bytes(left.to_bytes())
    assert (again.contributions, again.digest) == (3, left.digest)
    assert part("a").merge(part("b")).digest != part("a").merge(part("c")).digest


REPEATS = {
    "the same id": lambda: (part("a").merge(part("b")), part("a")),
    "the same id, stored": lambda: (part("a").merge(part("b")), ProfileSketch.from_bytes(part("b").to_bytes())),
    "a stored group twice": lambda: (
        ProfileSketch.from_bytes(part("a").merge(part("b")).to_bytes()),
        ProfileSketch.from_bytes(part("b").merge(part("a")).to_bytes()),
    ),
    "a group that was merged before": lambda: (
        part("a").merge(part("b")).merge(part("c")),
        ProfileSketch.from_bytes(part("a").merge(part("b")).to_bytes()),
    ),
    "one of several": lambda: (part("a").merge(part("b")), part("c").merge(part("b"))),
}


@pytest.mark.parametrize("case", REPEATS)
def test_repeated_contributions_are_refused(case):
    """What is recognisably in already does not merge again, and nothing changes."""
    sketch, again = REPEATS[case]()
    sketch.update(np.arange(3))
    before = sketch.to_bytes()
    with pytest.raises(DataError, match=r"(?s)twice.*Hint"):
        sketch.merge(again)
    assert sketch.to_bytes() == before


def test_a_sketch_does_not_merge_with_itself():
    """The same object is the same contribution, with or without an id."""
    sketch = ProfileSketch().update(np.arange(3))
    with pytest.raises(DataError, match="itself"):
        sketch.merge(sketch)


def test_sketches_without_ids_merge_as_often_as_asked():
    """Without ids equal parts may be two days with equal rows."""
    days = [ProfileSketch.from_bytes(sketch_of([1, 2]).to_bytes()) for _ in range(3)]
    assert merged(days).profile() == {3: 2.0}
    assert merged(days).contributions == 0


@pytest.mark.parametrize(("name", "error"), [(b"short", DataError), ("x" * 16, ProgrammingError)])
def test_bad_contribution_ids_are_refused(name, error):
    """An id is 16 bytes."""
    with pytest.raises(error, match="contribution id"):
        ProfileSketch(contribution=name)


@pytest.mark.parametrize(("theta", "error"), [(0, DataError), (2**64 + 1, DataError), (0.5, ProgrammingError)])
def test_bad_thresholds_are_refused(theta, error):
    """A threshold is a whole number in 1..2**64."""
    with pytest.raises(error, match="threshold"):
        ProfileSketch(theta=theta)


def test_a_large_capacity_counts_everything():
    """With the largest capacity a sketch is an exact count of its rows, sorted in a few large steps."""
    values = np.random.default_rng(3).integers(0, 400_000, 900_000)
    counts = np.unique(np.bincount(values), return_counts=True)
    expected = {int(i): float(f) for i, f in zip(*counts, strict=True) if i}
    assert ProfileSketch(2**32 - 1).update(values).profile() == expected


def test_the_origin_may_be_known_last():
    """A sketch that learns where its rows come from is the one that knew from the start."""
    late = ProfileSketch(20).update(np.arange(50)).drawn(Origin(0.1, population=500))
    early = ProfileSketch(20, origin=Origin(0.1, population=500)).update(np.arange(50))
    assert late.to_bytes() == early.to_bytes()


@pytest.mark.parametrize(
    ("counts", "error", "problem"),
    [
        (np.array([1]), ProgrammingError, "2 integers"),
        (np.array([1, 2, 3]), ProgrammingError, "2 integers"),
        (np.array([0.5, 3.5]), ProgrammingError, "2 integers"),
        ([1, 2], ProgrammingError, "2 integers"),
        (np.array([1, 0]), DataError, "a count is 0"),
        (np.array([-1, 3]), DataError, "a count is -1"),
    ],
)
def test_wrong_numbers_of_rows_are_refused(counts, error, problem):
    """Counts are as many integers as values, from 1 on; a refused update changes nothing."""
    sketch = ProfileSketch().update(np.array([5]))
    with pytest.raises(error, match=problem):
        sketch.update(np.array([7, 8]), counts)
    assert (sketch.rows, sketch.distinct()) == (1, 1)


def test_a_narrowed_copy_remembers_its_contributions():
    """What was merged in before a sketch is narrowed is refused after it, too."""
    one = ProfileSketch(contribution=b"a" * 16).update(np.arange(100))
    two = ProfileSketch(contribution=b"b" * 16).update(np.arange(50, 150))
    narrow = ProfileSketch().merge(one).merge(two).narrowed(capacity=20)
    with pytest.raises(DataError):
        narrow.merge(one)
    assert narrow.merge(ProfileSketch(contribution=b"c" * 16).update(np.arange(9))).rows == 209
