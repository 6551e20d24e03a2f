"""Hashes of lists, structs and maps: the hashes of the elements as a sequence of words, with the number of elements.

Every child column is hashed once as a whole and then combined per row, so the cost follows the number of elements, not
of rows. A NULL element is a word of its own, so [NULL], [] and NULL differ. Maps count as lists of (key, value) in the
order stored, as DuckDB compares them.

Source: our design, after the canonical forms of hash id 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paretosql.sketches import buffers
from paretosql.sketches.mixing import Hashed, Words, close, finalise_int, hash_rows, sum_runs

Child = Callable[[pa.Array, int], Hashed]

NULL_TAG: Final = 0x4E554C4C  # "NULL" in ASCII; mixed with the key it gives the word of a NULL element
BLOCK_ELEMENTS: Final = 1 << 14


def element_words(array: pa.Array, key: int, child: Child) -> Words:
    """The hashes of child elements, NULL ones replaced by the word that means NULL."""
    words, valid = child(array, key)
    if valid is None:
        return words
    return np.where(valid, words, np.uint64(finalise_int(key ^ NULL_TAG)))


def hash_struct(array: pa.Array, key: int, child: Child) -> Words:
    """Structs: fields in the order of the type; names do not count."""
    fields = [element_words(array.field(i), key, child) for i in range(array.type.num_fields)]
    if not fields:
        return np.zeros(len(array), np.uint64)
    return hash_rows(fields, len(fields), key)


def hash_list(array: pa.Array, key: int, child: Child) -> Words:
    """Lists with 32-bit or 64-bit offsets, and maps."""
    offsets = buffers.offsets(array, pa.types.is_large_list(array.type)).astype(np.int64)
    elements = array.values if not pa.types.is_map(array.type) else None
    first, last = int(offsets[0]), int(offsets[-1])
    if elements is not None:
        words = element_words(elements.slice(first, last - first), key, child)
    else:
        keys = element_words(array.keys.slice(first, last - first), key, child)
        items = element_words(array.items.slice(first, last - first), key, child)
        words = hash_rows([keys, items], 2, key)
    return hash_runs(words, offsets - first, key)


def hash_union(array: pa.Array, key: int, child: Child) -> Words:
    """Sparse unions: the number of the member, then its value."""
    chosen = array.type_codes.to_numpy(zero_copy_only=False)
    words = np.zeros(len(array), np.uint64)
    for code in range(array.type.num_fields):
        rows = chosen == code
        if rows.any():
            member = np.full(len(array), finalise_int(key ^ code), np.uint64)
            words[rows] = hash_rows([member, element_words(array.field(code), key, child)], 2, key)[rows]
    return words


def hash_fixed_list(array: pa.Array, key: int, child: Child) -> Words:
    """Lists of one fixed size."""
    size = array.type.list_size
    words = element_words(array.values.slice(array.offset * size, len(array) * size), key, child)
    return hash_runs(words, np.arange(len(array) + 1, dtype=np.int64) * size, key)


def hash_runs(words: Words, offsets: npt.NDArray[np.int64], key: int) -> Words:
    """Hash the runs words[offsets[i]:offsets[i + 1]] of element hashes.

    Args:
        words: element hashes; overwritten.
        offsets: shape (n + 1,), ascending, from 0.
    Returns: uint64 array of shape (n,).
    Cost: about 4 ns per element and per row.
    """
    rows = len(offsets) - 1
    hashed = np.empty(rows, np.uint64)
    row = 0
    while row < rows:
        limit = int(offsets[row]) + BLOCK_ELEMENTS
        end = int(np.searchsorted(offsets[row : min(rows, row + BLOCK_ELEMENTS) + 1], limit, side="right")) - 1 + row
        end = max(end, row + 1)
        block = offsets[row : end + 1]
        counts = np.diff(block)
        sums = sum_runs(words[block[0] : block[-1]], block[:-1] - block[0], counts, key)
        hashed[row:end] = close(sums, counts, key)
        row = end
    return hashed
