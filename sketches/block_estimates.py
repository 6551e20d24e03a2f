"""Distinct counts from a sample of blocks, where rows that lie together may hold the same values.

Estimators take a sample of single rows. In a block sample a value that fills a stretch of rows is seen many times or
not at all; whatever is seen looks frequent, nothing looks rare, and every estimator answers with little more than what
was seen: 1 % of the truth on a sorted column. Three ways out, chosen by what the sample shows:

| the blocks show | what is estimated from | warning |
| --- | --- | --- |
| rows in random order | the rows, as if they had been drawn one by one | |
| values that cluster in blocks | the collapse: a value counts once per block | CLUSTERED_SAMPLE |
| and ranges known not to overlap | the changes of value within blocks, which add up | CLUSTERED_SAMPLE |

Of the collapse the rate is the share of blocks, and the population has n / q (block, value) pairs, where n are those of
the sample. It is right whatever the order of rows, and loses against rows only what a block holds twice. It needs many
blocks: with fewer than 30 (TOO_FEW_BLOCKS) the pairs of blocks from which recurrence is learned are fewer than 435, and
one odd block weighs too much. Random rows need no number of blocks, but fewer than 5 cannot show that they are random.

Source: the collapse and the number 30 are of Chaudhuri, Das, Srivastava, "Effective Use of Block-Level Sampling in
Statistics Estimation" (SIGMOD 2004); the choice between the three is our design.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, compose
from paretosql.sketches.blocks import Blocks
from paretosql.sketches.estimators import Estimate, estimate, point
from paretosql.sketches.quantiles import two_sided

CLUSTERED_SAMPLE: Final = "CLUSTERED_SAMPLE"  # values cluster in blocks, so the sampled rows are no random rows
TOO_FEW_BLOCKS: Final = "TOO_FEW_BLOCKS"  # they do, and there are fewer than 30 blocks; or fewer than 5 at all
UNLIKE_BLOCKS: Final = "UNLIKE_BLOCKS"  # parts of the table that no block is from hold something else
FEW_BLOCKS: Final = 30
UNTESTED: Final = 5  # our choice: with fewer blocks that have rows the test for clusters says nothing
FEW_CHANGES: Final = 30  # our choice: fewer may come from borders that happen to lie between blocks
ROUNDED: Final = 0.5  # what a whole number per block may be off from the mean it stands for
LARGEST_LOG: Final = 50.0


@dataclass(frozen=True)
class Known:
    """What is known of a column apart from the sample, such as from the metadata of its files.

    rows: non-NULL rows, None when unknown. lower, upper: bounds of its distinct values. disjoint: the groups that
    blocks lie in share no value but at their borders.
    unlike: rows of groups that are stored so differently from the sampled ones that their values may be all different.
    drawn, at_most: where `rows` is unknown, how many blocks were drawn, those without such rows included, and the rows
    of the table.
    """

    rows: float | None = None
    lower: float = 0.0
    upper: float = math.inf
    disjoint: bool = False
    unlike: float = 0.0
    drawn: int | None = None
    at_most: float = math.inf

    @property
    def exact(self) -> bool:
        """Whether the bounds meet, so that no sample is needed."""
        return self.rows is not None and self.lower >= self.upper


def estimate_blocks(
    method: str,
    blocks: Blocks,
    share: float,
    known: Known | None = None,
    *,
    collapse: bool = True,
    confidence: float | None = 0.95,
) -> Estimate:
    """Estimate the distinct values of a column from a sample of its blocks; see the head of this module.

    Args:
        method: a name in `estimators`.
        share: the sampled part of the population's rows, above 0, at most 1.
        known: bounds, and the number of rows; without it n / share.
        confidence: of the interval; None does without one, and the bounds of the value take its place.
        collapse: False takes the rows for a random sample whatever they show, and warns.
    Returns:
        An Estimate within the bounds of `known`; `value` is None when no rows were sampled of a population that has
        some. Its interval is that of `estimate`; of a collapse it is widened by what leaving out single blocks would
        change, and with fewer than 30 blocks reaches from the values seen to as many as there would be if no two blocks
        had one in common. Where values add up, it comes from the spread over blocks. Where it misses the bounds, they
        take its place. Bounds that meet are the answer, by the method "metadata".
    Raises:
        ProgrammingError, DataError: as `estimate`; DataError also for a share out of range.
    """
    if not 0 < share <= 1:
        raise DataError(compose(f"the share {share} of a block sample is out of range", hint="it is in (0, 1]."))
    known = known or Known()
    if known.exact:
        return Estimate(known.upper, known.upper, known.upper, known.upper, "metadata")
    rows = blocks.n / share if known.rows is None else max(known.rows, float(blocks.n))
    count = len(blocks.rows)
    if not count and share < 1 and (known.rows or (known.rows is None and known.drawn)):
        unread = known.at_most * (1 - share) if known.rows is None else known.rows
        return Estimate(None, None, known.lower, min(unread, known.upper), method, (TOO_FEW_BLOCKS,))
    untested = UNTESTED > count < blocks.n
    random_rows = share == 1 or not (blocks.clustered or untested)
    warnings: list[str] = []
    if not random_rows:
        warnings = [CLUSTERED_SAMPLE] * blocks.clustered + [TOO_FEW_BLOCKS] * (count < FEW_BLOCKS)
    if random_rows or not collapse:
        found = _using(confidence)(method, blocks.by_row, rows, sample_rows=blocks.n)
    elif known.disjoint and blocks.in_runs and blocks.changes >= FEW_CHANGES:
        found = near_additive(blocks, rows, confidence or 0.95)
    else:
        found = _collapsed(method, blocks, rows, confidence)
    slack = two_sided(confidence or 0.95) * blocks.rse
    found = replace(found, lower=found.lower * max(0.0, 1 - slack), upper=min(found.upper * (1 + slack), rows))
    if known.rows is None and known.drawn and share < 1:
        if count < min(known.drawn, FEW_BLOCKS) and TOO_FEW_BLOCKS not in warnings:
            warnings.append(TOO_FEW_BLOCKS)
        found = _with_unknown_rows(found, blocks, known, confidence or 0.95)
    if known.unlike and share < 1:
        warnings.append(UNLIKE_BLOCKS)
        found = replace(found, upper=found.upper + known.unlike)
    return _within(found, known, tuple(warnings))


def _using(confidence: float | None) -> Callable[..., Estimate]:
    return point if confidence is None else partial(estimate, confidence=confidence)


def _collapsed(method: str, blocks: Blocks, rows: float, confidence: float | None) -> Estimate:
    """The estimate from the collapse, of a population of so many rows that are not NULL.

    Its (block, value) pairs are to those of the sample as its rows are: NULL rows may gather too, so that the share of
    all rows would say something else.
    """
    pairs = math.fsum(i * number for i, number in blocks.by_block.items())
    scale = rows / blocks.n
    found = _using(confidence)(method, blocks.by_block, max(pairs * scale, pairs), sample_rows=pairs)
    if confidence is None:
        return found
    few = len(blocks.rows) < FEW_BLOCKS
    factor = math.inf if few else leave_one_out(blocks, blocks.n / rows, confidence)
    most = pairs * scale * _spread_factor(blocks.distinct, confidence) if few else rows
    low = max(found.lower / factor, min(found.lower, _seen(blocks)))
    return replace(found, lower=low, upper=min(found.upper * factor, max(found.upper, most)))


def _with_unknown_rows(found: Estimate, blocks: Blocks, known: Known, confidence: float) -> Estimate:
    """The range widened by how much the number of rows that are left differs from block to block."""
    assert known.drawn is not None
    drawn = max(known.drawn, len(blocks.rows))
    factor = _spread_factor(np.concatenate([blocks.rows, np.zeros(drawn - len(blocks.rows))]), confidence)
    low, most = min(found.lower, _seen(blocks)), max(found.upper, min(known.at_most, known.upper))
    return replace(found, lower=max(found.lower / factor, low), upper=min(found.upper * factor, most))


def _spread_factor(numbers: npt.NDArray[np.number], confidence: float) -> float:
    """The factor by which the mean of one whole number per block may be off, by Student's t."""
    from scipy.special import stdtrit

    count = len(numbers)
    deviation = math.inf if count < 2 else math.hypot(float(numbers.std(ddof=1)), ROUNDED)
    spread = deviation / math.sqrt(count) / float(numbers.mean())
    return math.exp(min(spread * float(stdtrit(max(1, count - 1), 0.5 + confidence / 2)), LARGEST_LOG))


