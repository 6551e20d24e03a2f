"""What a model family is: options, a class that learns and answers, and the registry that holds them all."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import OperationalError, ProgrammingError, closest, compose
from paretosql.registry import Registry
from paretosql.udfs.options import Options
from paretosql.udfs.rows import Rows

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Arguments = Mapping[str, Any]

STATUS = "status"  # the column that says why a row has no answer
MEMORY_BYTES = 1 << 28  # our choice: what one block of work may take beside the model itself


@dataclass
class Training:
    """What a fit may use beside its rows: who watches, whether to stop, and how much memory a block of work may take.

    Attributes:
        tell: called with what is done, how many steps are, and of how many.
        threads: how many the database may use.
        stopped: whether the user wants the training to end.
        log: one entry per round: round, loss (None where a family knows none), seconds since the start.
        warnings: what the user should know of the trained model; DESCRIBE MODEL shows them.
    """

    tell: Callable[[str, int, int], None] = lambda what, done, whole: None
    stopped: Callable[[], bool] = lambda: False
    memory_bytes: int = MEMORY_BYTES
    threads: Callable[[], int] = lambda: 1
    log: list[tuple[int, float | None, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.perf_counter)

    def step(self, what: str, done: int, whole: int) -> None:
        """Say how far the training is.

        Raises:
            OperationalError: the user has stopped it.
        """
        if self.stopped():
            raise OperationalError(
                compose("the training was stopped", hint="nothing of it was kept; the model is as it was before.")
            )
        self.tell(what, done, whole)

    def round(self, number: int, whole: int, loss: float | None = None, what: str = "round") -> None:
        """The same after a round of an iterative method, which is kept in the log."""
        self.log.append((number, loss, time.perf_counter() - self._began))
        self.step(what, number, whole)

    def warn(self, text: str) -> None:
        """Note something once."""
        if text not in self.warnings:
            self.warnings.append(text)


@dataclass(frozen=True)
class State:
    """A trained model taken apart: facts fit into JSON, tensors are numeric, columns hold values of any type."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    columns: Mapping[str, pa.Array] = field(default_factory=dict)


