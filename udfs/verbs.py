"""What a model can be asked, and with which named arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from paretosql.errors import ProgrammingError, closest, compose
from paretosql.udfs.options import About, checked

RELATION = "relation"  # the kind of an argument that is a table or a query
Source = Literal["needed", "optional", "none"]


@dataclass(frozen=True)
class Argument:
    """A named argument: the type of its values, or `RELATION`; what is assumed, and what it means."""

    kind: Any
    default: Any
    about: About


@dataclass(frozen=True)
class Verb:
    """How models are asked.

    source: whether rows must be given. passes: whether their columns come first in the answer, row by row.
    """

    name: str
    text: str
    source: Source
    passes: bool = False
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema | None:
        """The columns of the answer where it is one table about all rows, or about none."""
        return _TABLES.get(self.name)

    @property
    def whole(self) -> bool:
        """Whether the answer is one table about all rows, instead of something for each."""
        return self.name in _TABLES


def _argument(kind: Any, default: Any, text: str, **about: Any) -> Argument:
    return Argument(kind, default, About(text, **about))


_THRESHOLD = _argument(
    float | None, None, "probability from which on the second of two classes is predicted", low=0.0, high=1.0
)
_K = _argument(int, 10, "how many for each row", low=1, high=1_000_000, aliases=("top_k",))
_SEEN = _argument(bool, True, "whether items that a user has in the training rows are left out")
_HISTORY = _argument(
    RELATION, None, "rows of users and items that take the place of what training knows of these users"
)
_CANDIDATES = _argument(RELATION, None, "rows with the items that may be recommended; default: all")
_CACHE = _argument(bool, False, "whether answers are remembered, so that equal rows are asked once")


def _columns(**types: pa.DataType) -> pa.Schema:
    return pa.schema(list(types.items()))


# the columns of answers that are one table
_TABLES = {
    "evaluate": _columns(metric=pa.string(), value=pa.float64()),
    "confusion_matrix": _columns(expected_label=pa.string(), predicted_label=pa.string(), count=pa.int64()),
    "roc_curve": _columns(
        threshold=pa.float64(),
        recall=pa.float64(),
        false_positive_rate=pa.float64(),
        true_positives=pa.int64(),
        false_positives=pa.int64(),
        true_negatives=pa.int64(),
        false_negatives=pa.int64(),
    ),
    "weights": _columns(
        processed_input=pa.string(), category=pa.string(), class_label=pa.string(), weight=pa.float64()
    ),
    "centroids": _columns(
        centroid_id=pa.int64(), feature=pa.string(), category=pa.string(), numerical_value=pa.float64()
    ),
    "feature_importance": _columns(feature=pa.string(), importance_weight=pa.float64(), importance_gain=pa.float64()),
    "feature_info": _columns(
        input=pa.string(),
        kind=pa.string(),
        min=pa.float64(),
        max=pa.float64(),
        mean=pa.float64(),
        stddev=pa.float64(),
        category_count=pa.int64(),
        null_count=pa.int64(),
    ),
    "training_info": _columns(iteration=pa.int64(), loss=pa.float64(), seconds=pa.float64()),
    "trial_info": _columns(
        trial=pa.int64(), options=pa.string(), metric=pa.string(), value=pa.float64(), status=pa.string()
    ),
}

VERBS: dict[str, Verb] = {
    each.name: each
    for each in (
        Verb(
            "predict", "what the model says of each row", "needed", passes=True,
            arguments={"threshold": _THRESHOLD, "cache": _CACHE, "history": _HISTORY},
        ),
        Verb(
            "recommend", "the best items for each user", "optional",
            arguments={
                "k": _K, "exclude_seen": _SEEN, "history": _HISTORY, "candidates": _CANDIDATES,
                "cold_start": _argument(
                    str, "popular", "what users without a history get: popular items or none",
                    choices=("popular", "none"),
                ),
            },
        ),
        Verb("similar", "the items most like each item, or each vector", "optional",
             arguments={"k": _K, "candidates": _CANDIDATES}),
        Verb("embed", "the vector of each item", "optional", passes=True),
        Verb("evaluate", "how good the model is on given rows, or on those held out", "optional",
             arguments={"threshold": _THRESHOLD, "k": _K, "exclude_seen": _SEEN, "history": _HISTORY}),
        Verb("confusion_matrix", "how often each class was taken for each", "optional",
             arguments={"threshold": _THRESHOLD}),
        Verb("roc_curve", "recall and false alarms at each threshold", "optional"),
        Verb("weights", "what was learnt of each feature", "none"),
        Verb("centroids", "the middle of each cluster", "none"),
        Verb("feature_importance", "how much each feature is used", "none"),
        Verb("feature_info", "what the features looked like in training", "none"),
        Verb("training_info", "the rounds of the training", "none"),
        Verb("trial_info", "the trials of the search for options", "none"),
    )
}  # fmt: skip
ALWAYS = ("training_info", "trial_info")  # every family has them
INFO = ("feature_info", *ALWAYS)


def argument_of(verb: Verb, word: str) -> Argument | None:
    """The argument of a name, in any case and by any of its names; None when there is none."""
    wanted = word.lower()
    return next((each for name, each in verb.arguments.items() if wanted in (name, *each.about.aliases)), None)


def read_arguments(verb: str, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All arguments of a verb, checked, defaults filled in; relations stay as they are.

    Raises:
        ProgrammingError: an unknown argument, one given by two names, a value that does not fit.
    """
    known = VERBS[verb].arguments
    names = {alias: name for name, each in known.items() for alias in each.about.aliases}
    found = {name: each.default for name, each in known.items()}
    written: dict[str, str] = {}
    for word, value in given.items():
        name = names.get(word.lower(), word.lower())
        if name not in known:
            near = closest(name, known)
            start = f"did you mean {near}? " if near else ""
            listed = f"They are {', '.join(known)}." if known else "It has none."
            raise ProgrammingError(compose(f"{verb} has no argument {word!r}", hint=start + listed))
        if name in written:
            problem = f"the arguments {written[name]} and {word} of {verb} mean the same"
            raise ProgrammingError(compose(problem, hint=f"leave {word} out."))
        written[name] = word
        each = known[name]
        about = (each.kind, each.default, each.about)
        found[name] = (
            value if each.kind == RELATION else checked(name, value, about, f"{verb} of {where}", "{} => value")
        )
    return found
