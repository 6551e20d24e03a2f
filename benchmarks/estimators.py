"""Estimators against populations whose distinct values are known: errors, intervals, and the published ratios."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from benchmarks.columns import real
from benchmarks.harness import Row, Setting, benchmark
from benchmarks.populations import Population, outside, poisson, standard, zipf
from paretosql.sketches.estimators import estimate, estimators, point

RATES: Final = (0.1, 0.01, 0.001)
SKIPPED: Final = ("goodman",)  # astronomically wrong by design
SLOW: Final = ("profile_lp",)  # two linear programs an answer
NO_BOUND: Final = 1e9

# Expected ratios of estimate and truth at N = 1e8 and 1 %, computed from the expected profiles.
PUBLISHED: Final = {
    "poisson 50": {"gee": 3.088, "ae": 1.137, "chao": 1.0, "shlosser": 23.93, "chao_lee": 1.0, "duj1": 0.984,
                   "duj2a": 0.988, "sh3": 19.08},
    "poisson 100": {"gee": 3.939, "ae": 1.161, "chao": 1.0, "shlosser": 23.84, "chao_lee": 1.0, "duj1": 0.994,
                    "duj2a": 0.996, "sh3": 15.50},
    "poisson 200": {"gee": 3.312, "ae": 1.107, "chao": 1.0, "shlosser": 12.63, "chao_lee": 1.0, "duj1": 0.998,
                    "duj2a": 0.999, "sh3": 6.05},
    "zipf 1.2": {"gee": 0.225, "ae": 0.202, "chao": 0.196, "shlosser": 1.853, "chao_lee": 0.312, "duj1": 0.094,
                 "duj2a": 0.296, "sh3": 1.552},
    "zipf 1.5": {"gee": 0.172, "ae": 0.297, "chao": 0.294, "shlosser": 1.612, "chao_lee": 0.381, "duj1": 0.166,
                 "duj2a": 0.333, "sh3": 1.520},
    "zipf 2": {"gee": 0.134, "ae": 0.714, "chao": 0.713, "shlosser": 1.319, "chao_lee": 0.751, "duj1": 0.416,
               "duj2a": 0.493, "sh3": 1.304},
}  # fmt: skip


def postgresql(profile: dict[int, float], rows: float) -> float:
    """PostgreSQL's rule: no repeats mean a unique column, only repeats mean nothing is missing, else duj1."""
    d = sum(profile.values())
    if set(profile) == {1}:
        return rows
    return d if not profile.get(1) else min(max(point("duj1", profile, rows).value or d, d), rows)


def answers(job: tuple[Population, float, int, tuple[str, ...]]) -> dict[str, float]:
    """The log of estimate / truth by method, for one sample."""
    population, rate, seed, methods = job
    profile = population.profile(rate, np.random.default_rng((seed, round(1 / rate))))
    if not profile:
        return {}
    rows = population.rows
    found = {name: point(name, profile, rows).value or 1.0 for name in methods}
    found["postgresql"] = postgresql(profile, rows)
    return {name: math.log(value / population.distinct) for name, value in found.items()}


def _errors(populations: list[Population], seeds: int, start: int, *, slow: bool) -> Iterator[Row]:
    """A row per method: geometric mean and worst ratio error at each rate, best method first."""
    methods = tuple(each for each in estimators if each not in SKIPPED and (slow or each not in SLOW))
    jobs = [(each, rate, start + s, methods) for rate in RATES for each in populations for s in range(seeds)]
    found = dict(zip(((job[1], at) for at, job in enumerate(jobs)), parallel(answers, jobs), strict=True))
    rows = []
    for method in (*methods, "postgresql"):
        row = Row(method=method)
        for rate in RATES:
            off = [abs(logs[method]) for (used, _), logs in found.items() if used == rate and logs]
            row[f"{rate:.1%}_mean_off"] = math.exp(float(np.mean(off)))
            row[f"{rate:.1%}_worst_off"] = min(math.exp(max(off)), NO_BOUND)
        rows.append(row)
    yield from sorted(rows, key=lambda row: math.prod(float(str(row[f"{rate:.1%}_mean_off"])) for rate in RATES))


