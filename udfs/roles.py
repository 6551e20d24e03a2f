"""Which column plays which part: the one a user named, or one whose name says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from paretosql.errors import DataError, ProgrammingError, closest, compose

# words of column names, as people write them; compared in lower case without underscores
USERS = ("user_id", "user", "visitor_id", "visitor", "customer_id", "customer", "member_id", "account_id", "client_id",
         "session_id", "uid")  # fmt: skip
ITEMS = ("item_id", "item", "product_id", "product", "movie_id", "movie", "film_id", "book_id", "song_id", "track_id",
         "artist_id", "article_id", "content_id", "video_id", "sku", "iid")  # fmt: skip
RATINGS = ("rating", "score", "stars", "value", "preference", "implicit_rating")
TIMES = ("timestamp", "ts", "time", "event_time", "rated_at", "created_at", "at", "date", "datetime", "event_timestamp")
LABELS = ("label", "target")


def found_column(names: Sequence[str], wanted: str) -> str | None:
    """The column of this name in any case; None when there is none. As in DuckDB only ASCII letters have a case.

    >>> found_column(["ID", "ä"], "id"), found_column(["ID", "ä"], "Ä")
    ('ID', None)
    """
    if wanted in names:
        return wanted
    return next((name for name in names if folded(name) == folded(wanted)), None)


def folded(name: str) -> bytes:
    """What two names have in common that DuckDB takes for one."""
    return name.encode().lower()  # of bytes, which changes ASCII letters alone


def named_column(names: Sequence[str], wanted: str, option: str, family: str) -> str:
    """The column that an option names.

    Raises:
        ProgrammingError: there is none.
    """
    found = found_column(names, wanted)
    if found is None:
        near = closest(wanted, names)
        start = f"did you mean {near!r}? " if near else ""
        problem = f"{family}: there is no column {wanted!r}, which {option} names"
        raise ProgrammingError(compose(problem, hint=f"{start}The rows have {', '.join(names)}."))
    return found


def guessed_column(names: Sequence[str], words: Sequence[str]) -> str | None:
    """The first column whose name is one of the words, by the order of the words."""
    plain = {_plain(name): name for name in reversed(names)}
    return next((plain[_plain(word)] for word in words if _plain(word) in plain), None)


def needed_column(
    names: Sequence[str], given: str, words: Sequence[str], option: str, family: str, *, part: str = ""
) -> str:
    """The column for a part that must be there: named by the option, or guessed.

    Args:
        part: what the column holds, where the name of the option does not say it.
    Raises:
        ProgrammingError: neither.
    """
    if given:
        return named_column(names, given, option, family)
    found = guessed_column(names, words)
    if found is None:
        part = part or option.removesuffix("_col")
        listed = f"none of {', '.join(names)} is" if names else "there is no other, such as one"
        problem = f"{family} needs a column with the {part}; {listed} called {words[0]}"
        raise ProgrammingError(compose(problem, hint=f"name the column that holds it: OPTIONS ({option} = '..')."))
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def plain_values(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array of plain values: no dictionary, no view of text."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return array.cast(pa.string())
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    return array


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that `plain_values` makes of a column."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_string_view(inner) or pa.types.is_large_string(inner) or pa.types.is_null(inner):
        return pa.string()
    return inner


def sql_type(kind: pa.DataType) -> str:
    """What SQL calls a type of Arrow's, for messages.

    >>> sql_type(pa.list_(pa.float32())), sql_type(pa.timestamp("us")), sql_type(pa.decimal128(9, 2))
    ('FLOAT[]', 'TIMESTAMP', 'DECIMAL(9, 2)')
    """
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if isinstance(kind, pa.OpaqueType):  # of DuckDB's, which Arrow has none for
        return str(kind.type_name).upper()
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return next((name for name, is_one in _SQL_TYPES if is_one(kind)), str(kind).upper())


_SQL_TYPES: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("BOOLEAN", pa.types.is_boolean),
    ("TINYINT", pa.types.is_int8),
    ("SMALLINT", pa.types.is_int16),
    ("INTEGER", pa.types.is_int32),
    ("BIGINT", pa.types.is_int64),
    ("UTINYINT", pa.types.is_uint8),
    ("USMALLINT", pa.types.is_uint16),
    ("UINTEGER", pa.types.is_uint32),
    ("UBIGINT", pa.types.is_uint64),
    ("FLOAT", pa.types.is_float32),
    ("DOUBLE", pa.types.is_float64),
    ("VARCHAR", pa.types.is_string),
    ("BLOB", lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind)),
    ("DATE", pa.types.is_date),
    ("TIMESTAMP WITH TIME ZONE", lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None),
    ("TIMESTAMP", pa.types.is_timestamp),
    ("TIME", pa.types.is_time),
    ("INTERVAL", lambda kind: pa.types.is_duration(kind) or pa.types.is_interval(kind)),
    ("STRUCT", pa.types.is_struct),
    ("MAP", pa.types.is_map),
)


def shown_value(value: pa.Scalar) -> str:
    """A value for messages, text in quotes; its type where it cannot be said, as of dates beyond the year 9999."""
    try:
        is_text = pa.types.is_string(plain_type(value.type))
        return repr(value.as_py()) if is_text else str(value.cast(pa.string()).as_py())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OverflowError):
        return f"of type {sql_type(value.type)}"


def numbers(array: pa.Array | pa.ChunkedArray, column: str, family: str) -> pa.Array:
    """A column as doubles; NULL stays.

    Raises:
        DataError: it holds something else than numbers, dates and times.
    """
    values = plain_values(array)
    kind = values.type
    if pa.types.is_date(kind):
        values = values.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.int64())
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        values = values.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
    elif not is_number(kind):
        problem = f"{family}: the column {column!r} holds {sql_type(kind)}, where numbers belong"
        raise DataError(compose(problem, hint=f"leave it out, or make numbers of {column} in the query."))
    return values.cast(pa.float64(), safe=False)


def is_number(kind: pa.DataType) -> bool:
    """Whether values are numbers, true and false included."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(each(kind) for each in kinds)
