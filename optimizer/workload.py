"""A workload trace in hand: a header and eight tables, which may be larger than memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.dataset as ds

from paretosql.errors import DataError, ProgrammingError, closest, compose
from paretosql.optimizer.schema import SCHEMA_VERSION, TABLES

TIME_BASES = ("epoch", "start")


@dataclass(frozen=True)
class Header:
    """Where a trace comes from. `time_base` is `epoch` (times since 1970) or `start` (since the trace began)."""

    schema_version: int = SCHEMA_VERSION
    time_base: str = "epoch"
    source: str = ""
    engine: str = ""
    created: str = ""

    def __post_init__(self) -> None:
        if self.time_base not in TIME_BASES:
            raise DataError(
                compose(f"time_base is {self.time_base!r}", hint=f"one of {', '.join(map(repr, TIME_BASES))}.")
            )


@dataclass(frozen=True)
class Trace:
    """A header and tables by name; tables that are not given are empty.

    Args:
        tables: Arrow tables, or data sets that are read when asked for. Their schemas are those of `schema.TABLES`.
        notes: what a reader left out or could not tell, one sentence each.
        holds: the temporary folder of its data sets, which is removed with the trace, or by `close`.

    Raises:
        DataError: a table of another name, or with other columns.

    >>> Trace(Header(), {})["jobs"].num_rows
    0
    """

    header: Header
    tables: Mapping[str, pa.Table | ds.Dataset]
    notes: tuple[str, ...] = ()
    holds: TemporaryDirectory[str] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        sets = {}
        for name, table in self.tables.items():
            expected = _known(name)
            if not table.schema.equals(expected):
                raise DataError(
                    compose(
                        f"table {name!r} has other columns than a trace: {_difference(table.schema, expected)}",
                        hint=f"paretosql.optimizer.schema.TABLES[{name!r}] is the Arrow schema it must have.",
                    )
                )
            sets[name] = table if isinstance(table, ds.Dataset) else ds.dataset(table)
        object.__setattr__(self, "tables", sets)

    def __getitem__(self, name: str) -> pa.Table:
        """A table in memory.

        Raises:
            ProgrammingError: no table of a trace has this name.
            DataError: the rows on disk do not fit the schema.
        """
        try:
            return self.scan(name).to_table()
        except pa.ArrowInvalid as fault:
            raise DataError(f"table {name!r} cannot be read: {fault}") from fault

    def scan(self, name: str) -> ds.Dataset:
        """A table as a data set: nothing is read yet. DuckDB and pyarrow read only the columns they need from it."""
        expected = _known(name)
        return self.tables[name] if name in self.tables else ds.dataset(expected.empty_table())

    def count(self, name: str) -> int:
        """The number of rows of a table, from metadata where there is some."""
        return int(self.scan(name).count_rows())

    def close(self) -> None:
        """Remove temporary files now; tables in them can be read no more."""
        if self.holds is not None:
            self.holds.cleanup()


def _known(name: str) -> pa.Schema:
    if name not in TABLES:
        near = closest(name, TABLES)
        start = f"did you mean {near!r}? " if near else ""
        raise ProgrammingError(
            compose(f"a trace has no table named {name!r}", hint=f"{start}Known: {', '.join(TABLES)}.")
        )
    return TABLES[name]


def _difference(given: pa.Schema, expected: pa.Schema) -> str:
    """The first difference of two schemas in words."""
    for name in expected.names:
        if name not in given.names:
            return f"{name} is missing"
        if given.field(name).type != expected.field(name).type:
            return f"{name} is {given.field(name).type}, not {expected.field(name).type}"
    extra = [name for name in given.names if name not in expected.names]
    return f"{extra[0]} is unknown" if extra else "the order or nullability differs"
