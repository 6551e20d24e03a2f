"""Studies end to end: history, training, simulation; from Python, the command line and SQL."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import paretosql
from paretosql.__main__ import main
from paretosql.errors import DataError, OperationalError, ProgrammingError
from paretosql.optimizer import Question, load_model, read_trace, run_study, train, write_trace
from paretosql.optimizer.experiment import make_history
from paretosql.optimizer.study import REPLAY
from paretosql.optimizer.truth import Synthetic


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trace of simulated days."""
    trace, _ = make_history("A", Synthetic(seed=1), seed=1, days=2, jobs=30)
    target = tmp_path_factory.mktemp("study") / "trace"
    write_trace(trace, target)
    return target


@pytest.fixture(scope="module")
def model(folder):
    return train(read_trace(folder))


@pytest.fixture(scope="module")
def study():
    return run_study(Question(("fuxi", "pareto", "oracle"), "A", (1,), 12, days=2, past=30))


def test_a_study_compares_on_the_same_jobs(study):
    """Every policy ran all instances of the same workload; the baseline saves nothing against itself; decisions with
    predictions are at least as good as without; nobody beats the oracle by much.
    """
    (rows,) = study.summaries.values()
    base, ours, oracle = rows
    assert [each.policy for each in rows] == ["fuxi", "pareto", "oracle"]
    assert base.instances == ours.instances == oracle.instances > 0
    assert base.latency_saving == base.cost_saving == 0
    assert ours.latency_saving > 0
    assert ours.coverage == 1
    assert oracle.wmape < ours.wmape
    assert ours.latency_saving <= oracle.latency_saving + 0.15
    assert study.runs["pareto"].workload is study.runs["fuxi"].workload


def test_the_same_question_has_the_same_answer(study):
    """Deterministic but for the time that decisions took."""
    again = run_study(study.question)
    for mine, other in zip(study.summaries[1], again.summaries[1], strict=True):
        measured = ("decide_mean_s", "decide_p95_s", "decide_max_s")
        assert {k: v for k, v in mine.row().items() if k not in measured} == pytest.approx(
            {k: v for k, v in other.row().items() if k not in measured}, nan_ok=True
        )


@pytest.mark.parametrize("truth", ["replay", "oracle", "synthetic"])
def test_a_trace_is_replayed(folder, model, truth):
    """The jobs of a trace under every truth."""
    found = run_study(Question(("fuxi", "pareto"), REPLAY, truth=truth, jobs=15), read_trace(folder), model)
    base, ours = found.summaries[0]
    assert base.stages == ours.stages > 0
    assert found.facts["truth"].startswith(truth)
    assert len(found.runs["pareto"].job_finish_s) == 15


def test_the_replay_of_the_recorded_plan_is_what_was_recorded(folder, model):
    """Under `replay` an instance that runs as it did takes as long as the forest says it should differ, on average."""
    trace = read_trace(folder)
    found = run_study(Question(("fuxi",), REPLAY, jobs=20), trace, model)
    recorded = sum(trace["instances"]["latency_ms"].to_pylist()) / 1000 / trace.count("jobs")
    simulated = sum(float((s.finish_s - s.start_s).sum()) for s in found.runs["fuxi"].stages) / 20
    assert 0.3 < simulated / recorded < 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"policies": ("paretto",)}, ProgrammingError, "pareto"),
        ({"workload": "Z"}, ProgrammingError, "no workload named 'Z'"),
        ({"noise": "loud"}, ProgrammingError, "gaussian"),
        ({"truth": "gospel"}, ProgrammingError, "replay"),
        ({"jobs": 0}, DataError, "jobs is 0"),
        ({"explore": 2.0}, DataError, "explore"),
        ({"policies": "pareto"}, DataError, r"policies=\('pareto',\)"),
        ({"seeds": (0, -1)}, DataError, "seed is -1"),
        ({"slowdown": -5.0}, DataError, "slowdown is -5.0\nHint: a number from 0"),
        ({"memory_pressure": float("nan")}, DataError, "memory_pressure is nan"),
        ({"cpu_exponent": 5.0}, DataError, "a number from 0 to 2"),
    ],
)
def test_bad_questions_are_refused(change, error, words):
    """Before anything runs."""
    with pytest.raises(error, match=words):
        Question(**change)


def test_the_same_seed_twice_is_once():
    """It would say nothing new."""
    assert Question(seeds=(3, 1, 3)).seeds == (3, 1)


def test_what_the_facts_say(folder, model):
    """A model that was trained on the trace it replays says so, and so does noise that is not what was asked for."""
    trace = read_trace(folder)
    own = run_study(Question(("fuxi",), workload="replay", jobs=4, noise="bootstrap"), trace)
    assert "trained on this very trace" in own.facts["model"]
    other = run_study(Question(("fuxi",), workload="replay", jobs=4), trace, replace(model, errors=None))
    assert "trained on this very trace" not in other.facts["model"]
    without = run_study(
        Question(("fuxi",), workload="replay", jobs=4, noise="bootstrap"), trace, replace(model, errors=None)
    )
    assert without.facts["noise"].startswith("bootstrap, as gaussian")


def test_a_replay_has_machines_of_its_own(folder, model):
    """Another number of them is refused, not ignored."""
    with pytest.raises(DataError, match="machines of its own"):
        run_study(Question(workload="replay", machines=2), read_trace(folder), model)


def test_a_policy_that_gives_up_does_not_end_the_study():
    """The exact program takes six instances; the baseline decides larger stages for it."""
    study = run_study(Question(("milp",), workload="A", jobs=3, days=1, past=5))
    fuxi, milp = study.summaries[0]
    assert milp.coverage < 1.0
    assert milp.stages == fuxi.stages


