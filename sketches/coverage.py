"""Estimators that judge what is missing by the share of singletons: Chao's and their kin, and Shlosser's."""

from __future__ import annotations

import math

import numpy as np

from paretosql.sketches.sample import Sample, estimator


@estimator("chao84")
def chao84(sample: Sample) -> float:
    """Chao's lower-bound estimator, d + f1^2 / (2 f2); not defined without values seen twice.

    Source: Chao, "Nonparametric Estimation of the Number of Classes in a Population" (1984).
    """
    if sample.f1 == 0:
        return sample.d
    return sample.d + sample.f1**2 / (2 * sample.f2) if sample.f2 else math.inf


@estimator("chao")
def chao(sample: Sample) -> float:
    """Chao's estimator, bias-corrected, d + f1 (f1 - 1) / (2 (f2 + 1)): exact for equally frequent values, else a low
    guess.

    Source: Chao (1984), corrected as in EstimateS. With a fractional f1 below 1 the formula falls below d, where the
    clamp of `estimate` holds.
    """
    return sample.d + sample.f1 * (sample.f1 - 1) / (2 * (sample.f2 + 1))


@estimator("good_turing")
def good_turing(sample: Sample) -> float:
    """d / C with the coverage C = 1 - f1 / n: the share of rows whose value has been seen (Good 1953)."""
    return sample.d / _covered(sample) if _covered(sample) > 0 else math.inf


@estimator("chao_lee")
def chao_lee(sample: Sample) -> float:
    """d / C + n (1 - C) / C g2: Good and Turing's estimate, raised where frequencies vary. Explodes with heavy values.

    g2 = max(0, (d / C) sum of i (i - 1) f_i / (n (n - 1)) - 1).
    Source: Chao, Lee, "Estimating the Number of Classes via Sample Coverage" (JASA 1992). Released code of later papers
    leaves out the "- 1".
    """
    covered, n = _covered(sample), sample.n
    if covered <= 0 or n <= 1:
        return math.inf
    first = sample.d / covered
    spread = max(0.0, first * sample.pairs / (n * (n - 1)) - 1)
    return first + n * (1 - covered) / covered * spread


def _covered(sample: Sample) -> float:
    return 1 - sample.f1 / sample.n


@estimator("shlosser")
def shlosser(sample: Sample) -> float:
    """d + f1 sum (1-q)^i f_i / sum i q (1-q)^(i-1) f_i: right for very uneven data, far too high on even data.

    Source: Shlosser, "On Estimation of the Size of the Dictionary of a Long Text on the Basis of a Sample" (1981).
    """
    return sample.d + sample.f1 * shlosser_ratio(sample) if sample.f1 else sample.d


def shlosser_ratio(sample: Sample) -> float:
    """sum (1-q)^i f_i / sum i q (1-q)^(i-1) f_i."""
    keep = math.log1p(-sample.q)
    missed = np.exp(sample.counts * keep)
    once = sample.counts * sample.q * np.exp((sample.counts - 1) * keep)
    return sample.sum(missed) / sample.sum(once)
