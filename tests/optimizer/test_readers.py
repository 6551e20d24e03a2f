"""Readers: what each layout becomes, that nothing is invented, and what damaged files say.

With PARETOSQL_TRACES=FOLDER the real data sets in it are read as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from paretosql.errors import DataError
from paretosql.optimizer.checks import problems
from paretosql.optimizer.readers import reader_of, readers
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import read_trace, write_trace
from tests.optimizer import event_log
from tests.optimizer.event_log import START, info, job, job_end, lines, log, stage_done, task
from tests.optimizer.layouts import (
    LAYOUTS,
    TASK_LINES,
    alibaba_2017,
    alibaba_2018,
    events,
    save,
    sql_logs,
    tpc_plans,
    tpch_tasks,
    workflow,
)

REAL = os.environ.get("PARETOSQL_TRACES")
REAL_SETS = ("spark_tpch_tasks", "spark_sql_logs", "spark_tpc_plans", "wfinstances", "alibaba_2017_tasks")


def known(table):
    """The rows of a table without what is null."""
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def test_every_reader_has_a_layout_here():
    """A reader that is added is tested like the others."""
    assert set(LAYOUTS) == set(readers)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_has_one_reader(tmp_path, name):
    """Each reader recognises its own layout and no other."""
    place = LAYOUTS[name](tmp_path / "source")
    assert [each for each in readers if readers[each].recognises(place)] == [name]
    assert reader_of(place).name == name


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_read_is_right_and_comes_back(tmp_path, name):
    """Every layout becomes a trace without a contradiction, which is the same after it was written."""
    trace = read_trace(LAYOUTS[name](tmp_path / "source"))
    assert sum(trace.count(each) for each in TABLES) > 0
    write_trace(trace, tmp_path / "trace")
    back = read_trace(tmp_path / "trace")
    assert (back.header, back.notes) == (trace.header, trace.notes)
    for each in TABLES:
        assert back[each].equals(trace[each]), each


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in ("alibaba_2018", "spark_events")])
def test_damaged_parquet_is_named(tmp_path, name):
    """Half of any of the files is an error that names it, not a shorter trace."""
    place = LAYOUTS[name](tmp_path / "source")
    for file in sorted(place.glob("*.parquet")):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match=file.stem):
            read_trace(place)
        file.write_bytes(whole)


@pytest.mark.parametrize("name", ["spark_tpch_tasks", "spark_sql_logs", "wfinstances"])
def test_a_missing_column_is_named(tmp_path, name):
    """A file without a column that is needed says which."""
    place = LAYOUTS[name](tmp_path / "source")
    file = place / "instances.parquet"
    column = "latency_s" if name == "wfinstances" else "latency_ms"
    save(place, instances=pq.read_table(file).drop_columns(column))
    with pytest.raises(DataError, match=column):
        read_trace(place)


def test_tpch_runs_are_jobs(tmp_path):
    """One run per number of executors; stages have one name over all scales, and the planner knows the input."""
    trace = read_trace(tpch_tasks(tmp_path))
    assert trace.header.time_base == "start"
    assert known(trace["jobs"])[0] == {
        "job_id": "tpch-q01-sf2-x2",
        "template_id": "tpch-q01",
        "workload": "tpch",
        "n_stages": 2,
    }
    assert known(trace["stages"].slice(1, 1)) == [
        {
            "job_id": "tpch-q01-sf2-x2",
            "stage_id": 3,
            "signature": "tpch-q01/3",
            "n_instances": 2,
            "total_instance_ms": 1000.0,
            "est_bytes": 2e9,
            "parallelism": 2,
        }
    ]
    assert known(trace["instances"].slice(3)) == [
        {
            "job_id": "tpch-q01-sf2-x4",
            "stage_id": 3,
            "instance_id": 1,
            "attempt": 0,
            "cpu_cores": 1.0,
            "latency_ms": 200.0,
            "status": "ok",
            "warmth": "first",
        }
    ]
    assert trace["stage_edges"]["job_id"].to_pylist() == ["tpch-q01-sf2-x2", "tpch-q01-sf2-x4"]


def test_sql_logs_add_files_and_shuffles(tmp_path):
    """Input and output are sums, a task has one slot of its executor, and a memory that is always 0 is not known."""
    trace = read_trace(sql_logs(tmp_path))
    assert known(trace["instances"])[0] == {
        "job_id": "app/sql0",
        "stage_id": 1,
        "instance_id": 0,
        "attempt": 0,
        "machine_id": "app-m0",
        "container_id": "app-e0",
        "cpu_cores": 1.0,
        "mem_mb": 1024,
        "start_ms": START,
        "finish_ms": START + 40,
        "latency_ms": 40.0,
        "cpu_ms": 7.0,
        "gc_ms": 1,
        "wait_ms": 2,
        "in_rows": 15,
        "in_bytes": 1050,
        "in_remote_bytes": 30,
        "out_rows": 5,
        "out_bytes": 48,
        "spill_bytes": 0,
        "status": "ok",
    }
    assert trace["instances"].num_rows == 2
    assert "instances reported twice, kept once: 1" in trace.notes[1]


def test_sql_logs_stages_end_with_their_last_instance(tmp_path):
    """Where all instances are there; a stage without instances keeps what the log says and has no latency."""
    whole, none = known(read_trace(sql_logs(tmp_path))["stages"])
    assert (whole["start_ms"], whole["finish_ms"], whole["latency_ms"]) == (START, START + 60, 60.0)
    assert (whole["in_rows"], whole["hbo_cpu"], whole["hbo_mem_mb"], whole["parallelism"]) == (30, 1.0, 1024, 1)
    assert none["finish_ms"] == START + 63
    assert "latency_ms" not in none
    assert whole["signature"] != none["signature"]


def test_sql_logs_states_count_what_ran_before(tmp_path):
    """When the second task is launched the first still runs; a task does not see itself."""
    states = read_trace(sql_logs(tmp_path))["machine_states"].to_pylist()
    assert [(row["ts_ms"] - START, row["running_instances"], row["cpu_util"]) for row in states] == [
        (0, 0, 0.0),
        (10, 1, 0.25),
    ]


def test_sql_logs_operators_between_two_of_a_stage_are_in_it(tmp_path):
    """An operator without metrics is placed by its neighbours; one at the edge is left out."""
    trace = read_trace(sql_logs(tmp_path))
    assert trace["operators"]["op_id"].to_pylist() == [1, 2, 3]
    assert [(row["src_op"], row["dst_op"]) for row in trace["operator_edges"].to_pylist()] == [(2, 1), (3, 2)]
    assert "operators of no known stage, left out: 1" in trace.notes[0]


def test_sql_logs_of_several_applications(tmp_path):
    """A folder of applications is one trace."""
    sql_logs(tmp_path / "logs" / "one")
    second = sql_logs(tmp_path / "logs" / "two")
    for file in second.glob("*.parquet"):
        table = pq.read_table(file)
        for at, column in enumerate(table.column_names):
            if pa.types.is_string(table[column].type):
                changed = [value and value.replace("app", "other") for value in table[column].to_pylist()]
                table = table.set_column(at, column, pa.array(changed, pa.string()))
        save(second, **{file.stem: table})
    trace = read_trace(tmp_path / "logs")
    assert set(trace["jobs"]["workload"].to_pylist()) == {"app", "other"}
    assert trace["instances"].num_rows == 4


def test_tpc_plans_edges_are_confirmed_by_sizes(tmp_path):
    """A shuffle's number counts the stages that wrote one; sizes that do not fit make no edge."""
    trace = read_trace(tpc_plans(tmp_path))
    assert known(trace["stage_edges"]) == [{"job_id": "q1", "src_stage": 1, "dst_stage": 3, "kind": "shuffle"}]
    assert "edges of shuffles whose sizes fit no stage, left out: 1" in trace.notes
    assert known(trace["stages"].slice(3)) == [
        {
            "job_id": "q1",
            "stage_id": 3,
            "signature": "tpch-q1/3",
            "latency_ms": 50.0,
            "total_instance_ms": 300.0,
            "hbo_cpu": 1.0,
            "hbo_mem_mb": 1024,
            "in_bytes": 90,
            "est_rows": 7.0,
            "est_bytes": 70.0,
            "parallelism": 16,
        }
    ]


