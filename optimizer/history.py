"""History-based sizing: one container for every instance of a recurring stage, from its past runs.

This is what the published system's predecessor does, and what every policy here starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.optimizer.formulation import CORES, MEMORY_GIB
from paretosql.optimizer.stage import Container, Stage

MEMORY_QUANTILE, MEMORY_FACTOR, CORES_QUANTILE = 0.95, 1.2, 0.9  # section 7
TARGET_BYTES = 128 << 20  # input of an instance, section 7
SHORT_MS, LONG_MS = 1_000.0, 60_000.0  # section 7: instances below and above want other numbers of partitions
EXPLORING = "explore"  # method of stages whose containers were drawn at random


@dataclass(frozen=True)
class History:
    """Containers by signature of stage; what is unknown gets `fallback`."""

    containers: Mapping[str, Container] = field(default_factory=dict)
    median_ms: Mapping[str, float] = field(default_factory=dict)
    fallback: Container = field(default_factory=lambda: Container(1.0, 2.0))  # section 7

    def sized(self, stage: Stage) -> Stage:
        """The stage with the container that history gives its instances."""
        return replace(stage, container=self.containers.get(stage.signature, self.fallback))

    def partitions(self, signature: str, in_bytes: float, most: int, before: int | None = None) -> int:
        """How many instances to cut an input into: about 128 MiB each, twice that many or half as many as `before`
        where instances ran longer than a minute or shorter than a second.
        """
        if before is None or signature not in self.median_ms:
            wanted = int(np.ceil(in_bytes / TARGET_BYTES))
        elif self.median_ms[signature] < SHORT_MS:
            wanted = before // 2
        else:
            wanted = before * 2 if self.median_ms[signature] > LONG_MS else before
        return int(np.clip(wanted, 1, most))


def learn_history(
    stages: pa.Table, instances: pa.Table, *, cores: tuple[float, ...] = CORES, memory: tuple[float, ...] = MEMORY_GIB
) -> History:
    """History from the tables of a trace: cores are the 90th percentile of cores kept busy, memory 1.2 times the 95th
    percentile of the peak, both rounded up to sizes that containers have. O(instances log instances).

    Stages whose containers were drawn at random are left out: they say nothing about what users need.
    """
    usual = stages
    if "method" in stages.column_names:
        usual = stages.filter(pc.fill_null(pc.not_equal(stages["method"], EXPLORING), True))
    names = usual.select(["job_id", "stage_id", "signature"])
    ok = instances.filter(pc.equal(instances["status"], "ok"))
    wanted = ["job_id", "stage_id", "latency_ms", "cpu_ms", "peak_mem_bytes"]
    rows = ok.select(wanted).join(names, ["job_id", "stage_id"], join_type="inner").combine_chunks()
    signatures = rows["signature"].to_numpy(zero_copy_only=False)
    latency, cpu, peak = (rows[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in wanted[2:])
    order = np.argsort(signatures, kind="stable")
    found, starts = np.unique(signatures[order], return_index=True)
    containers, medians = {}, {}
    for name, mine in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        busy = cpu[mine] / np.maximum(latency[mine], 1e-6)
        busy, touched = busy[~np.isnan(busy)], peak[mine][~np.isnan(peak[mine])]
        medians[name] = float(np.median(latency[mine]))
        if not len(busy) and not len(touched):
            continue
        wants_cores = float(np.quantile(busy, CORES_QUANTILE)) if len(busy) else 1.0
        wants_gib = float(np.quantile(touched, MEMORY_QUANTILE)) / (1 << 30) if len(touched) else 2.0
        containers[name] = Container(_up(max(wants_cores, 1.0), cores), _up(wants_gib * MEMORY_FACTOR, memory))
    return History(containers, medians)


def _up(wanted: float, sizes: tuple[float, ...]) -> float:
    """The smallest size that is enough, or the largest."""
    return min((each for each in sizes if each >= wanted - 1e-9), default=max(sizes))
