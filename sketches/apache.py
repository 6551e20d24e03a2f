"""HLL, CPC and theta sketches of Apache DataSketches behind the `Sketch` protocol: full-scan baselines.

The library's `update` takes one value per call, so rows go in one by one: each row is hashed by `hash64`, which makes
equal values of all widths equal, and its hash is given as an integer, which the library hashes again. That costs 130 to
310 ns per row, about a hundred times what `ProfileSketch` needs, and is why these are baselines. They know the number
of distinct values only, no profile; our hashes and theirs differ, so neither kind can be turned into the other. Merging
gives the same estimate up to their error; unlike with our sketches its bytes may depend on the order.

Source: Apache DataSketches 5.2 (HLL: Heule, Nunkesser, Hall 2013, and others; CPC: Lang 2017; theta: Dasgupta, Lang,
Rhodes, Thaler 2016). It is imported when a sketch is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final, Self

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose
from paretosql.sketches.arguments import check_seeds_agree, parts
from paretosql.sketches.envelope import DamagedSketch, seal, unseal
from paretosql.sketches.hashing import Values, hash64
from paretosql.sketches.mixing import HASH_ID, check_seed
from paretosql.sketches.ndvp import check_hash_id

VERSION: Final = 1
SEED_BYTES: Final = 8
HEAD_BYTES: Final = 7 + SEED_BYTES  # magic, version, hash id, lg_k, seed; then the form of the library


class ApacheSketch(ABC):
    """What the three have in common: a union of the library, into which fed sketches and other unions go.

    Args:
        lg_k: log2 of the size, its meaning is that of the library.
        seed: of `hash64`; only sketches of one seed and size can be merged.
    """

    magic: ClassVar[bytes]
    sizes: ClassVar[range]

    def __init__(self, lg_k: int, seed: int = 0) -> None:
        if lg_k not in self.sizes:
            hint = f"use {self.sizes.start} to {self.sizes.stop - 1}."
            raise DataError(compose(f"lg_k {lg_k} of a {type(self).__name__} is out of range", hint=hint))
        self.lg_k = lg_k
        self.seed = check_seed(seed)
        self._union = self._new_union()

    def update(self, values: Values) -> Self:
        """Add the rows of a column, one by one, and return this sketch; raises as `hash64`."""
        fed = self._new_sketch()
        for part in parts(values):
            words, valid = hash64(part, self.seed)
            for word in (words if valid is None else words[valid]).view(np.int64).tolist():
                fed.update(word)
        self._union.update(fed)
        return self

    def merge(self, other: Self) -> Self:
        """Add the rows that `other` has seen and return this sketch; DataError when seed or size differ."""
        if type(other) is not type(self):
            raise ProgrammingError(compose(f"a {type(self).__name__} cannot merge a {type(other).__name__}"))
        check_seeds_agree(self.seed, other.seed)
        if self.lg_k != other.lg_k:
            problem = f"sketches with lg_k {self.lg_k} and {other.lg_k} cannot be merged"
            raise DataError(compose(problem, hint="build both with the same size."))
        self._union.update(other._result())
        return self

    def distinct(self) -> float:
        """The library's estimate of the number of distinct values."""
        return float(self._result().get_estimate())

    def to_bytes(self) -> bytes:
        """The library's compact form, with our magic, seed and checksum around it."""
        head = self.magic + bytes([VERSION, HASH_ID, self.lg_k]) + self.seed.to_bytes(SEED_BYTES, "little")
        return seal(head + self._stored())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch stored as `data`; DamagedSketch when it is not whole."""
        body = unseal(data, cls.magic, VERSION)
        if len(body) < HEAD_BYTES or body[6] not in cls.sizes:
            raise DamagedSketch(f"a stored {cls.__name__} of {len(data)} bytes contradicts itself")
        check_hash_id(body[5])
        sketch = cls(body[6], int.from_bytes(body[7:HEAD_BYTES], "little"))
        try:
            sketch._union.update(cls._read(body[HEAD_BYTES:]))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise DamagedSketch(f"the library cannot read the {cls.__name__}: {error}") from None
        return sketch

    @abstractmethod
    def _new_sketch(self) -> Any: ...

    @abstractmethod
    def _new_union(self) -> Any: ...

    def _result(self) -> Any:
        return self._union.get_result()

    def _stored(self) -> bytes:
        return bytes(self._result().serialize())

    @classmethod
    @abstractmethod
    def _read(cls, data: bytes) -> Any: ...


class ApacheHLL(ApacheSketch):
    """HyperLogLog with 4 bits per register; relative standard error about 0.83 / 2**(lg_k / 2).

    >>> round(ApacheHLL().update(np.arange(100)).distinct())
    100
    """

    magic = b"NDAH"
    sizes = range(7, 22)

    def __init__(self, lg_k: int = 12, seed: int = 0) -> None:
        super().__init__(lg_k, seed)

    def _new_sketch(self) -> Any:
        from datasketches import hll_sketch, tgt_hll_type

        return hll_sketch(self.lg_k, tgt_hll_type.HLL_4)

    def _new_union(self) -> Any:
        from datasketches import hll_union

        return hll_union(self.lg_k)

    def _result(self) -> Any:
        from datasketches import tgt_hll_type

        return self._union.get_result(tgt_hll_type.HLL_4)

    def _stored(self) -> bytes:
        return bytes(self._result().serialize_compact())

    @classmethod
    def _read(cls, data: bytes) -> Any:
        from datasketches import hll_sketch

        return hll_sketch.deserialize(data)


class ApacheCPC(ApacheSketch):
    """Compressed probabilistic counting, the smallest for its error."""

    magic = b"NDAC"
    sizes = range(4, 22)

    def __init__(self, lg_k: int = 11, seed: int = 0) -> None:
        super().__init__(lg_k, seed)

    def _new_sketch(self) -> Any:
        from datasketches import cpc_sketch

        return cpc_sketch(self.lg_k)

    def _new_union(self) -> Any:
        from datasketches import cpc_union

        return cpc_union(self.lg_k)

    @classmethod
    def _read(cls, data: bytes) -> Any:
        from datasketches import cpc_sketch

        return cpc_sketch.deserialize(data)


class ApacheTheta(ApacheSketch):
    """A sample of distinct hashes without counts; relative standard error 1 / 2**(lg_k / 2)."""

    magic = b"NDAT"
    sizes = range(5, 22)

    def __init__(self, lg_k: int = 12, seed: int = 0) -> None:
        super().__init__(lg_k, seed)

    def _new_sketch(self) -> Any:
        from datasketches import update_theta_sketch

        return update_theta_sketch(self.lg_k)

    def _new_union(self) -> Any:
        from datasketches import theta_union

        return theta_union(self.lg_k)

    @classmethod
    def _read(cls, data: bytes) -> Any:
        from datasketches import compact_theta_sketch

        return compact_theta_sketch.deserialize(data)
