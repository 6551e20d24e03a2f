"""What an estimator works on: the profile of a sample, checked, with its totals and the sums that formulas share.

Notation: f_i values occur exactly i times in the sample; d = sum of f_i, the distinct values of the sample; n its rows;
N the rows of the population; q = n / N. NULL rows count in none of them. The f_i may be fractions, because they may
come from a sketch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.registry import Registry

Floats = npt.NDArray[np.float64]

SKETCH_SLACK: Final = 1.05  # our choice: how far a sketched sum of i * f_i may exceed N, about ten standard errors


@dataclass(frozen=True, eq=False)
class Sample:
    """A profile and its totals.

    counts, values: i ascending and f_i > 0, float64, shape (m,). d values in `n` rows, sampled out of `rows`,
    1 <= d <= n < rows up to the error of a sketch.
    """

    counts: Floats
    values: Floats
    n: float
    rows: float

    @cached_property
    def d(self) -> float:
        """Distinct values of the sample."""
        return math.fsum(self.values.tolist())

    @property
    def q(self) -> float:
        """Sampling rate n / N."""
        return self.n / self.rows

    @property
    def f1(self) -> float:
        """Values that occur once in the sample."""
        return self.f(1)

    @property
    def f2(self) -> float:
        """Values that occur twice in the sample."""
        return self.f(2)

    def f(self, i: int) -> float:
        """Values that occur exactly i times."""
        at = int(np.searchsorted(self.counts, i))
        return float(self.values[at]) if at < len(self.counts) and self.counts[at] == i else 0.0

    def sum(self, weights: Floats) -> float:
        """The sum of weights * f_i, weights of shape (m,); without loss to cancellation."""
        return math.fsum((weights * self.values).tolist())

    @cached_property
    def pairs(self) -> float:
        """The sum of i (i - 1) f_i: ordered pairs of rows with the same value."""
        return self.sum(self.counts * (self.counts - 1))

    @property
    def repeats_nothing(self) -> bool:
        """Whether no value was sampled twice, so that the sample says nothing about repeats."""
        return len(self.counts) == 1 and self.counts[0] == 1

    def spread(self, distinct: float) -> float:
        """Squared coefficient of variation of the values' rows, were there `distinct` values (Haas, Stokes 1998)."""
        return max(0.0, distinct / self.n**2 * self.pairs + distinct / self.rows - 1)

    def part(self, kept: npt.NDArray[np.bool_], rows: float) -> Sample:
        """The sample of the values chosen by `kept`, shape (m,), in a population of these rows or, if need be, more."""
        counts, values = self.counts[kept], self.values[kept]
        n = math.fsum((counts * values).tolist())
        return Sample(counts, values, n, max(n, rows))


Formula = Callable[..., float]  # (Sample, **options)
estimators: Registry[Formula] = Registry("estimator")
estimator = estimators.register


def read_sample(profile: Mapping[int, float], rows: float, sample_rows: float | None = None) -> Sample:
    """The sample of a profile, n cut to at most N where a sketch has overstated it.

    Args:
        profile: {i: f_i}, i >= 1, f_i >= 0, fractions allowed.
        rows: N.
        sample_rows: n, where it is known apart from the profile.
    Raises:
        ProgrammingError: something that is no profile or no number.
        DataError: a count or number out of range, or a sample larger than its population. A sum of i * f_i up to 5 %
            above N is taken for sketch error.
    """
    f = _checked_profile(profile)
    rows = checked_number("rows", rows)
    ordered = sorted(f)
    counts, values = np.array(ordered, np.float64), np.array([f[i] for i in ordered], np.float64)
    d = math.fsum(values.tolist())
    return Sample(counts, values, _sampled_rows(counts, values, d, rows, sample_rows), rows)


def _sampled_rows(counts: Floats, values: Floats, d: float, rows: float, given: float | None) -> float:
    """n with d <= n, and n <= rows as far as the error of a sketch explains the difference; else DataError."""
    if given is None:
        n = math.fsum((counts * values).tolist())
        limit, hint = rows * SKETCH_SLACK, "rows are those of the population; sample_rows those of a sketched sample."
    else:
        n = checked_number("sample_rows", given)
        limit, hint = rows, "rows are those of the population, and sample_rows a part of them."
        if bool(n) != bool(d):
            raise DataError(compose(f"a sample of {given} rows cannot have {d:g} distinct values"))
    if n > limit or d > rows * SKETCH_SLACK:
        raise DataError(compose(f"a sample of {n:g} rows and {d:g} values is larger than its {rows:g} rows", hint=hint))
    return min(max(n, d), rows)


def _checked_profile(profile: Mapping[int, float]) -> dict[int, float]:
    """The profile without zeros; ProgrammingError or DataError when it is none."""
    if not isinstance(profile, Mapping):
        problem = f"a profile maps row counts to numbers of values, it is no {type(profile).__name__}"
        raise ProgrammingError(compose(problem, hint="for example {1: 30, 2: 5}."))
    for i, count in profile.items():
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or i < 1:
            raise DataError(compose(f"{i!r} in a profile is no row count", hint="values occur 1, 2, 3, ... times."))
        checked_number(f"f_{i}", count)
    return {int(i): float(count) for i, count in profile.items() if count}


def checked_number(name: str, value: float) -> float:
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
