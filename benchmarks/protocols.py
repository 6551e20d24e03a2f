"""Distributed collection of samples: bytes against error for every protocol, growth with the sample, and speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.harness import Row, Setting, benchmark
from benchmarks.populations import Population, poisson, zipf
from paretosql.sketches import ApacheCPC, ApacheHLL, ApacheTheta, HyperLogLog, ProfileSketch, collect

SITES = (8, 64, 512)
RATE = 0.01
LARGEST = 10**8  # rows of a population
SEEDS_FULL, SEEDS_QUICK, SEEDS_EXACT = 10, 2, 1
REPEATED_SEEDS = 60
ENTRIES, SKETCHES = 65_536, 512
APACHE_ROWS = 1_000_000

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Contender:
    """A protocol with its options, under the name of its line; exact ones need one seed only."""

    name: str
    protocol: str
    options: dict[str, Any]
    exact: bool = False


CONTENDERS = (
    Contender("two rounds, K = 65,536", "two_rounds", {}),
    Contender("two rounds, K = 16,384", "two_rounds", {"capacity": 16_384}),
    Contender("one round, K = 65,536", "one_round", {}),
    Contender("fixed threshold, K = 65,536", "fixed_threshold", {}),
    Contender("hierarchical, K = 65,536", "hierarchical", {}),
    Contender("loo_hll, 2^12 registers", "loo_hll", {"bits": 12}),
    Contender("loo_hll, 2^14 registers", "loo_hll", {"bits": 14}),
    Contender("loo_hll, 2^16 registers", "loo_hll", {"bits": 16}),
    Contender("loo_hll by likelihood", "loo_hll_likelihood", {"bits": 16}),
    Contender("ship the dictionary", "dictionary", {}, exact=True),
)


def _rows(setting: Setting) -> int:
    return min(10 * setting.rows, LARGEST)


def _seeds(setting: Setting) -> int:
    return SEEDS_FULL if _rows(setting) == LARGEST else min(SEEDS_QUICK, setting.rounds)


def _columns(counts: Integers, sites: int, random: np.random.Generator) -> list[Integers]:
    """The sampled rows as numbers of their values, each row at a random site."""
    values = np.repeat(np.arange(len(counts)), counts)
    at = random.integers(0, sites, len(values)).astype(np.uint16)  # the type that numpy sorts fastest
    return np.split(values[np.argsort(at, kind="stable")], np.cumsum(np.bincount(at, minlength=sites))[:-1])


@benchmark("protocols/bytes", unit="bytes, root mean square of the relative error", lower_is_better=True, minutes=5.5)
def bytes_sent(setting: Setting) -> Iterator[Row]:
    """A 1 % sample of a hundred million rows (--quick: ten million), each sampled row at a random site: bytes in both
    directions, those of the busiest site, and the root mean square, over ten samples and hash seeds (--quick: two), of
    the relative errors of d, f1 and f2. loo_hll is the published method (KDD 2022); it has no f2. `likelihood` reads
    the same registers more closely.
    """
    for population in (poisson(50, _rows(setting)), zipf(1.2, _rows(setting))):
        for sites in SITES:
            yield from _compared(population, sites, setting)


def _compared(population: Population, sites: int, setting: Setting) -> Iterator[Row]:
    """One line per protocol."""
    found: dict[str, list[tuple[int, int, int, list[float]]]] = {each.name: [] for each in CONTENDERS}
    for seed in range(_seeds(setting)):
        random = np.random.default_rng([setting.seed, seed])
        counts = population.counts(RATE, random)
        columns = _columns(counts, sites, random)
        for each in CONTENDERS:
            if each.exact and seed >= SEEDS_EXACT:
                continue
            options = each.options | ({"rows": int(counts.sum())} if each.protocol == "fixed_threshold" else {})
            done = collect(columns, each.protocol, seed=seed, **options)
            ledger = done.ledger
            errors = _errors(done.sketch.distinct(), done.sketch.profile(), counts)
            found[each.name].append((ledger.total, ledger.busiest, ledger.rounds, errors))
    for each in CONTENDERS:
        totals, busiest, rounds, errors = zip(*found[each.name], strict=True)
        d, f1, f2 = np.sqrt(np.square(errors).mean(axis=0)).tolist()
        yield Row(
            population=population.name,
            sites=sites,
            protocol=each.name,
            rounds=rounds[0],
            bytes=round(sum(totals) / len(totals)),
            busiest_site_bytes=round(sum(busiest) / len(busiest)),
            d_error=d,
            f1_error=f1,
            f2_error=None if each.protocol.startswith("loo_hll") else f2,
        )


def _errors(d: float, profile: dict[int, float], counts: Integers) -> list[float]:
    """Relative errors of d, f1 and f2."""
    true = np.bincount(counts, minlength=3)
    estimates = (d, profile.get(1, 0.0), profile.get(2, 0.0))
    truths = (len(counts), int(true[1]), int(true[2]))
    return [estimate / max(1, truth) - min(1, truth) for estimate, truth in zip(estimates, truths, strict=True)]


@benchmark("protocols/registers", unit="root mean square of the relative error", lower_is_better=True, minutes=1.5)
def registers(setting: Setting) -> Iterator[Row]:
    """The registers of the published method at eight sites, 2^16 each: error of d and f1 over sixty samples and hash
    seeds (--quick: two) of Poisson-50. Ten seeds give 0.8 to 1.2 % for f1.
    """
    seeds = REPEATED_SEEDS if _rows(setting) == LARGEST else _seeds(setting)
    population = poisson(50, _rows(setting))
    found: dict[str, list[list[float]]] = {"loo_hll": [], "loo_hll_likelihood": []}
    for seed in range(seeds):
        random = np.random.default_rng([setting.seed, seed])
        counts = population.counts(RATE, random)
        columns = _columns(counts, 8, random)
        for name, errors in found.items():
            done = collect(columns, name, seed=seed).sketch
            errors.append(_errors(done.distinct(), done.profile(), counts))
    for name, errors in found.items():
        d, f1, _ = np.sqrt(np.square(errors).mean(axis=0)).tolist()
        yield Row(protocol=name, seeds=seeds, d_error=d, f1_error=f1)


@benchmark("protocols/growth", unit="bytes", lower_is_better=True, minutes=0.4)
def growth(setting: Setting) -> Iterator[Row]:
    """Bytes at 64 sites while a sample of Poisson-50 grows: first as 1 % of more rows, then as more of the same rows,
    where each value comes to lie at more sites. Last, the same rows all over again at every site, the worst split.
    """
    base = _rows(setting)
    cases = [("1 % of more rows", base * factor // 10, RATE) for factor in (1, 10, 100)]
    cases += [("more of the same rows", base, rate) for rate in (RATE / 10, RATE, 10 * RATE)]
    for how, rows, rate in cases:
        random = np.random.default_rng(setting.seed)
        counts = poisson(50, rows).counts(rate, random)
        columns = _columns(counts, 64, random)
        yield _grown(how, columns, len(counts), setting)
    everywhere = [np.arange(base // 2_000)] * 64
    yield _grown("every value at every site", everywhere, len(everywhere[0]), setting)


def _grown(how: str, columns: list[Integers], distinct: int, setting: Setting) -> Row:
    """One line of `growth`."""
    rows = sum(len(each) for each in columns)
    row = Row(sample=how, rows=rows, distinct=distinct)
    for name, protocol, options in (
        ("two rounds", "two_rounds", {}),
        ("fixed threshold", "fixed_threshold", {"rows": rows}),
        ("loo_hll 2^16", "loo_hll", {}),
    ):
        row[f"{name} bytes"] = collect(columns, protocol, seed=setting.seed, **options).ledger.total
    row["dictionary bytes"] = sum(collect([column], "dictionary", seed=setting.seed).ledger.total for column in columns)
    return row


@benchmark("protocols/speed", unit="s, ns per row", lower_is_better=True, minutes=0.7)
def speed(setting: Setting) -> Iterator[Row]:
    """One scan of ten million rows of integers, and of strings with a million values in a dictionary (--quick: a tenth
    of both), and a merge of 512 sketches, 65,536 values each. The sketches of DataSketches take one value per call and
    scan a million rows.
    """
    rows = max(1, setting.rows // 10)
    random = np.random.default_rng(setting.seed)
    integers = random.integers(0, rows, rows)
    words = pa.array([f"customer {each:07d}" for each in range(max(1, rows // 10))])
    strings = pa.DictionaryArray.from_arrays(pa.array(random.integers(0, len(words), rows).astype(np.int32)), words)
    for kind in (ProfileSketch, HyperLogLog, ApacheHLL, ApacheCPC, ApacheTheta):
        some = rows if not kind.__name__.startswith("Apache") else min(rows, APACHE_ROWS)
        row = Row(sketch=kind.__name__, rows=some)
        for name, values in (("integers", integers[:some]), ("strings", strings[:some])):
            seconds = min(_seconds(partial(_scan, kind, values)) for _ in range(setting.rounds))
            row[f"{name}_s"] = seconds
            row[f"{name} ns per row"] = seconds / some * 1e9
        row["merge of 512_s"] = _merging(kind, min(ENTRIES, rows), SKETCHES)
        yield row


def _scan(kind: Callable[..., Any], values: Any) -> float:
    return float(kind().update(values).distinct())


def _merging(kind: Callable[..., Any], entries: int, number: int) -> float:
    """Seconds to merge sketches that overlap by half with their neighbours."""
    step = max(1, entries // 2)
    pool = [kind().update(np.arange(at * step, at * step + entries)) for at in range(16)]
    stored = [each.to_bytes() for each in pool]
    sketches = [kind.from_bytes(stored[at % len(stored)]) for at in range(number)]
    return _seconds(lambda: reduce(lambda left, right: left.merge(right), sketches, kind()))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
