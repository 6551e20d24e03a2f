"""`auto`: which estimator a sample deserves."""

from __future__ import annotations

from typing import Final

from paretosql.sketches.guaranteed import ae
from paretosql.sketches.learned import learned
from paretosql.sketches.sample import Sample, estimator

LEAST_ROWS: Final = 20  # the model was trained on samples from this size on


@estimator("auto")
def auto(sample: Sample) -> float:
    """`learned` from 20 sampled rows on, and `ae` below, where any model would only repeat what it was taught."""
    return learned(sample) if sample.n >= LEAST_ROWS else ae(sample)
