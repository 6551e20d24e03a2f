"""Ratios of factorials and harmonic sums of large numbers without losing digits.

lgamma(1e11) is 2.4e12, so a difference of two of them is right to 1e-4 only. Here the large parts are cancelled on
paper: what is left is of the size of the result.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SERIES_FROM: Final = 30.0  # our choice: above, four terms of Stirling's series are exact to 1e-16


def log_missed(x: Floats, n: float, rows: float) -> Floats:
    """log h_n(x): the log of the chance that a sample of n of N rows misses a value of x rows.

    h_n(x) = G(N - x + 1) G(N - n + 1) / (G(N - x - n + 1) G(N + 1)), G the gamma function; x may be fractional.
    -inf where x + n > N: so many rows cannot be missed.

    Args:
        x: float64, shape (m,), 0 < x <= N.
    Error: about 1e-15 relative to the result, over q where x < n.
    """
    possible = x + n <= rows
    x = np.where(possible, x, 0.0)
    small, large = np.minimum(x, n), np.maximum(x, n)  # the function is symmetric in x and n
    kept, rest, top = rows - large + 1, rows - large - small + 1, rows + 1
    # (z - 1/2) log z of the four gammas, taken relative to log(top), whose coefficients add up to 0
    main = (
        (rows - small + 0.5) * np.log1p(-small / top)
        - (kept - 0.5) * np.log1p(-small / kept)
        + small * np.log1p(-(large + small) / top)
    )
    rest_of_stirling = _remainder(rows - small + 1) + _remainder(kept) - _remainder(rest) - _remainder(np.array(top))
    found: Floats = np.where(possible, main + rest_of_stirling, -np.inf)
    return found


def log_rising(start: Floats, steps: Floats) -> Floats:
    """log of start (start + 1) .. (start + steps - 1), for start > 0 and steps >= 0, of shapes that broadcast.

    Error: about 1e-15 of steps * log(start + steps).
    """
    end = start + steps
    main = steps * np.log(end) + (start - 0.5) * np.log1p(steps / start) - steps
    found: Floats = main + _remainder(end) - _remainder(start)
    return found


def harmonic_sum(start: float, steps: float) -> float:
    """1 / start + 1 / (start + 1) + .., `steps` terms, which may be fractional: a difference of two digammas."""
    from scipy.special import digamma

    if start < SERIES_FROM:
        return float(digamma(start + steps) - digamma(start))
    end = start + steps
    return math.log1p(steps / start) + _digamma_remainder(end) - _digamma_remainder(start)


def _digamma_remainder(z: float) -> float:
    """digamma(z) - log z, for z from 30 on."""
    square = 1 / z**2
    return -1 / (2 * z) - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))


def _remainder(z: Floats) -> Floats:
    """lgamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2), for z > 0."""
    from scipy.special import gammaln

    near = np.minimum(z, SERIES_FROM)
    direct = gammaln(near) - ((near - 0.5) * np.log(near) - near + 0.5 * math.log(2 * math.pi))
    far = np.maximum(z, SERIES_FROM)
    square = 1 / far**2
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / far
    found: Floats = np.where(z < SERIES_FROM, direct, series)
    return found
