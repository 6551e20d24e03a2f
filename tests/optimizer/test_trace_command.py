"""`paretosql trace`, as a user's terminal or script sees it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from paretosql.__main__ import main
from paretosql.optimizer.describe import describe
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import Header, Trace, read_trace, write_trace
from tests.optimizer.event_log import lines, log
from tests.optimizer.layouts import alibaba_2018
from tests.optimizer.traces import instance, right, rows, trace_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with a trace in `good` and one that is wrong in `bad`."""
    monkeypatch.chdir(tmp_path)
    write_trace(right(), "good")
    given = rows()
    given["instances"][1]["in_bytes"] = -1
    write_trace(trace_of(given), "bad")
    return tmp_path


def facts(trace):
    """What `describe` says, by name."""
    table = describe(trace)
    return dict(zip(table["what"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_check_of_a_right_trace(folder, capsys):
    """Sizes on standard output, status 0."""
    assert main(["trace", "check", "good"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "no problems in 1 jobs, 2 stages, 1 stage edges, 3 operators, 1 operator edges, 3 instances, 2 machines, "
        "1 machine states\n"
    )
    assert printed.err == ""


def test_check_of_a_wrong_trace(folder, capsys):
    """Every problem with its hint, how many there are, status 1."""
    assert main(["trace", "check", "bad"]) == 1
    printed = capsys.readouterr()
    assert printed.out == (
        "instances, row 1, job_id 'a', stage_id 0, instance_id 1, attempt 0: in_bytes is -1\n"
        "  Hint: numbers are from 0; unknown is null, never -1.\n"
    )
    assert printed.err == "1 problem in bad\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["check", "nowhere"], "no file or folder 'nowhere'"),
        (["describe", "nowhere"], "no file or folder 'nowhere'"),
        (["convert", "bad", "new"], "the trace is wrong: instances, row 1"),
        (["convert", "good", "bad"], "holds a trace already\nHint: name a new folder"),
        (["check", "good", "--from", "wfinstances"], "good"),
    ],
)
def test_failures_are_messages(folder, capsys, words, text):
    """One message on standard error, status 1, and nothing new in the folder."""
    before = sorted(folder.rglob("*"))
    assert main(["trace", *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("paretosql: ")
    assert text in printed.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "COMMAND"),
        (["chek", "good"], "invalid choice: 'chek' (choose from 'check', 'describe', 'convert')"),
        (["check"], "the following arguments are required: DIR"),
        (["convert", "good"], "the following arguments are required: DIR"),
        (["check", "good", "--from", "spark"], "invalid choice: 'spark' (choose from 'alibaba_2017_tasks'"),
        (["describe", "good", "--json", "--csv"], "not allowed with argument --json"),
    ],
)
def test_wrong_command_lines(folder, capsys, words, text):
    """A message that says what would be right, status 2."""
    with pytest.raises(SystemExit) as left:
        main(["trace", *words])
    assert left.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["check"], ["describe"], ["convert"]])
def test_help(capsys, words):
    """Each command explains itself."""
    with pytest.raises(SystemExit) as left:
        main(["trace", *words, "--help"])
    assert left.value.code == 0
    assert "usage: paretosql trace" in capsys.readouterr().out


def test_convert_writes_a_trace(folder, capsys):
    """A foreign layout becomes ours, with the time at which it did; notes go to standard error."""
    (folder / "app").write_text(lines(log()))
    assert main(["trace", "convert", "app", "new"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("wrote new: 2 jobs, 3 stages, 1 stage edges")
    assert printed.err == "note: app: operators of no known stage, left out: 1\n"
    trace, source = read_trace("new"), read_trace("app")
    assert trace.header.created.endswith("+00:00")
    assert trace.header.source == "spark_events: app"
    assert all(trace[name].equals(source[name]) for name in TABLES)


def test_convert_replaces_when_told(folder, capsys):
    """The trace that was there is gone."""
    assert main(["trace", "convert", "good", "bad", "--replace"]) == 0
    assert read_trace("bad")["instances"].equals(right()["instances"])
    assert sorted(each.name for each in folder.iterdir()) == ["bad", "good"]


def test_describe_prints_facts(folder, capsys):
    """As text in two columns, and in formats that programs read, with the same content."""
    assert main(["trace", "describe", "good", "--json"]) == 0
    given = {row["what"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert main(["trace", "describe", "good", "--csv"]) == 0
    assert {row["what"]: row["value"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} == given
    assert main(["trace", "describe", "good", "--markdown"]) == 0
    assert "| jobs | 1 |" in capsys.readouterr().out
    assert main(["trace", "describe", "good"]) == 0
    text = capsys.readouterr().out
    assert all(what in text for what in given)
    assert given == facts(right())


def test_describe_counts_and_measures():
    """Numbers that were worked out by hand."""
    given = facts(right())
    assert given["times"] == "since 1970"
    assert (given["jobs"], given["instances"], given["instances ok"]) == ("1", "3", "3")
    assert given["time span"] == "0.9 s"
    assert given["latency of an instance"] == "least 390 ms, median 395 ms, 95 % 472 ms, most 480 ms"
    assert given["slowest / median instance of a stage"] == "median 1.01, 95 % 1.01, most 1.01"  # 395 / 392.5
    assert given["stages one after the other"] == "median 2, most 2"
    assert given["partly unknown in machines"] == "cpu_cores 50 %"
    assert "template_id" in given["never known in jobs"]
    assert "status" not in given["never known in jobs"]


def test_describe_leaves_failures_out_of_latencies():
    """An instance that failed early is not a fast one."""
    changed = rows()
    changed["instances"].append(instance(1, 0, 421, 422, attempt=1, status="failed"))
    given = facts(trace_of(changed))
    assert given["latency of an instance"].startswith("least 390 ms")
    assert given["instances failed"] == "1"


def test_describe_of_nothing():
    """A trace without rows has facts, too."""
    given = facts(Trace(Header(time_base="start"), {}))
    assert (given["instances"], given["time span"]) == ("0", "unknown")


SLOW = """
import sys, time
from paretosql import trace_command
from paretosql.__main__ import main
trace_command.{slow} = lambda *given, **more: time.sleep(60)
sys.exit(main(["trace", "convert", "source", "new"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no terminal to open")
@pytest.mark.parametrize(("slow", "line"), [("check", b"checking source  2."), ("write_trace", b"writing new  2.")])
def test_a_long_command_shows_a_line_and_stops_on_ctrl_c(tmp_path, slow, line):
    """On a terminal a line says what goes on; Ctrl-C ends the command with status 130 and leaves no file."""
    alibaba_2018(tmp_path / "source")
    (tmp_path / "scratch").mkdir()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(slow=slow)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
        start_new_session=True,
    )
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 60
    while line not in seen and time.monotonic() < deadline:
        seen += os.read(ours, 1000)
    assert line in seen
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    os.close(ours)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["scratch", "source"]
    assert list((tmp_path / "scratch").iterdir()) == []
