"""`paretosql trace`: check, describe and convert workload traces.

Exit status: 0 all went well, 1 the trace is wrong or cannot be read, 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from paretosql.engine.console import WRITERS
from paretosql.engine.progress import CLEAR_LINE, PATIENCE_S
from paretosql.optimizer.checks import Problem, check, problems
from paretosql.optimizer.describe import describe
from paretosql.optimizer.readers import readers
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import Trace, read_trace, write_trace

TICK_S = 0.2
EXAMPLES = """\
examples:
  paretosql trace check traces/monday
  paretosql trace describe traces/monday --markdown
  paretosql trace convert eventlogs traces/monday --from spark_events
"""


def main(words: Sequence[str]) -> int:
    """Run `paretosql trace ...` and return the exit status."""
    options = _parser().parse_args(words)
    run = {"check": _check, "describe": _describe, "convert": _convert}[options.command]
    return run(options)


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="paretosql trace",
        description="Workload traces: what ran, in eight tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("check", help="look for contradictions", allow_abbrev=False)
    one.add_argument("source", metavar="DIR", help="a trace, or files that a reader knows")
    two = commands.add_parser("describe", help="sizes, latencies, and what is not known", allow_abbrev=False)
    two.add_argument("source", metavar="DIR", help="a trace, or files that a reader knows")
    modes = two.add_mutually_exclusive_group()
    for mode, what in (("json", "an array of objects"), ("csv", "comma-separated values"), ("markdown", "a table")):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=f"write {what}")
    three = commands.add_parser("convert", help="write a trace in the format of paretosql", allow_abbrev=False)
    three.add_argument("source", metavar="SOURCE", help="files that a reader knows")
    three.add_argument("target", metavar="DIR", help="a new folder")
    three.add_argument("--replace", action="store_true", help="take the place of the trace in DIR")
    for parser in (one, two, three):
        parser.add_argument(
            "--from", dest="reader", metavar="NAME", choices=list(readers), help=f"the reader: {', '.join(readers)}"
        )
        parser.add_argument("--no-progress", action="store_true", help="no progress line")
    return top


def _check(options: argparse.Namespace) -> int:
    with _opened(options) as trace:
        with _ticking(f"checking {options.source}", options):
            found = problems(trace)
        _notes(trace)
        for problem in found:
            print(_text(problem))
        if found:
            print(f"{len(found)} problem{'s' if len(found) > 1 else ''} in {options.source}", file=sys.stderr)
            return 1
        print(f"no problems in {_sizes(trace)}")
        return 0


def _text(problem: Problem) -> str:
    return f"{problem}\n  Hint: {problem.hint}"


def _describe(options: argparse.Namespace) -> int:
    with _opened(options) as trace, _ticking(f"describing {options.source}", options):
        table = describe(trace)
    if options.mode is None:
        print(_plain(table))
    else:
        WRITERS[options.mode](table.to_reader(), sys.stdout)
    return 0


def _plain(table: pa.Table) -> str:
    """Two columns of text, the second wrapped to the width of the terminal."""
    names, values = table["what"].to_pylist(), table["value"].to_pylist()
    edge = max(map(len, names)) + 2
    width = max(shutil.get_terminal_size().columns - 1 - edge, 40)
    lines = []
    for name, value in zip(names, values, strict=True):
        first, *rest = textwrap.wrap(value, width) or [""]
        lines += [f"{name:{edge}}{first}", *(" " * edge + line for line in rest)]
    return "\n".join(lines)


def _convert(options: argparse.Namespace) -> int:
    with _opened(options) as trace:
        with _ticking(f"checking {options.source}", options):
            check(trace)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        header = dataclasses.replace(trace.header, created=trace.header.created or now)
        with _ticking(f"writing {options.target}", options):
            write_trace(dataclasses.replace(trace, header=header), options.target, replace=options.replace)
        _notes(trace)
        print(f"wrote {options.target}: {_sizes(trace)}")
        return 0


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[Trace]:
    """A trace as it is, right or wrong, whose temporary files are gone afterwards."""
    with _ticking(f"reading {options.source}", options):
        trace = read_trace(options.source, options.reader, checked=False)
    try:
        yield trace
    finally:
        trace.close()


def _notes(trace: Trace) -> None:
    for note in trace.notes:
        print(f"note: {note}", file=sys.stderr)


def _sizes(trace: Trace) -> str:
    counts = {name: trace.count(name) for name in TABLES}
    return (
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "an empty trace"
    )


@contextmanager
def _ticking(what: str, options: argparse.Namespace) -> Iterator[None]:
    """A line on the terminal that says what goes on and for how long, from the second second on."""
    if options.no_progress or not sys.stderr.isatty():
        yield
        return
    done, started = threading.Event(), time.monotonic()

    def tick() -> None:
        if done.wait(PATIENCE_S):
            return
        while not done.wait(TICK_S):
            sys.stderr.write(f"{CLEAR_LINE}{what}  {time.monotonic() - started:.1f} s")
            sys.stderr.flush()
        sys.stderr.write(CLEAR_LINE)
        sys.stderr.flush()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
