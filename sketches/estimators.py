"""Estimators of the number of distinct values from the profile of a sample.

An estimator is a pure function of a `Sample`: the profile {i: f_i} (how many values occur exactly i times in the
sample), its totals, and the rows of the population. `estimate` adds what all estimators share: the cases that need no
formula, the clamps, and an interval. New estimators join with `@estimator("name")`.

No estimator can be good on all data: on some population the ratio error of a 1 % sample is above 5 half of the time
(Charikar, Chaudhuri, Motwani, Narasayya, PODS 2000, theorem 1). So an interval comes with every estimate.

| module | estimators |
| --- | --- |
| `guaranteed` | gee, ae |
| `coverage` | chao84, chao, good_turing, chao_lee, shlosser |
| `jackknife` | duj1, duj2, duj2a, sh3, haas_stokes, jackknife1, jackknife2, smoothed_jackknife, hybskew, hybgee |
| `moments` | bootstrap, horvitz_thompson, mom_infinite, mom_finite, goodman, sichel |
| `extrapolation` | smoothed_good_toulmin, wu_yang |
| `spectrum` | profile_lp, profile_nnls |
| `learned`, `automatic` | learned, auto |
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from paretosql.errors import DataError, ProgrammingError, closest, compose
from paretosql.sketches import (  # noqa: F401 - importing them registers their estimators
    automatic,
    coverage,
    extrapolation,
    guaranteed,
    learned,
    moments,
    spectrum,
)
from paretosql.sketches.compatible import compatible
from paretosql.sketches.jackknife import duj1
from paretosql.sketches.sample import Formula, Sample, checked_number, estimator, estimators, read_sample

__all__ = ["ALL_SINGLETONS", "NOT_FINITE", "Estimate", "Sample", "estimate", "estimator", "estimators", "point"]

ALL_SINGLETONS: Final = "ALL_SINGLETONS"  # no value was sampled twice, so the sample says nothing about repeats
NOT_FINITE: Final = "NOT_FINITE"  # the formula has no finite value here, duj1 took its place


@dataclass(frozen=True)
class Estimate:
    """An estimated number of distinct values, and how it came about.

    value: the estimate after clamping; None when the population has rows but none was sampled.
    raw: the formula before any clamp, d when all rows were read; None when value is None.
    lower, upper: the interval, see `estimate`.
    method: the name of the estimator.
    warnings: codes, ALL_SINGLETONS or NOT_FINITE.
    """

    value: float | None
    raw: float | None
    lower: float
    upper: float
    method: str
    warnings: tuple[str, ...] = ()


def estimate(
    method: str,
    profile: Mapping[int, float],
    rows: float,
    *,
    domain: float | None = None,
    confidence: float = 0.95,
    sample_rows: float | None = None,
    **options: object,
) -> Estimate:
    """Estimate the distinct values of a population from the profile of a sample of its rows.

    Without rows in the sample, the value is None, or 0 for an empty population. A sample of all rows gives d.
    Otherwise the formula of the method applies, and its result is clamped to [d, d + N - n], since each unread row
    holds at most one new value, and to the domain.

    The interval holds every D of a population that the sample is compatible with at this confidence
    (`compatible.compatible`). It is a property of the sample: where a formula's value lies outside, the interval is
    widened to hold it.

    Args:
        method: a name in `estimators`.
        profile: {i: f_i}, i >= 1, f_i >= 0, fractions allowed.
        rows: N, non-NULL rows of the population.
        domain: the most distinct values there can be, if known, such as 2 for booleans.
        confidence: between 0 and 1.
        sample_rows: n, where it is known apart from the profile, as `ProfileSketch.rows` is. A sketched profile carries
            its heavy values with much error, and so would its own sum of i * f_i, the default.
        options: of the method: `cutoff` of duj2a, `smoothing` of smoothed_good_toulmin, `p_min` of wu_yang.
    Raises:
        ProgrammingError: an unknown method or option, or arguments of the wrong type.
        DataError: an argument out of range, or a sample larger than its population. A sum of i * f_i up to 5 % above N
            is taken for sketch error and counts as N.
    Source: the clamps and rules are our design.
    Cost: about 30 ms, most of it the interval; `point` is the estimate alone.

    >>> estimate("chao", {1: 10, 2: 4}, rows=1000).value
    23.0
    """
    if not 0 < checked_number("confidence", confidence) < 1:
        raise DataError(compose(f"confidence {confidence} is out of range", hint="it lies between 0 and 1."))
    found = point(method, profile, rows, domain=domain, sample_rows=sample_rows, **options)
    if found.value is None or found.lower == found.upper:
        return found
    low, high = compatible(read_sample(profile, rows, sample_rows), confidence)
    lower = max(found.lower, min(low, found.value))
    upper = min(found.upper, max(high, found.value))
    return replace(found, lower=lower, upper=upper)


def point(
    method: str,
    profile: Mapping[int, float],
    rows: float,
    *,
    domain: float | None = None,
    sample_rows: float | None = None,
    **options: object,
) -> Estimate:
    """`estimate` without an interval: `lower` and `upper` are what the value was clamped to. Microseconds for most
    methods.
    """
    if not isinstance(method, str):
        raise ProgrammingError(compose(f"a method is a str, not {type(method).__name__}", hint="for example 'auto'."))
    formula = estimators[method]
    _check_options(method, options)
    most = math.inf if domain is None else checked_number("domain", domain)
    sample = read_sample(profile, rows, sample_rows)
    d, n, rows = sample.d, sample.n, sample.rows
    if n == 0:
        return Estimate(None if rows else 0.0, None if rows else 0.0, 0.0, min(rows, most), method)
    if n >= rows:
        value = min(d, rows, most)
        return Estimate(value, d, value, value, method)
    warnings = [ALL_SINGLETONS] if sample.repeats_nothing else []
    raw = _evaluate(formula, sample, options)
    if not math.isfinite(raw) and sample.repeats_nothing and d >= n:
        raw = rows  # the limit of a formula without one
    elif not math.isfinite(raw):
        raw = duj1(sample)
        warnings.append(NOT_FINITE)
    top = min(most, d + (rows - n))
    return Estimate(min(max(raw, d), top), raw, min(d, top), top, method, tuple(warnings))


def _evaluate(formula: Formula, sample: Sample, options: Mapping[str, object]) -> float:
    try:
        return float(formula(sample, **options))
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _check_options(method: str, options: Mapping[str, object]) -> None:
    """ProgrammingError for an option that the method does not have."""
    known = list(inspect.signature(estimators[method]).parameters)[1:]
    for name in options:
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean {near!r}?" if near else f"its options: {', '.join(known) or 'none'}."
            raise ProgrammingError(compose(f"the estimator {method!r} has no option {name!r}", hint=hint))