def test_what_cannot_be_asked_together():
    """A replay without a trace; made up jobs under a truth that is learned from what ran."""
    with pytest.raises(DataError, match="no trace to replay"):
        run_study(Question(workload=REPLAY))
    with pytest.raises(DataError, match="learned from what ran"):
        run_study(Question(workload="A", truth="oracle", jobs=2))


def test_the_command_line(folder, tmp_path, capsys):
    """train, then simulate with that model: figures on the terminal, in JSON and in a report."""
    model, figures, report = tmp_path / "model", tmp_path / "out.json", tmp_path / "report.html"
    assert main(["train", str(folder), "-o", str(model), "--no-progress"]) == 0
    assert "wmape" in capsys.readouterr().out
    assert load_model(model).name == "boosted"
    words = [
        "simulate",
        str(folder),
        "--workload",
        "A",
        "--jobs",
        "6",
        "--days",
        "1",
        "--past",
        "5",
        "--model",
        str(model),
    ]
    words += ["--policy", "fuxi", "--policy", "pareto", "--seed", "1", "--json", str(figures), "--html", str(report)]
    assert main(words) == 0
    assert "| pareto |" in capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert [each["policy"] for each in found["results"]] == ["fuxi", "pareto"]
    assert found["results"][0]["latency_saving"] == 0
    assert report.read_text().lower().startswith("<!doctype html>")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["simulate", "nowhere"], 1, "nowhere"),
        (["simulate", "--policy", "best", "--jobs", "1"], 1, "no policy named 'best'"),
        (["simulate", "--workload", "replay"], 2, "needs the folder of a trace"),
        (["simulate", "--jobs", "many"], 2, "invalid int"),
        (["simulate", "", "--seed", "-1"], 1, "seed is -1"),
        (["simulate", "traces", "--explore", "0.1"], 2, "--explore is about history that is made up"),
        (["simulate", "--json", "nowhere/out.json"], 1, "there is no folder"),
        (["train", "nowhere", "-o", "m"], 1, "nowhere"),
        (["train"], 2, "required"),
    ],
)
def test_bad_command_lines(words, status, said, tmp_path, *, capsys, monkeypatch):
    """An exit status and a sentence; no file is made."""
    monkeypatch.chdir(tmp_path)
    try:
        found = main(words)
    except SystemExit as end:
        found = end.code
    assert found == status
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_is_there():
    """Both commands say what they do, with examples."""
    for command in ("simulate", "train"):
        done = subprocess.run(
            [sys.executable, "-m", "paretosql", command, "--help"], capture_output=True, text=True, check=True
        )
        assert "examples:" in done.stdout


def test_sql(folder):
    """trace_simulate is a table: a row for each job and policy, to filter and join like any other."""
    with paretosql.connect() as con:
        sql = (
            "SELECT policy, count(*), sum(instances) FROM trace_simulate(?, jobs => 8) GROUP BY policy ORDER BY policy"
        )
        fuxi, pareto = con.execute(sql, [str(folder)]).fetchall()
        assert (fuxi[0], fuxi[1], pareto[0], pareto[1]) == ("fuxi", 8, "pareto", 8)
        assert fuxi[2] == pareto[2] > 8
        one = "trace_simulate('', policy => 'pareto', workload => 'A', jobs => 3, days => 1, past => 9, seed => 2)"
        rows = con.execute(
            f"SELECT query, latency_s, cost_usd, solve_s FROM {one} AS s WHERE s.latency_s > 0"
        ).fetchall()
        assert len(rows) == 3
        assert all(row[1] > 0 and row[2] > 0 and row[3] > 0 for row in rows)
        more = one.replace("seed => 2", "seed => 2, tune_partitions => true")
        counts = [con.execute(f"SELECT sum(instances) FROM {each}").fetchone()[0] for each in (one, more)]
        assert counts[0] != counts[1]
        plan = con.execute(f"EXPLAIN SELECT * FROM {one}").fetchall()
        assert ("simulate", "jobs made up, policy = pareto, workload = A, jobs = 3, days = 1, past = 9, seed = 2") in [
            row[1:3] for row in plan
        ]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("trace_simulate('nowhere')", OperationalError, "nowhere"),
        ("trace_simulate('', past => 0)", DataError, "past is 0"),
        ("trace_simulate('', latency_weight => 1.7)", DataError, "from 0 to 1"),
        ("trace_simulate('', policy => NULL)", ProgrammingError, "policy is text, not None"),
        ("trace_simulate()", ProgrammingError, "expected the folder of a trace"),
        ("trace_simulate('', policy => 'x')", ProgrammingError, "no policy named 'x'"),
        ("trace_simulate('', jobs => 'x')", ProgrammingError, "jobs is a whole number"),
        ("trace_simulate('', tune_partitions => 'yes')", ProgrammingError, "tune_partitions is true or false"),
        ("trace_simulate('', job => 3)", ProgrammingError, "no option 'job'"),
        ("trace_simulate('', model => 'nowhere')", OperationalError, "nowhere"),
    ],
)
def test_bad_sql(call, error, words):
    """Errors of PEP 249's tree, and the connection goes on."""
    with paretosql.connect() as con:
        with pytest.raises(error, match=words):
            con.execute(f"SELECT * FROM {call}").fetchall()
        assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_a_table_is_no_value():
    """Outside of FROM it is refused, with the form that works."""
    with paretosql.connect() as con, pytest.raises(ProgrammingError, match="is a table, not a value"):
        con.execute("SELECT trace_simulate('x')")