class Model:
    """A trained model. A family subclasses one of the kinds (`Predictor`, `Recommender`) or this class itself.

    `fit` learns, `arrays` and `from_arrays` take a model apart and put it together again, `apply` answers batch by
    batch, `summarize` answers with one table about all rows it is given.
    """

    family: ClassVar[Family]
    options: Any

    @classmethod
    def fit(cls, rows: Rows, options: Any, training: Training) -> Self:
        """Learn from rows, which may be read several times.

        Raises:
            DataError, ProgrammingError: rows that cannot be learnt from, naming column and family.
        """
        raise NotImplementedError

    def inputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """The columns that a verb reads of its rows, in the order of the scalar form.

        Args:
            names: the columns that the rows have, where a verb can do with one or another; empty: not known.
        """
        raise NotImplementedError

    def outputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """The columns that a verb adds to its rows, or, when it passes none on, all it gives."""
        raise NotImplementedError

    def default_rows(self, verb: str) -> pa.Table:
        """The rows that a verb is about when none are given."""
        raise ProgrammingError(compose(f"{verb} needs rows", hint=f"write {verb}(MODEL name, TABLE t)."))

    def prepare(self, verb: str, arguments: Arguments) -> Arguments:
        """The arguments as `apply` takes them, made once for all batches: tables among them are looked up here."""
        return arguments

    def apply(self, verb: str, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        """Answers for some rows; the columns are `outputs`. Verbs that pass rows on keep number and order.

        Args:
            batch: the columns of `inputs` by their names, and further ones.
            arguments: all those of the verb, after `prepare`.
        Returns:
            The columns of `outputs`; verbs that pass rows on may add a text `STATUS`: why a row has no answer, or NULL.
        Raises:
            DataError: a value that cannot be used; `batches` finds the row.
        """
        raise NotImplementedError

    def bytes_per_row(self, verb: str, arguments: Arguments) -> int:
        """How much memory `apply` takes for a row, for the size of batches."""
        return 1024

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """The answer of a verb that reads all rows, or none."""
        raise NotImplementedError

    def arrays(self) -> State:
        """Everything that `from_arrays` needs beside the options."""
        raise NotImplementedError

    @classmethod
    def from_arrays(cls, state: State, options: Any) -> Self:
        """The model that `arrays` took apart."""
        raise NotImplementedError

    def key_columns(self, verb: str, names: Sequence[str]) -> list[str]:
        """Of the columns of a table, those that an answer of several rows for each row takes over as they are."""
        return []

    def other_inputs(self, verb: str) -> list[pa.Field]:
        """Columns that may stand in the place of those of `inputs`; none unless a family says so."""
        return []

    def verbs(self) -> tuple[str, ...]:
        """What this trained model can be asked, a part of what its family can."""
        return self.family.verbs


@dataclass(frozen=True)
class Family:
    """A kind of model: its name, what it can be asked, its options, the class, and where the idea comes from.

    `aliases` are names by which other systems know it, each with options that the name stands for.
    """

    name: str
    verbs: tuple[str, ...]
    options: type[Options]
    model: type[Model]
    source: str
    aliases: Mapping[str, Mapping[str, Any]]

    @property
    def about(self) -> str:
        """The first sentence of the class."""
        return (self.model.__doc__ or "").strip().partition("\n")[0]


M = TypeVar("M", bound=type[Model])
_families: Registry[Family] = Registry("model type")
_aliases: dict[str, tuple[str, Mapping[str, Any]]] = {}
_lock = threading.Lock()
_loaded = False


def family(
    name: str,
    *,
    options: type[Options],
    source: str,
    verbs: tuple[str, ...],
    aliases: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[M], M]:
    """A decorator that makes a class a family; ValueError when the name is taken."""

    def add(model: M) -> M:
        model.family = _families.add(name, Family(name, verbs, options, model, source, aliases or {}))
        for alias, preset in (aliases or {}).items():
            if alias in _aliases or alias in _families:
                raise ValueError(f"model type {alias!r} is registered twice")
            _aliases[alias] = (name, preset)
        return model

    return add


def families() -> Registry[Family]:
    """All families: ours, and those of installed packages (entry points of the group `paretosql.families`)."""
    global _loaded  # noqa: PLW0603
    with _lock:
        if not _loaded:
            from paretosql.udfs import families as ours

            for module in pkgutil.iter_modules(ours.__path__):
                importlib.import_module(f"{ours.__name__}.{module.name}")
            for point in entry_points(group="paretosql.families"):
                point.load()
            _loaded = True
    return _families


def find_family(name: str) -> tuple[Family, Mapping[str, Any]]:
    """A family by its name or that of another system, in any case, and the options the name stands for.

    Raises:
        ProgrammingError: no such family.
    """
    known, wanted = families(), name.lower()
    if wanted in _aliases:
        wanted, preset = _aliases[wanted]
        return known[wanted], preset
    if wanted not in known:
        near = closest(wanted, [*known, *_aliases])
        start = f"did you mean {near!r}? " if near else ""
        elsewhere = ABSENT.get(wanted)
        hint = elsewhere or f"{start}SHOW MODEL TYPES lists what there is: {', '.join(known)}."
        raise ProgrammingError(compose(f"no model type named {name!r}", hint=hint))
    return known[wanted], {}


_FORECAST = "forecasting is not here; lagged columns (lag(y) OVER (ORDER BY t)) with model_type = 'gbdt' go a long way."
_NETWORK = "networks are not here; model_type = 'gbdt' reads the same columns."
_FOREST = "forests are not here; model_type = 'gbdt' makes trees of the same columns, usually better ones."
# what people bring from elsewhere, and what to do instead
ABSENT = {
    **dict.fromkeys(("arima_plus", "arima", "arima_plus_xreg"), _FORECAST),
    **dict.fromkeys(
        (
            "dnn_classifier",
            "dnn_regressor",
            "dnn_linear_combined_classifier",
            "dnn_linear_combined_regressor",
            "automl_classifier",
            "automl_regressor",
        ),
        _NETWORK,
    ),
    **dict.fromkeys(("random_forest_classifier", "random_forest_regressor", "random_forest"), _FOREST),
    "pca": "principal components are not here; model_type = 'kmeans' groups rows, 'als' gives vectors of items.",
    "autoencoder": "autoencoders are not here; model_type = 'als' gives vectors of items.",
    "tensorflow": "only models trained here can be asked; CREATE MODEL .. AS SELECT trains one.",
    "onnx": "only models trained here can be asked; CREATE MODEL .. AS SELECT trains one.",
}
