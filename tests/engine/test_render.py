"""Boxes and HTML: every picture here was drawn by hand."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal

import pyarrow as pa

import paretosql
from paretosql.engine.glyphs import Screen, text_width
from paretosql.engine.render import box, html


def test_a_box_shows_types_under_names_and_numbers_on_the_right() -> None:
    """The whole picture: header, rule, rows, NULL, and the count."""
    table = pa.table(
        {
            "id": pa.array([1, 20], pa.int32()),
            "name": ["ann", None],
            "price": pa.array([Decimal("1.50"), Decimal("20.00")], pa.decimal128(5, 2)),
            "day": [dt.date(2024, 2, 29), None],
        }
    )
    assert box(table) == (
        "┌─────────┬─────────┬──────────────┬────────────┐\n"
        "│      id │ name    │        price │ day        │\n"
        "│ integer │ varchar │ decimal(5,2) │ date       │\n"
        "├─────────┼─────────┼──────────────┼────────────┤\n"
        "│       1 │ ann     │         1.50 │ 2024-02-29 │\n"
        "│      20 │ NULL    │        20.00 │ NULL       │\n"
        "└─────────┴─────────┴──────────────┴────────────┘\n"
        "(2 rows)"
    )


def test_no_rows_leave_the_header() -> None:
    """An empty result still says what its columns are."""
    assert box(pa.table({"a": pa.array([], pa.int64())})) == (
        "┌────────┐\n"
        "│      a │\n"
        "│ bigint │\n"
        "└────────┘\n"
        "(0 rows)"
    )  # fmt: skip


def test_rows_beyond_the_limit_are_counted_and_not_shown() -> None:
    """A long result is cut; the last line says how long it is."""
    numbers = pa.RecordBatchReader.from_batches(
        pa.schema([("n", pa.int64())]),
        (pa.record_batch({"n": range(start, start + 1000)}) for start in range(0, 1_234_000, 1000)),
    )
    assert box(numbers, limit=2) == (
        "┌────────┐\n"
        "│      n │\n"
        "│ bigint │\n"
        "├────────┤\n"
        "│      0 │\n"
        "│      1 │\n"
        "└────────┘\n"
        "(1,234,000 rows, 2 shown)"
    )  # fmt: skip


def test_a_total_that_is_known_or_unknown_is_said() -> None:
    """When only the beginning is at hand, the count comes from outside, or the line says that there is more."""
    table = pa.table({"n": [1]})
    assert box(table, None, 7).endswith("(7 rows, 1 shown)")
    assert box(table, None, None).endswith("(1 row shown, there are more)")
    assert box(table, ["HUGEINT"]).splitlines()[2] == "│ hugeint │"


def test_texts_shrink_before_numbers_and_no_number_is_cut() -> None:
    """In a narrow terminal the widest text gives way, and every line fits exactly."""
    table = pa.table({"number": [1234567890123], "short": ["abc"], "long": ["x" * 60]})
    assert box(table, screen=Screen(width=50)) == (
        "┌───────────────┬─────────┬──────────────────────┐\n"
        "│        number │ short   │ long                 │\n"
        "│        bigint │ varchar │ varchar              │\n"
        "├───────────────┼─────────┼──────────────────────┤\n"
        "│ 1234567890123 │ abc     │ xxxxxxxxxxxxxxxxxxx… │\n"
        "└───────────────┴─────────┴──────────────────────┘\n"
        "(1 row)"
    )


def test_columns_that_do_not_fit_are_left_out_in_the_middle() -> None:
    """First and last columns stay; the footer counts what is missing."""
    table = pa.table({f"column{index}": [index] for index in range(9)})
    assert box(table, screen=Screen(width=40)) == (
        "┌─────────┬─────────┬───┬─────────┐\n"
        "│ column0 │ column1 │ … │ column8 │\n"
        "│  bigint │  bigint │   │  bigint │\n"
        "├─────────┼─────────┼───┼─────────┤\n"
        "│       0 │       1 │ … │       8 │\n"
        "└─────────┴─────────┴───┴─────────┘\n"
        "(1 row; 9 columns, 3 shown)"
    )


def test_every_line_fits_every_terminal() -> None:
    """From 30 columns up no line is wider than the terminal, and all lines of a box are equally wide."""
    table = pa.table({"n": [12345], "日本語の名前": ["日本語" * 20], "text": ["word " * 30], "flag": [True]})
    for width in range(30, 200):
        lines = box(table, screen=Screen(width=width)).splitlines()[:-1]
        assert {text_width(line) for line in lines} == {text_width(lines[0])}
        assert text_width(lines[0]) <= width


def test_wide_and_combining_characters_keep_the_columns_straight() -> None:
    """East Asian characters take two places, combining accents none."""
    assert box(pa.table({"s": ["日本", "e\u0301te\u0301", "abcd"]})) == (
        "┌─────────┐\n"
        "│ s       │\n"
        "│ varchar │\n"
        "├─────────┤\n"
        "│ 日本    │\n"
        "│ e\u0301te\u0301     │\n"
        "│ abcd    │\n"
        "└─────────┘\n"
        "(3 rows)"
    )  # fmt: skip


def test_control_characters_never_reach_the_terminal() -> None:
    """Line breaks, escape sequences and direction marks in data and names are shown as escapes."""
    text = box(pa.table({"a\nb": ["x\ty\x1b[31m\x07", "\u202eabc", "\x85\u2028"]}))
    assert text.count("\n") == 8
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert r"x\ty\x1b[31m\x07" in text
    assert r"\u202eabc" in text
    assert r"\x85\u2028" in text
    assert r"a\nb" in text


def test_colours_only_where_asked_for() -> None:
    """On paper there are no escapes; on a terminal NULL is dimmed, and removing the escapes gives the same box."""
    table = pa.table({"s": ["NULL", None]})
    painted = box(table, screen=Screen(width=80, colour=True))
    assert "\x1b" not in box(table)
    assert "│ NULL    │\n│ \x1b[2mNULL\x1b[0m    │" in painted
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m"):
        painted = painted.replace(code, "")
    assert painted == box(table)


def test_values_are_written_as_duckdb_writes_them(con: paretosql.Connection) -> None:
    """For types that Python has no words for, the text is the one that DuckDB's own cast to VARCHAR gives."""
    values = [
        "DATE 'infinity'", "'0044-03-15 (BC)'::DATE", "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS",
        "INTERVAL '1 month 2 days 3 hours'", "170141183460469231731687303715884105727::HUGEINT", "'\\xAA\\x00'::BLOB",
        "[1, NULL, 3]", "{'a': 1, 'b': [DATE '2024-01-01']}", "MAP {'k': 1.50}", "'nan'::DOUBLE", "1e300", "0.1::FLOAT",
        "TIMESTAMPTZ '2024-01-02 03:04:05+02'", "TIME '12:13:14'", "true", "'b'::ENUM('a', 'b')", "union_value(k := 1)",
    ]  # fmt: skip
    con.execute("SET TimeZone = 'Asia/Tokyo'")
    for value in values:
        expected = con.execute(f"SELECT ({value})::VARCHAR").fetchone()
        shown = box(con.execute(f"SELECT {value} AS v").reader()).splitlines()[4]
        assert expected is not None
        assert shown.strip("│ ") == expected[0], value


