"""What the learned estimator sees of a sample: 33 numbers that do not depend on its scale.

Source: our design, after Wu et al., "Learning to be a Statistician" (PVLDB 15(2), 2022), who feed the profile itself,
and AdaNDV (Xu et al., PVLDB 18(4), 2025), who feed the estimates of others; here both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from paretosql.sketches.coverage import chao, chao_lee, shlosser
from paretosql.sketches.guaranteed import ae, gee
from paretosql.sketches.jackknife import duj1, duj2, duj2a, jackknife2, sh3
from paretosql.sketches.moments import horvitz_thompson, mom_finite, sichel
from paretosql.sketches.sample import Floats, Sample
from paretosql.sketches.spectrum import smooth_fits

FREQUENCIES: Final = 8  # f_1..f_8 one by one
TAILS: Final = (8, 30, 60)  # rows in values sampled more often than this
SMOOTHNESS: Final = (0.03, 0.3, 1.0, 3.0)
BASE: Final = (1, 2)  # of those, the two whose geometric mean the model corrects

CHEAP: Final[tuple[Callable[[Sample], float], ...]] = (
    gee, ae, chao, chao_lee, shlosser, duj1, duj2, duj2a, sh3, jackknife2, horvitz_thompson, mom_finite, sichel,
)  # fmt: skip


def features(sample: Sample) -> tuple[Floats, float]:
    """The numbers, shape (33,), and the log of what the model's answer multiplies.

    Cost: about 10 ms, most of it four fits of the spectrum.
    """
    d, n = sample.d, sample.n
    rows = sample.counts * sample.values
    fits = [_log_ratio(sample, fit) for fit in smooth_fits(sample, SMOOTHNESS)]
    found = [
        math.log(sample.q),
        math.log(n),
        math.log(d / n),
        math.log(float(sample.counts[-1]) / n),
        *(math.log((sample.f(i) + 0.5) / d) for i in range(1, FREQUENCIES + 1)),
        *(float(rows[sample.counts > limit].sum()) / n for limit in TAILS),
        float(np.log1p(sample.pairs / n)),
        *(_log_ratio(sample, _evaluated(each, sample)) for each in CHEAP),
        *fits,
    ]
    base = math.log(d) + sum(fits[at] for at in BASE) / len(BASE)
    return np.array(found), base


def _evaluated(formula: Callable[[Sample], float], sample: Sample) -> float:
    try:
        return formula(sample)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _log_ratio(sample: Sample, estimate: float) -> float:
    """log(estimate / d) after the clamps; what has no value counts as the upper bound."""
    top = sample.d + sample.rows - sample.n
    inside = min(max(estimate, sample.d), top) if not math.isnan(estimate) else top
    return math.log(inside / sample.d)