def test_tpc_plans_partitions_are_instances_of_unknown_latency(tmp_path):
    """Sizes of all parents are added; estimates of -1 are unknown."""
    trace = read_trace(tpc_plans(tmp_path))
    assert trace["instances"]["in_bytes"].to_pylist() == [51, 57]
    assert trace["instances"]["latency_ms"].null_count == 2
    assert trace["operators"]["est_rows"].to_pylist() == [None, 7.0]
    assert trace["operator_edges"].num_rows == 1


def test_workflow_stages_are_programs_at_a_depth(tmp_path):
    """A program that reads its own results is two stages, so no stage waits for itself."""
    trace = read_trace(workflow(tmp_path))
    assert [(row["signature"], row["n_instances"]) for row in known(trace["stages"])] == [
        ("genes/merge/0", 2),
        ("genes/merge/1", 1),
    ]
    assert known(trace["stage_edges"]) == [{"job_id": "w1", "src_stage": 0, "dst_stage": 1}]
    assert known(trace["instances"])[2] == {
        "job_id": "w1",
        "stage_id": 1,
        "instance_id": 0,
        "attempt": 0,
        "machine_id": "w1/node",
        "latency_ms": 2500.0,
        "cpu_ms": 1250.0,
        "in_bytes": 11,
        "out_bytes": 12,
        "peak_mem_bytes": 1_000_000,
        "status": "ok",
    }
    assert known(trace["machines"]) == [{"machine_id": "w1/node", "cpu_cores": 24.0, "mem_mb": 1024, "cpu_mhz": 2500.5}]


