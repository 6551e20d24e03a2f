"""Every rule finds what breaks it, at the right row, with value and hint, and nothing in a trace that is right."""

from __future__ import annotations

import doctest

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from paretosql.errors import DataError
from paretosql.optimizer import describe, graphs
from paretosql.optimizer.checks import Problem, check, problems
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace_sql import sql_over
from paretosql.optimizer.workload import Header, Trace
from tests.optimizer.traces import DAY, instance, right, rows, trace_of


def spoilt(table, row, **values):
    """The right trace with other values in one row."""
    given = rows()
    given[table][row].update(values)
    return trace_of(given)


def test_the_examples_are_right():
    """The examples in docstrings print what they say."""
    for module in (graphs, describe):
        assert doctest.testmod(module).failed == 0


def test_a_right_trace_has_no_problem():
    """Nothing is found, and `check` says nothing."""
    assert problems(right()) == []
    assert check(right()) is None
    assert problems(Trace(Header(), {})) == []


ONE_ROW = [  # table, row, changed values, column, text, hint
    ("instances", 1, {"latency_ms": -5.0, "start_ms": None}, "latency_ms", "latency_ms is -5", "never -1"),
    ("instances", 1, {"in_bytes": -1}, "in_bytes", "in_bytes is -1", "unknown is null, never -1"),
    ("instances", 1, {"cpu_ms": float("nan")}, "cpu_ms", "cpu_ms is nan", "not NaN"),
    ("instances", 1, {"cpu_ms": float("inf")}, "cpu_ms", "cpu_ms is inf", "not infinity"),
    ("instances", 2, {"status": "done"}, "status", "status is 'done'", "one of ok, failed, killed"),
    ("instances", 2, {"warmth": "cold"}, "warmth", "warmth is 'cold'", "one of fresh, first, rest"),
    (
        "instances",
        2,
        {"latency_ms": 478.0},
        "latency_ms",
        "latency_ms is 478.0, but finish_ms - start_ms is 480",
        "1 ms",
    ),
    ("instances", 2, {"latency_ms": 0.0, "start_ms": None}, "latency_ms", "latency_ms is 0", "nothing takes no time"),
    ("instances", 2, {"stage_id": 5}, "stage_id", "stages has no row with job_id a stage_id 5", "add it to stages"),
    (
        "instances",
        2,
        {"machine_id": "m7"},
        "machine_id",
        "machines has no row with machine_id m7",
        "add it to machines",
    ),
    ("instances", 0, {"start_ms": DAY + 401, "latency_ms": None}, "finish_ms", "is before start_ms", "clocks"),
    ("stages", 0, {"job_id": "b"}, "job_id", "jobs has no row with job_id b", "add it to jobs"),
    ("stages", 1, {"finish_ms": DAY + 905}, "finish_ms", "its last instance ended at 1700000000900", "last instance"),
    ("stages", 1, {"finish_ms": DAY + 898}, "finish_ms", "its last instance ended at 1700000000900", "last instance"),
    (
        "stages",
        0,
        {"n_instances": 1},
        "n_instances",
        "n_instances is 1, but there are 2 instances",
        "every instance once",
    ),
    ("stages", 0, {"exchange_out": "magic"}, "exchange_out", "exchange_out is 'magic'", "shuffle, broadcast"),
    ("stages", 0, {"pred_latency_ms": -2.0}, "pred_latency_ms", "pred_latency_ms is -2", "from 0"),
    ("jobs", 0, {"finish_ms": DAY - 1, "start_ms": DAY}, "finish_ms", "is before start_ms", "clocks"),
    ("jobs", 0, {"workload": None}, "workload", "workload is null", "never null"),
    ("stage_edges", 0, {"src_stage": 9}, "src_stage", "stages has no row with job_id a stage_id 9", "add it to stages"),
    ("stage_edges", 0, {"kind": "copy"}, "kind", "kind is 'copy'", "shuffle, broadcast, gather, forward"),
    ("operators", 2, {"stage_id": 3}, "stage_id", "stages has no row with job_id a stage_id 3", "add it to stages"),
    ("operators", 1, {"est_rows": -1.0}, "est_rows", "est_rows is -1", "unknown is null"),
    (
        "operator_edges",
        0,
        {"dst_op": 2},
        "dst_op",
        "operators has no row with job_id a stage_id 0 op_id 2",
        "operators",
    ),
    ("machine_states", 0, {"cpu_util": 50.0}, "cpu_util", "cpu_util is 50", "look like per cent"),
    ("machine_states", 0, {"cpu_util": -0.25}, "cpu_util", "cpu_util is -0.25", "from 0"),
    (
        "machine_states",
        0,
        {"machine_id": "x"},
        "machine_id",
        "machines has no row with machine_id x",
        "add it to machines",
    ),
    ("machines", 1, {"cpu_cores": -8.0}, "cpu_cores", "cpu_cores is -8", "from 0"),
]


