"""The formula of a cold start finds the constants that made its data."""

from __future__ import annotations

import numpy as np
import pytest

from paretosql.optimizer.analytic import TERMS, learn_analytic, terms
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import COLUMNS, column
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.stage import Stage


def rows(size=120, seed=0):
    """Rows of features in which only what the formula reads is known."""
    rng = np.random.default_rng(seed)
    found = np.full((size, len(COLUMNS)), np.nan)
    for name, most in (("in_bytes", 1e9), ("in_rows", 1e6)):
        found[:, column("instance", name)] = np.log1p(rng.uniform(0, most, size))
    found[:, column("container", "container_cores")] = rng.choice([1.0, 2.0, 4.0], size)
    found[:, column("machine", "cpu_util")] = rng.integers(0, 10, size)
    found[:, column("machine", "hw_type")] = rng.integers(0, 2, size)
    return found


def truth(given):
    """Half a second, 100 MB per second, a microsecond per row, on the second type twice as long."""
    size, count = (np.expm1(given[:, column("instance", name)]) for name in ("in_bytes", "in_rows"))
    load = 1 + 0.8 * (given[:, column("machine", "cpu_util")] + 0.5) / 10
    seconds = 0.5 + size / 1e8 + count * 1e-6 / given[:, column("container", "container_cores")] ** 0.8 * load
    return seconds * np.where(given[:, column("machine", "hw_type")] == 1, 2.0, 1.0)


def test_constants_are_found():
    """On one hardware type exactly."""
    given = rows()
    given[:, column("machine", "hw_type")] = 0
    found = learn_analytic(Encoding(), given, truth(given))
    assert dict(zip(TERMS, found.constants, strict=True)) == pytest.approx(
        {"startup_s": 0.5, "in_bytes": 1e-8, "in_rows": 1e-6, "operator_rows": 0, "operator_cost": 0},
        abs=1e-9,
        rel=1e-4,
    )


def test_a_slow_type_has_a_factor():
    """Twice that of the other, whatever the constants took of it."""
    given = rows(400)
    found = learn_analytic(Encoding(), given, truth(given))
    assert found.hw_factor[1.0] / found.hw_factor[0.0] == pytest.approx(2.0, rel=0.05)
    assert found.predict(given) == pytest.approx(truth(given), rel=0.1)


def test_no_constant_is_negative():
    """Also where latency falls with size."""
    given = rows()
    found = learn_analytic(Encoding(), given, 10.0 / (1 + truth(given)))
    assert (found.constants >= 0).all()
    assert (found.predict(given) > 0).all()


def test_nothing_known_still_gives_a_prediction():
    """The constant term alone."""
    given = np.full((5, len(COLUMNS)), np.nan)
    found = learn_analytic(Encoding(), given, np.full(5, 3.0))
    assert terms(given)[:, 1:].tolist() == [[0.0] * 4] * 5
    assert found.predict(given) == pytest.approx([3.0] * 5)


def test_more_cores_are_never_slower():
    """And a heavier instance is never faster."""
    given = rows()
    found = learn_analytic(Encoding(), given, truth(given))
    stage = Stage("a", 0, np.array([1e3, 1e5, 1e6]), np.array([1e6, 1e8, 1e9]))
    machines = Machines(("m",), ("any",), np.array([8.0]), np.array([32.0]))
    grid = found.grid(stage, machines, np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))
    assert grid.shape == (3, 1, 3)
    assert (np.diff(grid, axis=2) <= 0).all()
    assert (np.diff(grid, axis=0) >= 0).all()
    assert found.memory_floor_gib(stage) == pytest.approx(2 * stage.in_bytes / 2**30 + 0.25)
