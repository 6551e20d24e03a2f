"""Which contributions are in a sketch, so that none is counted twice.

A sketch of counts, unlike a HyperLogLog, changes when the same rows are merged again. So each part may carry an id of
16 bytes. The merged sketch stores how many ids went in and one digest of all of them: the sum, modulo 2**128, of the
BLAKE2b hashes of the ids, which does not depend on their order. In memory a sketch also remembers every digest that was
merged, and refuses what it can recognise: an id that is in, or a stored group of ids that is in as that group.

Source: our design.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Self

from paretosql.errors import DataError, ProgrammingError, compose

ID_BYTES: Final = 16
MAX_NUMBER: Final = (1 << 32) - 1  # what the stored form can hold


class Contributions:
    """The ids merged so far, as a digest and a number; `seen` holds the groups of which the sum is known to be made."""

    def __init__(self, digest: bytes = bytes(ID_BYTES), number: int = 0) -> None:
        self.digest = digest
        self.number = number
        self.seen: set[tuple[bytes, int]] = {(digest, number)} if number else set()

    @classmethod
    def of(cls, contribution: bytes | None) -> Self:
        """One id, or none; ProgrammingError or DataError when it is not 16 bytes."""
        if contribution is None:
            return cls()
        if not isinstance(contribution, bytes):
            raise ProgrammingError(compose(f"a contribution id is bytes, not {type(contribution).__name__}"))
        if len(contribution) != ID_BYTES:
            problem = f"a contribution id of {len(contribution)} bytes"
            raise DataError(compose(problem, hint=f"use {ID_BYTES} bytes, such as uuid.uuid4().bytes."))
        return cls(blake2b(contribution, digest_size=ID_BYTES).digest(), 1)

    def check(self, other: Contributions) -> None:
        """DataError when something in `other` is recognisably in already, or when there are too many ids."""
        if not self.seen.isdisjoint(other.seen):
            problem = "the sketch already holds this contribution: its rows would count twice"
            raise DataError(compose(problem, hint="merge each contribution once."))
        if self.number + other.number > MAX_NUMBER:
            raise DataError(compose(f"a sketch holds at most {MAX_NUMBER} contributions"))

    def add(self, other: Contributions) -> None:
        """Put the ids of `other` in; amortised O(groups seen by `other`)."""
        total = int.from_bytes(self.digest, "little") + int.from_bytes(other.digest, "little")
        self.digest = (total % (1 << 8 * ID_BYTES)).to_bytes(ID_BYTES, "little")
        self.number += other.number
        self.seen |= other.seen
        if self.number:
            self.seen.add((self.digest, self.number))

    def copy(self) -> Contributions:
        """The same ids, independent of this object."""
        twin = Contributions(self.digest, self.number)
        twin.seen = set(self.seen)
        return twin
