"""Options of model families: frozen dataclasses that are read from what a user wrote, and checked.

A field is declared with `option`, which says what it means, which values it takes, where its default comes from, and
what other systems call it:

    @dataclass(frozen=True)
    class EaseOptions(RecommenderOptions):
        l2: float = option(200.0, "ridge", low=0.0, aliases=("l2_reg",), source="data README")
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from paretosql.errors import ProgrammingError, closest, compose

T = TypeVar("T", bound="Options")
OUR_CHOICE = "our choice"
NO_SPLIT, LEAVE_LAST_OUT, COLD_USERS, COLD_ITEMS = "none", "leave_last_out", "cold_users", "cold_items"
SPLITS = (NO_SPLIT, "random", LEAVE_LAST_OUT, "time", COLD_USERS, COLD_ITEMS, "column")
LARGEST_SEED = 2**63 - 1
LARGEST_SINGLE = 1e30  # our choice: of what is multiplied in four bytes, where 3e38 is the end


@dataclass(frozen=True)
class About:
    """What is known of an option: its meaning, limits, and the names other systems have for it."""

    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    spellings: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # values of other systems, and ours for them
    source: str = OUR_CHOICE


def option(default: Any, text: str, **about: Any) -> Any:
    """A field of an options class; see `About`."""
    return dataclasses.field(default=default, metadata={"about": About(text, **about)})


@dataclass(frozen=True)
class Options:
    """What every family takes."""

    seed: int = option(0, "of everything random; the same seed and rows give the same model", low=0, high=LARGEST_SEED)
    split: str = option(
        NO_SPLIT,
        "rows held out to judge the model by, which evaluate(MODEL m) then shows",
        choices=SPLITS,
        aliases=("data_split_method",),
        spellings={"no_split": NO_SPLIT, "auto_split": "random", "seq": "time", "custom": "column"},
    )
    split_fraction: float = option(
        0.2, "share of rows, users or items held out", low=0.001, high=0.9, aliases=("data_split_eval_fraction",)
    )
    split_col: str = option(
        "", "column of split = 'column' (true: held out) and of 'time'", aliases=("data_split_col",)
    )
    trials: int = option(
        0,
        "how many combinations of hparam_candidates(..) and hparam_range(..) to try; 0: 10 where any is given",
        low=0,
        high=10_000,
        aliases=("num_trials",),
    )
    trial_seconds: float = option(0.0, "no new trial begins after so many seconds; 0: no limit", low=0.0)
    objective_metric: str = option(
        "", "what trials are compared by, one of evaluate's metrics", aliases=("hparam_tuning_objectives",)
    )


# what other systems take and what has no effect here, by the reason
IGNORED = {
    **dict.fromkeys(
        (
            "enable_global_explain",
            "model_registry",
            "vertex_ai_model_id",
            "vertex_ai_model_version_aliases",
            "kms_key_name",
            "labels",
            "max_parallel_trials",
            "hparam_tuning_algorithm",
            "calculate_p_values",
            "category_encoding_method",
            "fit_intercept_only",
            "xgboost_version",
            "tree_method",
            "dart_normalize_type",
            "num_parallel_tree",
            "colsample_bylevel",
            "colsample_bynode",
            "approx_global_feature_contrib",
        ),
        "has no meaning here",
    ),
    **dict.fromkeys(
        (
            "optimize_strategy",
            "learn_rate_strategy",
            "learn_rate",
            "ls_init_learn_rate",
            "warm_start",
            "early_stop",
            "min_rel_progress",
        ),
        "the solver here needs no such choice",
    ),
}


_types_of: Callable[[Any], dict[str, Any]] = cache(typing.get_type_hints)


def fields_of(kind: type[Options]) -> dict[str, tuple[Any, Any, About]]:
    """Name to type, default and meaning of every option, inherited ones last."""
    hints = _types_of(kind)
    found = {each.name: (hints[each.name], each.default, each.metadata["about"]) for each in dataclasses.fields(kind)}
    common = {each.name for each in dataclasses.fields(Options)}
    return dict(sorted(found.items(), key=lambda item: item[0] in common))


def option_name(kind: type[Options], word: str) -> str | None:
    """What an option is called that is written by any of its names; None when there is none."""
    known = fields_of(kind)
    return next((name for name, (_, _, about) in known.items() if word.lower() in (name, *about.aliases)), None)


def option_type(kind: type[Options], word: str) -> Any:
    """Its type; None when there is none."""
    name = option_name(kind, word)
    return None if name is None else fields_of(kind)[name][0]


def read_options(kind: type[T], given: Mapping[str, Any], family: str) -> tuple[T, list[str]]:
    """Options from values by name, and what was noted about them.

    Raises:
        ProgrammingError: an unknown option, a value of another type or out of its range.
    """
    known = fields_of(kind)
    names = {alias: name for name, (_, _, about) in known.items() for alias in about.aliases}
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    notes = []
    for word, value in given.items():
        lower = word.lower()
        name = names.get(lower, lower)
        if name in known:
            if name in values:
                problem = f"the options {written[name]} and {word} of {family} mean the same"
                raise ProgrammingError(compose(problem, hint=f"leave {word} out."))
            values[name], written[name] = checked(name, value, known[name], family), word
        elif lower in IGNORED:
            notes.append(f"the option {lower} is ignored: {IGNORED[lower]}")
        else:
            near = closest(lower, [*known, *names])
            start = f"did you mean {near}? " if near else ""
            listed = ", ".join(known)
            problem = f"the model type {family} has no option {word!r}"
            raise ProgrammingError(compose(problem, hint=f"{start}Its options are {listed}."))
    return kind(**values), notes


IN_OPTIONS = "OPTIONS (.. {} = value)"


def checked(name: str, value: Any, known: tuple[Any, Any, About], family: str, written: str = IN_OPTIONS) -> Any:
    """A value as the type of the option; ProgrammingError where it does not fit.

    Args:
        written: how a value is given, for the hint.
    """
    kind, default, about = known
    if isinstance(value, (str, bool)) and str(value).lower() in about.spellings:
        value = about.spellings[str(value).lower()]
    found = _as(kind, value, default)
    if found is None and not (value is None and default is None):
        raise _wrong(name, value, _called(kind), family, written)
    if about.choices and str(found).lower() not in about.choices:
        near = closest(str(found), about.choices)
        start = f"did you mean {near!r}? " if near else ""
        problem = f"{name} of {family} is not {value!r}"
        raise ProgrammingError(compose(problem, hint=f"{start}It is one of {', '.join(about.choices)}."))
    low, high = about.low, about.high
    for each in found if isinstance(found, tuple) else (found,):
        number = isinstance(each, (int, float)) and not isinstance(each, bool)
        if number and not ((low is None or each >= low) and (high is None or each <= high)):
            nearest = low if low is not None and each < low else high
            raise _wrong(name, value, _limits(low, high), family, written.replace("value", f"{nearest}"))
    return found.lower() if about.choices else found


def _as(kind: Any, value: Any, default: Any) -> Any:
    """The value as a type; None where it is not one."""
    if isinstance(kind, types.UnionType):
        return next((each for part in kind.__args__ if (each := _as(part, value, default)) is not None), None)
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        many = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        parts = [_as(inner, each, None) for each in many]
        return None if any(each is None for each in parts) else tuple(parts)
    if isinstance(value, (list, tuple)) and len(value) == 1:  # input_label_cols = ['y'], where one name is wanted
        value = value[0]
    if kind is bool:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind is int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return int(value) if whole else None
    if kind is float:
        return _number(value)
    return value if kind is str and isinstance(value, str) else None


def _number(value: Any) -> float | None:
    try:
        found = float(value) if not isinstance(value, str) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and math.isfinite(found) else None


def _called(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_called(part) for part in kind.__args__ if part is not type(None))
    if typing.get_origin(kind) is tuple:
        return f"a list, each {_called(typing.get_args(kind)[0])}"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[kind]


def _limits(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_written(high)}"
    return f"at least {_written(low)}" if high is None else f"from {_written(low)} to {_written(high)}"


def _written(number: float | None) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _wrong(name: str, value: Any, wanted: str, family: str, written: str) -> ProgrammingError:
    given = "NULL" if value is None else repr(value)
    return ProgrammingError(
        compose(f"{name} of {family} is {wanted}, not {given}", hint=f"write {written.format(name)}.")
    )


def shown(value: Any) -> str:
    """A value as one writes it in SQL, text without its quotes.

    >>> shown(True), shown(0.5), shown(()), shown(("a", "b")), shown(None)
    ('true', '0.5', '[]', '[a, b]', 'NULL')
    """
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(shown, value))}]"
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def changed_numbers(options: Options) -> dict[str, float]:
    """Options of a family with fractions that are not as they are by default."""
    own = [each for each in dataclasses.fields(options) if not hasattr(Options, each.name)]
    given = {each.name: (getattr(options, each.name), each.default) for each in own}
    return {name: value for name, (value, default) in given.items() if isinstance(value, float) and value != default}


def as_facts(options: Options) -> dict[str, Any]:
    """Options as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(options).items()}


def from_facts(kind: type[T], facts: Mapping[str, Any]) -> T:
    """The options that `as_facts` wrote; those of a newer version that are unknown here are an error above."""
    hints = _types_of(kind)
    tuples = {name for name, hint in hints.items() if typing.get_origin(hint) is tuple}
    known = {each.name for each in dataclasses.fields(kind)}
    given: dict[str, Any] = {k: tuple(v) if k in tuples else v for k, v in facts.items() if k in known}
    return kind(**given)
