"""Estimates of many groups: the same formulas as for one group, drawn together where groups know little."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.populations import even, zipf_by_rank
from paretosql.sketches.by_group import GroupedProfiles, estimate_groups
from paretosql.sketches.estimators import point


def grouped(profiles: list[dict[int, float]], rows: list[float]) -> GroupedProfiles:
    """The flat form of these profiles, entries in any order."""
    entries = [(at, i, f) for at, profile in enumerate(profiles) for i, f in profile.items()]
    entries.sort(key=lambda entry: (entry[1], -entry[0]))
    owner, counts, values = (np.array(column) for column in zip(*entries, strict=True))
    n = [sum(i * f for i, f in profile.items()) for profile in profiles]
    return GroupedProfiles(owner.astype(np.intp), counts.astype(float), values.astype(float), np.array(n, float),
                           np.array(rows, float))  # fmt: skip


PROFILES = [{1: 60, 2: 15, 3: 4, 9: 1}, {1: 5, 2: 1}, {4: 30}, {1: 9}, {1: 2, 50: 1}]
ROWS = [9_000.0, 700.0, 12_000.0, 900.0, 5_200.0]


@pytest.mark.parametrize("method", ["ae", "gee", "duj2a", "profile_nnls"])
def test_named_methods_see_one_group_at_a_time(method):
    """Any method but auto gives each group what `point` gives it."""
    found = estimate_groups(method, grouped(PROFILES, ROWS))
    want = [point(method, profile, rows).value for profile, rows in zip(PROFILES, ROWS, strict=True)]
    assert found == pytest.approx(want)


def test_many_groups_start_from_the_adaptive_estimate():
    """A hundred equal groups of many singletons have nothing to learn from each other: each gets what ae gives one."""
    profile, rows = {1: 6_000, 2: 1_500, 3: 400, 7: 3}, 10**6
    found = estimate_groups("auto", grouped([profile] * 100, [rows] * 100))
    assert found == pytest.approx([point("ae", profile, rows).value] * 100, rel=1e-6)


def test_groups_without_singletons_are_complete():
    """A group in which every value was seen four times stays at d, whatever the others say."""
    for copies in (1, 40):
        found = estimate_groups("auto", grouped(PROFILES * copies, ROWS * copies))
        assert found[2::5] == pytest.approx([30] * copies)


def test_small_groups_are_drawn_to_the_others():
    """A group with two singletons cannot tell how many values stand behind them; a hundred groups like it can."""
    random = np.random.default_rng(5)
    small = [even("small", 40, 2_000).profile(0.02, random) for _ in range(200)]
    found = estimate_groups("auto", grouped(small, [2_000.0] * 200))
    alone = np.array([point("ae", profile, 2_000).value for profile in small])
    for share in (0.9, 1.0):  # the unlucky groups gain most
        assert np.quantile(np.abs(np.log(found / 40)), share) < 0.8 * np.quantile(np.abs(np.log(alone / 40)), share)


def test_different_groups_keep_their_differences():
    """Large groups of even and of skewed data in one query stay within 25 % of their own estimates."""
    random = np.random.default_rng(6)
    populations = [even("even", 5_000, 200_000), zipf_by_rank(1.0, 40_000, 200_000)] * 3
    profiles = [population.profile(0.05, random) for population in populations]
    rows = [float(population.rows) for population in populations]
    found = estimate_groups("auto", grouped(profiles, rows))
    alone = [point("auto", profile, size).value for profile, size in zip(profiles, rows, strict=True)]
    assert found == pytest.approx(alone, rel=0.25)


def test_nothing_sampled_is_no_answer():
    """A group with rows and no sample is NaN, one without rows is 0, and one read in full is exact."""
    groups = GroupedProfiles(
        np.array([2, 2], np.intp), np.array([1.0, 2.0]), np.array([3.0, 1.0]), np.array([0.0, 0.0, 5.0]),
        np.array([10.0, 0.0, 5.0]),
    )  # fmt: skip
    for method in ("auto", "gee"):
        unknown, empty, whole = estimate_groups(method, groups).tolist()
        assert math.isnan(unknown)
        assert (empty, whole) == (0, 4)


def test_estimates_stay_within_their_bounds():
    """d <= estimate <= d + N - n for every group, however many there are."""
    for copies in (1, 40):
        groups = grouped(PROFILES * copies, ROWS * copies)
        found = estimate_groups("auto", groups)
        d = groups.sums(np.ones(len(groups.counts)))
        assert (found >= d * (1 - 1e-12)).all()
        assert (found <= d + groups.rows - groups.n + 1e-9).all()
