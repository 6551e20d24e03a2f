"""What a benchmark is: a function from a `Setting` to rows, registered under `group/name`.

    @benchmark("ndv/columns", unit="s", lower_is_better=True, minutes=3.0)
    def columns(setting: Setting) -> Iterator[Row]:
        ...
        yield Row(column=name, ndv_s=seconds, ndv_error=estimate / truth - 1)

Units live in the names of the fields: `_s` seconds, `_us` microseconds, `_ms` milliseconds, `_mib` memory in MiB,
`_error` a relative error, `_off` a factor (the larger of estimate/truth and truth/estimate), `_ratio` a quotient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from paretosql.registry import Registry


class Row(dict[str, object]):
    """One line of a table: `Row(column="a", ndv_s=0.2)`."""


@dataclass(frozen=True)
class Setting:
    """How much is measured.

    scale: TPC-H scale factor. rounds: how often each timing is repeated. rows: the largest synthetic table.
    seed: of samples and of the order of runs.
    """

    name: str
    scale: float
    rounds: int
    rows: int
    seed: int = 7


QUICK = Setting("quick", scale=0.1, rounds=3, rows=1_000_000)
FULL = Setting("full", scale=1.0, rounds=7, rows=100_000_000)

Function = Callable[[Setting], Iterator[Row]]


@dataclass(frozen=True)
class Benchmark:
    """A registered benchmark; `minutes` is how long --full takes on two cores."""

    name: str
    unit: str
    lower_is_better: bool
    minutes: float
    function: Function

    @property
    def group(self) -> str:
        """The word on the command line: `ndv` of `ndv/columns`."""
        return self.name.partition("/")[0]

    @property
    def about(self) -> str:
        """What is measured, from the docstring."""
        return " ".join((self.function.__doc__ or "").split())


benchmarks: Registry[Benchmark] = Registry("benchmark")


def benchmark(name: str, *, unit: str, lower_is_better: bool, minutes: float) -> Callable[[Function], Function]:
    """Register a benchmark under `group/name`; its docstring is printed above its table."""

    def add(function: Function) -> Function:
        benchmarks.add(name, Benchmark(name, unit, lower_is_better, minutes, function))
        return function

    return add


def groups() -> dict[str, list[Benchmark]]:
    """All benchmarks by group, both in alphabetical order."""
    found: dict[str, list[Benchmark]] = {}
    for name in benchmarks:
        found.setdefault(benchmarks[name].group, []).append(benchmarks[name])
    return found
