"""CSV, JSON and Markdown: other programs read back what was written and must find the same values."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import tracemalloc
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import paretosql
from paretosql.engine.formats import Writer, write_csv, write_json, write_jsonl, write_markdown

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def written(writer: Writer, table: pa.Table, types: list[str] | None = None) -> str:
    """What a writer makes of a table, in several small batches."""
    out = io.StringIO(newline="")
    assert writer(table.to_reader(max_chunksize=3), out, types) == table.num_rows
    return out.getvalue()


def queried(con: paretosql.Connection, writer: Writer, sql: str) -> str:
    """What a writer makes of a query."""
    cursor = con.execute(sql)
    out = io.StringIO(newline="")
    writer(cursor.reader(), out, [str(column[1]) for column in cursor.description or []])
    return out.getvalue()


@settings(deadline=None)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=8), ANY_TEXT)
def test_csv_texts_survive(rows: list[tuple[str, str]], name: str) -> None:
    """Python's csv module reads back every text: commas, quotes, line breaks, control characters, any alphabet."""
    table = pa.table([[row[0] for row in rows], [row[1] for row in rows]], names=[name, "b"])
    table = table.cast(pa.schema([(name, pa.string()), ("b", pa.string())]))
    back = list(csv.reader(io.StringIO(written(write_csv, table), newline="")))
    assert back == [[name, "b"], *map(list, rows)]


def test_csv_tells_null_from_the_empty_text() -> None:
    """NULL is nothing at all, the empty text is a pair of quotes, and other fields are quoted only where needed."""
    table = pa.table({"a": [None, "", "x"], "b": ["a,b", 'say "x"', "two\nlines"]})
    assert written(write_csv, table) == 'a,b\n,"a,b"\n"","say ""x"""\nx,"two\nlines"\n'


def test_csv_of_one_column_has_a_line_for_each_row() -> None:
    """A NULL alone in its row is not an empty line, which readers skip."""
    text = written(write_csv, pa.table({"a": ["x", None, "y"]}))
    assert list(csv.reader(io.StringIO(text))) == [["a"], ["x"], [""], ["y"]]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), ANY_TEXT), max_size=8), ANY_TEXT)
def test_json_texts_survive(values: list[str | None], name: str) -> None:
    """Python's json module reads back every text and every NULL."""
    table = pa.table([pa.array(values, pa.string())], names=[name])
    assert json.loads(written(write_json, table)) == [{name: value} for value in values]


@settings(deadline=None)
@given(st.lists(st.floats(width=64), max_size=8), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=8))
def test_json_numbers_keep_every_digit(floats: list[float], integers: list[int]) -> None:
    """Floats and integers come back equal; NaN and infinities, which JSON lacks, are texts."""
    back = [row["x"] for row in json.loads(written(write_json, pa.table({"x": pa.array(floats, pa.float64())})))]
    special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    for value, read in zip(floats, back, strict=True):
        assert isinstance(read, float) or read in special
        assert repr(special.get(read, read)) == repr(value)
    table = pa.table({"x": pa.array(integers, pa.int64())})
    assert [row["x"] for row in json.loads(written(write_json, table))] == integers


def test_json_of_every_kind_of_value(con: paretosql.Connection) -> None:
    """Types that JSON has are used, all others are texts; this is the table in the documentation."""
    text = queried(
        con,
        write_json,
        """
        SELECT true AS b, 170141183460469231731687303715884105727::HUGEINT AS huge, 1.50::DECIMAL(9, 2) AS money,
            0.1::FLOAT AS f, DATE '2024-02-29' AS day, DATE 'infinity' AS never,
            TIMESTAMP '2024-01-02 03:04:05.5' AS at, TIMESTAMPTZ '2024-01-02 03:04:05+00' AT TIME ZONE 'UTC' AS utc,
            TIME '12:13:14' AS noon, INTERVAL '1 month 2 days' AS span, '\\xAA\\x00'::BLOB AS bytes,
            'b'::ENUM('a', 'b') AS choice, [1, NULL] AS list, [[1.5::DECIMAL(2, 1)], []] AS lists,
            {'d': DATE '2024-01-01', 's': 'x'} AS struct,
            MAP {'k': 1} AS map, MAP {1: [TIMESTAMP '2024-01-01 00:00:00']} AS times, NULL AS nothing,
            '{"a":\n [1.0, "é"]}'::JSON AS js, [1.5, 2]::FLOAT[2] AS arr
        """,
    )
    assert json.loads(text, parse_float=Decimal) == [
        {
            "b": True, "huge": 170141183460469231731687303715884105727, "money": Decimal("1.50"), "f": Decimal("0.1"),
            "day": "2024-02-29", "never": "infinity", "at": "2024-01-02T03:04:05.5", "utc": "2024-01-02T03:04:05",
            "noon": "12:13:14", "span": "1 month 2 days", "bytes": "qgA=", "choice": "b", "list": [1, None],
            "lists": [[Decimal("1.5")], []], "struct": {"d": "2024-01-01", "s": "x"}, "map": {"k": 1},
            "times": {"1": ["2024-01-01T00:00:00"]}, "nothing": None, "js": {"a": [Decimal("1.0"), "é"]},
            "arr": [Decimal("1.5"), Decimal("2.0")],
        }
    ]  # fmt: skip
    assert '"money": 1.50,' in text
    assert text.count("\n") == 3  # brackets on lines of their own, and one line for the row


