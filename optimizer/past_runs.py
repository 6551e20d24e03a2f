"""What ran, in few rows: the median latency of instances of one stage that are alike in size and warmth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.optimizer.frontier import Floats, Ints
from paretosql.optimizer.stage import Stage

# Of a cell: natural logarithms of the stage's input, its instances, its parallelism, of the input of an instance over
# that of the mean one; warmth, `UNKNOWN` where it is; and the logarithm of cores. What is not known otherwise is 0.
AXES = ("size", "instances", "parallelism", "share", "warmth", "cores")
UNKNOWN = -1.0
SHARE_STEP = 0.5  # instances whose inputs differ by less than about this factor, as a logarithm, are a cell; our choice
LEAST_SHARE = 5.0  # logarithm: instances with less than 1/150 of the mean input are alike; our choice
SCHEMA = pa.schema(
    [("signature", pa.string()), ("job_id", pa.string())]
    + [(name, pa.float64()) for name in (*AXES, "log_ms", "count", "log_ms_per_byte", "weight", "serial")]
)


@dataclass(frozen=True)
class Ran:
    """N instances that ran.

    Attributes:
        stages: that they are of, and others.
        warmth: for every stage the warmth of its instances, shape (m,), NaN unknown.
        stage, instance, log_ms: shape (N,), the position of each instance in `stages` and within its stage, and its
            log(1 + ms).
        cores: shape (N,), of its container, NaN unknown; None: all unknown.
    """

    stages: Sequence[Stage]
    warmth: Sequence[Floats]
    stage: Ints
    instance: Ints
    log_ms: Floats
    cores: Floats | None = None


def cells_of(ran: Ran) -> tuple[pa.Table, Ints]:
    """The cells of instances with the columns of `SCHEMA`, weight 0 and serial NaN, in the order of the stages.

    Returns:
        The table, and the position of the stage of every row.
    Cost: O(N log N).
    """
    stages, stage, log_ms = ran.stages, ran.stage, ran.log_ms
    offset = np.cumsum([0, *(len(each) for each in stages)])
    flat = offset[stage] + ran.instance
    heat = np.nan_to_num(np.concatenate([*ran.warmth, np.empty(0)])[flat], nan=UNKNOWN)
    exact = np.concatenate([*(shares(each) for each in stages), np.empty(0)])[flat]
    share = np.round(exact / SHARE_STEP) * SHARE_STEP
    log_cores = np.zeros(len(log_ms)) if ran.cores is None else np.nan_to_num(np.log(ran.cores))
    order = np.lexsort((log_ms, log_cores, share, heat, stage))
    changes = [np.diff(each[order]) != 0 for each in (stage, heat, share, log_cores)]
    starts = np.concatenate(([0], np.flatnonzero(np.any(changes, axis=0)) + 1))[: len(order)]
    count = np.diff([*starts, len(order)])
    low, high = log_ms[order][starts + (count - 1) // 2], log_ms[order][starts + count // 2]
    median = (low + high) / 2
    which = stage[order][starts]
    places = np.array([place(each) for each in stages]).reshape(len(stages), 3)
    mean_bytes = np.array([np.log1p(input_of(each) / max(len(each), 1)) for each in stages])
    columns = {
        "signature": pa.array([stages[at].signature for at in which], pa.string()),
        "job_id": pa.array([stages[at].job_id for at in which], pa.string()),
        **{name: places[which, axis] for axis, name in enumerate(AXES[:3])},
        "share": np.add.reduceat(exact[order], starts) / count if len(order) else exact,
        "warmth": heat[order][starts],
        "cores": log_cores[order][starts],
        "log_ms": median,
        "count": count.astype(np.float64),
        "log_ms_per_byte": median - mean_bytes[which] if len(which) else median,
        "weight": np.zeros(len(which)),
        "serial": np.full(len(which), np.nan),
    }
    return pa.table(columns, schema=SCHEMA), which


def speedup(log_cores: Any, serial: Any) -> Any:
    """The logarithm of how much faster some cores are than one if a share of the work is serial (Amdahl's law)."""
    return -np.log(serial + (1.0 - serial) * np.exp(-log_cores))


def places(stage: Stage, warmth: Floats) -> tuple[Floats, Ints]:
    """Where the instances of a stage are on `AXES`, each with one core: the different places, shape (p, 6), and that of
    each instance.

    Shares are rounded to a tenth of a step, so that a stage of any size has few places.
    """
    fine = SHARE_STEP / 10
    own = np.column_stack([np.round(shares(stage) / fine) * fine, warmth, np.zeros(len(stage))])
    found, at = np.unique(own, axis=0, return_inverse=True)
    return np.column_stack([np.tile(place(stage), (len(found), 1)), found]), at.reshape(-1)


def place(stage: Stage) -> list[float]:
    """Log input, log instances and log parallelism of a stage; 0 where unknown."""
    parallelism = float(stage.facts.get("parallelism", np.nan))
    found: list[float] = np.nan_to_num(np.log1p([input_of(stage), float(len(stage)), parallelism])).tolist()
    return found


def shares(stage: Stage) -> Floats:
    """The log input of every instance over that of the mean one, shape (m,); 0 where unknown."""
    size = stage.in_bytes if np.isfinite(stage.in_bytes).any() else stage.in_rows
    known = size[~np.isnan(size)]
    mean = float(known.mean()) if len(known) else 0.0
    if mean <= 0:
        return np.zeros(len(size))
    with np.errstate(divide="ignore"):
        return np.nan_to_num(np.maximum(np.log(size / mean), -LEAST_SHARE), nan=0.0)


def input_of(stage: Stage) -> float:
    """The input of a stage: its bytes, else the planner's estimate of them, else its rows; NaN when none is known."""
    means = [
        float(known.mean()) if len(known := values[~np.isnan(values)]) else np.nan
        for values in (stage.in_bytes, stage.in_rows)
    ]
    sizes = (means[0] * len(stage), float(stage.facts.get("est_bytes", np.nan)), means[1] * len(stage))
    return next((size for size in sizes if np.isfinite(size)), np.nan)
