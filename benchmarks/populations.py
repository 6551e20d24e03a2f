"""Populations by their frequencies: how many values have exactly k rows, and what a sample of the rows shows of them.

Estimators see nothing of a population but the profile of a sample, so no column has to be made: a population is a table
of (k, number of values with k rows), and sampling draws, for each value, how many of its rows are read.

`STANDARD` are the thirteen populations that every estimator is measured on, and `OUTSIDE` ten more, of families that
neither are among those nor teach the learned estimator. `poisson` and `zipf` are the generators of
Li, Wei, Ding, Dai, Lu and Zhou (KDD 2022), as released with the paper; the others are our choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

MANY = 1_000  # our choice: values of one size from which one multinomial draw beats a binomial for each


@dataclass(frozen=True)
class Population:
    """A column as its frequencies: `numbers[j]` values have exactly `sizes[j]` rows; both int64, shape (m,)."""

    name: str
    sizes: Integers
    numbers: Integers

    @property
    def rows(self) -> int:
        """N."""
        return int((self.sizes * self.numbers).sum())

    @property
    def distinct(self) -> int:
        """D."""
        return int(self.numbers.sum())

    def counts(self, rate: float, random: np.random.Generator) -> Integers:
        """Rows of each value in a Bernoulli sample of the rows: int64, values without a row left out.

        Cost: O(distinct) time and memory.
        """
        drawn = random.binomial(np.repeat(self.sizes, self.numbers), rate)
        kept: Integers = drawn[drawn > 0]
        return kept

    def profile(self, rate: float, random: np.random.Generator) -> dict[int, float]:
        """The profile {i: f_i} of a Bernoulli sample.

        Cost: values of one size that are many are drawn together, so time goes with the different sizes, not with D.
        """
        many = self.numbers > MANY
        few = random.binomial(np.repeat(self.sizes[~many], self.numbers[~many]), rate)
        found = profile_of(few[few > 0])
        for size, number in zip(self.sizes[many].tolist(), self.numbers[many].tolist(), strict=True):
            start, chances = _binomial(size, rate)
            for i, drawn in enumerate(random.multinomial(number, chances).tolist(), start):
                found[i] = found.get(i, 0) + drawn
        return {i: float(number) for i, number in sorted(found.items()) if i and number}


def _binomial(size: int, rate: float) -> tuple[int, npt.NDArray[np.float64]]:
    """Where the chances of a binomial count begin to matter, and those chances, of sum 1."""
    from scipy.special import gammaln

    spread = 12 * math.sqrt(size * rate * (1 - rate)) + 12
    start, end = max(0, int(size * rate - spread)), min(size, int(size * rate + spread))
    i = np.arange(start, end + 1, dtype=float)
    log_ways = gammaln(size + 1) - gammaln(i + 1) - gammaln(size - i + 1)
    chances = np.exp(log_ways + i * math.log(rate) + (size - i) * math.log1p(-rate))
    return start, chances / chances.sum()


def profile_of(counts: Integers) -> dict[int, float]:
    """{i: how many of the counts are i}."""
    sizes, numbers = np.unique(counts, return_counts=True)
    return dict(zip(sizes.tolist(), numbers.astype(float).tolist(), strict=True))


def from_counts(name: str, counts: npt.NDArray[np.number]) -> Population:
    """The population whose values have these numbers of rows; zeros are no values."""
    whole = np.asarray(counts, np.int64)
    sizes, numbers = np.unique(whole[whole > 0], return_counts=True)
    return Population(name, sizes, numbers.astype(np.int64))


def poisson(mean: float, rows: int) -> Population:
    """F_k = floor(N pmf(k; mean) / k): the rows of a random row's value are Poisson distributed (KDD 2022)."""
    k = np.arange(1, int(mean + 20 * math.sqrt(mean)) + 20)
    log_pmf = k * math.log(mean) - mean - np.array([math.lgamma(each + 1) for each in k.tolist()])
    return _floored(f"poisson {mean:g}", k, rows * np.exp(log_pmf) / k)


def zipf(exponent: float, rows: int) -> Population:
    """F_k = floor(N / (zeta(s) k^(s + 1))) as long as that is above 1 (KDD 2022)."""
    from scipy.special import zeta

    scale = rows / float(zeta(exponent))
    largest = int(scale ** (1 / (exponent + 1)))
    k = np.arange(1, largest + 2)
    numbers = scale / k.astype(float) ** (exponent + 1)
    return _floored(f"zipf {exponent:g}", k[numbers > 1], numbers[numbers > 1])


