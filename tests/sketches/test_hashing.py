"""hash64: equal values hash equal in every Arrow type, different ones differently, and the values never change."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretosql.errors import DataError, NotSupportedError, ProgrammingError
from paretosql.sketches.hashing import hash64

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


# Hash id 1 in plain Python, written from its definition.
def mix(word: int) -> int:
    word &= MASK
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & MASK
    return word ^ word >> 31


def key_of(seed: int) -> int:
    return mix((seed + 1) * GAMMA)


def of_int(value: int, key: int) -> int:
    return mix(value * GAMMA + key)


def total(words: Sequence[int], key: int) -> int:
    return sum(mix(word + key + (place + 1) * GAMMA) for place, word in enumerate(words)) & MASK


def of_words(words: Sequence[int], length: int, key: int) -> int:
    return mix((total(words, key) + length * GAMMA & MASK) ^ key)


def of_bytes(data: bytes, key: int) -> int:
    pieces = [data[i : i + 64] for i in range(0, len(data), 64)]
    sums = [total([int.from_bytes(p[i : i + 8], "little") for i in range(0, len(p), 8)], key) for p in pieces]
    whole = sums[0] if len(sums) == 1 else total(sums, key)
    return mix((whole + len(data) * GAMMA & MASK) ^ key)


def of_decimal(value: Decimal, key: int) -> int:
    sign, digits, exponent = value.as_tuple()
    unscaled, scale = int("".join(map(str, digits))) * (-1) ** sign, -int(exponent)
    while unscaled and unscaled % 10 == 0:
        unscaled, scale = unscaled // 10, scale - 1
    if unscaled == 0 or (scale <= 0 and -(2**63) <= unscaled * 10**-scale < 2**63):
        return of_int(int(value), key)
    keyed = mix(key + scale * GAMMA) if scale else key
    if -(2**63) <= unscaled < 2**63:
        return of_int(unscaled, keyed)
    width = 2 if -(2**127) <= unscaled < 2**127 else 4
    return of_words([unscaled >> 64 * k & MASK for k in range(width)], width, keyed)


def of_null(key: int) -> int:
    return mix(key ^ int.from_bytes(b"NULL", "big"))


def hashes(values: Any, seed: int = 0) -> list[int | None]:
    words, valid = hash64(values, seed)
    assert words.dtype == np.uint64
    assert valid is None or valid.dtype == bool
    return [int(w) if valid is None or valid[i] else None for i, w in enumerate(words)]


def column(values: Sequence[Any], kind: pa.DataType) -> list[int | None]:
    return hashes(pa.array(values, kind))


def test_mixing_is_splitmix64():
    """The reference equals the published generator: its first outputs for state 1234567."""
    stream = [mix(1234567 + (i + 1) * GAMMA) for i in range(3)]
    assert stream == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_integers_follow_the_definition(seed):
    """Integers of any sign hash as the plain Python definition says, for any seed."""
    values = [0, 1, -1, 7, 2**63 - 1, -(2**63)]
    assert hashes(pa.array(values, pa.int64()), seed) == [of_int(v, key_of(seed)) for v in values]


PINNED = [
    (np.array([0, 1, -1]), [0x48218226FF3CD4BF, 0xA706DD2F4D197E6F, 0xF85D28512D081C40]),
    (pa.array(["", "tea", "x" * 100]), [0x48218226FF3CD4BF, 0xA91B4D7DDFF90505, 0x28221B4CC5FF7B70]),
    (pa.array([Decimal("1.5"), Decimal("1e20")], pa.decimal128(38, 1)), [0x870750D768B00315, 0x1AD2D5BD18B9D7A6]),
    (pa.array([1.5, 0.0]), [0x26252FAF167B6E9A, 0x48218226FF3CD4BF]),
    (pa.array([[1, None], []]), [0x62ED17874A8D0BFA, 0x48218226FF3CD4BF]),
]


@pytest.mark.parametrize(("values", "expected"), PINNED, ids=["integers", "strings", "decimals", "floats", "lists"])
def test_pinned_values(values, expected):
    """Hash values are stored in sketches, so these constants (of the definition above) must hold for ever."""
    assert hashes(values) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30), st.integers(0, MASK))
def test_bytes_follow_the_definition(values, seed):
    """Strings of any length hash as the plain Python definition says, in every layout."""
    expected = [of_bytes(v, key_of(seed)) for v in values]
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        assert hashes(pa.array(values, kind), seed) == expected


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 524_287, 524_288, 524_289, 1_600_001])
def test_long_values_follow_the_definition(length):
    """Lengths around words, pieces and blocks give the hash of the definition, alone and between short values."""
    value = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    expected = of_bytes(value, key_of(0))
    assert column([value], pa.binary()) == [expected]
    assert column([b"x", value, b"", value, b"y"], pa.binary())[1::2] == [expected, expected]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=6)))
def test_decimals_follow_the_definition(values):
    """Decimals hash by value in both widths, however many zeros their scale adds."""
    expected = [of_decimal(v, key_of(0)) for v in values]
    for kind in (pa.decimal128(38, 6), pa.decimal128(38, 14), pa.decimal256(76, 6), pa.decimal256(76, 40)):
        assert column(values, kind) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(10**37), 10**37)), st.integers(0, 30))
def test_wide_decimals_follow_the_definition(values, zeros):
    """Whole numbers beyond 64 bits hash by value, also with trailing zeros and negative scales."""
    expected = [of_decimal(Decimal(v), key_of(0)) for v in values]
    assert column(values, pa.decimal128(38, 0)) == expected
    assert column([Decimal(v) for v in values], pa.decimal256(76, 30)) == expected
    scaled = [v // 10**zeros * 10**zeros for v in values]
    expected = [of_decimal(Decimal(v), key_of(0)) for v in scaled]
    unscaled = pa.array([v // 10**zeros for v in scaled], pa.decimal128(38, 0))
    negative = pa.Array.from_buffers(pa.decimal128(38, -zeros), len(values), unscaled.buffers())
    assert hashes(negative) == expected


INTEGER_TYPES = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
INTEGER_TYPES += [
    pa.decimal128(38, 0),
    pa.decimal128(20, 5),
    pa.decimal256(76, 0),
    pa.decimal32(9, 0),
    pa.decimal64(18, 3),
]


@pytest.mark.parametrize("kind", INTEGER_TYPES, ids=str)
def test_one_integer_hashes_equal_in_every_type(kind):
    """Small integers equal themselves in all integer and decimal types, and NULL rows are marked."""
    assert column([0, 1, 42, None, 127], kind) == column([0, 1, 42, None, 127], pa.int64())


def test_integers_beyond_int64_agree_with_hugeint():
    """An unsigned 64-bit integer equals the same hugeint, and not the negative number with its bits."""
    values = [2**63 - 1, 2**63, 2**64 - 1, 10**19]
    assert column(values, pa.uint64()) == column(values, pa.decimal128(38, 0))
    assert column([2**64 - 1], pa.uint64()) != column([-1], pa.int64())


SAME = [
    ([True, False], pa.bool_(), [1, 0], pa.int64()),
    ([1.5, -0.0, math.nan], pa.float32(), [1.5, 0.0, -math.nan], pa.float64()),
    ([1.5, -2.0], pa.float16(), [1.5, -2.0], pa.float64()),
    (
        [dt.date(1969, 12, 31), dt.date(2024, 2, 29)],
        pa.date32(),
        [dt.date(1969, 12, 31), dt.date(2024, 2, 29)],
        pa.date64(),
    ),
    ([0, -1, 86_399], pa.timestamp("s"), [0, -1000, 86_399_000], pa.timestamp("ms")),
    ([0, -1, 86_399_000], pa.timestamp("ms"), [0, -1000, 86_399_000_000], pa.timestamp("us", "UTC")),
    ([0, -1, 7], pa.timestamp("us", "Asia/Tokyo"), [0, -1000, 7000], pa.timestamp("ns")),
    ([3, 4], pa.time32("s"), [3000, 4000], pa.time32("ms")),
    ([3, 4], pa.time32("ms"), [3000, 4000], pa.time64("us")),
    ([3, 4], pa.time64("us"), [3000, 4000], pa.time64("ns")),
    ([3, -4], pa.duration("s"), [3 * 10**9, -4 * 10**9], pa.duration("ns")),
    ([10**13, 2**62], pa.timestamp("s"), [10**13, 2**62], pa.timestamp("s", "UTC")),
    ([10**15], pa.timestamp("s"), [10**18], pa.timestamp("ms")),
    (["a", ""], pa.string(), [b"a", b""], pa.binary()),
    (["é", "x" * 100], pa.large_string(), ["é", "x" * 100], pa.string_view()),
    ([b"abcd", b"\0\0\0\0"], pa.binary(4), [b"abcd", b"\0\0\0\0"], pa.large_binary()),
    ([[1, None], []], pa.list_(pa.int8()), [[1, None], []], pa.large_list(pa.decimal128(9, 2))),
    ([[1, 2], [3, 4]], pa.list_(pa.int8(), 2), [[1, 2], [3, 4]], pa.list_(pa.int64())),
    ([(1, 0, 0)], pa.month_day_nano_interval(), [(0, 30, 0)], pa.month_day_nano_interval()),
    ([(0, 1, 0)], pa.month_day_nano_interval(), [(0, 0, 86_400 * 10**9)], pa.month_day_nano_interval()),
    ([uuid.UUID(int=5).bytes], pa.uuid(), [uuid.UUID(int=5).bytes], pa.binary(16)),
]


@pytest.mark.parametrize(
    ("left", "left_type", "right", "right_type"), SAME, ids=lambda x: str(x) if isinstance(x, pa.DataType) else ""
)
def test_equal_values_hash_equal(left, left_type, right, right_type):
    """One value has one hash, whatever type, unit, zone, width or layout carries it."""
    assert column(left, left_type) == column(right, right_type)


DISTINCT = [
    ([1.0, 1.5, 0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324], pa.float64()),
    ([0, 1, 999, 1000, 1001, -1, -1000], pa.timestamp("ns")),
    ([0, 10**13, 10**13 + 1, -(10**13), 2**63 - 1, -(2**63), 2**62, 2**62 + 2**58], pa.timestamp("s")),
    ([2**63 - 1, 2**63 - 2, -(2**63), 10**16], pa.duration("ms")),
    (
        [Decimal("1"), Decimal("0.1"), Decimal("0.01"), Decimal("10"), Decimal("-0.1"), Decimal("0")],
        pa.decimal128(20, 4),
    ),
    (["", "\0", "\0\0", "a", "a\0", "a" * 8, "a" * 8 + "\0", "a" * 64, "a" * 64 + "\0", "a" * 65], pa.string()),
    ([[], [None], [None, None], [0], [0, None], [1, 2], [2, 1], [1, 2, None]], pa.list_(pa.int32())),
    ([[[]], [[], []], [[1], [2]], [[1, 2]], [[], [1, 2]], [None]], pa.list_(pa.list_(pa.int32()))),
    (
        [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": None, "b": 1}, {"a": 1, "b": None}],
        pa.struct({"a": pa.int8(), "b": pa.int8()}),
    ),
    ([[("a", 1)], [("a", 2)], [("b", 1)], [("a", 1), ("b", 1)], []], pa.map_(pa.string(), pa.int8())),
    ([(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, -1), (0, -1, 0)], pa.month_day_nano_interval()),
]


@pytest.mark.parametrize(("values", "kind"), DISTINCT, ids=lambda x: str(x) if isinstance(x, pa.DataType) else "")
def test_different_values_hash_differently(values, kind):
    """Values that are easily confused have different hashes."""
    found = column([*values, None], kind)
    assert len(set(found)) == len(values) + 1


def test_nested_values_follow_the_definition():
    """Lists, structs and maps are the words of their elements; NULL is a word of its own."""
    key = key_of(3)
    one, two, a = of_int(1, key), of_int(2, key), of_bytes(b"a", key)
    lists = pa.array([[1, 2], [], None, [2, None]])
    assert hashes(lists, 3) == [
        of_words([one, two], 2, key),
        of_words([], 0, key),
        None,
        of_words([two, of_null(key)], 2, key),
    ]
    structs = pa.array([{"x": 1, "y": "a"}, {"x": None, "y": "a"}])
    assert hashes(structs, 3) == [of_words([one, a], 2, key), of_words([of_null(key), a], 2, key)]
    maps = pa.array([[("a", 2)]], pa.map_(pa.string(), pa.int8()))
    assert hashes(maps, 3) == [of_words([of_words([a, two], 2, key)], 1, key)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.none() | st.integers(0, 1), max_size=3) | st.none(), max_size=3) | st.none(), max_size=12
    )
)
def test_lists_are_equal_exactly_when_python_says_so(values):
    """Two nested lists hash equal exactly when Python compares them equal."""
    found = column(values, pa.list_(pa.list_(pa.int8())))
    for (i, left), (j, right) in itertools.product(enumerate(values), repeat=2):
        assert (found[i] == found[j]) == (left == right)


ARRAYS = [
    pa.array([1, None, 3, 4, 5], pa.int16()),
    pa.array([True, None, False, True, True]),
    pa.array([1.5, None, -0.0, 4, 5]),
    pa.array(["a", None, "ccc", "", "x" * 70]),
    pa.array(["a", None, "ccc", "", "x" * 70], pa.string_view()),
    pa.array([b"ab", None, b"cc", b"dd", b"ee"], pa.binary(2)),
    pa.array([Decimal("1.50"), None, Decimal("10"), Decimal("0.01"), Decimal("12345678901234567890.1")]),
    pa.array([[1], None, [], [None, 2], [3, 4]]),
    pa.array([[1, 2], None, [3, 4], [5, None], [7, 8]], pa.list_(pa.int8(), 2)),
    pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": ""}, {"a": 3, "b": "z"}]),
    pa.array([[("k", 1)], None, [], [("l", None)], [("m", 2), ("n", 3)]], pa.map_(pa.string(), pa.int64())),
    pa.array(["a", None, "b", "a", "c"]).dictionary_encode(),
    pa.array([1, None, 3, 4, 5], pa.time32("s")),
    pa.array([1, None, 3, 4, 5], pa.timestamp("ns")),
    pa.array([None] * 5),
    pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes([i] * 16) for i in range(5)], pa.binary(16))),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: str(a.type))
def test_slices_and_chunks_do_not_matter(array):
    """A row has the same hash in a slice, in any chunking, and from a chunked array."""
    whole = hashes(array)
    assert whole[1] is None or array.null_count == 0
    for start, stop in itertools.combinations(range(6), 2):
        assert hashes(array.slice(start, stop - start)) == whole[start:stop]
    chunks = pa.chunked_array([array.slice(0, 2), array.slice(2, 0), array.slice(2)])
    assert hashes(chunks) == whole
    assert hashes(array.slice(0, 0)) == hashes(pa.chunked_array([], array.type)) == []


def test_dictionaries_hash_their_values():
    """Dictionaries and enums hash as their plain column, with NULL in the indices or among the values."""
    indices = pa.array([0, 1, 2, None, 0], pa.uint8())
    encoded = pa.DictionaryArray.from_arrays(indices, pa.array(["x", None, "z"]))
    assert hashes(encoded) == column(["x", None, "z", None, "x"], pa.string())
    assert hashes(pa.DictionaryArray.from_arrays(pa.array([None], pa.int8()), pa.array([], pa.string()))) == [None]


def test_run_end_encoding_does_not_matter():
    """A run-end encoded column hashes as the plain one."""
    plain = pa.array([1, 1, None, 2, 2, 2])
    assert hashes(pa.compute.run_end_encode(plain)) == hashes(plain)


@pytest.mark.parametrize("kind", ["i1", "u2", ">i8", "f4", ">f8", "?", "M8[s]", "M8[ns]", "m8[ms]", "U5", "O"])
def test_numpy_arrays_hash_as_arrow(kind):
    """A numpy column, also of foreign byte order, hashes as the Arrow column with the same values."""
    values = np.array(["a", "bb"], kind) if kind in ("U5", "O") else np.array([0, 1, 1], "i8").astype(kind)
    assert hashes(values) == hashes(
        pa.array(values.tolist() if kind == "O" else values.astype(values.dtype.newbyteorder("=")))
    )


def test_not_a_time_is_null():
    """NaT of numpy means NULL, NaN is a value."""
    assert hashes(np.array(["NaT"], "M8[s]")) == [None]
    assert hashes(np.array([np.nan])) != [None]


def test_seeds_are_unrelated():
    """Hashes under two seeds agree in half of their bits, as independent ones do."""
    left, right = hash64(np.arange(20_000), 0)[0], hash64(np.arange(20_000), 1)[0]
    assert np.bitwise_count(left ^ right).mean() == pytest.approx(
        32, abs=0.15
    )  # standard error 4 / sqrt(20,000) = 0.03


@pytest.mark.parametrize("values", [[1, 2], "abc", None, np.zeros((2, 2))], ids=["list", "str", "None", "matrix"])
def test_what_is_no_column_is_refused(values):
    """Anything but one column raises ProgrammingError and says what was passed."""
    with pytest.raises(ProgrammingError, match="expected one column"):
        hash64(values)


def test_unions_count_by_member_and_value():
    """Rows agree when member and value do; dense unions, which DuckDB never makes, are refused."""
    members = [pa.array([1, 1, 2, None]), pa.array([1, 1, 1, 1])]
    words, valid = hash64(pa.UnionArray.from_sparse(pa.array([0, 0, 0, 1], pa.int8()), members))
    assert valid is None and len(set(words.tolist())) == 3 and words[0] == words[1]
    dense = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(NotSupportedError, match=r"(?s)dense_union.*Hint: cast"):
        hash64(dense)


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, DataError), (2**64, DataError), (1.5, ProgrammingError), (True, ProgrammingError)]
)
def test_bad_seeds_are_refused(seed, error):
    """A seed is an integer of 64 bits."""
    with pytest.raises(error, match="seed"):
        hash64(np.arange(3), seed)


EXPRESSIONS = [
    "(i % 7)::HUGEINT",
    "('1' || repeat('0', (i % 38)::INT))::HUGEINT",
    "(i % 7) / 4",
    "((i % 70) / 10)::DECIMAL(18, 3)",
    "CASE WHEN i % 3 = 0 THEN 'nan'::DOUBLE WHEN i % 3 = 1 THEN -0.0::DOUBLE ELSE 0.0 END",
    "DATE '2020-01-01' + (i % 9)::INT",
    "make_timestamp_ns(i % 9)",
    "to_days((i % 90)::INT) + to_months((i % 4)::INT)",
    "to_hours(i % 60) - to_days((i % 3)::INT)",
    "['a', 'b', 'c'][(i % 3 + 1)::INT]::ENUM('a', 'b', 'c')",
    "[i % 3, NULL, i % 2]",
    "{'a': i % 3, 'b': CASE WHEN i % 2 = 0 THEN 'x' END}",
    "MAP {i % 3: 'a'}",
    "CASE WHEN i % 5 > 0 THEN (i % 5)::VARCHAR::BLOB END",
    "md5((i % 11)::VARCHAR)::UUID",
    "(i % 9)::BIT",
    "NULL",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values_are_distinct_where_duckdb_says_so(expression):
    """The distinct hashes of a column are as many as the COUNT(DISTINCT) of DuckDB."""
    with duckdb.connect() as connection:
        source = f"SELECT {expression} AS x FROM range(1000) t(i)"
        rows = connection.execute(f"SELECT count(DISTINCT x) FROM ({source})").fetchall()
        table = connection.sql(source).to_arrow_table()
    assert len({h for h in hashes(table.column(0)) if h is not None}) == rows[0][0]
