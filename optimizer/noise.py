"""Noise of a simulation: by which factor the latency of each instance differs from what the truth expects.

Factors depend on the seed, the job and the stage alone, so all policies meet the same luck.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.simulate import Noise
from paretosql.registry import Registry

SIGMA = 0.15  # of the logarithm, where no model has measured its own; our choice
NORMAL = 1.4826  # standard deviations in a median absolute deviation of normal numbers
CLIP = 3.0  # standard deviations, section 4.4
STRAGGLERS = 0.02  # share of instances; our choice
SLOWER = (2.0, 8.0)  # by which factor, evenly on a logarithmic scale; our choice

Draw = Callable[[np.random.Generator, int, Floats], Floats]
modes: Registry[Draw] = Registry("noise mode")


@modes.register("none")
def none(rng: np.random.Generator, size: int, residuals: Floats) -> Floats:
    """Every instance takes as long as expected."""
    return np.ones(size)


@modes.register("gaussian")
def gaussian(rng: np.random.Generator, size: int, residuals: Floats) -> Floats:
    """Normal on the logarithm, as wide as the bulk of the residuals where they are known: tails are for `bootstrap`."""
    sigma = SIGMA if not len(residuals) else NORMAL * float(np.median(np.abs(residuals - np.median(residuals))))
    factor: Floats = np.exp(sigma * np.clip(rng.standard_normal(size), -CLIP, CLIP))
    return factor


@modes.register("bootstrap")
def bootstrap(rng: np.random.Generator, size: int, residuals: Floats) -> Floats:
    """Residuals of a model drawn anew, heavy tails and all, centred; as `gaussian` where there are none."""
    if not len(residuals):
        return gaussian(rng, size, residuals)
    factor: Floats = np.exp(rng.choice(residuals - np.median(residuals), size))
    return factor


@modes.register("straggler")
def straggler(rng: np.random.Generator, size: int, residuals: Floats) -> Floats:
    """Gaussian, and a few instances take several times as long."""
    factor = gaussian(rng, size, residuals)
    late = rng.random(size) < STRAGGLERS
    return np.where(late, factor * np.exp(rng.uniform(np.log(SLOWER[0]), np.log(SLOWER[1]), size)), factor)


def noise_of(mode: str, model: Any, seed: int) -> Noise:
    """The noise of a mode; residuals are those that the model kept of its validation, if it did."""
    draw = modes[mode]
    residuals = np.asarray(getattr(model, "log_residuals", np.empty(0)), dtype=np.float64)

    def factors(job_id: str, stage_id: int, instances: int) -> Floats:
        rng = np.random.default_rng((seed, zlib.crc32(f"{job_id}/{stage_id}".encode())))
        return draw(rng, instances, residuals)

    return factors
