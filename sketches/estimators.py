"""Estimators of the number of distinct values from the profile of a sample.

An estimator is a pure function of the profile {i: f_i} (how many values occur exactly i times in the sample), the sampled
rows n = sum of i * f_i and the rows N of the population. `estimate` adds what all of them share: the cases in which no
formula is needed, clamping, and a range. New ones join with `@estimator("name")`.

Notation: d = sum of f_i, the distinct values of the sample; q = n / N, the sampling rate. The f_i may be fractions, because they
come from sketches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from paretosql.errors import DataError, compose
from paretosql.registry import Registry

ALL_SINGLETONS: Final = (
    "ALL_SINGLETONS"  # every sampled value occurred once: the sample cannot tell unique from nearly so
)
TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Sample:
    """A profile with its totals: f maps i to f_i, without zeros; d values and n rows sampled out of `rows`."""

    f: Mapping[int, float]
    d: float
    n: float
    rows: float

    @property
    def q(self) -> float:
        """Sampling rate, 0 < q <= 1."""
        return min(1.0, self.n / self.rows)

    @property
    def f1(self) -> float:
        """Values that occur once in the sample."""
        return self.f.get(1, 0.0)

    @property
    def f2(self) -> float:
        """Values that occur twice in the sample."""
        return self.f.get(2, 0.0)


@dataclass(frozen=True)
class Estimate:
    """An estimated number of distinct values.

    value: the estimate, clamped; None when nothing was sampled of a population that has rows.
    raw: the formula before any clamp, None when no formula was needed.
    lower, upper: the range of `gee_bounds`, clamped and always around `value`.
    method: name of the estimator. warnings: codes, such as ALL_SINGLETONS.
    """

    value: float | None
    raw: float | None
    lower: float
    upper: float
    method: str
    warnings: tuple[str, ...] = ()


Formula = Callable[[Sample], float]
estimators: Registry[Formula] = Registry("estimator")
estimator = estimators.register


@estimator("gee")
def gee(sample: Sample) -> float:
    """Guaranteed-error estimator, d - f1 + sqrt(1/q) f1. Source: Charikar, Chaudhuri, Motwani, Narasayya (PODS 2000)."""
    return sample.d - sample.f1 + math.sqrt(1 / sample.q) * sample.f1


@estimator("duj1")
def duj1(sample: Sample) -> float:
    """First-order unsmoothed jackknife, d / (1 - (1 - q) f1 / n). Source: Haas, Stokes (JASA 1998)."""
    return sample.d / (1 - (1 - sample.q) * sample.f1 / sample.n)


@estimator("chao")
def chao(sample: Sample) -> float:
    """Chao's lower bound, bias-corrected: d + f1 (f1 - 1) / (2 (f2 + 1)). Source: Chao (1984), corrected form of 2005."""
    return sample.d + sample.f1 * max(0.0, sample.f1 - 1) / (2 * (sample.f2 + 1))


def estimate(
    method: str, profile: Mapping[int, float], rows: float, *, domain: float | None = None, confidence: float = 0.95
) -> Estimate:
    """thin"""
    formula = estimators[method]
    f = {i: float(v) for i, v in sorted(profile.items()) if v}
    d = math.fsum(f.values())
    n = math.fsum(i * v for i, v in f.items())
    if n == 0:
        return Estimate(0.0 if rows == 0 else None, None, 0.0, float(rows), method)
    sample = Sample(f, d, n, rows)
    if n >= rows:
        return Estimate(d, None, d, d, method)
    raw = formula(sample)
    top = d + (rows - n)
    value = min(max(raw, d), top)
    upper = min(max(d - sample.f1 + sample.f1 / sample.q, value), top)
    return Estimate(value, raw, d, upper, method)
