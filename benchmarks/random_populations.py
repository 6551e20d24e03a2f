"""Populations drawn at random from named families: what the learned estimator trains on, and what tests it.

A family draws the shape of a population: how the rows are shared among the values. A draw also picks the number of rows
and values and, four times out of ten, mixes two families. Nothing here is made value by value: a shape is a quantile
function, cut into at most 20,000 steps, so that a hundred million rows cost as little as a thousand.

Source: the list of families follows the KDD 2022 and PVLDB 15(2) papers on sampled distinct counts (Poisson, Zipf,
random fixed sums, spikes) and is otherwise our choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.populations import Population

Floats = npt.NDArray[np.float64]
Shape = Callable[[np.random.Generator, int], tuple[Floats, Floats]]  # values -> (relative rows, how many values)

STEPS: Final = 20_000
LEAST_ROWS: Final = 4.0  # log10
MOST_ROWS: Final = 8.0
MIXED: Final = 0.4
NEARLY_KEYS: Final = 0.15
KEYS, EVEN = 1 / 9, 2 / 9
families: dict[str, Shape] = {}


def family(name: str) -> Callable[[Shape], Shape]:
    """Register a shape under a name."""

    def add(shape: Shape) -> Shape:
        families[name] = shape
        return shape

    return add


@dataclass(frozen=True)
class Drawn:
    """A population and the families it is made of."""

    population: Population
    families: tuple[str, ...]


def draw(random: np.random.Generator, names: tuple[str, ...] | None = None) -> Drawn:
    """A population of 10^4 to 10^8 rows from these families, or from all.

    From all, one in nine is a key or nearly one, and two more are spread as evenly as foreign keys are: of the columns
    that tables really have, so many are that a sample without repeats should remind of them first.
    """
    rows = 10 ** random.uniform(LEAST_ROWS, MOST_ROWS)
    kind = 1.0 if names else random.random()
    if kind < KEYS:
        return Drawn(_key(rows, random), ("key",))
    if kind < KEYS + EVEN:
        name = str(random.choice(("even", "even", "uniform")))
        return Drawn(_population((name,), [_part(name, rows, random)]), (name,))
    known = names or tuple(families)
    if random.random() >= MIXED:
        name = str(random.choice(known))
        return Drawn(_population((name,), [_part(name, rows, random)]), (name,))
    chosen = tuple(str(each) for each in random.choice(known, 2))
    share = random.uniform(0.02, 0.98)
    parts = [_part(name, rows * each, random) for name, each in zip(chosen, (share, 1 - share), strict=True)]
    return Drawn(_population(chosen, parts), chosen)


def _part(name: str, rows: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Sizes and numbers of one family's values, about `rows` rows in all."""
    values = _number_of_values(rows, random)
    weights, numbers = families[name](random, values)
    scale = rows / float((weights * numbers).sum())
    sizes = weights * scale
    if random.random() < 0.5:  # rows that came in at random; the others share them as evenly as they can
        sizes = random.poisson(np.minimum(sizes, 1e15)).astype(float)
    return np.rint(sizes), numbers


def _key(rows: float, random: np.random.Generator) -> Population:
    """Every row has a value of its own; or up to half of them have not, as numbers drawn from a large range."""
    total = round(rows)
    if random.random() < 0.5:
        return Population("key", np.ones(1, np.int64), np.array([total], np.int64))
    size = total / 10 ** random.uniform(-1.5, 0.3)  # of the range
    steps = min(round(size), STEPS)
    return _population(("key",), [(random.poisson(total / size, steps).astype(float), np.full(steps, size / steps))])


def _number_of_values(rows: float, random: np.random.Generator) -> int:
    """Any number up to that of the rows, on a log scale; many columns are keys, or nearly."""
    if random.random() < NEARLY_KEYS:
        return max(1, round(rows / 10 ** random.uniform(0, 0.5)))
    return max(1, round(rows / 10 ** (random.random() ** 1.5 * math.log10(max(rows, 10)))))


