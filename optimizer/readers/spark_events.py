"""Event logs of Spark: a file or a folder of rolled files for one application, or a folder of several such.

Lines are JSON, plain, gzipped or compressed with Zstandard. A machine is the share of a host that an application was
given, `APPLICATION/HOST`, so the load of other applications is not in its states. Stages that were skipped because
their output was there already are no rows; edges lead to the stage that made it.
Source: org.apache.spark.util.JsonProtocol writes these events.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from paretosql.errors import DataError, compose
from paretosql.optimizer.readers.reader import Reader, readers
from paretosql.optimizer.readers.source import Source, quoted
from paretosql.optimizer.readers.spark import tables_of
from paretosql.optimizer.readers.spark_events_sql import DEFINED, EVENTS
from paretosql.optimizer.readers.spark_plans import operators_of
from paretosql.optimizer.schema import TABLES
from paretosql.optimizer.workload import Header, Trace

ENDINGS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
CODECS = {"gzip": "gzip", "zstd": "zstd"}  # of DuckDB to those of pyarrow
LONGEST_LINE_BYTES = 1 << 28  # our choice: plans of a few MB are seen
MARK = b'"Event"'
OTHER_CODECS = (".lz4", ".snappy", ".lzf")


def recognises(path: Path) -> bool:
    """A file whose first line is an event, or a folder with one, also one level down."""
    return any(True for _ in _applications(path))


def read(path: Path) -> Trace:
    """Read all applications of a file or folder.

    Raises:
        DataError: names file and record of a line that is no JSON, or what an application lacks.
    """
    parts = [_read_application(files) for files in _applications(path)]
    if not parts:
        raise DataError(compose(f"{path} holds no event log", hint="a log is one JSON object per line, each an Event."))
    tables = {name: pa.concat_tables([part[0][name] for part in parts]) for name in TABLES}
    engine = ", ".join(sorted({part[1] for part in parts}))
    header = Header(time_base="epoch", source=f"spark_events: {path.name}", engine=engine)
    return Trace(header, tables, tuple(note for part in parts for note in part[2]))


def _applications(path: Path) -> Iterator[list[Path]]:
    """The files of each application."""
    if path.is_file():
        if _is_log(path):
            yield [path]
        return
    if rolled := _rolled(path):
        yield rolled
        return
    for each in sorted(path.iterdir()):
        files = _rolled(each) if each.is_dir() else [each]
        if files and _is_log(files[0]):
            yield files


def _rolled(folder: Path) -> list[Path]:
    """The files of one application in order: `events_1_app`, `events_2_app`, or dated ones and then `eventlog`."""
    numbered = sorted(folder.glob("events_*"), key=_number)
    last = folder / "eventlog"
    dated = [*sorted(folder.glob("eventlog-*")), last] if last.is_file() else []
    return [file for file in numbered or dated if _is_log(file)]


def _number(file: Path) -> int:
    """The place of a rolled file: `events_12_app-1.zstd` is the 12th."""
    text = file.name.split("_")[1]
    return int(text) if text.isdecimal() else 0


def _is_log(file: Path) -> bool:
    codec = _codec(file)
    if file.name.startswith(".") or codec is None:
        return False
    try:
        with pa.input_stream(str(file), compression=CODECS.get(codec)) as stream:
            return MARK in stream.read(64)
    except OSError:
        return False


def _codec(file: Path) -> str | None:
    """The compression as DuckDB calls it; None for one that cannot be read here."""
    return None if file.suffix in OTHER_CODECS else ENDINGS.get(file.suffix, "none")


def _read_application(files: list[Path]) -> tuple[dict[str, pa.Table], str, tuple[str, ...]]:
    place = files[0] if len(files) == 1 else files[0].parent
    source = Source(place)
    source.define("events", "SELECT 0 AS file, 0::BIGINT AS line, '' AS event, NULL::JSON AS body WHERE false")
    for number, file in enumerate(files):
        lines = (
            f"read_json_objects({quoted(file)}, format = 'newline_delimited', compression = '{_codec(file)}', "
            f"maximum_object_size = {LONGEST_LINE_BYTES})"
        )
        source.insert(
            "events",
            f"""
            SELECT {number}, line, event, json FROM (
                SELECT row_number() OVER () AS line, regexp_replace(json ->> 'Event', '.*[.]', '') AS event, json
                FROM {lines}
            ) WHERE event IN {EVENTS}
            """,
            file,
        )
    if not source.number("SELECT count(*) FROM events WHERE event = 'SparkListenerTaskEnd'"):
        raise DataError(compose(f"{place}: no task ends in this log", hint="an application that ran something."))
    for name, sql in DEFINED.items():
        source.define(name, sql.replace("{name}", place.name.replace("'", "''")))
    source.register("operators", operators_of(source))
    tables, notes = tables_of(source)
    return tables, source.text("SELECT concat_ws(' ', 'spark', version) FROM application"), notes


readers.add("spark_events", Reader("spark_events", recognises, read))
