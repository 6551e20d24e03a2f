"""Canonical forms of numbers, dates and times: equal values get equal words, whatever Arrow type carries them.

- integers and booleans of every width, and decimals whose value is a whole number within int64: the int64 value
- other decimals: unscaled value and scale after stripping trailing zeros, so 1.50 = 1.5
- floats: the bits of the float64, with -0.0 = 0.0 and one NaN; so 1.0 does not equal the integer 1 (they never share
  a column)
- dates: days since 1970; date32 = date64
- timestamps, times and durations: microseconds since 1970 UTC, midnight or zero. What microseconds cannot hold is
  hashed exactly as a pair: nanosecond values with a rest as (microseconds, rest), instants beyond int64 microseconds
  (about year 294,000) as (seconds, milliseconds); so no two different instants are confused
- intervals: days and nanoseconds, with 30 days to a month and 24 hours to a day, as SQL compares them

Every function takes an Arrow array of its family and a 64-bit key and returns one uint64 hash per row; what stands at
NULL rows is unspecified. Cost: 2 to 10 ns per row; wide decimals about 0.3 us.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.sketches.buffers import fixed
from paretosql.sketches.decimals import hash_wide
from paretosql.sketches.mixing import Words, hash_rows, hash_words

DAY_MILLISECONDS: Final = 86_400_000
DAY_NANOSECONDS: Final = DAY_MILLISECONDS * 1_000_000
INT64_MAX: Final = (1 << 63) - 1
PER_MICROSECOND: Final = {"s": 1_000_000, "ms": 1_000}

# Lengths given to `hash_rows` that keep pairs of different meaning apart.
NANOSECOND_PAIR: Final = 9
FAR_INSTANT_PAIR: Final = 10
INTERVAL_PAIR: Final = 11


def hash_signed(array: pa.Array, key: int) -> Words:
    """Signed integers up to 64 bits, and date32."""
    values = fixed(array, f"<i{array.type.bit_width // 8}")
    return hash_words(values.astype(np.int64, copy=False), key)


def hash_unsigned(array: pa.Array, key: int) -> Words:
    """Unsigned integers; from 2**63 on they are wide, to agree with the same value as a decimal."""
    values = fixed(array, f"<u{array.type.bit_width // 8}").astype(np.uint64, copy=False)
    hashed = hash_words(values, key)
    if array.type.bit_width == 64 and len(values) and values.max() > INT64_MAX:
        rows = np.flatnonzero(values > np.uint64(INT64_MAX))
        wide = values[rows]
        zeros = np.zeros(len(wide), np.uint64)
        tens = wide // 10 * 10 == wide  # the others have no zero to strip, and two words as they are
        hashed[rows] = hash_rows([wide, zeros], 2, key)
        hashed[rows[tens]] = hash_wide(np.stack([wide[tens], zeros[tens]], axis=1), 0, key)
    return hashed


def hash_bool(array: pa.Array, key: int) -> Words:
    """Booleans, as 0 and 1."""
    return hash_unsigned(array.cast(pa.uint8()), key)


def hash_float(array: pa.Array, key: int) -> Words:
    """Half, single and double floats."""
    values = fixed(array, f"<f{array.type.bit_width // 8}").astype(np.float64)
    values += 0.0  # turns -0.0 into 0.0
    values[np.isnan(values)] = np.nan  # one bit pattern for every NaN
    return hash_words(values.view(np.int64), key)


def hash_date64(array: pa.Array, key: int) -> Words:
    """Dates in milliseconds, as days."""
    return hash_words(fixed(array, "<i8") // DAY_MILLISECONDS, key)


def hash_instant(array: pa.Array, key: int) -> Words:
    """Timestamps with or without zone, times of day and durations of any unit."""
    values = fixed(array, f"<i{array.type.bit_width // 8}").astype(np.int64, copy=False)
    unit = array.type.unit
    if unit == "us":
        return hash_words(values, key)
    if unit == "ns":
        micros = values // 1_000
        rest = values - micros * 1_000
        hashed = hash_words(micros, key)
        rows = np.flatnonzero(rest)
        if len(rows):
            hashed[rows] = hash_rows([_words(micros[rows]), _words(rest[rows])], NANOSECOND_PAIR, key)
        return hashed
    factor = PER_MICROSECOND[unit]
    hashed = hash_words(values * factor, key)
    far = np.flatnonzero((values > INT64_MAX // factor) | (values < -(INT64_MAX // factor)))
    if len(far):
        per_second = 1_000_000 // factor
        seconds = values[far] // per_second
        rest = values[far] - seconds * per_second
        hashed[far] = hash_rows([_words(seconds), _words(rest)], FAR_INSTANT_PAIR, key)
    return hashed


def hash_interval(array: pa.Array, key: int) -> Words:
    """Intervals of months, days and nanoseconds."""
    parts = fixed(array, np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")]))
    extra = parts["nanoseconds"] // DAY_NANOSECONDS
    rest = parts["nanoseconds"] - extra * DAY_NANOSECONDS
    days = parts["months"].astype(np.int64) * 30 + parts["days"] + extra
    return hash_rows([_words(days), _words(rest)], INTERVAL_PAIR, key)


def _words(values: npt.NDArray[np.int64]) -> Words:
    return np.ascontiguousarray(values).view(np.uint64)
