"""Rows to learn from, as blocks of numbers that can be read several times.

The first pass, `survey`, looks at every column; later passes encode the rows anew, unless they fit into memory, in
which case they are kept. Rows with a value that cannot be used are left out in every pass alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.udfs.encoding import Encoder
from paretosql.udfs.features import CATEGORY, TOO_LONG, Floats, Mask, Portrait, doubles, kind_of, unusable
from paretosql.udfs.ids import Codes, IdCollector
from paretosql.udfs.model import Training
from paretosql.udfs.rows import Rows
from paretosql.udfs.target import Target, TargetPortrait, Task, labelled

BLOCK_BYTES = 1 << 23  # our choice: of a block of features; larger ones are not faster
Block = tuple[Floats, npt.NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """What to make of the columns of some rows.

    Attributes:
        label, task: the column to predict, if any.
        ignored: columns that are no features.
        keys: columns that are no features, but without which a row is of no use.
        one_hot, tolerant: see `Encoder`.
    """

    family: str
    label: str | None = None
    task: Task = "regression"
    ignored: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    one_hot: bool = True
    tolerant: bool = False
    most_categories: int = 1_000

    def features(self, schema: pa.Schema) -> list[pa.Field]:
        """The columns that are features.

        Raises:
            ProgrammingError: none is left.
        """
        others = {name for name in (self.label, *self.ignored, *self.keys) if name}
        found = [field for field in schema if field.name not in others]
        if not found:
            problem = f"{self.family}: no column is left to learn from beside {', '.join(schema.names)}"
            raise ProgrammingError(compose(problem, hint="select the features as well."))
        return found


def survey(rows: Rows, plan: Plan, training: Training) -> tuple[Encoder, Target | None, int]:
    """One pass over the rows: how features are encoded, what the label is, and how many rows can be learnt from.

    Memory: one batch, and the different values of text columns as far as `Frequencies` keeps them.

    Raises:
        ProgrammingError, DataError: columns or values that cannot be learnt from, naming column and family.
    """
    fields = plan.features(rows.schema)
    kinds = [kind_of(field, plan.family) for field in fields]
    portraits = [Portrait(field, kind) for field, kind in zip(fields, kinds, strict=True)]
    label = None
    if plan.label is not None:
        label = TargetPortrait(rows.schema.field(plan.label), plan.task, plan.family)
    read = kept = 0
    for batch in rows.batches():
        training.step("reading rows", read, rows.num_rows)
        read += batch.num_rows
        usable = _usable(batch, plan, fields, kinds)
        rest = batch if usable is None else batch.filter(pa.array(usable))
        kept += rest.num_rows
        for field, portrait in zip(fields, portraits, strict=True):
            portrait.count_nulls(batch.column(field.name))
            portrait.add(rest.column(field.name), plan.family)
        if label is not None and plan.label is not None:
            label.add(rest.column(plan.label))
    if not kept:
        without = "there are no rows" if not read else f"every one of the {read:,} rows has a NULL or NaN"
        hint = "the training query gives none; look at its WHERE and its joins."
        if read:
            empty = [repr(field.name) for field, each in zip(fields, portraits, strict=True) if each.nulls == read]
            without += f" ({', '.join(empty)} in all of them)" if empty else ""
            hint = "COALESCE(column, value) in the query keeps rows, ignore_cols = [..] leaves columns out."
        raise DataError(compose(f"{plan.family}: {without}, so there is nothing to learn from", hint=hint))
    if kept < read:
        training.warn(f"{read - kept:,} of {read:,} rows with NULL, NaN or infinite values were left out")
    features = tuple(portrait.finish(plan.most_categories) for portrait in portraits)
    encoder = Encoder(plan.family, features, plan.one_hot, plan.tolerant)
    return encoder, label.finish() if label is not None else None, kept


def _usable(batch: pa.RecordBatch, plan: Plan, fields: Sequence[pa.Field], kinds: Sequence[str]) -> Mask | None:
    """Which rows can be learnt from; None where all can.

    Raises:
        DataError: a text is too long.
    """
    bad: Mask | None = None
    for field, kind in zip(fields, kinds, strict=True):
        column = batch.column(field.name)
        values = None if kind == CATEGORY else doubles(column, field.name, plan.family)
        for mask, why in unusable(column, values):
            if TOO_LONG in why:
                problem = f"{plan.family}: the column {field.name!r} holds {TOO_LONG}"
                hint = f"such text is no category: leave it out (ignore_cols = ['{field.name}']), or shorten it."
                raise DataError(compose(problem, hint=hint))
            if not plan.tolerant:
                bad = mask if bad is None else bad | mask
    for key in plan.keys:
        if batch.column(key).null_count:
            mask = batch.column(key).is_null().to_numpy(zero_copy_only=False)
            bad = mask if bad is None else bad | mask
    if plan.label is not None:
        mask = ~labelled(batch.column(plan.label), plan.task, plan.label, plan.family)
        if mask.any():
            bad = mask if bad is None else bad | mask
    return None if bad is None else ~bad


@dataclass
class Examples:
    """Rows that are learnt from, in their order.

    Attributes:
        rows: how many.
        width: of their features.
        change: what is done to the features of each block after they are encoded.
    """

    source: Rows
    plan: Plan
    encoder: Encoder
    target: Target | None
    rows: int
    training: Training
    change: Callable[[Floats], Floats] | None = None
    _kept: list[Block] | None = None

    @property
    def width(self) -> int:
        """How many columns the features have."""
        return self.encoder.width

    def through(self, change: Callable[[Floats], Floats]) -> Examples:
        """The same rows with changed features, such as standardised ones; the function may write into its argument."""
        return replace(self, change=change, _kept=None)

    @property
    def fits(self) -> bool:
        """Whether all rows fit into the memory that the training has for a block of work."""
        return 8 * self.rows * (self.width + 1) <= self.training.memory_bytes

    def blocks(self, *, again: bool = True) -> Iterator[Block]:
        """Features, shape (b, width), and labels, shape (b,), of some rows after others; do not write into them.

        Labels are doubles, or numbers of classes (int64); without a target they are empty.

        Args:
            again: whether the rows will be read once more; they are then kept in memory if they fit.
        """
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] | None = [] if again and self.fits else None
        read = 0
        for block in self._encoded():
            self.training.step("reading rows", read, self.rows)
            read += len(block[0])
            if kept is not None:
                kept.append(block)
            yield block
        self._kept = kept

    def whole(self) -> Block:
        """All rows at once: 8 rows width bytes."""
        features = np.empty((self.rows, self.width), order="F")
        labels: list[npt.NDArray[Any]] = []
        at = 0
        for block, label in self.blocks(again=False):
            features[at : at + len(block)] = block
            labels.append(label)
            at += len(block)
        return features, np.concatenate(labels)

    def keys(self, name: str) -> Codes:
        """The values of another column as numbers from 0, shape (rows,)."""
        ids = IdCollector(self.source.schema.field(name).type)
        for batch in self._batches():
            ids.add(batch.column(name))
        return ids.finish()[1]

    def _encoded(self) -> Iterator[Block]:
        for batch in self._batches():
            features = self.encoder.encode(batch).features
            if self.change is not None:
                features = self.change(features)
            yield features, self._labels(batch)

    def _labels(self, batch: pa.RecordBatch) -> npt.NDArray[Any]:
        if self.target is None:
            return np.empty(0)
        return self.target.encode(batch, self.plan.family)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that can be learnt from, with all their columns."""
        fields = self.plan.features(self.source.schema)
        kinds = [each.kind for each in self.encoder.features]
        for batch in pieces(self.source, self.width):
            usable = _usable(batch, self.plan, fields, kinds)
            rest = batch if usable is None else batch.filter(pa.array(usable))
            if rest.num_rows:
                yield rest


def pieces(rows: Rows, width: int) -> Iterator[pa.RecordBatch]:
    """The batches of some rows, cut so that a matrix of this width takes about `BLOCK_BYTES`."""
    most = max(1, BLOCK_BYTES // (8 * max(1, width)))
    for batch in rows.batches():
        for first in range(0, batch.num_rows, most):
            yield batch.slice(first, most)
