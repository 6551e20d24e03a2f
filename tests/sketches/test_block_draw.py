"""Drawing blocks: how many, how large, and with which chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.sketches.block_draw import FEWEST, PLENTY, draw

SIZES = st.lists(st.integers(0, 3_000), min_size=1, max_size=200)
RATES = st.floats(0.001, 1)


@given(SIZES, RATES, st.integers(0, 2**63 - 1))
def test_blocks_lie_in_their_groups_and_do_not_overlap(sizes, rate, seed):
    """Every block is a stretch of one group, and no row is drawn twice."""
    drawn = draw(sizes, rate, seed)
    seen: set[tuple[int, int]] = set()
    for group, start, stop in zip(drawn.group.tolist(), drawn.start.tolist(), drawn.stop.tolist(), strict=True):
        assert 0 <= start < stop <= sizes[group]
        rows = {(group, row) for row in range(start, stop)}
        assert not rows & seen
        seen |= rows
    assert drawn.rows == len(seen)
    assert bool(seen) == (sum(sizes) > 0)
    assert drawn.of_rows == sum(sizes)


@given(st.integers(1, 40), st.integers(100, 5_000), st.floats(0.001, 0.5), st.integers(0, 100))
def test_equal_groups_give_the_share_that_was_asked_for(groups, rows, rate, seed):
    """Blocks hold the rate's share of the rows, up to rounding to whole rows per block."""
    drawn = draw([rows] * groups, rate, seed)
    assert abs(drawn.rows - rate * groups * rows) <= len(drawn.group) / 2 + 1


@pytest.mark.parametrize(
    ("groups", "rate", "blocks", "most_groups"),
    [
        (814, 0.01, FEWEST, 0.015),
        (814, 0.02, 24, 0.03),
        (10_000, 0.01, 100, 0.01),
        (50, 0.01, PLENTY, 1),
    ],
)
def test_large_tables_read_little_more_than_their_rate(groups, rate, blocks, most_groups):
    """The number of blocks, and the part of the groups that they touch."""
    drawn = draw([122_880] * groups, rate, 3)
    assert len(drawn.group) == blocks
    assert drawn.groups <= most_groups * groups
    assert drawn.share == pytest.approx(rate, rel=0.01)


def test_the_seed_decides():
    """The same seed gives the same blocks; another seed gives others."""
    first, again, other = (draw([1000] * 500, 0.02, seed) for seed in (7, 7, 8))
    assert first.group.tolist() == again.group.tolist()
    assert first.start.tolist() == again.start.tolist()
    assert first.group.tolist() != other.group.tolist()


def test_rows_are_drawn_alike_from_large_and_small_groups():
    """A row's chance does not depend on the size of its group."""
    sizes = np.array([500] * 300 + [2_000] * 300)
    drawn = [draw(sizes, 0.05, seed) for seed in range(200)]
    small = sum(int((each.stop - each.start)[each.group < 300].sum()) for each in drawn) / (200 * 300 * 500)
    large = sum(int((each.stop - each.start)[each.group >= 300].sum()) for each in drawn) / (200 * 300 * 2_000)
    assert large == pytest.approx(0.05, rel=0.1)
    assert small == pytest.approx(0.05, rel=0.1)


def test_neighbours_are_drawn_as_often_as_strangers():
    """Two blocks fall into one group as often as chance has it; one per group would hide recurrence from estimators."""
    together = [len(each.group) - each.groups for each in (draw([10_000] * 40, 0.01, seed) for seed in range(300))]
    expected = PLENTY - 40 * (1 - (1 - 1 / 40) ** PLENTY)
    assert np.mean(together) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("sizes", "rate"), [([1, -1], 0.5), ([1], 0), ([1], 1.5)])
def test_nonsense_is_refused(sizes, rate):
    """Negative sizes and impossible rates."""
    with pytest.raises(DataError):
        draw(sizes, rate, 0)
