"""Rows as text for a terminal, as JSON, and as a section of docs/results.md.

A section of the page stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; what is outside is never touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.environment import ROOT
from benchmarks.harness import Benchmark, Row, Setting

PAGE = ROOT / "docs" / "results.md"
Measured = list[tuple[Benchmark, list[Row]]]

_FORMS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("_s", lambda value: f"{value:.3f} s"),
    ("_us", lambda value: f"{value:,.0f} µs"),
    ("_ms", lambda value: f"{value:,.1f} ms"),
    ("_mib", lambda value: f"{value:,.0f} MiB"),
    ("_error", lambda value: "exact" if value == 0 else f"{value:+.2%}"),
    ("_off", lambda value: f"{value:.2f}x"),
    ("ratio", lambda value: f"{value:.3f}" if value < 10 else f"{value:.1f}"),
)


def cell(name: str, value: object) -> str:
    """One value as text, its form chosen by the unit at the end of the field's name.

    >>> cell("ndv_error", 0.0123), cell("rows", 1234567), cell("ndv_s", 0.5), cell("note", None)
    ('+1.23%', '1,234,567', '0.500 s', '')
    """
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for ending, form in _FORMS:
            if name.endswith(ending):
                return form(value)
        return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return str(value).replace("|", "\\|")


def heading(name: str) -> str:
    """A field's name as a column heading, its unit left to the cells.

    >>> heading("count_distinct_s"), heading("rows")
    ('count distinct', 'rows')
    """
    for ending in ("_s", "_us", "_ms", "_mib", "_off", "_ratio"):
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ")


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table whose columns also line up in plain text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[heading(name) for name in names], *([cell(name, row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    right = [any(isinstance(row.get(name), (int, float)) for row in rows) for name in names]

    def draw(line: Sequence[str]) -> str:
        cells = (
            text.rjust(width) if r else text.ljust(width) for text, width, r in zip(line, widths, right, strict=True)
        )
        return f"| {' | '.join(cells)} |"

    rule = "|".join("-" * (width + 1) + (":" if r else "-") for width, r in zip(widths, right, strict=True))
    return "\n".join([draw(lines[0]), f"|{rule}|", *map(draw, lines[1:])])


def section(group: str, setting: Setting, where: Mapping[str, str], measured: Measured) -> str:
    """The Markdown of one group of benchmarks."""
    parts = [
        f"Command: `python -m benchmarks {group} --{setting.name}`  ",
        f"Machine: {where['machine']}  ",
        f"Versions: {where['versions']}  ",
        f"Commit: {where['commit']}, {where['day']}, seed {setting.seed}, {setting.rounds} rounds",
    ]
    text = "\n".join(parts)
    for each, rows in measured:
        direction = "lower" if each.lower_is_better else "higher"
        text += f"\n\n### {each.name}\n\n{each.about} ({each.unit}, {direction} is better)\n\n{table(rows)}"
    return text


def replace_section(page: str, group: str, text: str) -> str:
    """The page with the section of `group` replaced, or added at the end.

    >>> replace_section("a <!-- begin x -->old<!-- end x --> b", "x", "new")
    'a <!-- begin x -->\\nnew\\n<!-- end x --> b'
    """
    begin, end = f"<!-- begin {group} -->", f"<!-- end {group} -->"
    block = f"{begin}\n{text}\n{end}"
    head, found, rest = page.partition(begin)
    if not found:
        return f"{page.rstrip()}\n\n## {group}\n\n{block}\n".lstrip()
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{begin} has no {end}")
    return f"{head}{block}{tail}"


def write_page(path: Path, group: str, text: str) -> None:
    """Replace one section of a page on disk; a reader never sees half of it."""
    page = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    _write(path, replace_section(page, group, text))


def write_json(path: Path, setting: Setting, where: Mapping[str, str], measured: Measured) -> None:
    """All rows with their environment as one JSON file."""
    found = {
        each.name: {"unit": each.unit, "lower_is_better": each.lower_is_better, "about": each.about, "rows": rows}
        for each, rows in measured
    }
    whole = {"environment": dict(where), "setting": vars(setting), "benchmarks": found}
    _write(path, json.dumps(whole, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
