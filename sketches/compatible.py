"""The interval: every number of distinct values that some population compatible with the sample has.

Among all spectra h whose expected profile B h is within z standard errors of what the sample shows, the least and the
greatest sum of h are two linear programs. This is a statement about all populations and not about one model, so it is
wide where samples say little.

Source: our design (`profile_interval`), after the linear programs of Valiant and Valiant (2011).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from paretosql.sketches.quantiles import two_sided
from paretosql.sketches.sample import Floats, Sample
from paretosql.sketches.spectrum import Spectrum, spectrum

GRID: Final = 150  # our choice: 400 change no interval by more than 1 %
LADDER: Final = tuple(2 * 1.25**step for step in range(30))  # z tried where no spectrum fits: the grid is no continuum
SINGLE: Final = 2.0  # so many values or fewer in one bin say nothing of the least that is expected there
EXTRA_Z: Final = 0.44  # our choice: z = 2.4 at 95 %, for that many constraints hold together


def compatible(sample: Sample, confidence: float) -> tuple[float, float]:
    """The least and the greatest D compatible with a sample of 0 < n < N rows.

    Constraints: the expected number of values seen i times, for each i <= T, that of values seen 1, 2, 3 to 4, 5 to 8,
    .. times, and that of all values seen up to T times, lie within the score interval of what was seen; so do the rows
    of the values seen up to T times. A value that is expected 20 times falls into one of twenty bins, each with a
    chance below a tenth: so a bin with a value or two gives no lower limit by itself.

    Where no spectrum fits at this z, the smallest that lets one fit is taken for noise of its own, and joined with it.

    Returns: lower, upper; (d, d + N - n) when no spectrum fits.
    Cost: about 25 ms.
    """
    problem = spectrum(sample, GRID)
    z = two_sided(confidence) + EXTRA_Z
    found = _extremes(problem, sample, z)
    if found is None:
        fitting = next((each for each in LADDER if each > z and _extremes(problem, sample, each) is not None), None)
        found = None if fitting is None else _extremes(problem, sample, math.hypot(fitting, z))
    return found or (sample.d, sample.d + sample.rows - sample.n)


def _score(seen: Floats, z: float) -> tuple[Floats, Floats]:
    """The middle and half the width of Wilson's interval for the mean of a Poisson count: [0, z^2] when none was seen.

    A width of z sqrt(f + 1) around f would exclude a mean of 2.6 when nothing is seen, which happens in 7 % of samples.
    """
    half: Floats = z * np.sqrt(seen + z * z / 4)
    return seen + z * z / 2, half


def _extremes(problem: Spectrum, sample: Sample, z: float) -> tuple[float, float] | None:
    """The least and greatest sum of h, heavy values added; None when the constraints contradict each other."""
    from scipy.optimize import linprog

    sums = _sums(len(problem.profile))
    profile = sums @ problem.profile
    middle, half = _score(profile, z)
    told = (sums.sum(axis=1) > 1) | (profile > SINGLE) | (np.arange(len(sums)) < 2)  # which have a lower limit
    slack = _slack(problem, sample, z)
    span = problem.rows + slack
    scale = span / problem.grid  # unknowns are shares of this many rows
    fit = (sums @ problem.seen) * scale / half[:, None]
    all_rows = np.ones((1, len(scale)))
    left = np.vstack([fit, -fit[told], all_rows, -all_rows])
    right = np.concatenate([middle / half + 1, (1 - middle / half)[told], [1.0], [(slack - problem.rows) / span]])
    ends: list[float] = []
    for sign in (1.0, -1.0):
        found = linprog(sign / problem.grid, left, right, method="highs")
        if found.status != 0:
            return None
        ends.append(sign * float(found.fun) * span + problem.heavy)
    return ends[0], ends[1]


def _sums(limit: int) -> Floats:
    """Which numbers are constrained: values seen i times for each i up to the limit, in octaves, and all of them."""
    octave = np.ceil(np.log2(np.arange(1, limit + 1))).astype(int)
    octaves = (octave[None, :] == np.arange(2, octave[-1] + 1)[:, None]).astype(float)
    return np.vstack([np.eye(limit), octaves, np.ones((1, limit))])


def _slack(problem: Spectrum, sample: Sample, z: float) -> float:
    """How far the rows of the light values may be from what the sample makes of them.

    The sample's rows of light and of heavy values add up to n, and the true ones to N, so the error is that of the
    smaller of the two.
    """
    if not problem.heavy_rows:
        return 0.0
    light = max(sample.n - problem.heavy_rows, 0.0)
    variance = light * problem.heavy_rows / sample.n
    middle, half = _score(np.array([variance]), z)
    return float(middle[0] + half[0] - variance) / sample.q
