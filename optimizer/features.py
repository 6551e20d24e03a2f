"""What a latency model looks at: numbers in four channels, of the stage, the instance, the container and the machine.

Every feature belongs to one channel and is computed from that channel alone, so that a model can be evaluated on all
combinations of instances, machines and containers without building them. Sizes and counts are log(1 + x). Unknown is
NaN. Nothing here is known only after the run.
Source: arXiv:2207.02026, multi-channel inputs with additional instance meta; the list is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.operator_kinds import KINDS, kind_of
from paretosql.optimizer.recurrence import NO_PAST, Past
from paretosql.optimizer.stage import Stage
from paretosql.optimizer.stage_graph import GRAPH_FACTS

LEVELS = 10  # of a utilisation, section 4.1
PLAIN_FACTS = ("depth", "height", "child_height", "exchange_in", "exchange_out")  # small numbers, taken as they are
PAST_OF_STAGE = ("past_jobs", "past_log_ms", "past_spread", "past_log_ms_per_byte", "past_serial")

STAGE = (
    "instances", "parallelism", "waves", "est_rows", "est_bytes", "in_rows_total", "in_bytes_total", "row_bytes",
    "skew_rows", "skew_bytes", "exchange_in", "exchange_out", "relative_position",
    "sources_per_instance", "parents_per_instance", "instances_per_gb", *GRAPH_FACTS,
    "operators", "operator_depth", "operator_width", *(f"n_{kind}" for kind in KINDS),
    *(f"operator_{size}_{how}" for size in ("rows", "bytes", "cost") for how in ("sum", "most")),
    *PAST_OF_STAGE,
)  # fmt: skip
INSTANCE = (
    "in_rows", "in_bytes", "remote_bytes", "rows_to_mean", "bytes_to_mean", "size_rank",
    "operator_rows", "operator_bytes", "operator_cost", "place", "wave", "waves_left", "warmth", "expected_log_ms",
    "expected_slope",
)  # fmt: skip
CONTAINER = ("container_cores", "container_memory_gib")
MACHINE = (
    "machine_cores", "machine_memory_gib", "clock_mhz", "cpu_util", "mem_util", "io_util", "net_util", "running",
    "hw_type",
)  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "stage": STAGE, "instance": INSTANCE, "container": CONTAINER, "machine": MACHINE,
}  # fmt: skip
COLUMNS = tuple(f"{channel}.{name}" for channel, names in NAMES.items() for name in names)
MORE_IS_SLOWER = ("in_rows", "in_bytes", "rows_to_mean", "bytes_to_mean", "size_rank", "operator_rows",
                  "operator_bytes", "operator_cost")  # fmt: skip
GB = 1e9
LEAST_SHARE = 1e-3  # of the mean input of a stage that is told from none; our choice
STEP = 0.25  # of logarithms of what a stage reads in all; our choice


def column(channel: str, name: str) -> int:
    """The position of a feature in a whole row: the four channels one after the other."""
    return COLUMNS.index(f"{channel}.{name}")


def block(channel: str) -> slice:
    """Where a channel is in a whole row."""
    first = COLUMNS.index(f"{channel}.{NAMES[channel][0]}")
    return slice(first, first + len(NAMES[channel]))


def stage_features(stage: Stage, past: Past = NO_PAST) -> Floats:
    """The stage channel, shape (1, len(NAMES["stage"])): its size, place in the job, operators, and past runs."""
    m = np.float64(len(stage))
    facts = {name: np.float64(stage.facts.get(name, np.nan)) for name in (*GRAPH_FACTS, *PLAIN_FACTS)}
    parallelism, est_rows, est_bytes = (
        np.float64(stage.facts.get(name, np.nan)) for name in ("parallelism", "est_rows", "est_bytes")
    )
    rows, size = m * _mean(stage.in_rows), m * _mean(stage.in_bytes)
    gigabytes = (est_bytes if np.isfinite(est_bytes) else size) / GB
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "instances": np.log1p(m),
            "parallelism": np.log1p(parallelism),
            "waves": np.log1p(m / parallelism),
            "est_rows": np.log1p(est_rows),
            "est_bytes": np.log1p(est_bytes),
            "in_rows_total": _coarse(np.log1p(rows)),
            "in_bytes_total": _coarse(np.log1p(size)),
            "row_bytes": _coarse(np.log1p(size / rows)),
            "skew_rows": _coarse(np.log(_most(stage.in_rows) / _mean(stage.in_rows))),
            "skew_bytes": _coarse(np.log(_most(stage.in_bytes) / _mean(stage.in_bytes))),
            "relative_position": facts["position"] / facts["stages"],
            "sources_per_instance": np.log1p(facts["source_instances"] / m),
            "parents_per_instance": np.log1p(facts["parent_instances"] / m),
            "instances_per_gb": np.log1p(m / gigabytes),
            **{name: value if name in PLAIN_FACTS else np.log1p(value) for name, value in facts.items()},
            **_operators(stage),
            **dict(zip(PAST_OF_STAGE, past_features(past), strict=True)),
        }
    return _finite(np.array([[values[name] for name in STAGE]], dtype=np.float64))


def past_features(past: Past) -> tuple[float, float, float, float, float]:
    """The part of the stage channel that past runs say, in the order of `PAST_OF_STAGE`."""
    return past.jobs, past.log_ms, past.spread, past.log_ms_per_byte, past.serial


def instance_features(stage: Stage, warmth: Floats | None = None, past: Past = NO_PAST) -> Floats:
    """The instance channel, shape (m, len(NAMES["instance"])).

    Args:
        warmth: shape (m,): 0 the executor has run this stage, 1 it is new to the stage, 2 it is new to the job; NaN
            unknown. Left out: the stage's fact `warmth`, else unknown.
    """
    m = len(stage)
    place = np.arange(m, dtype=np.float64)
    parallelism = np.float64(stage.facts.get("parallelism", np.nan))
    heat = np.full(m, float(stage.facts.get("warmth", np.nan))) if warmth is None else np.asarray(warmth, np.float64)
    if heat.shape != (m,):
        raise DataError(f"warmth of {m} instances has the shape {heat.shape}; expected ({m},)")
    expected, slope = (np.broadcast_to(each, (m,)) for each in (past.expected_log_ms, past.slope))
    size = stage.in_bytes if np.isfinite(stage.in_bytes).any() else stage.in_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        share = stage.in_rows / (m * _mean(stage.in_rows))  # of the stage's input, section 4.1: same selectivities
        sums = [_total([getattr(each, name) for each in stage.operators]) for name in ("rows", "bytes", "cost")]
        columns = (
            np.log1p(stage.in_rows),
            np.log1p(stage.in_bytes),
            np.log1p(stage.remote_bytes),
            *(_coarse(np.log(np.maximum(each / _mean(each), LEAST_SHARE))) for each in (stage.in_rows, stage.in_bytes)),
            _rank(size),
            *(np.log1p(share * total) for total in sums),
            place / max(m, 1),
            place / parallelism,
            (m - place) / parallelism,
            heat,
            expected,
            slope,
        )
    return _finite(np.column_stack(columns).astype(np.float64).reshape(m, len(INSTANCE)))


def container_features(containers: npt.ArrayLike) -> Floats:
    """The container channel, shape (k, 2): cores and memory in GiB, as they are.

    Raises:
        DataError: not (k, 2).
    """
    found = np.asarray(containers, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != len(CONTAINER):
        raise DataError(f"containers have the shape {found.shape}; expected (k, 2): cores, memory_gib")
    return found


def machine_features(machines: Machines, hw_codes: Mapping[str, float]) -> Floats:
    """The machine channel, shape (n, len(NAMES["machine"])): size, clock, state, and the number of its hardware type,
    NaN for a type that training has not seen.
    """
    codes = np.array([hw_codes.get(each, np.nan) for each in machines.hw_types], dtype=np.float64)
    columns = [getattr(machines, name) for name in ("cores", "memory_gib", "clock_mhz")]
    states = [levels(getattr(machines, name)) for name in ("cpu_util", "mem_util", "io_util", "net_util")]
    found = np.column_stack([*columns, *states, machines.running, codes]).astype(np.float64)
    return found.reshape(len(machines), len(MACHINE))


def levels(utilisation: Floats) -> Floats:
    """Shares from 0 to 1 as whole numbers from 0 to 9; NaN stays.

    >>> levels(np.array([0.0, 0.19, 1.0, np.nan])).tolist()
    [0.0, 1.0, 9.0, nan]
    """
    return np.clip(np.floor(np.asarray(utilisation, dtype=np.float64) * LEVELS), 0, LEVELS - 1)


def _coarse(log_size: Any) -> Any:
    """Rounded, so that a model cannot recognise a stage by the exact size of its input, which no two runs share."""
    return np.round(log_size / STEP) * STEP


def _operators(stage: Stage) -> dict[str, float]:
    """Counts of kinds, estimates summed and their largest, and the shape of the stage's operator graph."""
    kinds = [kind_of(each.kind) for each in stage.operators]
    depth: list[int] = []
    for each in stage.operators:
        depth.append(1 + max((depth[at] for at in each.inputs if at < len(depth)), default=0))
    values: dict[str, float] = {f"n_{kind}": float(kinds.count(kind)) if kinds else np.nan for kind in KINDS}
    values["operators"] = float(len(kinds)) if kinds else np.nan
    values["operator_depth"] = float(max(depth, default=np.nan))
    values["operator_width"] = float(max((depth.count(level) for level in set(depth)), default=np.nan))
    for name in ("rows", "bytes", "cost"):
        sizes = [getattr(each, name) for each in stage.operators]
        values[f"operator_{name}_sum"] = np.log1p(_total(sizes))
        values[f"operator_{name}_most"] = np.log1p(_most(np.array(sizes, dtype=np.float64)))
    return values


def _total(sizes: list[float]) -> float:
    """The sum of the known sizes, NaN when none is."""
    known = [each for each in sizes if np.isfinite(each)]
    return float(sum(known)) if known else np.nan


def _mean(values: Floats) -> np.float64:
    known = values[~np.isnan(values)]
    return np.float64(known.mean() if len(known) else np.nan)  # of numpy, so that divisions by 0 are no errors


def _most(values: Floats) -> np.float64:
    known = values[~np.isnan(values)]
    return np.float64(known.max() if len(known) else np.nan)


def _rank(sizes: Floats) -> Floats:
    """The share of known sizes that are smaller, NaN for unknown ones."""
    known = np.sort(sizes[~np.isnan(sizes)])
    found = np.searchsorted(known, sizes) / max(len(known), 1)
    return np.where(np.isnan(sizes), np.nan, found)


def _finite(values: Floats) -> Floats:
    """Divisions by nothing are unknown, not infinite."""
    return np.where(np.isfinite(values), values, np.nan)
