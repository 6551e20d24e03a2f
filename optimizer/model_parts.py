"""Each kind of latency model as plain facts, texts and tables, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.optimizer import library
from paretosql.optimizer.analytic import AnalyticLatency
from paretosql.optimizer.applicability import Ranges
from paretosql.optimizer.boosted import BoostedLatency
from paretosql.optimizer.boosting import Trees
from paretosql.optimizer.encoding import Encoding
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.graph_latency import GraphLatency, Scaling
from paretosql.optimizer.machine_effect import MachineEffect
from paretosql.optimizer.past_runs import SCHEMA
from paretosql.optimizer.recurrence import NO_RECURRENCE, Recurrence
from paretosql.optimizer.residuals import ErrorModel
from paretosql.optimizer.stage_median import StageMedian, StageMedians
from paretosql.registry import Registry

ARRAYS, PAST, NETWORK, SCALING = "arrays.arrow", "past.arrow", "network.arrow", "scaling.arrow"
TREES = {"general": "model.txt", "recurring": "recurring.txt", "memory": "memory.txt"}
EFFECT = ("types", "loads", "usual")
ERRORS = ("centre", "weight", "process", "spread_at", "spread", "kept_at", "kept")
Quality = Mapping[str, float] | None


@dataclass(frozen=True)
class Content:
    """A model taken apart: facts fit into JSON, texts and tables are named by the files they go to."""

    facts: Mapping[str, Any]
    texts: Mapping[str, str]
    tables: Mapping[str, pa.Table]


@dataclass(frozen=True)
class Kind:
    """How one kind of model is taken apart and put together."""

    write: Callable[[Any], Content]
    read: Callable[[Content, Quality], Any]


kinds: Registry[Kind] = Registry("kind of latency model")


def _write_boosted(model: BoostedLatency) -> Content:
    trees = {name: getattr(model, name) for name in TREES if getattr(model, name) is not None}
    facts = {"hw_codes": dict(model.encoding.hw_codes), "base": {name: each.base for name, each in trees.items()}}
    texts = {TREES[name]: each.booster.model_to_string(num_iteration=each.rounds) for name, each in trees.items()}
    effect = {f"effect.{name}": getattr(model.effect, name) for name in EFFECT}
    arrays = _table({**effect, **_ranges(model.ranges), **_errors(model.errors)})
    return Content(facts, texts, {ARRAYS: arrays, PAST: _cells(model.encoding)})


def _read_boosted(content: Content, quality: Quality) -> BoostedLatency:
    lightgbm = library.lightgbm()

    arrays = _arrays(content)
    trees: dict[str, Any] = {
        name: Trees(lightgbm.Booster(model_str=content.texts[TREES[name]]), float(base))
        for name, base in content.facts["base"].items()
    }
    encoding = Encoding(content.facts["hw_codes"], Recurrence(content.tables[PAST]))
    effect = MachineEffect(*(arrays[f"effect.{name}"] for name in EFFECT))
    rest: dict[str, Any] = {"ranges": _read_ranges(arrays), "quality": quality, "errors": _read_errors(arrays)}
    return BoostedLatency(encoding, **trees, effect=effect, **rest).ready()


def _write_graph(model: GraphLatency) -> Content:
    """The model beneath, and the network: a row for each of its tensors."""
    below = _write_boosted(model.below)
    tensors = pa.table(
        {
            "name": pa.array(list(model.weights), pa.string()),
            "shape": pa.array([list(each.shape) for each in model.weights.values()], pa.list_(pa.int32())),
            "values": pa.array([each.ravel() for each in model.weights.values()], pa.list_(pa.float32())),
        }
    )
    scaling: dict[str, Floats | Sequence[float]] = {
        "middle": model.scaling.middle,
        "spread": model.scaling.spread,
        "level": [model.scaling.level],
    }
    more = {NETWORK: tensors, SCALING: _table({**scaling, **_errors(model.errors)})}
    return Content(below.facts, below.texts, {**below.tables, **more})


def _read_graph(content: Content, quality: Quality) -> GraphLatency:
    table = content.tables[NETWORK]
    weights = {
        name: np.array(values, dtype=np.float32).reshape(shape)
        for name, shape, values in zip(*(table[name].to_pylist() for name in ("name", "shape", "values")), strict=True)
    }
    arrays = _arrays(content, SCALING)
    scaling = Scaling(arrays["middle"], arrays["spread"], float(arrays["level"][0]))
    return GraphLatency(_read_boosted(content, None), weights, scaling, quality, _read_errors(arrays)).ready()


def _write_analytic(model: AnalyticLatency) -> Content:
    factors = {"factor.code": list(model.hw_factor), "factor.value": list(model.hw_factor.values())}
    arrays = {"constants": model.constants, **factors, **_ranges(model.ranges), **_errors(model.errors)}
    facts = {"hw_codes": dict(model.encoding.hw_codes)}
    return Content(facts, {}, {ARRAYS: _table(arrays), PAST: _cells(model.encoding)})


def _read_analytic(content: Content, quality: Quality) -> AnalyticLatency:
    arrays = _arrays(content)
    factors = dict(zip(arrays["factor.code"].tolist(), arrays["factor.value"].tolist(), strict=True))
    encoding = Encoding(content.facts["hw_codes"], Recurrence(content.tables[PAST]))
    return AnalyticLatency(encoding, arrays["constants"], factors, _read_ranges(arrays), quality, _read_errors(arrays))


def _write_median(model: StageMedian) -> Content:
    medians = model.encoding.recurrence
    if not isinstance(medians, StageMedians):
        raise TypeError("a stage median without its medians")
    stages = pa.table(
        {
            "job_id": pa.array([job for job, _ in medians.of_stage], pa.string()),
            "stage_id": pa.array([stage for _, stage in medians.of_stage], pa.int32()),
            "log_ms": pa.array(list(medians.of_stage.values()), pa.float64()),
        }
    )
    signatures = pa.table(
        {
            "signature": pa.array(list(medians.of_signature), pa.string()),
            "log_ms": pa.array(list(medians.of_signature.values()), pa.float64()),
        }
    )
    tables = {"stages.arrow": stages, "signatures.arrow": signatures, ARRAYS: _table(_errors(model.errors))}
    return Content({"overall_s": model.overall_s}, {}, tables)


def _read_median(content: Content, quality: Quality) -> StageMedian:
    stages, signatures = content.tables["stages.arrow"], content.tables["signatures.arrow"]
    names = zip(stages["job_id"].to_pylist(), stages["stage_id"].to_pylist(), strict=True)
    medians = StageMedians(
        dict(zip(names, stages["log_ms"].to_pylist(), strict=True)),
        dict(zip(signatures["signature"].to_pylist(), signatures["log_ms"].to_pylist(), strict=True)),
    )
    overall = float(content.facts["overall_s"])
    return StageMedian(Encoding({}, medians), overall, quality, _read_errors(_arrays(content)))


kinds.add("boosted", Kind(_write_boosted, _read_boosted))
kinds.add("graph_transformer", Kind(_write_graph, _read_graph))
kinds.add("analytic", Kind(_write_analytic, _read_analytic))
kinds.add("stage_median", Kind(_write_median, _read_median))


def _cells(encoding: Encoding) -> pa.Table:
    known = encoding.recurrence
    return known.cells if isinstance(known, Recurrence) else NO_RECURRENCE.cells.cast(SCHEMA)


def _ranges(ranges: Ranges) -> dict[str, Floats]:
    return {"range.least": ranges.limits[0], "range.most": ranges.limits[1]}


def _read_ranges(arrays: Mapping[str, Floats]) -> Ranges:
    return Ranges(np.array([arrays["range.least"], arrays["range.most"]]))


def _errors(errors: ErrorModel | None) -> dict[str, Floats | Sequence[float]]:
    return {} if errors is None else {f"error.{name}": getattr(errors, name) for name in ERRORS}


def _read_errors(arrays: Mapping[str, Floats]) -> ErrorModel | None:
    if "error.centre" not in arrays:
        return None
    given: dict[str, Any] = {name: arrays[f"error.{name}"] for name in ERRORS}
    return ErrorModel(**{**given, "process": tuple(given["process"].tolist())})


def _table(arrays: Mapping[str, Floats | Sequence[float]]) -> pa.Table:
    """Arrays of any lengths as one table: a row per name."""
    values = pa.array([np.asarray(each, dtype=np.float64).tolist() for each in arrays.values()], pa.list_(pa.float64()))
    return pa.table({"name": pa.array(list(arrays), pa.string()), "values": values})


def _arrays(content: Content, file: str = ARRAYS) -> dict[str, Floats]:
    table = content.tables[file]
    return {
        name: np.array(values, dtype=np.float64)
        for name, values in zip(table["name"].to_pylist(), table["values"].to_pylist(), strict=True)
    }
