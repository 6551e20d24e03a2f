"""`python -m benchmarks.learn`: train the learned estimator and write the model file that the package ships.

    python -m benchmarks.learn                        # about 15 minutes on two cores; replaces sketches/learned.arrow
    python -m benchmarks.learn --samples 2000 --gate  # for each family, trained without it: is it still better?

Samples of random populations become features; gradient-boosted trees (LightGBM, absolute error) learn the log of the
factor between a smooth fit of the spectrum and the truth. The same seed gives the same samples, whatever the number of
processes. Source of the setting: our choice.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.environment import ROOT
from benchmarks.random_populations import Drawn, draw, families
from paretosql.sketches.automatic import LEAST_ROWS
from paretosql.sketches.features import features
from paretosql.sketches.sample import Sample, read_sample
from paretosql.sketches.trees import Trees, write_trees

Floats = npt.NDArray[np.float64]

MODEL: Final = ROOT / "sketches" / "learned.arrow"
BATCH: Final = 500
SAMPLES: Final = 100_000
RATES: Final = (-4.0, -0.2)  # log10
ROUNDS: Final = 500
SETTING: Final = {
    "objective": "regression_l1",
    "num_leaves": 63,
    "learning_rate": 0.05,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "deterministic": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Lessons:
    """Samples and their truths: features (m, 33); base, truth, least and most, logs of shape (m,); families per row."""

    features: Floats
    base: Floats
    truth: Floats
    least: Floats
    most: Floats
    families: tuple[tuple[str, ...], ...]

    def part(self, kept: npt.NDArray[np.bool_]) -> Lessons:
        """The lessons chosen by `kept`."""
        names = tuple(name for name, keep in zip(self.families, kept.tolist(), strict=True) if keep)
        arrays = (self.features, self.base, self.truth, self.least, self.most)
        return Lessons(*(each[kept] for each in arrays), names)

    def off(self, logs: Floats) -> Floats:
        """The log of the ratio error of answers, after the clamps."""
        return np.abs(np.clip(logs, self.least, self.most) - self.truth)


def sampled(random: np.random.Generator) -> tuple[Drawn, Sample]:
    """A random population and a sample of it that says something."""
    while True:
        drawn = draw(random)
        rate = 10 ** random.uniform(*RATES)
        if drawn.population.rows * rate >= LEAST_ROWS:
            sample = read_sample(drawn.population.profile(rate, random), drawn.population.rows)
            if LEAST_ROWS <= sample.n < sample.rows:
                return drawn, sample


def lessons(job: tuple[int, int]) -> Lessons:
    """BATCH lessons: those of a seed and a number."""
    random = np.random.default_rng(job)
    rows, names = [], []
    for _ in range(BATCH):
        drawn, sample = sampled(random)
        seen, base = features(sample)
        limits = (math.log(sample.d), math.log(sample.d + sample.rows - sample.n))
        rows.append((seen, base, math.log(drawn.population.distinct), *limits))
        names.append(drawn.families)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Lessons(*columns, tuple(names))


def all_lessons(samples: int, seed: int) -> Lessons:
    """Lessons made by as many processes as there are cores."""
    jobs = [(seed, number) for number in range(math.ceil(samples / BATCH))]
    started, parts = time.monotonic(), []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(lessons, jobs):
            parts.append(part)
            _tell(len(parts) * BATCH, len(jobs) * BATCH, time.monotonic() - started)
    names = ("features", "base", "truth", "least", "most")
    arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    return Lessons(*arrays, tuple(name for part in parts for name in part.families))


def _tell(done: int, of: int, seconds: float) -> None:
    print(f"\r{done:,} of {of:,} samples, {seconds:.0f} s", end="" if done < of else "\n", file=sys.stderr, flush=True)


def train(taught: Lessons, seed: int, rounds: int = ROUNDS) -> Any:
    """A LightGBM booster of these lessons."""
    import lightgbm

    data = lightgbm.Dataset(taught.features, taught.truth - taught.base)
    return lightgbm.train({**SETTING, "seed": seed}, data, rounds)


def flat_trees(booster: Any) -> Trees:
    """The trees of a booster as arrays."""
    nodes: dict[str, list[float]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots = []

    def add(node: dict[str, Any]) -> int:
        at = len(nodes["feature"])
        for each in nodes.values():
            each.append(0)
        if "leaf_value" in node:
            nodes["left"][at] = nodes["right"][at] = at
            nodes["value"][at] = node["leaf_value"]
        else:
            nodes["feature"][at], nodes["threshold"][at] = node["split_feature"], node["threshold"]
            nodes["left"][at], nodes["right"][at] = add(node["left_child"]), add(node["right_child"])
        return at

    for tree in booster.dump_model()["tree_info"]:
        roots.append(add(tree["tree_structure"]))
    return Trees.of(roots, **nodes)


def gate(taught: Lessons, seed: int) -> dict[str, tuple[float, float, float]]:
    """For each family: the geometric mean ratio error, on samples of it alone, of a model that never saw it, of
    profile_nnls, and of a model that did see it on other samples.
    """
    nnls = taught.base - np.mean(taught.features[:, -3:-1], axis=1) + taught.features[:, -3]
    halves = np.arange(len(taught.base)) % 2 == 0
    knowing = train(taught.part(halves), seed)
    found = {}
    for family in families:
        holds = np.array([family in names for names in taught.families])
        alone = np.array([set(names) == {family} for names in taught.families]) & ~halves
        tested = taught.part(alone)
        ignorant = train(taught.part(halves & ~holds), seed)
        answers = [tested.base + model.predict(tested.features) for model in (ignorant, knowing)]
        errors = [float(np.exp(tested.off(each).mean())) for each in (answers[0], nnls[alone], answers[1])]
        found[family] = (errors[0], errors[1], errors[2])
        print(f"{family:20} never seen {errors[0]:.3f}  profile_nnls {errors[1]:.3f}  seen {errors[2]:.3f}", flush=True)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0; 1 when the gate stays shut."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learn", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"how many samples to learn from ({SAMPLES:,})")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--gate", action="store_true", help="test on families never seen, and write no model")
    parser.add_argument("--to", type=Path, default=MODEL, metavar="FILE", help="the model file to write")
    options = parser.parse_args(argv)
    taught = all_lessons(options.samples, options.seed)
    if options.gate:
        found = gate(taught, options.seed)
        passed = math.prod(each[0] / each[1] for each in found.values()) < 1
        print("the model is better than profile_nnls on families it never saw" if passed else "the gate stays shut")
        return 0 if passed else 1
    write_trees(options.to, flat_trees(train(taught, options.seed)))
    print(f"{options.to}: {options.to.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
