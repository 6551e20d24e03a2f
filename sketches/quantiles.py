"""How many standard errors a range spans."""

from __future__ import annotations

from statistics import NormalDist


def two_sided(confidence: float) -> float:
    """Standard errors on each side of a range of the normal distribution that holds this share of it.

    >>> round(two_sided(0.95), 4)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + confidence / 2)
