"""Traces in memory and on disk: round trips, what is refused, and that a folder is whole or absent."""

from __future__ import annotations

import dataclasses
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from paretosql.errors import DataError, NotSupportedError, OperationalError, ProgrammingError
from paretosql.optimizer import folders
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.trace import Header, Trace, read_trace, write_trace
from tests.optimizer.traces import right, rows, trace_of


@pytest.fixture
def written(tmp_path):
    """A folder with a trace."""
    write_trace(right(), tmp_path / "trace")
    return tmp_path / "trace"


def edit_header(folder, **changes):
    """Change entries of `trace.json`."""
    file = folder / "trace.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def rewrite(folder, name, change):
    """Replace a table's file by what `change` makes of it."""
    file = folder / f"{name}.parquet"
    table = change(pq.read_table(file))
    file.unlink()
    pq.write_table(table, file)


def test_tables_that_are_not_given_are_empty():
    """A trace has all eight tables, whatever it was made of."""
    trace = Trace(Header(), {})
    assert [trace[name].num_rows for name in TABLES] == [0] * 8
    assert trace["stages"].schema.equals(TABLES["stages"])


def test_a_table_that_no_trace_has_is_refused():
    """A misspelled name gets the right one as a hint, when reading and when making a trace."""
    with pytest.raises(ProgrammingError, match=r"no table named 'instance'\nHint: did you mean 'instances'?"):
        right()["instance"]
    with pytest.raises(ProgrammingError, match=r"did you mean 'jobs'?"):
        Trace(Header(), {"job": TABLES["jobs"].empty_table()})


def test_other_columns_are_refused():
    """A missing column, another type and an unknown column are named."""
    jobs = right()["jobs"]
    with pytest.raises(DataError, match="n_stages is missing"):
        Trace(Header(), {"jobs": jobs.drop_columns("n_stages")})
    with pytest.raises(DataError, match="n_stages is int64, not int32"):
        Trace(Header(), {"jobs": jobs.set_column(7, "n_stages", jobs["n_stages"].cast(pa.int64()))})
    with pytest.raises(DataError, match="price is unknown"):
        Trace(Header(), {"jobs": jobs.append_column("price", jobs["n_stages"])})


def test_a_time_base_is_epoch_or_start():
    """Any other word is refused with the two that are right."""
    with pytest.raises(DataError, match="time_base is 'utc'\nHint: one of 'epoch', 'start'"):
        Header(time_base="utc")


def test_round_trip(written):
    """What is read is what was written: header, notes, rows, types, units and meanings."""
    trace = right()
    back = read_trace(written)
    assert back.header == trace.header
    for name in TABLES:
        assert back[name].equals(trace[name], check_metadata=True), name


def test_notes_are_kept(tmp_path):
    """What a reader could not tell stays with the trace."""
    write_trace(dataclasses.replace(right(), notes=("half is missing",)), tmp_path / "trace")
    assert read_trace(tmp_path / "trace").notes == ("half is missing",)


def test_empty_tables_have_no_file(tmp_path):
    """An absent file and a table without rows are the same."""
    write_trace(trace_of({"jobs": rows()["jobs"]}), tmp_path / "trace")
    assert sorted(file.name for file in (tmp_path / "trace").iterdir()) == ["jobs.parquet", "trace.json"]


def test_a_table_may_be_a_folder_of_files(written):
    """`instances/*.parquet` in the order of their names is the same table as `instances.parquet`."""
    table = pq.read_table(written / "instances.parquet")
    (written / "instances.parquet").unlink()
    (written / "instances").mkdir()
    pq.write_table(table.slice(0, 2), written / "instances" / "0.parquet")
    pq.write_table(table.slice(2), written / "instances" / "1.parquet")
    assert read_trace(written)["instances"].equals(right()["instances"])
    pq.write_table(table, written / "instances.parquet")
    with pytest.raises(DataError, match=r"both instances.parquet and instances/"):
        read_trace(written)


def test_a_folder_that_is_taken_is_left_alone(written):
    """Without `replace` nothing is overwritten, and a folder that is no trace not even with it."""
    before = (written / "jobs.parquet").read_bytes()
    with pytest.raises(OperationalError, match=r"holds a trace already\nHint: .*--replace"):
        write_trace(Trace(Header(), {}), written)
    assert (written / "jobs.parquet").read_bytes() == before
    (written / "trace.json").unlink()
    with pytest.raises(OperationalError, match="holds other files"):
        write_trace(right(), written, replace=True)
    with pytest.raises(OperationalError, match="is a file"):
        write_trace(right(), written / "jobs.parquet", replace=True)


def test_replace_takes_the_whole_place(written):
    """A table that the new trace does not have is gone, and so is everything temporary."""
    write_trace(trace_of({"jobs": rows()["jobs"]}), written, replace=True)
    assert sorted(file.name for file in written.iterdir()) == ["jobs.parquet", "trace.json"]
    assert [file.name for file in written.parent.iterdir()] == ["trace"]


def test_a_trace_can_be_written_over_itself(written):
    """Reading is done when the old files go."""
    trace = read_trace(written)
    write_trace(trace, written, replace=True)
    assert read_trace(written)["instances"].equals(right()["instances"])


