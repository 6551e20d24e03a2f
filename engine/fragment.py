"""One relational fragment on DuckDB: text and parameters in, Arrow batches out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pyarrow as pa

from paretosql.engine.faults import translated_names
from paretosql.engine.plan import Fragment
from paretosql.engine.record import Recorder
from paretosql.engine.session import Session
from paretosql.engine.stream import BATCH_ROWS


def pick(fragment: Fragment, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters a fragment wants."""
    return {name: parameters[name] for name in sorted(fragment.wants)}


def batches(
    session: Session,
    fragment: Fragment,
    parameters: dict[str, Any],
    text: str,
    recorder: Recorder,
    *,
    rows: int | None = None,
) -> Generator[pa.RecordBatch]:
    """The fragment's rows, a batch at a time; the connection is busy until the last one is read.

    Args:
        rows: of a batch; None: BATCH_ROWS.
    Raises:
        Error: as PEP 249 divides them; places are looked up in `text`, which the user wrote.
    """
    with translated_names(text):
        relation = session.con.sql(fragment.sql, params=pick(fragment, parameters))
        reader = relation.to_arrow_reader(rows or BATCH_ROWS)
        try:
            for batch in reader:
                recorder.read(batch.num_rows, batch.nbytes)
                yield batch
        finally:
            reader.close()


def table(session: Session, fragment: Fragment, parameters: dict[str, Any], text: str) -> pa.Table:
    """All rows of a fragment whose result is small."""
    with translated_names(text):
        return session.con.sql(fragment.sql, params=pick(fragment, parameters)).to_arrow_table()
