"""Estimators with a bound on their ratio error: GEE and AE.

Source: Charikar, Chaudhuri, Motwani, Narasayya, "Towards Estimation Error Guarantees for Distinct Values" (PODS 2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from paretosql.sketches.sample import Sample, estimator


@estimator("gee")
def gee(sample: Sample) -> float:
    """Guaranteed-error estimator, d - f1 + sqrt(1/q) f1: values seen once stand for sqrt(1/q), all others for
    themselves. Meets the lower bound on any estimator's error up to a constant, and is rarely good.
    """
    return sample.d - sample.f1 + math.sqrt(1 / sample.q) * sample.f1


@estimator("ae")
def ae(sample: Sample) -> float:
    """Adaptive estimator, d + m - f1 - f2: m rare values, found so that they explain f1.

    m solves m - f1 - f2 = f1 (A + m e^(-s/m)) / (B + s e^(-s/m)) with s = f1 + 2 f2, A = sum of e^-i f_i and
    B = sum of i e^-i f_i over i >= 3. Without a solution below N the answer is N.
    """
    f1, f2 = sample.f1, sample.f2
    if f1 == 0:
        return sample.d
    common = sample.counts >= 3
    weights = np.exp(-sample.counts) * common
    a, b, s = sample.sum(weights), sample.sum(sample.counts * weights), f1 + 2 * f2

    def excess(m: float) -> float:
        missed = math.exp(-s / m)
        return m - f1 - f2 - f1 * (a + m * missed) / (b + s * missed)

    m = _first_zero(excess, f1 + f2, sample.rows)
    return sample.rows if m is None else sample.d + m - f1 - f2


def _first_zero(excess: Callable[[float], float], start: float, most: float) -> float | None:
    """Where a function that is negative at `start` becomes positive, searched by doubling; None when above `most`."""
    from scipy.optimize import brentq

    low = start
    while low < most:
        high = min(2 * low, most)
        if excess(high) >= 0:
            return float(brentq(excess, low, high, xtol=1e-300, rtol=8.9e-16, maxiter=500))
        low = high
    return None