def test_an_empty_folder_is_free(tmp_path):
    """A folder that was made beforehand may be filled."""
    (tmp_path / "trace").mkdir()
    write_trace(right(), tmp_path / "trace")
    assert read_trace(tmp_path / "trace")["jobs"].num_rows == 1


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("replace", [False, True])
def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch, fault, replace):
    """Ctrl-C or a full disk while a table is written: no new file or folder, and the old trace is as it was."""
    target = tmp_path / "deep" / "trace"
    if replace:
        write_trace(trace_of({"jobs": rows()["jobs"]}), target)
    before = sorted(tmp_path.rglob("*"))
    real = pq.ParquetWriter.write_batch

    def fail(self, batch, *more, **options):
        if "op_type" in batch.schema.names:
            raise fault
        real(self, batch, *more, **options)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", fail)
    with pytest.raises(KeyboardInterrupt if isinstance(fault, KeyboardInterrupt) else OperationalError):
        write_trace(right(), target, replace=replace)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_old_trace_is_back_when_the_move_fails(written, monkeypatch):
    """A failure between the two renames does not lose what was there."""
    real, calls = os.rename, []

    def second_fails(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise OSError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "rename", second_fails)
    monkeypatch.setattr(folders, "_exchanged", lambda *paths: False)  # as where the system cannot
    with pytest.raises(OperationalError, match="Permission denied"):
        write_trace(Trace(Header(), {}), written, replace=True)
    assert read_trace(written)["jobs"].num_rows == 1
    assert [file.name for file in written.parent.iterdir()] == ["trace"]


def test_nothing_there_is_said():
    """A path that does not exist is no trace that is empty."""
    with pytest.raises(OperationalError, match="no file or folder 'nowhere'"):
        read_trace("nowhere")


def test_a_folder_of_something_else_is_refused(tmp_path):
    """The readers that were asked are named."""
    (tmp_path / "photo.jpeg").write_bytes(b"no trace")
    with pytest.raises(DataError, match=r"is no trace that is known here\nHint: readers: .*native.*spark_events"):
        read_trace(tmp_path)


def test_a_later_version_is_refused(written):
    """A format that is not known yet is not guessed at."""
    edit_header(written, schema_version=2)
    with pytest.raises(NotSupportedError, match=r"schema version 2; .* reads up to 1\nHint: install a newer paretosql"):
        read_trace(written)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": "one"}', '{"schema_version": 0}'])
def test_a_damaged_header_is_refused(written, text):
    """The file is named."""
    (written / "trace.json").write_text(text)
    with pytest.raises(DataError, match=r"trace\.json"):
        read_trace(written)


def test_a_damaged_file_is_refused(written):
    """Half a file is named, and is not read as an empty table."""
    file = written / "instances.parquet"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=r"instances\.parquet is not a whole Parquet file"):
        read_trace(written)


def test_a_missing_column_is_unknown_or_refused(written):
    """A column that may be null is null; one that may not is named."""
    rewrite(written, "jobs", lambda table: table.drop_columns("status"))
    assert read_trace(written)["jobs"]["status"].null_count == 1
    rewrite(written, "jobs", lambda table: table.drop_columns("n_stages"))
    with pytest.raises(DataError, match=r"jobs\.parquet has no column 'n_stages'"):
        read_trace(written)


def test_an_unknown_column_is_refused(written):
    """A misspelled column would be a column of nulls."""
    rewrite(written, "jobs", lambda table: table.rename_columns({"finish_ms": "finished_ms"}))
    with pytest.raises(DataError, match=r"unknown column 'finished_ms'\nHint: did you mean 'finish_ms'?"):
        read_trace(written)


def test_other_types_are_read_when_they_fit(written):
    """Wide integers and large strings become those of the schema; text for numbers does not."""

    def widen(table):
        table = table.set_column(0, "job_id", table["job_id"].cast(pa.large_string()))
        return table.set_column(2, "instance_id", table["instance_id"].cast(pa.int64()))

    rewrite(written, "instances", widen)
    assert read_trace(written)["instances"].equals(right()["instances"])
    rewrite(
        written, "instances", lambda table: table.set_column(2, "instance_id", table["instance_id"].cast(pa.string()))
    )
    with pytest.raises(DataError, match="column 'instance_id' is string, not int32"):
        read_trace(written)


def test_a_value_that_is_too_large_is_refused(written):
    """A wide integer is read as a narrow one only when it is one."""
    big = pa.array([0, 1, 2**40], pa.int64())
    rewrite(written, "instances", lambda table: table.set_column(2, "instance_id", big))
    with pytest.raises(DataError, match="1099511627776"):
        read_trace(written, checked=False)["instances"]
    with pytest.raises(DataError, match="1099511627776"):
        read_trace(written)


def test_null_in_a_column_that_is_never_null_is_not_written(tmp_path):
    """The row is named, and nothing is written."""
    given = rows()
    del given["jobs"][0]["workload"]
    with pytest.raises(DataError, match=r"jobs\.workload is null in row 0"):
        write_trace(trace_of(given), tmp_path / "trace")
    assert list(tmp_path.iterdir()) == []


def test_reading_checks_unless_told_not_to(tmp_path):
    """A contradiction is found on reading; `checked=False` reads it as it is."""
    given = rows()
    given["instances"][1]["stage_id"] = 7
    write_trace(trace_of(given), tmp_path / "trace")
    with pytest.raises(DataError, match="stages has no row with job_id a stage_id 7"):
        read_trace(tmp_path / "trace")
    assert read_trace(tmp_path / "trace", checked=False)["instances"]["stage_id"].to_pylist() == [0, 7, 1]


def test_a_reader_can_be_named(written):
    """By its name, and a name that is none gets the known ones."""
    assert read_trace(written, "native")["jobs"].num_rows == 1
    with pytest.raises(ProgrammingError, match="no reader named 'nativ'\nHint: did you mean 'native'"):
        read_trace(written, "nativ")
