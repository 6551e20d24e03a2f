"""The published distributed method (`loo_hll`): distinct values and singletons of a sample from HyperLogLogs.

Each site sends two HyperLogLogs of its local sample: one of all its values (U), one of the values it saw once (A). A
value occurs once in the whole sample if one site saw it once and no other site saw it. So with Z_j, the union of the U
of all sites but j,

    d = est(all U),    f1 = sum over j of est(A_j or Z_j) - est(Z_j).

All Z_j come from one pass of unions from the left and one from the right, O(sites) merges (the authors merge in a
binary tree, O(sites log sites)).

Its error is that of a difference: absolute in d, so relative to f1 it grows without bound when f1 is far below d, and
it gives no f2. `LeaveOneOut` says which estimators can do without. Registers do not tell who filled them: a site that
contributes twice under two numbers is not noticed.

Source: Li, Wei, Ding, Dai, Lu, Zhou, "Sampling-based Estimation of the Number of Distinct Values in Distributed
Environment" (KDD 2022), and the released code: bits = 16, so 131,074 bytes per site; the estimator of `hll`. Corrected
against that code: local counts include the last value, and the sub-sample is of random rows. Its Chao-Lee estimate,
whose released formula is wrong, is left out. The clamp of f1 is our design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.sketches.entries import Entries
from paretosql.sketches.hll import HyperLogLog, Registers, cardinality


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


def combine(pairs: Sequence[tuple[Registers, Registers]]) -> tuple[float, float]:
    """(d, f1) from the pairs of all sites, in any order; O(sites) merges of registers, memory that of the pairs."""
    if not pairs:
        return 0.0, 0.0
    after = [np.zeros_like(pairs[0][0])]  # unions of the sites behind
    for everything, _ in reversed(pairs[1:]):
        after.append(np.maximum(after[-1], everything))
    before = np.zeros_like(pairs[0][0])
    singletons = 0.0
    for everything, once in pairs:
        others = np.maximum(before, after.pop())
        singletons += cardinality(np.maximum(others, once)) - cardinality(others)
        before = np.maximum(before, everything)
    distinct = cardinality(before)
    return distinct, min(max(singletons, 0.0), distinct)


def sub_sample(local: Entries, rate: float, random: np.random.Generator) -> Entries:
    """Draw rows of a counted sample with probability `rate` each: how many of each value, values without left out."""
    keys, counts = local
    drawn = random.binomial(counts, rate)
    return keys[drawn > 0], drawn[drawn > 0]
