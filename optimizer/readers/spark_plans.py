"""Operators of the queries of a Spark application: the last plan of each, with rows, bytes and stage from its metrics.

Adaptive execution changes a plan while it runs; the last change is what ran. An operator's metrics are accumulators,
and a stage tells which of them its tasks have added to: the stage with most of them is where the operator ran. Of
equal ones an exchange belongs to the earlier, which writes; others to the later, since a stage may run before for a
sample of its rows only.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from paretosql.optimizer.readers.source import Source

NUMBER = re.compile(r" \(\d+\)$")  # of a generated stage: `WholeStageCodegen (3)`
ROWS, BYTES = "number of output rows", ("shuffle bytes written", "data size")
PLANS = """
    SELECT app || '/sql' || (body ->> 'executionId') AS job_id, body -> 'sparkPlanInfo' AS plan FROM events, application
    WHERE event IN ('SparkListenerSQLExecutionStart', 'SparkListenerSQLAdaptiveExecutionUpdate')
    QUALIFY row_number() OVER (PARTITION BY body ->> 'executionId' ORDER BY file DESC, line DESC) = 1 ORDER BY job_id
"""
# several stages may add to one accumulator: the last has the total
TOTALS = """
    SELECT id, max(value) AS value, list(stage_id ORDER BY stage_id) AS stages FROM (
        SELECT CAST(each ->> 'ID' AS BIGINT) AS id, stage_id, TRY_CAST(each ->> 'Value' AS BIGINT) AS value FROM (
            SELECT CAST(body -> '$."Stage Info"."Stage ID"' AS INTEGER) AS stage_id,
                unnest(CAST(body -> '$."Stage Info".Accumulables' AS JSON[])) AS each
            FROM events WHERE event = 'SparkListenerStageCompleted'
        )
    ) GROUP BY id
"""
COLUMNS = pa.schema(
    [
        ("job_id", pa.string()),
        ("op_id", pa.int32()),
        ("parent_op_id", pa.int32()),
        ("op_type", pa.string()),
        ("stage_id", pa.int32()),
        ("actual_rows", pa.int64()),
        ("actual_bytes", pa.int64()),
    ]
)


def operators_of(source: Source) -> pa.Table:
    """One row per operator, numbered from the root, parents first."""
    totals = source.arrow(TOTALS)
    added: dict[int, tuple[int | None, list[int]]] = {}
    for number, value, stages in zip(*(column.to_pylist() for column in totals.columns), strict=True):
        added[number] = value, stages
    plans = source.arrow(PLANS)
    rows = [
        {"job_id": job, "op_id": op_id, "parent_op_id": parent, **_facts(node, added)}
        for job, text in zip(plans["job_id"].to_pylist(), plans["plan"].to_pylist(), strict=True)
        for op_id, parent, node in _walk(json.loads(text))
    ]
    return pa.Table.from_pylist(rows, schema=COLUMNS)


def _walk(root: dict[str, Any]) -> Iterator[tuple[int, int | None, dict[str, Any]]]:
    """Every node of a plan with its number and that of its parent, depth first; a plan may be deep."""
    waiting: list[tuple[dict[str, Any], int | None]] = [(root, None)]
    number = 0
    while waiting:
        node, parent = waiting.pop()
        yield number, parent, node
        waiting += [(child, number) for child in reversed(node.get("children", []))]
        number += 1


def _facts(node: dict[str, Any], added: dict[int, tuple[int | None, list[int]]]) -> dict[str, Any]:
    """What the metrics of a node tell: its stage, rows and bytes."""
    metrics = {metric["name"]: metric["accumulatorId"] for metric in node.get("metrics", [])}
    votes = Counter(stage for number in metrics.values() if number in added for stage in added[number][1])
    totals = {name: added[number][0] for name, number in metrics.items() if number in added}
    prefer = -1 if "Exchange" in node["nodeName"] else 1
    return {
        "op_type": NUMBER.sub("", node["nodeName"]).strip(),
        "stage_id": max(votes, key=lambda stage: (votes[stage], prefer * stage)) if votes else None,
        "actual_rows": totals.get(ROWS),
        "actual_bytes": next((totals[name] for name in BYTES if name in totals), None),
    }
