"""Results as boxes for terminals and as HTML for notebooks.

A box shows the first rows of a result and counts the rest; the rest is read but not kept. Column types stand under the
names, numbers are right-aligned, and a width limit shortens texts first and then leaves out columns in the middle, but
never cuts a number.
"""

from __future__ import annotations

import functools
import html as markup
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from paretosql.engine.cells import Caster, slices, stream, type_names
from paretosql.engine.glyphs import ELLIPSIS, PAPER, Screen, fit, text_width, visible

NARROWEST = 12  # our choice: a text column is not shortened below this many characters
TYPE_WIDTH = 24  # our choice: a long type name does not widen its column past this
COUNT = -1  # as a total: the rows of the data at hand
LONGEST_HTML = 500  # our choice: characters of one value in a notebook
DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Column:
    """One column ready to be drawn: `cells` are escaped texts, None for NULL."""

    name: str
    kind: str
    cells: Sequence[str | None]
    number: bool

    @functools.cached_property
    def values(self) -> int:
        """Width of the widest value."""
        return max((text_width("NULL" if cell is None else cell) for cell in self.cells), default=1)

    @functools.cached_property
    def natural(self) -> int:
        """Width the column would like."""
        return max(self.values, text_width(self.name), min(text_width(self.kind), TYPE_WIDTH))

    @property
    def least(self) -> int:
        """Width the column can live with: texts and names may be cut, numbers may not."""
        return max(self.values, min(self.natural, NARROWEST)) if self.number else min(self.natural, NARROWEST)


@dataclass(frozen=True)
class Head:
    """The first rows of a result and the number of all rows; None when they were not counted and there are more."""

    columns: list[Column]
    shown: int
    total: int | None


def head(data: object, types: Sequence[object] | None, total: int | None, limit: int | None) -> Head:
    """Read all of `data`, keep the first `limit` rows as text (None: all), and count the rest."""
    reader = stream(data)
    schema = reader.schema
    caster = Caster(schema)
    cells: list[list[str | None]] = [[] for _ in schema]
    count = 0
    for batch in slices(reader):
        room = batch.num_rows if limit is None else min(batch.num_rows, max(0, limit - count))
        if room:
            for kept, column in zip(cells, caster.cast(batch.slice(0, room)), strict=True):
                kept.extend(None if text is None else visible(text) for text in column.to_pylist())
        count += batch.num_rows
    kinds = type_names(caster.kinds if types is None else types)
    columns = [
        Column(visible(field.name), kind, values, is_number(field.type))
        for field, kind, values in zip(schema, kinds, cells, strict=True)
    ]
    return Head(columns, count if limit is None else min(limit, count), count if total == COUNT else total)


