"""Estimates from blocks: right on sorted, clustered and random columns, with a warning where rows would mislead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paretosql.errors import DataError
from paretosql.sketches.block_draw import draw
from paretosql.sketches.block_estimates import CLUSTERED_SAMPLE, TOO_FEW_BLOCKS, Known, estimate_blocks, near_additive
from paretosql.sketches.blocks import Blocks, BlockSample
from paretosql.sketches.estimators import estimate

ROWS = 4_000_000


def block_sample(column, blocks: int, size: int, seed: int) -> Blocks:
    """Blocks of `size` rows, drawn without replacement."""
    chosen = np.sort(np.random.default_rng(seed).choice(len(column) // size, blocks, replace=False))
    rows = (chosen[:, None] * size + np.arange(size)).ravel()
    return BlockSample().update(column[rows], np.repeat(np.arange(blocks), size)).summary()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size, blocks", [(2_000, 30), (2_000, 40), (1_000, 40)])
def test_a_stored_run_is_estimated_from_the_collapse(size, blocks, seed):
    """Value = i div 20 in order: the collapsed duj1 is within a factor of 2, taking the rows for random ones warns."""
    found = block_sample(np.arange(ROWS) // 20, blocks, size, seed)
    share = blocks * size / ROWS
    collapsed = estimate_blocks("duj1", found, share, Known(rows=ROWS))
    assert 0.5 <= collapsed.value / (ROWS // 20) <= 2
    assert CLUSTERED_SAMPLE in collapsed.warnings
    assert TOO_FEW_BLOCKS not in collapsed.warnings
    naive = estimate_blocks("duj1", found, share, Known(rows=ROWS), collapse=False)
    assert CLUSTERED_SAMPLE in naive.warnings
    assert naive.value < 0.05 * (ROWS // 20)


def test_random_rows_are_estimated_as_rows():
    """Without clusters the answer is that of the row profile, and nothing is warned of."""
    column = np.random.default_rng(2).integers(0, 200_000, ROWS)
    found = block_sample(column, 20, 2_000, 0)
    result = estimate_blocks("chao", found, 0.01, Known(rows=ROWS))
    assert result == estimate("chao", found.by_row, ROWS, sample_rows=found.n)
    assert result.value == pytest.approx(200_000, rel=0.1)


def test_values_that_live_for_a_while():
    """Each value lives in a twentieth of the table, as users do: the collapse is closer than the rows."""
    column = np.arange(ROWS) // 200_000 * 20_000 + np.random.default_rng(3).integers(0, 30_000, ROWS)
    truth = len(np.unique(column))
    off = []
    for collapse in (True, False):
        results = [
            estimate_blocks("chao", block_sample(column, 80, 1_000, seed), 0.02, Known(rows=ROWS), collapse=collapse)
            for seed in range(5)
        ]
        assert all(CLUSTERED_SAMPLE in each.warnings for each in results)
        off.append(np.mean([abs(math.log(each.value / truth)) for each in results]))
    assert off[0] < 0.2 < off[1]


def test_changes_add_up_where_groups_do_not_overlap():
    """A sorted column of uneven runs, known not to overlap: the interval holds the truth in most samples."""
    column = np.repeat(np.arange(50_000), np.random.default_rng(4).integers(1, 40, 50_000))
    groups = np.full(len(column) // 5_000, 5_000)
    hits = 0
    for seed in range(40):
        drawn = draw(groups, 0.05, seed)
        rows = np.concatenate([np.arange(g * 5_000 + a, g * 5_000 + b) for g, a, b in _pieces(drawn)])
        own = np.repeat(np.arange(len(drawn.group)), drawn.stop - drawn.start)
        found = estimate_blocks(
            "chao", BlockSample().update(column[rows], own).summary(), drawn.share, Known(len(column), disjoint=True)
        )
        assert found.method == "near_additive"
        assert found.value == pytest.approx(50_000, rel=0.15)
        hits += found.lower <= 50_000 <= found.upper
    assert hits >= 34


def _pieces(drawn):
    return zip(drawn.group.tolist(), drawn.start.tolist(), drawn.stop.tolist(), strict=True)


def test_all_rows_of_a_sorted_column_add_up_exactly():
    """One block that is the whole table has as many values as changes, and one."""
    found = BlockSample().update(np.arange(1000) // 10, np.zeros(1000, int)).summary()
    assert near_additive(found, 1000).value == pytest.approx(100)


def test_few_blocks_warn_only_where_values_cluster():
    """Ten blocks say little of recurrence in a clustered column, and all that rows can say of a random one."""
    clustered = block_sample(np.arange(ROWS) // 20, 10, 2_000, 1)
    random = block_sample(np.random.default_rng(2).integers(0, 200_000, ROWS), 10, 2_000, 1)
    assert TOO_FEW_BLOCKS in estimate_blocks("duj1", clustered, 0.005).warnings
    assert estimate_blocks("duj1", random, 0.005).warnings == ()


def test_bounds_are_kept():
    """Estimate and interval lie within what is known; bounds that meet are the answer."""
    found = block_sample(np.arange(ROWS) // 20, 40, 2_000, 0)
    low = estimate_blocks("duj1", found, 0.02, Known(ROWS, upper=1_000))
    high = estimate_blocks("duj1", found, 0.02, Known(ROWS, lower=300_000))
    assert low.value == low.upper == 1_000
    assert high.value == high.lower == 300_000
    assert estimate_blocks("duj1", found, 0.02, Known(ROWS, 7, 7)).value == 7


def test_no_rows_and_all_rows():
    """Nothing sampled of something is unknown, nothing of nothing is 0, and everything is counted."""
    nothing = BlockSample().summary()
    assert estimate_blocks("chao", nothing, 0.1, Known(rows=10)).value is None
    assert estimate_blocks("chao", nothing, 0.1, Known(rows=0)).value == 0
    everything = BlockSample().update(np.arange(500) // 5, np.arange(500) // 100).summary()
    assert estimate_blocks("chao", everything, 1.0).value == 100


@pytest.mark.parametrize("share", [0, -0.1, 1.1, math.nan])
def test_an_impossible_share_is_refused(share):
    """The share is above 0 and at most 1."""
    with pytest.raises(DataError, match="share"):
        estimate_blocks("chao", BlockSample().summary(), share)


def drifting(rows: int, random: np.random.Generator, pool: int = 12_000) -> np.ndarray:
    """Values that come, stay for a while, and go, as users of a growing service do."""
    return np.arange(rows) // 50 + random.integers(0, pool, rows)


def test_ranges_of_drifting_blocks_hold_the_truth():
    """32 blocks of 2,500 rows out of 800: the range holds the truth in 18 of 20 draws, because leaving out single
    blocks shows how much the answer depends on which blocks were drawn; without that it fails more often.
    """
    values = drifting(2_000_000, np.random.default_rng(3), pool=2_000)
    truth = len(np.unique(values))
    with_blocks = without = 0
    for seed in range(20):
        picked = draw(np.full(800, 2_500), 0.04, seed)
        seen = sample_of(values, picked, 2_500)
        found = estimate_blocks("duj1", seen, picked.share)
        assert CLUSTERED_SAMPLE in found.warnings
        with_blocks += found.lower <= truth <= found.upper
        plain = estimate("duj1", seen.by_block, sum(i * f for i, f in seen.by_block.items()) / picked.share)
        without += plain.lower <= truth <= plain.upper
    assert with_blocks >= 18
    assert without < with_blocks


def sample_of(values, picked, size) -> Blocks:
    """The blocks of a draw, out of groups of one size."""
    sample = BlockSample()
    for number, (group, start, stop) in enumerate(zip(picked.group, picked.start, picked.stop, strict=True)):
        part = values[group * size + start : group * size + stop]
        sample.update(part, np.full(len(part), number))
    return sample.summary()


def test_few_clustered_blocks_leave_everything_open():
    """With fewer than 30 blocks the range reaches from what was seen to no value in two blocks, and holds the truth."""
    values = drifting(2_000_000, np.random.default_rng(3))
    truth = len(np.unique(values))
    for seed in range(20):
        picked = draw(np.full(800, 2_500), 0.01, seed)
        seen = sample_of(values, picked, 2_500)
        found = estimate_blocks("duj1", seen, picked.share)
        assert {CLUSTERED_SAMPLE, TOO_FEW_BLOCKS} <= set(found.warnings)
        assert found.lower == pytest.approx(sum(seen.by_block.values()), rel=0.05)
        assert found.upper >= seen.distinct.sum() / picked.share
        assert found.lower <= truth <= found.upper


@pytest.mark.parametrize("distinct", [100, 1_000, 3_000])
def test_many_blocks_of_few_values_are_exact(distinct):
    """A value in each of a thousand blocks is one value, not a thousand: nothing is left out, nothing is added."""
    values = np.random.default_rng(distinct).integers(0, distinct, 2_000_000)
    seen = BlockSample().update(values, np.arange(2_000_000) // 2_000).summary()
    assert seen.kept == 1
    found = estimate_blocks("auto", seen, 0.5, Known(4_000_000))
    assert found.value == pytest.approx(distinct, rel=0.001)
    assert found.lower <= distinct <= found.upper


def test_a_range_beside_the_bounds_is_none():
    """When sample and bounds contradict each other, the range is that of the bounds, and not their nearer end."""
    found = block_sample(np.random.default_rng(1).permutation(ROWS), 40, 2_000, 0)
    beside = estimate_blocks("duj1", found, 0.02, Known(ROWS, lower=50, upper=100_000))
    assert (beside.lower, beside.value, beside.upper) == (50, 100_000, 100_000)


def test_nulls_may_gather_too():
    """Half of the table is NULL, in stretches: ranges hold the truth in 18 of 20 draws at least."""
    rows = np.arange(1_000_000)
    values, valid = rows // 4, (rows // 100_000) % 2 == 1
    hits = 0
    for seed in range(20):
        picked = draw(np.full(100, 10_000), 0.4, seed)
        sample = BlockSample()
        for number, (group, start, stop) in enumerate(zip(picked.group, picked.start, picked.stop, strict=True)):
            inside = slice(group * 10_000 + start, group * 10_000 + stop)
            part = values[inside][valid[inside]]
            sample.update(part, np.full(len(part), number))
        found = estimate_blocks("duj1", sample.summary(), picked.share, Known(rows=500_000))
        hits += found.lower <= 125_000 <= found.upper
    assert hits >= 18


def test_copies_far_apart_are_noticed_where_they_meet():
    """A column that repeats itself half a table later, in blocks that hold no value twice: values shared by two blocks
    gather in few of them, which random rows would not do.
    """
    column = np.random.default_rng(2).permutation(200_000)
    column = np.concatenate([column, column])
    noticed = hits = 0
    for seed in range(20):
        picked = draw(np.full(200, 2_000), 0.2, seed)
        found = estimate_blocks("duj1", sample_of(column, picked, 2_000), picked.share, Known(rows=400_000))
        noticed += CLUSTERED_SAMPLE in found.warnings
        hits += found.lower <= 200_000 <= found.upper
    assert noticed >= 18
    assert hits >= 18


def test_runs_of_one_length_have_a_range():
    """Blocks that all show the same number of changes differ from the truth by what each has rounded."""
    column = np.arange(100_000) // 10
    seen = block_sample(column, 32, 31, 3)
    found = near_additive(seen, 100_000)
    assert found.lower < 10_000 < found.upper
