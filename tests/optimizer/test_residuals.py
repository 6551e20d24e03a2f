"""Errors of a model as a distribution: what was put in is found again, and draws depend on the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from paretosql.errors import DataError, ProgrammingError
from paretosql.optimizer.residuals import CLIP, learn_errors, modes


def noisy(size=4_000, seed=0, *, mean=lambda x: 0.0 * x, spread=lambda x: 0.0 * x + 0.2):
    """Predictions over four orders of magnitude, and actual latencies with a known error."""
    rng = np.random.default_rng(seed)
    log = rng.uniform(np.log(0.01), np.log(100.0), size)
    return np.exp(log), np.exp(log + mean(log) + spread(log) * rng.standard_normal(size))


@pytest.fixture(scope="module")
def plain():
    """Errors of a fifth, the same everywhere."""
    return learn_errors(*noisy())


AT = np.geomspace(0.02, 50, 40)


def test_a_constant_error_is_found(plain):
    """No bias, and a standard deviation of 0.2."""
    assert np.abs(plain.mean(AT)).max() < 0.05
    assert plain.deviation(AT) == pytest.approx(0.2, abs=0.03)


def test_a_bias_that_bends_is_found():
    """The process follows a wave."""
    found = learn_errors(*noisy(mean=lambda x: 0.5 * np.sin(x)))
    assert found.mean(AT) == pytest.approx(0.5 * np.sin(np.log(AT)), abs=0.08)


@pytest.mark.parametrize("slope", [0.05, -0.05])
def test_a_spread_that_rises_or_falls_is_found(slope):
    """And is monotone."""
    found = learn_errors(*noisy(spread=lambda x: 0.3 + slope * x))
    deviation = found.deviation(AT)
    assert (np.diff(deviation) * slope >= 0).all()
    assert deviation == pytest.approx(0.3 + slope * np.log(AT), abs=0.06)


@pytest.mark.parametrize("mode", list(modes))
def test_draws_depend_on_the_seed_alone(plain, mode):
    """The same seed gives the same bytes."""
    first, second, other = (plain.sample(AT, mode, seed) for seed in (5, 5, 6))
    assert first.tobytes() == second.tobytes()
    assert (mode == "none") == (first.tobytes() == other.tobytes())
    assert first.shape == AT.shape
    assert (first > 0).all()


def test_no_noise_is_the_prediction(plain):
    """`none` changes nothing."""
    assert plain.sample(AT, "none", 3).tolist() == AT.tolist()


def test_gaussian_draws_are_cut_normal(plain):
    """Their logarithms are normal, and no further than three standard deviations away."""
    one = np.full(20_000, 2.0)
    scaled = (np.log(plain.sample(one, "gaussian", 1) / one) - plain.mean(one)) / plain.deviation(one)
    assert np.abs(scaled).max() <= CLIP + 1e-9
    assert stats.kstest(scaled, "norm").pvalue > 0.001


def test_bootstrap_draws_are_residuals_that_were_seen(plain):
    """Every factor is one of those kept, and heavy tails stay."""
    factor = np.log(plain.sample(AT, "bootstrap", 2) / AT)
    assert np.abs(factor[:, None] - plain.kept).min(axis=1).max() < 1e-9
    predicted, actual = noisy()
    actual[::50] *= 20.0
    heavy = learn_errors(predicted, actual)
    drawn = heavy.sample(np.full(20_000, 1.0), "bootstrap", 2)
    assert (drawn > 10).mean() == pytest.approx(0.02, abs=0.015)


def test_stragglers_are_slower_by_what_the_worst_were(plain):
    """About the wanted share is slowed down by the largest residuals."""
    one = np.ones(10_000)
    usual, late = (plain.sample(one, mode, 4, 0.1) for mode in ("gaussian", "straggler"))
    slowed = late > usual * 1.0001
    assert slowed.mean() == pytest.approx(0.1, abs=0.02)
    assert np.log(late[slowed] / usual[slowed]).min() >= plain.tail.min() - 1e-9
    assert (late[~slowed] == usual[~slowed]).all()


def test_few_rows_are_enough():
    """One residual is a constant factor."""
    found = learn_errors([1.0], [2.0])
    assert found.mean([0.1, 10.0]) == pytest.approx(np.log(2.0), abs=1e-3)
    assert found.sample([3.0], "bootstrap") == pytest.approx([6.0])


@pytest.mark.parametrize(("predicted", "actual"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [np.nan])])
def test_nothing_is_learned_from_nothing(predicted, actual):
    """No rows, other shapes, NaN."""
    with pytest.raises(DataError):
        learn_errors(predicted, actual)


def test_an_unknown_mode_is_named(plain):
    """With the modes there are."""
    with pytest.raises(ProgrammingError, match="did you mean 'gaussian'"):
        plain.sample(AT, "gausian")
