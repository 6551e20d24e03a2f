"""Messages between a coordinator and its sites, as bytes.

| bytes | field |
| --- | --- |
| 1, 1, 1 | version, kind, round |
| 8 | run: a random number that all messages of one collection share |
| variable | body, by kind |
| 4 | CRC-32 (that of zlib) of everything before |

All numbers are little-endian. A transport adds the length of a message, PREFIX_BYTES, which counts as sent too. The
kinds and their bodies:

| kind | request | reply |
| --- | --- | --- |
| SURVEY | seed, bits, number and smallest share of heavy values | rows, values, registers by zlib, heavy values |
| SKETCH | seed, capacity, threshold, heavy values | a ProfileSketch |
| PAIR | seed, bits, rate of the sub-sample | rows, registers of all values, of singletons, sub-sample, id |
| FAILED | | why the site cannot answer, as text |

The body of every reply but FAILED begins with a `Head`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError
from paretosql.sketches import varint
from paretosql.sketches.arguments import FULL, MAX_CAPACITY
from paretosql.sketches.contributions import ID_BYTES
from paretosql.sketches.entries import Entries, nothing
from paretosql.sketches.hll import MAX_BITS, MIN_BITS, Registers, read_registers
from paretosql.sketches.mixing import Words
from paretosql.sketches.ndvp import decode_entries

VERSION: Final = 1
SURVEY, SKETCH, PAIR, FAILED = 1, 2, 3, 255
PREFIX_BYTES: Final = 4
HEADER: Final = struct.Struct("<BBBQ")
CRC: Final = struct.Struct("<I")


class DamagedMessage(DataError):
    """Bytes that are not a whole message of this version, or whose body is not what its kind asks for."""


@dataclass(frozen=True)
class Message:
    """One request or reply."""

    kind: int
    round: int
    run: int
    body: bytes

    def to_bytes(self) -> bytes:
        """The message as it is sent."""
        data = HEADER.pack(VERSION, self.kind, self.round, self.run) + self.body
        return data + CRC.pack(zlib.crc32(data))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The message that was sent; DamagedMessage when it is not whole."""
        if len(data) < HEADER.size + CRC.size:
            raise DamagedMessage(f"a message of {len(data)} bytes is too short")
        content = data[: -CRC.size]
        if CRC.unpack(data[-CRC.size :])[0] != zlib.crc32(content):
            raise DamagedMessage(f"the checksum of a message of {len(data)} bytes does not fit")
        version, kind, number, run = HEADER.unpack_from(content)
        if version != VERSION:
            raise DamagedMessage(f"a message of version {version}, but this release reads version {VERSION}")
        return cls(kind, number, run, content[HEADER.size :])


class Reader:
    """Takes fields from the front of a body; DamagedMessage when there are too few bytes, or some are left over."""

    def __init__(self, body: bytes) -> None:
        self._bytes: npt.NDArray[np.uint8] = np.frombuffer(body, np.uint8)

    def numbers(self, count: int) -> list[int]:
        """Varints."""
        try:
            values, used = varint.decode(self._bytes, count)
        except ValueError as error:
            raise DamagedMessage(f"unreadable numbers: {error}") from None
        self._bytes = self._bytes[used:]
        return [int(value) for value in values]

    def entries(self) -> Entries:
        """Hashes ascending, and their counts."""
        (count,) = self.numbers(1)
        try:
            found, used = decode_entries(self._bytes, count)
        except ValueError as error:
            raise DamagedMessage(f"unreadable entries: {error}") from None
        self._bytes = self._bytes[used:]
        return found

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > len(self._bytes):
            raise DamagedMessage("the body ends too early")
        data, self._bytes = self._bytes[:size].tobytes(), self._bytes[size:]
        return data

    def registers(self, bits: int) -> Registers:
        """2**bits registers of a HyperLogLog."""
        return read_registers(self.take(1 << bits), bits)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._bytes))

    def end(self) -> None:
        """DamagedMessage when bytes are left."""
        if len(self._bytes):
            raise DamagedMessage(f"{len(self._bytes)} bytes behind the end of a body")


def numbers(*values: int) -> bytes:
    """Varints of whole numbers in 0..2**64-1."""
    return varint.encode(np.array(values, np.uint64))


def _only_numbers(body: bytes, count: int) -> list[int]:
    """A body of so many varints and nothing behind them."""
    reader = Reader(body)
    found = reader.numbers(count)
    reader.end()
    return found


def entries(found: Entries) -> bytes:
    """Hashes as varints of differences, counts as varints, their number before."""
    keys, counts = found
    return numbers(len(keys)) + _ascending(keys) + varint.encode(counts.astype(np.uint64))


