"""Results as CSV, JSON and Markdown text, written batch by batch so that a result of any size needs little memory.

Each writer takes an Arrow reader and a text stream and returns the number of rows. The text of a value is DuckDB's own,
except in JSON, where types that JSON has are used:

    number     digits as they are: integers, decimals and floats keep every digit (`1.50` stays `1.50`)
    string     texts, dates and times (ISO 8601), intervals, enums, NaN and infinities, blobs (base64)
    array      lists; objects: structs and maps
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, Protocol, TextIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.sqltypes import VARCHAR, DuckDBPyType

from paretosql.engine.cells import Caster, slices
from paretosql.engine.glyphs import visible

Encoder = Callable[[Any], str]
INTEGERS = {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}
PLAIN = {*INTEGERS, "boolean", "blob", "varchar", "null"}
DIGITS = {"float", "double", "decimal", "hugeint", "uhugeint", "bignum"}
MOMENTS = {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"}
NESTED = {"list", "array", "struct", "map"}
NOT_NUMBERS = {"nan": '"NaN"', "-nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}


class Writer(Protocol):
    """Writes a whole result and returns its number of rows."""

    def __call__(self, reader: pa.RecordBatchReader, out: TextIO, types: Sequence[str] | None = None) -> int: ...


# CSV


def write_csv(reader: pa.RecordBatchReader, out: TextIO, types: Sequence[str] | None = None) -> int:
    r"""A header and one line per row, quoted as RFC 4180 says; lines end with \n.

    NULL is an empty field and the empty text is `""`. With a single column NULL is `""` too: an empty line is no row.
    """
    caster = Caster(reader.schema)
    out.write(",".join(_csv_fields(pa.array(reader.schema.names, pa.string())).to_pylist()) + "\n")
    missing = "" if len(reader.schema) > 1 else '""'
    total = 0
    for batch in slices(reader):
        _write_lines([_csv_fields(column) for column in caster.cast(batch)], ",", missing, "", out)
        total += batch.num_rows
    return total


def _csv_fields(column: pa.Array) -> pa.Array:
    special = pc.or_(pc.match_substring_regex(column, '[",\r\n]'), pc.equal(column, ""))
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), column)


def _write_lines(columns: Sequence[pa.Array], separator: str, missing: str, edge: str, out: TextIO) -> None:
    lines = pc.binary_join_element_wise(*columns, separator, null_handling="replace", null_replacement=missing)
    out.write("".join(f"{edge}{line}{edge[::-1]}\n" for line in lines.to_pylist()))


# Markdown


def write_markdown(reader: pa.RecordBatchReader, out: TextIO, types: Sequence[str] | None = None) -> int:
    """A pipe table; numbers are right-aligned, pipes are escaped, line breaks become `<br>`, NULL is an empty cell."""
    caster = Caster(reader.schema)
    names = _markdown_cells(pa.array(reader.schema.names, pa.string()))
    rules = ["---:" if kind.id in INTEGERS | DIGITS else "---" for kind in caster.kinds]
    out.write(f"| {' | '.join(names.to_pylist())} |\n| {' | '.join(rules)} |\n")
    total = 0
    for batch in slices(reader):
        _write_lines([_markdown_cells(column) for column in caster.cast(batch)], " | ", "", "| ", out)
        total += batch.num_rows
    return total


def _markdown_cells(column: pa.Array) -> pa.Array:
    for character, written in (("&", "&amp;"), ("<", "&lt;"), ("\\", "\\\\"), ("|", "\\|"), ("\r\n", "\n")):
        column = pc.replace_substring(column, character, written)
    column = pc.replace_substring(column, "\n", "<br>")
    if pc.any(pc.match_substring_regex(column, r"[\x00-\x1f\x7f]")).as_py():
        column = pa.array([None if text is None else visible(text) for text in column.to_pylist()], pa.string())
    return column


# JSON


def write_json(reader: pa.RecordBatchReader, out: TextIO, types: Sequence[str] | None = None) -> int:
    """An array of objects, one to a line; columns of one name become `name`, `name_1`, ..."""
    start, total = "[\n", 0
    for lines in _json_lines(reader, types):
        out.write(start + ",\n".join(lines))
        start, total = ",\n", total + len(lines)
    out.write("\n]\n" if total else "[]\n")
    return total


def write_jsonl(reader: pa.RecordBatchReader, out: TextIO, types: Sequence[str] | None = None) -> int:
    """One object to a line, without brackets and commas around."""
    total = 0
    for lines in _json_lines(reader, types):
        out.write("\n".join(lines) + "\n")
        total += len(lines)
    return total


def _json_lines(reader: pa.RecordBatchReader, types: Sequence[str] | None) -> Iterable[list[str]]:
    caster = Caster(reader.schema, json_target)
    encoders = [_nullable(encoder(kind)) for kind in caster.kinds]
    for index, name in enumerate(types or ()):
        if name == "JSON":
            encoders[index] = _nullable(_embedded)
    keys = [f"{quoted(name)}: " for name in unique(reader.schema.names)]
    for batch in slices(reader):
        columns = [column.to_pylist() for column in caster.cast(batch)]
        texts = [
            [key + encode(value) for value in values]
            for key, encode, values in zip(keys, encoders, columns, strict=True)
        ]
        yield [f"{{{', '.join(row)}}}" for row in zip(*texts, strict=True)]


def unique(names: Sequence[str]) -> list[str]:
    """The names with a number behind those that came before.

    >>> unique(["a", "b", "a", "a_1"])
    ['a', 'b', 'a_1', 'a_1_1']
    """
    taken: dict[str, None] = {}
    for name in names:
        free, count = name, 0
        while free in taken:
            count += 1
            free = f"{name}_{count}"
        taken[free] = None
    return list(taken)


def json_target(kind: DuckDBPyType) -> DuckDBPyType:
    """The type to cast to before Python sees a value: what Python could not hold becomes text, also inside lists."""
    if kind.id in PLAIN:
        return kind
    children: dict[str, Any] = dict(kind.children) if kind.id in NESTED else {}
    match kind.id:
        case "list" | "array":
            return duckdb.list_type(json_target(children["child"]))
        case "struct":
            return duckdb.struct_type({name: json_target(child) for name, child in children.items()})
        case "map":
            return duckdb.map_type(json_target(children["key"]), json_target(children["value"]))
        case _:
            return VARCHAR


def encoder(kind: DuckDBPyType) -> Encoder:
    """The function that writes a value, not None, of this SQL type (after the cast to its `json_target`)."""
    children: dict[str, Any] = dict(kind.children) if kind.id in NESTED else {}
    match kind.id:
        case "list" | "array":
            item = _nullable(encoder(children["child"]))
            return lambda values: f"[{', '.join(map(item, values))}]"
        case "struct":
            fields = [(name, f"{quoted(name)}: ", _nullable(encoder(child))) for name, child in children.items()]
            return lambda row: "{" + ", ".join(key + encode(row[name]) for name, key, encode in fields) + "}"
        case "map":
            key, value = encoder(children["key"]), _nullable(encoder(children["value"]))
            return lambda pairs: "{" + ", ".join(f"{_key(key(name))}: {value(each)}" for name, each in pairs) + "}"
        case "boolean":
            return lambda flag: "true" if flag else "false"
        case "blob":
            return lambda data: f'"{base64.b64encode(data).decode()}"'
        case name if name in INTEGERS:
            return str
        case name if name in DIGITS:
            return lambda text: NOT_NUMBERS.get(text) or text
        case name if name in MOMENTS:
            return lambda text: quoted(
                text.replace(" ", "T", 1) if text[10:11] == " " and text[11:12].isdigit() else text
            )
        case _:
            return quoted


def _nullable(encode: Encoder) -> Encoder:
    return lambda value: "null" if value is None else encode(value)


def _key(text: str) -> str:
    return text if text.startswith('"') else quoted(text)


def _embedded(text: str) -> str:
    """A value of type JSON as it is, on one line: inside its texts there is no raw line break."""
    return text.replace("\r", " ").replace("\n", " ")
