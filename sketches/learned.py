"""The learned estimator: gradient-boosted trees that correct a smooth fit of the spectrum.

The model file `learned.arrow` is trained on generated populations by `python -m benchmarks.learn`, which also holds the
gate it has to pass: better than profile_nnls on families of populations it never saw.

Source: our design (`fused`), after Wu et al. (PVLDB 15(2), 2022) and AdaNDV (PVLDB 18(4), 2025).
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import resources
from typing import Final

from paretosql.sketches.features import features
from paretosql.sketches.sample import Sample, estimator
from paretosql.sketches.trees import Trees, read_trees

MODEL: Final = "learned.arrow"


@estimator("learned")
def learned(sample: Sample) -> float:
    """The fit of the spectrum times the factor that the trees give. Trained on samples from 20 rows and rates from
    1e-4 to 0.6; beyond, its features say little.

    Cost: about 5 ms, and 20 ms once to load the model.
    """
    seen, base = features(sample)
    return math.exp(base + float(_model().predict(seen[None, :])[0]))


@lru_cache(maxsize=1)
def _model() -> Trees:
    return read_trees(resources.files("paretosql.sketches").joinpath(MODEL).read_bytes())
