"""The published distributed method (`loo_hll`): distinct values and singletons of a sample from HyperLogLogs.

Each site sends two HyperLogLogs of its local sample: one of all its values (U), one of the values it saw once (A). A
value occurs once in the whole sample if one site saw it once and no other site saw it. So with Z_j, the union of the U
of all sites but j,

    d = est(all U),    f1 = sum over j of est(A_j or Z_j) - est(Z_j).

All Z_j come from one pass of unions from the left and one from the right, O(sites) merges (the authors merge in a
binary tree, O(sites log sites)).

Its error is that of a difference: absolute in d, so relative to f1 it grows without bound when f1 is far below d, and
it gives no f2. `LeaveOneOut` says which estimators can do without. Registers do not tell who filled them, so a site may
name its rows by a contribution id, and is refused when it comes again under another number.

`added` takes the place of the difference in `loo_hll_likelihood`: given the registers of Z_j, those that A_j raises
have a likelihood that depends on nothing but the number of new values, and its maximum has an error relative to that
number: f1 within 0.7 % instead of 1.0 % at 2**16 registers (docs/results.md#protocols).

Source: Li, Wei, Ding, Dai, Lu, Zhou, "Sampling-based Estimation of the Number of Distinct Values in Distributed
Environment" (KDD 2022), and the released code: bits = 16, so 131,074 bytes per site; the estimator of `hll`. Corrected
against that code: local counts include the last value, and the sub-sample is of random rows. Its Chao-Lee estimate,
whose released formula is wrong, is left out. The clamp of f1 and `added` are our design.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.sketches.entries import Entries
from paretosql.sketches.hll import HyperLogLog, Registers, cardinality

SPLITS: Final = 60  # halvings of an interval: as many digits as a float64 has


@dataclass(frozen=True)
class LeaveOneOut:
    """What the coordinator knows: the sample's rows, distinct values and singletons, and of a sub-sample likewise.

    rows: rows of the sample, summed over the sites.
    values, singletons: d and f1, estimated; 0 <= f1 <= d.
    sub_values, sub_singletons: d' and f1' of a Bernoulli sub-sample of the rows; None when none was shipped.
    """

    rows: int
    values: float
    singletons: float
    sub_values: int | None = None
    sub_singletons: int | None = None

    def distinct(self) -> float:
        """d, the estimated distinct values of the sample."""
        return self.values

    def profile(self) -> dict[int, float]:
        """{1: f1, 2: d - f1}: all that occur more often count as twice.

        With it `estimate("gee", ..)` is the GEE of the paper, and `estimate("chao", ..)` its Chao without f2, which
        reads too low: 0.90 D where all values are equally frequent and q = 1 %.
        """
        found = {1: self.singletons, 2: self.values - self.singletons}
        return {size: number for size, number in found.items() if number}

    def shlosser(self) -> float:
        """Shlosser's estimate d + f1 (d - d') / f1', sums over all f_i replaced by what the sub-sample shows.

        Raises: DataError: no sub-sample was shipped.
        """
        if self.sub_values is None or self.sub_singletons is None:
            raise DataError(compose("there is no sub-sample", hint="collect with sub_rate, the rate of the sample."))
        if not self.singletons:
            return self.values
        return self.values + self.singletons * (self.values - self.sub_values) / max(1, self.sub_singletons)


def pair_of(local: Entries, bits: int, seed: int) -> tuple[Registers, Registers]:
    """What a site sends, (U, A), from the exact counts of its local sample."""
    keys, counts = local
    return HyperLogLog(bits, seed).add(keys).registers, HyperLogLog(bits, seed).add(keys[counts == 1]).registers


def difference(others: Registers, once: Registers) -> float:
    """How many values `once` adds to `others`, as published: the difference of two estimates."""
    return cardinality(np.maximum(others, once)) - cardinality(others)


def added(others: Registers, once: Registers) -> float:
    """How many values `once` adds to `others`: the most likely number, given the registers of `others`.

    With x new values per register, a register at z stays with chance exp(-x 2^-z) and comes to k > z with chance
    exp(-x 2^-k) (1 - exp(-x 2^-k)). So with s the sum of 2^-z over all registers after the union, and c_k the registers
    that were raised to k, x solves s = sum of c_k 2^-k / (exp(x 2^-k) - 1), whose right side falls with x.

    Source: our design. Cost: about 1 ms for 65,536 registers.
    """
    raised = once > others
    if not raised.any():
        return 0.0
    parts = 0.5 ** np.arange(int(once.max()) + 1)
    reached = np.bincount(once[raised], minlength=len(parts)) * parts
    total = float((0.5 ** np.maximum(others, once).astype(np.float64)).sum())
    # expm1(y) > y, so the right side is below (registers raised) / x, and x is found below this end:
    low, high = 0.0, float(np.count_nonzero(raised)) / total
    for _ in range(SPLITS):
        x = (low + high) / 2
        with np.errstate(over="ignore"):
            low, high = (x, high) if float((reached / np.expm1(x * parts)).sum()) > total else (low, x)
    return len(others) * (low + high) / 2


def combine(
    pairs: Sequence[tuple[Registers, Registers]], more: Callable[[Registers, Registers], float] = difference
) -> tuple[float, float]:
    """(d, f1) from the pairs of all sites, in any order; O(sites) merges of registers, memory that of the pairs.

    `more(Z, A)` says how many values A adds to Z.
    """
    if not pairs:
        return 0.0, 0.0
    after = [np.zeros_like(pairs[0][0])]  # unions of the sites behind
    for everything, _ in reversed(pairs[1:]):
        after.append(np.maximum(after[-1], everything))
    before = np.zeros_like(pairs[0][0])
    singletons = 0.0
    for everything, once in pairs:
        others = np.maximum(before, after.pop())
        singletons += more(others, once)
        before = np.maximum(before, everything)
    distinct = cardinality(before)
    return distinct, min(max(singletons, 0.0), distinct)


def sub_sample(local: Entries, rate: float, random: np.random.Generator) -> Entries:
    """Draw rows of a counted sample with probability `rate` each: how many of each value, values without left out."""
    keys, counts = local
    drawn = random.binomial(counts, rate)
    return keys[drawn > 0], drawn[drawn > 0]
