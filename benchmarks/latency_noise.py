"""How far apart instances of the very same run are: what no model of their stage can be better than."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.harness import Row, Setting, benchmark
from benchmarks.latency_models import FOLDER, INNER_SCALES, TPCH
from paretosql.optimizer.trace import read_trace

LEAST = 4  # instances of a stage that are halved
# every instance beside the median of the half that it is not in, of its own stage in its own run
HALVES = """
    WITH halves AS (
        SELECT job_id, stage_id, warmth, latency_ms, hash(instance_id, {seed}) % 2 AS half FROM instances
        WHERE job_id LIKE '%-sf{scale}-%' AND latency_ms IS NOT NULL
        QUALIFY count(*) OVER (PARTITION BY job_id, stage_id, warmth) >= {least}
    ), medians AS (
        SELECT job_id, stage_id, warmth, 1 - half AS half, median(latency_ms) AS guess FROM halves GROUP BY ALL
    )
    SELECT sum(abs(latency_ms - guess)) / sum(latency_ms), median(abs(latency_ms - guess) / latency_ms), count(*)
    FROM halves JOIN medians USING (job_id, stage_id, warmth, half)
"""


@benchmark("noise/halves", unit="relative error", lower_is_better=True, minutes=1.0)
def halves(setting: Setting) -> Iterator[Row]:
    """The noise in `latency/real`, split `scale`: every instance of TPC-H at one scale factor is predicted by the
    median of half of the other instances of its own stage in its own run, alike in warmth. A model that has not seen
    this run knows less. The traces are in the folder that the environment variable PARETOSQL_TRACES names.
    """
    folder = os.environ.get(FOLDER)
    if not folder or not (Path(folder) / TPCH).is_dir():
        yield Row(trace=f"{FOLDER} names no folder with {TPCH}: nothing was measured")
        return
    with duckdb.connect() as con:
        con.register("instances", read_trace(Path(folder) / TPCH)["instances"])
        for scale in INNER_SCALES if setting.name == "full" else INNER_SCALES[:1]:
            query = HALVES.format(seed=setting.seed, scale=scale, least=LEAST)
            wmape, median, count = con.execute(query).fetchall()[0]
            yield Row(trace=TPCH, scale=scale, instances=count, wmape_error=wmape, median_error=median)
