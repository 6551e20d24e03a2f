"""States of operators as bytes: Arrow tables one after the other."""

from __future__ import annotations

import io

import pyarrow as pa

from paretosql.errors import DataError, compose


def pack(*tables: pa.Table) -> bytes:
    """Tables one after the other, each an Arrow stream."""
    sink = io.BytesIO()
    for table in tables:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def unpack(data: bytes) -> list[pa.Table]:
    """The tables that `pack` wrote; DataError when the bytes are damaged."""
    source = io.BytesIO(data)
    tables = []
    try:
        while source.tell() < len(data):
            with pa.ipc.open_stream(source) as reader:
                tables.append(reader.read_all())
    except (pa.ArrowException, OSError) as fault:
        raise DataError(compose("the state of a sketch step is damaged")) from fault
    return tables