def is_number(kind: pa.DataType) -> bool:
    """True for the types that are read from their right end."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def box(
    data: object,
    types: Sequence[object] | None = None,
    total: int | None = COUNT,
    *,
    limit: int | None = None,
    screen: Screen = PAPER,
) -> str:
    """A result drawn as a table of box characters, with a line that counts rows.

    Args:
        data: Arrow reader or table, or anything with `__arrow_c_stream__`; it is read to the end.
        types: SQL types of the columns; by default what the Arrow types say.
        total: rows of the whole result, when `data` holds only its beginning; None when there are more than in `data`.
        limit: rows to draw; None draws all.
        screen: how wide lines may be, and whether names, types and NULL are set off with terminal colours.

    >>> print(box(pa.table({"id": [1, 20], "name": ["ann", None]})))
    ┌────────┬─────────┐
    │     id │ name    │
    │ bigint │ varchar │
    ├────────┼─────────┤
    │      1 │ ann     │
    │     20 │ NULL    │
    └────────┴─────────┘
    (2 rows)
    """
    part = head(data, types, total, limit)
    columns, widths, whole = _arrange(part.columns, part.shown, screen.width)
    bold, dim = (BOLD, DIM) if screen.colour else ("", "")
    rule = ["─" * (each + 2) for each in widths]
    lines = ["┌" + "┬".join(rule) + "┐"]
    lines.append(_line([column.name for column in columns], columns, widths, bold))
    lines.append(_line([column.kind for column in columns], columns, widths, dim))
    if part.shown:
        lines.append("├" + "┼".join(rule) + "┤")
        rows = zip(*(column.cells for column in columns), strict=True)
        lines.extend(_line(row, columns, widths, "", dim) for row in rows)
    lines.append("└" + "┴".join(rule) + "┘")
    return "\n".join([*lines, footer(part, whole)])


def footer(part: Head, columns_shown: int | None = None) -> str:
    """The line under a table: how many rows and columns there are, and how many are shown."""
    if part.total is None:
        text = f"{rows_text(part.shown)} shown, there are more"
    else:
        text = rows_text(part.total) + (f", {part.shown:,} shown" if part.shown < part.total else "")
    if columns_shown is not None and columns_shown < len(part.columns):
        text += f"; {len(part.columns):,} columns, {columns_shown:,} shown"
    return f"({text})"


def rows_text(count: int) -> str:
    """A number of rows in words.

    >>> rows_text(1), rows_text(1234567)
    ('1 row', '1,234,567 rows')
    """
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _line(
    texts: Sequence[str | None], columns: Sequence[Column], widths: Sequence[int], paint: str, null_paint: str = ""
) -> str:
    cells = []
    for text, column, width in zip(texts, columns, widths, strict=True):
        shown = fit("NULL" if text is None else text, width)
        colour = null_paint if text is None else paint
        gap = " " * (width - text_width(shown))
        shown = f"{colour}{shown}{PLAIN}" if colour else shown
        cells.append(f" {gap}{shown} " if column.number else f" {shown}{gap} ")
    return "│" + "│".join(cells) + "│"


def _arrange(columns: list[Column], rows: int, width: int | None) -> tuple[list[Column], list[int], int]:
    """What to draw so that lines take at most `width` terminal columns: columns, widths, how many are of the result."""
    if width is None:
        return columns, [column.natural for column in columns], len(columns)
    gap = Column(ELLIPSIS, "", [ELLIPSIS] * rows, False)
    for shown in range(len(columns), 0, -1):
        left = (shown + 1) // 2
        chosen = [*columns[:left], gap, *columns[len(columns) - shown + left :]] if shown < len(columns) else columns
        widths = _shrink(chosen, width - 3 * len(chosen) - 1)
        if widths is not None:
            return chosen, widths, shown
    return columns[:1], [max(1, columns[0].least)], 1  # a terminal narrower than one column: let it wrap


def _shrink(columns: Sequence[Column], room: int) -> list[int] | None:
    """Widths that sum to at most `room`, taken from the widest texts first; None when there is no way."""
    if sum(column.least for column in columns) > room:
        return None
    for cap in range(min(room, max(column.natural for column in columns)), 0, -1):
        widths = [max(column.least, min(column.natural, cap)) for column in columns]
        if sum(widths) <= room:
            return widths
    return [column.least for column in columns]


def html(
    data: object, types: Sequence[object] | None = None, total: int | None = COUNT, *, limit: int | None = None
) -> str:
    """A result as an HTML table with types under the names and a row count; the arguments are those of `box`."""
    part = head(data, types, total, limit)
    heads = "".join(
        f"<th{_align(column)}>{markup.escape(column.name)}<br/><small>{markup.escape(column.kind)}</small></th>"
        for column in part.columns
    )
    rows = "".join(
        "<tr>" + "".join(_html_cell(text, column) for text, column in zip(row, part.columns, strict=True)) + "</tr>\n"
        for row in zip(*(column.cells for column in part.columns), strict=True)
    )
    return (
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
        f"<p>{markup.escape(footer(part))}</p>"
    )


def _align(column: Column) -> str:
    return f' style="text-align: {"right" if column.number else "left"}"'


def _html_cell(text: str | None, column: Column) -> str:
    return f"<td{_align(column)}>{'<em>NULL</em>' if text is None else markup.escape(fit(text, LONGEST_HTML))}</td>"
