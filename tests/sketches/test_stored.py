"""Numbers out of stored sketches: what the sketch itself would say, or what an estimator makes of its sample."""

from __future__ import annotations

import numpy as np
import pytest

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches import DamagedSketch, Origin, ProfileSketch
from paretosql.sketches.estimators import point
from paretosql.sketches.stored import estimate_stored


def sample(rate=0.1, population=0, kind="bernoulli") -> ProfileSketch:
    """A sketch of 60 rows with 40 values."""
    rows = np.concatenate([np.arange(40), np.arange(20)])
    return ProfileSketch(origin=Origin(rate, kind, population)).update(rows)


def test_a_full_scan_gives_its_own_number():
    """Exact while small, and the estimate of the sketch beyond its capacity."""
    small, large = ProfileSketch().update(np.arange(40)), ProfileSketch(256).update(np.arange(10_000))
    assert estimate_stored(small.to_bytes()).value == 40
    assert estimate_stored(large.to_bytes(), "sketch").value == large.distinct()


@pytest.mark.parametrize("method", ["gee", "duj1", "chao"])
def test_a_sample_is_extrapolated_to_its_population(method):
    """The population is the one given, else the one noted, else rows / rate."""
    profile = sample().profile()
    for stored, rows, population in (
        (sample(), None, 600),
        (sample(population=5_000), None, 5_000),
        (sample(population=5_000), 900, 900),
        (sample(population=5_000, kind="block"), None, 600),
        (ProfileSketch().update(np.concatenate([np.arange(40), np.arange(20)])), 700, 700),
    ):
        expected = point(method, profile, population, sample_rows=60)
        assert estimate_stored(stored.to_bytes(), method, rows) == expected
        assert estimate_stored(stored.to_bytes(), None, rows, default=method) == expected


def test_a_sample_without_rows():
    """Of no rows there are no values; of some rows, none of which was drawn, nothing is known."""
    nothing = ProfileSketch(origin=Origin(0.1)).to_bytes()
    assert estimate_stored(nothing).value == 0
    assert estimate_stored(nothing, rows=10).value is None


def test_what_does_not_fit_is_explained():
    """A method without a sample, 'sketch' for a sample, an unknown method, too few rows, and other bytes."""
    full, drawn = ProfileSketch().update(np.arange(9)).to_bytes(), sample().to_bytes()
    with pytest.raises(ProgrammingError, match=r"full scan[\s\S]*rows => "):
        estimate_stored(full, "gee")
    with pytest.raises(ProgrammingError, match="does not extrapolate"):
        estimate_stored(drawn, "sketch")
    with pytest.raises(ProgrammingError, match="did you mean 'gee'"):
        estimate_stored(drawn, "geee")
    with pytest.raises(DataError, match="60 rows, more than the 3"):
        estimate_stored(drawn, rows=3)
    with pytest.raises(DamagedSketch):
        estimate_stored(drawn[:-1])


def test_a_full_scan_has_the_range_of_its_sketch():
    """Of 400 sketches of 64 values each the range holds the 5,000 true ones in 95 %, and none sees more than rows."""
    values, held = np.arange(5_000), 0
    for seed in range(400):
        found = estimate_stored(ProfileSketch(64, seed).update(values).to_bytes())
        held += found.lower <= 5_000 <= found.upper
        assert found.value <= 5_000
    assert abs(held / 400 - 0.95) < 0.05