def _floored(name: str, sizes: Integers, numbers: npt.NDArray[np.float64]) -> Population:
    whole = np.floor(numbers).astype(np.int64)
    return Population(name, sizes[whole > 0].astype(np.int64), whole[whole > 0])


def shares(name: str, weights: npt.NDArray[np.float64], rows: int) -> Population:
    """Values that share the rows by weight, each with at least one row if it gets half of one."""
    return from_counts(name, np.rint(weights * (rows / weights.sum())))


def zipf_by_rank(exponent: float, values: int, rows: int) -> Population:
    """The value of rank r has rows in proportion to r^-s."""
    return shares(f"zipf by rank {exponent:g}", np.arange(1, values + 1) ** -float(exponent), rows)


def even(name: str, values: int, rows: int) -> Population:
    """Each value has the same number of rows, up to one."""
    each, more = divmod(rows, values)
    sizes = [size for size, number in ((each, values - more), (each + 1, more)) if number]
    numbers = [number for number in (values - more, more) if number]
    return Population(name, np.array(sizes, np.int64), np.array(numbers, np.int64))


def half_unique(rows: int) -> Population:
    """Half of the rows hold a value of their own, the others one of fifty heavy values."""
    heavy = rows // 2 // 50
    return Population("half unique", np.array([1, heavy]), np.array([rows - 50 * heavy, 50]))


def lognormal(sigma: float, values: int, rows: int, seed: int = 1) -> Population:
    """Rows in proportion to log-normal weights."""
    random = np.random.default_rng(seed)
    return shares(f"log-normal {sigma:g}", random.lognormal(0.0, sigma, values), rows)


STANDARD: tuple[Callable[[int], Population], ...] = (
    lambda rows: poisson(50, rows),
    lambda rows: poisson(200, rows),
    lambda rows: zipf(1.2, rows),
    lambda rows: zipf(1.5, rows),
    lambda rows: zipf(2.0, rows),
    lambda rows: zipf_by_rank(0.5, rows // 10, rows),
    lambda rows: zipf_by_rank(1.0, rows // 10, rows),
    lambda rows: even("unique", rows, rows),
    lambda rows: even("five rows each", rows // 5, rows),
    lambda rows: even("a hundred rows each", rows // 100, rows),
    lambda rows: even("seven values", 7, rows),
    half_unique,
    lambda rows: lognormal(2.0, rows // 10, rows),
)


def standard(rows: int = 1_000_000) -> list[Population]:
    """The thirteen populations of about `rows` rows each."""
    return [make(rows) for make in STANDARD]


def stick_breaking(values: int, rows: int, seed: int = 1) -> Population:
    """Pitman and Yor's process with discount 0.5 and strength 5,000: each value takes a share of what is left."""
    random = np.random.default_rng(seed)
    at = np.arange(1, values + 1)
    part = random.beta(0.5, 5_000 + 0.5 * at)
    left = np.cumprod(np.concatenate([[1.0], 1 - part[:-1]]))
    return from_counts("stick breaking", np.rint(part * left * rows))


def _random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def _ranks(values: int) -> npt.NDArray[np.float64]:
    return np.arange(1, values + 1, dtype=float)


OUTSIDE: tuple[Callable[[int], Population], ...] = (
    lambda rows: shares("half Cauchy", np.abs(_random().standard_cauchy(rows // 12)), rows),
    lambda rows: shares(
        "zipf with cutoff", _ranks(rows // 5) ** -0.8 * np.exp(-_ranks(rows // 5) / (rows // 30)), rows
    ),
    lambda rows: shares("log-uniform", 10 ** _random().uniform(0, 4, rows // 50), rows),
    lambda rows: shares(
        "two log-normals",
        np.concatenate([_random().lognormal(0, 0.5, rows // 10), _random().lognormal(5, 0.5, rows // 1_000)]),
        rows,
    ),
    lambda rows: shares("exponential by rank", np.exp(-_ranks(rows // 5) / (rows // 50)), rows),
    lambda rows: shares("beta", _random().beta(0.3, 3, rows // 7), rows),
    lambda rows: from_counts(
        "days and users", np.concatenate([_random().poisson(rows / 1_000, 365), _random().poisson(3, rows // 5)])
    ),
    lambda rows: from_counts("geometric", _random().geometric(0.02, rows // 50)),
    lambda rows: from_counts("one to seven", _random().integers(1, 8, rows // 4)),
    lambda rows: stick_breaking(rows // 3, rows),
)


def outside(rows: int = 1_000_000) -> list[Population]:
    """The ten other populations of about `rows` rows each."""
    return [make(rows) for make in OUTSIDE]
