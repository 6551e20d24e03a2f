"""`paretosql simulate` and `paretosql train`: what another optimizer would have saved, and the model it decides with.

Exit status: 0 all went well, 1 a trace or model cannot be used, 2 the command line is wrong, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

import paretosql
from paretosql.engine.progress import CLEAR_LINE
from paretosql.errors import OperationalError, compose
from paretosql.optimizer.experiment import Summary
from paretosql.optimizer.metrics import MEANING
from paretosql.optimizer.model_files import load_model, refuse_occupied_model, save_model
from paretosql.optimizer.page import page
from paretosql.optimizer.study import REPLAY, TRUTHS, Question, Study, run_study
from paretosql.optimizer.table import markdown, spread
from paretosql.optimizer.trace import read_trace
from paretosql.optimizer.training import BOOSTED, learners, score, train
from paretosql.optimizer.units import PRICES

TELL_EVERY_S = 0.2
MOST_WARNINGS = 3  # kinds that are printed of each policy; our choice
EXAMPLES = """\
examples:
  paretosql simulate --workload B --policy fuxi --policy pareto --seed 1
  paretosql simulate traces/monday --workload B --html report.html     jobs made up in the shapes of a trace
  paretosql simulate traces/monday --json out.json                     the jobs of the trace, replayed
  paretosql train traces/monday -o models/monday
  paretosql simulate traces/tuesday --model models/monday
"""


def simulate_main(words: Sequence[str]) -> int:
    """Run `paretosql simulate ...` and return the exit status."""
    parser = _simulate_parser()
    options = parser.parse_intermixed_args(words)
    place = options.trace or None  # '' is no trace, as in SQL
    workload = options.workload or (REPLAY if place else "B")
    if workload == REPLAY and place is None:
        parser.error("a replay needs the folder of a trace")
    history = {"days": options.days, "past": options.past, "explore": options.explore}
    given = {name: value for name, value in history.items() if value is not None}
    if workload == REPLAY and given:
        parser.error(f"--{next(iter(given))} is about history that is made up; a replay learns from its trace")
    for file in (options.json, options.html):
        if file is not None and (not file.name or file.is_dir()):
            raise OperationalError(compose(f"cannot write {str(file)!r}: it is a folder", hint="name a file."))
        if file is not None and not file.absolute().parent.is_dir():
            raise OperationalError(compose(f"cannot write {file}: there is no folder {file.absolute().parent}"))
    question = Question(
        policies=tuple(options.policy or ("fuxi", "pareto")),
        workload=workload,
        seeds=tuple(options.seed or (0,)),
        jobs=options.jobs,
        truth=options.truth,
        noise=options.noise,
        weights=(options.weights[0], options.weights[1]),
        cpu_exponent=options.cpu_exponent,
        memory_pressure=options.memory_pressure,
        slowdown=options.slowdown,
        machines=options.machines,
        tune_partitions=options.tune_partitions,
        limit_s=options.limit,
        **given,
    )
    trace = None if place is None else read_trace(place)
    model = None if options.model is None else load_model(options.model)
    with _Teller(not options.no_progress) as tell:
        study = run_study(question, trace, model, tell)
    _print(study)
    for line in _warnings(study):
        print(line, file=sys.stderr)
    if options.json is not None:
        _write(options.json, _as_json(study))
    if options.html is not None:
        title = f"Workload {workload}: {', '.join(question.policies)}"
        _write(options.html, page(title, {**study.facts, **_versions()}, _labelled(study), study.runs, PRICES))
    return 0


def train_main(words: Sequence[str]) -> int:
    """Run `paretosql train ...` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="paretosql train",
        description="Train a latency model on a trace.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
        allow_abbrev=False,
    )
    parser.add_argument("trace", metavar="DIR", help="a trace, or files that a reader knows")
    parser.add_argument("-o", "--output", metavar="MODEL", required=True, help="the folder to write the model to")
    parser.add_argument("--replace", action="store_true", help="take the place of the model in MODEL")
    parser.add_argument("--test", metavar="DIR", help="another trace to judge the model on")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    parser.add_argument("--threads", type=int, default=2, help="threads for training (2)")
    parser.add_argument("--learner", default=BOOSTED, metavar="NAME", help=f"{' or '.join(learners)} ({BOOSTED})")
    parser.add_argument("--no-progress", action="store_true", help="no progress line")
    options = parser.parse_intermixed_args(words)
    refuse_occupied_model(options.output, replace=options.replace)
    with _Teller(not options.no_progress) as tell:
        model = train(
            read_trace(options.trace),
            seed=options.seed,
            threads=options.threads,
            learner=options.learner,
            progress=tell,
        )
    save_model(model, options.output, replace=options.replace)
    print(f"{options.output}: {model.name}")
    for name, value in (model.quality or {}).items():
        print(f"  {name:13} {value:8.4f}  {MEANING[name]}, on jobs it was not trained on")
    if model.quality is None:
        print("  its error is not known: too few jobs to keep some back")
    if options.test is not None:
        print(f"on {options.test}:")
        for row in score(model, read_trace(options.test)).to_pylist():
            print(f"  {row['measure']:13} {row['value']:8.4f}  {row['meaning']}")
    return 0


