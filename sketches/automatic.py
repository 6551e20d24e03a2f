"""`auto`: which estimator a sample deserves."""

from __future__ import annotations

import math
from typing import Final

from paretosql.sketches.guaranteed import ae
from paretosql.sketches.learned import learned
from paretosql.sketches.sample import Sample, estimator

LEAST_ROWS: Final = 20  # the model was trained on samples from this size on


@estimator("auto")
def auto(sample: Sample) -> float:
    """`learned` from 20 sampled rows on, and `ae` below, where any model would only repeat what it was taught.

    Where no value was sampled twice, the model has one number to go by, and many real columns are keys. Then the answer
    is half way, on a log scale, between the model's and that of a key: if either is as likely as the other, no answer
    has a smaller expected log error, and none a smaller greatest one.
    """
    if sample.n < LEAST_ROWS:
        return ae(sample)
    found = learned(sample)
    return math.sqrt(found * sample.rows) if sample.repeats_nothing else found
