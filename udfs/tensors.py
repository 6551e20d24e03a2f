"""Numeric arrays in one file, in the safetensors format: a length, a JSON header, then the bytes of every array.

Eight bytes (little-endian) hold the length of the header, which gives dtype, shape and byte range of each array by
name. Any reader of that format can open these files, and no reader runs code that a file brings.
Source: the format as huggingface/safetensors describes it; this reader and writer are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from paretosql.errors import OperationalError

_NAMES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_KINDS = {np.dtype(text): name for name, text in _NAMES.items()}
ALIGNED = 8


def to_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> list[bytes | memoryview]:
    """The pieces of a file that holds these arrays, in order; their memory is not copied.

    Raises:
        TypeError: an array of another dtype than numbers and booleans.
    """
    header: dict[str, Any] = {}
    pieces: list[memoryview] = []
    end = 0
    for name, array in sorted(arrays.items()):
        plain = np.ascontiguousarray(array)
        kind = _KINDS.get(plain.dtype.newbyteorder("<") if plain.dtype.itemsize > 1 else plain.dtype)
        if kind is None:
            raise TypeError(f"the array {name!r} is of {plain.dtype}")
        plain = plain.astype(_NAMES[kind], copy=False)
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [end, end + plain.nbytes]}
        pieces.append(plain.reshape(-1).view(np.uint8).data)
        end += plain.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    return [len(text).to_bytes(8, "little"), text, *pieces]


def from_bytes(data: bytes | memoryview, where: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file, as views of its bytes that cannot be written to.

    Raises:
        OperationalError: it is no such file.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(bytes(data[8 : 8 + length]))
        body = memoryview(data)[8 + length :]
        found = {}
        for name, each in header.items():
            if name == "__metadata__":
                continue
            first, last = each["data_offsets"]
            found[name] = np.frombuffer(body[first:last], dtype=_NAMES[each["dtype"]]).reshape(each["shape"])
    except (ValueError, KeyError, TypeError) as fault:
        raise OperationalError(f"{where} is not a file of tensors: {fault}") from fault
    return found
