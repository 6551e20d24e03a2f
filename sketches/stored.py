"""Numbers out of a stored sketch: its distinct values, extrapolated where it has seen a sample, and its profile."""

from __future__ import annotations

from typing import Final

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.estimators import Estimate, estimators, point
from paretosql.sketches.profile import ProfileSketch
from paretosql.sketches.quantiles import two_sided

SKETCH: Final = "sketch"  # the method of a full scan: the number that the sketch itself gives


def estimate_stored(
    data: bytes, method: str | None = None, rows: float | None = None, *, default: str = "auto"
) -> Estimate:
    """The distinct values of the rows that a stored sketch stands for.

    A sketch of a full scan gives its own number, unless `rows` says that what it has seen is a sample of so many rows.
    A sketch of a sample is extrapolated to its population: `rows`, or what the sketch has noted of it, or its rows
    divided by its sampling rate.

    Args:
        data: as `ProfileSketch.to_bytes` or SQL's `ndv_sketch` makes it.
        method: an estimator for samples, or "sketch" for full scans; None: "sketch" for full scans, else `default`.
        rows: non-NULL rows of the population.
    Returns:
        The estimate without an interval, as `point` gives it; of a full scan with the 95 % range of the sketch.
    Raises:
        DamagedSketch: the bytes are no sketch.
        ProgrammingError, DataError: an unknown method, or one that does not fit; `rows` below those seen.

    >>> import numpy as np
    >>> stored = ProfileSketch().update(np.arange(40)).to_bytes()
    >>> estimate_stored(stored).value, estimate_stored(stored, "gee", rows=4000).value
    (40.0, 400.0)
    """
    sketch = ProfileSketch.from_bytes(data)
    if method is not None and method != SKETCH and method not in estimators:
        estimators[method]  # raises, and names the nearest
    if sketch.origin.rate == 1 and rows is None:
        if method not in (None, SKETCH):
            hint = "say of how many rows it has seen a sample: rows => 1000000, or leave out method"
            problem = f"the sketch is of a full scan, which {method!r} does not extrapolate"
            raise ProgrammingError(compose(problem, hint=hint))
        value = min(sketch.distinct(), float(sketch.rows))
        margin = two_sided(0.95) * sketch.rse() * value
        upper = min(value + margin, float(sketch.rows))
        return Estimate(value, sketch.distinct(), max(value - margin, min(value, 1.0)), upper, SKETCH)
    if method == SKETCH:
        hint = f"leave out method, or choose one of {', '.join(estimators)}"
        raise ProgrammingError(compose("the method 'sketch' does not extrapolate from a sample", hint=hint))
    population = _population(sketch) if rows is None else rows
    if population < sketch.rows:
        problem = f"the sketch has seen {sketch.rows} rows, more than the {population:g} of its population"
        raise DataError(compose(problem, hint="rows are those that the sample was drawn from."))
    return point(method or default, sketch.profile(), population, sample_rows=sketch.rows)


def _population(sketch: ProfileSketch) -> float:
    """Rows that a sample stands for. Blocks count a value once each, so their rows are in proportion only."""
    origin = sketch.origin
    if origin.population and origin.kind != "block":
        return max(origin.population, sketch.rows)
    return sketch.rows / origin.rate
