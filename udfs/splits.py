"""Which rows are held out to judge a model by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from paretosql.errors import ProgrammingError, compose, spelt
from paretosql.udfs.ids import IdCollector
from paretosql.udfs.interactions import RecommenderOptions, columns_of
from paretosql.udfs.model import Ints
from paretosql.udfs.options import Options
from paretosql.udfs.roles import TIMES, named_column, needed_column, numbers
from paretosql.udfs.rows import Rows, Spool

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """Rows to learn from, and rows held out."""

    learn: Spool
    judge: Spool


def split_rows(rows: Rows, options: Options, family: str) -> Split:
    """Rows divided as `options.split` says; the order within both parts stays.

    `random`: each row by itself. `leave_last_out`: the last row of every user by time (of equal times the last row;
    without times the last row). `time`: the latest rows by split_col or time_col. `cold_users`, `cold_items`: all rows
    of some users or items. `column`: rows in which a column is true. Always about `split_fraction`, but for
    leave_last_out and column.

    Raises:
        ProgrammingError: a column that is needed is not there; nothing would be left to learn from or to judge by.
    """
    held_out = _masks[options.split](rows, options, family)
    if not held_out.any() or held_out.all():
        part = "held out" if not held_out.any() else "left to learn from"
        hint = "give more rows, or another split_fraction."
        raise ProgrammingError(compose(f"{family}: split = '{options.split}' leaves no row {part}", hint=hint))
    learn, judge, at = Spool(rows.schema), Spool(rows.schema), 0
    for batch in rows.batches():
        mine = held_out[at : at + batch.num_rows]
        at += batch.num_rows
        learn.add(batch.filter(pa.array(~mine)))
        judge.add(batch.filter(pa.array(mine)))
    return Split(learn, judge)


def _random(rows: Rows, options: Options, family: str) -> Mask:
    found: Mask = np.random.default_rng(options.seed).random(rows.num_rows) < options.split_fraction
    return found


def _by_time(rows: Rows, options: Options, family: str) -> Mask:
    of_rows = options.time_col if isinstance(options, RecommenderOptions) else ""
    option = "time_col" if of_rows and not options.split_col else "split_col"
    name = needed_column(rows.schema.names, options.split_col or of_rows, TIMES, option, family, part="time")
    times = _numbers_of(rows, name, family)
    order = np.argsort(times, kind="stable")
    found = np.zeros(len(times), dtype=bool)
    found[order[len(order) - round(options.split_fraction * len(order)) :]] = True
    return found


def _by_column(rows: Rows, options: Options, family: str) -> Mask:
    if not options.split_col:
        raise ProgrammingError(compose(f"{family}: split = 'column' needs split_col", hint="split_col = 'is_test'."))
    name = named_column(rows.schema.names, options.split_col, "split_col", family)
    if not pa.types.is_boolean(rows.schema.field(name).type):
        hint = f"make it so in the query: {spelt(name)} = 'test' AS {spelt(name)}; rows where it is true are held out."
        raise ProgrammingError(
            compose(f"{family}: the column {name!r} of split_col holds no true and false", hint=hint)
        )
    parts = [pc.fill_null(batch.column(name), False).to_numpy(zero_copy_only=False) for batch in rows.batches()]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _last_of_each(rows: Rows, options: Options, family: str) -> Mask:
    columns = columns_of(rows.schema, _recommender(options, family), family)
    user = _codes(rows, columns.user)
    times = np.zeros(len(user)) if columns.time is None else _numbers_of(rows, columns.time, family)
    order = np.lexsort((np.arange(len(user)), times, user))
    last = np.diff(user[order], append=-2) != 0
    found = np.zeros(len(user), dtype=bool)
    found[order[last]] = True
    found[user < 0] = False
    return found


def _cold(part: str) -> Any:
    def mask(rows: Rows, options: Options, family: str) -> Mask:
        columns = columns_of(rows.schema, _recommender(options, family), family)
        codes = _codes(rows, columns.user if part == "users" else columns.item)
        number = int(codes.max(initial=-1)) + 1
        most = max(1, round(options.split_fraction * number))
        chosen = np.random.default_rng(options.seed).permutation(number)[:most]
        found: Mask = np.isin(codes, chosen)
        return found

    return mask


def _recommender(options: Options, family: str) -> RecommenderOptions:
    if not isinstance(options, RecommenderOptions):
        problem = f"{family} has no users and items, which split = '{options.split}' is about"
        raise ProgrammingError(compose(problem, hint="use 'random', 'time' or 'column'."))
    return options


def _codes(rows: Rows, name: str) -> Ints:
    """Numbers of the values of a column, -1 for NULL."""
    ids = IdCollector(rows.schema.field(name).type)
    valid = []
    for batch in rows.batches():
        column = batch.column(name)
        valid.append(column.is_valid().to_numpy(zero_copy_only=False))
        ids.add(column.drop_null())
    known = np.concatenate(valid) if valid else np.zeros(0, dtype=bool)
    found = np.full(len(known), -1, dtype=np.int64)
    found[known] = ids.finish()[1]
    return found


def _numbers_of(rows: Rows, name: str, family: str) -> npt.NDArray[np.float64]:
    parts: Sequence[Any] = [
        pc.fill_null(numbers(batch.column(name), name, family), -np.inf).to_numpy(zero_copy_only=False)
        for batch in rows.batches()
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


_masks: dict[str, Any] = {
    "random": _random,
    "time": _by_time,
    "column": _by_column,
    "leave_last_out": _last_of_each,
    "cold_users": _cold("users"),
    "cold_items": _cold("items"),
}
