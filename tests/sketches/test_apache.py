"""The baselines of DataSketches count right, and behave as sketches of ours do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches import ApacheCPC, ApacheHLL, ApacheTheta
from paretosql.sketches.envelope import DamagedSketch

KINDS = [ApacheHLL, ApacheCPC, ApacheTheta]


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_are_near_the_truth(kind):
    """Within 10 % at 20,000 values, about six standard errors; repeats and NULL do not count."""
    values = np.arange(20_000)
    assert kind().update(values).update(values[:500]).distinct() == pytest.approx(20_000, rel=0.1)
    assert kind().update(pa.array([1, None, 1, 2])).distinct() == pytest.approx(2, abs=1e-3)
    assert kind().distinct() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_merging_is_union(kind):
    """Parts that overlap count as one; an update may follow a merge."""
    merged = kind().update(np.arange(300)).merge(kind().update(np.arange(200, 400))).update(np.arange(390, 500))
    assert merged.distinct() == pytest.approx(500, rel=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_read_back(kind):
    """A stored sketch reads back and goes on."""
    sketch = kind(seed=7).update(np.arange(9_000))
    again = kind.from_bytes(sketch.to_bytes())
    assert (again.distinct(), again.seed, again.lg_k) == (pytest.approx(sketch.distinct()), 7, sketch.lg_k)
    assert again.update(np.arange(9_000, 18_000)).distinct() == pytest.approx(18_000, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_raises(kind):
    """Truncated and flipped bytes, and those of another kind."""
    data = kind().update(np.arange(30)).to_bytes()
    for size in range(0, len(data), 7):
        with pytest.raises(DamagedSketch):
            kind.from_bytes(data[:size])
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 16
        with pytest.raises(DamagedSketch):
            kind.from_bytes(bytes(broken))
    for other in KINDS:
        if other is not kind:
            with pytest.raises(DamagedSketch):
                other.from_bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_refused(kind):
    """Other seeds, sizes and kinds."""
    with pytest.raises(DataError, match="seed"):
        kind(seed=1).merge(kind(seed=2))
    with pytest.raises(DataError, match="lg_k 10 and 9"):
        kind(10).merge(kind(9))
    with pytest.raises(ProgrammingError, match="cannot merge"):
        kind().merge("x")
    with pytest.raises(DataError, match="out of range"):
        kind(40)


def test_equal_values_of_other_types_are_equal():
    """Rows are hashed by our hash first, so widths do not matter, as everywhere in the package."""
    sketch = ApacheTheta().update(np.arange(50, dtype=np.int8)).update(np.arange(50, dtype=np.uint64))
    assert sketch.distinct() == 50
