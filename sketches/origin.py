"""Where the rows of a sketch come from: a full scan, or a sample and how it was drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from paretosql.errors import DataError, ProgrammingError, compose

KINDS: Final = ("bernoulli", "reservoir", "block")  # by their number in stored sketches
MAX_POPULATION: Final = (1 << 64) - 1  # what the stored form can hold
MAX_BLOCKS: Final = (1 << 32) - 1


@dataclass(frozen=True)
class Origin:
    """How the rows that a sketch has seen were drawn; without arguments, all of them were read.

    rate: share of the rows that was drawn, 0 < rate <= 1.
    kind: "bernoulli" (each row by itself), "reservoir" (a fixed number) or "block" (whole blocks of rows).
    population: non-NULL rows of which those are the sample; 0 means unknown.
    blocks: blocks drawn, 0 where rows were drawn one by one.

    Raises: ProgrammingError, DataError: a field has the wrong type or lies outside its range.

    >>> Origin(0.01, population=1_000).joined(Origin(0.01, population=500))
    Origin(rate=0.01, kind='bernoulli', population=1500, blocks=0)
    """

    rate: float = 1.0
    kind: str = "bernoulli"
    population: int = 0
    blocks: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | float | np.integer | np.floating):
            raise ProgrammingError(compose(f"a sampling rate is a number, not {type(self.rate).__name__}"))
        if not (math.isfinite(self.rate) and 0 < self.rate <= 1):
            raise DataError(compose(f"the sampling rate {self.rate} is out of range", hint="0 < rate <= 1."))
        if self.kind not in KINDS:
            raise DataError(compose(f"there is no sampling kind {self.kind!r}", hint=f"use {', '.join(KINDS)}."))
        _check_whole("population", self.population, MAX_POPULATION)
        _check_whole("number of blocks", self.blocks, MAX_BLOCKS)

    def joined(self, other: Origin) -> Origin:
        """The origin of the rows of both.

        Rate and kind stay; blocks add up, and so do populations, unless one of them is unknown.

        Raises: DataError: rates or kinds differ, so that no one rate would describe the rows.
        """
        if (self.rate, self.kind) != (other.rate, other.kind):
            problem = f"a sketch of a {self} cannot be merged with one of a {other}"
            raise DataError(compose(problem, hint="draw all parts in one way and at one rate."))
        known = bool(self.population and other.population)
        population = self.population + other.population if known else 0
        return Origin(self.rate, self.kind, population, self.blocks + other.blocks)

    def __str__(self) -> str:
        return "full scan" if self.rate == 1 else f"{self.kind} sample at rate {self.rate:g}"


def _check_whole(name: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ProgrammingError(compose(f"the {name} is an integer, not {type(value).__name__}"))
    if not 0 <= value <= most:
        raise DataError(compose(f"the {name} {value} is out of range", hint=f"use 0 to {most}."))


FULL_SCAN: Final = Origin()
