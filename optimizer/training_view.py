"""A trace as rows of features: what a model is trained on and what it predicts.

Blocks of the four channels are kept apart and joined for chosen rows only: a stage has one row however many instances
it has, so a million instances need a few hundred megabytes less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.features import (
    COLUMNS,
    INSTANCE,
    MACHINE,
    PAST_OF_STAGE,
    STAGE,
    container_features,
    instance_features,
    levels,
    past_features,
    stage_features,
)
from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.recurrence import NO_PAST, Past
from paretosql.optimizer.traced import Traced, traced
from paretosql.optimizer.units import MIB_PER_GIB
from paretosql.optimizer.workload import Trace

# the latest state of each machine at or before the start of each instance
STATES = """
    SELECT m.cpu_cores AS cores, m.mem_mb AS mem_mb, m.cpu_mhz AS clock_mhz, s.cpu_util, s.mem_util, s.io_util,
        s.net_util, s.running_instances AS running, m.hw_type
    FROM keys AS k
    LEFT JOIN machines AS m ON m.machine_id = k.machine_id
    ASOF LEFT JOIN states AS s ON s.machine_id = k.machine_id AND s.ts_ms <= k.start_ms
    ORDER BY k.position
"""

EXPECTED = [INSTANCE.index(name) for name in ("expected_log_ms", "expected_slope")]
PAST_COLUMNS = [STAGE.index(name) for name in PAST_OF_STAGE]


@dataclass(frozen=True)
class TrainingView:
    """N instances in the order of the trace.

    Attributes:
        traced: their stages and keys.
        stage_block, instance_block, container_block, machine_block: shapes (stages, ..), (N, ..), (N, 2), (N, ..).
    """

    traced: Traced
    stage_block: Floats
    instance_block: Floats
    container_block: Floats
    machine_block: Floats

    def __len__(self) -> int:
        return len(self.traced)

    def rows(self, at: Ints) -> Floats:
        """Whole rows of features, shape (len(at), len(COLUMNS))."""
        parts = (self.stage_block[self.traced.stage[at]], *self.blocks(at)[1:])
        return np.concatenate(parts, axis=1).reshape(len(at), len(COLUMNS))

    def blocks(self, at: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """The four channels of some instances, each stage once."""
        stages = np.unique(self.traced.stage[at])
        return self.stage_block[stages], self.instance_block[at], self.container_block[at], self.machine_block[at]


@dataclass(frozen=True)
class MachineColumns:
    """What is known of the machine of every instance when it starts: shape (N, len(MACHINE)) without the code of its
    type, which stands in `hw_type`.
    """

    numbers: Floats
    hw_type: pa.DictionaryArray

    def coded(self, hw_codes: Mapping[str, float]) -> Floats:
        """The machine channel."""
        table = np.array([*(hw_codes.get(each, np.nan) for each in self.hw_type.dictionary.to_pylist()), np.nan])
        at = self.hw_type.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)
        found = self.numbers.copy()
        found[:, MACHINE.index("hw_type")] = table[at]
        return found


def machine_columns(trace: Trace, rows: Traced) -> MachineColumns:
    """Join instances with their machines and the latest states at or before their start. O(N log N)."""
    position = pa.array(np.arange(len(rows)))
    with duckdb.connect() as con:
        con.register("keys", rows.keys.select(["machine_id", "start_ms"]).append_column("position", position))
        con.register("machines", trace["machines"])
        con.register("states", trace["machine_states"])
        found = con.sql(STATES).to_arrow_table()
    numbers = {
        name: found[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in found.column_names
        if name != "hw_type"
    }
    numbers["memory_gib"] = numbers.pop("mem_mb") / MIB_PER_GIB
    numbers["hw_type"] = np.full(len(rows), np.nan)
    for name in ("cpu_util", "mem_util", "io_util", "net_util"):
        numbers[name] = levels(numbers[name])
    columns = np.column_stack([numbers[name.removeprefix("machine_")] for name in MACHINE])
    return MachineColumns(
        columns.reshape(len(rows), len(MACHINE)), found["hw_type"].combine_chunks().dictionary_encode()
    )


@dataclass(frozen=True)
class Blocks:
    """The channels of stages and instances without their past: shape (stages, ..), and all instances of all stages,
    also those that are not in the trace; those of stage i begin at `first[i]`.
    """

    stage: Floats
    instance: Floats
    first: Ints


def blocks_of(rows: Traced) -> Blocks:
    """What is known of stages and instances from plan and data. About half a millisecond per stage."""
    stage = [stage_features(each) for each in rows.stages]
    instance = [instance_features(each, warmth) for each, warmth in zip(rows.stages, rows.warmth, strict=True)]
    return Blocks(
        np.concatenate([*stage, np.empty((0, len(STAGE)))]),
        np.concatenate([*instance, np.empty((0, len(INSTANCE)))]),
        np.cumsum([0, *(len(each) for each in rows.stages)]),
    )


def view_of(
    rows: Traced,
    blocks: Blocks,
    machines: MachineColumns,
    encoding: Encoding,
    left_out: Mapping[int, Past] | None = None,
) -> TrainingView:
    """The features of instances, with their past.

    Args:
        left_out: for training, the past of every stage without its own job; a stage that is not in it has none.
    """
    stage_block, expected = blocks.stage.copy(), np.full((len(blocks.instance), 2), np.nan)
    for at, (stage, warmth) in enumerate(zip(rows.stages, rows.warmth, strict=True)):
        past = encoding.recurrence.past(stage, warmth) if left_out is None else left_out.get(at, NO_PAST)
        stage_block[at, PAST_COLUMNS] = past_features(past)
        mine = slice(blocks.first[at], blocks.first[at + 1])
        expected[mine, 0], expected[mine, 1] = past.expected_log_ms, past.slope
    flat = blocks.first[rows.stage] + rows.instance
    instance_block = blocks.instance[flat]
    instance_block[:, EXPECTED] = expected[flat]
    containers = container_features(rows.containers)
    return TrainingView(rows, stage_block, instance_block, containers, machines.coded(encoding.hw_codes))


def training_view(trace: Trace, encoding: Encoding | None = None) -> TrainingView:
    """All instances of a trace as features, with the past that an encoding knows."""
    rows = traced(trace)
    return view_of(rows, blocks_of(rows), machine_columns(trace, rows), encoding or Encoding())
