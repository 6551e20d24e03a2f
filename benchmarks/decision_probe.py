"""Decisions of one size in a process of their own: the job is the first argument, figures are printed, both as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace

import numpy as np

from paretosql.optimizer.decide import decide
from paretosql.optimizer.experiment import make_history
from paretosql.optimizer.fleet import mixed_fleet
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.training import train
from paretosql.optimizer.truth import Synthetic


def main() -> int:
    """Train a model, then decide one stage several times on machines whose state changes."""
    job = json.loads(sys.argv[1])
    trace, _ = make_history("B", Synthetic(), days=2, jobs=job["past"])
    model = train(trace)
    rng = np.random.default_rng(0)
    size = job["instances"]
    share = (np.arange(1, size + 1) + 5.0) ** -1.1
    in_bytes = np.rint(rng.permutation(share / share.sum()) * size * 0.2 * (1 << 30)) + 1
    stage = Stage("j", 0, np.ceil(in_bytes / 100), in_bytes, signature="b00/0", template_id="b00")
    fleet = mixed_fleet(job["machines"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, gaps, methods = [], [], set()
    for round_ in range(job["rounds"] + 1):
        used = rng.uniform(0.0, 0.6, len(fleet))
        machines = replace(
            fleet.machines, cpu_util=used, mem_util=used, io_util=rng.random(len(fleet)),
            free_cores=fleet.machines.cores * (1 - used), free_memory_gib=fleet.machines.memory_gib * (1 - used),
        )  # fmt: skip
        began = time.perf_counter()
        found = decide(stage, machines, model, deadline_s=60.0)
        if round_:
            seconds.append(time.perf_counter() - began)
            gaps.append(found.gap)
            methods.add(found.method)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "mean_s": float(np.mean(seconds)),
                "max_s": max(seconds),
                "memory_mib": (after - before) / 1024,
                "process_mib": after / 1024,
                "gap_ratio": float(np.mean(gaps)),
                "method": ", ".join(sorted(methods)),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
