"""Estimators that recover the whole spectrum of a population: how many values have k rows, for every k.

The unknown is h_j, the number of values with g_j rows, on a grid of row counts g. A Bernoulli sample of rate q shows
such a value i times with the binomial chance B[i, j], so the profile should come to f = B h. Values sampled more than T
times are set aside: they count as themselves.

Source: our design, after Valiant and Valiant, "Estimating the Unseen" (STOC 2011, NIPS 2013), with N known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from paretosql.sketches.log_gamma import log_rising
from paretosql.sketches.sample import Floats, Sample, estimator

FEWEST, MOST = 30, 60  # T = n^(1/4), kept between these
GRID: Final = 150  # our choice: row counts on the grid; 400 change no estimate by more than 1 %
LP_GRID: Final = 400
SLACK: Final = 0.5  # how much worse than the best fit profile_lp may fit
TOTAL: Final = 100.0  # weight of the row for the rows of the population
SMOOTH: Final = 0.3  # our choice: weight of the second differences, times the grid's size, least error at 1 % and 10 %


@dataclass(frozen=True)
class Spectrum:
    """The problem of one sample.

    grid: g, shape (k,), whole numbers ascending from 1. seen: B[i, j] for i = 1..T, shape (T, k). profile: f_1..f_T,
    shape (T,). rows: rows of the population left for the values on the grid. heavy: values sampled more than T times;
    heavy_rows: their rows in the sample.
    """

    grid: Floats
    seen: Floats
    profile: Floats
    rows: float
    heavy: float
    heavy_rows: float

    @property
    def weights(self) -> Floats:
        """1 / sqrt(f_i + 1): about one over the standard error of each f_i."""
        found: Floats = 1 / np.sqrt(self.profile + 1)
        return found


def spectrum(sample: Sample, size: int) -> Spectrum:
    """Set up the grid and the binomial chances; O(T * size) time and memory, some milliseconds."""
    q = sample.q
    limit = int(min(MOST, max(FEWEST, sample.n**0.25)))
    low = sample.counts <= limit
    profile = np.zeros(limit)
    profile[sample.counts[low].astype(int) - 1] = sample.values[low]
    heavy, heavy_rows = sample.values[~low], float((sample.counts * sample.values)[~low].sum())
    top = max(2.0, (limit + 4 * math.sqrt(limit) + 4) / q)
    grid = np.unique(np.rint(np.geomspace(1, top, size)))
    rows = max(sample.rows - heavy_rows / q, float(profile.sum()))
    return Spectrum(grid, _binomial(limit, grid, q), profile, rows, float(heavy.sum()), heavy_rows)


def _binomial(limit: int, grid: Floats, q: float) -> Floats:
    """Chances that a value of g rows is sampled i times, i = 1..limit, shape (limit, len(grid))."""
    from scipy.special import gammaln

    i, g = np.arange(1, limit + 1, dtype=float)[:, None], grid[None, :]
    rest = np.maximum(g - i, 0)
    logs = log_rising(rest + 1, i) - gammaln(i + 1) + i * math.log(q) + rest * math.log1p(-q)
    found: Floats = np.where(i <= g, np.exp(logs), 0.0)
    return found


@estimator("profile_nnls")
def profile_nnls(sample: Sample) -> float:
    """Non-negative least squares for the rows u_j = g_j h_j / N of each size, with a small penalty on roughness.

    Cost: about 3 ms.
    """
    return smooth_fits(sample, (SMOOTH,))[0]


def smooth_fits(sample: Sample, smoothness: Sequence[float]) -> list[float]:
    """The estimates of `profile_nnls` under several weights of the penalty."""
    from scipy.optimize import nnls

    problem = spectrum(sample, GRID)
    size = len(problem.grid)
    fit = problem.seen * (problem.rows / problem.grid) * problem.weights[:, None]
    bends = np.zeros((max(size - 2, 0), size))
    at = np.arange(len(bends))
    bends[at, at], bends[at, at + 1], bends[at, at + 2] = 1.0, -2.0, 1.0
    right = np.concatenate([problem.profile * problem.weights, [TOTAL], np.zeros(len(bends))])
    found = []
    for weight in smoothness:
        left = np.vstack([fit, np.full((1, size), TOTAL), bends * (weight * size)])
        try:
            shares, _ = nnls(left, right, maxiter=50 * size)
        except RuntimeError:  # too many iterations
            found.append(math.inf)
        else:
            found.append(float((shares * problem.rows / problem.grid).sum()) + problem.heavy)
    return found


@estimator("profile_lp")
def profile_lp(sample: Sample) -> float:
    """Two linear programs: the best fit in weighted absolute deviations, then the fewest values among fits that are
    nearly as good.

    Cost: about 50 ms.
    """
    from scipy.optimize import linprog

    problem = spectrum(sample, LP_GRID)
    if problem.rows == 0:  # every value is a heavy one
        return problem.heavy
    size, limit = len(problem.grid), len(problem.profile)
    scale = problem.rows / problem.grid  # unknowns are shares of the rows, so that all are of one size
    weights = problem.weights[:, None]
    deviation = np.eye(limit)
    fit = problem.seen * scale * weights
    left = np.block([[fit, -deviation], [-fit, -deviation]])
    right = np.concatenate([problem.profile * weights[:, 0], -problem.profile * weights[:, 0]])
    total = np.concatenate([np.ones(size), np.zeros(limit)])[None, :]
    misfit = np.concatenate([np.zeros(size), np.ones(limit)])
    best = linprog(misfit, left, right, total, [1.0], method="highs")
    if best.status != 0:
        return math.inf
    values = np.concatenate([scale, np.zeros(limit)])
    left = np.vstack([left, misfit])
    right = np.append(right, best.fun + SLACK)
    fewest = linprog(values / problem.rows, left, right, total, [1.0], method="highs")
    return float(fewest.fun) * problem.rows + problem.heavy if fewest.status == 0 else math.inf