def test_zones_that_duckdb_cannot_name_are_shown_in_another() -> None:
    """A fixed offset is a zone to Arrow only; the moment is still shown."""
    table = pa.table({"at": pa.array([0], pa.timestamp("us", tz="+02:00"))})
    assert "1970-01-01" in box(table)


def test_result_pictures_use_the_box(con: paretosql.Connection, capsys: object) -> None:
    """repr() of a result is its box, with the types that SQL knows and Arrow does not."""
    picture = repr(con.sql("SELECT 1::HUGEINT AS big, uuid() AS id LIMIT 1"))
    assert "│ hugeint │ uuid " in picture


def test_html_is_well_formed_and_escaped() -> None:
    """A notebook gets a table it can parse, and no value can bring markup of its own."""
    table = pa.table({"<b>": ["<script>alert('x')</script>", None, "a & b"], "n": [1, 2, 3]})
    root = ET.fromstring(f"<div>{html(table, None, 1234)}</div>")
    rows = [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]
    assert rows == [["<b>varchar", "nbigint"], ["<script>alert('x')</script>", "1"], ["NULL", "2"], ["a & b", "3"]]
    assert root.find(".//script") is None
    assert "".join(root.find("p").itertext()) == "(1,234 rows, 3 shown)"  # type: ignore[union-attr]


def test_html_shortens_huge_values() -> None:
    """A value of a million characters does not flood a notebook."""
    assert len(html(pa.table({"s": ["x" * 1_000_000]}))) < 2_000
