"""From prepared instances to a model: the formula for few of them, trees for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from paretosql.optimizer.analytic import AnalyticLatency, learn_analytic
from paretosql.optimizer.applicability import ranges_of
from paretosql.optimizer.boosted import BoostedLatency, expected_log_ms, memory_rows
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
from paretosql.optimizer.features import CONTAINER, block, column
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.machine_effect import MachineEffect, machine_effect
from paretosql.optimizer.material import Material
from paretosql.optimizer.training_view import TrainingView
from paretosql.optimizer.units import GIB

LEAST_ROWS = 200  # for trees, section 4.2
LEAST_PEAKS = 50  # recorded peaks of memory, for a model of them; our choice
MEMORY = CONTAINER.index("container_memory_gib")
MEMORY_COLUMN = column("container", "container_memory_gib")

Report: TypeAlias = Callable[[int, int], None]  # how many rounds are done, of how many


@dataclass(frozen=True)
class _Data:
    """Whole rows of features, shape (p, f), log latency without what machines add, and weights, shapes (p,)."""

    rows: Floats
    target: Floats
    weight: Floats

    def beyond_past(self) -> _Data:
        """The rows with a past, and how far their targets are from what it leads to expect."""
        expected = expected_log_ms(self.rows)
        known = ~np.isnan(expected)
        return _Data(self.rows[known], (self.target - expected)[known], self.weight[known])


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
    features = plain.rows(chosen)
    effect = machine_effect(features, material.cell[chosen], target[chosen], len(codes.hw_codes))
    data = _Data(features, target[chosen] - effect.of_rows(features), weight)
    general = _fitted(data, first, _validation(material, plain, effect, validation))
    encoding, view = material.learn(rows, circumstances(general, effect, plain, rows))
    data = replace(data, rows=view.rows(chosen))
    checked = _validation(material, material.view(encoding), effect, validation)
    return BoostedLatency(
        encoding,
        general,
        _recurring(data, second, checked),
        _memory(material, plain, rows, how),
        effect,
        ranges_of(*plain.blocks(rows)),
    )


def circumstances(general: Trees, effect: MachineEffect, view: TrainingView, rows: Ints) -> Floats:
    """By how much the log latency of each row seems to differ from that on the usual machine with the most memory that
    occurs. Its cores stay: how a stage depends on them is for its past to say. Shape (len(rows),).
    """
    own = np.concatenate([view.container_block[rows][:, MEMORY:], view.machine_block[rows]], axis=1)
    usual = _middle(own)
    usual[0] = np.fmax.reduce(own[:, 0])
    found = np.zeros(len(rows))
    if np.array_equal(own, np.broadcast_to(usual, own.shape), equal_nan=True):
        return found
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        whole = view.rows(rows[part])
        there = whole.copy()
        there[:, MEMORY_COLUMN : block("machine").stop] = usual
        found[part] = general(whole) - general(there) + effect.of_rows(whole) - effect.of_rows(there)
    return found


def _middle(block: Floats) -> Floats:
    """The median of every column, NaN where nothing is known."""
    known = ~np.isnan(block).all(axis=0)
    found = np.full(block.shape[1], np.nan)
    found[known] = np.nanmedian(block[:, known], axis=0)
    return found


def _fitted(data: _Data, how: Fitting, checked: _Data | None) -> Trees:
    others = None if checked is None else (checked.rows, checked.target, checked.weight)
    return fit_median(data.rows, data.target, data.weight, how, others)


def _recurring(data: _Data, how: Fitting, checked: _Data | None) -> Trees | None:
    """Trees for the difference to what past runs lead to expect; None when too few rows have a past."""
    known = data.beyond_past()
    if len(known.rows) < LEAST_ROWS:
        return None
    others = None if checked is None else checked.beyond_past()
    return _fitted(known, how, others if others and len(others.rows) else None)


def _validation(material: Material, view: TrainingView, effect: MachineEffect, rows: Ints | None) -> _Data | None:
    if rows is None or not len(rows):
        return None
    latency = material.outcomes.latency_s
    weight = typical(material.cell[rows], latency[rows])
    at, weight = sample(weight, MOST_ROWS // 5, 0)
    features = view.rows(rows[at])
    return _Data(features, np.log1p(latency[rows[at]] * 1000.0) - effect.of_rows(features), weight)


def _memory(material: Material, view: TrainingView, rows: Ints, how: Fitting) -> Trees | None:
    """Trees for the 95th percentile of log(1 + bytes wanted); None when they were recorded too seldom."""
    wanted = material.outcomes.wanted_gib[rows]
    known = np.flatnonzero(~np.isnan(wanted))
    if len(known) < LEAST_PEAKS:
        return None
    if len(known) > MOST_ROWS:
        known = np.sort(np.random.default_rng(how.seed).choice(known, MOST_ROWS, replace=False))
    return fit_quantile(memory_rows(view.rows(rows[known])), np.log1p(wanted[known] * GIB), how)


def _trees(like: BoostedLatency | AnalyticLatency | None) -> tuple[Trees | None, Trees | None]:
    return (like.general, like.recurring) if isinstance(like, BoostedLatency) else (None, None)


def _step(report: Report | None, before: int, whole: int) -> Callable[[int], None]:
    return (lambda done: None) if report is None else (lambda done: report(before + done, whole))
