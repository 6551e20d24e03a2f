"""What the metadata of Parquet files says of the distinct values of a column, without reading it.

| from | follows |
| --- | --- |
| null counts | the non-NULL rows N |
| minimum and maximum of each row group, for whole numbers and dates | at most as many values as the ranges cover |
| the same, for any ordered type | whether row groups overlap; if not, their numbers of values add up |
| dictionary entries per row group, where all values come from there | at most their sum |

Two row groups whose ranges touch share the value at the border, so it is taken off the sum.

Source: the format (apache/parquet-format); the use of it here is our design.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from paretosql.engine.dictionary_pages import MOST_CHUNKS, Chunk, dictionary_sizes, pure_dictionaries
from paretosql.engine.row_groups import Footers
from paretosql.sketches.block_draw import FEWEST, Draw
from paretosql.sketches.block_estimates import Known

MANY_GROUPS: Final = FEWEST  # our choice: so many row groups that do not overlap are no accident
FAR_MORE: Final = 2.0  # our choice: row groups of one kind differ by less, see `unlike_rows`
_STEPS: dict[type, Callable[[Any], int]] = {bool: int, int: int, datetime.date: datetime.date.toordinal}
_EXACT = (bool, int, datetime.date, datetime.datetime, datetime.time, Decimal)  # text may be cut short in statistics
_ORDERED = (*_EXACT, str, bytes)  # not floats: a NaN stands outside of the range


def known_of(footers: Footers, column: str, con: duckdb.DuckDBPyConnection, *, filtered: bool) -> Known:
    """Bounds of the distinct values of a column of files, and its non-NULL rows.

    Args:
        column: a column at the top of the schema. Of one with parts nothing is known.
        con: reads footers where Arrow does not tell enough.
        filtered: True when some rows are left out; lower bounds do not hold then.
    Cost: 10 us per row group, 30 us where a dictionary page is looked at; nothing the second time.
    """
    if column not in footers.notes:
        footers.notes[column] = _all_known(footers, column, con)
    known: Known = footers.notes[column]
    return replace(known, rows=None, lower=0.0) if filtered else known


def unlike_rows(footers: Footers, column: str, drawn: Draw) -> float:
    """Rows of row groups that store the column in far more bytes per row than those drawn do: what they hold is
    something else, and no sample of the others can tell how much.

    A row group counts as drawn when half of it is; if none is, the middle one of those touched stands for what is
    known, because the bytes of a touched one may lie in the rest of it.

    Cost: 10 us per row group, nothing the second time.
    """
    key = f"bytes of {column}"
    if key not in footers.notes:
        found = _chunks(footers, column)
        sizes = [(chunk.total_uncompressed_size, chunk.num_values) for _, _, chunk in found[0]] if found else []
        footers.notes[key] = np.array(sizes, np.float64).reshape(len(sizes), 2)
    size, rows = footers.notes[key].T
    own = np.unique(drawn.group)
    if not len(size) or not len(own):
        return 0.0
    density = size / np.maximum(rows, 1.0)
    taken = np.bincount(drawn.group, drawn.stop - drawn.start, minlength=len(rows))[own]
    known = density[own[taken >= rows[own] / 2]]
    like = known.max() if len(known) else np.median(density[own])
    large = rows >= rows[own].min() / 2  # the dictionary of a small one weighs more
    return float(rows[large & (density > FAR_MORE * like)].sum())


def _all_known(footers: Footers, column: str, con: duckdb.DuckDBPyConnection) -> Known:
    found = _chunks(footers, column)
    if found is None:
        return Known()
    chunks, comparable = found
    stats = [chunk.statistics for _, _, chunk in chunks]
    rows = None
    if all(each is not None and each.has_null_count for each in stats):
        values = [each.num_values for each in stats]  # those that are not NULL
        rows = sum(values)
        chunks = [each for each, count in zip(chunks, values, strict=True) if count]
        stats = [each for each, count in zip(stats, values, strict=True) if count]
    if not comparable:
        return Known(rows)
    ends = [_ends(each) for each in stats]
    ranges = _ranges(ends)
    borders = _borders(ranges)
    sizes = [float(size) for size in dictionary_sizes(chunks)]
    lows, highs = _lows(ends, sizes if _minimal(footers, chunks) else None), _highs(chunks, sizes, con)
    upper = min(math.fsum(highs), _covered(ranges), math.inf if rows is None else rows)
    lower = float(max(lows, default=0))
    if borders is not None:
        lower = max(lower, math.fsum(lows) - borders)
        if ranges and isinstance(ranges[0][0], _EXACT):
            upper = min(upper, math.fsum(highs) - borders)
    apart = borders is not None and len(chunks) >= MANY_GROUPS
    return Known(rows, min(lower, upper), upper, apart)


def _chunks(footers: Footers, column: str) -> tuple[list[Chunk], bool] | None:
    """The metadata of the column in every row group, and whether its values are stored in one way in all files.

    None when it is not a column at the top of every file. Values of other types are compared after a cast, about which
    the statistics say nothing; and those of INT96 lose digits on the way.
    """
    found, kinds = [], set()
    for path, file in zip(footers.paths, footers.files, strict=True):
        columns = [file.schema.column(at) for at in range(len(file.schema))]
        places = [at for at, each in enumerate(columns) if each.path == each.name == column]
        if len(places) != 1:
            return None
        own = columns[places[0]]
        kinds.add((own.physical_type, str(own.logical_type), own.converted_type))
        found += [(path, group, file.row_group(group).column(places[0])) for group in range(file.num_row_groups)]
    return found, len(kinds) == 1 and next(iter(kinds))[0] != "INT96"


def _ends(statistics: Any) -> tuple[Any, Any] | None:
    """Minimum and maximum of a row group; None when they are missing, or are values that Python has no form for."""
    if statistics is None or not statistics.has_min_max:
        return None
    try:
        found = statistics.min, statistics.max
    except (OverflowError, ValueError, pa.ArrowException):
        return None
    return found if all(isinstance(end, _ORDERED) for end in found) else None


def _ranges(ends: list[tuple[Any, Any] | None]) -> list[tuple[Any, Any]] | None:
    """The ranges of all row groups; None when one is missing."""
    known = [each for each in ends if each is not None]
    return known if len(known) == len(ends) else None


def _borders(ranges: list[tuple[Any, Any]] | None) -> int | None:
    """How many neighbours share their border when no two ranges overlap further; None when some do."""
    if ranges is None:
        return None
    pairs = list(itertools.pairwise(sorted(ranges)))
    if any(left[1] > right[0] for left, right in pairs):
        return None
    return sum(1 for left, right in pairs if left[1] == right[0])


def _covered(ranges: list[tuple[Any, Any]] | None) -> float:
    """How many different values fit into the ranges; infinite for types without steps."""
    step = _STEPS.get(type(ranges[0][0])) if ranges else None
    if ranges is None or step is None:
        return math.inf if ranges is None or ranges else 0.0
    total, reached = 0, -math.inf
    for low, high in sorted((step(low), step(high)) for low, high in ranges):
        total += max(0, high - int(max(low - 1, reached)))
        reached = max(reached, high)
    return float(total)


def _minimal(footers: Footers, chunks: list[Chunk]) -> bool:
    """Whether dictionaries hold what occurs and nothing else.

    Of others than DuckDB they may have entries that no row uses, as a filtered categorical column does. Of DuckDB they
    may too, for an ENUM, and 0.0 beside -0.0; not for whole numbers and what is stored as such.
    """
    by_duckdb = all(str(file.created_by).startswith("DuckDB") for file in footers.files)
    return by_duckdb and all(chunk.physical_type in ("INT32", "INT64") for _, _, chunk in chunks)


def _lows(ends: list[tuple[Any, Any] | None], sizes: list[float] | None) -> list[float]:
    """The least distinct values each row group can have: one where there is a minimum, two where it is not the maximum,
    or its minimal dictionary, which may have been given up on the way.
    """
    lows = [0.0 if each is None else 1.0 + (isinstance(each[0], _EXACT) and each[0] < each[1]) for each in ends]
    return lows if sizes is None else [max(pair) for pair in zip(lows, sizes, strict=True)]


def _highs(chunks: list[Chunk], sizes: list[float], con: duckdb.DuckDBPyConnection) -> list[float]:
    """The most distinct values each row group can have: the entries of its dictionary, if all values are from there."""
    few = any(sizes) and len(chunks) <= MOST_CHUNKS
    pure = pure_dictionaries(con, chunks) if few else set()
    found = zip(sizes, chunks, strict=True)
    return [size if size and (path, group) in pure else math.inf for size, (path, group, _) in found]
