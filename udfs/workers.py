"""Independent parts of a work on some threads, for numpy code that lets go of the interpreter while it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def spread(work: Callable[[T], None], parts: Sequence[T], threads: int, check: Callable[[], None]) -> None:
    """Do `work` on every part, in any order, on so many threads, the caller's among them.

    Args:
        work: writes to places that no other part touches.
        check: called before each part that falls to the caller's thread; it raises to end the work early.
    Raises:
        What `work` or `check` raises, after the parts that were begun have ended.
    """
    todo = iter(parts)  # one for all threads: each takes the next part when it is done with its last

    def rest() -> None:
        for part in todo:
            work(part)

    others = min(threads, len(parts)) - 1
    if others < 1:
        for part in todo:
            check()
            work(part)
        return
    with ThreadPoolExecutor(others) as pool:  # in the caller's context, where numpy keeps which errors it tells
        running = [pool.submit(copy_context().run, rest) for _ in range(others)]
        try:
            for part in todo:
                check()
                work(part)
        finally:
            for _ in todo:  # after an error the others find nothing more to do
                pass
    for each in running:
        each.result()
