"""`auto`: which estimator a sample deserves."""

from __future__ import annotations

from typing import Final

from paretosql.sketches.compatible import compatible
from paretosql.sketches.guaranteed import ae
from paretosql.sketches.learned import learned
from paretosql.sketches.sample import Sample, estimator

LEAST_ROWS: Final = 20  # the model was trained on samples from this size on
EVEN_ODDS: Final = 0.5  # our choice: confidence of the interval that holds the answer where no value repeats


@estimator("auto")
def auto(sample: Sample) -> float:
    """`learned` from 20 sampled rows on, and `ae` below, where any model would only repeat what it was taught.

    Where no value was sampled twice, the model has one number to go by, and many real columns are keys: its answer is
    then brought into the interval of even odds. Elsewhere that would change nothing (measured).
    """
    if sample.n < LEAST_ROWS:
        return ae(sample)
    found = learned(sample)
    if sample.repeats_nothing:
        low, high = compatible(sample, EVEN_ODDS)
        found = min(max(found, low), high)
    return found
