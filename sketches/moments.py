"""Estimators that match what the sample shows to a model of the whole: moments, bootstrap, Goodman, Sichel."""

from __future__ import annotations

import math

import numpy as np

from paretosql.sketches.log_gamma import log_missed, log_rising
from paretosql.sketches.sample import Sample, estimator


@estimator("bootstrap")
def bootstrap(sample: Sample) -> float:
    """d + sum (1 - i/n)^n f_i: what a sample of the sample would lose. At most 2 d, so useless at small rates.

    Source: Smith, van Belle, "Nonparametric Estimation of Species Richness" (1984).
    """
    with np.errstate(divide="ignore"):
        missed = np.exp(sample.n * np.log1p(-np.minimum(sample.counts / sample.n, 1.0)))
    return sample.d + sample.sum(missed)


@estimator("horvitz_thompson")
def horvitz_thompson(sample: Sample) -> float:
    """sum f_i / (1 - h_n(i N / n)): each value weighed by the chance that one of its guessed rows is sampled. At most
    about 1.6 d.

    Source: Horvitz, Thompson (JASA 1952), in the form of Haas et al. (VLDB 1995).
    """
    missed = log_missed(np.minimum(sample.counts / sample.q, sample.rows), sample.n, sample.rows)
    return sample.sum(-1 / np.expm1(missed))


@estimator("mom_infinite")
def mom_infinite(sample: Sample) -> float:
    """Method of moments: D (1 - e^(-n/D)) = d, for equal frequencies in an endless population."""
    from scipy.optimize import brentq

    repeated = (sample.n - sample.d) / sample.n
    if repeated <= 0:
        return math.inf
    # x = n / D solves 1 - (1 - e^-x) / x = 1 - d / n, and lies above that and below n / d
    found = brentq(lambda x: _repeated(x) - repeated, repeated, 2 * sample.n / sample.d, xtol=1e-300, rtol=8.9e-16)
    return sample.n / float(found)


def _repeated(x: float) -> float:
    """1 - (1 - e^-x) / x, also for small x: x/2 - x^2/6 + x^3/24 - .."""
    if x > 0.1:
        return 1 + math.expm1(-x) / x
    total = 1.0
    for k in range(12, 2, -1):
        total = 1 - x / k * total
    return x / 2 * total


@estimator("mom_finite")
def mom_finite(sample: Sample) -> float:
    """Method of moments: D (1 - h_n(N/D)) = d on [d, N], for equal frequencies in N rows; N when all rows differ."""
    from scipy.optimize import brentq

    d, n, rows = sample.d, sample.n, sample.rows
    if d >= n:
        return rows

    def excess(distinct: float) -> float:
        return -distinct * math.expm1(log_missed(np.array([rows / distinct]), n, rows)[0]) - d

    if excess(d) >= 0:  # at D = d nothing can be missed
        return d
    # without replacement more is seen than with it, so the endless population bounds the answer, and from near by
    top = min(rows, mom_infinite(sample) * (1 + 1e-9))
    return float(brentq(excess, d, top, xtol=1e-300, rtol=8.9e-16, maxiter=500)) if excess(top) > 0 else top


@estimator("goodman")
def goodman(sample: Sample) -> float:
    """Goodman's unbiased estimator, d + sum (-1)^(i+1) (N-n+i-1)! (n-i)! / ((N-n-1)! n!) f_i.

    Its variance is astronomical unless nearly all rows are read; here for completeness, never chosen.
    Source: Goodman, "On the Estimation of the Number of Classes in a Population" (1949).
    """
    i = sample.counts
    logs = log_rising(np.array(sample.rows - sample.n), i) - log_rising(np.maximum(sample.n - i, 0) + 1, i)
    with np.errstate(over="ignore"):
        terms = np.exp(logs) * np.where(i % 2 == 1, 1.0, -1.0)
    return sample.d + sample.sum(terms) if np.isfinite(terms).all() else math.inf


@estimator("sichel")
def sichel(sample: Sample) -> float:
    """Sichel's fit of the generalised inverse Gaussian-Poisson law; d when there is no fit.

    g in (f1/n, 1) solves (1 + g) ln g - a g + b = 0, a = 2n/d - ln(n/f1), b = 2 f1/d + ln(n/f1);
    D = 2 / (b' c'), b' = g ln(n g / f1) / (1 - g), c' = (1 - g^2) / (n g^2). The left side is concave and 0 at f1/n, so
    there is one other root at most.
    Source: Sichel, "Parameter Estimation for a Word Frequency Distribution Based on Occupancy Theory" (1986).
    """
    from scipy.optimize import brentq

    d, n, f1 = sample.d, sample.n, sample.f1
    if not 0 < f1 < n:
        return d
    share = math.log(n / f1)
    a, b, start = 2 * n / d - share, 2 * f1 / d + share, f1 / n

    def left(g: float) -> float:
        return (1 + g) * math.log(g) - a * g + b

    def slope(g: float) -> float:
        return math.log(g) + (1 + g) / g - a

    if slope(start) <= 0 or left(1.0) >= 0:
        return d
    top = float(brentq(slope, start, 1.0, rtol=8.9e-16)) if slope(1.0) < 0 else 1.0
    if not left(top) > 0:
        return d
    g = float(brentq(left, top, 1.0, xtol=1e-300, rtol=8.9e-16))
    if not start < g < 1:
        return d
    return 2 * (1 - g) * n * g * g / (g * math.log(n * g / f1) * (1 - g * g))
