"""What would another optimizer have saved: history, a model trained on it, and one simulation for each policy.

Every policy faces the same jobs, machines, background load and noise. The model that decides is trained on days of
history that the baseline ran; the truth that decides how long things take is never shown to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from paretosql.errors import DataError, compose
from paretosql.optimizer.decide import BASELINE, MODEL_FREE, Decision, decide
from paretosql.optimizer.fleet import Fleet
from paretosql.optimizer.formulation import Terms
from paretosql.optimizer.frontier import Floats
from paretosql.optimizer.generator import Shapes, generate, kinds
from paretosql.optimizer.history import EXPLORING, History, learn_history
from paretosql.optimizer.jobs import Workload
from paretosql.optimizer.latency_model import LatencyModel
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.noise import noise_of
from paretosql.optimizer.partitions import tuned
from paretosql.optimizer.recording import join, record
from paretosql.optimizer.simulate import Decider, Run, Simulator
from paretosql.optimizer.stage import Container, Stage
from paretosql.optimizer.trace import Trace
from paretosql.optimizer.truth import Truth
from paretosql.optimizer.truth_model import Oracle

ORACLE = "oracle"  # not a policy of ours: `pareto` with a model that knows the truth
Progress = Callable[[str, int, int], None]  # what runs, jobs done, jobs


@dataclass(frozen=True)
class Conditions:
    """What a simulation runs under.

    Attributes:
        weights: of latency and cost in every decision.
        limit_s: the time limit of a decision; 60 s so that slow searches can end.
        noise: none, gaussian, bootstrap or straggler.
        tune_partitions: True: policies with predictions may also halve or double the number of instances.
    """

    weights: tuple[float, float] = (0.5, 0.5)
    limit_s: float = 60.0  # section 6.5
    noise: str = "none"
    terms: Terms = field(default_factory=Terms)
    seed: int = 0
    tune_partitions: bool = False


@dataclass(frozen=True)
class Summary:
    """One policy on one workload; seconds and resource units, sums over all stages.

    Attributes:
        coverage: share of stages that the policy decided itself, within its time limit.
        stage_saving, stage_cost_saving: mean over stages of the share saved against the baseline.
        wmape: sum of |actual - predicted| over sum of actual latencies of instances; NaN without predictions.
        gap: mean share by which a plan of the same latency might be cheaper, as the model sees it.
    """

    policy: str
    stages: int
    instances: int
    coverage: float
    latency_s: float
    median_latency_s: float
    cost: float
    job_latency_s: float
    makespan_s: float
    latency_saving: float
    cost_saving: float
    stage_saving: float
    stage_cost_saving: float
    waited: int
    decide_mean_s: float
    decide_p95_s: float
    decide_max_s: float
    wmape: float
    gap: float

    def row(self) -> dict[str, float | int | str]:
        """The fields by name."""
        return asdict(self)


def exploring(decider: Decider, terms: Terms, share: float, seed: int) -> Decider:
    """A decider that gives a share of the stages containers drawn at random, so that a trace shows what they do.

    History-based sizing gives all runs of a stage one container; a model trained on that alone has never seen the
    effect of another.
    """
    rng = np.random.default_rng((seed, 0xE0))
    containers = terms.containers()

    def decided(stage: Stage, machines: Machines) -> Decision:
        if rng.random() >= share:
            return decider(stage, machines)
        cores, memory = containers[int(rng.integers(len(containers)))]
        found = decider(replace(stage, container=Container(float(cores), float(memory))), machines)
        return replace(found, method=EXPLORING)

    return decided


def make_history(
    kind: str,
    truth: Truth,
    *,
    seed: int = 0,
    days: int = 3,
    jobs: int | None = None,
    explore: float = 0.3,
    conditions: Conditions | None = None,
    shapes: Shapes | None = None,
    fleet: Fleet | None = None,
    progress: Progress | None = None,
) -> tuple[Trace, History]:
    """Days of jobs under the baseline, each sized by the days before it; and the sizing after the last day.

    Args:
        explore: the share of stages that run in containers drawn at random.
    """
    conditions = conditions or Conditions()
    history, traces = History(), []
    for day in range(days):
        workload = generate(kind, jobs or kinds[kind].past, seed, run=1 + day, shapes=shapes, fleet=fleet)
        names = tuple(replace(job, job_id=f"d{day}-{job.job_id}") for job in workload.jobs)
        named = tuple(
            replace(job, stages=tuple(replace(stage, job_id=job.job_id) for stage in job.stages)) for job in names
        )
        run = simulate(
            replace(workload, jobs=named),
            BASELINE,
            model=None,
            truth=truth,
            conditions=replace(conditions, noise="gaussian", seed=conditions.seed + 100 + day),
            history=history,
            explore=explore,
            keep_states=True,
            progress=progress,
            label=f"history, day {day + 1} of {days}",
        )
        traces.append(record(run, truth))
        whole = join(traces)
        history = learn_history(whole["stages"], whole["instances"])
    return whole, history


def simulate(
    workload: Workload,
    policy: str,
    *,
    model: LatencyModel | None,
    truth: Truth,
    conditions: Conditions,
    history: History,
    explore: float = 0.0,
    keep_states: bool = False,
    progress: Progress | None = None,
    label: str = "",
) -> Run:
    """One workload under one policy."""
    deciding = Oracle(truth, workload.fleet) if policy == ORACLE else model
    rule = "pareto" if policy == ORACLE else policy
    if deciding is None and rule not in MODEL_FREE:
        raise DataError(compose(f"{policy} needs a latency model", hint="train one on a trace: paretosql train DIR."))

    tune = conditions.tune_partitions and rule not in MODEL_FREE

    def decider(stage: Stage, machines: Machines) -> Decision:
        def decided(cut: Stage) -> Decision:
            return decide(
                cut,
                machines,
                deciding,
                weights=conditions.weights,
                deadline_s=conditions.limit_s,
                policy=rule,
                terms=conditions.terms,
                seed=conditions.seed,
            )

        return tuned(stage, decided, conditions.weights) if tune else decided(stage)

    asked = exploring(decider, conditions.terms, explore, conditions.seed) if explore else decider

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(label or policy, done, total)

    noise = noise_of(conditions.noise, model, conditions.seed)
    simulator = Simulator(workload, asked, truth, noise, sized=history.sized, progress=tell, keep_states=keep_states)
    return simulator.run()


def summarise(policy: str, run: Run, base: Run, prices: tuple[float, float]) -> Summary:
    """The figures of a run beside those of the baseline on the same workload."""
    ours, theirs = _by_stage(run, prices), _by_stage(base, prices)
    order = sorted(theirs)
    mine, other = (np.array([each[name] for name in order]) for each in (ours, theirs))
    decided = np.array([stage.decide_s for stage in run.stages])
    expected = BASELINE if policy == BASELINE else ("pareto" if policy == ORACLE else policy)
    submitted = {job.job_id: job.submit_s for job in run.workload.jobs}
    with np.errstate(invalid="ignore"):
        share = 1.0 - mine / np.maximum(other, 1e-12)
    gaps = np.array([stage.decision.gap for stage in run.stages])
    return Summary(
        policy=policy,
        stages=len(run.stages),
        instances=run.workload.instances(),
        coverage=float(np.mean([stage.decision.method == expected for stage in run.stages])),
        latency_s=float(mine[:, 0].sum()),
        median_latency_s=float(np.median(mine[:, 0])),
        cost=float(mine[:, 1].sum()),
        job_latency_s=float(sum(at - submitted[name] for name, at in run.job_finish_s.items())),
        makespan_s=max(run.job_finish_s.values(), default=0.0),
        latency_saving=float(1.0 - mine[:, 0].sum() / other[:, 0].sum()),
        cost_saving=float(1.0 - mine[:, 1].sum() / other[:, 1].sum()),
        stage_saving=float(share[:, 0].mean()),
        stage_cost_saving=float(share[:, 1].mean()),
        waited=sum(stage.decision.waiting for stage in run.stages),
        decide_mean_s=float(decided.mean()),
        decide_p95_s=float(np.quantile(decided, 0.95)),
        decide_max_s=float(decided.max()),
        wmape=_wmape(run),
        gap=float(np.nanmean(gaps)) if not np.isnan(gaps).all() else float("nan"),
    )


def _by_stage(run: Run, prices: tuple[float, float]) -> dict[tuple[str, int], tuple[float, float]]:
    return {(each.stage.job_id, each.stage.stage_id): (each.latency_s, each.cost(prices)) for each in run.stages}


def _wmape(run: Run) -> float:
    actual: list[Floats] = [each.finish_s - each.start_s for each in run.stages]
    predicted: list[Floats] = [each.decision.predicted_s for each in run.stages]
    took, guess = np.concatenate(actual), np.concatenate(predicted)
    known = ~np.isnan(guess)
    return float(np.abs(took - guess)[known].sum() / took[known].sum()) if known.any() else float("nan")


def compare(
    workload: Workload,
    policies: Sequence[str],
    *,
    model: LatencyModel | None,
    truth: Truth,
    conditions: Conditions,
    history: History,
    progress: Progress | None = None,
) -> tuple[list[Summary], Mapping[str, Run]]:
    """Every policy on the same workload, and the baseline, which is always run."""
    names = list(dict.fromkeys([BASELINE, *policies]))
    runs = {
        name: simulate(
            workload,
            name,
            model=model,
            truth=truth,
            conditions=conditions,
            history=history,
            progress=progress,
        )
        for name in names
    }
    prices = conditions.terms.prices
    return [summarise(name, runs[name], runs[BASELINE], prices) for name in names], runs
