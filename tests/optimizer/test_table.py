"""Summaries over seeds: figures of rows, plain values for JSON, and Markdown."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from paretosql.optimizer.experiment import Summary
from paretosql.optimizer.table import COLUMNS, Span, markdown, percent, spread

NAN = float("nan")
BASE = Summary(
    policy="fuxi", stages=10, instances=100, coverage=1.0, latency_s=100.0, median_latency_s=9.0, cost=50.0,
    job_latency_s=80.0, makespan_s=60.0, latency_saving=0.0, cost_saving=0.0, stage_saving=0.0, stage_cost_saving=0.0,
    waited=0, decide_mean_s=0.001, decide_p95_s=0.002, decide_max_s=0.003, wmape=NAN, gap=NAN,
)  # fmt: skip
OURS = replace(BASE, policy="pareto", latency_saving=0.4, cost_saving=0.2, waited=3, wmape=0.1, gap=0.05)


def two_seeds() -> dict[str, list[Summary]]:
    """Our policy saved 40% and 20% of latency, in 10 and in 30 stages."""
    other = replace(
        OURS, latency_saving=0.2, cost_saving=-0.1, coverage=0.5, stages=30, waited=4, wmape=0.3, gap=NAN,
        decide_mean_s=0.005, decide_p95_s=0.009, decide_max_s=0.002,
    )  # fmt: skip
    return {"B/0": [BASE, OURS], "B/1": [BASE, other], "A/0": [BASE]}


def test_spread_over_seeds():
    """Savings have mean, least and largest over seeds; coverage counts stages; the slowest decision stands."""
    rows = {(row.workload, row.policy): row for row in spread(two_seeds())}
    ours = rows["B", "pareto"]
    assert (ours.seeds, ours.stages, ours.waited) == (2, 40, 3.5)
    assert ours.latency_saving.mean == pytest.approx(0.3)
    assert (ours.latency_saving.low, ours.latency_saving.high) == (0.2, 0.4)
    assert (ours.cost_saving.low, ours.cost_saving.high) == (-0.1, 0.2)
    assert ours.coverage == pytest.approx((10 * 1.0 + 30 * 0.5) / 40)
    assert ours.decide_mean_s == pytest.approx((10 * 0.001 + 30 * 0.005) / 40)
    assert (ours.decide_p95_s, ours.decide_max_s) == (0.009, 0.003)
    assert ours.wmape == pytest.approx(0.2)
    assert ours.gap == 0.05, "a seed that does not know its gap does not count"


def test_order_of_rows():
    """Workloads and policies come in the order in which they first appear, whatever the order of seeds."""
    found = [(row.workload, row.policy) for row in spread({"B/0": [BASE], "A/0": [BASE], "B/1": [BASE, OURS]})]
    assert found == [("B", "fuxi"), ("B", "pareto"), ("A", "fuxi")]


@pytest.mark.parametrize(("name", "workload"), [("B/0", "B"), ("B", "B"), ("a/b/7", "a/b"), ("", ""), ("/3", "/3")])
def test_workload_of_a_name(name, workload):
    """A seed stands behind the last slash; a name that has no workload before it is kept whole."""
    assert [row.workload for row in spread({name: [BASE]})] == [workload]


def test_plain_rows_are_json():
    """Rows become JSON without NaN, a span becomes three numbers."""
    plain = [json.loads(json.dumps(row.plain(), allow_nan=False)) for row in spread(two_seeds())]
    assert plain[0]["wmape"] is None
    assert (plain[1]["latency_saving_low"], plain[1]["latency_saving_high"]) == (0.2, 0.4)
    assert "latency_saving" not in plain[1]


def test_markdown():
    """A table for each workload under its name, with a cell for every column, and ranges only where seeds differ."""
    text = markdown(spread(two_seeds()))
    assert text.count("### ") == 2
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert "| pareto | 62.5% | 30.0% (20.0 to 40.0) | 5.0% (-10.0 to 20.0) |" in text
    assert "| fuxi | 100.0% | 0.0% | 0.0% |" in text


def test_markdown_of_one_workload_has_no_heading():
    """One workload needs no name above its table, and no rows make no table."""
    assert "###" not in markdown(spread({"B/0": [BASE]}))
    assert markdown([]) == ""


def test_hostile_names_stay_in_their_cell():
    """A name with a bar, a line break or a tag does not break the table."""
    text = markdown(spread({"B/0": [replace(BASE, policy="a|b\n<script>")]}))
    assert "a\\|b \\<script\\>" in text


def test_nothing_known():
    """Where no seed knows a figure there is a dash, not nan."""
    rows = spread({"B/0": [replace(OURS, latency_saving=NAN, job_latency_s=NAN, decide_mean_s=NAN)] * 2})
    assert np.isnan(rows[0].latency_saving.mean)
    assert "nan" not in markdown(rows)
    assert rows[0].plain()["latency_saving_mean"] is None


def test_percent_of_small_losses():
    """What rounds to nothing has no sign."""
    assert [percent(each) for each in (-0.0004, -0.0006, 1.0)] == ["0.0%", "-0.1%", "100.0%"]


def test_a_workload_without_stages():
    """No stages at all divide nothing by zero."""
    row = spread({"B/0": [replace(BASE, stages=0)]})[0]
    assert (row.stages, row.coverage, row.latency_saving) == (0, 1.0, Span(0.0, 0.0, 0.0))
