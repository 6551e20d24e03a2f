"""Fitting boosted trees: the settings, the weights and the sample of rows that all of ours share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from paretosql.optimizer import library
from paretosql.optimizer.features import COLUMNS, MORE_IS_SLOWER, column
from paretosql.optimizer.frontier import Floats, Ints

ROUNDS, PATIENCE = 300, 30  # section 4.2: 300 to 600 rounds; patience is our choice
MOST_ROWS = 150_000  # more are sampled by weight; our choice: the error of a million rows is the same
LEAST_LEAF, MOST_LEAF = 5, 100  # rows per leaf: a thousandth of all within these; our choice
QUANTILE = 0.95  # of memory, section 6.1
SMALL_ERROR = 0.05  # of log latency: below it the loss is a square; our choice
LESS_IS_SLOWER = ("container_cores", "container_memory_gib")

Step = Callable[[int], None]


@dataclass(frozen=True)
class Fitting:
    """How trees are fitted.

    Attributes:
        monotone: more cores and memory never slow an instance down, and more input never speeds it up.
        step: called with every round that is done.
    """

    seed: int = 0
    threads: int = 2
    monotone: bool = True
    rounds: int = ROUNDS
    step: Step = lambda done: None


@dataclass(frozen=True)
class Trees:
    """A LightGBM booster, and the constant that its sums are added to."""

    booster: Any
    base: float = 0.0

    def __call__(self, rows: Floats) -> Floats:
        """The prediction for rows of features, shape (p,); one thread, so that sums are the same everywhere."""
        if not len(rows):
            return np.empty(0)
        found: Floats = self.base + np.asarray(self.booster.predict(rows, num_threads=1), dtype=np.float64)
        return found

    @property
    def rounds(self) -> int:
        """How many trees count: those up to the round where fitting was stopped."""
        best = int(self.booster.best_iteration)
        return best if best > 0 else int(self.booster.num_trees())


def fit_median(
    rows: Floats, target: Floats, weight: Floats, how: Fitting, validation: tuple[Floats, Floats, Floats] | None = None
) -> Trees:
    """Trees for the weighted median of `target`, shape (p,), given rows of features, shape (p, f).

    LightGBM's own absolute loss sets leaves after growing them, which rules out monotone constraints. Here every round
    minimises squares weighted by 1 / |error|, whose minimum is that of the absolute errors.

    Args:
        validation: rows, targets and weights; fitting stops when their error has not fallen for `PATIENCE` rounds.
    """
    lightgbm = library.lightgbm()

    base = float(np.median(target))
    wanted, share = target - base, weight / weight.mean()

    def loss(predicted: Floats, _: Any) -> tuple[Floats, Floats]:
        error = predicted - wanted
        curvature = share / np.sqrt(error**2 + SMALL_ERROR**2)
        return error * curvature, curvature

    data = lightgbm.Dataset(rows, wanted, params={"verbose": -1})
    calls: list[Callable[[Any], None]] = [lambda env: how.step(env.iteration + 1)]
    checked = []
    if validation is not None:
        checked = [lightgbm.Dataset(validation[0], validation[1] - base, weight=validation[2], reference=data)]
        calls.append(lightgbm.early_stopping(PATIENCE, verbose=False))
    settings = {**_settings(len(rows), how), "objective": loss, "metric": "l1"}
    if how.monotone:
        settings["monotone_constraints"] = constraints(rows.shape[1])
    return Trees(lightgbm.train(settings, data, how.rounds, checked, callbacks=calls), base)


def fit_quantile(rows: Floats, target: Floats, how: Fitting) -> Trees:
    """Trees for the 95th percentile of `target`, of a third of the rounds, as peaks need less detail."""
    lightgbm = library.lightgbm()

    settings = {**_settings(len(rows), how), "objective": "quantile", "alpha": QUANTILE}
    data = lightgbm.Dataset(rows, target, params={"verbose": -1})
    return Trees(lightgbm.train(settings, data, max(1, how.rounds // 3)))


def _settings(rows: int, how: Fitting) -> dict[str, Any]:
    return {
        "num_leaves": 31,  # section 4.2
        "learning_rate": 0.06,
        "min_data_in_leaf": int(np.clip(rows // 1000, LEAST_LEAF, MOST_LEAF)),
        "feature_fraction": 0.5,
        "num_threads": how.threads,
        "seed": how.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


def constraints(columns: int) -> list[int]:
    """+1 where more of a feature is never faster, -1 where it is never slower, for the first features of a row."""
    signs = [0] * len(COLUMNS)
    for name in MORE_IS_SLOWER:
        signs[column("instance", name)] = 1
    for name in LESS_IS_SLOWER:
        signs[column("container", name)] = -1
    return signs[:columns]


def typical(cell: Ints, latency_s: Floats) -> Floats:
    """For each row the median latency of its cell, such as its stage; shapes (N,).

    Weighting errors of log latency by it makes their sum nearly the sum of absolute errors. The latency itself would
    not do: its own error would be in the weight, and slow instances would pull predictions up.
    """
    order = np.lexsort((latency_s, cell))
    _, starts, count = np.unique(cell[order], return_index=True, return_counts=True)
    median = latency_s[order][starts + (count - 1) // 2]
    found = np.empty(len(cell))
    found[order] = np.repeat(median, count)
    return np.maximum(found, 1e-3)


def sample(weight: Floats, most: int, seed: int) -> tuple[Ints, Floats]:
    """About `most` rows, drawn more often the more they weigh, and new weights with the same expected sums."""
    if len(weight) <= most:
        return np.arange(len(weight)), weight
    low, high = 0.0, float(weight.sum())
    for _ in range(60):  # the threshold whose expected number of rows is `most`
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1.0, weight / middle).sum() > most else (low, middle)
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(len(weight)) < weight / high)
    return kept, np.maximum(weight[kept], high)
