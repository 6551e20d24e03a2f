"""Jackknife estimators: what the sample would have lost with one row less, extrapolated, and hybrids of them.

Source, unless a docstring says otherwise: Haas, Stokes, "Estimating the Number of Classes in a Finite Population" (JASA
1998).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from paretosql.sketches.coverage import shlosser, shlosser_ratio
from paretosql.sketches.guaranteed import gee
from paretosql.sketches.log_gamma import harmonic_sum, log_missed
from paretosql.sketches.sample import Floats, Sample, checked_number, estimator

CUTOFF: Final = 50  # section 5: values sampled more often are set aside by duj2a
LITTLE_SPREAD, MUCH_SPREAD = 0.9, 30.0  # thresholds of the hybrid, as in Apache SystemDS
CRITICAL: Final = 0.975  # level of the test for uniformity


@estimator("duj1")
def duj1(sample: Sample) -> float:
    """First-order unsmoothed jackknife, d / (1 - (1 - q) f1 / n): all singletons give N, no singletons give d. The rule
    of PostgreSQL; low where frequencies vary.
    """
    return sample.d / _unseen(sample.f1, sample.n, sample.q)


def _unseen(f1: float, n: float, q: float) -> float:
    """1 - (1 - q) f1 / n without loss where nearly all are singletons; a sketched f1 may exceed n."""
    once = min(f1, n)
    return (n - once + once * q) / n


@estimator("duj2")
def duj2(sample: Sample) -> float:
    """Second-order unsmoothed jackknife, (d - f1 (1-q) ln(1-q) g2 / q) / (1 - (1-q) f1 / n), g2 the spread at duj1.
    Explodes with heavy values.
    """
    q = sample.q
    spread = sample.spread(duj1(sample))
    return (sample.d - sample.f1 * (1 - q) * math.log1p(-q) * spread / q) / _unseen(sample.f1, sample.n, q)


@estimator("duj2a")
def duj2a(sample: Sample, cutoff: int = CUTOFF) -> float:
    """`duj2` without the values sampled more than `cutoff` times, which are added back: the best cheap estimator from
    q = 5 % on.
    """
    rare = sample.counts <= checked_number("cutoff", cutoff)
    if not rare.any():
        return sample.d
    heavy = ~rare
    heavy_rows = float((_rows_behind(sample.counts[heavy], sample.q) * sample.values[heavy]).sum())
    rest = sample.part(rare, sample.rows - heavy_rows)
    q = sample.q
    unseen = _unseen(rest.f1, rest.n, q)
    spread = rest.spread(rest.d / unseen)
    low = (rest.d - rest.f1 * (1 - q) * math.log1p(-q) * spread / q) / unseen
    return low + float(sample.values[heavy].sum())


def _rows_behind(counts: Floats, q: float) -> Floats:
    """x with q x / (1 - (1-q)^x) = count: the rows of a value that is sampled so often, given that it is sampled."""
    rows, keep = counts / q, math.log1p(-q)
    for _ in range(200):  # a contraction: each step shrinks the error by x (1-q)^x, tiny from a few counts on
        before, rows = rows, -np.expm1(rows * keep) * counts / q
        if np.array_equal(before, rows):
            break
    return rows


@estimator("sh3")
def sh3(sample: Sample) -> float:
    """Shlosser's estimator corrected for a second moment, for very high spread."""
    if sample.f1 == 0:
        return sample.d
    q, i = sample.q, sample.counts
    keep, keep_square = math.log1p(-q), math.log1p(-q * q)
    above = sample.sum(i * q * q * np.exp((i - 1) * keep_square))
    # (1-q^2)^i - (1-q)^i, by what the second lacks of the first
    below = sample.sum(-np.exp(i * keep_square) * np.expm1(i * (keep - keep_square)))
    return sample.d + sample.f1 * above / below * shlosser_ratio(sample) ** 2


@estimator("haas_stokes")
def haas_stokes(sample: Sample) -> float:
    """The hybrid of the paper: duj2 below a spread of 0.9, duj2a below 30, else sh3."""
    spread = sample.spread(duj1(sample))
    if spread < LITTLE_SPREAD:
        return duj2(sample)
    return duj2a(sample) if spread < MUCH_SPREAD else sh3(sample)


@estimator("jackknife1")
def jackknife1(sample: Sample) -> float:
    """d + f1 (n - 1) / n. Takes the population for endless: far too low at small rates (Burnham, Overton 1978)."""
    return sample.d + sample.f1 * (sample.n - 1) / sample.n


@estimator("jackknife2")
def jackknife2(sample: Sample) -> float:
    """d + f1 (2n - 3) / n - f2 (n - 2)^2 / (n (n - 1)); `jackknife1` below three rows (Burnham, Overton 1978)."""
    n = sample.n
    if n < 3:
        return jackknife1(sample)
    if sample.f1 == 0:
        return sample.d
    return sample.d + sample.f1 * (2 * n - 3) / n - sample.f2 * (n - 2) ** 2 / (n * (n - 1))


@estimator("smoothed_jackknife")
def smoothed_jackknife(sample: Sample) -> float:
    """Jackknife whose probabilities are smoothed by even frequencies N / D0.

    D0 = (d - f1/n) / (1 - (N-n+1) f1 / (nN)), x = N / D0;
    (d + N h_n(x) g_(n-1)(x) g2(D0)) / (1 - (N - x - n + 1) f1 / (nN)), h_n(x) the chance to miss x rows and
    g_m(x) = sum of 1 / (N - x - m + k) over k = 1..m.
    Source: Haas, Naughton, Seshadri, Stokes, "Sampling-Based Estimation of the Number of Distinct Values of an
    Attribute" (VLDB 1995); the formula has not been checked against the printed paper.
    """
    n, rows, f1 = sample.n, sample.rows, sample.f1
    if f1 == 0:
        return sample.d
    first = (sample.d - f1 / n) / (1 - (rows - n + 1) * f1 / (n * rows))
    if not first > 0:
        return math.inf
    even = rows / first
    missed = math.exp(log_missed(np.array([even]), n, rows)[0])
    harmonic = harmonic_sum(rows - even - n + 2, n - 1) if missed else 0.0
    above = sample.d + rows * missed * harmonic * sample.spread(first)
    return above / (1 - (rows - even - n + 1) * f1 / (n * rows))


@estimator("hybskew")
def hybskew(sample: Sample) -> float:
    """`smoothed_jackknife` where the sample passes for even frequencies, else `shlosser` (Haas et al. 1995)."""
    return smoothed_jackknife(sample) if _looks_even(sample) else shlosser(sample)


@estimator("hybgee")
def hybgee(sample: Sample) -> float:
    """`smoothed_jackknife` where the sample passes for even frequencies, else `gee` (Charikar et al. 2000)."""
    return smoothed_jackknife(sample) if _looks_even(sample) else gee(sample)


def _looks_even(sample: Sample) -> bool:
    """A chi-square test of the counts against n / d, with d - 1 degrees of freedom (our reading)."""
    from scipy.special import chdtri

    expected = sample.n / sample.d
    statistic = sample.sum((sample.counts - expected) ** 2 / expected)
    return sample.d <= 1 or statistic <= float(chdtri(sample.d - 1, 1 - CRITICAL))
