"""What past runs of a recurring stage say about its next one.

The cells of every past run of a signature are points in five dimensions. A Gaussian process through their log
latencies says what another size or another parallelism would take, and falls back on the mean of the signature far
from all of them. For training, a run is predicted from the other jobs only, so that the model meets pasts as good as
those it will be used with.
Source: our choice; history per template is what the published system's predecessor sizes containers by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.past_runs import AXES, SCHEMA, cells_of, places
from paretosql.optimizer.stage import Stage

# Scales on the axes, and variances of log latency. Our choice: half or twice of any of these changes the error on
# left-out scale factors of real TPC-H runs by less than a thirtieth.
EACH_SCALE, SIZE_SCALE, PARALLELISM_SCALE, NEAR_SCALE = 4.0, 3.0, 1.5, 1.0
CONSTANT, WARMTH, EACH, SMOOTH, PARALLEL, NEAR = 9.0, 1.0, 9.0, 1.0, 0.16, 0.04
LEVEL = 6.0  # of log(1 + ms) before any run was seen: 0.4 s, give or take a factor of 20
INSTANCE_NOISE = 0.4  # standard deviation of one instance
RUN_NOISES = (0.08, 0.3, 1.0)  # of a run as a whole: the likeliest for each signature
MIN_JOBS = 3  # a past of fewer jobs is none; our choice
MAX_CELLS = 500  # the last ones of a signature in the order of the trace; the cost is their cube. Our choice
MAX_ERROR = 1.0  # of log latency in the mean: signatures that their own past predicts worse have none; our choice
MARGIN = 1.0  # beyond the least and largest log latency seen, nothing is expected; our choice


@dataclass(frozen=True)
class Past:
    """What is known of a signature: how many jobs had it, as log(1 + x), its median log(1 + ms) with its spread, the
    same per input byte, and what to expect of each instance now, shape (m,) or (). NaN without a past.
    """

    jobs: float = np.nan
    log_ms: float = np.nan
    spread: float = np.nan
    log_ms_per_byte: float = np.nan
    expected_log_ms: Floats | float = np.nan


NO_PAST = Past()


@dataclass(frozen=True)
class Recurrence:
    """The past runs of all trusted signatures, as a table with the columns of `past_runs.SCHEMA`."""

    cells: pa.Table

    @cached_property
    def _runs(self) -> dict[str, _Runs]:
        return {signature: runs for signature, runs, _ in _by_signature(self.cells)}

    def __contains__(self, signature: str) -> bool:
        return signature in self._runs

    def past(self, stage: Stage, warmth: Floats | None = None) -> Past:
        """The past of a stage; `warmth` has shape (m,), else it is the stage's fact `warmth`. Where it is unknown, the
        most frequent one counts.

        O(m log m + cells * places).
        """
        runs = self._runs.get(stage.signature)
        return NO_PAST if runs is None else runs.past(stage, warmth)


NO_RECURRENCE = Recurrence(SCHEMA.empty_table())


@dataclass(frozen=True)
class _Runs:
    """The cells of one signature as arrays; `job` is a number, `weight` what the process gives each of them."""

    job: Ints
    axes: Floats
    log_ms: Floats
    count: Floats
    log_ms_per_byte: Floats
    weight: Floats

    def take(self, at: Ints | npt.NDArray[np.bool_], weight: Floats | None = None) -> _Runs:
        """Some of the cells, with other weights where these are given."""
        return _Runs(
            self.job[at], self.axes[at], self.log_ms[at], self.count[at], self.log_ms_per_byte[at],
            self.weight[at] if weight is None else weight,
        )  # fmt: skip

    def past(self, stage: Stage, warmth: Floats | None) -> Past:
        """What these runs say about a stage."""
        heat = np.full(len(stage), stage.facts.get("warmth", np.nan)) if warmth is None else warmth
        where, at = places(stage, np.where(np.isnan(heat), self.usual_warmth, heat))
        return replace(self.summary, expected_log_ms=self.expected(where)[at])

    def expected(self, where: Floats) -> Floats:
        """The log latency at some places, shape (p, 5), not far outside of what was seen."""
        found = LEVEL + _kernel(where, self.axes) @ self.weight
        return np.clip(found, self.log_ms.min() - MARGIN, self.log_ms.max() + MARGIN)

    @cached_property
    def usual_warmth(self) -> float:
        kinds, at = np.unique(self.axes[:, AXES.index("warmth")], return_inverse=True)
        return float(kinds[np.argmax(np.bincount(at, self.count))])

    @cached_property
    def summary(self) -> Past:
        """The past without an expectation."""
        per_byte = self.log_ms_per_byte[~np.isnan(self.log_ms_per_byte)]
        return Past(
            float(np.log1p(len(np.unique(self.job)))),
            float(np.median(self.log_ms)),
            float(self.log_ms.std()),
            float(np.median(per_byte)) if len(per_byte) else np.nan,
        )


def learn_recurrence(
    stages: Sequence[Stage], warmth: Sequence[Floats], stage: Ints, instance: Ints, log_ms: Floats
) -> tuple[Recurrence, Mapping[int, Past]]:
    """Learn from N instances, and say for every stage what the other jobs alone would have said.

    Args:
        warmth: for every stage the warmth of its instances, shape (m,), NaN unknown.
        stage, instance, log_ms: shape (N,), the position of each instance in `stages` and within its stage, and its
            log(1 + ms).
    Returns:
        The recurrence, and the past of those stages, by position, that have one without their own job.
    Cost: O(N log N + cells ** 3) with at most `MAX_CELLS` of each signature.
    """
    cells, positions = cells_of(stages, warmth, stage, instance, log_ms)
    kept, left_out = [SCHEMA.empty_table()], {}
    for signature, runs, rows in _by_signature(cells):
        if not signature or len(np.unique(runs.job)) < MIN_JOBS:
            continue
        last = np.arange(len(rows))[-MAX_CELLS:]
        inverse = _inverse(runs.take(last))
        known = runs.take(last, inverse @ (runs.log_ms[last] - LEVEL))
        without = {job: _without(known, inverse, job) for job in np.unique(runs.job).tolist()}
        if _error(runs, without) > MAX_ERROR:
            continue
        weight = cells.schema.get_field_index("weight")
        kept.append(cells.take(rows[last]).set_column(weight, SCHEMA.field("weight"), pa.array(known.weight)))
        for position in np.unique(positions[rows]).tolist():
            job = int(runs.job[np.argmax(positions[rows] == position)])
            if len(without[job].job):
                left_out[position] = without[job].past(stages[position], warmth[position])
    return Recurrence(pa.concat_tables(kept)), left_out


def _inverse(runs: _Runs) -> Floats:
    """The inverse covariance of the cells, with the noise under which they are likeliest."""
    kernel = _kernel(runs.axes, runs.axes)
    values = runs.log_ms - LEVEL
    best, found = np.inf, kernel
    for noise in RUN_NOISES:
        covariance = kernel + np.diag(noise**2 + INSTANCE_NOISE**2 / runs.count)
        inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        cost = float(values @ inverse @ values + np.linalg.slogdet(covariance)[1])
        if cost < best:
            best, found = cost, inverse
    return found


def _without(runs: _Runs, inverse: Floats, job: int) -> _Runs:
    """The cells of the other jobs, with the weights they have among themselves.

    In closed form: with the inverse covariance K and the weights a of all, those of the rest R without the cells B of
    the job are a_R - K_RB inverse(K_BB) a_B.
    """
    own = runs.job == job
    if not own.any():
        return runs
    shift = inverse[np.ix_(~own, own)] @ np.linalg.solve(inverse[np.ix_(own, own)], runs.weight[own])
    return runs.take(~own, runs.weight[~own] - shift)


def _error(runs: _Runs, without: Mapping[int, _Runs]) -> float:
    """The mean error of log latency, weighted by latency, where the other jobs predict each job."""
    off = np.full(len(runs.job), np.inf)
    for job, others in without.items():
        own = runs.job == job
        if len(others.job):
            off[own] = np.abs(others.expected(runs.axes[own]) - runs.log_ms[own])
    return float(np.average(off, weights=runs.count * np.exp(runs.log_ms)))


def _kernel(left: Floats, right: Floats) -> Floats:
    """The covariance of log latency between places, shape (p, q).

    The sum of a mean of the signature, one for each warmth, and smooth functions: of the input of each instance, of
    the size of the stage, of parallelism, and of what places near in everything share beyond that.
    """
    size, instances, parallelism, share = (left[:, None, at] - right[None, :, at] for at in range(4))
    same = left[:, None, 4] == right[None, :, 4]
    each = np.exp(-0.5 * ((size - instances + share) / EACH_SCALE) ** 2)
    sizes = np.exp(-0.5 * (size**2 + instances**2) / SIZE_SCALE**2)
    parallel = np.exp(-0.5 * (parallelism / PARALLELISM_SCALE) ** 2)
    near = np.exp(-0.5 * (size**2 + parallelism**2 + share**2) / NEAR_SCALE**2)
    found: Floats = (
        CONSTANT + WARMTH * same + EACH * each + SMOOTH * sizes * np.where(same, 1.0, 0.6)
        + PARALLEL * parallel * np.where(same, 1.0, 0.5) + NEAR * near * same
    )  # fmt: skip
    return found


def _by_signature(cells: pa.Table) -> Iterator[tuple[str, _Runs, Ints]]:
    """Each signature with its cells and their rows, in the order of the table."""
    codes, jobs = (cells[name].combine_chunks().dictionary_encode() for name in ("signature", "job_id"))
    job = jobs.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    axes = np.column_stack([cells[name].to_numpy() for name in AXES]).reshape(len(cells), len(AXES))
    values = [cells[name].to_numpy() for name in ("log_ms", "count", "log_ms_per_byte", "weight")]
    at = codes.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(at, kind="stable")
    found, starts = np.unique(at[order], return_index=True)
    for code, rows in zip(found.tolist(), np.split(order, starts[1:]) if len(order) else [], strict=True):
        log_ms, count, per_byte, weight = (each[rows] for each in values)
        yield codes.dictionary[code].as_py(), _Runs(job[rows], axes[rows], log_ms, count, per_byte, weight), rows