def _ascending(keys: Words) -> bytes:
    return varint.encode(np.diff(keys, prepend=np.uint64(0)))


@dataclass(frozen=True)
class Head:
    """What stands behind a reply: sites covered, sites below that did not answer, bytes moved below."""

    covered: int = 1
    lost: int = 0
    bytes_below: int = 0

    def to_bytes(self) -> bytes:
        return numbers(self.covered, self.lost, self.bytes_below)


@dataclass(frozen=True)
class SurveyRequest:
    """How large are you? `heavy` values at most, each with at least 1 / `shares` of the site's rows."""

    seed: int
    bits: int
    heavy: int
    shares: int

    def to_bytes(self) -> bytes:
        return numbers(self.seed, self.bits, self.heavy, self.shares)

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        request = cls(*_only_numbers(body, 4))
        _check_bits(request.bits)
        return request


@dataclass(frozen=True)
class Survey:
    """Rows and distinct values of a site's sample (of a rack: their sums), registers, and its most frequent values."""

    rows: int
    distinct: int
    registers: Registers
    heavy: Entries

    def to_bytes(self) -> bytes:
        packed = zlib.compress(self.registers.tobytes(), 9)  # about 3 bits per register instead of 8
        return numbers(self.rows, self.distinct, len(packed)) + packed + entries(self.heavy)

    @classmethod
    def from_bytes(cls, body: bytes, bits: int) -> Self:
        reader = Reader(body)
        rows, distinct, size = reader.numbers(3)
        survey = cls(rows, distinct, _unpacked(reader.take(size), bits), reader.entries())
        reader.end()
        if distinct > rows or sum(survey.heavy[1].tolist()) > rows:
            raise DamagedMessage("a survey that contradicts itself")
        return survey


@dataclass(frozen=True)
class SketchRequest:
    """Send your ProfileSketch with this threshold, and these hashes, in ascending order, counted apart."""

    seed: int
    capacity: int
    theta: int = FULL
    heavy: Words = field(default_factory=lambda: nothing()[0])

    def to_bytes(self) -> bytes:
        return numbers(self.seed, self.capacity, self.theta - 1, len(self.heavy)) + _ascending(self.heavy)

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        reader = Reader(body)
        seed, capacity, below, count = reader.numbers(4)
        steps = np.array(reader.numbers(count), np.uint64)
        request = cls(seed, capacity, below + 1, np.cumsum(steps, dtype=np.uint64))
        reader.end()
        if (request.heavy[1:] <= request.heavy[:-1]).any() or not 1 <= capacity <= MAX_CAPACITY:
            raise DamagedMessage("a request for a sketch that cannot be")
        return request


@dataclass(frozen=True)
class PairRequest:
    """Send the two HyperLogLogs of `loo_hll`, and a sub-sample of this many rows in 2**32 (0: none)."""

    seed: int
    bits: int
    sub_share: int

    def to_bytes(self) -> bytes:
        return numbers(self.seed, self.bits, self.sub_share)

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        request = cls(*_only_numbers(body, 3))
        _check_bits(request.bits)
        return request


@dataclass(frozen=True)
class Pair:
    """Rows of a site's sample, the registers of its values and of its singletons, its sub-sample, and the id that names
    its rows: ID_BYTES, or none."""

    rows: int
    everything: Registers
    once: Registers
    sub: Entries
    contribution: bytes = b""

    def to_bytes(self) -> bytes:
        registers = self.everything.tobytes() + self.once.tobytes()
        return numbers(self.rows) + registers + entries(self.sub) + self.contribution

    @classmethod
    def from_bytes(cls, body: bytes, bits: int) -> Self:
        reader = Reader(body)
        (rows,) = reader.numbers(1)
        pair = cls(rows, reader.registers(bits), reader.registers(bits), reader.entries(), reader.rest())
        if len(pair.contribution) not in (0, ID_BYTES):
            raise DamagedMessage(f"a contribution id of {len(pair.contribution)} bytes")
        return pair


def split_reply(body: bytes) -> tuple[Head, bytes]:
    """Head and rest of the body of a reply."""
    reader = Reader(body)
    head = Head(*reader.numbers(3))
    return head, reader.rest()


def _unpacked(data: bytes, bits: int) -> Registers:
    """Registers that were compressed; DamagedMessage when they are not."""
    try:
        return read_registers(zlib.decompressobj().decompress(data, (1 << bits) + 1), bits)
    except zlib.error as error:
        raise DamagedMessage(f"unreadable registers: {error}") from None


def _check_bits(bits: int) -> None:
    if not MIN_BITS <= bits <= MAX_BITS:
        raise DamagedMessage(f"a request for a HyperLogLog of {bits} bits")
