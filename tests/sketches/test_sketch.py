"""The room as a whole: the protocol, the examples in the documentation, the neighbours."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from paretosql import sketches
from paretosql.sketches import ApacheCPC, ApacheHLL, ApacheTheta, HyperLogLog, ProfileSketch, Sketch

MODULES = ["", *(f".{module.name}" for module in pkgutil.iter_modules(sketches.__path__))]


KINDS = [ProfileSketch, HyperLogLog, ApacheHLL, ApacheCPC, ApacheTheta]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["update", "merge", "distinct", "to_bytes", "from_bytes"])
def test_sketches_follow_the_protocol(kind, method):
    """Each kind has every method of the Sketch protocol, with its parameters and at most optional ones more."""
    ours, asked = (list(inspect.signature(getattr(each, method)).parameters.values()) for each in (kind, Sketch))
    assert [each.name for each in ours[: len(asked)]] == [each.name for each in asked]
    assert all(each.default is not each.empty for each in ours[len(asked) :])


@pytest.mark.parametrize("kind", KINDS)
def test_calls_chain(kind):
    """`update` and `merge` return the sketch itself."""
    sketch = kind()
    assert sketch.update(np.arange(3)).merge(kind().update(np.arange(2, 5))) is sketch
    assert sketch.distinct() == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_printed(name):
    """Every example in a docstring of the room gives what it says."""
    module = importlib.import_module(f"paretosql.sketches{name}")
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
