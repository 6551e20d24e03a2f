"""What an option may be in a search instead of a value: some values to choose from, or a range of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from paretosql.errors import ProgrammingError, compose

LARGEST = 1e300  # so that the width of a range is a number


@dataclass(frozen=True)
class Candidates:
    """Values to choose from."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, whole ones for an option that takes these; drawn evenly by logarithm where both are
    above 0 and far apart.
    """

    low: float
    high: float


def hparam_candidates(values: Iterable[Any]) -> Candidates:
    """Values that a search tries: `con.create_model(.., l2=hparam_candidates([5, 50, 500]))`.

    Raises:
        ProgrammingError: there are none.
    """
    found = () if isinstance(values, str) else tuple(values)
    if not found:
        raise ProgrammingError(compose("there is nothing to choose from", hint="hparam_candidates([a, b, ..])."))
    return Candidates(found)


def hparam_range(low: float, high: float) -> Range:
    """Numbers that a search draws from, both ends included.

    Raises:
        ProgrammingError: something else than numbers, or the first above the second.
    """
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (low, high))
    if not numbers or not -LARGEST <= low <= high <= LARGEST:
        problem = f"there is no range from {low!r} to {high!r}"
        raise ProgrammingError(compose(problem, hint="hparam_range(low, high), two numbers."))
    return Range(low, high)