def _population(names: tuple[str, ...], parts: list[tuple[Floats, Floats]]) -> Population:
    sizes = np.concatenate([part[0] for part in parts])
    numbers = np.rint(np.concatenate([part[1] for part in parts])).astype(np.int64)
    kept = (sizes >= 1) & (numbers >= 1)
    if not kept.any():
        return Population("+".join(names), np.ones(1, np.int64), np.ones(1, np.int64))
    whole, place = np.unique(sizes[kept].astype(np.int64), return_inverse=True)
    totals = np.bincount(place, numbers[kept]).astype(np.int64)
    return Population("+".join(names), whole, totals)


def _steps(values: int) -> tuple[Floats, Floats]:
    """Quantiles 0..1 at which a shape of this many values is read, and how many values each stands for."""
    steps = min(values, STEPS)
    return (np.arange(steps) + 0.5) / steps, np.full(steps, values / steps)


@family("gamma")
def gamma(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Gamma weights; with rows that came in at random, negative binomial sizes."""
    from scipy.special import gammaincinv

    at, numbers = _steps(values)
    return gammaincinv(10 ** random.uniform(-1, 2), at), numbers


@family("log-normal")
def log_normal(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Log-normal weights."""
    from scipy.special import ndtri

    at, numbers = _steps(values)
    return np.exp(random.uniform(0.2, 3.5) * ndtri(at)), numbers


@family("zipf by rank")
def zipf_by_rank(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Rows in proportion to rank^-s; the first thousand ranks one by one."""
    exponent = random.uniform(0.2, 2.0)
    head = np.arange(1, min(values, 1000) + 1, dtype=float)
    edges = np.unique(np.rint(np.geomspace(len(head), max(values, len(head)), STEPS // 4)))
    middle = np.sqrt(edges[1:] * edges[:-1])
    return np.concatenate([head, middle]) ** -exponent, np.concatenate([np.ones(len(head)), np.diff(edges)])


@family("zipf by frequency")
def zipf_by_frequency(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """The number of values with k rows falls as k^-(s + 1)."""
    exponent = random.uniform(0.7, 3.0)
    k = np.unique(np.rint(np.geomspace(1, 1e6, STEPS // 4)))
    numbers = k ** -(exponent + 1) * np.gradient(k)
    numbers *= values / numbers.sum()
    numbers[0] = max(numbers[0], 1.0)
    kept = np.cumsum(numbers[::-1])[::-1] >= 1
    return k[kept], np.rint(numbers[kept])


@family("even")
def even(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """All values have the same weight."""
    return np.ones(min(values, STEPS)), _steps(values)[1]


@family("few")
def few(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Two to a thousand values of similar weight."""
    number = round(10 ** random.uniform(0.3, 3))
    return random.uniform(0.5, 1.5, number), np.ones(number)


@family("spikes")
def spikes(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Two or three groups of values; within a group all weigh the same."""
    groups = int(random.integers(2, 4))
    numbers = np.maximum(1, np.rint(values * random.dirichlet(np.full(groups, 0.5))))
    return 10 ** random.uniform(0, 4, groups), numbers


@family("uniform")
def uniform(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Weights spread evenly between a least and a most."""
    at, numbers = _steps(values)
    least = random.uniform(0, 1)
    return least + (1 - least) * at, numbers


@family("fixed sum")
def fixed_sum(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """The gaps between random cuts of the rows: exponential weights."""
    at, numbers = _steps(values)
    return -np.log1p(-at), numbers


@family("unique and heavy")
def unique_and_heavy(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Values with one row each beside a few that share the rest."""
    heavy = round(10 ** random.uniform(0, 3))
    return np.array([1.0, values / heavy * 10 ** random.uniform(-1.5, 1.5)]), np.array([float(values), float(heavy)])


@family("weibull")
def weibull(random: np.random.Generator, values: int) -> tuple[Floats, Floats]:
    """Weibull weights: stretched tails."""
    at, numbers = _steps(values)
    return (-np.log1p(-at)) ** (1 / 10 ** random.uniform(-0.7, 0.7)), numbers
