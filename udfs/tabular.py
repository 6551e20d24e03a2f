"""The kind of family that reads a table of features: columns to a matrix, and answers to those rows that can be used.

A family learns tensors from `Examples` (`learn`) and answers a matrix with arrays (`answers`). `Predictor` is the
subclass of families with a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import ProgrammingError, compose
from paretosql.udfs.encoding import Encoded, Encoder
from paretosql.udfs.examples import Examples, Plan, survey
from paretosql.udfs.features import described
from paretosql.udfs.model import STATUS, Arguments, Model, State, Training
from paretosql.udfs.options import Options, option
from paretosql.udfs.roles import found_column, named_column, plain_type
from paretosql.udfs.rows import Rows
from paretosql.udfs.target import Target

Learned = Mapping[str, npt.NDArray[Any]]
LEAST_ROW_BYTES = 1 << 11  # our choice: batches of some 100,000 rows; larger ones are no faster


@dataclass(frozen=True)
class TabularOptions(Options):
    """What all families take that read a table of features."""

    ignore_cols: tuple[str, ...] = option(
        (), "columns that are no features, such as keys", aliases=("ignore_columns", "exclude_cols")
    )
    max_categories: int = option(
        1_000, "the most frequent values of a text column that are told apart; the rest counts as one", low=1
    )


class Tabular(Model):
    """A trained model of a table of features."""

    one_hot: ClassVar[bool] = True  # see Encoder

    def __init__(
        self,
        options: Any,
        encoder: Encoder,
        target: Target | None,
        learned: Learned,
        keys: Sequence[pa.Field] = (),
    ) -> None:
        self.options = options
        self.encoder = encoder
        self._target = target
        self.learned = learned
        self.keys = tuple(keys)

    # what a family brings

    @classmethod
    def learn(cls, examples: Examples, options: Any, training: Training) -> Learned:
        """What is learnt from the rows: named tensors."""
        raise NotImplementedError

    def answers(self, features: Any, arguments: Arguments) -> list[pa.Array]:
        """The columns of `outputs` for n > 0 rows as `encoded` gives them."""
        raise NotImplementedError

    def encoded(self, batch: pa.RecordBatch) -> Encoded:
        """A batch as `answers` takes it: a matrix of shape (n, width), without NaN in rows that can be used."""
        return self.encoder.encode(batch)

    # learning

    @classmethod
    def plan(cls, schema: pa.Schema, options: Any) -> Plan:
        """What to make of the columns; see `Plan`."""
        name, names = cls.family.name, schema.names
        ignored = [named_column(names, each, "ignore_cols", name) for each in options.ignore_cols]
        given = getattr(options, "label_col", "")
        label = found_column(names, given) if given else None
        if label in ignored:
            problem = f"{name}: the column {label!r} is both label_col and one of ignore_cols"
            raise ProgrammingError(
                compose(problem, hint="the label is no feature anyway; leave it out of ignore_cols.")
            )
        if options.split == "column" and (split := found_column(names, options.split_col)):
            if split == label:
                hint = "make a column in the query that says which rows are held out: hash(id) % 5 = 0 AS is_test."
                problem = f"{name}: the column {split!r} is both label_col and split_col"
                raise ProgrammingError(compose(problem, hint=hint))
            ignored.append(split)
        return Plan(name, ignored=tuple(ignored), one_hot=cls.one_hot, most_categories=options.max_categories)

    @classmethod
    def fit(cls, rows: Rows, options: Any, training: Training) -> Self:
        """Learn from rows; for the errors see `survey`."""
        plan = cls.plan(rows.schema, options)
        encoder, target, usable = survey(rows, plan, training)
        examples = Examples(rows, plan, encoder, target, usable, training)
        keys = [rows.schema.field(each) for each in plan.keys]
        return cls(options, encoder, target, cls.learn(examples, options, training), keys)

    def arrays(self) -> State:
        """Features and label as facts and columns, what was learnt as tensors."""
        encoder, columns = self.encoder.facts()
        facts: dict[str, Any] = {"encoder": encoder, "keys": [each.name for each in self.keys]}
        columns |= {f"key_{at}": pa.array([], plain_type(each.type)) for at, each in enumerate(self.keys)}
        if self._target is not None:
            facts["target"], label = self._target.facts()
            columns |= label
        return State(facts, {name: np.ascontiguousarray(each) for name, each in self.learned.items()}, columns)

    @classmethod
    def from_arrays(cls, state: State, options: Any) -> Self:
        """The model that `arrays` took apart."""
        facts, columns = state.facts, state.columns
        encoder = Encoder.from_facts(cls.family.name, facts["encoder"], columns)
        target = Target.from_facts(facts["target"], columns) if "target" in facts else None
        keys = [pa.field(name, columns[f"key_{at}"].type) for at, name in enumerate(facts["keys"])]
        return cls(options, encoder, target, state.tensors, keys)

    # being asked

    def inputs(self, verb: str, names: Sequence[str] = ()) -> list[pa.Field]:
        """The features; also the label where a verb compares with it."""
        return self.encoder.fields

    def bytes_per_row(self, verb: str, arguments: Arguments) -> int:
        """The matrix, what a family makes of it, and the answers."""
        return max(LEAST_ROW_BYTES, 24 * self.encoder.width)

    def apply(self, verb: str, batch: pa.RecordBatch, arguments: Arguments) -> pa.RecordBatch:
        """Answers to each row; NULL, with the reason as `STATUS`, for rows with a feature that cannot be used."""
        outputs = self.outputs(verb, batch.schema.names)
        names = [each.name for each in outputs]
        encoded = self.encoded(batch)
        usable = encoded.usable
        if usable is None and batch.num_rows:
            return pa.RecordBatch.from_arrays(self.answers(encoded.features, arguments), names=names)
        if usable is None or not usable.any():
            found = [pa.nulls(batch.num_rows, each.type) for each in outputs]
        else:
            place = pa.array(np.cumsum(usable) - 1, mask=~usable)
            found = [each.take(place) for each in self.answers(encoded.where(usable), arguments)]
        if encoded.faults is None:
            return pa.RecordBatch.from_arrays(found, names=names)
        return pa.RecordBatch.from_arrays([*found, encoded.faults], names=[*names, STATUS])

    def summarize(self, verb: str, rows: Rows | None, arguments: Arguments) -> pa.Table:
        """What the features looked like; a family adds its own verbs."""
        if verb == "feature_info":
            return described(self.encoder.features)
        if rows is None:
            raise ProgrammingError(compose(f"{verb} needs rows", hint=f"write {verb}(MODEL name, TABLE t)."))
        raise NotImplementedError(verb)