@pytest.mark.parametrize("case", ONE_ROW, ids=lambda case: f"{case[0]}-{case[4]}")
def test_one_wrong_row_is_found(case):
    """The problem names table, row, column and value, and says what would be right."""
    table, row, values, column, text, hint = case
    found = [each for each in problems(spoilt(table, row, **values)) if each.column == column]
    assert [(each.table, each.row, each.rows) for each in found] == [(table, row, 1)]
    assert text in found[0].text
    assert hint in found[0].hint


def test_the_message_names_table_row_key_and_value():
    """One sentence and a hint; what else is wrong is not hidden."""
    given = rows()
    given["instances"][1].update(in_bytes=-1, cpu_ms=-1.0)
    with pytest.raises(DataError) as caught:
        check(trace_of(given))
    assert str(caught.value) == (
        "the trace is wrong: instances, row 1, job_id 'a', stage_id 0, instance_id 1, attempt 0: cpu_ms is -1.0\n"
        "Hint: numbers are from 0; unknown is null, never -1.\n"
        "paretosql trace check DIR lists what else is wrong."
    )


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_unique(table):
    """The same row twice is found in every table."""
    given = rows()
    given[table].append(given[table][0])
    found = [each for each in problems(trace_of(given)) if "another row has the same" in each.text]
    assert [(each.table, each.row, each.rows) for each in found] == [(table, 0, 2)]


def test_attempts_are_different_rows():
    """A second try of an instance has the next number, and a stage ends with the last of all."""
    given = rows()
    given["instances"][2].update(status="failed")
    given["instances"].append(instance(1, 0, 900, 990, attempt=1))
    given["stages"][1]["finish_ms"] = DAY + 990
    assert problems(trace_of(given)) == []


def test_machines_may_be_unknown():
    """Without a table of machines any machine may be named."""
    given = {name: each for name, each in rows().items() if name not in ("machines", "machine_states")}
    assert problems(trace_of(given)) == []


def test_a_stage_with_missing_instances_may_end_later():
    """The last instance may be one of those that are missing; ending before a known one is still wrong."""
    given = rows()
    given["stages"][1].update(n_instances=3, finish_ms=DAY + 5000)
    assert problems(trace_of(given)) == []
    given["stages"][1].update(finish_ms=DAY + 800)
    assert [each.column for each in problems(trace_of(given))] == ["finish_ms"]


def test_times_may_differ_by_a_millisecond():
    """Clocks are read to the millisecond."""
    assert problems(spoilt("stages", 1, finish_ms=DAY + 901)) == []
    assert problems(spoilt("instances", 2, latency_ms=481.0)) == []


def test_no_latency_where_both_times_are_equal():
    """A clock of whole seconds shows short instances as 0."""
    given = rows()
    given["instances"][0].update(finish_ms=DAY + 10, latency_ms=0.0)
    assert problems(trace_of(given)) == []


@pytest.mark.parametrize(
    ("edges", "row"),
    [
        ([(0, 0)], 0),
        ([(0, 1), (1, 0)], 0),
        ([(0, 1), (1, 2), (2, 3), (3, 1)], 1),
    ],
)
def test_cycles_of_stages_are_found(edges, row):
    """A stage that waits for itself, directly or not, is found at the first edge of the cycle."""
    given = rows()
    given["jobs"].append({"job_id": "c", "workload": "tests", "n_stages": 4})
    given["stages"] += [{"job_id": "c", "stage_id": each} for each in range(4)]
    given["stage_edges"] += [{"job_id": "c", "src_stage": src, "dst_stage": dst} for src, dst in edges]
    found = problems(trace_of(given))
    assert [(each.table, each.row) for each in found] == [("stage_edges", row + 1)]
    assert "part of a cycle" in found[0].text


def test_graphs_of_different_jobs_are_apart():
    """0 before 1 in one job and 1 before 0 in another is no cycle; the same for operators of different stages."""
    given = rows()
    given["jobs"].append({"job_id": "c", "workload": "tests", "n_stages": 2})
    given["stages"] += [{"job_id": "c", "stage_id": each} for each in range(2)]
    given["stage_edges"].append({"job_id": "c", "src_stage": 1, "dst_stage": 0})
    given["operators"] += [{"job_id": "c", "stage_id": 0, "op_id": each, "op_type": "Scan"} for each in range(2)]
    given["operator_edges"].append({"job_id": "c", "stage_id": 0, "src_op": 1, "dst_op": 0})
    assert problems(trace_of(given)) == []


def test_cycles_of_operators_are_found():
    """Operators of a stage have an order, too."""
    given = rows()
    given["operator_edges"].append({"job_id": "a", "stage_id": 0, "src_op": 1, "dst_op": 0})
    assert [(each.table, each.row, each.rows) for each in problems(trace_of(given))] == [("operator_edges", 0, 2)]


