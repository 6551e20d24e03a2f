"""`python -m benchmarks NAME [--quick | --full] [--json FILE] [--page FILE]`.

NAME is a group such as `ndv`, one benchmark such as `ndv/columns`, or `all`. `--full` replaces the section of
docs/results.md; `--quick` only prints.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import benchmarks.blocks
import benchmarks.estimators
import benchmarks.growth
import benchmarks.imports
import benchmarks.latency_models
import benchmarks.latency_noise
import benchmarks.models
import benchmarks.ndv
import benchmarks.optimizer
import benchmarks.overhead
import benchmarks.protocols
import benchmarks.streaming  # noqa: F401 - importing them registers them
from benchmarks.environment import environment
from benchmarks.harness import FULL, QUICK, Benchmark, Row, Setting, groups
from benchmarks.results import PAGE, Measured, section, table, write_json, write_page
from benchmarks.tpch import NoData
from paretosql.errors import Error


def main(argv: Sequence[str] | None = None, setting: Setting | None = None) -> int:
    """Run benchmarks; exit status 0, 1 when one failed, 2 for a wrong command line, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n\n")[0])
    parser.add_argument("name", help=f"all, or one of: {', '.join(groups())}; or a single one, such as ndv/columns")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="small data, under a minute for all (the default)")
    size.add_argument("--full", action="store_true", help="the numbers of docs/results.md, which it replaces")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rows as JSON")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="the Markdown page to update; default with --full: docs/results.md"
    )
    options = parser.parse_args(argv)
    chosen = _chosen(parser, options.name)
    used = setting or (FULL if options.full else QUICK)
    page = options.page or (PAGE if options.full else None)
    try:
        measured = _measure(chosen, used, page)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except (NoData, Error) as problem:
        print(f"benchmarks: {problem}", file=sys.stderr)
        return 1
    if options.json:
        write_json(options.json, used, environment(), measured)
    return 0


def _chosen(parser: argparse.ArgumentParser, name: str) -> dict[str, list[Benchmark]]:
    known = groups()
    if name == "all":
        return known
    if name in known:
        return {name: known[name]}
    single = [each for some in known.values() for each in some if each.name == name]
    if not single:
        parser.error(f"no benchmark named {name!r}; known: all, {', '.join(known)}")
    return {single[0].group: single}


def _measure(chosen: dict[str, list[Benchmark]], setting: Setting, page: Path | None) -> Measured:
    where = environment()
    for name, text in where.items():
        print(f"{name}: {text}")
    print(
        f"setting: {setting.name}, TPC-H scale factor {setting.scale:g}, {setting.rounds} rounds, seed {setting.seed}"
    )
    if setting is FULL:
        minutes = sum(each.minutes for some in chosen.values() for each in some)
        print(f"This takes about {max(1, round(minutes))} minutes on two cores.")
    everything: Measured = []
    for group, some in chosen.items():
        measured = [(each, _one(each, setting)) for each in some]
        everything += measured
        whole = len(some) == len(groups()[group])  # a part of a group must not replace all of its section
        if page is not None and whole:
            write_page(page, group, section(group, setting, where, measured))
    return everything


def _one(each: Benchmark, setting: Setting) -> list[Row]:
    print(f"\n{each.name}: {each.about}", flush=True)
    began = time.perf_counter()
    rows = list(each.function(setting))
    print(f"\n{table(rows)}\n\n{time.perf_counter() - began:.1f} s", flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
