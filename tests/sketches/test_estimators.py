"""Estimators: the formulas, the rules they share, and the ratios that are known for standard data."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paretosql.errors import DataError, Error, ProgrammingError
from paretosql.sketches.estimators import (
    ALL_SINGLETONS,
    NOT_FINITE,
    Estimate,
    Sample,
    estimate,
    estimator,
    estimators,
    point,
)

METHODS = ["chao", "duj1", "gee"]
PROFILES = st.dictionaries(st.integers(1, 50) | st.integers(1, 10**7), st.integers(0, 10**6), max_size=8)
SKETCHED = st.dictionaries(st.integers(1, 100), st.floats(0, 1e6, allow_subnormal=False), max_size=8)


def totals(profile) -> tuple[Fraction, Fraction]:
    """d and n as fractions."""
    exact = {i: Fraction(f) for i, f in profile.items()}
    return sum(exact.values(), Fraction(0)), sum((i * f for i, f in exact.items()), Fraction(0))


@pytest.mark.parametrize("method", METHODS)
@given(PROFILES | SKETCHED, st.floats(1.0001, 1e6), st.none() | st.floats(0, 1e8))
def test_estimates_respect_their_bounds(method, profile, factor, domain):
    """An estimate lies between d and d + N - n and below the domain, within its own range, and is finite."""
    d, n = (float(x) for x in totals(profile))
    assume(n > 0)
    rows = n * factor
    found = point(method, profile, rows, domain=domain)
    top = min(d + rows - n, math.inf if domain is None else domain)
    assert found.value is not None
    assert found.raw is not None
    assert found.lower <= found.value <= found.upper
    assert min(d, top) * (1 - 1e-9) <= found.value <= top * (1 + 1e-9) + 1e-9
    assert found.value == pytest.approx(min(max(found.raw, d), top), rel=1e-9)
    assert all(math.isfinite(x) for x in (found.value, found.raw, found.lower, found.upper))


def test_the_interval_widens_to_hold_the_value():
    """Where a formula lies outside of what the sample allows, the interval holds it: shlosser on even data."""
    profile = {1: 6100, 2: 1500, 3: 240, 4: 28, 5: 3}  # 20,000 values of 50 rows each, one row in a hundred
    right, wrong = (estimate(method, profile, 10**6) for method in ("chao", "shlosser"))
    assert right.upper < 200_000
    assert wrong.value == wrong.upper > 400_000
    assert right.lower == wrong.lower


@pytest.mark.parametrize("method", METHODS)
def test_no_sample_gives_no_estimate(method):
    """Without sampled rows the value is unknown, except for a population without rows."""
    assert estimate(method, {}, 100) == Estimate(None, None, 0.0, 100.0, method)
    assert estimate(method, {3: 0}, 100, domain=7).upper == 7
    assert estimate(method, {}, 0) == Estimate(0.0, 0.0, 0.0, 0.0, method)


@pytest.mark.parametrize("method", METHODS)
@given(PROFILES)
def test_a_full_sample_is_exact(method, profile):
    """When all rows were sampled, d is the answer and the range has no width."""
    d, n = totals(profile)
    found = estimate(method, profile, int(n))
    assert found.value == found.lower == found.upper == d
    assert not found.warnings


@pytest.mark.parametrize("method", METHODS)
def test_no_singletons_means_nothing_is_missing(method):
    """With f1 = 0 all three give d."""
    assert estimate(method, {2: 10, 5: 3}, 10_000).value == 13
    assert estimate(method, {10**7: 1}, 10**9).value == 1


@pytest.mark.parametrize(("method", "value"), [("gee", 1_000), ("duj1", 10_000), ("chao", 100 + 100 * 99 / 2)])
def test_all_singletons(method, value):
    """When no value repeats, each formula has its own limit, and a warning says so: 100 of 10,000 rows."""
    found = estimate(method, {1: 100}, 10_000)
    assert found.value == pytest.approx(value)
    assert found.warnings == (ALL_SINGLETONS,)
    assert estimate(method, {1: 100, 2: 1}, 10_000).warnings == ()


def test_a_single_row():
    """One row of a thousand: gee gives sqrt(N), duj1 N, chao 1."""
    assert [estimate(m, {1: 1}, 1_000).value for m in METHODS] == pytest.approx([1, 1_000, math.sqrt(1_000)])


def test_the_domain_clamps():
    """A boolean column has two values, whatever a formula says."""
    found = estimate("duj1", {1: 2}, 1_000, domain=2)
    assert (found.value, found.lower, found.upper) == (2, 2, 2)
    assert found.raw == pytest.approx(1_000)


def test_fractions_from_sketches_are_accepted():
    """Sketched profiles have fractional f_i; below one singleton, chao adds nothing."""
    assert estimate("chao", {1: 10.5, 2: 2.5}, 1_000).value == pytest.approx(13 + 10.5 * 9.5 / 7)
    assert estimate("chao", {1: 0.5, 3: 2}, 1_000).value == 2.5


@pytest.mark.parametrize("method", METHODS)
def test_a_sketched_sum_may_exceed_the_rows_a_little(method):
    """Up to 5 % above N is sketch error and means all rows; more is an error that names `sample_rows`."""
    assert estimate(method, {1: 500.0, 2: 260.0}, 1_000).value == 760
    assert estimate(method, {1: 1_030.0}, 1_000).value == 1_000
    with pytest.raises(DataError, match=r"(?s)larger than.*Hint.*sample_rows"):
        estimate(method, {1: 500.0, 2: 300.0}, 1_000)


def test_known_sample_rows_replace_the_sum():
    """With n given, a heavy value that the sketch weighs too much does not distort the rate."""
    heavy = {1: 100.0, 1_000_000: 50.0}  # a sketch at 2 % that happens to keep the one heavy value
    found = estimate("gee", heavy, 10**8, sample_rows=10**6)
    assert found.raw == pytest.approx(50 + 100 * 10)
    assert estimate("duj1", {1: 10}, 100, sample_rows=20).raw == pytest.approx(10 / (1 - 0.8 * 0.5))
    assert estimate("duj1", {1: 10.3}, 100, sample_rows=10).value == pytest.approx(100, rel=0.01)


def test_overflow_falls_back():
    """A formula that overflows gives way to duj1 and says so; no infinity escapes."""
    found = estimate("chao", {1: 1e200, 2: 1}, 1e201)
    assert found.warnings == (NOT_FINITE,)
    assert found.value == pytest.approx(1e201)


def test_numpy_numbers_are_accepted():
    """Row counts and numbers of values may be numpy scalars."""
    assert estimate("chao", {np.int64(1): np.float64(10), np.int64(2): np.int32(4)}, np.int64(1_000)).value == 23


WRONG = [
    ({"method": "geee"}, ProgrammingError, "did you mean 'gee'"),
    ({"profile": [1, 2]}, ProgrammingError, "list"),
    ({"profile": {0: 1}}, DataError, "0 in a profile"),
    ({"profile": {1.5: 1}}, DataError, "1.5 in a profile"),
    ({"profile": {"1": 1}}, DataError, "'1' in a profile"),
    ({"profile": {1: -1}}, DataError, "f_1 is -1"),
    ({"profile": {2: math.nan}}, DataError, "f_2 is nan"),
    ({"profile": {2: math.inf}}, DataError, "f_2 is inf"),
    ({"profile": {2: "x"}}, ProgrammingError, "f_2 must be a number"),
    ({"profile": {2: 10**400}}, DataError, "f_2 is"),
    ({"rows": -1}, DataError, "rows is -1"),
    ({"rows": math.nan}, DataError, "rows is nan"),
    ({"rows": None}, ProgrammingError, "rows must be a number"),
    ({"rows": 5}, DataError, "larger than its 5 rows"),
    ({"rows": 0}, DataError, "larger than its 0 rows"),
    ({"domain": -1}, DataError, "domain is -1"),
    ({"confidence": 0}, DataError, "confidence"),
    ({"confidence": 1}, DataError, "confidence"),
    ({"confidence": True}, ProgrammingError, "confidence"),
    ({"sample_rows": 101}, DataError, "larger than its 100 rows"),
    ({"sample_rows": 0}, DataError, "sample of 0 rows cannot"),
    ({"profile": {}, "sample_rows": 3}, DataError, "sample of 3 rows cannot"),
]


@pytest.mark.parametrize(("changes", "error", "problem"), WRONG)
def test_wrong_arguments_are_named(changes, error, problem):
    """Every wrong argument raises an error that names it."""
    arguments = {"method": "gee", "profile": {1: 10}, "rows": 100} | changes
    with pytest.raises(error, match=problem):
        estimate(**arguments)
    assert issubclass(error, Error)


def test_new_estimators_join_by_name(monkeypatch):
    """A decorated function becomes a method; its result is clamped as any other; a taken name is refused."""
    monkeypatch.setattr(estimators, "_items", dict(estimators._items))  # so that it leaves again
    name = "twice_for_this_test"

    @estimator(name)
    def twice(sample: Sample) -> float:
        return 2 * sample.d

    assert estimate(name, {1: 10, 2: 1}, 1_000).value == 22
    assert estimate(name, {1: 10, 2: 1}, 15).value == 11 + 15 - 12
    with pytest.raises(ValueError, match="twice"):
        estimator("gee")(lambda sample: 0.0)


def expected_profile(population, rate: float) -> tuple[dict[int, float], float, float]:
    """Expected f_i of a Bernoulli sample of {k: F_k} for small i, the tail pooled at its mean; D and N."""
    sizes = np.array(list(population), float)
    values = np.array(list(population.values()), float)
    profile = {}
    for i in range(1, 60):
        log_choose = np.array([math.lgamma(k + 1) - math.lgamma(k - i + 1) if k >= i else -math.inf for k in sizes])
        log_pmf = log_choose - math.lgamma(i + 1) + i * math.log(rate) + (sizes - i) * math.log1p(-rate)
        profile[i] = float((values * np.exp(log_pmf)).sum())
    return profile, values.sum(), (sizes * values).sum()


# Ratios of estimate and truth from the expected profile at N = 1e8 and a rate of 1 %, an independent computation.
RATIOS = [
    (50, "gee", 3.088),
    (50, "chao", 1.000),
    (50, "duj1", 0.984),
    (100, "gee", 3.939),
    (100, "chao", 1.000),
    (100, "duj1", 0.994),
    (200, "gee", 3.312),
    (200, "chao", 1.000),
    (200, "duj1", 0.998),
]


@pytest.mark.parametrize(("mean", "method", "ratio"), RATIOS)
def test_known_ratios_on_poisson_data(mean, method, ratio):
    """On Poisson frequencies the expected profile gives the known ratio of estimate and truth."""
    population = {}
    for k in range(1, 20 * mean):
        pmf = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
        if math.floor(1e8 * pmf / k):
            population[k] = math.floor(1e8 * pmf / k)
    profile, truth, rows = expected_profile(population, 0.01)
    assert estimate(method, profile, rows).value == pytest.approx(ratio * truth, rel=0.02)


@pytest.mark.parametrize("sampled", [20, 150, 5_000])
def test_a_sample_without_repeats_may_be_of_a_key(sampled):
    """`auto` is half as far from a key, on a log scale, as the model is; a single repeat leaves it to the model."""
    rows = 1_000_000
    found, model = (estimate(name, {1: sampled}, rows).value for name in ("auto", "learned"))
    assert math.log(rows / found) == pytest.approx(math.log(rows / model) / 2)
    repeat = {1: sampled - 2, 2: 1}
    assert estimate("auto", repeat, rows).value == estimate("learned", repeat, rows).value


@pytest.mark.parametrize("sample, rows", [({20: 1}, 1_000), ({1: 9, 2: 2, 15: 1}, 500), ({1: 40, 3: 2, 21: 1}, 50_000)])
def test_ranges_grow_with_the_confidence(sample, rows):
    """More confidence never makes a range shorter, also where a single value was sampled about twenty times."""
    found = [estimate("ae", sample, rows, confidence=each) for each in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)]
    for narrow, wide in itertools.pairwise(found):
        assert wide.lower <= narrow.lower * 1.001
        assert wide.upper >= narrow.upper * 0.999


@pytest.mark.parametrize(
    ("sizes", "rate"),
    [
        (np.append(np.ones(150, int), 150), 0.1),
        (np.append(np.ones(15_000, int), 15_000), 0.001),
        (np.append(np.ones(98_000, int), 2_000), 0.01),
        (np.concatenate([np.ones(160, int), np.full(8, 20), [300]]), 0.05),
        (np.array([15_000, 7_500, 3_800, 1_900, 900, 400, 30]), 0.1),
    ],
    ids=["half of 300", "half of 30,000", "one value twenty times", "three sizes", "seven values"],
)
def test_ranges_hold_where_one_value_is_sampled_about_twenty_times(sizes, rate):
    """In 57 of 60 samples at least; a bin of its own has a chance below a tenth, and so no lower limit."""
    random = np.random.default_rng(len(sizes))
    held = 0
    for _ in range(60):
        counts = random.binomial(sizes, rate)
        seen, numbers = np.unique(counts[counts > 0], return_counts=True)
        found = estimate("ae", dict(zip(seen.tolist(), numbers.tolist(), strict=True)), float(sizes.sum()))
        held += found.lower <= len(sizes) * (1 + 1e-9) and len(sizes) <= found.upper * (1 + 1e-9)
    assert held >= 57


def test_huge_populations_keep_their_digits():
    """Chances of being sampled once in 10^15 rows, and the rows that nearly only singletons leave over."""
    assert estimate("duj1", {1: 3}, 1e9).value == pytest.approx(1e9, rel=1e-12)
    assert estimate("gee", {2: 1}, 1e18).upper <= 1e18
    near, far = (estimate("profile_nnls", {1: 10, 2: 4}, rows).lower for rows in (1e10, 1e15))
    assert far == pytest.approx(near, rel=2.0)


def test_what_is_no_method_or_cutoff_is_refused():
    """By the tree of exceptions, not by Python's."""
    for method in (None, ["gee"], 3):
        with pytest.raises(ProgrammingError, match="a method is a str"):
            estimate(method, {1: 10}, 1_000)
    for cutoff in (None, "a", True):
        with pytest.raises(ProgrammingError, match="cutoff"):
            estimate("duj2a", {1: 10}, 1_000, cutoff=cutoff)
    with pytest.raises(DataError, match="cutoff"):
        estimate("duj2a", {1: 10}, 1_000, cutoff=-1)
