"""HyperLogLog on whole arrays: the number of distinct values from 2**bits one-byte registers.

A hash chooses a register by its first bits; the register keeps the largest rank seen, the place of the first one among
the other bits. Registers merge by their maximum, so that, unlike with counts, merging the same rows twice changes
nothing.

Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (AofA 2007), with its estimator and linear counting below
2.5 m as in Li et al. (KDD 2022), as released; no correction for large values is needed with 64-bit hashes.
"""

from __future__ import annotations

import math
import struct
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import check_seeds_agree, parts
from paretosql.sketches.envelope import DamagedSketch, seal, unseal
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import HASH_ID, Words, check_seed
from paretosql.sketches.ndvp import check_hash_id

Registers: TypeAlias = npt.NDArray[np.uint8]

BITS: Final = 16  # as released with the paper: 65,536 registers
MIN_BITS, MAX_BITS = 4, 18
EXACT_BITS: Final = 53  # bits of a hash that a float64 holds exactly; ranks beyond 54 are cut to it
MAGIC: Final = b"NDVH"
VERSION: Final = 1
HEADER: Final = struct.Struct("<4sBBBxQ")  # magic, version, hash id, bits, 0, seed; then the registers
PADDING: Final = 7  # where the header has a 0


class HyperLogLog:
    """A HyperLogLog of a column; follows the `Sketch` protocol.

    Args:
        bits: log2 of the number of registers, 4..18; relative standard error 1.04 / 2**(bits / 2), 0.4 % for 16.
        seed: of the hash.
    Cost: per row the hash and about 10 ns; 2**bits bytes.

    >>> HyperLogLog(12).update(np.arange(100) % 7).distinct()
    7.00...
    """

    def __init__(self, bits: int = BITS, seed: int = 0) -> None:
        self.bits = check_bits(bits)
        self.seed = check_seed(seed)
        self.registers: Registers = np.zeros(1 << self.bits, np.uint8)

    def update(self, values: Values) -> Self:
        """Add the rows of a column and return this sketch; raises as `hash64`."""
        for part in parts(values):
            words, valid = hash64(part, self.seed)
            self.add(words if valid is None else words[valid])
        return self

    def add(self, words: Words) -> Self:
        """Add rows by their hashes and return this sketch."""
        at = (words >> np.uint64(64 - self.bits)).astype(np.intp)
        np.maximum.at(self.registers, at, ranks(words << np.uint64(self.bits), self.bits))
        return self

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; DataError when bits or seed differ."""
        if not isinstance(other, HyperLogLog):
            raise ProgrammingError(compose(f"a HyperLogLog cannot merge a {type(other).__name__}"))
        check_seeds_agree(self.seed, other.seed)
        if self.bits != other.bits:
            problem = f"a HyperLogLog of {self.bits} bits cannot be merged with one of {other.bits}"
            raise DataError(compose(problem, hint="build both with the same number of bits."))
        np.maximum(self.registers, other.registers, out=self.registers)
        return self

    def distinct(self) -> float:
        """The estimated number of distinct values."""
        return cardinality(self.registers)

    def to_bytes(self) -> bytes:
        """The sketch in its stored form, magic NDVH: 16 bytes, one byte per register, and a checksum."""
        return seal(HEADER.pack(MAGIC, VERSION, HASH_ID, self.bits, self.seed) + self.registers.tobytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`; DamagedSketch when it is not whole."""
        body = unseal(data, MAGIC, VERSION)
        if len(body) < HEADER.size:
            raise DamagedSketch(f"an NDVH sketch was cut off after {len(data)} bytes")
        _, _, hash_id, bits, seed = HEADER.unpack_from(body)
        check_hash_id(hash_id)
        if body[PADDING]:
            raise DamagedSketch("the NDVH sketch has a header that contradicts itself")
        if not MIN_BITS <= bits <= MAX_BITS:
            raise DamagedSketch(f"the NDVH sketch has a size of {bits} bits")
        sketch = cls(bits, seed)
        sketch.registers = read_registers(body[HEADER.size :], bits)
        return sketch


def check_bits(bits: int) -> int:
    """`bits` as a Python int in 4..18; ProgrammingError or DataError when it is not one."""
    if isinstance(bits, bool) or not isinstance(bits, int | np.integer):
        raise ProgrammingError(compose(f"the bits of a HyperLogLog are an integer, not {type(bits).__name__}"))
    if not MIN_BITS <= bits <= MAX_BITS:
        raise DataError(compose(f"{bits} bits are out of range", hint=f"use {MIN_BITS} to {MAX_BITS}."))
    return int(bits)


def ranks(rest: Words, bits: int) -> Registers:
    """The place, from 1, of the first one in each word, in whose lowest `bits` bits there is none."""
    _, length = np.frexp((rest >> np.uint64(64 - EXACT_BITS)).astype(np.float64))
    found: Registers = np.minimum(EXACT_BITS + 1 - length, 64 - bits + 1).astype(np.uint8)
    return found


def cardinality(registers: Registers) -> float:
    """The estimate of the original paper; about 50 us for 65,536 registers."""
    m = len(registers)
    numbers = np.bincount(registers, minlength=1)
    raw = alpha(m) * m * m / float((numbers * 0.5 ** np.arange(len(numbers))).sum())
    empty = int(numbers[0])
    return m * math.log(m / empty) if raw <= 2.5 * m and empty else raw


def alpha(m: int) -> float:
    """The constant that makes the estimate unbiased."""
    return {16: 0.673, 32: 0.697, 64: 0.709}.get(m, 0.7213 / (1 + 1.079 / m))


def read_registers(data: bytes, bits: int) -> Registers:
    """2**bits registers from bytes; DamagedSketch when there are more or fewer, or ranks that no hash can have."""
    registers = np.frombuffer(data, np.uint8).copy()
    if len(registers) != 1 << bits or int(registers.max()) > 64 - bits + 1:
        raise DamagedSketch(f"these are not the registers of a HyperLogLog of {bits} bits")
    return registers
