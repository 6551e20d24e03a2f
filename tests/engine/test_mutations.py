"""Thousands of wrong statements: nothing but PEP 249 exceptions comes out, nothing crashes, nothing hangs.

The statements are made and run by `mutator.py` in a process of its own; this side watches it.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine import mutator

PATIENCE_S = 10.0


class Worker:
    """The process that runs statements, and the lines it prints."""

    def __init__(self, numbers: range, folder: Path) -> None:
        self.log = (folder / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, mutator.__file__, str(numbers.start), str(numbers.stop)],
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=folder,
        )
        assert self.process.stdout is not None
        self.pipe = self.process.stdout.fileno()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.pipe, selectors.EVENT_READ)
        self.rest = b""

    def line(self, patience_s: float) -> str | None:
        """The next line; "" when the process has ended, None when it said nothing in time."""
        until = time.monotonic() + patience_s
        while b"\n" not in self.rest:
            if not self.selector.select(max(0.0, until - time.monotonic())):
                return None
            more = os.read(self.pipe, 65536)
            if not more:
                return ""
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def stop(self) -> str:
        """End the process; what it wrote to stderr."""
        self.process.kill()
        self.process.wait()
        self.log.seek(0)
        text = self.log.read().decode(errors="replace")
        self.log.close()
        return text[-2000:]


def sweep(numbers: range, folder: Path) -> tuple[Counter[str], list[str]]:
    """Run the statements; how many ended which way, and every one that ended as none may."""
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    start = numbers.start
    while start < numbers.stop:
        worker, number, waiting = Worker(range(start, numbers.stop), folder), start, 60.0
        while True:
            line = worker.line(waiting)
            waiting = PATIENCE_S
            if line and line.startswith("run "):
                number = int(line[4:])
            elif line:
                outcome = json.loads(line)
                outcomes[outcome.split(":")[0]] += 1
                if outcome.startswith("foreign"):
                    broken.append(f"{number}: {outcome}\n    {mutator.mutate(number)!r}")
            else:
                break
        said = worker.stop()
        if line == "" and worker.process.returncode == 0:
            break
        what = "hung" if line is None else f"died with {worker.process.returncode}"
        broken.append(f"{number}: {what}\n    {mutator.mutate(number)!r}\n    {said}")
        start = number + 1
        if len(broken) > 20:
            break
    return outcomes, broken


def check(numbers: range, folder: Path) -> None:
    """Sweep in two processes at once, and fail with everything that went wrong."""
    middle, folders = (numbers.start + numbers.stop) // 2, [folder / "first", folder / "second"]
    for each in folders:
        each.mkdir()
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(sweep, (range(numbers.start, middle), range(middle, numbers.stop)), folders))
    outcomes, broken = halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]
    assert not broken, "\n".join([f"{len(broken)} statements, {dict(outcomes)}", *broken])
    assert sum(outcomes.values()) == len(numbers)
    # both sides of the door were used: statements that still work, and several kinds of errors
    assert outcomes["fine"] > len(numbers) // 50
    assert outcomes["error ProgrammingError"] > len(numbers) // 5
    assert len(outcomes) > 4


def test_mutations_are_the_same_every_time():
    """A number names a statement, so a failure can be repeated."""
    assert [mutator.mutate(i) for i in range(50)] == [mutator.mutate(i) for i in range(50)]
    assert len({mutator.mutate(i) for i in range(3000)}) > 2900


def test_three_thousand_mutations(tmp_path):
    """3,000 wrong statements: an answer or an exception of PEP 249 for each."""
    check(range(3_000), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_hundred_thousand_mutations(tmp_path):
    """The same with 100,000 others."""
    check(range(1_000_000, 1_100_000), tmp_path)
