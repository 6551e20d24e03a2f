"""The benchmarks measure what they say, and write where they should. Nothing here asserts a time."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks are part of the checkout, not of the package

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import demo, drawing, results, timing, tpch  # noqa: E402
from benchmarks.harness import Row, Setting, groups  # noqa: E402
from benchmarks.probe import probe  # noqa: E402

TINY = Setting("tiny", scale=0.01, rounds=1, rows=2_000)


@pytest.fixture
def data(tpch: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TPC-H at scale factor 0.01, named by the variable that the benchmarks read."""
    monkeypatch.setenv("PARETOSQL_TPCH", str(tpch))
    return tpch


def run(*words: str) -> int:
    return command.main(words, TINY)


# the whole command


@pytest.mark.parametrize("group", sorted(groups()))
def test_a_group_runs_and_writes_its_rows(group: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A group runs each of its benchmarks, and JSON and page hold the rows of each."""
    page, file = tmp_path / "results.md", tmp_path / "group.json"
    assert run(group, "--page", str(page), "--json", str(file)) == 0
    whole = json.loads(file.read_text())
    names = {each.name for each in groups()[group]}
    assert set(whole["benchmarks"]) == names
    assert {"machine", "versions", "commit", "day"} <= set(whole["environment"])
    assert all(found["rows"] for found in whole["benchmarks"].values())
    written = page.read_text()
    printed = capsys.readouterr().out
    for name in names:
        assert f"### {name}\n" in written
        assert f"\n{name}: " in printed
    assert written.count(f"<!-- begin {group} -->") == written.count(f"<!-- end {group} -->") == 1


def test_all_runs_every_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`all` runs every group in turn; each benchmark here only says that it ran."""
    file = tmp_path / "all.json"
    brief = {
        group: [replace(each, function=lambda _: iter([Row(ran=1)])) for each in some]
        for group, some in groups().items()
    }
    monkeypatch.setattr(command, "groups", lambda: brief)
    assert run("all", "--json", str(file)) == 0
    found = json.loads(file.read_text())["benchmarks"]
    assert set(found) == {each.name for some in brief.values() for each in some}
    assert all(each["rows"] == [{"ran": 1}] for each in found.values())


def test_counts_of_small_columns_are_exact(data: Path, tmp_path: Path):
    """At this scale no column has more than 65,536 values, so every error of ndv in the table is zero."""
    file = tmp_path / "ndv.json"
    assert run("ndv/columns", "--json", str(file)) == 0
    rows = json.loads(file.read_text())["benchmarks"]["ndv/columns"]["rows"]
    assert len(rows) == 16 + 1  # and a summary
    assert {row["column"]: row["ndv_error"] for row in rows} == {row["column"]: 0 for row in rows}
    assert {row["column"]: row.get("distinct") for row in rows}["l_shipmode"] == 7


def test_the_page_is_left_alone_by_a_part_of_a_group(data: Path, tmp_path: Path):
    """A single benchmark must not replace the section that holds its group."""
    page = tmp_path / "results.md"
    page.write_text("before <!-- begin overhead -->old<!-- end overhead --> after")
    assert run("overhead/small", "--page", str(page)) == 0
    assert page.read_text() == "before <!-- begin overhead -->old<!-- end overhead --> after"


def test_the_real_page_has_a_section_for_every_group():
    """Replacing each section of a copy of docs/results.md changes only what is between its markers."""
    text = results.PAGE.read_text(encoding="utf-8")
    for group in groups():
        assert f"<!-- begin {group} -->" in text
        replaced = results.replace_section(text, group, f"NEW {group}.")
        assert replaced.count(f"NEW {group}.") == 1
        head, _, rest = text.partition(f"<!-- begin {group} -->")
        tail = rest.partition(f"<!-- end {group} -->")[2]
        assert replaced.startswith(head)
        assert replaced.endswith(tail)
        text = replaced


def test_an_unknown_name_is_explained(capsys: pytest.CaptureFixture[str]):
    """A wrong name ends with status 2 and lists the right ones."""
    with pytest.raises(SystemExit) as left:
        run("ndw")
    assert left.value.code == 2
    assert "ndv" in capsys.readouterr().err


def test_missing_data_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """PARETOSQL_TPCH without the files ends with status 1 and says which are missing."""
    monkeypatch.setenv("PARETOSQL_TPCH", str(tmp_path))
    assert run("overhead/tpch") == 1
    assert "lineitem.parquet" in capsys.readouterr().err


# the parts


def test_turns_are_fair_and_the_first_does_not_count():
    """Each program runs once per turn, turns take place once more than they count, and all go first equally often."""
    calls: list[str] = []
    times = timing.take_turns({name: lambda name=name: calls.append(name) for name in "abc"}, rounds=5)
    turns = [calls[at : at + 3] for at in range(0, len(calls), 3)]
    assert [sorted(turn) for turn in turns] == [["a", "b", "c"]] * 6
    assert sorted(turn[0] for turn in turns) == ["a", "a", "b", "b", "c", "c"]
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 5, "b": 5, "c": 5}


