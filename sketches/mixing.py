"""Mixing of 64-bit words: the arithmetic under every hash of this package.

One word is mixed by the finaliser of splitmix64, a bijection of 64 bits. A sequence of words becomes one hash by adding
up the mixed words, each salted by its place, and mixing the sum with the length. Everything is uint64 arithmetic modulo
2**64 on native integers, so results do not depend on the byte order of the machine.

Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014) for the constants; the salted sum is
our design. It is a hash for data, not against an adversary: whoever knows the seed can construct collisions.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose

Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Hashed = tuple[Words, Mask | None]

HASH_ID: Final = 1  # written into stored sketches; a change of any hash value needs a new id

WORD_MASK: Final = (1 << 64) - 1
GAMMA: Final = 0x9E3779B97F4A7C15
MULTIPLIER_1: Final = 0xBF58476D1CE4E5B9
MULTIPLIER_2: Final = 0x94D049BB133111EB

BLOCK_WORDS: Final = 1 << 14  # our choice: 128 KiB, so a block and its scratch stay in the second-level cache


def finalise_int(word: int) -> int:
    """The splitmix64 finaliser of one Python int, modulo 2**64.

    >>> hex(finalise_int(GAMMA))
    '0xe220a8397b1dcdaf'
    """
    word &= WORD_MASK
    word = (word ^ (word >> 30)) * MULTIPLIER_1 & WORD_MASK
    word = (word ^ (word >> 27)) * MULTIPLIER_2 & WORD_MASK
    return word ^ (word >> 31)


def check_seed(seed: int) -> int:
    """`seed` as a Python int in 0..2**64-1; ProgrammingError or DataError when it is not one."""
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, int | np.integer):
        raise ProgrammingError(compose(f"a seed is an integer, not {type(seed).__name__}", hint="use seed => 0."))
    if not 0 <= int(seed) <= WORD_MASK:
        raise DataError(compose(f"seed {seed} is out of range", hint="a seed lies between 0 and 2**64 - 1."))
    return int(seed)


def key_of(seed: int) -> int:
    """The 64-bit key that a seed stands for; different seeds give unrelated keys."""
    return finalise_int((seed + 1) * GAMMA)


def finalise(words: Words, scratch: Words | None = None) -> Words:
    """Apply the splitmix64 finaliser to every word, in place, and return `words`.

    Args:
        words: contiguous uint64 array of any length; overwritten.
        scratch: uint64 array of at least min(len(words), BLOCK_WORDS) words to work in.
    Cost: about 1.5 ns per word, O(BLOCK_WORDS) extra memory.
    """
    if scratch is None:
        scratch = np.empty(min(len(words), BLOCK_WORDS), np.uint64)
    for start in range(0, len(words), BLOCK_WORDS):
        block = words[start : start + BLOCK_WORDS]
        spare = scratch[: len(block)]
        block ^= np.right_shift(block, np.uint64(30), out=spare)
        block *= np.uint64(MULTIPLIER_1)
        block ^= np.right_shift(block, np.uint64(27), out=spare)
        block *= np.uint64(MULTIPLIER_2)
        block ^= np.right_shift(block, np.uint64(31), out=spare)
    return words


def hash_words(words: npt.NDArray[Any], key: int) -> Words:
    """Hash one word per row: the finaliser of `word * GAMMA + key`.

    Consecutive integers thus give exactly the output stream of the splitmix64 generator, the case it was tested for.

    Args:
        words: int64 or uint64 array of any length and alignment; not changed.
    Returns: a new uint64 array of the same length.
    Cost: about 2 ns per row.
    """
    source = words.view(np.uint64)
    hashed = np.empty(len(source), np.uint64)
    scratch = np.empty(min(len(source), BLOCK_WORDS), np.uint64)
    for start in range(0, len(source), BLOCK_WORDS):
        block = hashed[start : start + BLOCK_WORDS]
        np.multiply(source[start : start + BLOCK_WORDS], np.uint64(GAMMA), out=block)
        block += np.uint64(key)
        finalise(block, scratch)
    return hashed


def close(sums: Words, lengths: npt.NDArray[Any], key: int) -> Words:
    """The hash of each sequence from the sum of its salted, mixed words and its length; overwrites `sums`."""
    sums += lengths.astype(np.uint64) * np.uint64(GAMMA)
    sums ^= np.uint64(key)
    return finalise(sums)


def hash_rows(columns: list[Words], length: int, key: int) -> Words:
    """Hash fixed-size sequences given as one uint64 array per place (at least one), all of the same length.

    Equals `hash_runs` of the same words in runs of len(columns), each of the given `length`.
    """
    sums = np.zeros(len(columns[0]), np.uint64)
    for place, column in enumerate(columns):
        sums += finalise(column + np.uint64(salt(place, key)))
    return close(sums, np.full(len(sums), length, np.uint64), key)


def salt(place: int, key: int) -> int:
    """What is added to the word at `place` (from 0) of a sequence before it is mixed."""
    return (key + (place + 1) * GAMMA) & WORD_MASK


def sum_runs(words: Words, starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], key: int) -> Words:
    """For each run of consecutive words, the sum over its places of the mixed, salted word; overwrites `words`.

    Args:
        words: the words of all runs, end to end, shape (w,).
        starts: first word of each run, shape (n,), ascending; starts[0] = 0.
        counts: words in each run, shape (n,); zero is allowed.
    Returns: uint64 array of shape (n,).
    """
    total = len(words)
    salts = np.arange(total, dtype=np.uint64)
    salts *= np.uint64(GAMMA)
    first = np.uint64(salt(0, key)) - starts.astype(np.uint64) * np.uint64(GAMMA)
    salts += np.repeat(first, counts)
    words += salts
    finalise(words, salts)
    running = np.empty(total + 1, np.uint64)
    running[0] = 0
    np.cumsum(words, out=running[1:])
    sums: Words = running[starts + counts] - running[starts]
    return sums
