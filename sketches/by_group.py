"""Estimates for all groups of a GROUP BY at once, from small samples that help each other.

A group of thirty sampled rows says little by itself. What groups have in common is how many unseen values stand behind
one that was seen once; so each group's own answer to that is drawn towards the answer of all, the more so the fewer
values it has seen once.

Source: estimates per group (`guaranteed.ae`) and the weight f1 / (f1 + 50) are our design. What is drawn towards the
common answer is the ratio (D - d) / f1: drawing D / d itself raises groups in which every value was seen often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.sketches.estimators import point

Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.intp]

HALF_TRUSTED: Final = 50.0  # singletons with which a group's own answer and that of all weigh the same
FEW_GROUPS: Final = 64  # our choice: a third of a second
LEAST_UNSEEN: Final = 1e-9
HALVINGS: Final = 90


@dataclass(frozen=True)
class GroupedProfiles:
    """The profiles of g groups, flat.

    owner, counts, values: shape (m,): `values` distinct values of group `owner` have `counts` rows in the sample.
    n, rows: shape (g,), rows of the group in the sample and in the population.
    """

    owner: Ranks
    counts: Floats
    values: Floats
    n: Floats
    rows: Floats

    def sums(self, weights: Floats) -> Floats:
        """The sum of weights * values of each group, shape (g,)."""
        return np.bincount(self.owner, weights * self.values, minlength=len(self.n)).astype(np.float64, copy=False)


def estimate_groups(method: str, groups: GroupedProfiles) -> Floats:
    """The estimated distinct values of each group, shape (g,); NaN for a group with rows and none of them sampled.

    `auto` asks the learned estimator for each of up to 64 groups, and else the adaptive one for all at once; then the
    answers of all groups are drawn together. Any other method estimates every group for itself.

    Cost: O(m), and for `auto` 5 ms a group up to 64, beyond about a hundred passes over g numbers, 3 us a group.
    """
    d = groups.sums(np.ones(len(groups.counts)))
    most = d + np.maximum(groups.rows - groups.n, 0.0)
    if method != "auto":
        found = _each(method, groups)
    else:
        f1 = groups.sums(groups.counts == 1)
        alone = _each(method, groups) if len(d) <= FEW_GROUPS else _adaptive(groups, d, f1)
        found = _drawn_together(np.clip(alone, d, most), d, f1)
    found = np.where(groups.n >= groups.rows, d, np.clip(found, d, most))
    return np.where((groups.n == 0) & (groups.rows > 0), np.nan, found)


def _each(method: str, groups: GroupedProfiles) -> Floats:
    """The estimate of each group for itself, 0 where nothing was sampled."""
    order = np.argsort(groups.owner, kind="stable")
    ends = np.cumsum(np.bincount(groups.owner, minlength=len(groups.n)))
    counts, values = groups.counts[order].astype(int).tolist(), groups.values[order].tolist()
    found = np.zeros(len(groups.n))
    start = 0
    for at, end in enumerate(ends.tolist()):
        if end > start:
            profile = dict(zip(counts[start:end], values[start:end], strict=True))
            rows, n = float(groups.rows[at]), float(groups.n[at])
            found[at] = point(method, profile, max(rows, n), sample_rows=n).value or 0.0
        start = end
    return found


def _drawn_together(alone: Floats, d: Floats, f1: Floats) -> Floats:
    """d + f1 * ratio, where the log of each ratio (D - d) / f1 is drawn towards the mean of all."""
    known = f1 > 0
    if not known.any():
        return d
    ratio = np.log(np.maximum(alone - d, LEAST_UNSEEN) / np.where(known, f1, 1.0))
    trust = f1 / (f1 + HALF_TRUSTED)
    common = float((trust * ratio)[known].sum() / trust[known].sum())
    drawn: Floats = d + f1 * np.exp(trust * ratio + (1 - trust) * common)
    return drawn


def _adaptive(groups: GroupedProfiles, d: Floats, f1: Floats) -> Floats:
    """`guaranteed.ae` of each group, by halving the interval that holds m."""
    f2 = groups.sums(groups.counts == 2)
    weights = np.exp(-groups.counts) * (groups.counts >= 3)
    a, b, s = groups.sums(weights), groups.sums(groups.counts * weights), f1 + 2 * f2
    low = np.maximum(f1 + f2, 1e-9)
    high = np.maximum(groups.rows, low)
    for _ in range(HALVINGS):
        m = np.sqrt(low * high)
        missed = np.exp(-s / m)
        below = m - f1 - f2 < f1 * (a + m * missed) / np.maximum(b + s * missed, 1e-300)
        low, high = np.where(below, m, low), np.where(below, high, m)
    return np.where(f1 > 0, d + high - f1 - f2, d)
