"""Summaries of simulations over seeds: one row for each workload and policy, as records, Markdown and plain values.

Simulations are named "WORKLOAD/SEED": those with the same text before the last slash are runs of one workload.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from paretosql.optimizer.experiment import Summary

UNKNOWN: Final = "–"


@dataclass(frozen=True)
class Span:
    """A figure over seeds; NaN where no seed knows it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One policy on one workload over all seeds.

    Attributes:
        stages: of all seeds together.
        coverage: share of these stages that the policy decided itself.
        latency_saving, cost_saving: shares saved against the baseline, of sums over the stages of a seed.
        stage_saving, stage_cost_saving: the same as mean over stages.
        job_latency_s: sum over jobs, waited: instances that found no room at first; both mean over seeds.
        decide_mean_s: mean over stages; decide_p95_s: largest over seeds; decide_max_s: the slowest decision of all.
        wmape, gap: means over the seeds that know them.
    """

    workload: str
    policy: str
    seeds: int
    stages: int
    coverage: float
    latency_saving: Span
    cost_saving: Span
    stage_saving: Span
    stage_cost_saving: Span
    job_latency_s: float
    waited: float
    decide_mean_s: float
    decide_p95_s: float
    decide_max_s: float
    wmape: float
    gap: float

    def plain(self) -> dict[str, float | int | str | None]:
        """Fields by name for JSON: a span becomes three, NaN becomes None."""
        found: dict[str, float | int | str | None] = {}
        for name, value in asdict(self).items():
            parts = {f"{name}_{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
            found |= {key: None if isinstance(each, float) and np.isnan(each) else each for key, each in parts.items()}
        return found


@dataclass(frozen=True)
class Column:
    """A column of a table for readers: its title, what it means in a sentence, and the text of a cell."""

    title: str
    meaning: str
    cell: Callable[[Row], str]


def spread(summaries: Mapping[str, Sequence[Summary]]) -> list[Row]:
    """One row for each workload and policy, in the order in which they first appear.

    Args:
        summaries: by "WORKLOAD/SEED"; a name without a slash is a workload of one seed.
    """
    found: dict[tuple[str, str], list[Summary]] = {}
    for name, group in summaries.items():
        workload = name.rpartition("/")[0] or name
        for each in group:
            found.setdefault((workload, each.policy), []).append(each)
    order = list(dict.fromkeys(workload for workload, _ in found))
    rows = [_row(workload, policy, group) for (workload, policy), group in found.items()]
    return sorted(rows, key=lambda row: order.index(row.workload))


def _row(workload: str, policy: str, group: Sequence[Summary]) -> Row:
    stages = np.array([each.stages for each in group], dtype=np.float64)
    share = stages / stages.sum() if stages.sum() > 0 else np.full(len(group), 1 / len(group))
    return Row(
        workload,
        policy,
        len(group),
        int(stages.sum()),
        float(share @ [each.coverage for each in group]),
        span(each.latency_saving for each in group),
        span(each.cost_saving for each in group),
        span(each.stage_saving for each in group),
        span(each.stage_cost_saving for each in group),
        span(each.job_latency_s for each in group).mean,
        span(each.waited for each in group).mean,
        float(share @ [each.decide_mean_s for each in group]),
        span(each.decide_p95_s for each in group).high,
        span(each.decide_max_s for each in group).high,
        span(each.wmape for each in group).mean,
        span(each.gap for each in group).mean,
    )


def span(values: Iterable[float]) -> Span:
    """Mean, least and largest of the values that are known.

    >>> span([1.0, float("nan"), 3.0])
    Span(mean=2.0, low=1.0, high=3.0)
    """
    known = [float(each) for each in values if np.isfinite(each)]
    if not known:
        return Span(float("nan"), float("nan"), float("nan"))
    return Span(float(np.mean(known)), min(known), max(known))


def percent(share: float) -> str:
    """A share in percent, a dash when unknown.

    >>> percent(0.4567), percent(-0.0001), percent(float("nan"))
    ('45.7%', '0.0%', '–')
    """
    return f"{share * 100 if abs(share) >= 5e-4 else 0.0:.1f}%" if np.isfinite(share) else UNKNOWN


def with_range(what: Span, seeds: int) -> str:
    """A mean, and behind it least and largest where seeds differ.

    >>> with_range(Span(0.25, 0.2, 0.3), 2)
    '25.0% (20.0 to 30.0)'
    """
    if seeds < 2 or not what.low < what.high:
        return percent(what.mean)
    return f"{percent(what.mean)} ({percent(what.low)[:-1]} to {percent(what.high)[:-1]})"


def milliseconds(time_s: float) -> str:
    """Milliseconds, with a decimal place below 10.

    >>> milliseconds(0.00123), milliseconds(1.5)
    ('1.2', '1,500')
    """
    return f"{time_s * 1e3:,.{1 if time_s < 0.01 else 0}f}" if np.isfinite(time_s) else UNKNOWN


COLUMNS: Final = (
    Column("Policy", "what decided machines and containers; the first row is the baseline.", lambda row: row.policy),
    Column(
        "Coverage",
        "share of stages that the policy decided itself; the baseline decided the others for it, after a failure or"
        " past the time limit.",
        lambda row: percent(row.coverage),
    ),
    Column(
        "Latency saved",
        "how much shorter all stages together ran than under the baseline, from release to the end of the last"
        " instance, waiting included; in brackets the least and the largest value over seeds.",
        lambda row: with_range(row.latency_saving, row.seeds),
    ),
    Column(
        "Cost saved",
        "the same of cost: the time of every container times the price of its cores and memory.",
        lambda row: with_range(row.cost_saving, row.seeds),
    ),
    Column(
        "Per stage: latency",
        "the mean over stages of the share of latency saved, in which short stages count as much as long ones.",
        lambda row: with_range(row.stage_saving, row.seeds),
    ),
    Column(
        "Per stage: cost",
        "the mean over stages of the share of cost saved.",
        lambda row: with_range(row.stage_cost_saving, row.seeds),
    ),
    Column(
        "Job latency, s",
        "from submission to the end of a job, summed over the jobs of a seed; mean over seeds.",
        lambda row: (
            f"{row.job_latency_s:,.{0 if row.job_latency_s >= 100 else 2}f}"
            if np.isfinite(row.job_latency_s)
            else UNKNOWN
        ),
    ),
    Column(
        "Waits",
        "instances of a seed for which no machine had room when their stage was released; mean over seeds.",
        lambda row: f"{row.waited:,.1f}".removesuffix(".0"),
    ),
    Column(
        "Decision mean, ms",
        "real time of a decision, mean over stages.",
        lambda row: milliseconds(row.decide_mean_s),
    ),
    Column(
        "p95, ms",
        "time within which 95% of the decisions of a seed ended; the seed where it was longest.",
        lambda row: milliseconds(row.decide_p95_s),
    ),
    Column("max, ms", "the slowest decision of all seeds.", lambda row: milliseconds(row.decide_max_s)),
    Column(
        "WMAPE",
        "error of predictions while deciding: sum of |actual - predicted| over the sum of actual latencies of"
        " instances; a dash for policies that ask no model.",
        lambda row: percent(row.wmape),
    ),
    Column(
        "Gap",
        "how much cheaper a plan of the same latency might be at most, as the model sees it, mean over stages; a dash"
        " for policies that know no bound.",
        lambda row: percent(row.gap),
    ),
)


def markdown(rows: Sequence[Row]) -> str:
    """A table in Markdown for each workload, under a heading when there are several; '' without rows."""
    parts = []
    workloads = list(dict.fromkeys(row.workload for row in rows))
    for workload in workloads:
        own = [row for row in rows if row.workload == workload]
        if len(workloads) > 1:
            parts.append(f"### {_quiet(workload)}\n")
        lines = [[each.title for each in COLUMNS], [":--", *["--:"] * (len(COLUMNS) - 1)]]
        lines += [[_quiet(each.cell(row)) for each in COLUMNS] for row in own]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    return "\n".join(parts)


def _quiet(text: str) -> str:
    """Text that Markdown shows as it is: on one line, with what would end a cell or begin a tag escaped."""
    line = " ".join(text.split())
    for mark in "\\|<>`*[]":
        line = line.replace(mark, f"\\{mark}")
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", line)  # inside of a word it marks nothing
