"""Estimators of the number of distinct values from the profile of a sample.

An estimator is a pure function of a `Sample`: the profile {i: f_i} (how many values occur exactly i times in the
sample), its totals, and the rows of the population. `estimate` adds what all estimators share: the cases that need no
formula, the clamps, and a range. New estimators join with `@estimator("name")`.

Notation: d = sum of f_i, the distinct values of the sample; n its rows; N the rows of the population; q = n / N. NULL
rows count in none of them. The f_i may be fractions, because they may come from a sketch.

No estimator can be good on all data: on some population the ratio error of a 1 % sample is above 5 half of the time
(Charikar, Chaudhuri, Motwani, Narasayya, PODS 2000, theorem 1). So a range comes with every estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.registry import Registry

ALL_SINGLETONS: Final = "ALL_SINGLETONS"  # no value was sampled twice, so the sample says nothing about repeats
NOT_FINITE: Final = "NOT_FINITE"  # the formula overflowed, duj1 took its place
SKETCH_SLACK: Final = 1.05  # our choice: how far a sketched sum of i * f_i may exceed N, about ten standard errors


@dataclass(frozen=True)
class Sample:
    """A profile and its totals: f maps i to f_i > 0; `d` values in `n` rows, sampled out of `rows`, d <= n < rows."""

    f: Mapping[int, float]
    d: float
    n: float
    rows: float

    @property
    def q(self) -> float:
        """Sampling rate n / N."""
        return self.n / self.rows

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
    """An estimated number of distinct values, and how it came about.

    value: the estimate after clamping; None when the population has rows but none was sampled.
    raw: the formula before any clamp, d when all rows were read; None when value is None.
    lower, upper: a range around `value`, see `estimate`.
    method: the name of the estimator.
    warnings: codes, ALL_SINGLETONS or NOT_FINITE.
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
    """Guaranteed-error estimator, d - f1 + sqrt(1/q) f1: values seen once stand for sqrt(1/q), all others for
    themselves.

    Source: Charikar, Chaudhuri, Motwani, Narasayya, "Towards Estimation Error Guarantees for Distinct Values" (PODS
    2000).
    """
    return sample.d - sample.f1 + math.sqrt(1 / sample.q) * sample.f1


@estimator("duj1")
def duj1(sample: Sample) -> float:
    """First-order unsmoothed jackknife, d / (1 - (1 - q) f1 / n): all singletons give N, no singletons give d.

    Source: Haas, Stokes, "Estimating the Number of Classes in a Finite Population" (JASA 1998); the rule of PostgreSQL.
    """
    return sample.d / (1 - (1 - sample.q) * min(1.0, sample.f1 / sample.n))


@estimator("chao")
def chao(sample: Sample) -> float:
    """Chao's estimator, bias-corrected, d + f1 (f1 - 1) / (2 (f2 + 1)): exact for equally frequent values, else a low
    guess.

    Source: Chao, "Nonparametric Estimation of the Number of Classes in a Population" (1984), corrected as in EstimateS.
    A fractional f1 below 1 adds nothing (our choice; the formula would subtract).
    """
    return sample.d + sample.f1 * max(0.0, sample.f1 - 1) / (2 * (sample.f2 + 1))


