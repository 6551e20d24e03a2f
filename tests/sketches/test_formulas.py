"""Every formula against the same formula in 60 digits, and against what is known of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches.estimators import ALL_SINGLETONS, NOT_FINITE, estimators, point
from paretosql.sketches.sample import read_sample
from tests.sketches.textbook import FORMULAS, textbook

PROFILES = {
    "plain": ({1: 10, 2: 4, 3: 2}, 1_000),
    "poisson": ({1: 6100, 2: 1500, 3: 230, 4: 30, 5: 2}, 10**6),
    "no singletons": ({2: 10, 5: 3}, 10_000),
    "no small counts": ({3: 100}, 10**5),
    "all singletons": ({1: 100}, 10_000),
    "one row": ({1: 1}, 1_000),
    "two rows": ({1: 2}, 1_000),
    "one value": ({7: 1}, 100),
    "giant": ({1: 100, 2: 30, 10**7: 1}, 10**9),
    "several giants": ({1: 7, 3: 2, 10**7: 1, 3 * 10**7: 2}, 10**9),
    "fractions": ({1: 10.5, 2: 2.25, 4: 1.5}, 1_000),
    "less than one singleton": ({1: 0.5, 2: 5, 3: 5}, 123_920),
    "half read": ({1: 50, 2: 40, 3: 30}, 400),
    "more than half read": ({1: 50, 2: 40, 3: 30}, 230),
    "zipf": ({1: 5923, 2: 384, 3: 95, 4: 40, 7: 11, 20: 3, 300: 2, 5000: 1}, 10**6),
    "one pair": ({1: 99_998, 2: 1}, 10**7),
    "pairs": ({1: 3, 2: 50}, 5_000),
    "even": ({8: 40, 9: 60, 10: 70, 11: 55, 12: 30}, 12_000),
    "large": ({1: 600_000, 2: 150_000, 3: 30_000, 4: 5_000}, 10**8),
    "heavy values": ({1: 5, 60: 3, 70: 2, 1_000: 4}, 10**5),
    "no pairs": ({1: 20, 3: 5}, 10**4),
    "tiny": ({1: 3, 2: 1}, 6),
    "tiny rate": ({1: 900, 2: 40, 3: 5}, 10**10),
    "three rows": ({1: 1, 2: 1}, 10),
    "spread 0.82": ({1: 30, 26: 33, 85: 33}, 110_790),
    "spread 0.92": ({1: 40, 15: 38, 77: 52}, 138_420),
    "spread 24": ({1: 69, 2: 73, 3: 27, 8: 5, 172: 2}, 20_400),
    "spread 40": ({1: 103, 2: 70, 3: 29, 39: 4, 466: 3}, 56_520),
    "just even": ({1: 4, 10: 27, 12: 24, 14: 18}, 16_280),
    "just uneven": ({1: 39, 4: 41, 7: 18}, 6_580),
    "huge": ({1: 10**6, 2: 10**5, 3: 10**4, 50: 100}, 10**11),
}


def expected(method: str, profile, rows: float) -> float | None:
    """The textbook's value, None where there is none or it is no double."""
    try:
        value = textbook(method, profile, rows)
    except ZeroDivisionError:
        return None
    return value if math.isfinite(value) else None


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("method", FORMULAS)
def test_raw_values_are_those_of_the_formula(method, name):
    """`raw` is within 1e-9 of the formula in 60 digits; without a value it is N after all singletons, else duj1."""
    profile, rows = PROFILES[name]
    found = point(method, profile, rows)
    value = expected(method, profile, rows)
    singletons = set(profile) == {1}
    if value is None or (singletons and method == "mom_infinite"):  # the equation has no solution
        value = rows if singletons else textbook("duj1", profile, rows)
        assert (NOT_FINITE in found.warnings) is not singletons
    else:
        assert NOT_FINITE not in found.warnings
    assert found.raw == pytest.approx(value, rel=1e-9)
    assert (ALL_SINGLETONS in found.warnings) is singletons


@pytest.mark.parametrize("method", sorted(set(FORMULAS) - {"goodman", "sichel"}))
@settings(max_examples=15)
@given(
    st.dictionaries(st.integers(1, 30) | st.integers(31, 2_000), st.integers(1, 10**4), min_size=2, max_size=6),
    st.floats(1.01, 1e4),
)
def test_formulas_hold_on_random_profiles(method, profile, factor):
    """The same on profiles that nobody chose; alternating sums are compared to their largest term."""
    rows = math.ceil(sum(i * f for i, f in profile.items()) * factor)
    value = expected(method, profile, rows)
    assume(value is not None)
    scale = max(abs(value), 1.0)
    if method == "smoothed_good_toulmin":
        t = rows / sum(i * f for i, f in profile.items()) - 1
        scale = max(scale, *(f * max(t, 1) ** min(i, 60) for i, f in profile.items()))
    found = point(method, profile, rows)
    assert abs(found.raw - value) <= 1e-9 * scale or NOT_FINITE in found.warnings