def test_the_ratio_is_the_median_of_paired_ratios():
    """One slow moment that hits both programs does not change the ratio."""
    times = {"a": [2.0, 20.0, 2.0], "b": [1.0, 10.0, 1.0]}
    assert timing.median_ratio(times, "a", "b") == 2.0


def test_a_table_lines_up_and_knows_its_units():
    """Units at the end of a field's name choose how its values are written."""
    text = results.table([Row(name="a|b", wall_s=0.12345, rows=1_000_000), Row(name="c", wall_s=1.0, rows=None)])
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["|", "name", "|", "wall", "|", "rows", "|"]
    assert "| a\\|b | 0.123 s | 1,000,000 |" in text


def test_a_section_without_an_end_is_not_swallowed():
    """A damaged page raises instead of losing its text."""
    with pytest.raises(ValueError, match="end x"):
        results.replace_section("<!-- begin x --> rest", "x", "new")


def test_a_probe_counts_in_a_process_of_its_own():
    """The child's answer comes back, and reading row by row gives every row."""
    assert probe("SELECT ndv(range) FROM range(1000)").first == [1000]
    assert probe("SELECT range FROM range(5000)", "rows").rows == 5000
    assert probe("SELECT range FROM range(5000)", "cursor").rows == 5000
    found = probe("SELECT range FROM range(5000)", "result")
    assert found.rows == 5000
    assert math.isfinite(found.peak_mib)
    with pytest.raises(RuntimeError, match="nowhere"):
        probe("SELECT * FROM nowhere")


@pytest.mark.parametrize("name", sorted(tpch.queries()))
def test_tpch_queries_give_the_rows_of_duckdb(name: str, data: Path, con):
    """The 22 queries give the same rows through ParetoSQL and through DuckDB alone."""
    sql = tpch.queries()[name]
    tpch.create_views(con, data)
    with duckdb.connect() as alone:
        tpch.create_views(alone, data)
        expected = alone.execute(sql).fetchall()
    found = con.execute(sql).fetchall()
    assert len(found) == len(expected)
    for mine, theirs in zip(sorted(map(_rounded, found)), sorted(map(_rounded, expected)), strict=True):
        assert mine == theirs


def _rounded(row: tuple[object, ...]) -> tuple[str, ...]:
    """Floating-point sums depend on the order in which threads deliver rows."""
    return tuple(f"{value:.9g}" if isinstance(value, float) else str(value) for value in row)


def test_there_are_22_queries():
    """q01 to q22, each with a heading."""
    queries = tpch.queries()
    assert sorted(queries) == [f"q{number:02d}" for number in range(1, 23)]
    assert all(text.startswith(f"-- TPC-H query {int(name[1:])}: ") for name, text in queries.items())


# data that is generated once


