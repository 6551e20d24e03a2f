"""The report of a simulation as one HTML page: what was saved, under which conditions, and one stage in detail.

The page needs no network and no script, follows the reader's light or dark mode, and prints. Everything that comes
from a trace is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from paretosql.optimizer.decide import BASELINE, Decision
from paretosql.optimizer.experiment import ORACLE, Summary
from paretosql.optimizer.frontier_chart import Happened, frontier_chart
from paretosql.optimizer.gantt_chart import MOST, gantt_chart, saving
from paretosql.optimizer.simulate import Run, StageRun
from paretosql.optimizer.svg import OURS, colour, escaped, seconds, shortened, tag
from paretosql.optimizer.table import COLUMNS, Row, Span, percent, spread

Key = tuple[str, int]  # job and stage
NOTHING: Final = 5e-4  # a share below this is written as nothing; our choice
SAME: Final = (
    "The same model decides and judges here: what it predicts is what happens, up to noise. Savings of this kind show"
    " what a perfect model could reach, not what to expect of a real cluster."
)
JUDGES: Final = {  # by name of the truth
    "noise_free": SAME,
    "synthetic": "How long instances really take is told by a formula. The model that decides sees only traces of what"
    " it did, so its errors count. But real machines may behave in ways that the formula does not know.",
    "oracle": "How long instances really take is told by a second model, learned from the same trace and of"
    " another family than the one that decides, so errors of the latter count. But both may be wrong in the same way"
    " where the trace shows little.",
    "replay": "How long instances really take is what was recorded of them, scaled to other machines and containers by"
    " a second model, learned from the same trace and of another family than the one that decides. What a change saves"
    " is as true as that scaling.",
}
SAID: Final = ("truth", "model", "noise")  # names of facts that are read
CAUTIONS: Final = (
    "All policies meet the same jobs, machines, load of others and noise. What is not simulated: containers that"
    " start slowly, fail or are taken away; instances that run again; the network between machines; load that changes"
    " while an instance runs (it keeps the speed of its first moment); and where data lie. The time for decisions is"
    " measured but does not delay a stage. Cost is in resource units, not in money.",
    f"Figures of {ORACLE}, where they are shown, are those of {OURS} with a model that knows the truth: headroom, not a"
    " policy. The best policy of a headline is the one with the largest sum of latency and cost saved. Spread over"
    " seeds is the least and the largest value, not a confidence interval.",
)
STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1f24; --paper: #ffffff; --quiet: #565d66; --line: #d5d9de; --own: #fff1e8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --paper: #15171c; --quiet: #a9b0ba; --line: #3a3f47; --own: #3a2316; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.75rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
.headline { font-size: 1.15rem; border-left: 4px solid #d9480f; padding-left: 0.8rem; margin: 0.5rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82rem; font-variant-numeric: tabular-nums; margin: 0 0 1.25rem; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.3rem; }
th, td { padding: 0.3rem 0.4rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { font-weight: 600; }
th, table.results td, table.ends td { overflow-wrap: normal; }
table.results td, table.ends td { white-space: nowrap; }
table.ends caption { white-space: nowrap; }
th:first-child, table.facts td { text-align: left; }
tbody th { white-space: nowrap; }
table.facts th { white-space: normal; min-width: 8rem; }
td .range { display: block; color: var(--quiet); font-size: 0.9em; white-space: nowrap; }
tr.own { background: var(--own); }
.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; margin-right: 0.45em; }
figure { margin: 1rem 0 1.5rem; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 640px; height: auto; color: var(--ink); }
figure.frontier svg { max-width: 760px; }
figure.gantt svg { max-width: 860px; }
figcaption, .quiet { color: var(--quiet); font-size: 0.9rem; max-width: 48rem; }
dl { max-width: 48rem; } dt { font-weight: 600; } dd { margin: 0 0 0.5rem; }
p { max-width: 48rem; }
@media print {
  :root { color-scheme: light; --ink: #000000; --paper: #ffffff; --quiet: #444444; --line: #bbbbbb; --own: #fff1e8; }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; font-size: 11pt; }
  main { max-width: none; padding: 0; }
  figure, tr, dd, table.ends { break-inside: avoid; } h2, caption, dt { break-after: avoid; }
  .wide, figure { overflow: visible; }
  table { font-size: 0.62rem; } th, td { padding: 0.2rem; }
  figure svg { min-width: 0; max-height: 22cm; }
}
"""


