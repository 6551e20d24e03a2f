"""Linear estimators with guarantees: smoothed Good-Toulmin and the Chebyshev estimator of Wu and Yang."""

from __future__ import annotations

import math

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.sample import Floats, Sample, checked_number, estimator

SMOOTHINGS = ("poisson", "binomial")


@estimator("smoothed_good_toulmin")
def smoothed_good_toulmin(sample: Sample, smoothing: str = "poisson") -> float:
    """d - sum (-t)^i P(L >= i) f_i, t = (N - n) / n: an alternating series cut off at a random length L.

    L is Poisson with mean ln(n (t+1)^2 / (t-1)) / (2t), or binomial with ceil(log_3(n t^2 / (t-1)) / 2) tries of chance
    2 / (2 + t). Up to t = 1 nothing is cut off. Of proven use only for t up to about log n.
    Source: Orlitsky, Suresh, Wu, "Optimal Prediction of the Number of Unseen Species" (PNAS 2016).
    """
    if smoothing not in SMOOTHINGS:
        problem = f"no smoothing named {smoothing!r}"
        raise ProgrammingError(compose(problem, hint=f"known: {', '.join(SMOOTHINGS)}."))
    t, i = (sample.rows - sample.n) / sample.n, sample.counts
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        sizes = np.exp(i * math.log(t) + np.log(_reached(sample.n, t, i, smoothing)))
    return sample.d - sample.sum(np.where(i % 2 == 1, -1.0, 1.0) * sizes)


def _reached(n: float, t: float, i: Floats, smoothing: str) -> Floats:
    """P(L >= i)."""
    from scipy.special import betainc, gammainc

    if t <= 1:
        return np.ones(len(i))
    if smoothing == "poisson":
        found: Floats = gammainc(i, max(math.log(n * (t + 1) ** 2 / (t - 1)) / (2 * t), 0.0))
        return found
    tries = max(math.ceil(0.5 * math.log(n * t * t / (t - 1), 3)), 0)
    inside = np.minimum(i, max(tries, 1))
    return np.where(i <= tries, betainc(inside, max(tries, 1) - inside + 1, 2 / (2 + t)), 0.0)


@estimator("wu_yang")
def wu_yang(sample: Sample, p_min: float | None = None) -> float:
    """sum g(i) f_i with g from a Chebyshev polynomial: the best worst case among linear estimators.

    Args:
        p_min: the least share of the rows that a value has; 1 / N, the default, is always right, and more is better.
    Raises: DataError: p_min is not above 0 and at most 1.
    Source: Wu, Yang, "Chebyshev Polynomials, Moment Matching, and Optimal Estimation of the Unseen" (Annals of
    Statistics 2019), with the published constants 0.45 and 0.5.
    """
    least = 1 / sample.rows if p_min is None else checked_number("p_min", p_min)
    if not 0 < least <= 1:
        raise DataError(compose(f"p_min is {p_min}", hint="a share of the rows, above 0 and at most 1."))
    log_k = math.log(1 / least)
    degree, right, left = math.floor(0.45 * log_k), 0.5 * log_k, sample.n * least  # the interval in units of 1 / n
    if left >= right:
        return sample.d
    coefficients = _chebyshev(degree, left, right)
    low = sample.counts <= degree
    i = sample.counts[low].astype(int)
    weights = np.ones(len(sample.counts))
    factorials = np.array([math.factorial(each) for each in range(degree + 1)], np.float64)
    weights[low] = 1 - coefficients[i] / coefficients[0] * factorials[i]
    return sample.sum(weights)


def _chebyshev(degree: int, left: float, right: float) -> Floats:
    """Coefficients, constant first, of T_degree((2y - right - left) / (right - left)) as a polynomial in y."""
    inner: Floats = np.array([-(right + left), 2.0]) / (right - left)
    before: Floats = np.array([1.0])
    now = inner
    if degree == 0:
        return before
    for _ in range(degree - 1):
        following: Floats = 2 * np.convolve(inner, now)
        following[: len(before)] -= before
        before, now = now, following
    return now
