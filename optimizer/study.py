"""A whole study in one call: a workload, a truth, a model trained on history, and every policy on the same jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from paretosql.errors import DataError, ProgrammingError, closest, compose
from paretosql.optimizer.experiment import ORACLE, Conditions, Progress, Summary, compare, make_history
from paretosql.optimizer.fleet import mixed_fleet
from paretosql.optimizer.generator import Shapes, generate, kinds
from paretosql.optimizer.history import History, learn_history
from paretosql.optimizer.jobs import Workload
from paretosql.optimizer.latency_model import LatencyModel
from paretosql.optimizer.noise import modes
from paretosql.optimizer.policy import baselines
from paretosql.optimizer.recorded import learn_truth, replayed, shapes_of
from paretosql.optimizer.simulate import Run
from paretosql.optimizer.training import train
from paretosql.optimizer.truth import Synthetic, Truth
from paretosql.optimizer.workload import Trace

REPLAY = "replay"
TRUTHS = ("synthetic", "oracle", "replay")


@dataclass(frozen=True)
class Question:
    """What to simulate.

    Attributes:
        policies: names; the baseline is always run, and `oracle` is `pareto` with a model that knows the truth.
        workload: A, B or C, whose jobs are made up (with the shapes of the trace's jobs, if there is a trace), or
            `replay` for the jobs of the trace.
        seeds: one study for each.
        jobs: how many; None for 40 made up ones, or all of the trace.
        truth: `synthetic`, `oracle` or `replay`; None for the first with made up jobs, the last with those of a trace.
        cpu_exponent, memory_pressure, slowdown: of the synthetic truth.
        machines: how many; None for what suits the workload, or those of the trace.
        days, past, explore: of history: its days, jobs on each of them (None for what suits the workload), and the
            share of stages in containers at random.
        tune_partitions: True: policies with predictions may also halve or double the instances of a stage.
    """

    policies: tuple[str, ...] = ("fuxi", "pareto")
    workload: str = "B"
    seeds: tuple[int, ...] = (0,)
    jobs: int | None = None
    truth: str | None = None
    noise: str = "none"
    weights: tuple[float, float] = (0.5, 0.5)
    cpu_exponent: float = 0.8
    memory_pressure: float = 1.5
    slowdown: float = 0.8
    machines: int | None = None
    days: int = 3
    past: int | None = None
    explore: float = 0.3
    limit_s: float = 60.0
    tune_partitions: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.policies, str):
            raise DataError(compose(f"policies is {self.policies!r}", hint=f"policies=({self.policies!r},)"))
        object.__setattr__(self, "seeds", tuple(dict.fromkeys(self.seeds)))  # the same seed twice says nothing new
        Synthetic(self.cpu_exponent, self.memory_pressure, self.slowdown)  # refuses constants that make no sense
        for seed in self.seeds:
            if seed < 0:
                raise DataError(compose(f"seed is {seed}", hint="a whole number from 0."))
        known = {*baselines(), "pareto", ORACLE}
        for name in self.policies:
            _known("policy", name, known)
        _known("workload", self.workload, {*kinds, REPLAY})
        _known("noise mode", self.noise, set(modes))
        if self.truth is not None:
            _known("truth", self.truth, set(TRUTHS))
        for name, value in (("jobs", self.jobs), ("machines", self.machines), ("days", self.days), ("past", self.past)):
            if value is not None and value < 1:
                raise DataError(compose(f"{name} is {value}", hint="a whole number from 1."))
        if not 0.0 <= self.explore <= 1.0:
            raise DataError(compose(f"explore is {self.explore}", hint="a share from 0 to 1."))


@dataclass(frozen=True)
class Study:
    """What came out: figures for every seed and policy, the runs of the last seed, and what they were made under."""

    question: Question
    summaries: Mapping[int, Sequence[Summary]]
    runs: Mapping[str, Run]
    facts: Mapping[str, str] = field(default_factory=dict)


def _known(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        near = closest(name, known)
        start = f"did you mean {near!r}? " if near else ""
        hint = f"{start}Known: {', '.join(sorted(known))}."
        raise ProgrammingError(compose(f"no {what} named {name!r}", hint=hint))


def run_study(
    question: Question,
    trace: Trace | None = None,
    model: LatencyModel | None = None,
    progress: Progress | None = None,
) -> Study:
    """Answer a question. Without a model, one is trained on simulated history (made up jobs) or on the trace (replay).

    Args:
        trace: shapes for made up jobs, or the jobs to replay.
        progress: called with what runs, how much of it is done, of how much.
    Raises:
        DataError: a replay without a trace, or of one without instances.
    Cost: per seed the days of history, one training (seconds) and one simulation for each policy.
    """
    if not question.seeds:
        raise DataError(compose("there is no seed", hint="seeds=(0,)"))
    ask = _replay if question.workload == REPLAY else _made_up
    answers = {seed: ask(question, seed, trace, model, progress) for seed in question.seeds}
    last = answers[question.seeds[-1]]
    return Study(question, {seed: answer.summaries for seed, answer in answers.items()}, last.runs, last.facts)


def _conditions(question: Question, seed: int) -> Conditions:
    return Conditions(
        question.weights, question.limit_s, question.noise, seed=seed, tune_partitions=question.tune_partitions
    )


@dataclass(frozen=True)
class _Answer:
    """What one seed came to."""

    summaries: Sequence[Summary]
    runs: Mapping[str, Run]
    facts: Mapping[str, str]


def _made_up(
    question: Question, seed: int, trace: Trace | None, model: LatencyModel | None, progress: Progress | None
) -> _Answer:
    if question.truth not in (None, "synthetic"):
        raise DataError(
            compose(
                f"the truth {question.truth!r} is learned from what ran", hint="it judges a replay: workload='replay'."
            )
        )
    truth = Synthetic(question.cpu_exponent, question.memory_pressure, question.slowdown, seed)
    shapes = Shapes() if trace is None else shapes_of(trace)
    jobs = question.jobs or 40
    fleet = None if question.machines is None else mixed_fleet(question.machines, seed)
    past, history = make_history(
        question.workload, truth, seed=seed, days=question.days, jobs=question.past, explore=question.explore,
        shapes=shapes, fleet=fleet, progress=progress,
    )  # fmt: skip
    deciding: LatencyModel = model or train(past, seed=seed, progress=_renamed(progress))
    workload = generate(question.workload, jobs, seed, shapes=shapes, fleet=fleet)
    return _compared(question, seed, workload, truth=truth, model=deciding, history=history, progress=progress)


def _replay(
    question: Question, seed: int, trace: Trace | None, model: LatencyModel | None, progress: Progress | None
) -> _Answer:
    if trace is None:
        raise DataError(compose("there is no trace to replay", hint="give one, or a workload A, B or C."))
    if question.machines is not None and trace.count("machines"):
        raise DataError(
            compose(f"machines is {question.machines}", hint="this trace has machines of its own, which are simulated.")
        )
    workload, material = replayed(trace, question.jobs, machines=question.machines or 40)
    name = question.truth or "replay"
    truth: Truth
    if name == "synthetic":
        truth = Synthetic(question.cpu_exponent, question.memory_pressure, question.slowdown, seed)
    else:
        truth = learn_truth(material, name, seed)
    deciding: LatencyModel = model or train(trace, seed=seed, progress=_renamed(progress))
    history = learn_history(trace["stages"], trace["instances"])
    found = _compared(question, seed, workload, truth=truth, model=deciding, history=history, progress=progress)
    if model is not None:
        return found
    facts = {**found.facts, "model": f"{found.facts['model']}; trained on this very trace, so it knows these runs"}
    return replace(found, facts=facts)


def _compared(
    question: Question,
    seed: int,
    workload: Workload,
    *,
    truth: Truth,
    model: LatencyModel,
    history: History,
    progress: Progress | None,
) -> _Answer:
    conditions = _conditions(question, seed)
    summaries, runs = compare(
        workload, question.policies, model=model, truth=truth, conditions=conditions, history=history, progress=progress
    )
    return _Answer(summaries, runs, _facts(question, workload.instances(), len(workload.fleet), truth.name, model))


def _facts(question: Question, instances: int, machines: int, truth: str, model: LatencyModel) -> dict[str, str]:
    quality = model.quality or {}
    error = f", held-out WMAPE {quality['wmape']:.3f}" if "wmape" in quality else ""
    shape = ""
    if truth == "synthetic":
        shape = (
            f" (CPU exponent {question.cpu_exponent:g}, memory pressure {question.memory_pressure:g},"
            f" slowdown {question.slowdown:g})"
        )
    return {
        "workload": f"{question.workload}, {instances:,} instances",
        "machines": f"{machines:,}",
        "truth": truth + shape,
        "noise": _noise(question, model),
        "weights": f"latency {question.weights[0]:g}, cost {question.weights[1]:g}",
        "model": f"{model.name}{error}",
        "seeds": ", ".join(map(str, question.seeds)),
    }


def _noise(question: Question, model: LatencyModel) -> str:
    """The noise, and what it is like where the mode needs residuals that the model has not."""
    if question.noise == "bootstrap" and not len(getattr(model, "log_residuals", ())):
        return "bootstrap, as gaussian: the model kept no residuals of jobs that it was not trained on"
    return question.noise


def _renamed(progress: Progress | None) -> Callable[[str, int, int], None] | None:
    return None if progress is None else lambda what, done, whole: progress(f"model: {what}", done, whole)
