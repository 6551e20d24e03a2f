"""From a family, options and rows to a trained model: held-out rows, and a search for the best options.

An option may be `Candidates` or a `Range` instead of a value. Trials are then made with values drawn from them, each
judged on held-out rows, and the model of the best trial is kept.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from paretosql.errors import Error, ProgrammingError, compose
from paretosql.udfs.choices import Candidates, Range
from paretosql.udfs.interactions import RecommenderOptions
from paretosql.udfs.model import Family, Model, Training
from paretosql.udfs.options import (
    COLD_ITEMS,
    COLD_USERS,
    LEAVE_LAST_OUT,
    NO_SPLIT,
    Options,
    option_name,
    option_type,
    read_options,
)
from paretosql.udfs.rows import Rows
from paretosql.udfs.splits import split_rows
from paretosql.udfs.verbs import read_arguments

DEFAULT_TRIALS = 10
# what trials are compared by when the options do not say, the first that a family has; our choice
JUDGED_BY = ("ndcg@10", "roc_auc", "log_loss", "rmse", "davies_bouldin_index")
LOWER_IS_BETTER = {
    "log_loss", "calibration_error", "rmse", "mean_squared_error", "mean_absolute_error", "median_absolute_error",
    "davies_bouldin_index", "mean_squared_distance",
}  # fmt: skip


COUNTS = ("rows", "users", "unknown_items", "seen_items")  # metrics that no model is better by


@dataclass(frozen=True)
class Trained:
    """What a training gave; `evaluation` is of rows held out, or of the training when `held_out` is false."""

    model: Model
    options: Options
    notes: tuple[str, ...]
    evaluation: tuple[tuple[str, float], ...]
    held_out: bool
    log: tuple[tuple[int, float | None, float], ...]
    trials: tuple[Mapping[str, Any], ...] = ()


def train(family: Family, given: Mapping[str, Any], rows: Rows, training: Training) -> Trained:
    """Learn a model.

    Args:
        given: options by name as they were written, of which some may be `Candidates` or a `Range`.
    Raises:
        ProgrammingError, DataError: wrong options, or rows that cannot be learnt from.
    """
    searched = {name: value for name, value in given.items() if isinstance(value, (Candidates, Range))}
    plain = {name: value for name, value in given.items() if name not in searched}
    options, notes = read_options(family.options, plain, family.name)
    notes += _without_effect(given, options, searched=bool(searched))
    if searched:
        return _search(family, plain, searched, rows, training)
    if options.split != NO_SPLIT:
        parts = split_rows(rows, options, family.name)
        model = family.model.fit(parts.learn, options, training)
        evaluation = _held_out(model, parts.judge, options)
        if dict(evaluation).get("users") == 0:
            training.warn("nobody was judged: all items held out are among those that their users had in training")
        if options.split == COLD_ITEMS:
            training.warn(f"{family.name} knows no items but those of its training: all rows held out count as missed")
    else:
        model = family.model.fit(rows, options, training)
        evaluation = _in_training(model, rows, options)
    return Trained(
        model, options, (*notes, *training.warnings), evaluation, options.split != NO_SPLIT, tuple(training.log)
    )


def _without_effect(given: Mapping[str, Any], options: Options, *, searched: bool) -> list[str]:
    """Notes about options that were written and change nothing."""
    notes = []
    if options.split == NO_SPLIT and not searched:
        notes += [f"{name} has no effect without split" for name in ("split_fraction", "split_col") if name in given]
    if not searched:
        which = ("trials", "trial_seconds", "objective_metric")
        notes += [f"{name} has no effect without hparam_candidates or hparam_range" for name in which if name in given]
    return notes


def _held_out(model: Model, rows: Rows, options: Options) -> tuple[tuple[str, float], ...]:
    """How good a model is on rows held out: of users held out whole, all rows but the last are their history."""
    if options.split != COLD_USERS:
        return _evaluated(model, rows)
    try:
        parts = split_rows(rows, replace(options, split=LEAVE_LAST_OUT), model.family.name)
    except ProgrammingError:  # all of them have one row only
        return _evaluated(model, rows)
    return _evaluated(model, parts.judge, history=pa.Table.from_batches(parts.learn.batches(), rows.schema))


def _evaluated(model: Model, rows: Rows, **given: pa.Table) -> tuple[tuple[str, float], ...]:
    arguments = read_arguments("evaluate", given, model.family.name)
    found: pa.Table = model.summarize("evaluate", rows, arguments)
    return tuple(zip(found.column("metric").to_pylist(), found.column("value").to_pylist(), strict=True))


def _in_training(model: Model, rows: Rows, options: Options) -> tuple[tuple[str, float], ...]:
    """How well the model fits the rows it has learnt from; nothing for recommenders, which leave these out."""
    if isinstance(options, RecommenderOptions) or "evaluate" not in model.verbs():
        return ()
    return tuple((f"training_{name}", value) for name, value in _evaluated(model, rows))


def _search(
    family: Family, plain: Mapping[str, Any], searched: Mapping[str, Candidates | Range], rows: Rows, training: Training
) -> Trained:
    """The best of some trials on the same held-out rows."""
    given = dict(plain)
    options, notes = read_options(family.options, given, family.name)
    if options.split == NO_SPLIT:
        options = replace(options, split=LEAVE_LAST_OUT if isinstance(options, RecommenderOptions) else "random")
        given["split"] = options.split
        given.pop("data_split_method", None)
    whole = _whole(family, searched)
    parts = split_rows(rows, options, family.name)
    number = options.trials or DEFAULT_TRIALS
    lists = _lists(searched)
    if lists is not None:
        number = min(number, math.prod(map(len, lists)))
    began = time.perf_counter()
    best: tuple[float, Trained] | None = None
    trials: list[dict[str, Any]] = []
    for at, values in enumerate(_draws(searched, whole, number, options.seed), 1):
        seconds = time.perf_counter() - began
        if options.trial_seconds and trials and seconds > options.trial_seconds:
            training.warn(f"the search ended after {at - 1} of {number} trials: trial_seconds had passed")
            break
        training.step(f"trial {at}", at - 1, number)
        tell = partial(_tell_trial, training.tell, f"trial {at} of {number}")
        trial = Training(tell, training.stopped, training.memory_bytes, training.threads)
        tried, _ = read_options(family.options, {**given, **values}, family.name)
        try:
            model = family.model.fit(parts.learn, tried, trial)
            evaluation = _held_out(model, parts.judge, tried)
        except Error as fault:
            if training.stopped():
                raise
            problem = str(fault).partition("\n")[0]
            trials.append({"trial": at, "options": dict(values), "metric": "", "value": None, "status": problem})
            continue
        metric, value = _judged(evaluation, options.objective_metric, family.name)
        trials.append({"trial": at, "options": dict(values), "metric": metric, "value": value, "status": "ok"})
        loss = value if metric in LOWER_IS_BETTER else -value
        if best is None or loss < best[0]:
            kept = (*notes, *trial.warnings)
            best = (loss, Trained(model, tried, kept, evaluation, True, tuple(trial.log)))
    if best is None:
        problem = f"{family.name}: no trial came to an end; the first: {trials[0]['status']}"
        raise ProgrammingError(compose(problem, hint="try the options one by one."))
    return replace(best[1], trials=tuple(trials), notes=(*best[1].notes, *training.warnings))


# options that say what is learnt and how it is judged
FIXED = frozenset(
    ["user_col", "item_col", "rating_col", "time_col", "label_col", "group_col", "objective", "split", "split_fraction",
     "split_col", "trials", "trial_seconds", "objective_metric"]
)  # fmt: skip


def _whole(family: Family, searched: Mapping[str, Candidates | Range]) -> set[str]:
    """Names of the searched options that take whole numbers.

    Raises:
        ProgrammingError: an option is unknown, or a range holds none of its values.
    """
    types = {name: option_type(family.options, name) for name in searched}
    for name, each in searched.items():
        if types[name] is None:
            read_options(family.options, {name: 0}, family.name)  # says what there is
        if isinstance(each, Range) and types[name] not in (int, float):
            problem = f"{name} of {family.name} is no number, so that there is no range of it"
            raise ProgrammingError(compose(problem, hint=f"write {name} = hparam_candidates([a, b, ..])."))
        if option_name(family.options, name) in FIXED:
            problem = f"{name} of {family.name} cannot be searched: all trials learn from the same rows, judged alike"
            raise ProgrammingError(compose(problem, hint=f"give it one value: {name} = .."))
        if isinstance(each, Range) and types[name] is int and math.ceil(each.low) > math.floor(each.high):
            problem = f"{name} of {family.name} is a whole number, and none is from {each.low} to {each.high}"
            raise ProgrammingError(compose(problem, hint="write hparam_range(low, high) with whole numbers."))
    return {name for name, kind in types.items() if kind is int}


def _tell_trial(tell: Callable[[str, int, int], None], trial: str, what: str, done: int, whole: int) -> None:
    tell(f"{trial}, {what}", done, whole)


def _judged(evaluation: tuple[tuple[str, float], ...], wanted: str, family: str) -> tuple[str, float]:
    """The metric that trials are compared by; infinitely bad where it is not a number."""
    known = {name: value for name, value in evaluation if name not in COUNTS}
    name = wanted.lower() or next((each for each in JUDGED_BY if each in known), "")
    if name not in known:
        hint = f"it is one of {', '.join(known)}."
        raise ProgrammingError(compose(f"{family} has no metric {wanted!r}, which objective_metric names", hint=hint))
    value = known[name]
    if math.isnan(value):
        value = math.inf if name in LOWER_IS_BETTER else -math.inf
    return name, value


def _lists(searched: Mapping[str, Candidates | Range]) -> list[tuple[Any, ...]] | None:
    """What every option chooses from; None where one has a range."""
    lists = [each.values for each in searched.values() if isinstance(each, Candidates)]
    return lists if len(lists) == len(searched) else None


def _draws(
    searched: Mapping[str, Candidates | Range], whole: Collection[str], number: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Combinations of values: all of them where there are no more than trials, else draws without repetition.

    Args:
        whole: names of the options that take whole numbers.
    """
    lists = _lists(searched)
    if lists is not None and math.prod(map(len, lists)) <= number:
        for values in itertools.product(*lists):
            yield dict(zip(searched, values, strict=True))
        return
    rng = np.random.default_rng(seed)
    seen: set[str] = set()
    for _ in range(number * 20):
        if len(seen) >= number:
            return
        values_by_name = {name: _drawn(each, rng, whole=name in whole) for name, each in searched.items()}
        if repr(values_by_name) not in seen:
            seen.add(repr(values_by_name))
            yield values_by_name


def _drawn(each: Candidates | Range, rng: np.random.Generator, *, whole: bool) -> Any:
    if isinstance(each, Candidates):
        return each.values[int(rng.integers(len(each.values)))]
    low, high = each.low, each.high
    end = high + 1 - 1e-9 if whole else high
    if low > 0 and high / low > 10:
        value = math.exp(rng.uniform(math.log(low), math.log(end)))
    else:
        value = float(rng.uniform(low, end))
    return min(max(math.floor(value), math.ceil(low)), math.floor(high)) if whole else min(max(value, low), high)