def fake_generator(folder: Path, body: str) -> str:
    program = folder / "generator"
    program.write_text(f"#!/bin/sh\nfor last; do :; done\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and no folder named by the user."""
    monkeypatch.delenv("PARETOSQL_TPCH", raising=False)
    monkeypatch.setattr(tpch, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_generated_data_is_whole_or_absent(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A generator that fails half-way leaves nothing, one that succeeds is called once."""
    bad = fake_generator(tmp_path, 'touch "$last/region.parquet"; echo "disk on fire" >&2; exit 3')
    monkeypatch.setattr(tpch, "_generator", lambda: bad)
    with pytest.raises(tpch.NoData, match="disk on fire"):
        tpch.folder(0.01)
    assert list(cache.iterdir()) == []
    names = " ".join(f'"$last/{name}.parquet"' for name in tpch.TABLES)
    good = fake_generator(tmp_path, f"touch {names}")
    monkeypatch.setattr(tpch, "_generator", lambda: good)
    made = tpch.folder(0.01)
    assert [each.name for each in cache.iterdir()] == ["tpch-sf0.01"]
    monkeypatch.setattr(tpch, "_generator", lambda: pytest.fail("generated twice"))
    assert tpch.folder(0.01) == made


def test_the_real_generator_makes_all_tables(cache: Path):
    """A tiny scale factor gives eight files that DuckDB reads."""
    try:
        tpch._generator()
    except tpch.NoData as problem:
        pytest.skip(str(problem))
    made = tpch.folder(0.001)
    with duckdb.connect() as con:
        tpch.create_views(con, made)
        assert con.execute("SELECT count(*) FROM nation").fetchall() == [(25,)]
        assert con.execute("SELECT count(*) > 0 FROM lineitem").fetchall() == [(True,)]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_no_half_written_data(tmp_path: Path):
    """Ctrl-C while the generator runs ends with 130 and an empty cache."""
    slow = fake_generator(tmp_path, 'touch "$last/region.parquet"; echo started >&2; exec sleep 60')
    text = (
        "import sys\nfrom pathlib import Path\nfrom benchmarks import tpch, demo\n"
        f"tpch.CACHE = Path({str(tmp_path / 'cache')!r})\ntpch._generator = lambda: {slow!r}\nsys.exit(demo.main([]))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PARETOSQL_TPCH"}
    child = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not list(tmp_path.glob("cache/*/region.parquet")) and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said.endswith("Interrupted.\n")
    assert list((tmp_path / "cache").iterdir()) == []


# the demonstration


def test_the_demo_counts_tpch(data: Path, capsys: pytest.CaptureFixture[str]):
    """Every part is shown, the small columns exactly, and no colour codes are written into a pipe."""
    assert demo.main([]) == 0
    shown = capsys.readouterr().out
    for number in range(1, 8):
        assert f"\n{number}. " in shown
    assert "\x1b" not in shown
    line = next(each for each in shown.splitlines() if each.startswith("l_suppkey"))
    assert line.split()[1] == "100"
    assert line.split()[4:6] == ["100", "exact"]


def test_the_demo_counts_files_of_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Any columns do: quoted names, nested values, nothing but NULL; two keys are found by themselves."""
    file = tmp_path / "my 'own' data.parquet"
    query = """SELECT range AS id, range % 5 AS "odd ""name", range % 2 = 0 AS even, [range % 3] AS list,
               {'a': range % 4} AS s, NULL AS nothing, range::VARCHAR AS text,
               DATE '2024-01-01' + (range % 30)::INTEGER AS day, 1 AS ninth
               FROM range(3000)"""
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO {tpch.quoted(file)}")
    assert demo.main([str(file)]) == 0
    shown = capsys.readouterr().out
    assert "3,000 rows, 9 columns" in shown
    assert "the first 8 columns are counted" in shown
    assert 'GROUP BY ROLLUP ("odd ""name", even)' in shown


def test_the_demo_reads_several_csv_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Files of one kind are one table, columns matched by name."""
    (tmp_path / "a.csv").write_text("x,y\n1,tea\n2,tea\n")
    (tmp_path / "b.csv").write_text("y,x\nmilk,3\n")
    assert demo.main([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]) == 0
    assert "2 files: 3 rows, 2 columns" in capsys.readouterr().out


BAD_FILES = {
    "missing.parquet": (None, "there is no file"),
    "empty.parquet": (b"", "is empty"),
    "text.parquet": (b"hello", "is not a Parquet file"),
    "broken.parquet": (b"PAR1 and then nothing PAR1", ""),
    "rows.csv": (b"a,b\n", "no rows"),
    "notes.txt": (b"hello", "neither Parquet"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_the_demo_explains_files_it_cannot_use(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One line on stderr, status 1, no traceback."""
    content, words = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert demo.main([str(tmp_path / name)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("demo: ")
    assert said.count("\n") == 1
    assert words in said


def test_the_demo_refuses_a_folder_and_a_mixture(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A folder is no file, and Parquet beside CSV is no table."""
    assert demo.main([str(tmp_path)]) == 1
    assert "is not a file" in capsys.readouterr().err
    (tmp_path / "a.csv").write_text("a\n1\n")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS a) TO {tpch.quoted(tmp_path / 'a.parquet')}")
    assert demo.main([str(tmp_path / "a.csv"), str(tmp_path / "a.parquet")]) == 1
    assert "one kind" in capsys.readouterr().err


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_boxes_and_colours_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    """A terminal gets both, NO_COLOR keeps the boxes, a pipe gets plain text."""

    def drawn(out: io.StringIO) -> str:
        drawing.Screen(out).table(["a", "b"], [["x", "1"]], [[drawing.RED, ""]])
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "│" in drawn(Terminal()) and "\x1b[31m" in drawn(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "│" in drawn(Terminal()) and "\x1b" not in drawn(Terminal())
    plain = drawn(io.StringIO())
    assert plain.splitlines() == ["a   b", "-   -", "x   1"]
