"""The outside of stored sketches: magic bytes, a version, and a CRC-32C that makes damage visible.

Every stored form starts with a 4-byte magic and a 1-byte version and ends with the CRC-32C of everything before, four
bytes, little-endian. CRC-32C (Castagnoli, RFC 3720) finds every change of up to 32 neighbouring bits.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from paretosql.errors import DataError, ProgrammingError, compose

POLYNOMIAL: Final = 0x82F63B78  # Castagnoli, bits reversed
LANES: Final = ((1 << 18, 512), (1 << 12, 64))  # our choice, measured: messages from .. bytes on, bytes per lane
PROLOGUE: Final = 5  # magic and version
CRC: Final = struct.Struct("<I")


class DamagedSketch(DataError):
    """Bytes that are not a whole stored sketch of a known version."""

    def __init__(self, problem: str) -> None:
        super().__init__(compose(problem, hint="read the sketch again from where it was stored, or build it anew."))


def seal(body: bytes) -> bytes:
    """`body`, which starts with magic and version, with its checksum appended."""
    return body + CRC.pack(crc32c(body))


def unseal(data: bytes, magic: bytes, version: int) -> bytes:
    """The body of sealed bytes; DamagedSketch when magic, version, length or checksum are wrong."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ProgrammingError(compose(f"a stored sketch is bytes, not {type(data).__name__}"))
    data = bytes(data)
    name = magic.decode()
    if data[:4] != magic:
        raise DamagedSketch(f"these bytes are not a stored sketch: they do not start with {name}")
    if len(data) < PROLOGUE + CRC.size:
        raise DamagedSketch(f"a {name} sketch was cut off after {len(data)} bytes")
    body, checksum = data[: -CRC.size], CRC.unpack(data[-CRC.size :])[0]
    if data[4] != version:
        raise DamagedSketch(f"the sketch is {name} version {data[4]}, but this release reads version {version}")
    if crc32c(body) != checksum:
        raise DamagedSketch(f"the {name} sketch is damaged: its checksum does not fit its {len(data)} bytes")
    return body


def crc32c(data: bytes) -> int:
    """The CRC-32C of `data`; about 3 ms per MB, 0.1 us per byte for short messages.

    A long message is split into lanes of 64 or 512 bytes that advance together, a byte per step; then they are joined.
    This works because the checksum is linear over bits: a lane counts as if zero bytes followed it.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    lane = next((size for least, size in LANES if len(data) >= least), 0)
    if not lane:
        register, table = 0xFFFFFFFF, _table().tolist()
        for byte in data:
            register = (register >> 8) ^ table[(register ^ byte) & 0xFF]
        return int(register ^ 0xFFFFFFFF)
    head = bytes(byte ^ 0xFF for byte in data[:4])  # the register starts as all ones: the same as inverting 4 bytes
    lanes = -(-len(data) // lane)
    padded = np.zeros(lanes * lane, np.uint8)  # zeros in front of a message do not count
    padded[-len(data) :] = np.frombuffer(head + data[4:], np.uint8)
    registers = np.zeros(lanes, np.uint32)
    for column in np.ascontiguousarray(padded.reshape(lanes, lane).T):
        _step(registers, column)
    after_lane = _after_lane(lane)
    total = 0
    for register in registers.tolist():
        shifted = after_lane[0][total & 0xFF] ^ after_lane[1][total >> 8 & 0xFF]
        total = shifted ^ after_lane[2][total >> 16 & 0xFF] ^ after_lane[3][total >> 24] ^ register
    return total ^ 0xFFFFFFFF


def _step(registers: npt.NDArray[np.uint32], column: npt.NDArray[np.uint8] | int) -> None:
    """Advance every register by one byte, in place."""
    index = (registers & np.uint32(0xFF)) ^ column
    registers >>= np.uint32(8)
    registers ^= _table().take(index)


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint32]:
    """What each value of the low byte does to the register."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & np.uint32(1), (table >> np.uint32(1)) ^ np.uint32(POLYNOMIAL), table >> np.uint32(1))
    return table


@lru_cache(maxsize=len(LANES))
def _after_lane(lane: int) -> list[Any]:
    """For each byte of a register, what its values become after `lane` zero bytes."""
    registers = (np.arange(256, dtype=np.uint32) << (8 * np.arange(4, dtype=np.uint32))[:, None]).ravel()
    for _ in range(lane):
        _step(registers, 0)
    return registers.reshape(4, 256).tolist()
