"""Variable-length integers (LEB128) of whole arrays.

A value is written in groups of 7 bits, least significant first; every byte but the last of a value has its top bit
set. Small values take one byte, 2**64 - 1 takes ten.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from paretosql.sketches.mixing import Words

LONGEST: Final = 10  # bytes of 2**64 - 1
MORE: Final = np.uint8(0x80)
STEPS: Final = [np.uint64(1 << 7 * k) for k in range(1, LONGEST)]


def encode(values: Words) -> bytes:
    """The bytes of a uint64 array, shape (n,); about 15 ns per value.

    >>> encode(np.array([1, 300], np.uint64)).hex()
    '01ac02'
    """
    sizes = np.ones(len(values), np.int64)
    for step in STEPS:
        larger = values >= step
        if not larger.any():
            break
        sizes += larger
    ends = np.cumsum(sizes)
    encoded = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sizes
    for place in range(int(sizes.max(initial=0))):
        rows = np.flatnonzero(sizes > place)
        group = ((values[rows] >> np.uint64(7 * place)) & np.uint64(0x7F)).astype(np.uint8)
        group[sizes[rows] > place + 1] |= MORE
        encoded[starts[rows] + place] = group
    return encoded.tobytes()


def decode(data: npt.NDArray[np.uint8], count: int) -> tuple[Words, int]:
    """The first `count` values in `data`, shape (n,), and how many bytes they take; about 15 ns per value.

    Raises:
        ValueError: too few bytes, a value above 2**64 - 1, or one that is not in its shortest form.
    """
    if count == 0:
        return np.empty(0, np.uint64), 0
    if count > len(data):
        raise ValueError("the bytes end too early")
    window = data[: count * LONGEST]
    ends = np.flatnonzero(window < MORE)[:count]
    if len(ends) < count:
        raise ValueError("the bytes end too early" if len(window) == len(data) else "a number is larger than 64 bits")
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    longest = int(sizes.max())
    last = window[ends]
    if longest > LONGEST or (last[sizes == LONGEST] > 1).any():
        raise ValueError("a number is larger than 64 bits")
    if (last[sizes > 1] == 0).any():
        raise ValueError("a number has needless zeros")
    values = np.zeros(count, np.uint64)
    for place in range(longest):
        rows = np.flatnonzero(sizes > place)
        values[rows] |= (window[starts[rows] + place] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return values, int(ends[-1]) + 1