def _simulate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paretosql simulate",
        description="Simulate a cluster under several policies and compare what they cost and how long jobs take.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("trace", metavar="DIR", nargs="?", help="a trace: its jobs are replayed, or lend their shapes to made up ones")
    add("--policy", action="append", metavar="NAME", help="may be given several times (fuxi and pareto)")
    add("--workload", metavar="NAME", help=f"A short, B mixed, C long, or {REPLAY} ({REPLAY} with a trace, else B)")
    add("--seed", type=int, action="append", metavar="N", help="may be given several times (0)")
    add("--jobs", type=int, metavar="N", help="how many jobs (40, or all of the trace)")
    add("--machines", type=int, metavar="N", help="how many machines (what suits the workload, or those of the trace)")
    add("--truth", metavar="NAME", help=f"what really happens: {', '.join(TRUTHS)}")
    add("--noise", default="none", metavar="NAME", help="none, gaussian, bootstrap or straggler (none)")
    add("--weights", type=float, nargs=2, default=(0.5, 0.5), metavar=("LATENCY", "COST"), help="(0.5 0.5)")
    add("--cpu-exponent", type=float, default=0.8, metavar="X", help="c cores are c ** X times as fast (0.8)")
    add("--memory-pressure", type=float, default=1.5, metavar="X", help="cost of too little memory (1.5)")
    add("--slowdown", type=float, default=0.8, metavar="X", help="how much load slows instances down (0.8)")
    add("--limit", type=float, default=60.0, metavar="SECONDS", help="time for one decision (60)")
    add("--days", type=int, metavar="N", help="days of history to learn from (3)")
    add("--past", type=int, metavar="N", help="jobs on each of them (what suits the workload)")
    add("--explore", type=float, metavar="X", help="share of its stages in containers at random (0.3)")
    add("--tune-partitions", action="store_true", help="let policies halve or double the instances of a stage")
    add("--model", metavar="MODEL", help="a trained model (default: one is trained on the history, or on the trace)")
    add("--json", type=Path, metavar="FILE", help="also write all figures as JSON")
    add("--html", type=Path, metavar="FILE", help="also write a report with pictures")
    add("--no-progress", action="store_true", help="no progress line")
    return parser


class _Teller:
    """One line on a terminal that says what runs and how far it is."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def __call__(self, what: str, done: int, whole: int) -> None:
        now = time.monotonic()
        if self._enabled and now - self._told >= TELL_EVERY_S:
            self._told = now
            sys.stderr.write(f"{CLEAR_LINE}{what}: {done:,} of {whole:,}  {now - self._began:.0f} s")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        if self._enabled:
            sys.stderr.write(CLEAR_LINE)


def _warnings(study: Study) -> Iterator[str]:
    """What decisions warned of, most frequent first, each with how many stages it was about."""
    for policy, run in study.runs.items():
        counts = Counter(text for each in run.stages for text in each.decision.warnings)
        for text, count in counts.most_common(MOST_WARNINGS):
            yield f"warning: {policy}, {count:,} of {len(run.stages):,} stages: {text}"
        if len(counts) > MOST_WARNINGS:
            yield f"warning: {policy}: {len(counts) - MOST_WARNINGS} more kinds of warnings, see Decision.warnings"


def _print(study: Study) -> None:
    for name, text in study.facts.items():
        print(f"{name}: {text}")
    print()
    print(markdown(spread(_labelled(study))))


def _labelled(study: Study) -> dict[str, Sequence[Summary]]:
    return {f"{study.question.workload}/{seed}": rows for seed, rows in study.summaries.items()}


def _as_json(study: Study) -> str:
    runs = [{"seed": seed, **each.row()} for seed, rows in study.summaries.items() for each in rows]
    whole = {"question": study.question.__dict__, "facts": {**study.facts, **_versions()}, "results": runs}
    return json.dumps(_plain(whole), indent=2, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    """Numbers that are none become null: JSON has no NaN."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _versions() -> dict[str, str]:
    mine = f"paretosql {paretosql.__version__}"
    return {"versions": f"{mine}, Python {platform.python_version()}, numpy {np.__version__}"}


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as fault:
        raise OperationalError(compose(f"cannot write {path}: {fault.strerror}")) from fault
    finally:
        half.unlink(missing_ok=True)  # also when Ctrl-C came; nothing is there after a replacement
