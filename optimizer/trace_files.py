"""Traces on disk: a folder with `trace.json` and one Parquet file, or one folder of them, per table.

    trace.json  jobs.parquet  stages.parquet  instances/0.parquet  instances/1.parquet  ...

A folder is whole or absent: it is filled beside its place and then renamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from paretosql.errors import DataError, NotSupportedError, closest, compose
from paretosql.optimizer.folders import written_whole
from paretosql.optimizer.schema import SCHEMA_VERSION, TABLES
from paretosql.optimizer.workload import Header, Trace

HEADER_FILE = "trace.json"


def write_trace(trace: Trace, path: str | Path, *, replace: bool = False) -> None:
    """Write a folder with one Parquet file for each table that has rows, and `trace.json`.

    Args:
        path: a folder that does not exist or is empty. Nothing is left of it when writing fails or is interrupted.
        replace: True: take the place of another trace, which stays as it is until the new one is complete.

    Raises:
        OperationalError: something else is there, or the disk failed.
        DataError: a column that is never null holds a null.
    """
    with written_whole(path, "trace", _holds_trace, replace=replace) as half:
        for name in TABLES:
            if trace.count(name):
                _write_table(trace, name, half / f"{name}.parquet")
        header = {**asdict(trace.header), **({"notes": list(trace.notes)} if trace.notes else {})}
        (half / HEADER_FILE).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")


def _write_table(trace: Trace, name: str, file: Path) -> None:
    schema = TABLES[name]
    needed = [field.name for field in schema if not field.nullable]
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        row = 0
        for batch in _batches(trace, name):
            for column in needed:
                if batch[column].null_count:
                    at = row + batch[column].is_null().index(True).as_py()
                    raise DataError(compose(f"{name}.{column} is null in row {at}", hint="this column is never null."))
            row += batch.num_rows
            writer.write_batch(batch)


def _batches(trace: Trace, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of a table in order, as record batches.

    Raises:
        DataError: the rows on disk do not fit the schema.
    """
    try:
        yield from trace.scan(name).to_batches()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
        raise DataError(f"table {name!r} cannot be read: {fault}") from fault


def read_files(path: Path) -> Trace:
    """A trace in our own format; tables are read when asked for.

    Raises:
        DataError: a file is damaged, a column is missing, unknown or of another type.
        NotSupportedError: a later version of this package wrote it.
    """
    header, notes = _read_header(path / HEADER_FILE)
    tables = {}
    for name in TABLES:
        files = _files(path, name)
        if files:
            tables[name] = ds.dataset([str(file) for file in files], schema=TABLES[name], format="parquet")
            for file in files:
                _check_columns(file, name)
    return Trace(header, tables, notes)


def _files(path: Path, name: str) -> list[Path]:
    single, folder = path / f"{name}.parquet", path / name
    if single.is_file() and folder.is_dir():
        raise DataError(compose(f"{path} has both {single.name} and {name}/", hint="keep one of the two."))
    return [single] if single.is_file() else sorted(folder.glob("*.parquet"))


def _holds_trace(folder: Path) -> bool:
    return (folder / HEADER_FILE).is_file()


def _read_header(file: Path) -> tuple[Header, tuple[str, ...]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        version = found["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise DataError(compose(f"{file} is damaged: {fault!r}", hint="a JSON object with schema_version.")) from fault
    if not isinstance(version, int) or version < 1:
        raise DataError(compose(f"{file} has schema_version {version!r}", hint="a whole number from 1."))
    if version > SCHEMA_VERSION:
        raise NotSupportedError(
            compose(
                f"{file} has schema version {version}; this version of paretosql reads up to {SCHEMA_VERSION}",
                hint="install a newer paretosql.",
            )
        )
    known = {each.name: found[each.name] for each in fields(Header) if each.name in found}
    notes = found.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(each, (str, int)) for each in known.values()):
        raise DataError(
            compose(f"{file} is damaged", hint="notes are a list, and everything else is text or a number.")
        )
    return Header(**known), tuple(map(str, notes))


def _check_columns(file: Path, name: str) -> None:
    try:
        given = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as fault:
        raise DataError(f"{file} is not a whole Parquet file: {fault}") from fault
    expected = TABLES[name]
    for field in expected:
        if field.name not in given.names:
            if not field.nullable:
                raise DataError(compose(f"{file} has no column {field.name!r}", hint=f"it has {given.names}."))
        elif not _fits(given.field(field.name).type, field.type):
            raise DataError(f"{file}: column {field.name!r} is {given.field(field.name).type}, not {field.type}")
    for column in given.names:
        if column not in expected.names:
            near = closest(column, expected.names)
            hint = f"did you mean {near!r}?" if near else f"known: {', '.join(expected.names)}."
            raise DataError(compose(f"{file} has an unknown column {column!r}", hint=hint))


def _fits(given: pa.DataType, expected: pa.DataType) -> bool:
    """True for types that are read as the expected one without loss, up to values that are too large."""
    kinds = pa.types
    if given == expected or kinds.is_null(given):
        return True
    if kinds.is_string(expected):
        return bool(kinds.is_large_string(given))
    if kinds.is_integer(expected):
        return bool(kinds.is_integer(given))
    return bool(kinds.is_floating(given) or kinds.is_integer(given))
