"""Features are what they say, each in one channel, and none is known only after the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretosql.errors import DataError
from paretosql.optimizer import traced as traced_module
from paretosql.optimizer.encoding import Encoding, learn_hw_codes
from paretosql.optimizer.features import (
    COLUMNS,
    NAMES,
    block,
    column,
    container_features,
    instance_features,
    machine_features,
    stage_features,
)
from paretosql.optimizer.machines import Machines
from paretosql.optimizer.operator_kinds import KINDS, kind_of
from paretosql.optimizer.stage import Operator, Stage
from paretosql.optimizer.stage_graph import GRAPH_FACTS, graph_facts
from paretosql.optimizer.traced import outcomes, traced
from paretosql.optimizer.training_view import training_view
from tests.optimizer.small_trace import AFTERWARDS, MACHINES, changed, small_trace, with_column

OPERATORS = (Operator("Scan parquet", 1_000, 8_000, 10), Operator("SortMergeJoin", 400, 4_000, 30, (0,)))


def stage(**more):
    """Two instances with 100 and 300 rows."""
    given = {"job_id": "a", "stage_id": 1, "in_rows": np.array([100.0, 300.0]), "in_bytes": np.array([1e6, 3e6])}
    return Stage(**{**given, "operators": OPERATORS, **more})


def named(channel, values):
    """The columns of a block by name."""
    return dict(zip(NAMES[channel], values.T, strict=True))


def test_every_feature_is_in_one_channel():
    """Names are unique and the channels follow each other without gaps."""
    assert len(set(COLUMNS)) == len(COLUMNS) == sum(map(len, NAMES.values()))
    spans = [block(channel) for channel in NAMES]
    assert [span.start for span in spans] == [0, *(span.stop for span in spans[:-1])]
    assert COLUMNS[column("machine", "hw_type")] == "machine.hw_type"


def test_the_trace_is_read_without_what_is_known_afterwards():
    """Inputs come from columns that exist before the run."""
    for table, columns in (("instances", traced_module.INSTANCE_COLUMNS), ("stages", traced_module.STAGE_COLUMNS)):
        assert set(columns).isdisjoint(AFTERWARDS[table])


def test_sizes_of_an_instance():
    """Logarithms of its input, its share of the stage, and the operators' estimates at the same selectivity."""
    found = named("instance", instance_features(stage()))
    assert found["in_rows"] == pytest.approx(np.log1p([100, 300]))
    assert found["rows_to_mean"] == pytest.approx([-0.75, 0.5])  # log(1/2) and log(3/2) in steps of a quarter
    assert found["size_rank"].tolist() == [0.0, 0.5]
    assert found["operator_rows"] == pytest.approx(np.log1p([0.25 * 1_400, 0.75 * 1_400]))
    assert found["operator_cost"] == pytest.approx(np.log1p([0.25 * 40, 0.75 * 40]))
    assert np.isnan(found["warmth"]).all()
    assert np.isnan(found["expected_log_ms"]).all()


def test_operators_of_a_stage():
    """Counts of kinds, sums and largest estimates, depth and width of their graph."""
    found = {name: value[0] for name, value in named("stage", stage_features(stage())).items()}
    assert (found["n_scan"], found["n_join"], found["n_sort"], found["operators"]) == (1, 1, 0, 2)
    assert (found["operator_depth"], found["operator_width"]) == (2, 1)
    assert found["operator_rows_sum"] == pytest.approx(np.log1p(1_400))
    assert found["operator_bytes_most"] == pytest.approx(np.log1p(8_000))


def test_what_is_unknown_is_nan():
    """A stage of which only the number of instances is known."""
    bare = Stage("a", 0, np.full(3, np.nan), np.full(3, np.nan))
    found = {name: value[0] for name, value in named("stage", stage_features(bare)).items()}
    assert found["instances"] == pytest.approx(np.log1p(3))
    assert all(np.isnan(value) for name, value in found.items() if name != "instances")
    known = {name for name, value in named("instance", instance_features(bare)).items() if not np.isnan(value).all()}
    assert known == {"place"}


def test_a_stage_without_instances_has_no_rows():
    """And no warnings."""
    empty = Stage("a", 0, np.empty(0), np.empty(0))
    assert stage_features(empty).shape == (1, len(NAMES["stage"]))
    assert instance_features(empty).shape == (0, len(NAMES["instance"]))


def test_zero_rows_are_no_error():
    """Instances without input give no infinities."""
    zeros = stage(in_rows=np.zeros(2), in_bytes=np.zeros(2))
    assert not np.isinf(stage_features(zeros)).any()
    assert not np.isinf(instance_features(zeros)).any()


