"""`auto`: which estimator a sample deserves."""

from __future__ import annotations

from typing import Final

from paretosql.sketches.compatible import least_compatible
from paretosql.sketches.guaranteed import ae
from paretosql.sketches.learned import learned
from paretosql.sketches.sample import Sample, estimator

LEAST_ROWS: Final = 20  # the model was trained on samples from this size on
EVEN_ODDS: Final = 0.5  # our choice: confidence of the interval that holds the answer where no value repeats


@estimator("auto")
def auto(sample: Sample) -> float:
    """`learned` from 20 sampled rows on, and `ae` below, where any model would only repeat what it was taught.

    Where no value was sampled twice, the model has one number to go by, and many real columns are keys: its answer is
    then raised to the least number of values with even odds. A key, the greatest, is always possible there.
    """
    if sample.n < LEAST_ROWS:
        return ae(sample)
    found = learned(sample)
    if sample.repeats_nothing:
        found = max(found, least_compatible(sample, EVEN_ODDS))
    return found