def parallel(function: Callable[..., object], jobs: list[object]) -> list[object]:
    """The function of every job, in as many processes as there are cores."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn) as pool:
        return list(pool.map(function, jobs, chunksize=max(1, min(64, len(jobs) // 16))))


@benchmark("estimators/standard", unit="ratio error", lower_is_better=True, minutes=1.0)
def standard_populations(setting: Setting) -> Iterator[Row]:
    """Geometric mean and worst ratio error over thirteen standard populations of a million rows (benchmarks/
    populations.py) and several seeds, at sampling rates of 10 %, 1 % and 0.1 %; best method first. `postgresql` is the
    rule of PostgreSQL's ANALYZE.
    """
    yield from _errors(standard(), _seeds(setting, 10), setting.seed, slow=True)


@benchmark("estimators/outside", unit="ratio error", lower_is_better=True, minutes=1.0)
def outside_populations(setting: Setting) -> Iterator[Row]:
    """The same over ten populations of other families, of which the learned estimator has seen none."""
    yield from _errors(outside(), _seeds(setting, 10), setting.seed, slow=False)


@benchmark("estimators/real", unit="ratio error", lower_is_better=True, minutes=2.0)
def real_columns(setting: Setting) -> Iterator[Row]:
    """The same over columns of TPC-H, and over those of the files in the folder that the environment variable
    PARETOSQL_COLUMNS names.
    """
    for source, columns in real(setting.scale).items():
        for row in _errors(columns, _seeds(setting, 5), setting.seed, slow=False):
            yield Row({"columns": source, **row})


def _seeds(setting: Setting, full: int, quick: int = 1) -> int:
    return full if setting.name == "full" else quick


def _covers(job: tuple[Population, float, int]) -> tuple[float, float, float]:
    """Whether the 95 % interval of one sample holds the truth, whether the value does, and how wide the interval is."""
    population, rate, seed = job
    profile = population.profile(rate, np.random.default_rng((seed, 95)))
    found = estimate("auto", profile, population.rows)
    slack = 1e-9 * population.distinct  # a bound that is the truth may be off by rounding
    inside = found.lower - slack <= population.distinct <= found.upper + slack
    return float(inside), found.upper / max(found.lower, 1.0), abs(math.log((found.value or 1.0) / population.distinct))


@benchmark("intervals/coverage", unit="share of samples", lower_is_better=False, minutes=20.0)
def intervals(setting: Setting) -> Iterator[Row]:
    """How often the 95 % interval of `auto` holds the truth, in 1,000 samples (--quick: 20) of each population at each
    rate, and the median of upper / lower.
    """
    runs = _seeds(setting, 1_000, 20)
    populations = [*standard(), *outside()]
    jobs = [(each, rate, setting.seed + run) for each in populations for rate in RATES for run in range(runs)]
    found = np.array(parallel(_covers, jobs)).reshape(len(populations), len(RATES), runs, 3)
    for population, rates in zip(populations, found, strict=True):
        row = Row(population=population.name, distinct=population.distinct)
        for rate, results in zip(RATES, rates, strict=True):
            row[f"{rate:.1%}_covered"] = f"{results[:, 0].mean():.1%}"
            row[f"{rate:.1%}_width_off"] = float(np.median(results[:, 1]))
        yield row


@benchmark("estimators/published", unit="ratio of estimate and truth", lower_is_better=False, minutes=1.0)
def published(setting: Setting) -> Iterator[Row]:
    """Estimate divided by truth, mean of several samples of 1 % of 10^8 rows (--quick: 10^7), with the ratio expected
    at 10^8 rows in brackets: the populations of Li et al. (KDD 2022).
    """
    rows = 10**8 if setting.name == "full" else 10**7
    makers = [partial(poisson, mean) for mean in (50, 100, 200)] + [partial(zipf, s) for s in (1.2, 1.5, 2.0)]
    for make in makers:
        population = make(rows)
        row = Row(population=population.name, distinct=population.distinct)
        profiles = [population.profile(0.01, np.random.default_rng((setting.seed, s))) for s in range(5)]
        for method, expected in PUBLISHED[population.name].items():
            values = [point(method, profile, population.rows).raw or 0.0 for profile in profiles]
            row[method] = f"{np.mean(values) / population.distinct:.3f} ({expected:.3f})"
        yield row