def test_json_timestamps_with_zone_are_iso(con: paretosql.Connection) -> None:
    """A moment is written in the session's time zone, in a form that Python's fromisoformat reads."""
    con.execute("SET TimeZone = 'Asia/Kolkata'")
    [row] = json.loads(queried(con, write_json, "SELECT TIMESTAMPTZ '2024-01-02 03:04:05+00' AS at"))
    assert row["at"].startswith("2024-01-02T08:34:05")
    assert dt.datetime.fromisoformat(row["at"]) == dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def test_json_names_are_unique(con: paretosql.Connection) -> None:
    """Columns of one name all survive, numbered."""
    text = queried(con, write_json, "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a")
    assert json.loads(text) == [{"a": 1, "a_1": 2, "a_1_1": 3, "a_2": 4}]


def test_json_of_nothing_is_an_empty_array() -> None:
    """No rows are still valid JSON."""
    assert json.loads(written(write_json, pa.table({"a": pa.array([], pa.int32())}))) == []


def test_jsonl_has_one_object_to_a_line() -> None:
    """Every line is JSON by itself, also when texts hold line breaks; no rows are no lines."""
    table = pa.table({"a": ["x\ny", None, "\u2028"]})
    lines = written(write_jsonl, table).removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == table.to_pylist()
    assert written(write_jsonl, table.slice(0, 0)) == ""


def markdown_rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table as a Markdown parser sees them."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline":
            rows[-1].append("".join("\n" if c.type == "hardbreak" else c.content for c in token.children or []))
    return rows


@pytest.mark.parametrize("value", ["a|b", "||", "a\\b", "\\|", "<b>", "a & b &amp; c", "\\", "plain"])
def test_markdown_cells_survive(value: str) -> None:
    """A Markdown parser finds the same cells: pipes, backslashes and markup characters in data mean nothing."""
    text = written(write_markdown, pa.table({"name|x": [value, "next"], "n": [1, 2]}))
    assert markdown_rows(text) == [["name|x", "n"], [value, "1"], ["next", "2"]]


def test_markdown_is_a_table_with_numbers_on_the_right() -> None:
    """The picture: header, alignment, rows; a line break in a text stays inside its cell, NULL is empty."""
    table = pa.table({"n": [1, None], "s": ["two\nlines", "x"]})
    assert written(write_markdown, table) == "| n | s |\n| ---: | --- |\n| 1 | two<br>lines |\n|  | x |\n"


@pytest.mark.parametrize("writer", [write_csv, write_json, write_jsonl, write_markdown])
def test_memory_does_not_grow_with_the_result(writer: Writer) -> None:
    """A result is written as it is read: ten times the rows need no more memory."""

    class Count(io.TextIOBase):
        size = 0

        def write(self, text: str) -> int:
            self.size += len(text)
            return len(text)

    def peak(batches: int) -> tuple[int, int]:
        batch = pa.record_batch({"s": ["some text"] * 5_000, "n": range(5_000)})
        reader = pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(batches)))
        out: Any = Count()
        tracemalloc.start()
        rows = writer(reader, out)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows == batches * 5_000
        return used, out.size

    (small, few), (large, many) = peak(2), peak(20)
    assert many > 9 * few
    assert large < 1.5 * small
