"""From prepared instances to a model: the formula for few of them, trees for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from paretosql.optimizer.analytic import AnalyticLatency, learn_analytic
from paretosql.optimizer.applicability import ranges_of
from paretosql.optimizer.boosted import EXPECTED, GIB, BoostedLatency, memory_rows
from paretosql.optimizer.boosting import (
    MOST_ROWS,
    Fitting,
    Trees,
    fit_median,
    fit_quantile,
    sample,
    typical,
    without_past,
)
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.material import Material
from paretosql.optimizer.training_view import TrainingView

LEAST_ROWS = 200  # for trees, section 4.2
LEAST_PEAKS = 50  # recorded peaks of memory, for a model of them; our choice


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
    encoding, view = material.learn(rows)
    latency = material.outcomes.latency_s
    if len(rows) < LEAST_ROWS:
        features = view.rows(rows)
        return learn_analytic(encoding, features, latency[rows], ranges_of(features))
    weight = typical(material.cell[rows], latency[rows])
    at, weight = sample(weight, MOST_ROWS, how.seed)
    data = (view.rows(rows[at]), np.log1p(latency[rows[at]] * 1000.0), weight)
    checked = _validation(material, encoding, validation)
    fitting = [how if each is None else replace(how, rounds=each.rounds) for each in _trees(like)]
    whole = sum(each.rounds for each in fitting)
    steps = [_step(report, 0, whole), _step(report, fitting[0].rounds, whole)]
    general, recurring = (replace(each, step=step) for each, step in zip(fitting, steps, strict=True))
    return BoostedLatency(
        encoding,
        _general(data, general, checked),
        _recurring(data, recurring, checked),
        _memory(material, view, rows, how),
        ranges_of(data[0]),
    )


def _general(data: Data, how: Fitting, checked: Data | None) -> Trees:
    """Trees that know nothing of past runs."""
    plain = None if checked is None else (without_past(checked[0]), *checked[1:])
    return fit_median(without_past(data[0]), data[1], data[2], how, plain)


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
