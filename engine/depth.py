"""Room for deep trees: our parser and printer walk a statement by recursion, one level of brackets at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEEPEST = 10_000  # our choice: a union of a thousand parts fits, and CPython's C stack is not near its end


@contextmanager
def deep() -> Iterator[None]:
    """Raise Python's recursion limit inside the block.

    The limit belongs to the whole interpreter, so a thread beside this one sees it too; it only ever sees more room.
    """
    before = sys.getrecursionlimit()
    if before >= DEEPEST:
        yield
        return
    sys.setrecursionlimit(DEEPEST)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