def test_alibaba_2017_begins_at_zero(tmp_path):
    """Times are shifted to the earliest; what still waits has no end, and its job no status."""
    trace = read_trace(alibaba_2017(tmp_path))
    assert known(trace["jobs"]) == [{"job_id": "7", "workload": "alibaba-2017", "submit_ms": 0, "n_stages": 2}]
    assert known(trace["stages"]) == [
        {"job_id": "7", "stage_id": 1, "n_instances": 3, "release_ms": 0, "finish_ms": 120_000, "hbo_cpu": 0.5},
        {"job_id": "7", "stage_id": 2, "n_instances": 3, "release_ms": 110_000, "hbo_cpu": 0.5},
    ]


def test_alibaba_2018_names_are_edges(tmp_path):
    """`J3_1_2` is stage 3 after 1 and 2; other names come after the numbers; a parent that is not listed is no edge."""
    trace = read_trace(alibaba_2018(tmp_path))
    assert [(row["src_stage"], row["dst_stage"]) for row in trace["stage_edges"].to_pylist()] == [
        (1, 2),
        (1, 3),
        (2, 3),
    ]
    assert [(row["job_id"], row["stage_id"]) for row in trace["stages"].to_pylist()] == [
        ("j_1", 1),
        ("j_1", 2),
        ("j_1", 3),
        ("j_1", 4),
        ("j_2", 2),
        ("j_3", 1),
    ]
    assert "edges from tasks that are not listed, left out: 1" in trace.notes


def test_alibaba_2018_attempts_and_invalid_times(tmp_path):
    """A second try is a row of its own; times in the wrong order and times of 0 are unknown and counted."""
    trace = read_trace(alibaba_2018(tmp_path))
    facts = ("instance_id", "attempt", "start_ms", "finish_ms", "cpu_ms", "status")
    assert [tuple(row[name] for name in facts) for row in trace["instances"].to_pylist()] == [
        (1, 0, 100_000, 104_000, 3600.0, "ok"),
        (2, 0, 100_000, 103_000, 2700.0, "failed"),
        (2, 1, 103_000, 105_000, 1800.0, "ok"),
        (4, 0, None, None, None, "failed"),
        (5, 0, 200_000, None, None, None),
    ]
    assert trace["stages"]["finish_ms"].to_pylist() == [105_000, 110_000, 120_000, None, None, None]
    assert trace.notes[:2] == (
        "instances that end before they start, now without times: 1",
        "instances without start or end: 2",
    )


def test_alibaba_2018_invalid_use_is_unknown(tmp_path):
    """-1 and 101 per cent are no utilisations, a state at 0 s is none, and the last size of a machine holds."""
    trace = read_trace(alibaba_2018(tmp_path))
    states = [
        (row["ts_ms"], row["cpu_util"], row["mem_util"], row["io_util"]) for row in trace["machine_states"].to_pylist()
    ]
    assert states == [(10_000, 0.5, None, None), (20_000, pytest.approx(0.4), pytest.approx(0.3), pytest.approx(0.02))]
    assert [(row["machine_id"], row["cpu_cores"]) for row in trace["machines"].to_pylist()] == [
        ("m_1", 64.0),
        ("m_2", None),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("M9,many,j_1,1,Terminated,1,2,100,0.3", 'Could not convert string "many"'),
        ("M9,1,j_1", "Expected Number of Columns: 9 Found: 3"),
        ("M9,1,j_1,1,Terminated,1,2,100,0.3,7", "Expected Number of Columns: 9 Found: 10"),
    ],
)
def test_alibaba_2018_damage_is_named_with_its_line(tmp_path, line, fault):
    """A value of another kind, a line cut short and one too long: file and line are told."""
    place = alibaba_2018(tmp_path)
    first, *others = TASK_LINES.splitlines()
    (place / "batch_task.csv").write_text("\n".join([first, line, *others]))
    with pytest.raises(DataError, match=rf"batch_task\.csv, line 2: .*{fault}"):
        read_trace(place)