def _seen(blocks: Blocks) -> float:
    """Distinct values of all blocks."""
    return math.fsum(blocks.by_block.values())


def leave_one_out(blocks: Blocks, share: float, confidence: float) -> float:
    """The factor by which an estimate from a collapse may be off because the blocks are these and no others.

    Whether two blocks share values depends on how near they lie, so what is learned from recurrence varies more than
    independent draws would. The log of `duj1` is estimated without each block in turn (jackknife), and the spread of
    those answers scaled by Student's t. Infinite with fewer than 3 blocks. Taking duj1, which is smooth, is our choice.
    """
    from scipy.special import stdtrit

    count = len(blocks.distinct)
    if count < 3:
        return math.inf
    pairs = float(blocks.distinct.sum()) - blocks.distinct
    d = _seen(blocks) - blocks.alone
    singles = blocks.by_block.get(1, 0.0) - blocks.alone + blocks.shared
    rate = share * (count - 1) / count
    logs = np.log(np.maximum(d, 1.0)) - np.log1p(-(1 - rate) * np.clip(singles / np.maximum(pairs, 1.0), 0.0, 1.0))
    error = math.sqrt((count - 1) / count * float(((logs - logs.mean()) ** 2).sum()))
    return math.exp(min(error * float(stdtrit(count - 1, 0.5 + confidence / 2)), LARGEST_LOG))


