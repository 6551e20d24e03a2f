"""The buffers of Arrow arrays as numpy views, without copies and with the slice of the array applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def fixed(array: pa.Array, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The values of a fixed-width array of n rows, shape (n,); NULL rows hold anything."""
    kind = np.dtype(dtype)
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(len(array), kind)
    return np.frombuffer(data, kind, count=len(array), offset=array.offset * kind.itemsize)


def bits_of(array: pa.Array) -> npt.NDArray[Any] | None:
    """Integers, dates and times without NULL as the integers they are stored as; None for other arrays, of which equal
    values may be stored differently.
    """
    kind = array.type
    if not (pa.types.is_integer(kind) or pa.types.is_temporal(kind)) or pa.types.is_interval(kind) or array.null_count:
        return None
    return fixed(array, f"<i{kind.bit_width // 8}")


def offsets(array: pa.Array, large: bool) -> npt.NDArray[Any]:
    """The n + 1 offsets of a string, binary, list or map array; int64 when `large`, else int32."""
    kind = np.dtype("<i8" if large else "<i4")
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(1, kind)
    return np.frombuffer(data, kind, count=len(array) + 1, offset=array.offset * kind.itemsize)


def content(array: pa.Array) -> npt.NDArray[np.uint8]:
    """All bytes of a string or binary array, the place that its offsets point into."""
    data = array.buffers()[-1]
    return np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def validity(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    """Shape (n,), False at NULL rows; None when there is no NULL."""
    if array.null_count == 0:
        return None
    valid: npt.NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return valid