def test_alibaba_2018_temporary_files_go(tmp_path, monkeypatch):
    """They are gone when the trace is closed, and when reading fails."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    trace = read_trace(alibaba_2018(tmp_path / "source"))
    assert list(scratch.iterdir()) != []
    trace.close()
    assert list(scratch.iterdir()) == []
    (tmp_path / "source" / "batch_instance.csv").write_text("ins_x\n")
    with pytest.raises(DataError, match=r"batch_instance\.csv, line 1"):
        read_trace(tmp_path / "source")
    assert list(scratch.iterdir()) == []


def test_events_make_stages_tasks_and_machines(tmp_path):
    """A query is a job, a task an instance with a slot of its executor, a host a machine."""
    trace = read_trace(events(tmp_path) / "app-1")
    assert trace.header.engine == "spark 3.5.1"
    assert known(trace["jobs"]) == [
        {
            "job_id": "app-1/sql0",
            "workload": "app-1",
            "submit_ms": START + 5,
            "start_ms": START + 20,
            "finish_ms": START + 210,
            "n_stages": 2,
            "status": "ok",
        },
        {
            "job_id": "app-1/job2",
            "workload": "app-1",
            "submit_ms": START + 300,
            "start_ms": START + 310,
            "finish_ms": START + 340,
            "n_stages": 1,
            "status": "failed",
        },
    ]
    assert known(trace["instances"])[2] == {
        "job_id": "app-1/sql0",
        "stage_id": 0,
        "instance_id": 1,
        "attempt": 0,
        "machine_id": "app-1/h2",
        "container_id": "app-1/2",
        "cpu_cores": 1.0,
        "mem_mb": 512,
        "start_ms": START + 20,
        "finish_ms": START + 150,
        "latency_ms": 130.0,
        "cpu_ms": 7.0,
        "gc_ms": 1,
        "wait_ms": 2,
        "in_rows": 15,
        "in_bytes": 1050,
        "in_remote_bytes": 30,
        "out_rows": 4,
        "out_bytes": 40,
        "peak_mem_bytes": 4096,
        "spill_bytes": 0,
        "status": "ok",
    }
    assert known(trace["machines"])[0] == {"machine_id": "app-1/h1", "cpu_cores": 2.0, "mem_mb": 1024}


def test_events_skipped_stages_are_not_rows(tmp_path):
    """Stage 2 was not run again; the stage after it is in another job, so it has no edge."""
    trace = read_trace(events(tmp_path))
    assert trace["stages"]["stage_id"].to_pylist() == [3, 0, 1]
    assert known(trace["stage_edges"]) == [{"job_id": "app-1/sql0", "src_stage": 0, "dst_stage": 1, "kind": "shuffle"}]


def test_events_edges_lead_to_the_stage_that_ran(tmp_path):
    """Adaptive execution lists a stage again under another number: what it makes tells that they are one."""
    scan, again, total = info(0, 1, rdd=3), info(1, 1, rdd=3), info(2, 1, rdd=5, parents=(1,))
    done = [
        *event_log.application(),
        job(0, [scan], query=0),
        task(0, 0, 0, 10),
        stage_done(scan, 0, 10),
        job(1, [again, total], query=0),
        task(2, 0, 10, 20),
        stage_done(total, 10, 20),
        job_end(0, 10),
        job_end(1, 20),
    ]
    (tmp_path / "log").write_text(lines(done))
    edges = read_trace(tmp_path / "log")["stage_edges"].to_pylist()
    assert [(row["src_stage"], row["dst_stage"]) for row in edges] == [(0, 2)]


def test_events_operators_have_rows_and_stages(tmp_path):
    """The last plan is numbered from its root; metrics tell rows, bytes and the stage."""
    trace = read_trace(events(tmp_path))
    facts = ("op_id", "op_type", "stage_id", "actual_rows", "actual_bytes")
    assert [tuple(row[name] for name in facts) for row in trace["operators"].to_pylist()] == [
        (1, "HashAggregate", 1, 1, None),
        (2, "Exchange", 0, None, 80),
        (3, "Scan parquet", 0, 20, None),
    ]
    assert [(row["stage_id"], row["src_op"], row["dst_op"]) for row in trace["operator_edges"].to_pylist()] == [
        (0, 3, 2)
    ]


def test_events_of_tasks_that_failed(tmp_path):
    """Failed and killed tasks have a status and no metrics; each attempt is a row, also of a second stage attempt."""
    stage, second = info(0, 2, rdd=1), info(0, 1, rdd=1, attempt=1)
    done = [
        *event_log.application(),
        job(0, [stage]),
        task(0, 0, 0, 10, reason="ExceptionFailure"),
        task(0, 0, 10, 30, attempt=1),
        task(0, 1, 0, 40),
        task(0, 1, 5, 41, attempt=1, reason="TaskKilled"),
        task(0, 1, 0, 40, reason="Resubmitted"),
        stage_done(stage, 0, 45),
        task(0, 1, 50, 60, stage_attempt=1),
        stage_done(second, 46, 61),
        job_end(0, 70),
    ]
    (tmp_path / "log").write_text(lines(done))
    trace = read_trace(tmp_path / "log")
    facts = ("instance_id", "attempt", "status", "in_rows")
    assert [tuple(row[name] for name in facts) for row in trace["instances"].to_pylist()] == [
        (0, 0, "failed", None),
        (0, 1, "ok", 15),
        (1, 0, "ok", 15),
        (1, 1, "killed", None),
        (1, 2, "ok", 15),
    ]
    stages = known(trace["stages"])
    assert [(row["n_instances"], row["finish_ms"], row["in_rows"]) for row in stages] == [(2, START + 60, 30)]
    assert trace.notes == ("log: instances reported twice, kept once: 1",)


@pytest.mark.parametrize("ending", ["", ".gz", ".zstd", ".zst"])
def test_events_may_be_compressed(tmp_path, ending):
    """Plain, gzip and Zstandard are the same trace."""
    codec = {"": None, ".gz": "gzip"}.get(ending, "zstd")
    with pa.output_stream(str(tmp_path / f"app{ending}"), compression=codec) as file:
        file.write(lines(log()).encode())
    assert read_trace(tmp_path / f"app{ending}")["instances"].num_rows == 4


def test_events_in_rolled_files_are_one_application(tmp_path):
    """Parts are put together in the order of their numbers, not of their names."""
    given = log()
    folder = tmp_path / "logs" / "eventlog_v2_app-1"
    folder.mkdir(parents=True)
    (folder / "appstatus_app-1").touch()
    for number, part in ((1, given[:7]), (2, given[7:9]), (10, given[9:])):
        (folder / f"events_{number}_app-1").write_text(lines(part))
    whole = read_trace(events(tmp_path / "whole"))
    for place in (folder, tmp_path / "logs"):
        trace = read_trace(place)
        assert all(trace[name].equals(whole[name]) for name in TABLES)


@pytest.mark.parametrize("record", [1, 2, 9])
@pytest.mark.parametrize("last", [False, True], ids=["inside", "at the end"])
def test_events_that_are_no_json_are_named_with_their_record(tmp_path, record, last):
    """A record that was cut names file and record, wherever it is."""
    given = lines(log()).splitlines()
    given[record - 1] = given[record - 1][:-20]
    (tmp_path / "log").write_text("\n".join(given[:record] if last else given))
    with pytest.raises(DataError, match=rf"log, record {record}: no JSON"):
        read_trace(tmp_path / "log")


def test_a_log_without_tasks_is_refused(tmp_path):
    """An application that did nothing is no trace."""
    (tmp_path / "log").write_text(lines(event_log.application()))
    with pytest.raises(DataError, match="no task ends in this log"):
        read_trace(tmp_path / "log")


def test_a_log_in_a_compression_that_cannot_be_read_is_not_taken(tmp_path):
    """lz4 as Spark writes it is not read here, and is not mistaken for something else."""
    (tmp_path / "app.lz4").write_text(lines(log()))
    with pytest.raises(DataError, match="no trace that is known here"):
        read_trace(tmp_path)


@pytest.mark.skipif(not REAL, reason="PARETOSQL_TRACES is not set")
@pytest.mark.parametrize("name", REAL_SETS)
def test_real_sets_are_right(name):
    """The data sets themselves: the right reader takes them, nothing contradicts itself, and no instance is lost."""
    place = Path(str(REAL)) / name
    trace = read_trace(place)
    assert trace.header.source.startswith(name)
    assert problems(trace) == []
    if (place / "instances.parquet").exists():
        files = duckdb.sql(f"SELECT count(*) FROM '{place}/instances.parquet'").fetchall()[0][0]
        assert trace.count("instances") == files
