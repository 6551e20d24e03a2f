"""How far predicted latencies are from actual ones: five measures of instances and one of stages."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.units import PRICES

MEANING = {
    "wmape": "sum of |actual - predicted| over sum of actual, of instances",
    "median_error": "median of |actual - predicted| / actual",
    "p95_error": "95th percentile of |actual - predicted| / actual",
    "correlation": "Pearson's correlation of actual and predicted",
    "global_error": "|sum of predicted - sum of actual cost| over sum of actual cost",
    "stage_wmape": "the first measure for the slowest instance of each stage",
}


def metrics(
    actual_s: npt.ArrayLike,
    predicted_s: npt.ArrayLike,
    stage: npt.ArrayLike | None = None,
    containers: npt.ArrayLike | None = None,
) -> dict[str, float]:
    """All measures of `MEANING`; NaN where one is not defined, as a correlation of constants.

    Args:
        actual_s, predicted_s: shape (N,), seconds.
        stage: shape (N,), a number for the stage of each instance; left out: no measure of stages.
        containers: shape (N, 2), cores and GiB, for costs; left out or unknown: one core and no memory.
    Raises:
        DataError: shapes that differ, NaN, or negative numbers.
    Source: section 4.3 of the method's notes.

    >>> metrics([1.0, 3.0], [2.0, 3.0])["wmape"]
    0.25
    """
    actual, predicted = _seconds(actual_s, "actual_s"), _seconds(predicted_s, "predicted_s")
    if actual.shape != predicted.shape:
        raise DataError(f"{actual.shape} actual and {predicted.shape} predicted latencies")
    found = dict.fromkeys(MEANING, np.nan)
    if not len(actual):
        return found
    off = np.abs(actual - predicted)
    relative = off[actual > 0] / actual[actual > 0]
    rate = _rates(containers, len(actual))
    found["wmape"] = wmape(actual, predicted)
    if len(relative):
        found["median_error"] = float(np.median(relative))
        found["p95_error"] = float(np.quantile(relative, 0.95))
    if len(actual) > 1 and np.ptp(actual) > 0 and np.ptp(predicted) > 0:
        found["correlation"] = float(np.corrcoef(actual, predicted)[0, 1])
    if actual @ rate > 0:
        found["global_error"] = float(abs(predicted @ rate - actual @ rate) / (actual @ rate))
    if stage is not None:
        found["stage_wmape"] = wmape(_slowest(actual, stage), _slowest(predicted, stage))
    return found


def wmape(actual: Floats, predicted: Floats) -> float:
    """The sum of absolute errors over the sum of the truth; NaN when that is 0."""
    total = float(actual.sum())
    return float(np.abs(actual - predicted).sum() / total) if total > 0 else np.nan


def _slowest(seconds: Floats, stage: Any) -> Floats:
    """The largest of each stage, in the order of their numbers."""
    _, at = np.unique(np.asarray(stage), return_inverse=True)
    if at.shape != seconds.shape:
        raise DataError(f"stages of {len(seconds)} instances have the shape {at.shape}")
    found = np.zeros(int(at.max()) + 1)
    np.maximum.at(found, at, seconds)
    return found


def _rates(containers: npt.ArrayLike | None, size: int) -> Floats:
    """What a second of each instance costs."""
    if containers is None:
        return np.ones(size)
    given = np.asarray(containers, dtype=np.float64)
    if given.shape != (size, 2):
        raise DataError(f"containers of {size} instances have the shape {given.shape}; expected ({size}, 2)")
    rates: Floats = np.where(np.isnan(given), (1.0, 0.0), given) @ np.array(PRICES)
    return rates


def _seconds(values: npt.ArrayLike, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not (found >= 0).all():
        raise DataError(f"{name} is not a list of numbers from 0; its shape is {found.shape}")
    return found