def test_warmth_comes_from_the_argument_or_the_facts():
    """One number for all, or one for each instance."""
    at = NAMES["instance"].index("warmth")
    assert instance_features(stage(facts={"warmth": 2.0}))[:, at].tolist() == [2.0, 2.0]
    assert instance_features(stage(), np.array([0.0, 1.0]))[:, at].tolist() == [0.0, 1.0]
    with pytest.raises(DataError, match="warmth of 2 instances"):
        instance_features(stage(), np.zeros(3))


def test_machines_and_containers():
    """Utilisations in ten levels; a type that training has not seen is NaN."""
    given = Machines(("a", "b"), ("old", "never"), np.array([8.0, 4.0]), np.array([32.0, 16.0]),
                     cpu_util=np.array([0.55, 1.0]), running=np.array([3.0, 0.0]))  # fmt: skip
    found = named("machine", machine_features(given, {"old": 1.0}))
    assert found["cpu_util"].tolist() == [5.0, 9.0]
    assert found["hw_type"][0] == 1.0
    assert np.isnan(found["hw_type"][1])
    assert np.isnan(found["io_util"]).all()
    assert container_features([[1, 2]]).tolist() == [[1.0, 2.0]]
    with pytest.raises(DataError, match="cores, memory_gib"):
        container_features([1, 2])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Exchange", "exchange"),
        ("WholeStageCodegen", "codegen"),
        ("SortMergeJoin", "join"),
        ("HashAggregate", "aggregate"),
        ("Scan parquet ", "scan"),
        ("BroadcastExchange", "broadcast"),
        ("BroadcastHashJoin", "join"),
        ("ShuffledHashJoin", "join"),
        ("TakeOrderedAndProject", "sort"),
        ("mapPartitions", "udf"),
        ("SEQ_SCAN", "scan"),
        ("PhotonShuffleMapStage", "exchange"),
        ("frobnicate", "other"),
    ],
)
def test_names_of_operators(name, kind):
    """Of several engines."""
    assert kind_of(name) == kind
    assert kind in KINDS


@st.composite
def graphs(draw):
    """Stages with numbers of instances, and edges from lower to higher positions."""
    count = draw(st.lists(st.integers(1, 50), min_size=1, max_size=7))
    pairs = [(a, b) for b in range(len(count)) for a in range(b)]
    return count, sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []


def ancestors(edges, at):
    """All stages before one, by following edges backwards."""
    found, todo = set(), [at]
    while todo:
        here = todo.pop()
        todo += [a for a, b in edges if b == here and a not in found]
        found |= {a for a, b in edges if b == here}
    return found


def longest(edges, at):
    """Edges on the longest path that ends here."""
    return max((1 + longest(edges, a) for a, b in edges if b == at), default=0)


@given(graphs())
def test_facts_of_a_graph_are_those_of_walking_it(graph):
    """Depths, ancestors, sources and what surrounds a stage, against sets."""
    count, edges = graph
    back = [(b, a) for a, b in edges]
    for at, facts in enumerate(graph_facts(count, edges)):
        assert set(facts) == set(GRAPH_FACTS)
        before, parents = ancestors(edges, at), [a for a, b in edges if b == at]
        children = [b for a, b in edges if a == at]
        sources = [each for each in before if not ancestors(edges, each)]
        beside = {a for a, b in edges if b in children} - {at}
        assert facts["depth"] == longest(edges, at)
        assert facts["height"] == longest(back, at)
        assert (facts["ancestors"], facts["descendants"]) == (len(before), len(ancestors(back, at)))
        assert (facts["parents"], facts["children"], facts["siblings"]) == (len(parents), len(children), len(beside))
        assert facts["parent_instances"] == sum(count[each] for each in parents)
        assert facts["parent_most"] == max((count[each] for each in parents), default=0)
        assert facts["parent_least"] == min((count[each] for each in parents), default=0)
        assert facts["source_instances"] == sum(count[each] for each in sources)
        assert facts["sibling_most"] == max((count[each] for each in beside), default=0)
        assert facts["child_parents"] == max((len([a for a, b in edges if b == each]) for each in children), default=0)
        assert facts["job_instances"] == sum(count)


def test_a_cycle_is_refused():
    """And so is an edge to nowhere."""
    with pytest.raises(DataError, match="wait for each other"):
        graph_facts([1, 1], [(0, 1), (1, 0)])
    with pytest.raises(DataError, match="edge 0 to 5"):
        graph_facts([1, 1], [(0, 5)])


