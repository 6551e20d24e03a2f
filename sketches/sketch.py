"""What every mergeable summary of a column can do."""

from __future__ import annotations

from typing import Protocol, Self

from paretosql.sketches.hashing import Values


class Sketch(Protocol):
    """A summary of the non-NULL values of one column that is small, mergeable and storable.

    `update` and `merge` change the sketch and return it, so calls chain. Merging is associative and commutative: rows
    may be split over any number of sketches in any way, and the merged sketch is the same, byte for byte.
    """

    def update(self, values: Values) -> Self:
        """Add the rows of a column; NULL rows do not count."""

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen; DataError when the two do not fit. `other` does not change."""

    def distinct(self) -> float:
        """The estimated number of distinct values."""

    def to_bytes(self) -> bytes:
        """The sketch in its stored form."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch that `to_bytes` stored; DataError when the bytes are damaged or of another version."""