def estimate(
    method: str,
    profile: Mapping[int, float],
    rows: float,
    *,
    domain: float | None = None,
    confidence: float = 0.95,
    sample_rows: float | None = None,
) -> Estimate:
    """Estimate the distinct values of a population from the profile of a sample of its rows.

    Without rows in the sample, the value is None, or 0 for an empty population. A sample of all rows gives d.
    Otherwise the formula of the method applies, and its result is clamped to [d, d + N - n], since each unread row
    holds at most one new value, and to the domain.

    The range is [d, d - f1 + f1 / q] under the same clamps, widened to hold the value. Its ends bound D in expectation:
    whatever the population, values seen once stand for at least 1 and at most about 1 / q values. It is no confidence
    interval, and `confidence`, which is checked, does not change it; the interval estimators to come will use it.

    Args:
        method: a name in `estimators`.
        profile: {i: f_i}, i >= 1, f_i >= 0, fractions allowed.
        rows: N, non-NULL rows of the population.
        domain: the most distinct values there can be, if known, such as 2 for booleans.
        confidence: between 0 and 1.
        sample_rows: n, where it is known apart from the profile, as `ProfileSketch.rows` is. A sketched profile carries
            its heavy values with much error, and so would its own sum of i * f_i, the default.
    Raises:
        ProgrammingError: an unknown method or arguments of the wrong type.
        DataError: an argument out of range, or a sample larger than its population. A sum of i * f_i up to 5 % above N
            is taken for sketch error and counts as N.
    Source: the clamps and rules are our design; the range is of Charikar et al. (PODS 2000).
    Cost: linear in the number of different i.

    >>> estimate("chao", {1: 10, 2: 4}, rows=1000).value
    23.0
    """
    formula = estimators[method]
    f = _check_profile(profile)
    rows = _check_number("rows", rows)
    top = math.inf if domain is None else _check_number("domain", domain)
    if not 0 < _check_number("confidence", confidence) < 1:
        raise DataError(compose(f"confidence {confidence} is out of range", hint="it lies between 0 and 1."))
    d = math.fsum(f.values())
    n = _sampled_rows(f, d, rows, sample_rows)
    if n == 0:
        return Estimate(None if rows else 0.0, None if rows else 0.0, 0.0, min(rows, top), method)
    if n >= rows:
        value = min(d, rows, top)
        return Estimate(value, d, value, value, method)
    sample = Sample(f, d, n, rows)
    raw, warnings = formula(sample), [ALL_SINGLETONS] if f.keys() == {1} else []
    if not math.isfinite(raw):
        raw = duj1(sample)
        warnings.append(NOT_FINITE)
    top = min(top, d + (rows - n))
    value = min(max(raw, d), top)
    upper = min(max(d - sample.f1 + sample.f1 / sample.q, value), top)
    return Estimate(value, raw, min(d, top), upper, method, tuple(warnings))


def _sampled_rows(f: Mapping[int, float], d: float, rows: float, given: float | None) -> float:
    """n with d <= n, and n <= rows as far as the error of a sketch explains the difference; else DataError."""
    if given is None:
        n = math.fsum(i * count for i, count in f.items())
        limit, hint = rows * SKETCH_SLACK, "rows are those of the population; sample_rows those of a sketched sample."
    else:
        n = _check_number("sample_rows", given)
        limit, hint = rows, "rows are those of the population, and sample_rows a part of them."
        if bool(n) != bool(d):
            raise DataError(compose(f"a sample of {given} rows cannot have {d:g} distinct values"))
    if n > limit or d > rows * SKETCH_SLACK:
        raise DataError(compose(f"a sample of {n:g} rows and {d:g} values is larger than its {rows:g} rows", hint=hint))
    return min(max(n, d), rows)


def _check_profile(profile: Mapping[int, float]) -> dict[int, float]:
    """The profile without zeros; ProgrammingError or DataError when it is none."""
    if not isinstance(profile, Mapping):
        problem = f"a profile maps row counts to numbers of values, it is no {type(profile).__name__}"
        raise ProgrammingError(compose(problem, hint="for example {1: 30, 2: 5}."))
    for i, count in profile.items():
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or i < 1:
            raise DataError(compose(f"{i!r} in a profile is no row count", hint="values occur 1, 2, 3, ... times."))
        _check_number(f"f_{i}", count)
    return {int(i): float(count) for i, count in profile.items() if count}


def _check_number(name: str, value: float) -> float:
    """`value` as a finite float >= 0; ProgrammingError or DataError when it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ProgrammingError(compose(f"{name} must be a number, not {type(value).__name__}"))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise DataError(compose(f"{name} is {value}", hint=f"{name} is finite and at least 0."))
    return number
