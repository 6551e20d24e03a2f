"""What the learned estimator is taught: populations, their samples, and trees that say what LightGBM says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import learn
from benchmarks.populations import OUTSIDE, STANDARD, even, from_counts, outside, profile_of, standard
from benchmarks.random_populations import draw, families
from paretosql.sketches.trees import read_trees


def test_populations_count_their_rows():
    """Values of three sizes: rows and distinct values add up, and zeros are no values."""
    population = from_counts("small", np.array([3, 1, 0, 3, 7]))
    assert (population.rows, population.distinct) == (14, 4)
    assert even("even", 3, 10).sizes.tolist() == [3, 4]
    assert profile_of(np.array([2, 1, 2])) == {1: 1.0, 2: 2.0}


@pytest.mark.parametrize("population", [*standard(20_000), *outside(20_000)], ids=lambda each: each.name)
def test_samples_show_what_chance_says(population):
    """The mean number of values in 40 samples is the sum of 1 - (1 - q)^k, by both ways of drawing, to 5 deviations."""
    rate, runs = 0.05, 40
    seen = 1 - (1 - rate) ** population.sizes.astype(float)
    mean = float((population.numbers * seen).sum())
    deviation = math.sqrt(float((population.numbers * seen * (1 - seen)).sum()) / runs) + 1e-9
    random = np.random.default_rng(2)
    for draw_one in (
        lambda: sum(population.profile(rate, random).values()),
        lambda: len(population.counts(rate, random)),
    ):
        assert abs(np.mean([draw_one() for _ in range(runs)]) - mean) <= 5 * deviation


def test_test_populations_are_of_other_families():
    """Thirteen standard populations and ten outside; no name of the latter is a family of the training."""
    assert (len(STANDARD), len(OUTSIDE)) == (13, 10)
    assert not {each.name for each in outside(20_000)} & set(families)


@pytest.mark.parametrize("family", families)
def test_families_draw_populations_of_the_size_asked_for(family):
    """Every family alone gives populations of 10^4 to 10^8 rows, half of the time within a factor of two of a draw."""
    random = np.random.default_rng(5)
    rows = [draw(random, (family,)).population.rows for _ in range(30)]
    assert all(1 <= each <= 3e8 for each in rows)
    assert sum(each >= 5e3 for each in rows) > 24


@pytest.fixture(scope="module")
def lessons() -> learn.Lessons:
    """Three hundred lessons."""
    before, learn.BATCH = learn.BATCH, 300
    try:
        return learn.lessons((7, 0))
    finally:
        learn.BATCH = before


def test_lessons_repeat(lessons, monkeypatch):
    """The same seed and number give the same lessons, another number others."""
    monkeypatch.setattr(learn, "BATCH", 5)
    again, other = learn.lessons((7, 0)), learn.lessons((7, 1))
    assert np.array_equal(again.features, lessons.features[:5])
    assert not np.array_equal(other.features, again.features)


def test_lessons_are_true(lessons):
    """The truth lies between d and d + N - n, up to rounding, and features are numbers."""
    assert np.isfinite(lessons.features).all()
    assert (lessons.least <= lessons.truth + 1e-9).all()
    assert (lessons.truth <= lessons.most + 1e-9).all()


def test_flat_trees_say_what_lightgbm_says(lessons, tmp_path: Path):
    """The arrays that are shipped give the predictions of the booster they were made of."""
    pytest.importorskip("lightgbm")
    booster = learn.train(lessons, 1, rounds=20)
    trees = learn.flat_trees(booster)
    learn.write_trees(tmp_path / "model.arrow", trees)
    stored = read_trees((tmp_path / "model.arrow").read_bytes())
    assert stored.predict(lessons.features) == pytest.approx(booster.predict(lessons.features), rel=1e-12, abs=1e-12)
    assert len(np.unique(stored.predict(lessons.features))) > 3