def test_rows_of_a_trace_are_features_of_its_stages():
    """What training sees of an instance is what a decision about it would see."""
    trace = small_trace(6)
    encoding = Encoding({"old": 1.0, "new": 0.0})
    view = training_view(trace, encoding)
    states = {(row["machine_id"], row["ts_ms"]): row for row in trace["machine_states"].to_pylist()}
    for at in (0, 17, len(view) - 1):
        row = trace["instances"].slice(at, 1).to_pylist()[0]
        mine = view.traced.stages[view.traced.stage[at]]
        assert (mine.job_id, mine.stage_id) == (row["job_id"], row["stage_id"])
        state = states[row["machine_id"], row["start_ms"] // 60_000 * 60_000]
        machine = Machines(
            (row["machine_id"],), (MACHINES[row["machine_id"]],), np.array([16.0]), np.array([64.0]),
            cpu_util=np.array([state["cpu_util"]]), running=np.array([float(state["running_instances"])]),
        )  # fmt: skip
        expected = np.concatenate(
            [
                stage_features(mine)[0],
                instance_features(mine, view.traced.warmth[view.traced.stage[at]])[row["instance_id"]],
                [row["cpu_cores"], row["mem_mb"] / 1024],
                machine_features(machine, encoding.hw_codes)[0],
            ]
        )
        np.testing.assert_array_equal(view.rows(np.array([at]))[0], expected)


def test_the_state_of_a_machine_is_the_latest_before_the_start():
    """Not the first, not a later one, and unknown before the first."""
    trace = small_trace(3)
    states = trace["machine_states"]
    late = pa.Table.from_pylist(
        [
            {"machine_id": "m0", "ts_ms": at, "cpu_util": util}
            for at, util in ((500, 0.1), (900, 0.3), (1_000, 0.95), (1_001, 0.0))
        ],
        schema=states.schema,
    )
    instances = trace["instances"].slice(0, 2)
    starts = pa.array([1_000, 400], pa.int64())
    for name, values in (("machine_id", pa.array(["m0", "m0"])), ("start_ms", starts)):
        instances = with_column(instances, name, values)
    view = training_view(changed(trace, machine_states=late, instances=instances))
    found = view.machine_block[:, NAMES["machine"].index("cpu_util")]
    assert found[0] == 9.0
    assert np.isnan(found[1])


def test_instances_that_are_missing_leave_gaps():
    """A stage keeps its size when some of its rows are not in the trace; attempts share an instance."""
    trace = small_trace(3)
    kept = trace["instances"].take([0, 3, 3])
    again = pa.array([0, 0, 1], pa.int32())
    found = traced(changed(trace, instances=with_column(kept, "attempt", again)))
    assert found.instance.tolist() == [0, 3, 3]
    assert len(found.stages[0]) == 10
    assert np.isnan(found.stages[0].in_rows).tolist() == [at not in (0, 3) for at in range(10)]


def test_operators_come_after_those_they_read():
    """Whatever numbers they have."""
    trace = small_trace(3)
    turned = pa.Table.from_pylist(
        [{**row, "src_op": row["dst_op"], "dst_op": row["src_op"]} for row in trace["operator_edges"].to_pylist()],
        schema=trace["operator_edges"].schema,
    )
    mine = traced(changed(trace, operator_edges=turned)).stages[0].operators
    assert [each.kind for each in mine] == ["Filter", "Scan parquet"]
    assert [each.inputs for each in mine] == [(), (0,)]


def test_an_instance_without_a_stage_is_refused():
    """With its name."""
    trace = small_trace(3)
    with pytest.raises(DataError, match="job-0000/0, which is not in stages"):
        traced(changed(trace, stages=trace["stages"].slice(1)))


def test_an_empty_trace_has_no_rows():
    """But a view."""
    trace = small_trace(3)
    view = training_view(changed(trace, instances=trace["instances"].slice(0, 0)))
    assert view.rows(np.empty(0, dtype=np.int64)).shape == (0, len(COLUMNS))
    assert outcomes(changed(trace, instances=trace["instances"].slice(0, 0))).ok.shape == (0,)


def test_codes_of_hardware_rank_by_slowness():
    """Within stages: the slow type ran only the short stage."""
    types = ["slow", "slow", "fast", "fast", "fast", None]
    codes = learn_hw_codes(types, np.array([0, 0, 0, 0, 1, 1]), np.log([3.0, 3.0, 1.0, 1.0, 90.0, 100.0]))
    assert codes == {"fast": 0.0, "slow": 1.0}


def test_facts_do_not_depend_on_the_rest_of_the_stage():
    """Features of an instance follow it when instances change places, but for its place."""
    one, two = instance_features(stage()), instance_features(replace(stage(), in_rows=np.array([300.0, 100.0]),
                                                                     in_bytes=np.array([3e6, 1e6])))  # fmt: skip
    placed = [NAMES["instance"].index(name) for name in ("place", "wave", "waves_left")]
    np.testing.assert_array_equal(np.delete(one, placed, axis=1), np.delete(two[::-1], placed, axis=1))