def scaled(factor):
    """The rows of the right trace with all times multiplied."""
    given = rows()
    for each in given.values():
        for row in each:
            row.update({name: int(value * factor) for name, value in row.items() if name.endswith("_ms")})
    for row in given["instances"]:
        row["latency_ms"] = float(row["latency_ms"])
    return given


def test_seconds_since_1970_are_found():
    """Times of 1970 are seconds, or times since the start of the trace; not one of the tables escapes."""
    found = problems(trace_of(scaled(0.001)))
    hints = {(each.table, each.column) for each in found if "these look like seconds" in each.hint}
    assert hints >= {
        ("jobs", "submit_ms"),
        ("stages", "finish_ms"),
        ("instances", "start_ms"),
        ("machine_states", "ts_ms"),
    }


def test_microseconds_since_1970_are_found():
    """Times after the year 5000 are microseconds."""
    found = problems(trace_of(scaled(1000)))
    assert {each.column for each in found if "these look like microseconds" in each.hint} >= {"submit_ms", "start_ms"}


def test_one_row_of_another_unit_is_found():
    """Units that are mixed in a column are found at the odd row."""
    found = problems(spoilt("machine_states", 0, ts_ms=DAY // 1000))
    assert [(each.row, each.column) for each in found] == [(0, "ts_ms")]


def test_times_since_1970_are_not_since_the_start():
    """A trace of thirty years is rather one with the wrong time base."""
    found = problems(trace_of(rows(), time_base="start"))
    assert {each.hint for each in found} == {"these look like times since 1970: time_base 'epoch', not 'start'."}


@pytest.mark.parametrize(
    ("factor", "hint"), [(1000.0, "the times look like seconds"), (0.001, "the latencies look like seconds")]
)
def test_latencies_of_another_unit_are_found(factor, hint):
    """A latency that is always 1000 times the difference of times, or a thousandth, tells which of them are seconds."""
    given = rows()
    for row in given["instances"]:
        row["latency_ms"] = (row["finish_ms"] - row["start_ms"]) * factor
    found = problems(trace_of(given))
    assert [each.rows for each in found] == [3]
    assert hint in found[0].hint


def test_many_rows_are_one_problem():
    """A rule that many rows break is told once, with their number, and `limit` cuts the list of rules."""
    given = rows()
    for row in given["instances"]:
        row.update(in_bytes=-1, in_rows=-1, out_rows=-1)
    found = problems(trace_of(given))
    assert [(each.column, each.rows) for each in found] == [("in_rows", 3), ("in_bytes", 3), ("out_rows", 3)]
    assert str(found[0]).endswith("in_rows is -1 (and 2 more rows)")
    assert problems(trace_of(given), limit=2) == found[:2]


def test_rows_are_counted_over_many_batches():
    """The row is its place in the table, also far behind in one that comes in pieces."""
    size = 300_000
    ids = np.arange(size)
    table = pa.table(
        [pa.array(["m" + str(each) for each in ids]), *[pa.nulls(size, kind) for kind in TABLES["machines"].types[1:]]],
        schema=TABLES["machines"],
    )
    cores = np.full(size, 4.0, dtype=np.float32)
    cores[[271_828, 299_999]] = -1
    table = table.set_column(2, TABLES["machines"].field("cpu_cores"), pa.array(cores))
    table = pa.Table.from_batches(table.to_batches(max_chunksize=7_001))
    found = problems(Trace(Header(), {"machines": table}))
    assert [(each.row, each.rows) for each in found] == [(271_828, 2)]
    assert "machine_id 'm271828'" in found[0].text


def test_problems_are_records():
    """A problem reads as a sentence."""
    problem = Problem("jobs", 1234, "status", "job_id 'a': status is 'x'")
    assert str(problem) == "jobs, row 1,234, job_id 'a': status is 'x'"


def depth_by_hand(edges, nodes):
    """The longest way to each node by trying all ways; only for graphs without cycles."""
    before = {node: [src for src, dst in edges if dst == node] for node in range(nodes)}

    def depth(node):
        return max((depth(each) + 1 for each in before[node]), default=0)

    return [depth(node) for node in range(nodes)]


@pytest.mark.parametrize("seed", range(20))
def test_depths_are_longest_ways(seed):
    """Layer by layer gives what trying all ways gives."""
    random = np.random.default_rng(seed)
    nodes = int(random.integers(1, 9))
    edges = (
        {tuple(sorted(random.choice(nodes, 2, replace=False).tolist())) for _ in range(nodes)} if nodes > 1 else set()
    )
    given = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)
    assert graphs.depths(given[:, 0], given[:, 1], nodes).tolist() == depth_by_hand(edges, nodes)
    assert graphs.cyclic(given[:, 0], given[:, 1]).tolist() == []


def test_our_own_mistakes_are_not_blamed_on_the_trace():
    """A wrong query is no damaged trace."""
    with pytest.raises(duckdb.ParserException), sql_over(right()) as queries:
        queries.run("SELEC 1")
