"""What machines add to latency is found inside of stages, whatever ran where."""

from __future__ import annotations

import numpy as np
import pytest

from paretosql.optimizer.features import COLUMNS, MACHINE, column
from paretosql.optimizer.machine_effect import LOADS, NO_EFFECT, machine_effect

TYPES = np.array([-0.4, 0.0, 0.5])
PER_LEVEL = 0.06


def rows_of(count, seed, *, biased):
    """Rows of 40 stages, and what their log latency is; `biased`: slow stages run on fast machines."""
    rng = np.random.default_rng(seed)
    stage = rng.integers(0, 40, count)
    level = rng.normal(0.0, 2.0, 40)
    chance = (
        np.where(level[stage, None] > 0, [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]) if biased else np.full((count, 3), 1 / 3)
    )
    code = (rng.random(count)[:, None] > chance.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    rows = np.full((count, len(COLUMNS)), np.nan)
    size = rng.normal(10.0, 1.0, count)
    util = rng.integers(0, 10, count).astype(float)
    rows[:, column("machine", "hw_type")], rows[:, column("machine", "cpu_util")] = code, util
    rows[:, column("instance", "in_bytes")] = size
    log_ms = level[stage] + 0.9 * size + TYPES[code] + PER_LEVEL * util
    return rows, stage, log_ms + 0.1 * rng.standard_normal(count), rng


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("stragglers", [0.0, 0.05])
def test_types_and_loads_are_found(biased, stragglers):
    """Also where slow stages prefer fast machines, and where some instances take ten times as long."""
    rows, stage, log_ms, rng = rows_of(4000, 1, biased=biased)
    log_ms += np.log(10.0) * (rng.random(len(log_ms)) < stragglers)
    found = machine_effect(rows, stage, log_ms, len(TYPES))
    assert np.diff(found.types) == pytest.approx(np.diff(TYPES), abs=0.04)
    assert found.loads[LOADS.index("cpu_util")] == pytest.approx(PER_LEVEL, abs=0.006)
    assert np.delete(found.loads, LOADS.index("cpu_util")).tolist() == [0.0] * 4


def test_what_is_not_known_adds_nothing():
    """An unseen type and an unknown load count as the usual one, and the usual machine adds nothing in the mean."""
    rows, stage, log_ms, _ = rows_of(4000, 2, biased=False)
    found = machine_effect(rows, stage, log_ms, len(TYPES))
    assert found(np.full((2, len(MACHINE)), np.nan)).tolist() == [0.0, 0.0]
    assert found.of_rows(rows).mean() == pytest.approx(0.0, abs=1e-9)
    assert NO_EFFECT.of_rows(rows).tolist() == [0.0] * len(rows)


def test_few_rows_say_little():
    """Three instances are no proof that a type is ten times slower."""
    rows = rows_of(3, 3, biased=False)[0]
    rows[:, column("machine", "hw_type")] = [0.0, 0.0, 1.0]
    found = machine_effect(rows, np.zeros(3, dtype=int), np.array([1.0, 1.0, 1.0 + np.log(10.0)]), 2)
    assert 0.0 < np.diff(found.types)[0] < 0.7