def near_additive(blocks: Blocks, rows: float, confidence: float = 0.95) -> Estimate:
    """The distinct values of a column in which equal values lie side by side, from its blocks.

    There are as many values as places where the value changes, and one. A block of s rows shows those among s - 1 of
    the rows - 1 places; so the changes of all blocks are scaled by the places. The interval comes from the spread of
    changes over blocks (Student's t), each of which is rounded to a whole number; its upper end also allows for a
    change at every border of a block, as where runs and row groups end together.

    Source: "mean distinct per block times blocks, corrected for boundary values"; this correction is our choice.
    """
    from scipy.special import stdtrit

    seen = _seen(blocks)
    places = blocks.rows - 1
    scale = max(0.0, rows - 1) / max(1.0, float(places.sum()))
    turns = np.maximum(blocks.distinct - 1, 0.0)
    value = max(seen, 1 + scale * float(turns.sum()))
    rest = turns - places * (turns.sum() / max(1, places.sum()))
    count = len(rest)
    spread = math.sqrt(count / (count - 1) * float(rest @ rest) + count * ROUNDED**2) if count > 1 else math.inf
    margin = float(stdtrit(max(1, count - 1), 0.5 + confidence / 2)) * scale * spread
    most = max(value + margin, rows / max(1, blocks.n) * float(blocks.distinct.sum()))
    return Estimate(value, value, max(min(seen, value), value - margin), min(max(rows, value), most), "near_additive")


def _within(found: Estimate, known: Known, warnings: tuple[str, ...]) -> Estimate:
    """The estimate inside the known bounds, with more warnings.

    A range that lies outside of them is not brought to the nearer bound, as if that were the answer: it has shown
    itself wrong, and the bounds are what is left to say.
    """
    top = known.upper if known.rows is None else min(known.upper, known.rows)
    if not known.lower <= found.upper or not found.lower <= top:
        found = replace(found, lower=known.lower, upper=top)

    def clamp(value: float) -> float:
        return min(max(value, known.lower), top)

    value = None if found.value is None else clamp(found.value)
    lower, upper = clamp(found.lower), clamp(found.upper)
    return replace(found, value=value, lower=lower, upper=upper, warnings=(*warnings, *found.warnings))
