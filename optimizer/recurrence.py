"""What past runs of a recurring stage say about its next one.

The cells of every past run of a signature are points in six dimensions. A Gaussian process through their log latencies
says what another size, another parallelism or another number of cores would take, and falls back on the mean of the
signature far from all of them. Log latency is a line over what Amdahl's law gives for cores; where no two runs had
different containers, its slope is one that most stages have. For training, a run is predicted from the other jobs only,
so that the model meets pasts as good as those it will be used with.
Source: our choice; history per template is what the published system's predecessor sizes containers by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.past_runs import AXES, SCHEMA, Ran, cells_of, places, speedup
from paretosql.optimizer.stage import Stage

# Scales on the axes, and variances of log latency. Our choice: half or twice of any of these changes the error on
# left-out scale factors of real TPC-H runs by less than a thirtieth.
EACH_SCALE, SIZE_SCALE, PARALLELISM_SCALE, NEAR_SCALE = 4.0, 3.0, 1.5, 1.0
SLOPE_SCALE = 2.0
CONSTANT, WARMTH, EACH, SMOOTH, PARALLEL, NEAR = 9.0, 1.0, 9.0, 1.0, 0.16, 0.04
USUAL_SLOPE, SLOPE, SLOPE_OF_SIZE = -0.8, 0.04, 0.04  # over `speedup`: mean and variances
STEEPEST = -1.2
SERIALS, USUAL_SERIAL = (0.03, 0.1, 0.2, 0.35), 0.1  # shares of the work: the likeliest for each signature
LEVEL = 6.0  # of log(1 + ms) before any run was seen: 0.4 s, give or take a factor of 20
INSTANCE_NOISE = 0.4  # standard deviation of one instance
RUN_NOISES = (0.08, 0.3, 1.0)  # of a run as a whole: the likeliest for each signature
MIN_JOBS = 3  # a past of fewer jobs is none; our choice
MAX_CELLS = 500  # the last ones of a signature in the order of the trace; the cost is their cube. Our choice
MAX_ERROR = 1.0  # of log latency in the mean: signatures that their own past predicts worse have none; our choice
CORES = AXES.index("cores")
MARGIN = 1.0  # beyond the least and largest log latency seen, nothing is expected; our choice


@dataclass(frozen=True)
class Past:
    """What is known of a signature; NaN without a past.

    Attributes:
        jobs: how many had it, as log(1 + x).
        log_ms, spread, log_ms_per_byte: the median log(1 + ms), its spread, and the same per input byte.
        expected_log_ms, slope: what to expect of each instance now on one core, and by how much that changes with
            `speedup` of cores, shape (m,) or ().
        serial: the share of the work that more cores do not help.
    """

    jobs: float = np.nan
    log_ms: float = np.nan
    spread: float = np.nan
    log_ms_per_byte: float = np.nan
    expected_log_ms: Floats | float = np.nan
    slope: Floats | float = np.nan
    serial: float = np.nan


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
    serial: float

    def take(self, at: Ints | npt.NDArray[np.bool_], weight: Floats | None = None) -> _Runs:
        """Some of the cells, with other weights where these are given."""
        return _Runs(
            self.job[at], self.axes[at], self.log_ms[at], self.count[at], self.log_ms_per_byte[at],
            self.weight[at] if weight is None else weight, self.serial,
        )  # fmt: skip

    @property
    def faster(self) -> Floats:
        """`speedup` of the cores of each cell."""
        return np.asarray(speedup(self.axes[:, CORES], self.serial))

    def past(self, stage: Stage, warmth: Floats | None) -> Past:
        """What these runs say about a stage."""
        heat = np.full(len(stage), stage.facts.get("warmth", np.nan)) if warmth is None else warmth
        where, at = places(stage, np.where(np.isnan(heat), self.usual_warmth, heat))
        level, slope = self.expected(where)
        return replace(self.summary, expected_log_ms=level[at], slope=slope[at], serial=self.serial)

    def expected(self, where: Floats) -> tuple[Floats, Floats]:
        """The log latency of one core at some places, shape (p, 6), not far outside of what was seen; and its slope
        over `speedup`, which is never above 0.
        """
        level = LEVEL + _kernel_of_levels(where, self.axes) @ self.weight
        slope = USUAL_SLOPE + _kernel_of_slopes(where, self.axes) @ (self.faster * self.weight)
        seen = self.log_ms - USUAL_SLOPE * self.faster
        return np.clip(level, seen.min() - MARGIN, seen.max() + MARGIN), np.clip(slope, STEEPEST, 0.0)

    @property
    def beyond_usual(self) -> Floats:
        """How far log latencies are from the mean of the process, shape (cells,)."""
        return self.log_ms - LEVEL - USUAL_SLOPE * self.faster

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


def learn_recurrence(ran: Ran) -> tuple[Recurrence, Mapping[int, Past]]:
    """Learn from instances that ran, and say for every stage what the other jobs alone would have said.

    Returns:
        The recurrence, and the past of those stages, by position, that have one without their own job.
    Cost: O(N log N + cells ** 3) with at most `MAX_CELLS` of each signature.
    """
    cells, positions = cells_of(ran)
    kept, left_out = [SCHEMA.empty_table()], {}
    for signature, given, rows in _by_signature(cells):
        if not signature or len(np.unique(given.job)) < MIN_JOBS:
            continue
        last = np.arange(len(rows))[-MAX_CELLS:]
        serial, inverse = _likeliest(given.take(last))
        runs = replace(given, serial=serial)
        known = runs.take(last, inverse @ runs.take(last).beyond_usual)
        without = {job: _without(known, inverse, job) for job in np.unique(runs.job).tolist()}
        if _error(runs, without) > MAX_ERROR:
            continue
        table = cells.take(rows[last])
        for name, values in (("weight", known.weight), ("serial", np.full(len(last), runs.serial))):
            table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), pa.array(values))
        kept.append(table)
        for position in np.unique(positions[rows]).tolist():
            job = int(runs.job[np.argmax(positions[rows] == position)])
            if len(without[job].job):
                left_out[position] = without[job].past(ran.stages[position], ran.warmth[position])
    return Recurrence(pa.concat_tables(kept)), left_out


def _likeliest(cells: _Runs) -> tuple[float, Floats]:
    """The serial share under which cells are likeliest, and then their inverse covariance."""
    kernels = _kernel_of_levels(cells.axes, cells.axes), _kernel_of_slopes(cells.axes, cells.axes)
    shares = SERIALS if len(np.unique(cells.axes[:, CORES])) > 1 else (USUAL_SERIAL,)
    best = replace(cells, serial=shares[0])
    if len(shares) > 1:
        middle = (RUN_NOISES[len(RUN_NOISES) // 2],)
        tried = [replace(cells, serial=share) for share in shares]
        best = min(tried, key=lambda each: _inverse(each, kernels, middle)[1])
    return best.serial, _inverse(best, kernels, RUN_NOISES)[0]


def _inverse(runs: _Runs, kernels: tuple[Floats, Floats], noises: tuple[float, ...]) -> tuple[Floats, float]:
    """The inverse covariance of the cells, with the noise under which they are likeliest, and how unlikely they are.

    `kernels` are those of levels and of slopes, which are the same for all serial shares.
    """
    faster = runs.faster
    kernel = kernels[0] + np.outer(faster, faster) * kernels[1]
    values = runs.beyond_usual
    best, found = np.inf, kernel
    for noise in noises:
        covariance = kernel + np.diag(noise**2 + INSTANCE_NOISE**2 / runs.count)
        inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        cost = float(values @ inverse @ values + np.linalg.slogdet(covariance)[1])
        if cost < best:
            best, found = cost, inverse
    return found, best


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
            level, slope = others.expected(runs.axes[own])
            off[own] = np.abs(level + slope * runs.faster[own] - runs.log_ms[own])
    return float(np.average(off, weights=runs.count * np.exp(runs.log_ms)))


def _kernel_of_slopes(left: Floats, right: Floats) -> Floats:
    """The covariance of slopes: one for the signature, and one that changes with the input of an instance."""
    size, instances, _, share = (left[:, None, at] - right[None, :, at] for at in range(4))
    found: Floats = SLOPE + SLOPE_OF_SIZE * np.exp(-0.5 * ((size - instances + share) / SLOPE_SCALE) ** 2)
    return found


def _kernel_of_levels(left: Floats, right: Floats) -> Floats:
    """The covariance of log latency on one core between places.

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
    values = [cells[name].to_numpy() for name in ("log_ms", "count", "log_ms_per_byte", "weight", "serial")]
    at = codes.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(at, kind="stable")
    found, starts = np.unique(at[order], return_index=True)
    for code, rows in zip(found.tolist(), np.split(order, starts[1:]) if len(order) else [], strict=True):
        log_ms, count, per_byte, weight, serial = (each[rows] for each in values)
        runs = _Runs(job[rows], axes[rows], log_ms, count, per_byte, weight, float(serial[0]))
        yield codes.dictionary[code].as_py(), runs, rows