def page(
    title: str,
    facts: Mapping[str, str],
    summaries: Mapping[str, Sequence[Summary]],
    runs: Mapping[str, Run],
    prices: tuple[float, float],
) -> str:
    """The whole page.

    Args:
        facts: what a reader must know to judge the figures, by name: workload, machines, truth, noise, weights, model
            with its held-out error, versions. Words of caution depend on the first word of `truth`, and on whether
            `model` is the oracle.
        summaries: by "WORKLOAD/SEED", as in `table.spread`.
        runs: by policy, of one comparison, for the pictures of one stage; may be empty.
        prices: per core and second, per GiB and second.
    """
    rows = spread(summaries)
    workloads = list(dict.fromkeys(row.workload for row in rows))
    own = {each: [row for row in rows if row.workload == each] for each in workloads}
    parts = [tag("h1", escaped(title))]
    parts += [tag("p", escaped(headline(group)), **{"class": "headline"}) for group in own.values()]
    if not rows:
        parts.append(tag("p", "Nothing was simulated.", **{"class": "headline"}))
    parts += [tag("h2", "Conditions"), _facts(facts, prices)]
    parts.append(tag("h2", "Results"))
    parts += [_table(workload, group) for workload, group in own.items()]
    parts += [tag("h2", "One stage in detail"), _detail(runs, prices)]
    parts += [tag("h2", "What the columns mean"), _meanings()]
    parts += [tag("h2", "What this simulation cannot tell"), *(tag("p", escaped(each)) for each in cautions(facts))]
    head = (
        '<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
        f"<title>{escaped(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{body}\n</main></body></html>\n'


def best(rows: Sequence[Row]) -> Row | None:
    """The policy with the largest sum of both savings, baseline and oracle aside; None when there is no other."""
    others = [row for row in rows if row.policy not in (BASELINE, ORACLE)]
    return max(
        others, key=lambda row: np.nan_to_num(row.latency_saving.mean + row.cost_saving.mean, nan=-np.inf), default=None
    )


def headline(rows: Sequence[Row]) -> str:
    """What the best policy saved on one workload, and ours if that is another; a few sentences."""
    top = best(rows)
    workload = rows[0].workload
    if top is None:
        return f"On {workload}, no policy was compared to {BASELINE}."
    over = f", over {top.seeds} seeds" if top.seeds > 1 else ", on one seed, so that the spread is not known"
    nothing = max(top.latency_saving.mean, top.cost_saving.mean) < NOTHING
    start = f"no policy saved anything: the best of them, {top.policy}," if nothing else top.policy
    words = f"On {workload}, {start} {_changes(top)} compared to {BASELINE}{over}."
    if any(each.low < -NOTHING < NOTHING <= each.mean for each in (top.latency_saving, top.cost_saving)):
        words += " It did not save on every seed."
    if top.coverage < 1 - NOTHING:
        words += f" It decided {percent(top.coverage)} of the stages itself, {BASELINE} the others."
    ours = next((row for row in rows if row.policy == OURS), None)
    return words if ours is None or ours is top else f"{words} Ours, {OURS}, {_changes(ours)}."


def _changes(row: Row) -> str:
    """What a policy did to latency and cost, as the end of a sentence."""
    latency, cost = _change(row.latency_saving, "latency", row.seeds), _change(row.cost_saving, "cost", row.seeds)
    for verb in ("saved ", "took "):
        if latency.startswith(verb) and cost.startswith(verb):
            return f"{latency} and {cost.removeprefix(verb)}"
    return f"{latency}, but {cost}"


def _change(saved: Span, name: str, seeds: int) -> str:
    if not np.isfinite(saved.mean):
        return f"has an unknown {name}"
    if abs(saved.mean) < NOTHING and max(abs(saved.low), abs(saved.high)) < NOTHING:
        return f"took no less {name}"
    low, high = (saved.low, saved.high) if saved.mean >= 0 else (-saved.high, -saved.low)
    words = f"saved {percent(saved.mean)} of {name}" if saved.mean >= 0 else f"took {percent(-saved.mean)} more {name}"
    return f"{words} ({percent(low)} to {percent(high)})" if seeds > 1 else words


def cautions(facts: Mapping[str, str]) -> list[str]:
    """Paragraphs on what the figures do not show, by what the facts say of truth, model and noise."""
    truth, model, noise = (" ".join(text for name, text in facts.items() if word in name.casefold()) for word in SAID)
    name = next(iter(re.findall(r"\w+", truth.casefold().replace("-", "_"))), "")
    if re.search(rf"\b{ORACLE}\b", model.casefold()):
        words = SAME
    elif name in JUDGES:
        words = JUDGES[name]
    else:
        told = f"is told by this truth: {truth}" if name else "is told by something that the conditions do not name"
        words = f"How long instances really take {told}. Nothing here says that it is independent of the model."
    if noise.strip().casefold().startswith("none"):
        words += " There is no noise: an instance takes equally long whenever it runs in the same place."
    return [words, *CAUTIONS]


def _facts(facts: Mapping[str, str], prices: tuple[float, float]) -> str:
    shown = {**facts, "prices": f"{prices[0]:g} per core and second, {prices[1]:g} per GiB of memory and second"}
    body = "".join(
        tag("tr", tag("th", escaped(name), scope="row") + tag("td", escaped(text) or " "))
        for name, text in shown.items()
    )
    words = tag("caption", "Under which conditions the figures below hold")
    return tag("div", tag("table", words + tag("tbody", body), **{"class": "facts"}), **{"class": "wide"})


def _table(workload: str, rows: Sequence[Row]) -> str:
    first = rows[0]
    seeds = f"{first.seeds} seed{'s' if first.seeds > 1 else ''}"
    words = f"{workload}: {first.stages:,} stages in {seeds}, savings against {BASELINE}"
    head = tag("thead", tag("tr", "".join(tag("th", escaped(each.title), scope="col") for each in COLUMNS)))
    body = tag("tbody", "".join(_table_row(row) for row in rows))
    table = tag("table", tag("caption", escaped(words)) + head + body, **{"class": "results"})
    return _scrolled(table, f"Results on {workload}")


def _table_row(row: Row) -> str:
    cells = [tag("th", _dot(row.policy) + escaped(row.policy), scope="row")]
    for each in COLUMNS[1:]:
        mean, bracket, rest = each.cell(row).partition(" (")
        cells.append(
            tag("td", escaped(mean) + (tag("span", escaped(f" ({rest}"), **{"class": "range"}) if bracket else ""))
        )
    return tag("tr", "".join(cells), **({"class": "own"} if row.policy == OURS else {}))


def _dot(policy: str) -> str:
    return f'<span class="dot" aria-hidden="true" style="background:{colour(policy)}"></span>'


def _scrolled(table: str, name: str) -> str:
    """A table that is too wide for the window scrolls by itself, with the keyboard too."""
    return tag("div", table, **{"class": "wide", "role": "region", "tabindex": 0, "aria-label": name})


def _meanings() -> str:
    return tag("dl", "".join(tag("dt", escaped(each.title)) + tag("dd", escaped(each.meaning)) for each in COLUMNS))


def _detail(runs: Mapping[str, Run], prices: tuple[float, float]) -> str:
    """The pictures of the stage where the baseline and ours (or what stands for it) differ most in latency."""
    policy = shown_policy(runs)
    by_policy = {name: _by_stage(run) for name, run in runs.items()}
    key = most_different(by_policy[BASELINE], by_policy[policy]) if policy else None
    if policy is None or key is None:
        return tag("p", f"There is no stage that ran under {BASELINE} and under another policy.")
    above, below = by_policy[BASELINE][key], by_policy[policy][key]
    ends = [
        Happened(name, found[key].latency_s, found[key].cost(prices))
        for name, found in by_policy.items()
        if key in found
    ]
    name, decision = f"stage {key[1]} of job {shortened(key[0], 60)}", below.decision
    chart = frontier_chart(name, policy, decision.frontier, decision.chosen, ends, lower_bound_s=decision.lower_bound_s)
    words = (
        f"This is {name} with {len(below.stage):,} instances, where {BASELINE} and {policy} differ most in latency:"
        f" {policy} {saving(above, below)[0]}."
    )
    warned = f" The decision came with a warning: {'; '.join(decision.warnings)}." if decision.warnings else ""
    gantt = gantt_chart(above, below, (BASELINE, policy), runs[policy].workload.fleet)
    return "\n".join(
        (
            tag("p", escaped(words + warned)),
            _figure("frontier", chart, _how_to_choose(policy, decision)),
            _ends(ends, name),
            _figure("gantt", gantt, _how_to_read(len(below.stage))),
        )
    )


def _figure(kind: str, picture: str, caption: str) -> str:
    return tag("figure", picture + tag("figcaption", escaped(caption)), **{"class": kind})


def _how_to_choose(policy: str, decision: Decision) -> str:
    """The caption of the frontier."""
    ends = (
        "illed circles are where it really ended under each policy, in the cluster as that policy's earlier decisions"
        " had left it, time spent waiting for room included."
    )
    if not len(decision.frontier):
        return f"No frontier is shown, because {decision.method} decided without a model. F{ends}"
    return f"The diamond is the plan that {policy} chose, where its model expected the stage to end; f{ends}"


def _how_to_read(instances: int) -> str:
    few = "" if instances <= MOST else " Of this stage only the heaviest instances have a bar of their own."
    return f"One bar is one instance, from its start to its end; the stage ends with the last of them.{few}"


def _ends(ends: Sequence[Happened], name: str) -> str:
    head = "".join(tag("th", escaped(each), scope="col") for each in ("Policy", "Latency", "Cost"))
    body = "".join(
        tag(
            "tr",
            tag("th", _dot(each.policy) + escaped(each.policy), scope="row")
            + tag("td", escaped(seconds(each.latency_s)))
            + tag("td", f"{each.cost:,.1f}"),
        )
        for each in ends
    )
    words = tag("caption", escaped(f"What {name} took under each policy"))
    table = tag("table", words + tag("thead", tag("tr", head)) + tag("tbody", body), **{"class": "ends"})
    return _scrolled(table, "Latency and cost of the stage")


def shown_policy(runs: Mapping[str, Run]) -> str | None:
    """Ours if it ran, or else the first policy that is no baseline; None when pictures have nothing to compare."""
    others = [name for name in runs if name not in (BASELINE, ORACLE)]
    if BASELINE not in runs or not others:
        return None
    return OURS if OURS in others else others[0]


def most_different(left: Mapping[Key, StageRun], right: Mapping[Key, StageRun]) -> Key | None:
    """The stage whose latencies are farthest apart, of equals the first; None when no stage ran in both."""
    both = [key for key in left if key in right]
    return max(both, key=lambda key: abs(left[key].latency_s - right[key].latency_s), default=None)


def _by_stage(run: Run) -> dict[Key, StageRun]:
    return {(each.stage.job_id, each.stage.stage_id): each for each in run.stages}
