"""Racks: merging on the way changes neither the result nor what is known about it."""

from __future__ import annotations

import numpy as np
import pytest

from paretosql.errors import ProgrammingError
from paretosql.sketches import collect
from paretosql.sketches.channel import Local
from paretosql.sketches.racks import Rack, in_racks
from paretosql.sketches.site import Site
from tests.sketches.misbehaving import Misbehaving


def columns(sites: int) -> list[np.ndarray]:
    random = np.random.default_rng(2)
    return [random.integers(0, 3_000, 700) for _ in range(sites)]


@pytest.mark.parametrize("fanout", [2, 3, 8, 40])
@pytest.mark.parametrize("protocol", ["one_round", "fixed_threshold"])
def test_racks_of_any_size_give_the_same_bytes(fanout, protocol):
    """A tree merges to what a star merges to."""
    flat = collect(columns(17), protocol, capacity=300, rows=2_900)
    racks = in_racks([Site(each) for each in columns(17)], fanout)
    tall = in_racks(racks, 2)
    for sites in (racks, tall):
        found = collect(sites, protocol, capacity=300, rows=2_900)
        assert found.sketch.to_bytes() == flat.sketch.to_bytes()
        assert (found.covered.leaves, found.complete) == (17, True)


def test_the_ledger_sees_through_racks():
    """What moved between a rack and its sites is in the total, and a rack sends less up than it got."""
    flat = collect(columns(16), "one_round")
    found = collect(columns(16), "hierarchical", fanout=4)
    below = [row["bytes"] for row in found.ledger.table().to_pylist() if row["direction"] == "below"]
    assert len(below) == 2 * 4
    assert found.ledger.total == sum(below) + sum(found.ledger.by_site().values())
    assert sum(found.ledger.by_site().values()) < flat.ledger.total < found.ledger.total
    assert found.covered.sites == (0, 1, 2, 3)


def test_racks_of_racks_count_all_their_bytes():
    """Bytes two levels down are counted once."""
    leaves = [Site(each) for each in columns(8)]
    flat, racks, tall = (
        collect(sites, "one_round").ledger for sites in (leaves, in_racks(leaves, 2), in_racks(in_racks(leaves, 2), 2))
    )
    bottom = sum(racks.by_site().values())
    assert racks.total == flat.total + bottom
    assert tall.total == pytest.approx(flat.total + bottom + sum(tall.by_site().values()), abs=50)


def test_a_loss_below_is_told():
    """The result covers the others, is not complete, and the rack stays in it; the next run asks again."""
    lost = Misbehaving(1, "talks_nonsense", from_round=2)
    rack = Rack(Local([Site(np.arange(10)), lost, Site(np.arange(20, 25))]), timeout_s=0.5)
    found = collect([rack, Site(np.arange(3))])
    assert (found.covered.sites, found.covered.leaves, found.covered.lost_below) == ((0, 1), 3, 1)
    assert (found.sketch.distinct(), found.covered.rows, found.missing) == (15, 18, ())
    assert not found.complete
    again = collect([rack], "one_round")
    assert (again.covered.leaves, again.complete) == (3, True)


def test_heavy_values_pass_through_racks():
    """Their counts are exact at the top."""
    values = np.concatenate([np.repeat(np.arange(5), 1_000), np.arange(100, 20_100)])
    at = np.random.default_rng(1).integers(0, 9, len(values))
    found = collect([values[at == each] for each in range(9)], "hierarchical", capacity=500, fanout=3)
    assert sorted(found.sketch.heavy()[1].tolist()) == [1_000] * 5


def test_a_rack_without_rows_is_a_site_without_rows():
    """Nothing below is no error."""
    found = collect([Rack.of([Site(np.arange(0))]), Rack.of([])], capacity=3)
    assert (found.complete, found.covered.rows, found.covered.leaves) == (True, 0, 1)


def test_registers_cannot_be_merged_on_the_way():
    """loo_hll needs each site by itself, and a rack says so; a channel is no tree."""
    found = collect([Rack.of([Site(np.arange(5))])], "loo_hll")
    assert "cannot merge" in found.missing[0].reason
    with pytest.raises(ProgrammingError, match="Rack"):
        collect(Local([Site(np.arange(5))]), "hierarchical")
