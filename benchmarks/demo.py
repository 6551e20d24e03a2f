"""`make demo [DATA=files]`: distinct counts of a real table, exact and estimated, and models, by the public doors only.

Without files it counts TPC-H at scale factor 1, which is generated once into .cache.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import paretosql
from benchmarks.demo_models import recommenders
from benchmarks.drawing import DIM, GREEN, RED, YELLOW, Screen
from benchmarks.sources import FEWEST_GROUPS, MOST_GROUPS, NoSource, Source, open_files, open_tpch
from benchmarks.tpch import NoData

Rows = list[tuple[object, ...]]
SHOWN_GROUPS = 12
FAILED, INTERRUPTED, BROKEN_PIPE = 1, 130, 141


@dataclass
class Demo:
    """A connection, a screen, and what is counted; `exact` are the true counts that the first part finds."""

    con: paretosql.Connection
    screen: Screen
    source: Source
    exact: dict[str, int]

    def ask(self, sql: str) -> tuple[list[str], Rows, float]:
        """Column names and rows of a query, and the seconds it took."""
        began = time.perf_counter()
        cursor = self.con.execute(sql)
        rows = cursor.fetchall()
        return [name for name, *_ in cursor.description or []], rows, time.perf_counter() - began

    @property
    def groups(self) -> list[str]:
        """Columns with few values, to group by."""
        if self.source.keys:
            return list(self.source.keys)
        return [name for name, count in self.exact.items() if FEWEST_GROUPS <= count <= MOST_GROUPS][:2]

    @property
    def counted(self) -> list[str]:
        """The columns with the most values, most first, that are not grouped by."""
        if self.source.counted:
            return list(self.source.counted)
        rest = [name for name in self.source.columns if name not in self.groups]
        return sorted(rest or self.source.columns, key=lambda name: -self.exact.get(name, 0))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0, or 1 with a message when the data cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__.partition("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="Parquet or CSV files to count instead of TPC-H")
    files = parser.parse_args(argv).files
    screen = Screen(sys.stdout)
    con = paretosql.connect(autocommit=True)
    try:
        began = time.perf_counter()
        source = open_files(con, files) if files else open_tpch(con)
        _show(Demo(con, screen, source, {}))
        screen.say()
        screen.say(f"All of this took {time.perf_counter() - began:.1f} s.")
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the last flush would fail once more
        return BROKEN_PIPE
    except (NoSource, NoData, paretosql.Error) as problem:
        print(f"demo: {str(problem).splitlines()[0]}", file=sys.stderr)
        return FAILED
    finally:
        con.close()
    return 0


def _show(demo: Demo) -> None:
    demo.ask("SELECT ndv(range) FROM range(10)")  # imports the parser, so that the first time below is a fair one
    demo.screen.title("ParetoSQL: how many different values?", demo.source.about)
    for part in (whole_columns, sampled, grouped, rolled_up, report, view, explained, recommenders):
        part(demo)


def whole_columns(demo: Demo) -> None:
    """Every column counted in three ways."""
    about = "count(DISTINCT x) is exact, ndv(x) is a sketch, approx_count_distinct(x) is DuckDB's sketch."
    demo.screen.title("1. Whole columns", about)
    table, rows, colours = demo.source.table, [], []
    for name in demo.source.columns:
        times, found = [], []
        for call in ("count(DISTINCT {})", "ndv({})", "approx_count_distinct({})"):
            _, result, seconds = demo.ask(f"SELECT {call.format(quoted(name))} FROM {table}")
            found.append(int(str(result[0][0])))
            times.append(f"{seconds:.2f} s")
        truth, ours, theirs = found
        demo.exact[name] = truth
        rows.append(
            [
                name,
                f"{truth:,}",
                times[0],
                f"{ours:,}",
                error(ours, truth),
                times[1],
                f"{theirs:,}",
                error(theirs, truth),
                times[2],
            ]
        )
        colours.append(["", "", DIM, "", colour(ours, truth), DIM, "", colour(theirs, truth), DIM])
    demo.screen.table(["column", "exact", "time", "ndv", "error", "time", "approx", "error", "time"], rows, colours)


def sampled(demo: Demo) -> None:
    """The same columns from one row in a hundred."""
    demo.screen.title(
        "2. From a sample of 1 %",
        "ndv(x, rate => 0.01) reads one row in a hundred; the range is what the sample allows.",
    )
    columns = ", ".join(map(quoted, demo.source.columns))
    sql = f"SELECT * FROM ndv_report((SELECT {columns} FROM {demo.source.table}), rate => 0.01, seed => 7)"
    demo.screen.sql(sql)
    _, lines, seconds = demo.ask(sql)
    rows, colours = [], []
    for name, estimate, low, high, method, sample_rows, *_ in lines:
        truth = demo.exact[str(name)]
        value = None if estimate is None else int(str(estimate))
        rows.append(
            [
                str(name),
                number(truth),
                number(value),
                error(value, truth),
                number(low),
                number(high),
                number(sample_rows),
                str(method),
            ]
        )
        colours.append(["", "", "", colour(value, truth), DIM, DIM, "", DIM])
    demo.screen.table(["column", "exact", "estimate", "error", "low", "high", "rows read", "method"], rows, colours)
    demo.screen.say(f"{seconds:.2f} s for all columns")


def grouped(demo: Demo) -> None:
    """Several counts per group."""
    demo.screen.title("3. GROUP BY", "Several distinct counts per group, beside ordinary aggregates.")
    if not demo.groups:
        demo.screen.say(f"Skipped: no column has between {FEWEST_GROUPS} and {MOST_GROUPS} values.")
        return
    key = quoted(demo.groups[0])
    calls = ", ".join(f"{{0}}({{1}}{quoted(name)})" for name in demo.counted[:2])
    _compare(demo, f"SELECT {key}, count(*), {calls}", f"FROM {demo.source.table} GROUP BY {key} ORDER BY {key}")


def rolled_up(demo: Demo) -> None:
    """Subtotals and a grand total: distinct counts do not add up, so they cannot come from the groups."""
    if len(demo.groups) < 2:
        return
    demo.screen.title(
        "4. ROLLUP",
        "Distinct counts do not add up, but sketches merge: subtotals and total come from those of the groups.",
    )
    keys = ", ".join(quoted(name) for name in demo.groups[:2])
    calls = f"{{0}}({{1}}{quoted(demo.counted[0])})"
    order = f"ORDER BY grouping({keys}), {keys}"
    _compare(demo, f"SELECT {keys}, {calls}", f"FROM {demo.source.table} GROUP BY ROLLUP ({keys}) {order}")


def _compare(demo: Demo, select: str, rest: str) -> None:
    """Run a query with ndv and with count(DISTINCT), and show both."""
    ours, theirs = (f"{select.format(*words)}\n{rest}" for words in (("ndv", ""), ("count", "DISTINCT ")))
    demo.screen.sql(ours)
    names, estimates, ours_s = demo.ask(ours)
    _, truths, exact_s = demo.ask(theirs)
    counts = [at for at, name in enumerate(names) if name.startswith("ndv(")]
    rows, colours = [], []
    for line, truth in list(zip(estimates, truths, strict=True))[:SHOWN_GROUPS]:
        row, codes = [], []
        for at, value in enumerate(line):
            row.append(number(value))
            codes.append("")
            if at in counts:
                row.append(error(value, truth[at]))
                codes.append(colour(value, truth[at]))
        rows.append(row)
        colours.append(codes)
    headings = [text for at, name in enumerate(names) for text in ([name, "error"] if at in counts else [name])]
    demo.screen.table(headings, rows, colours)
    if len(estimates) > SHOWN_GROUPS:
        demo.screen.say(f"... {len(estimates) - SHOWN_GROUPS} more groups")
    demo.screen.say(f"ndv {ours_s:.2f} s, count(DISTINCT) {exact_s:.2f} s")


def report(demo: Demo) -> None:
    """A profile of a whole table in one statement."""
    demo.screen.title("5. A whole table at once")
    columns = '"column", estimate, low, high, method, sample_rows'
    sql = f"SELECT {columns} FROM ndv_report(TABLE {demo.source.report}, rate => 0.1)"
    demo.screen.sql(sql)
    _, lines, seconds = demo.ask(sql)
    demo.screen.table(
        ["column", "estimate", "low", "high", "method", "rows read"],
        [[number(value) for value in line] for line in lines],
    )
    demo.screen.say(f"{seconds:.2f} s")


def view(demo: Demo) -> None:
    """A view that counts."""
    demo.screen.title(
        "6. A view that counts",
        "The view lives in the database like any other, and is counted anew whenever it is read.",
    )
    name = quoted(demo.counted[0])
    group = f", {quoted(demo.groups[0])} AS part" if demo.groups else ", 'all' AS part"
    by = f" GROUP BY {quoted(demo.groups[0])}" if demo.groups else ""
    body = f"SELECT ndv({name}) AS n, count(*) AS total{group} FROM {demo.source.table}{by}"
    create = f"CREATE OR REPLACE TEMP VIEW spread AS {body}"
    query = "SELECT part, n, round(total / n, 2) AS rows_per_value FROM spread WHERE n > 0 ORDER BY n DESC LIMIT 5"
    demo.screen.sql(f"{create};\n{query};")
    demo.con.execute(create)
    _, lines, seconds = demo.ask(query)
    demo.screen.table(["part", "n", "rows_per_value"], [[number(value) for value in line] for line in lines])
    demo.screen.say(f"{seconds:.2f} s")


def explained(demo: Demo) -> None:
    """What the engine did."""
    demo.screen.title("7. EXPLAIN ANALYZE", "The plan as rows: what each step read, made, and took.")
    name = quoted(demo.counted[-1])
    sql = f"EXPLAIN ANALYZE SELECT ndv({name}), ndv({name}, rate => 0.01) FROM {demo.source.table}"
    demo.screen.sql(sql)
    names, lines, _ = demo.ask(sql)
    chosen = ("operator", "detail", "rows_in", "bytes_in", "rows_out", "seconds")
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    demo.screen.table(chosen, [[number(row[name]) for name in chosen] for row in rows])


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return (
        name
        if name.isidentifier() and name.islower() and not name.startswith("__")
        else '"' + name.replace('"', '""') + '"'
    )


def number(value: object) -> str:
    """A value as text, thousands apart."""
    if value is None:
        return "NULL"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def error(estimate: object, truth: object) -> str:
    """The relative error in percent."""
    if estimate == truth:
        return "exact"
    if not isinstance(estimate, int) or not isinstance(truth, int) or not truth:
        return "NULL"
    return f"{estimate / truth - 1:+.2%}"


def colour(estimate: object, truth: object) -> str:
    """Green below 2 %, yellow below 20 %, red beyond."""
    if estimate == truth:
        return GREEN
    if not isinstance(estimate, int) or not isinstance(truth, int) or not truth:
        return RED
    off = abs(estimate / truth - 1)
    return GREEN if off < 0.02 else YELLOW if off < 0.2 else RED


if __name__ == "__main__":
    sys.exit(main())