def test_all_names_are_registered():
    """The names that SQL and Python offer."""
    others = {"profile_lp", "profile_nnls", "learned", "auto"}
    assert set(FORMULAS) | others <= set(estimators)


def test_the_published_check_value():
    """Wu and Yang's estimator gives 23722.4355.. for 2,910 values once and 45 twice with p_min = 1e-5."""
    value = point("wu_yang", {1: 2910, 2: 45}, 10**6, p_min=1e-5).raw
    assert value == pytest.approx(23722.435544392072, rel=1e-12)


def test_knowing_the_smallest_share_is_worth_something():
    """With p_min = 1/1000 the thousand equal values of this sample are found more exactly than without."""
    profile = {1: 303, 2: 76, 3: 13, 4: 2}  # 500 rows of a population of 1,000 values with 100 rows each
    found = [abs(point("wu_yang", profile, 100_000, p_min=least).raw - 1_000) for least in (1e-3, 1e-5)]
    assert found[0] < found[1]


def test_goodman_is_exact_where_it_can_be():
    """Goodman's estimator is unbiased: over all samples of 3 of the 5 rows a, a, b, b, c its mean is 3."""
    from itertools import combinations

    total = []
    for rows in combinations("aabbc", 3):
        counts = [rows.count(value) for value in set(rows)]
        profile = {i: counts.count(i) for i in set(counts)}
        total.append(point("goodman", profile, 5).raw)
    assert sum(total) / len(total) == pytest.approx(3)


def test_binomial_smoothing_ends_the_series():
    """With binomial smoothing values seen more often than the longest series count as themselves."""
    profile = {1: 100, 2: 20}
    plain = point("smoothed_good_toulmin", profile, 10_000, smoothing="binomial").raw
    more = point("smoothed_good_toulmin", {**profile, 60: 1}, 10_000, sample_rows=140, smoothing="binomial").raw
    assert more == pytest.approx(plain + 1)


def test_a_lower_cutoff_sets_more_values_aside():
    """duj2a with a cutoff below every count gives d."""
    profile = {3: 10, 4: 2}
    assert point("duj2a", profile, 1_000, cutoff=2).raw == 12


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"p_min": 0}, DataError, "p_min is 0"),
        ({"p_min": 2}, DataError, "p_min is 2"),
        ({"p_min": "x"}, ProgrammingError, "p_min must be a number"),
        ({"pmin": 0.1}, ProgrammingError, "did you mean 'p_min'"),
    ],
)
def test_wrong_options_are_named(options, error, problem):
    """An option that a method does not have, or a value out of range, is an error that names it."""
    with pytest.raises(error, match=problem):
        point("wu_yang", {1: 10, 2: 2}, 1_000, **options)
    with pytest.raises(ProgrammingError, match="its options: none"):
        point("gee", {1: 10, 2: 2}, 1_000, **{"rate" if "p_min" in options else "cut": 1})
    with pytest.raises(ProgrammingError, match="no smoothing named"):
        point("smoothed_good_toulmin", {1: 10, 2: 2}, 1_000, smoothing="none")


def test_sums_of_large_factorials_keep_their_digits():
    """The chance to miss x of 1e11 rows with a sample of 1e9 is right to 13 digits, where lgamma alone gives 5."""
    import numpy as np
    from mpmath import mp

    from paretosql.sketches.log_gamma import log_missed

    x, n, rows = 1234.5, 10**9, 10**11
    with mp.workdps(60):
        want = mp.loggamma(rows - x + 1) + mp.loggamma(rows - n + 1) - mp.loggamma(rows - x - n + 1)
        want -= mp.loggamma(rows + 1)
    assert log_missed(np.array([x]), n, rows)[0] == pytest.approx(float(want), rel=1e-12)
    assert log_missed(np.array([99 * 10**9 + 1.0]), n, rows)[0] == -math.inf


def test_a_sample_knows_its_sums():
    """d, n, q, f_i and the pairs of rows with one value, for 3 values once and 2 four times of 44 rows."""
    sample = read_sample({4: 2, 1: 3, 9: 0}, 44)
    assert (sample.d, sample.n, sample.q, sample.f1, sample.f(4), sample.f(9)) == (5, 11, 0.25, 3, 2, 0)
    assert sample.pairs == 2 * 4 * 3
    assert not sample.repeats_nothing
