"""Origin: how the rows of a sketch were drawn, and what may be put together."""

from __future__ import annotations

import pytest

from paretosql.errors import DataError, ProgrammingError
from paretosql.sketches.origin import FULL_SCAN, Origin


def test_the_default_is_a_full_scan():
    """Without arguments all rows were read."""
    assert Origin(1.0, "bernoulli", 0, 0) == FULL_SCAN
    assert (str(FULL_SCAN), str(Origin(0.01, "block"))) == ("full scan", "block sample at rate 0.01")


def test_unknown_populations_stay_unknown():
    """A known and an unknown population do not add up to a known one; blocks always add up."""
    known, unknown = Origin(0.5, population=10, blocks=2), Origin(0.5, blocks=1)
    assert known.joined(known) == Origin(0.5, population=20, blocks=4)
    assert known.joined(unknown) == unknown.joined(known) == Origin(0.5, population=0, blocks=3)


def test_sums_that_cannot_be_stored_are_refused():
    """Populations beyond 64 bits raise instead of wrapping around."""
    with pytest.raises(DataError, match="population"):
        Origin(population=2**64 - 1).joined(Origin(population=1))


BAD = [
    ({"rate": 0.0}, DataError, "rate"),
    ({"rate": 1.5}, DataError, "rate"),
    ({"rate": float("nan")}, DataError, "rate"),
    ({"rate": "1 %"}, ProgrammingError, "rate"),
    ({"kind": "system"}, DataError, "bernoulli, reservoir, block"),
    ({"population": -1}, DataError, "population"),
    ({"population": 1.5}, ProgrammingError, "population"),
    ({"blocks": 2**32}, DataError, "blocks"),
]


@pytest.mark.parametrize(("fields", "error", "words"), BAD)
def test_impossible_origins_are_refused(fields, error, words):
    """Every field is checked, and the message names it."""
    with pytest.raises(error, match=words):
        Origin(**fields)
