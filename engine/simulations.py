"""`trace_simulate`: what policies would have done with the jobs of a trace, as rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from sqlglot import exp

from paretosql.engine.catalog import Catalog
from paretosql.engine.nodes import options_of, spot_of
from paretosql.engine.options import check_known, constant, wrong_option
from paretosql.engine.plan import Simulate
from paretosql.engine.table_functions import put_relation, refuse_value
from paretosql.errors import DataError, Error, compose

SCHEMA = pa.schema(
    [
        ("policy", pa.string()),
        ("seed", pa.int64()),
        ("query", pa.string()),
        ("latency_s", pa.float64()),
        ("cost_usd", pa.float64()),
        ("solve_s", pa.float64()),
        ("stages", pa.int32()),
        ("instances", pa.int64()),
    ]
)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


# the options, and what is made of their values
KINDS: dict[Callable[[Any], Any], str] = {str: "text", int: "a whole number", float: "a number", _flag: "true or false"}
OPTIONS: dict[str, Callable[[Any], Any]] = {
    "policy": str,
    "workload": str,
    "seed": int,
    "jobs": int,
    "machines": int,
    "truth": str,
    "noise": str,
    "latency_weight": float,
    "cpu_exponent": float,
    "memory_pressure": float,
    "slowdown": float,
    "days": int,
    "past": int,
    "explore": float,
    "tune_partitions": _flag,
    "model": str,
}


def replace_simulation(node: exp.Expr, catalog: Catalog) -> Simulate:
    """The step that simulates, after putting its relation in the place of the call.

    Raises:
        ProgrammingError: not in FROM, or an option that does not exist or does not fit.
    """
    refuse_value(node, "trace_simulate", "SELECT * FROM trace_simulate('DIR', policy => 'pareto')", catalog)
    check_known(node, "trace_simulate", OPTIONS, catalog)
    found: dict[str, Any] = {}
    for name, value in options_of(node).items():
        given = constant(node, name, value, catalog, boolean=OPTIONS[name] is _flag)
        try:
            if given is None:
                raise TypeError
            found[name] = OPTIONS[name](given)
        except (TypeError, ValueError) as fault:
            kind = KINDS[OPTIONS[name]]
            raise wrong_option(node, name, catalog, f"{name} is {kind}, not {given!r}", "see docs/sql.md") from fault
    source = constant(node, "the trace", node.this, catalog)
    name = catalog.new_name()
    put_relation(node, "trace_simulate", name, SCHEMA, catalog)
    return Simulate(name, str(source), tuple(found.items()), spot_of(node, catalog.text))


def simulated(step: Simulate, progress: Callable[[str, int, int], None] | None = None) -> pa.Table:
    """One row for each job under each policy.

    Raises:
        DataError, OperationalError, ProgrammingError: what the trace, the model or the options bring.
    """
    try:
        return _rows(step, progress)
    except Error as fault:
        problem, _, hint = str(fault).partition("\nHint: ")
        raise type(fault)(compose(problem, step.spot, hint or None)) from fault


def _rows(step: Simulate, progress: Callable[[str, int, int], None] | None) -> pa.Table:
    from paretosql.optimizer.model_files import load_model
    from paretosql.optimizer.study import REPLAY, Question, run_study
    from paretosql.optimizer.trace import read_trace
    from paretosql.optimizer.units import PRICES

    options = dict(step.options)
    trace = read_trace(step.trace) if step.trace else None
    model = load_model(options.pop("model")) if "model" in options else None
    policies = (options.pop("policy"),) if "policy" in options else ("fuxi", "pareto")
    seed = options.pop("seed", 0)
    if "latency_weight" in options:
        weight = options.pop("latency_weight")
        if not 0.0 <= weight <= 1.0:
            raise DataError(compose(f"latency_weight is {weight}", hint="a number from 0 to 1; cost weighs the rest."))
        options["weights"] = (weight, 1.0 - weight)
    options.setdefault("workload", REPLAY if trace is not None else "B")
    study = run_study(Question(policies, seeds=(seed,), **options), trace, model, progress)
    rows = []
    for policy in policies:
        run = study.runs[policy]
        jobs: dict[str, dict[str, Any]] = {}
        for job in run.workload.jobs:
            latency = run.job_finish_s[job.job_id] - job.submit_s
            jobs[job.job_id] = {"policy": policy, "seed": seed, "query": job.job_id, "latency_s": latency,
                                "cost_usd": 0.0, "solve_s": 0.0, "stages": len(job.stages), "instances": 0}  # fmt: skip
        for stage in run.stages:
            mine = jobs[stage.stage.job_id]
            mine["cost_usd"] += stage.cost(PRICES)
            mine["solve_s"] += stage.decide_s
            mine["instances"] += len(stage.stage)
        rows += list(jobs.values())
    return pa.Table.from_pylist(rows, schema=SCHEMA)
