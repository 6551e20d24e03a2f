"""The sketch operator over sampled blocks: what it accumulates, and the estimate for each call."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.engine.answers import DistinctCounts, whole_numbers
from paretosql.engine.packing import pack, unpack
from paretosql.engine.plan import BlockShare, Sketch
from paretosql.engine.row_groups import BLOCK
from paretosql.errors import DataError, compose
from paretosql.sketches.block_estimates import TOO_FEW_BLOCKS, UNTESTED, estimate_blocks
from paretosql.sketches.blocks import BlockSample
from paretosql.sketches.estimators import Estimate


class BlockState:
    """One block sample per call, over all rows."""

    def __init__(self, step: Sketch) -> None:
        self._step = step
        self._blocks = step.blocks or BlockShare(1.0, ())
        self.samples = [BlockSample(step.sampling.seed) for _ in step.calls]

    def update(self, batch: pa.RecordBatch, calls: Iterable[int]) -> None:
        blocks: npt.NDArray[np.int32] = batch.column(BLOCK).to_numpy()
        for at in calls:
            self.samples[at].update(batch.column(self._step.calls[at].column), blocks)

    def profile(self, at: int) -> dict[int, float]:
        return dict(self.samples[at].summary().by_row)

    def restart(self, at: int) -> None:
        self.samples[at] = BlockSample(self._step.sampling.seed)

    def merge(self, other: BlockState) -> None:
        for mine, theirs in zip(self.samples, other.samples, strict=True):
            mine.merge(theirs)

    def to_bytes(self) -> bytes:
        return pack(pa.table({"sample": pa.array([each.to_bytes() for each in self.samples], pa.binary())}))

    @classmethod
    def from_bytes(cls, step: Sketch, data: bytes) -> BlockState:
        try:
            (table,) = unpack(data)
            samples = table.column("sample").to_pylist()
        except (ValueError, KeyError) as fault:
            raise DataError(compose("the state of a sketch step is damaged")) from fault
        state = cls(step)
        state.samples = [BlockSample.from_bytes(each) for each in samples]
        return state

    def counts(self, at: int) -> DistinctCounts:
        """What one call answers, with its range."""
        found, error = self._estimate(at, ranged=True)
        middle = math.nan if found.value is None else found.value
        value, low, high, rse = (np.array([each]) for each in (middle, found.lower, found.upper, error))
        return DistinctCounts(value, low, high, rse, [found.method], [found.warnings])

    def _estimate(self, at: int, *, ranged: bool) -> tuple[Estimate, float]:
        """The estimate of one call, and the relative standard error of its sketch."""
        call, blocks = self._step.calls[at], self._blocks
        seen = self.samples[at].summary()
        confidence = call.confidence if ranged else None
        return estimate_blocks(call.method, seen, blocks.share, blocks.known[at], confidence=confidence), seen.rse

    def finish(self, counts: pa.Table | None) -> pa.Table:
        """The relation of the step.

        Raises:
            DataError: rows of fewer than 5 blocks were seen, and nothing says that they are random rows, so that the
                answer of `ndv` would be a guess. Bounds that meet are an answer all the same.
        """
        values = {}
        for at, call in enumerate(self._step.calls):
            values[call.output] = self.counts(at).structs() if call.function == "ndv_interval" else self._count(at)
        return pa.table(values)

    def _count(self, at: int) -> pa.Array:
        (found, _), blocks = self._estimate(at, ranged=False), self.samples[at].blocks
        if TOO_FEW_BLOCKS in found.warnings and 0 < blocks < UNTESTED and found.method != "metadata":
            problem = f"{blocks} blocks with rows are too few for an estimate: values may cluster in them"
            raise DataError(compose(problem, hint="use a larger rate, or sampling => 'bernoulli'."))
        return whole_numbers(np.array([math.nan if found.value is None else found.value]))
