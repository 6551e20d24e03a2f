"""From prepared instances to a model: the formula for few of them, trees for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from paretosql.optimizer.analytic import AnalyticLatency, learn_analytic
from paretosql.optimizer.applicability import ranges_of
from paretosql.optimizer.boosted import EXPECTED, BoostedLatency, memory_rows
from paretosql.optimizer.boosting import (
    MOST_ROWS,
    Fitting,
    Trees,
    fit_median,
    fit_quantile,
    sample,
    typical,
)
from paretosql.optimizer.combinations import ROWS_AT_ONCE
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import CONTAINER, block
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.material import Material
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import GIB

LEAST_ROWS = 200  # for trees, section 4.2
LEAST_PEAKS = 50  # recorded peaks of memory, for a model of them; our choice
MEMORY = CONTAINER.index("container_memory_gib")

Report: TypeAlias = Callable[[int, int], None]  # how many rounds are done, of how many
Data: TypeAlias = tuple[Floats, Floats, Floats]  # rows, targets, weights


def learn(
    material: Material,
    rows: Ints,
    how: Fitting,
    validation: Ints | None = None,
    *,
    like: BoostedLatency | AnalyticLatency | None = None,
    report: Report | None = None,
) -> BoostedLatency | AnalyticLatency:
    """A model from some instances, by position.

    Args:
        validation: other instances; trees stop growing in number when the error on them no longer falls.
        like: a model whose numbers of trees are taken, in place of stopping early.
        report: called after every round of trees.
    """
    latency = material.outcomes.latency_s
    if len(rows) < LEAST_ROWS:
        encoding, view = material.learn(rows)
        features = view.rows(rows)
        return learn_analytic(encoding, features, latency[rows], ranges_of(features))
    weight = typical(material.cell[rows], latency[rows])
    at, weight = sample(weight, MOST_ROWS, how.seed)
    chosen = rows[at]
    target = np.log1p(latency * 1000.0)
    fitting = [how if each is None else replace(how, rounds=each.rounds) for each in _trees(like)]
    whole = sum(each.rounds for each in fitting)
    steps = [_step(report, 0, whole), _step(report, fitting[0].rounds, whole)]
    first, second = (replace(each, step=step) for each, step in zip(fitting, steps, strict=True))

    codes = material.codes(rows)
    plain = material.view(codes)
    checked = _validation(material, codes, validation)
    general = fit_median(plain.rows(chosen), target[chosen], weight, first, checked)
    encoding, view = material.learn(rows, circumstances(general, plain, rows))
    recurring = _recurring(
        (view.rows(chosen), target[chosen], weight), second, _validation(material, encoding, validation)
    )
    return BoostedLatency(
        encoding, general, recurring, _memory(material, plain, rows, how), ranges_of(*plain.blocks(rows))
    )


def circumstances(general: Trees, view: TrainingView, rows: Ints) -> Floats:
    """By how much trees think the log latency of each row differs from that in the usual container on the usual
    machine: one with the most memory that occurs, and otherwise medians. Shape (len(rows),).
    """
    own = np.concatenate([view.container_block[rows], view.machine_block[rows]], axis=1)
    usual = _middle(own)
    usual[MEMORY] = np.fmax.reduce(own[:, MEMORY])
    found = np.zeros(len(rows))
    if np.array_equal(own, np.broadcast_to(usual, own.shape), equal_nan=True):
        return found
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        whole = view.rows(rows[part])
        there = whole.copy()
        there[:, block("container").start : block("machine").stop] = usual
        found[part] = general(whole) - general(there)
    return found


def _middle(block: Floats) -> Floats:
    """The median of every column, NaN where nothing is known."""
    known = ~np.isnan(block).all(axis=0)
    found = np.full(block.shape[1], np.nan)
    found[known] = np.nanmedian(block[:, known], axis=0)
    return found


def _recurring(data: Data, how: Fitting, checked: Data | None) -> Trees | None:
    """Trees for the difference to what past runs lead to expect; None when too few rows have a past."""
    known = _beyond_past(data)
    if len(known[0]) < LEAST_ROWS:
        return None
    others = None if checked is None else _beyond_past(checked)
    return fit_median(*known, how, others if others and len(others[0]) else None)


def _beyond_past(data: Data) -> Data:
    """Rows with a past, and how far their targets are from what it leads to expect."""
    rows, target, weight = data
    known = ~np.isnan(rows[:, EXPECTED])
    return rows[known], (target - rows[:, EXPECTED])[known], weight[known]


def _validation(material: Material, encoding: Encoding, rows: Ints | None) -> Data | None:
    if rows is None or not len(rows):
        return None
    latency = material.outcomes.latency_s
    weight = typical(material.cell[rows], latency[rows])
    at, weight = sample(weight, MOST_ROWS // 5, 0)
    return material.view(encoding).rows(rows[at]), np.log1p(latency[rows[at]] * 1000.0), weight


def _memory(material: Material, view: TrainingView, rows: Ints, how: Fitting) -> Trees | None:
    """Trees for the 95th percentile of log(1 + peak bytes); None when too few peaks were recorded."""
    peak = material.outcomes.peak_gib[rows]
    known = np.flatnonzero(~np.isnan(peak))
    if len(known) < LEAST_PEAKS:
        return None
    if len(known) > MOST_ROWS:
        known = np.sort(np.random.default_rng(how.seed).choice(known, MOST_ROWS, replace=False))
    return fit_quantile(memory_rows(view.rows(rows[known])), np.log1p(peak[known] * GIB), how)


def _trees(like: BoostedLatency | AnalyticLatency | None) -> tuple[Trees | None, Trees | None]:
    return (like.general, like.recurring) if isinstance(like, BoostedLatency) else (None, None)


def _step(report: Report | None, before: int, whole: int) -> Callable[[int], None]:
    return (lambda done: None) if report is None else (lambda done: report(before + done, whole))
