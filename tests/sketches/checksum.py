"""CRC-32C bit by bit: what the checksums of the stored sketches are held against."""

from __future__ import annotations


def crc_by_bits(data: bytes) -> int:
    """CRC-32C of RFC 3720, bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
