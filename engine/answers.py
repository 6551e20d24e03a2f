"""Finished tallies as columns: what each of our aggregates answers for its groups.

`FINISHERS` says, by function, the Arrow type of the answer, what stands for a group that no tally knows, and how the
answers of all groups are made. Profiles of samples become estimates in `extrapolated`, for all groups at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from paretosql.engine.plan import DEFAULT_SKETCH, Call, Sampling
from paretosql.engine.tallies import Counts, Ids, Numbers, Profiles
from paretosql.sketches import Origin, ProfileSketch
from paretosql.sketches.by_group import GroupedProfiles, estimate_groups
from paretosql.sketches.estimators import Estimate, estimate, point
from paretosql.sketches.quantiles import two_sided

INTERVAL = pa.struct(
    [
        ("estimate", pa.int64()),
        ("lower", pa.int64()),
        ("upper", pa.int64()),
        ("method", pa.string()),
        ("sketch_rse", pa.float64()),
        ("warnings", pa.list_(pa.string())),
    ]
)

ROUNDING = 1e-9  # relative error of an end that is a whole number


@dataclass(frozen=True)
class DistinctCounts:
    """Distinct counts of groups, each array of shape (g,): `value` is NaN where nothing was sampled."""

    value: Numbers
    lower: Numbers
    upper: Numbers
    rse: Numbers
    methods: list[str]
    warnings: list[tuple[str, ...]]

    def estimates(self) -> pa.Array:
        """The values as whole numbers, NULL where there is none."""
        return whole_numbers(self.value)

    def bounds(self) -> tuple[pa.Array, pa.Array]:
        """The ends of the ranges as whole numbers, rounded away from each other."""
        return whole_numbers(np.floor(self.lower * (1 + ROUNDING))), whole_numbers(np.ceil(self.upper * (1 - ROUNDING)))

    def structs(self) -> pa.Array:
        """The rows of ndv_interval."""
        parts = [
            self.estimates(),
            *self.bounds(),
            pa.array(self.methods, pa.string()),
            pa.array(self.rse),
            pa.array([list(each) for each in self.warnings], pa.list_(pa.string())),
        ]
        return pa.StructArray.from_arrays(parts, fields=list(INTERVAL))


def distinct_counts(call: Call, tally: Profiles, groups: Ids, rows: Counts | None) -> DistinctCounts:
    """What a tally says about these groups, with a range.

    Args:
        groups: ascending, all of the tally's, and more where a sample has missed some.
        rows: true non-NULL rows of each group when the tally has seen a sample of them, None when it has seen all.
    """
    return _scanned(call, tally) if rows is None else _sampled(call, tally, groups, rows)


def _scanned(call: Call, tally: Profiles) -> DistinctCounts:
    """Every row was read: the range is that of the sketch alone, normal with its standard error."""
    value, rse = _scanned_value(tally), tally.rse()
    margin = two_sided(call.confidence) * rse * value
    lower = np.maximum(value - margin, np.minimum(value, 1.0))
    upper = np.minimum(value + margin, np.maximum(value, tally.rows()))
    return DistinctCounts(value, lower, upper, rse, [DEFAULT_SKETCH] * len(value), [()] * len(value))


def _scanned_value(tally: Profiles) -> Numbers:
    """The number of values of each group by its sketch, which may see more than there are rows."""
    return np.minimum(tally.distinct(), tally.rows())


def _sampled(call: Call, tally: Profiles, groups: Ids, rows: Counts) -> DistinctCounts:
    """A sample was read: the value as `extrapolated`, a range around it, widened by the error of the sketch."""
    flat, rse = flattened(tally, groups, rows), np.zeros(len(groups))
    rse[np.searchsorted(groups, tally.groups())] = tally.rse()
    value, found = extrapolated(call, flat), ranges(call, flat)
    slack = two_sided(call.confidence) * rse
    lower = np.array([each.lower for each in found], np.float64) * np.maximum(0.0, 1 - slack)
    upper = np.minimum(np.array([each.upper for each in found], np.float64) * (1 + slack), rows)
    lower, upper = np.fmin(lower, value), np.fmax(upper, value)
    return DistinctCounts(value, lower, upper, rse, [each.method for each in found], [each.warnings for each in found])


def flattened(tally: Profiles, groups: Ids, rows: Counts) -> GroupedProfiles:
    """The profiles of these groups, empty for those that the tally has not met."""
    place = np.searchsorted(groups, tally.groups())
    sizes, counts, values = tally.flat_profiles()
    sampled = np.zeros(len(groups))
    sampled[place] = tally.rows()
    return GroupedProfiles(np.repeat(place, sizes), counts.astype(np.float64), values, sampled, rows.astype(np.float64))


def extrapolated(call: Call, profiles: GroupedProfiles) -> Numbers:
    """The estimate of each group, NaN where nothing was sampled; several groups help each other."""
    if len(profiles.n) != 1:
        return np.minimum(estimate_groups(call.method, profiles), call.domain)
    profile, rows, n = _alone(profiles, 0)
    value = point(call.method, profile, rows, domain=_domain(call), sample_rows=n).value
    return np.array([np.nan if value is None else value])


def ranges(call: Call, profiles: GroupedProfiles) -> list[Estimate]:
    """For each group by itself, the range that its sample is compatible with; about 30 ms each."""
    found = []
    for at in range(len(profiles.n)):
        profile, rows, n = _alone(profiles, at)
        domain, confidence = _domain(call), call.confidence
        found.append(estimate(call.method, profile, rows, domain=domain, confidence=confidence, sample_rows=n))
    return found


def _domain(call: Call) -> float | None:
    return call.domain if math.isfinite(call.domain) else None


def _alone(profiles: GroupedProfiles, at: int) -> tuple[dict[int, float], float, float]:
    """The profile, the rows and the sampled rows of one group; `owner` ascends."""
    first, last = np.searchsorted(profiles.owner, [at, at + 1])
    counts, values = profiles.counts[first:last].astype(np.int64).tolist(), profiles.values[first:last].tolist()
    n = float(profiles.n[at])
    return dict(zip(counts, values, strict=True)), max(float(profiles.rows[at]), n), n


def whole_numbers(values: Numbers) -> pa.Array:
    """BIGINT, NULL for NaN."""
    unknown = np.isnan(values)
    return pa.array(np.rint(np.where(unknown, 0, values)).astype(np.int64), mask=unknown)


# the answers of each function

Finish = Callable[[Call, Any, Sampling, Ids, Counts | None], pa.Array]


@dataclass(frozen=True)
class Finisher:
    """How one function ends.

    kind: the type of its answers. sql: the same as DuckDB writes it.
    profiles: whether its tally is one of `Profiles`.
    missing: the answer for a group without a single row, as SQL.
    finish: the answers of groups; the last argument is their true number of rows when a sample was read.
    """

    kind: pa.DataType
    sql: str
    profiles: bool
    missing: Callable[[Call, Sampling], exp.Expr]
    finish: Finish


def _count(call: Call, tally: Profiles, sampling: Sampling, groups: Ids, rows: Counts | None) -> pa.Array:
    if rows is None:
        return whole_numbers(_scanned_value(tally))
    return whole_numbers(extrapolated(call, flattened(tally, groups, rows)))


def _interval(call: Call, tally: Profiles, sampling: Sampling, groups: Ids, rows: Counts | None) -> pa.Array:
    return distinct_counts(call, tally, groups, rows).structs()


def _sketch(call: Call, tally: Profiles, sampling: Sampling, groups: Ids, rows: Counts | None) -> pa.Array:
    if rows is None:
        return _stored(tally.sketches())
    known = dict(zip(tally.groups().tolist(), tally.sketches(), strict=True))
    empty = ProfileSketch(call.capacity, sampling.seed)
    rate = sampling.rate or 1.0
    drawn = (
        known.get(group, empty).drawn(Origin(rate, population=count))
        for group, count in zip(groups.tolist(), rows.tolist(), strict=True)
    )
    return _stored(drawn)


def _merge(call: Call, tally: Any, sampling: Sampling, groups: Ids, rows: Counts | None) -> pa.Array:
    if not len(tally.groups()) and len(groups):
        return pa.nulls(len(groups), pa.large_binary())
    return _stored(tally.sketches())


def _sum(call: Call, tally: Any, sampling: Sampling, groups: Ids, rows: Counts | None) -> pa.Array:
    if not len(tally.groups()) and len(groups):
        return pa.nulls(len(groups), pa.float64())
    return pa.array(tally.sums())


def _stored(sketches: Iterable[ProfileSketch]) -> pa.Array:
    return pa.array([each.to_bytes() for each in sketches], pa.large_binary())


def _no_interval(call: Call, sampling: Sampling) -> exp.Expr:
    return exact_interval(exp.Literal.number(0), call.method)


def exact_interval(count: exp.Expr, method: str) -> exp.Expr:
    """The STRUCT of ndv_interval around a count that is exact."""
    values = (count, count, count, exp.Literal.string(method), exp.cast(exp.Literal.number(0), exp.DType.DOUBLE))
    warnings = exp.cast(exp.Array(expressions=[]), "VARCHAR[]", dialect="duckdb")
    named = zip(INTERVAL.names, (*values, warnings), strict=True)
    fields = [exp.PropertyEQ(this=exp.to_identifier(name), expression=value.copy()) for name, value in named]
    return exp.Struct(expressions=fields)


def _no_sketch(call: Call, sampling: Sampling) -> exp.Expr:
    text = ProfileSketch(call.capacity, sampling.seed, origin=Origin(sampling.rate or 1.0)).to_bytes().hex()
    return exp.Anonymous(this="unhex", expressions=[exp.Literal.string(text)])


FINISHERS: dict[str, Finisher] = {
    "ndv": Finisher(pa.int64(), "BIGINT", True, lambda call, sampling: exp.Literal.number(0), _count),
    "ndv_interval": Finisher(
        INTERVAL,
        'STRUCT(estimate BIGINT, "lower" BIGINT, "upper" BIGINT, "method" VARCHAR, sketch_rse DOUBLE,'
        " warnings VARCHAR[])",
        True,
        _no_interval,
        _interval,
    ),
    "ndv_sketch": Finisher(pa.large_binary(), "BLOB", True, _no_sketch, _sketch),
    "ndv_merge": Finisher(pa.large_binary(), "BLOB", False, lambda call, sampling: exp.null(), _merge),
    "ndv_sum": Finisher(pa.float64(), "DOUBLE", False, lambda call, sampling: exp.null(), _sum),
}
