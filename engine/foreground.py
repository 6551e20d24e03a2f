"""Work that Ctrl-C can stop.

Python looks at signals on its main thread only, and only between two of its own instructions. A statement therefore
runs on a second thread while the main one waits; Ctrl-C then reaches the connection as `interrupt()`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")
RETRY_S = 0.1  # our choice: an interrupt that comes before the statement reaches the engine is lost, so it is repeated
PRESSES = 3  # our choice: so many Ctrl-C give up on work that does not stop


class Interruptible(Protocol):
    """What can be told to stop its running statement."""

    def interrupt(self) -> None: ...


class Interrupted(Exception):
    """Ctrl-C ended the work."""


def foreground(
    target: Interruptible,
    work: Callable[[threading.Event], T],
    patience_s: float = math.inf,
    tick: Callable[[], None] = lambda: None,
) -> T:
    """Run `work` and return its result; on Ctrl-C interrupt `target` until the work ends.

    Args:
        target: the connection the work runs on.
        work: gets an event that is set once it should stop, for the parts that do not run on `target`.
        tick: called about ten times a second while the work runs.
        patience_s: seconds after Ctrl-C in which the work should end; output to a full pipe, for one, may never end.
    Raises:
        Interrupted: Ctrl-C came and the work failed after it. Work that finishes all the same counts as done.
        KeyboardInterrupt: the work did not stop in time, or Ctrl-C was pressed again and again; it still runs.
    """
    stop, done = threading.Event(), threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(stop))
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    threading.Thread(target=run, name="paretosql statement", daemon=True).start()
    pressed, deadline = 0, math.inf
    while not done.is_set():
        try:
            if done.wait(RETRY_S):  # with a limit: a signal may reach another thread than this one
                break
            tick()
            if pressed:
                if time.monotonic() > deadline:
                    raise KeyboardInterrupt
                target.interrupt()
        except KeyboardInterrupt:
            pressed += 1
            if pressed == PRESSES or time.monotonic() > deadline:
                raise
            deadline = min(deadline, time.monotonic() + patience_s)
            stop.set()
            target.interrupt()
    if not failures:
        return results[0]
    if pressed:
        raise Interrupted from failures.pop()
    raise failures.pop()  # popped: a frame that keeps its own exception would outlive the connection
