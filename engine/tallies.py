"""What one call of ours accumulates over the batches of a scan: a tally.

There are three kinds: profiles of values (ndv, ndv_interval, ndv_sketch), stored sketches that are merged (ndv_merge),
and weighted samples (ndv_sum). Each keeps one state per group; without GROUP BY all rows are one group with the id 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.engine.packing import pack, unpack
from paretosql.engine.plan import Call, Sampling
from paretosql.errors import DataError, Spot, compose
from paretosql.sketches import GroupedSketch, ProfileSketch
from paretosql.sketches.weighted import WeightedSketch

Ids = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

STORED_BUDGET = 1 << 24  # our choice: entries over all groups of ndv_sketch, 256 MiB; 256 groups of full precision


class Tally(Protocol):
    """The state of one call."""

    def update(self, groups: Ids | None, columns: Sequence[pa.Array], counts: Counts | None) -> None:
        """Take rows: their groups (None: one group), their inputs, and how many rows each stands for (None: one)."""

    def merge(self, other: Any) -> None:
        """Add the state of another part of the same rows."""

    def to_bytes(self) -> bytes:
        """The state as bytes."""

    def groups(self) -> Ids:
        """The groups seen, ascending, shape (g,)."""

    def regroup(self, fine: Ids, coarse: Ids) -> Any:
        """A new tally in which the group fine[i] is a part of coarse[i]; `fine` ascends and names every group."""


class Profiles(Tally, Protocol):
    """A tally of how often values occur. Every array has one number per group, in the order of `groups`."""

    def profile(self) -> dict[int, float]:
        """The profile so far, over values or (group, value) pairs."""

    def rows(self) -> Counts:
        """Non-NULL rows seen."""

    def distinct(self) -> Numbers:
        """Distinct values seen."""

    def rse(self) -> Numbers:
        """The relative standard errors of those, 0 where exact."""

    def flat_profiles(self) -> tuple[Counts, Counts, Numbers]:
        """The profiles, as `GroupedSketch.flat_profiles` gives them."""

    def sketches(self) -> Iterator[ProfileSketch]:
        """A sketch of each group."""


class OneProfile:
    """One ProfileSketch over all rows."""

    def __init__(self, sketch: ProfileSketch) -> None:
        self._sketch = sketch

    def update(self, groups: Ids | None, columns: Sequence[pa.Array], counts: Counts | None) -> None:
        self._sketch.update(columns[0], counts)

    def merge(self, other: OneProfile) -> None:
        self._sketch.merge(other._sketch)

    def to_bytes(self) -> bytes:
        return self._sketch.to_bytes()

    def groups(self) -> Ids:
        return np.zeros(1, np.uint64)

    def regroup(self, fine: Ids, coarse: Ids) -> OneProfile:
        return self

    def profile(self) -> dict[int, float]:
        return self._sketch.profile()

    def rows(self) -> Counts:
        return np.array([self._sketch.rows], np.int64)

    def distinct(self) -> Numbers:
        return np.array([self._sketch.distinct()])

    def rse(self) -> Numbers:
        return np.array([self._sketch.rse()])

    def flat_profiles(self) -> tuple[Counts, Counts, Numbers]:
        found = self._sketch.profile()
        counts, values = np.array(list(found), np.int64), np.array(list(found.values()), np.float64)
        return np.array([len(found)], np.int64), counts, values

    def sketches(self) -> Iterator[ProfileSketch]:
        yield self._sketch


class GroupedProfiles:
    """One GroupedSketch, all groups in it."""

    def __init__(self, sketch: GroupedSketch) -> None:
        self._sketch = sketch
        self.groups, self.rows, self.rse = sketch.groups, sketch.rows, sketch.rse
        self.distinct, self.flat_profiles, self.sketches = sketch.distinct, sketch.flat_profiles, sketch.sketches
        self.profile, self.to_bytes = sketch.profile_of_all, sketch.to_bytes

    def update(self, groups: Ids | None, columns: Sequence[pa.Array], counts: Counts | None) -> None:
        assert groups is not None
        self._sketch.update(groups, columns[0], counts)

    def merge(self, other: GroupedProfiles) -> None:
        self._sketch.merge(other._sketch)

    def regroup(self, fine: Ids, coarse: Ids) -> GroupedProfiles:
        return GroupedProfiles(self._sketch.regroup(fine, coarse))


class MergedSketches:
    """Stored sketches merged, one per group that has any."""

    def __init__(self, spot: Spot | None = None) -> None:
        self._spot = spot
        self._merged: dict[int, ProfileSketch] = {}

    def update(self, groups: Ids | None, columns: Sequence[pa.Array], counts: Counts | None) -> None:
        ids = [0] * len(columns[0]) if groups is None else groups.tolist()
        for group, stored in zip(ids, columns[0], strict=True):
            if stored.is_valid:
                try:
                    self._add(group, ProfileSketch.from_bytes(stored.as_py()))
                except DataError as fault:
                    problem, _, hint = str(fault).partition("\nHint: ")
                    raise DataError(compose(f"ndv_merge: {problem}", self._spot, hint)) from fault

    def _add(self, group: int, sketch: ProfileSketch) -> None:
        """Merge in a sketch that nobody else uses."""
        known = self._merged.get(group)
        if known is None:
            self._merged[group] = sketch
        elif known.rows == 0 == known.origin.population:  # of no rows, whose population is 0 and not unknown
            self._merged[group] = sketch.merge(known) if known.origin.rate == 1 else _same_origin(sketch, known)
        elif sketch.rows == 0 == sketch.origin.population and sketch.origin.rate < 1:
            _same_origin(known, sketch)
        else:
            known.merge(sketch)

    def merge(self, other: MergedSketches) -> None:
        for group, sketch in other._merged.items():
            self._add(group, sketch.narrowed())

    def to_bytes(self) -> bytes:
        groups = pa.array(self._merged.keys(), pa.uint64())
        stored = pa.array([each.to_bytes() for each in self._merged.values()], pa.large_binary())
        return pack(pa.table({"g": groups, "sketch": stored}))

    @classmethod
    def from_bytes(cls, data: bytes, spot: Spot | None) -> MergedSketches:
        """The tally that `to_bytes` wrote."""
        (table,) = unpack(data)
        tally = cls(spot)
        tally.update(table.column("g").to_numpy(), [table.column("sketch").combine_chunks()], None)
        return tally

    def groups(self) -> Ids:
        return np.sort(np.array(list(self._merged), np.uint64))

    def regroup(self, fine: Ids, coarse: Ids) -> MergedSketches:
        targets = dict(zip(fine.tolist(), coarse.tolist(), strict=True))
        made = MergedSketches(self._spot)
        for group, sketch in self._merged.items():
            made._add(targets[group], sketch.narrowed())
        return made

    def sketches(self) -> Iterator[ProfileSketch]:
        """The merged sketch of each group, in the order of `groups`."""
        for _, sketch in sorted(self._merged.items()):
            yield sketch


def _same_origin(kept: ProfileSketch, empty: ProfileSketch) -> ProfileSketch:
    """`kept`, after a check that the empty sketch could be merged with it."""
    kept.narrowed().merge(empty)
    return kept


class WeightedValues:
    """A weighted sample of each group."""

    def __init__(self, sketch: WeightedSketch) -> None:
        self._sketch = sketch
        self.groups, self.sums, self.to_bytes = sketch.groups, sketch.sums, sketch.to_bytes

    def update(self, groups: Ids | None, columns: Sequence[pa.Array], counts: Counts | None) -> None:
        values, weights = columns
        ids = np.zeros(len(values), np.uint64) if groups is None else groups
        if weights.null_count:
            known = pc.is_valid(weights)
            values, weights, ids = (
                values.filter(known),
                weights.filter(known),
                ids[known.to_numpy(zero_copy_only=False)],
            )
        self._sketch.update(ids, values, weights.to_numpy(zero_copy_only=False))

    def merge(self, other: WeightedValues) -> None:
        self._sketch.merge(other._sketch)

    def regroup(self, fine: Ids, coarse: Ids) -> WeightedValues:
        return WeightedValues(self._sketch.regroup(fine, coarse))


Maker = Callable[[Call, Sampling, bool], Tally]
Reader = Callable[[Call, bool, bytes], Tally]


def _profiles(call: Call, sampling: Sampling, grouped: bool) -> Tally:
    if grouped:
        return GroupedProfiles(GroupedSketch(seed=sampling.seed))
    return OneProfile(ProfileSketch(seed=sampling.seed))


def _stored(call: Call, sampling: Sampling, grouped: bool) -> Tally:
    if grouped:
        return GroupedProfiles(GroupedSketch(call.capacity, sampling.seed, STORED_BUDGET))
    return OneProfile(ProfileSketch(call.capacity, sampling.seed))


def _read_profiles(call: Call, grouped: bool, data: bytes) -> Tally:
    if grouped:
        return GroupedProfiles(GroupedSketch.from_bytes(data))
    return OneProfile(ProfileSketch.from_bytes(data))


_KINDS: dict[str, tuple[Maker, Reader]] = {
    "ndv": (_profiles, _read_profiles),
    "ndv_interval": (_profiles, _read_profiles),
    "ndv_sketch": (_stored, _read_profiles),
    "ndv_merge": (
        lambda call, sampling, grouped: MergedSketches(call.spot),
        lambda call, grouped, data: MergedSketches.from_bytes(data, call.spot),
    ),
    "ndv_sum": (
        lambda call, sampling, grouped: WeightedValues(WeightedSketch(seed=sampling.seed)),
        lambda call, grouped, data: WeightedValues(WeightedSketch.from_bytes(data)),
    ),
}


def new_tally(call: Call, sampling: Sampling, *, grouped: bool) -> Tally:
    """An empty tally for a call."""
    return _KINDS[call.function][0](call, sampling, grouped)


def read_tally(call: Call, data: bytes, *, grouped: bool) -> Tally:
    """The tally that `to_bytes` wrote; DataError when the bytes are damaged."""
    return _KINDS[call.function][1](call, grouped, data)
